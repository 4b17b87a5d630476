package scim

import (
	"errors"
	"io"
	"net/http"
	"strings"

	scimerrors "github.com/elimity-com/scim/errors"

	"github.com/usher-scim/usher/internal/jsontree"
)

// maxBody bounds a request body (security S11, L-32).
const maxBody = 1 << 20

// negotiate reads Accept (R-17, L-26): json is true when only application/json
// will do.
func negotiate(h http.Header) (json bool, err error) {
	values := h["Accept"]
	if len(values) == 0 {
		return false, nil
	}
	named, ok := false, false
	for _, v := range values {
		for part := range strings.SplitSeq(v, ",") {
			kind, params, _ := strings.Cut(part, ";")
			kind = strings.TrimSpace(kind)
			named = named || kind != ""
			switch {
			case kind == "" || refusedByQ(params):
			case kind == "*/*", strings.EqualFold(kind, "application/*"), strings.EqualFold(kind, "application/scim+json"):
				return false, nil
			case strings.EqualFold(kind, "application/json"):
				ok = true
			}
		}
	}
	if named && !ok {
		return false, problem{status: http.StatusNotAcceptable, code: "not_acceptable", detail: "The answer is application/scim+json or application/json; name one of them in Accept."}
	}
	return ok, nil
}

// refusedByQ reports whether the parameters hold a quality of zero.
func refusedByQ(params string) bool {
	for p := range strings.SplitSeq(params, ";") {
		name, q, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(name, "q") && q != "" && strings.Trim(q, "0.") == "" {
			return true
		}
	}
	return false
}

// document reads and parses the request body (R-18, security S11, S12).
func (c *call) document() (jsontree.Value, error) {
	if c.doc != nil {
		return *c.doc, nil
	}
	if err := c.bodyKind(); err != nil {
		return jsontree.Value{}, err
	}
	raw, err := c.body()
	if err != nil {
		return jsontree.Value{}, err
	}
	doc, err := jsontree.Parse(raw, jsontree.BodyLimits())
	if err != nil {
		return doc, invalid(scimerrors.ScimTypeInvalidSyntax, "The body is not valid JSON: %s.", err)
	}
	return doc, nil
}

func (c *call) bodyKind() error {
	for _, e := range c.r.Header["Content-Encoding"] {
		if e != "" && !strings.EqualFold(e, "identity") {
			return problem{status: http.StatusUnsupportedMediaType, code: "unsupported_media_type", detail: "Compressed bodies are not accepted; send the JSON as it is, without Content-Encoding."}
		}
	}
	kind, _, _ := strings.Cut(c.r.Header.Get("Content-Type"), ";")
	kind = strings.TrimSpace(kind)
	if kind == "" || strings.EqualFold(kind, "application/scim+json") || strings.EqualFold(kind, "application/json") {
		return nil
	}
	return problem{status: http.StatusUnsupportedMediaType, code: "unsupported_media_type", detail: "Send the body as application/scim+json or application/json."}
}

func tooLarge() error {
	return problem{status: http.StatusRequestEntityTooLarge, code: "payload_too_large", detail: "The body is larger than 1 MiB; split the request."}
}

func (c *call) body() ([]byte, error) {
	n := c.r.ContentLength
	if n > maxBody {
		return nil, tooLarge()
	}
	in := http.MaxBytesReader(c.w.ResponseWriter, c.r.Body, maxBody)
	var raw []byte
	var err error
	if n > 0 {
		raw = make([]byte, n)
		_, err = io.ReadFull(in, raw)
	} else {
		raw, err = io.ReadAll(in)
	}
	if err == nil {
		return raw, nil
	}
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, tooLarge()
	}
	return nil, invalid(scimerrors.ScimTypeInvalidSyntax, "The body ended before it was complete; send the request again.")
}

// drain reads a body that nobody needs, so that the limits hold for it too.
func (c *call) drain() error {
	if c.r.ContentLength == 0 || c.r.Body == nil || c.r.Body == http.NoBody {
		return nil
	}
	_, err := c.body()
	return err
}
