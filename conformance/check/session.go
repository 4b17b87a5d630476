package check

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
)

const (
	mostAnswer    = 16 << 20 // bytes read of an answer
	mostShown     = 4 << 10  // bytes of a body in a result
	mostExchanges = 8        // in a result
	mostWait      = 30 * time.Second
	mostRetries   = 12   // of one request
	mostWaits     = 5000 // of a run
)

// session is one check's conversation with the server. It lives as long as the
// check and is used by one goroutine, which is why it may hold the context. Once
// the check has failed or was skipped it sends nothing more.
type session struct {
	*runner
	ctx    context.Context
	prefix string // of all names
	serial int

	status    Status
	reason    string
	notes     []string
	exchanges []Exchange
	made      []string // addresses to delete
}

func (r *runner) session(ctx context.Context, prefix string) *session {
	return &session{runner: r, ctx: ctx, prefix: prefix, status: Passed}
}

// ok reports whether the check is still going.
func (s *session) ok() bool { return s.status == Passed }

// fail ends the check, unless it has ended.
func (s *session) fail(format string, args ...any) {
	if s.ok() {
		s.status, s.reason = Failed, s.hide(fmt.Sprintf(format, args...))
	}
}

// skip ends the check with the reason why it says nothing here.
func (s *session) skip(why Reason, what ...string) {
	if s.ok() {
		s.status, s.reason = Skipped, string(why)+strings.Join(what, ", ")
	}
}

// note tells which of several permitted answers was seen.
func (s *session) note(format string, args ...any) {
	if s.ok() {
		s.notes = append(s.notes, fmt.Sprintf(format, args...))
	}
}

// is reports whether one of the profiles was asked for.
func (s *session) is(names ...string) bool { return slices.Contains(names, s.Profile) }

// request is what a check wants to send.
type request struct {
	method string
	path   string            // below the SCIM root, escaped; or an absolute address on the server
	params []string          // names and values in turn
	header map[string]string // "" leaves a usual header out
	body   any               // nil: none; string: as it is; anything else as JSON
}

// answer is what came back; nothing at all once the check has ended.
type answer struct {
	status int
	header http.Header
	raw    []byte
	value  jsontree.Value
	broken error // the body is no JSON
}

// at finds a value in the body, see [find].
func (a *answer) at(path string) *jsontree.Value { return find(&a.value, path) }

func (s *session) get(path string, params ...string) *answer {
	return s.send(request{method: http.MethodGet, path: path, params: params})
}

func (s *session) post(path string, body any) *answer {
	return s.send(request{method: http.MethodPost, path: path, body: body})
}

func (s *session) put(path string, body any) *answer {
	return s.send(request{method: http.MethodPut, path: path, body: body})
}

func (s *session) patch(path string, ops ...obj) *answer {
	return s.send(request{method: http.MethodPatch, path: path, body: patchOp(ops...)})
}

func (s *session) delete(path string) *answer {
	return s.send(request{method: http.MethodDelete, path: path})
}

// send sends one request and records it. No answer at all fails the check.
func (s *session) send(r request) *answer {
	if !s.ok() {
		return &answer{header: http.Header{}}
	}
	body, err := encode(r.body)
	if err != nil {
		s.fail("encode the body: %v", err)
		return &answer{header: http.Header{}}
	}
	x := Exchange{Method: r.method, URL: s.address(&r), RequestBody: s.show(body)}
	a, err := s.exchange(s.ctx, &r, body, &x)
	if err != nil {
		x.Error = s.hide(err.Error())
	}
	x.URL = s.hide(x.URL)
	s.exchanges = append(s.exchanges, x)
	if len(s.exchanges) > mostExchanges {
		s.exchanges = s.exchanges[1:]
	}
	if err != nil {
		s.fail("no answer to %s %s: %v", r.method, r.path, err)
		return &answer{header: http.Header{}}
	}
	s.remember(&r, a)
	return a
}

