package schema

import (
	"net/http"
	"strconv"
	"unicode/utf8"

	scimerrors "github.com/elimity-com/scim/errors"

	"github.com/usher-scim/usher/internal/jsontree"
)

func invalidValue(detail string) error {
	return scimerrors.ScimError{ScimType: scimerrors.ScimTypeInvalidValue, Detail: detail, Status: http.StatusBadRequest}
}

func invalidSyntax(detail string) error {
	return scimerrors.ScimError{ScimType: scimerrors.ScimTypeInvalidSyntax, Detail: detail, Status: http.StatusBadRequest}
}

func mutability(detail string) error {
	return scimerrors.ScimError{ScimType: scimerrors.ScimTypeMutability, Detail: detail, Status: http.StatusBadRequest}
}

// mistyped names the attribute, what it must be and what came.
func (j *judge) mistyped(a *Attr, v *jsontree.Value, want string) error {
	return invalidValue(j.path(a) + " must be " + want + ", not " + kindName(v))
}

// kindName is what a client calls a JSON value; never its content, which may
// be personal.
func kindName(v *jsontree.Value) string {
	if v == nil {
		return "nothing"
	}
	switch v.Kind {
	case jsontree.Null:
		return "null"
	case jsontree.False, jsontree.True:
		return "a boolean"
	case jsontree.Number:
		return "a number"
	case jsontree.String:
		return "a string"
	case jsontree.Array:
		return "an array"
	case jsontree.Object:
		return "an object"
	}
	return "nothing"
}

// quote repeats a client's word in a message, cut to a readable length.
func quote(s string) string {
	const most = 96
	if len(s) > most {
		cut := most
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return strconv.Quote(s)
}
