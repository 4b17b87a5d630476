package outbound

import (
	"errors"
	"io"
	"net/http"

	"code.dny.dev/ssrf"
)

// HTTP gives a client for libraries that make requests themselves, such as those
// of OAuth 2.0. What it asks is under the same guard and bounds as Get: an
// address that may not be asked, a redirect and an answer that is too large are
// a *Refusal, wrapped in what net/http makes of it.
func (c *Client) HTTP() *http.Client {
	return &http.Client{Transport: guarded{c}, Timeout: requestTime}
}

// guarded makes the requests of HTTP.
type guarded struct{ of *Client }

// RoundTrip asks when the address may be asked.
func (g guarded) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := g.of.Check(req.URL.String()); err != nil {
		if req.Body != nil {
			_ = req.Body.Close() // nothing was written
		}
		return nil, err
	}
	req = req.Clone(req.Context()) // a RoundTripper leaves the request alone
	req.Header.Set("User-Agent", g.of.agent)
	resp, err := g.of.http.Transport.RoundTrip(req)
	if err != nil {
		return nil, told(err)
	}
	if redirects(resp) {
		_ = resp.Body.Close() // nobody reads it
		return nil, errRedirect()
	}
	resp.Body = &bounded{ReadCloser: resp.Body, left: bodyLimit}
	return resp, nil
}

// told turns what the guard answers a connection with into a *Refusal.
func told(err error) error {
	for _, prohibited := range []error{ssrf.ErrProhibitedIP, ssrf.ErrProhibitedPort, ssrf.ErrProhibitedNetwork} {
		if errors.Is(err, prohibited) {
			return &Refusal{"its host is not a public address"}
		}
	}
	return err
}

func redirects(resp *http.Response) bool { return resp.StatusCode >= 300 && resp.StatusCode < 400 }

func errRedirect() error { return &Refusal{"it answers with a redirect, which is not followed"} }

// bounded is a body that ends with a *Refusal when it is too large.
type bounded struct {
	io.ReadCloser
	left int // bytes that may still come
}

func (b *bounded) Read(p []byte) (int, error) {
	if len(p) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if n > b.left {
		return b.left, errLarge()
	}
	b.left -= n
	return n, err
}