func (s *session) address(r *request) string {
	address := r.path
	if !strings.HasPrefix(address, "http://") && !strings.HasPrefix(address, "https://") {
		address = s.base + r.path
	}
	query := s.query
	for i := 0; i+1 < len(r.params); i += 2 {
		if query != "" {
			query += "&"
		}
		query += url.QueryEscape(r.params[i]) + "=" + url.QueryEscape(r.params[i+1])
	}
	if query != "" {
		sign := "?"
		if strings.Contains(address, "?") {
			sign = "&"
		}
		address += sign + query
	}
	return address
}

// exchange does the request, again after each 429 within bounds.
func (s *session) exchange(ctx context.Context, r *request, body []byte, x *Exchange) (*answer, error) {
	for try := 0; ; try++ {
		a, err := s.once(ctx, r, body, x)
		if err != nil || a.status != http.StatusTooManyRequests || try == mostRetries || s.waits.Load() >= mostWaits {
			return a, err
		}
		s.waits.Add(1)
		pause := time.Second
		if n, err := strconv.Atoi(a.header.Get("Retry-After")); err == nil && n > 0 {
			pause = min(time.Duration(n)*time.Second, mostWait)
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		}
	}
}

func (s *session) once(ctx context.Context, r *request, body []byte, x *Exchange) (_ *answer, err error) {
	if s.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.Timeout)
		defer cancel()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, s.base, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if at, err := url.Parse(x.URL); err == nil {
		req.URL = at
	} else { // a hostile path goes out as it is
		root := url.URL{Scheme: req.URL.Scheme, Host: req.Host}
		req.URL = &url.URL{Scheme: root.Scheme, Host: root.Host, Opaque: strings.TrimPrefix(x.URL, root.String())}
	}
	s.dress(req, r, len(body) > 0)
	x.RequestHeader = s.chosen(req.Header, "Content-Type", "Accept", "If-Match", "If-None-Match", "Prefer")
	s.requests.Add(1)
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // what matters has been read by then
	raw, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	if err != nil {
		return nil, fmt.Errorf("the answer breaks off: %w", err)
	}
	x.Status, x.ResponseBody = resp.StatusCode, s.show(raw)
	x.ResponseHeader = s.chosen(resp.Header, "Content-Type", "Location", "ETag", "WWW-Authenticate", "Allow", "Retry-After", "X-Request-Id")
	a := &answer{status: resp.StatusCode, header: resp.Header, raw: raw}
	if len(raw) > 0 {
		a.value, a.broken = jsontree.Parse(raw, jsontree.Limits{Depth: 64})
	}
	return a, nil
}

// dress sets the headers of a request.
func (s *session) dress(req *http.Request, r *request, body bool) {
	req.Header.Set("Authorization", "Bearer "+s.Token)
	req.Header.Set("Accept", mediaType)
	req.Header.Set("User-Agent", s.Agent)
	if body {
		req.Header.Set("Content-Type", mediaType)
	}
	for name, value := range r.header {
		if value == "" {
			req.Header.Del(name)
		} else {
			req.Header.Set(name, value)
		}
	}
}

func encode(body any) ([]byte, error) {
	switch b := body.(type) {
	case nil:
		return nil, nil
	case string:
		return []byte(b), nil
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err := enc.Encode(body)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}

// hide takes the token out of a text.
func (s *session) hide(text string) string {
	if s.Token == "" {
		return text
	}
	return strings.NewReplacer(s.Token, "•••", url.QueryEscape(s.Token), "•••").Replace(text)
}

// show is a body as far as results show it.
func (s *session) show(body []byte) string {
	text := s.hide(string(body))
	if len(text) > mostShown {
		return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(text[:mostShown], ""), len(body))
	}
	return text
}

func (s *session) chosen(from http.Header, names ...string) map[string]string {
	out := map[string]string{}
	for _, name := range names {
		if v := strings.Join(from.Values(name), ", "); v != "" {
			out[name] = s.hide(v)
		}
	}
	return out
}
