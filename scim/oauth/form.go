package oauth

import (
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/usher-scim/usher/internal/jose"
	"github.com/usher-scim/usher/resources"
)

const (
	bodyLimit     = 64 << 10
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" // RFC 7523 §2.2
)

// request is what a client asks the token endpoint.
type request struct {
	client    string
	secret    string
	assertion *jose.Token // nil: the client shows a secret
	basic     bool        // the client authenticates in the header
	scopes    []resources.Scope
}

// read reads a request (RFC 6749 §2.3, §4.4.2).
func read(r *http.Request) (*request, *problem) {
	form, p := readForm(r)
	if p != nil {
		return nil, p
	}
	q := &request{}
	if p := q.readClient(r.Header["Authorization"], form); p != nil {
		return q, p
	}
	switch form.Get("grant_type") {
	case "client_credentials":
	case "":
		return q, invalidRequest("The parameter grant_type is missing; send grant_type=client_credentials.")
	default:
		return q, &problem{http.StatusBadRequest, "unsupported_grant_type", "The only grant is client_credentials.", 0}
	}
	for scope := range strings.SplitSeq(form.Get("scope"), " ") {
		if scope != "" {
			q.scopes = append(q.scopes, resources.Scope(scope))
		}
	}
	if len(q.scopes) > 16 {
		return q, &problem{http.StatusBadRequest, "invalid_scope", "More than 16 scopes are asked for.", 0}
	}
	return q, nil
}

// readForm reads the parameters. They stand in the body only: what is in a
// query ends up in logs (security T6).
func readForm(r *http.Request) (url.Values, *problem) {
	if r.URL.RawQuery != "" || r.URL.ForceQuery {
		return nil, invalidRequest("Send the parameters in the body; the address takes none.")
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" || r.Header.Get("Content-Encoding") != "" {
		return nil, invalidRequest("The body must be a form: send Content-Type: application/x-www-form-urlencoded.")
	}
	body, err := io.ReadAll(r.Body)
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, &problem{http.StatusRequestEntityTooLarge, "invalid_request", "The body is larger than 64 KiB.", 0}
	}
	if err != nil {
		return nil, invalidRequest("The body did not arrive whole; send the request again.")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, invalidRequest("The body is not a form: a parameter is not percent-encoded as it must be.")
	}
	for _, values := range form {
		if len(values) > 1 { // RFC 6749 §3.2
			return nil, invalidRequest("A parameter is given twice.")
		}
	}
	return form, nil
}

// readClient reads by which of the three ways the client authenticates: exactly
// one (RFC 6749 §2.3).
func (q *request) readClient(authorization []string, form url.Values) *problem {
	ways := 0
	for _, given := range []bool{len(authorization) > 0, form.Has("client_secret"), form.Has("client_assertion") || form.Has("client_assertion_type")} {
		if given {
			ways++
		}
	}
	if ways > 1 || len(authorization) > 1 {
		return invalidRequest("The client authenticates in more than one way; use one of client_secret_basic, client_secret_post and private_key_jwt.")
	}
	named := form.Get("client_id")
	switch {
	case len(authorization) == 1:
		q.basic = true
		id, secret, ok := parseBasic(authorization[0])
		if !ok {
			return invalidClient()
		}
		q.client, q.secret = id, secret
	case form.Has("client_secret"):
		q.client, q.secret = named, form.Get("client_secret")
	case ways == 1:
		if form.Get("client_assertion_type") != assertionType {
			return invalidRequest("The parameter client_assertion_type must be " + assertionType + ".")
		}
		tok, err := jose.Parse(form.Get("client_assertion"))
		if err != nil || !assertionTyp(tok.Typ) {
			return invalidClient()
		}
		q.client, q.assertion = tok.Claims.Subject, tok
	default:
		return invalidClient()
	}
	if named != "" && named != q.client {
		return invalidRequest("The parameter client_id names another client than the one that authenticates.")
	}
	return nil
}

// parseBasic reads the header of client_secret_basic: id and secret, each
// encoded as in a form before they were joined (RFC 6749 §2.3.1).
func parseBasic(header string) (id, secret string, ok bool) {
	scheme, text, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") || len(text) > 4096 {
		return "", "", false
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return "", "", false
	}
	id, secret, ok = strings.Cut(string(raw), ":")
	if !ok {
		return "", "", false
	}
	if id, err = url.QueryUnescape(id); err != nil {
		return "", "", false
	}
	if secret, err = url.QueryUnescape(secret); err != nil {
		return "", "", false
	}
	return id, secret, true
}

// assertionTyp reports whether a token's typ is that of a client's assertion,
// or says no more than that it is a token (RFC 8725 §3.11).
func assertionTyp(typ string) bool {
	typ = strings.TrimPrefix(strings.ToLower(typ), "application/")
	return typ == "" || typ == "jwt" || typ == "client-authentication+jwt"
}
