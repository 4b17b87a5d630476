package simulate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	mostAnswer  = 64 << 20         // bytes of an answer
	callTime    = 60 * time.Second // what identity providers grant (L-33)
	mostTries   = 6                // of one request
	longestWait = 60 * time.Second // before another try, whatever Retry-After says
)

// client sends the requests of one simulator: paced, measured, and repeated
// when the server asks for it.
type client struct {
	base   string // the SCIM root, without a slash at the end
	query  string // what stands behind every target, "" or "aadOptscim062020"
	header http.Header
	http   *http.Client
	pace   *pace
	rec    *recorder
	now    func() time.Time
}

// answer is what came back; body only when it was asked for or an error.
type answer struct {
	status   int
	location string
	body     []byte
	retry    string // Retry-After
	tries    int    // how often the request was sent
}

// pace gives out moments to send at, evenly, whoever asks. An interval of
// zero means at once.
type pace struct {
	mu       sync.Mutex
	next     time.Time
	interval time.Duration
	now      func() time.Time
}

func (p *pace) wait(ctx context.Context) error {
	if p.interval == 0 {
		return ctx.Err()
	}
	p.mu.Lock()
	now := p.now()
	// What was missed is not made up for: an identity provider that was slow
	// does not send faster afterwards.
	at := p.next
	if at.Before(now) {
		at = now
	}
	p.next = at.Add(p.interval)
	p.mu.Unlock()
	return pause(ctx, at.Sub(now))
}

// pause waits, or gives the error of the context that ended.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// newClient prepares the requests of a dialect to a SCIM root. A query behind
// the root, such as Entra's flag, is sent with every request.
func newClient(cfg *Config, d *dialect) (*client, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("%q is not the URL of a SCIM root; give one such as https://scim.example.com/scim/v2", cfg.URL)
	}
	query := u.RawQuery
	if query == "" {
		query = d.query
	}
	u.RawQuery, u.Fragment = "", ""
	c := &client{
		base: strings.TrimRight(u.String(), "/"), query: query, rec: newRecorder(), now: cfg.Now,
		header: http.Header{
			"Authorization": {"Bearer " + cfg.Token},
			"Accept":        {d.accept},
			"User-Agent":    {d.agent},
		},
		// A redirect could take the token somewhere else.
		http: &http.Client{Transport: cfg.Transport, Timeout: callTime, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		pace: &pace{now: cfg.Now, next: cfg.Now()},
	}
	if cfg.Rate > 0 {
		c.pace.interval = time.Duration(float64(time.Second) / cfg.Rate)
	}
	return c, nil
}

// target puts path, query and the query of every request together. params
// begin with "?" or are empty.
func (c *client) target(path, params string) string {
	switch {
	case c.query == "":
		return c.base + path + params
	case params == "":
		return c.base + path + "?" + c.query
	}
	return c.base + path + params + "&" + c.query
}

// do sends a request until there is an answer that is not 429 or 503. POST is
// not repeated after a broken connection: what an identity provider does then
// is the caller's business. With keep the body of a success is kept too.
func (c *client) do(ctx context.Context, k kind, method, target, contentType string, body []byte, keep bool) (answer, error) {
	for try := 1; ; try++ {
		if err := c.pace.wait(ctx); err != nil {
			return answer{}, err
		}
		got, err := c.once(ctx, k, method, target, contentType, body, keep)
		var wait time.Duration
		switch {
		case ctx.Err() != nil:
			return answer{}, ctx.Err()
		case err != nil && (method == http.MethodPost || try == mostTries):
			return answer{}, err
		case err != nil:
			wait = 50 * time.Millisecond << try
		case try < mostTries && (got.status == http.StatusTooManyRequests || got.status == http.StatusServiceUnavailable):
			wait = retryAfter(got.retry, try)
		default:
			got.tries = try
			return got, nil
		}
		c.rec.again()
		if err := pause(ctx, wait); err != nil {
			return answer{}, err
		}
	}
}

// retryAfter is how long the server wants to be left alone, else a pause that
// doubles with every try.
func retryAfter(header string, try int) time.Duration {
	if s, err := strconv.Atoi(header); err == nil && s >= 0 {
		return min(time.Duration(s)*time.Second, longestWait)
	}
	return 100 * time.Millisecond << try
}

func (c *client) request(ctx context.Context, method, target, contentType string, body []byte) (*http.Request, error) {
	var payload io.Reader
	if body != nil {
		payload = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, target, payload)
	if err != nil {
		return nil, err
	}
	maps.Copy(req.Header, c.header)
	if body != nil {
		req.Header["Content-Type"] = []string{contentType}
	}
	return req, nil
}

func (c *client) once(ctx context.Context, k kind, method, target, contentType string, body []byte, keep bool) (got answer, err error) {
	req, err := c.request(ctx, method, target, contentType, body)
	if err != nil {
		return got, err
	}
	start := c.now()
	resp, err := c.http.Do(req)
	if err != nil {
		return got, fmt.Errorf("%s %s: %w", method, req.URL.Path, bare(err))
	}
	defer func() { _ = resp.Body.Close() }() // what matters has been read by then
	got = answer{status: resp.StatusCode, location: resp.Header.Get("Location"), retry: resp.Header.Get("Retry-After")}
	if keep || resp.StatusCode >= 300 {
		got.body, err = io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	} else {
		_, err = io.Copy(io.Discard, resp.Body)
	}
	if err != nil {
		return got, fmt.Errorf("read the answer to %s %s: %w", method, req.URL.Path, err)
	}
	c.rec.answered(k, got.status, c.now().Sub(start))
	return got, nil
}

// bare takes the method and the URL, which stand in the text already, off an
// error of the HTTP client.
func bare(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// abort sends a request and gives up waiting some time after all of it was
// sent. Whether the server has done it, nobody knows.
func (c *client) abort(ctx context.Context, method, target, contentType string, body []byte, after time.Duration) error {
	if err := c.pace.wait(ctx); err != nil {
		return err
	}
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	inner = httptrace.WithClientTrace(inner, &httptrace.ClientTrace{
		WroteRequest: func(httptrace.WroteRequestInfo) { time.AfterFunc(after, cancel) },
	})
	req, err := c.request(inner, method, target, contentType, body)
	if err != nil {
		return err
	}
	c.rec.gaveUp()
	resp, err := c.http.Do(req)
	if err == nil {
		return resp.Body.Close()
	}
	return ctx.Err() // the error itself is the one that was asked for
}
