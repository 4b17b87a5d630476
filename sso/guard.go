package sso

import (
	"errors"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/usher-scim/usher/resources"
)

// bodyLimit bounds a form, in bytes.
const bodyLimit = 16 << 10

// errUnread says that a request cannot be read.
var errUnread = errors.New("the request cannot be read")

// admit lets a request in. What changes something must be a form of these pages:
// http.CrossOriginProtection lets requests without the headers of a browser pass,
// which cookies must not (security X3).
func (v *visit) admit() error {
	if v.r.Method != http.MethodPost {
		return nil
	}
	h := v.r.Header
	if h.Get("Sec-Fetch-Site") == "" && h.Get("Origin") == "" {
		return &resources.Error{Code: resources.CodeForbidden, Detail: "The request tells neither Origin nor Sec-Fetch-Site."}
	}
	if err := v.d.origin.Check(v.r); err != nil {
		return &resources.Error{Code: resources.CodeForbidden, Err: err}
	}
	return v.readForm()
}

// readForm reads the form of a POST.
func (v *visit) readForm() error {
	kind, _, err := mime.ParseMediaType(v.r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return errUnread
	}
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, bodyLimit)
	if err := v.r.ParseForm(); err != nil {
		return errors.Join(errUnread, err)
	}
	for _, values := range v.r.PostForm {
		for _, s := range values {
			if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
				return errUnread
			}
		}
	}
	v.form = v.r.PostForm
	return nil
}

// field gives a field of the form without the spaces around it.
func (v *visit) field(name string) string { return strings.TrimSpace(v.form.Get(name)) }
