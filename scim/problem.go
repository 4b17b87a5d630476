package scim

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	scimerrors "github.com/elimity-com/scim/errors"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

const (
	errorURN = "urn:ietf:params:scim:api:messages:2.0:Error"
	listURN  = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
)

// problem is an error in the form it is answered in.
type problem struct {
	status   int
	scimType string // keyword of RFC 7644 §3.12, or ""
	code     string // stable name, header Usher-Error-Code (domain.md §4.13)
	detail   string // a sentence: reason and remedy
	retry    int    // seconds for Retry-After, or 0
}

// Error gives code and sentence.
func (p problem) Error() string { return p.code + ": " + p.detail }

// problemOf is the one place where errors become answers. Texts of errors it
// does not know never leave the process (R-121, security S19).
func problemOf(err error) problem {
	if p, ok := errors.AsType[problem](err); ok {
		return p
	}
	if se, ok := errors.AsType[scimerrors.ScimError](err); ok && se.Status >= http.StatusBadRequest && se.Status < http.StatusInternalServerError {
		return problem{status: se.Status, scimType: string(se.ScimType), code: snake(string(se.ScimType), se.Status), detail: se.Detail}
	}
	if de, ok := errors.AsType[*resources.Error](err); ok {
		if v := verdictOf(de.Code); v.status != http.StatusInternalServerError {
			p := problem{status: v.status, scimType: v.scimType, code: string(de.Code), detail: de.Detail}
			if v.status == http.StatusServiceUnavailable {
				p.retry = 1
			}
			return p
		}
		return internalProblem()
	}
	if errors.Is(err, resources.ErrOutcomeUnknown) {
		return problem{
			status: http.StatusServiceUnavailable, code: string(resources.CodeUnavailable),
			detail: "usher's store has not confirmed this change, so it is not known whether it was made; send the same request again.", retry: 1,
		}
	}
	if errors.Is(err, resources.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return problem{
			status: http.StatusServiceUnavailable, code: string(resources.CodeUnavailable),
			detail: "usher cannot answer right now; send the same request again.", retry: 1,
		}
	}
	return internalProblem()
}

func internalProblem() problem {
	return problem{
		status: http.StatusInternalServerError, code: "internal_error",
		detail: "usher failed to answer this request; if it happens again, tell the operator the X-Request-Id of this answer.",
	}
}

// snake turns a scimType into a code: invalidPath into invalid_path.
func snake(scimType string, status int) string {
	if scimType == "" {
		return strings.ReplaceAll(strings.ToLower(http.StatusText(status)), " ", "_")
	}
	var b strings.Builder
	for _, r := range scimType {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

func rateLimited(wait time.Duration) problem {
	return problem{
		status: http.StatusTooManyRequests, code: string(resources.CodeRateLimited),
		detail: "Your organization sends too many requests; wait as Retry-After says and send this one again.",
		retry:  max(1, int(math.Ceil(wait.Seconds()))),
	}
}

// notHere is the answer to an address or id that means nothing to the caller,
// whatever the reason (security S1): with a resource type it is what the
// Directory says about an unknown id.
func notHere(resource string) error {
	detail := "There is nothing at this address."
	if resource != "" {
		detail = "There is no such " + resource + "."
	}
	return &resources.Error{Code: resources.CodeNotFound, Detail: detail}
}

// notAllowed is the answer to a method that an address does not have.
func notAllowed(rt *route) error {
	return problem{status: http.StatusMethodNotAllowed, code: "method_not_allowed", detail: "This address answers " + rt.allow + " only."}
}

// invalid makes a 400 of the given scimType.
func invalid(scimType scimerrors.ScimType, format string, args ...any) error {
	return scimerrors.ScimError{ScimType: scimType, Detail: fmt.Sprintf(format, args...), Status: http.StatusBadRequest}
}

// ErrorBody renders a SCIM error message. code is a stable name and
// stands in front of the detail; scimType may be "".
func ErrorBody(status int, scimType, code, detail string) []byte {
	out := append(make([]byte, 0, 256), `{"schemas":["`+errorURN+`"],"status":"`...)
	out = strconv.AppendInt(out, int64(status), 10)
	out = append(out, '"')
	if scimType != "" {
		out = append(out, `,"scimType":`...)
		out = jsontree.AppendString(out, scimType)
	}
	out = append(out, `,"detail":`...)
	out = jsontree.AppendString(out, code+": "+cut(detail))
	return append(out, '}')
}

// cut bounds a detail, whoever wrote it.
func cut(s string) string {
	const most = 600
	if len(s) <= most {
		return s
	}
	at := most
	for at > 0 && !utf8.RuneStart(s[at]) {
		at--
	}
	return s[:at] + "…"
}

func itoa(n int) string { return strconv.Itoa(n) }
