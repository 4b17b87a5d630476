package admin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/usher-scim/usher/resources"
)

const (
	onceHeader   = "Idempotency-Key"
	onceReplayed = "Idempotency-Replayed" // set on an answer that was remembered
	onceBodyTime = 5 * time.Second        // for the body to arrive, as everywhere
)

// onceAnswer is an answer as it is remembered.
type onceAnswer struct {
	Status int         `json:"status"`
	Header http.Header `json:"header"`
	Body   []byte      `json:"body"`
}

// onceHeaders are the headers that belong to an answer and not to the exchange.
var onceHeaders = []string{"Content-Type", "Content-Language", "Location", "ETag", "Retry-After"}

// onceKey reads the key of a POST; "" when it has none.
func onceKey(r *http.Request) (string, error) {
	values := r.Header.Values(onceHeader)
	if r.Method != http.MethodPost || len(values) == 0 {
		return "", nil
	}
	visible := func(c rune) bool { return c > ' ' && c < 0x7f }
	key := values[0]
	if len(values) > 1 || key == "" || len(key) > 64 || strings.ContainsFunc(key, func(c rune) bool { return !visible(c) }) {
		return "", &resources.Error{
			Code: resources.CodeInvalidValue, Field: "header." + onceHeader,
			Detail: "An Idempotency-Key is one value of 1 to 64 visible ASCII characters, for example a UUID.",
		}
	}
	return key, nil
}

// serveOnce serves a POST that has a key: the same request within 24 hours gets
// the same answer, and does nothing again. Answers that only tell of a passing
// state (5xx) are not remembered.
func (d *door) serveOnce(x *exchange, r *http.Request, key string) {
	ctx := r.Context()
	// When the connection cannot have a deadline its server has one.
	_ = http.NewResponseController(x).SetReadDeadline(time.Now().Add(onceBodyTime)) //nolint:forbidigo // deadlines of connections are in real time
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err}))
	if err != nil { // whoever reads it next says what is wrong
		d.mux.ServeHTTP(x, r)
		return
	}
	once, err := d.directory.BeginOnce(ctx, x.caller, resources.Repeatable{Key: key, Request: fingerprint(r, body), Secret: bearer(r)})
	if err != nil {
		d.refuse(x, r, err)
		return
	}
	if once.Answer != nil {
		d.replay(x, r, once.Answer)
		return
	}
	var answer []byte
	defer func() { // also when the operation panics
		if err := d.directory.EndOnce(context.WithoutCancel(ctx), x.caller, once, answer); err != nil {
			d.log.ErrorContext(ctx, "request with a key not written down", "req", x.id, "err", err)
		}
		x.release()
	}()
	x.once, x.held = once, new(bytes.Buffer)
	d.mux.ServeHTTP(x, r)
	if x.status < http.StatusInternalServerError {
		answer = d.remembered(x, r)
	}
}

func (d *door) remembered(x *exchange, r *http.Request) []byte {
	a := onceAnswer{Status: x.status, Header: http.Header{}, Body: x.held.Bytes()}
	for _, name := range onceHeaders {
		if v := x.Header().Values(name); len(v) > 0 {
			a.Header[name] = slices.Clone(v)
		}
	}
	out, err := json.Marshal(a)
	if err != nil {
		d.log.ErrorContext(r.Context(), "answer not encoded", "req", x.id, "err", err)
	}
	return out
}

// replay writes an answer that was remembered.
func (d *door) replay(x *exchange, r *http.Request, raw []byte) {
	var a onceAnswer
	if err := json.Unmarshal(raw, &a); err != nil {
		d.refuse(x, r, err)
		return
	}
	for name, values := range a.Header {
		for _, v := range values {
			x.Header().Add(name, v)
		}
	}
	x.Header().Set(onceReplayed, "true")
	x.WriteHeader(a.Status)
	if _, err := x.Write(a.Body); err != nil {
		d.log.DebugContext(r.Context(), "answer not written", "req", x.id, "err", err)
	}
}

// fingerprint is the same for requests that ask for the same.
func fingerprint(r *http.Request, body []byte) [sha256.Size]byte {
	h := sha256.New()
	for _, part := range []string{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Header.Get("Content-Type"), r.Header.Get("If-Match")} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	h.Write(body)
	return [sha256.Size]byte(h.Sum(nil))
}

// failing is the end of a body that could not be read.
type failing struct{ err error }

// Read gives the error that reading ended with.
func (f failing) Read([]byte) (int, error) {
	if f.err == nil {
		return 0, io.EOF
	}
	return 0, f.err
}

// newID is the id for what a step of the request creates, when the request has
// a key; "" otherwise.
func (a *asked) newID(kind resources.Kind, step int) (string, error) {
	if a.once == nil {
		return "", nil
	}
	return a.once.ID(kind, step)
}

// creating is the caller for the act that creates the thing that the request is
// for.
func (a *asked) creating(kind resources.Kind) (resources.Caller, error) {
	c := a.caller
	var err error
	c.NewID, err = a.newID(kind, 0)
	return c, err
}

// release writes an answer that was held back until it was written down.
func (x *exchange) release() {
	held := x.held
	if x.held = nil; held == nil || x.status == 0 {
		return
	}
	x.ResponseWriter.WriteHeader(x.status)
	_, _ = x.ResponseWriter.Write(held.Bytes()) // a client that went away repeats the request
}

// errNoDoor says that a handler was called past the door.
var errNoDoor = errors.New("the request did not come through the door")
