package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
)

// Client is a connection to the SCIM server under test.
type Client struct {
	BaseURL string       // {base}: the SCIM root, without a slash at the end
	Token   string       // bearer token; empty: no Authorization header
	HTTP    *http.Client // nil means http.DefaultClient
}

// mostAnswer bounds how much of an answer the player reads.
const mostAnswer = 64 << 20

// Play plays all exchanges of an archive in order and stops at the first that
// does not go as expected. name is the archive's name in errors; vars are the
// variables known at the start. The format is in the package documentation.
func Play(ctx context.Context, c Client, name string, archive []byte, vars map[string]string) error {
	p, err := NewPlayer(c, archive, vars)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for i := range p.Recording.Exchanges {
		if err := p.Play(ctx, i); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// Player plays one recording exchange by exchange. It is not safe for
// concurrent use.
type Player struct {
	Recording *Recording

	client Client
	vars   map[string]string
	errs   []error // of the exchanges played so far
}

// NewPlayer reads an archive. vars are copied.
func NewPlayer(c Client, archive []byte, vars map[string]string) (*Player, error) {
	rec, err := ParseRecording(archive)
	if err != nil {
		return nil, err
	}
	if c.HTTP == nil {
		c.HTTP = http.DefaultClient
	}
	p := &Player{Recording: rec, client: c, vars: maps.Clone(vars)}
	if p.vars == nil {
		p.vars = map[string]string{}
	}
	p.vars["base"] = strings.TrimSuffix(c.BaseURL, "/")
	return p, nil
}

// Vars returns a copy of the variables known by now.
func (p *Player) Vars() map[string]string { return maps.Clone(p.vars) }

// Play plays the exchange with the given index, and before it those that come
// first in the recording and were not played yet: an exchange can be asked for
// alone. An exchange that was played before gives its old result.
func (p *Player) Play(ctx context.Context, i int) error {
	first := len(p.errs)
	for at := first; at <= i; at++ {
		x := &p.Recording.Exchanges[at]
		err := p.exchange(ctx, x)
		if err != nil {
			err = fmt.Errorf("exchange %q: %w", x.Name, err)
		}
		p.errs = append(p.errs, err)
	}
	if i < first {
		return p.errs[i]
	}
	return errors.Join(p.errs[first : i+1]...)
}

func (p *Player) exchange(ctx context.Context, x *Exchange) (err error) {
	req, sent, err := p.request(ctx, x)
	if err != nil {
		return err
	}
	resp, err := p.client.HTTP.Do(req)
	if err != nil {
		return fmt.Errorf("%s\nno answer: %w", sent, err)
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	if err != nil {
		return fmt.Errorf("%s\nthe answer breaks off: %w", sent, err)
	}
	m := &matcher{vars: p.vars, set: map[string]string{}}
	if err := p.compare(m, x, resp, body); err != nil {
		return err
	}
	maps.Copy(p.vars, m.set)
	if len(m.faults) > 0 {
		return fmt.Errorf("%s\nsent:\n%s\nreceived:\n%s", strings.Join(m.faults, "\n"), indented(sent), indented(received(resp, body)))
	}
	return nil
}

// request builds the request and a text of it for messages.
func (p *Player) request(ctx context.Context, x *Exchange) (*http.Request, string, error) {
	target, err := fill(x.Target, p.vars, url.QueryEscape)
	if err != nil {
		return nil, "", err
	}
	target = encodeTarget(target)
	body, err := fill(x.Body, p.vars, jsonEscape)
	if err != nil {
		return nil, "", err
	}
	var payload io.Reader
	if body != "" {
		payload = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, x.Method, target, payload)
	if err != nil {
		return nil, "", fmt.Errorf("request line %s %s: %w", x.Method, target, err)
	}
	if p.client.Token != "" {
		req.Header.Set("Authorization", "Bearer "+p.client.Token)
	}
	req.Header.Set("Accept", "application/scim+json")
	if body != "" {
		req.Header.Set("Content-Type", "application/scim+json")
	}
	for _, h := range []http.Header{p.Recording.Header, x.Header} {
		for name, values := range h {
			value, err := fill(values[0], p.vars, func(s string) string { return s })
			if err != nil {
				return nil, "", err
			}
			if value == "-" {
				delete(req.Header, name)
				continue
			}
			req.Header.Set(name, value)
		}
	}
	return req, shortened(x.Method+" "+target+"\n"+body, 2000), nil
}

// compare looks at status, headers and body. Its error is a fault of the
// recording; faults of the answer are in the matcher.
func (p *Player) compare(m *matcher, x *Exchange, resp *http.Response, body []byte) error {
	if !slices.Contains(x.Statuses, resp.StatusCode) {
		m.fault("status", "want %v, got %d", x.Statuses, resp.StatusCode)
	}
	known := maps.Clone(p.vars)
	for _, h := range x.WantHeader {
		want, err := fill(h.Want, known, func(s string) string { return s })
		if err != nil {
			return err
		}
		_, present := resp.Header[http.CanonicalHeaderKey(h.Name)]
		m.header(h.Name, want, resp.Header.Get(h.Name), present)
		maps.Copy(known, m.set) // what a header captured can be used further down
	}
	m.vars = known
	if x.WantBody == "" {
		return nil
	}
	if x.WantBody == noBody {
		if len(body) > 0 {
			m.fault("body", "want none, got %d bytes", len(body))
		}
		return nil
	}
	text, err := fill(x.WantBody, known, jsonEscape)
	if err != nil {
		return err
	}
	want, err := jsontree.Parse([]byte(text), jsontree.Limits{})
	if err != nil {
		return fmt.Errorf("the expectation is not JSON: %w", err)
	}
	got, err := jsontree.Parse(body, jsontree.Limits{})
	if err != nil {
		m.fault("body", "is not JSON: %v", err)
		return nil
	}
	m.value("body", &want, &got)
	return nil
}

// encodeTarget percent-encodes what may not stand in a request line and leaves
// the rest as written.
func encodeTarget(s string) string {
	const hex = "0123456789ABCDEF"
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			out.WriteByte('%')
			out.WriteByte(hex[c>>4])
			out.WriteByte(hex[c&15])
			continue
		}
		out.WriteByte(c)
	}
	return out.String()
}

func jsonEscape(s string) string {
	quoted := jsontree.AppendString(nil, s)
	return string(quoted[1 : len(quoted)-1])
}

func received(resp *http.Response, body []byte) string {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s\n", resp.Status)
	for _, name := range []string{"Content-Type", "Location", "Etag", "Allow", "Usher-Error-Code"} {
		if v := resp.Header.Get(name); v != "" {
			fmt.Fprintf(&out, "%s: %s\n", name, v)
		}
	}
	out.WriteString(shortened(string(body), 3000))
	return out.String()
}

func indented(s string) string {
	return "\t" + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n\t")
}
