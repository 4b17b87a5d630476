package patch

import (
	"errors"
	"fmt"
	"net/http"
	"unicode/utf8"

	scimerrors "github.com/elimity-com/scim/errors"
)

// refuse makes the 400 answer of a SCIM PATCH.
func refuse(kind scimerrors.ScimType, format string, args ...any) error {
	return scimerrors.ScimError{ScimType: kind, Detail: fmt.Sprintf(format, args...), Status: http.StatusBadRequest}
}

// place says where in the request an edit comes from, for error texts.
type place struct {
	n    int    // the operation's number, counted from 1
	op   op     // its verb
	text string // the path or key as the client sent it, or ""
	key  bool   // text was a key of a pathless value, not a path
}

// refuse answers 400 naming the operation, the attribute, reason and remedy.
func (at place) refuse(kind scimerrors.ScimType, format string, args ...any) error {
	return refuse(kind, "%s: %s", at, fmt.Sprintf(format, args...))
}

// String is the lead of every error text: `operation 3 (replace "title")`.
func (at place) String() string {
	if at.text == "" {
		return fmt.Sprintf("operation %d (%s)", at.n, at.op)
	}
	return fmt.Sprintf("operation %d (%s %q)", at.n, at.op, clip(at.text))
}

// wrap puts the operation in front of what another package found wrong.
func (at place) wrap(err error) error {
	var se scimerrors.ScimError
	if !errors.As(err, &se) {
		return fmt.Errorf("%s: %w", at, err)
	}
	se.Detail = at.String() + ": " + se.Detail
	return se
}

// clip keeps what is echoed to the client short (security S19).
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
