package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

// The bounds of a request.
const (
	requestTime = 5 * time.Second
	bodyLimit   = 512 << 10
)

// Config is what a Client needs.
type Config struct {
	Allow []string       // what is exempt, see ParseAllow
	Agent string         // User-Agent
	Roots *x509.CertPool // authorities to trust; nil: those of the system
}

// Client fetches documents. It is safe for concurrent use and keeps no
// connection.
type Client struct {
	http  *http.Client
	agent string
	allow Allow
}

// Refusal says that an address may not be asked, or that what it answers may
// not be used; asking again changes nothing.
type Refusal struct{ Reason string }

// Error gives the reason.
func (r *Refusal) Error() string { return r.Reason }

// Allow is what is exempt from the guard.
type Allow struct {
	networks []netip.Prefix
	hosts    map[string]bool // name or name:port; https wherever they are
	plain    map[string]bool // host:port that may be asked without TLS
}

// ParseAllow reads a list of exemptions: a CIDR or an address (which may be
// connected to), a host with or without port (idp.corp.example), or
// http://host:port, which may even be asked without TLS.
func ParseAllow(list []string) (Allow, error) {
	a := Allow{hosts: map[string]bool{}, plain: map[string]bool{}}
	for _, text := range list {
		text = strings.ToLower(strings.TrimSpace(text))
		if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
			addr = addr.Unmap()
			a.networks = append(a.networks, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		if p, err := netip.ParsePrefix(text); err == nil {
			a.networks = append(a.networks, p.Masked())
			continue
		}
		host, plain := strings.CutPrefix(text, "http://")
		u, err := url.Parse("//" + host)
		if err != nil || u.Hostname() == "" || u.Host != host || strings.ContainsAny(host, "*, ") {
			return a, fmt.Errorf("%q is neither an address, a CIDR, a host nor http://host:port", text)
		}
		a.hosts[host] = true
		if plain {
			a.plain[hostPort(u, "80")] = true
		}
	}
	return a, nil
}

func hostPort(u *url.URL, usual string) string {
	port := u.Port()
	if port == "" {
		port = usual
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// exempt reports whether a host, as it stands in a URL, was allowed by name.
func (a *Allow) exempt(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && (a.hosts[address] || a.hosts[host])
}

// contains reports whether an address was allowed.
func (a *Allow) contains(addr netip.Addr) bool {
	for _, p := range a.networks {
		if p.Contains(addr.Unmap()) {
			return true
		}
	}
	return false
}

// New makes a Client.
func New(c Config) (*Client, error) {
	allow, err := ParseAllow(c.Allow)
	if err != nil {
		return nil, err
	}
	guard := ssrf.New(ssrf.WithPorts(443))
	guarded := &net.Dialer{Timeout: requestTime, Control: func(network, address string, conn syscall.RawConn) error {
		if ap, err := netip.ParseAddrPort(address); err == nil && allow.contains(ap.Addr()) {
			return nil
		}
		return guard.Safe(network, address, conn)
	}}
	free := &net.Dialer{Timeout: requestTime}
	transport := &http.Transport{
		Proxy:                  nil, // that of the environment would make the connection in our place, unguarded
		DisableKeepAlives:      true,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.Roots},
		ForceAttemptHTTP2:      true,
		MaxResponseHeaderBytes: 64 << 10,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if allow.exempt(strings.ToLower(address)) {
				return free.DialContext(ctx, network, address)
			}
			return guarded.DialContext(ctx, network, address)
		},
	}
	return &Client{agent: c.Agent, allow: allow, http: &http.Client{
		Transport: transport, Timeout: requestTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Check looks at an address without asking it: https, a host by name, no user,
// and the usual port unless the operator allows more. The error is a *Refusal.
func (c *Client) Check(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Opaque != "" {
		return &Refusal{"it is not an absolute URL"}
	}
	host := strings.ToLower(u.Host)
	plain := u.Scheme == "http" && c.allow.plain[strings.ToLower(hostPort(u, "80"))]
	switch {
	case u.User != nil || u.Fragment != "":
		return &Refusal{"a URL with a user or a fragment is not asked"}
	case u.Scheme != "https" && !plain:
		return &Refusal{"only https URLs are asked"}
	case plain || c.allow.hosts[host] || c.allow.hosts[strings.ToLower(u.Hostname())]:
		return nil
	}
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil {
		if c.allow.contains(addr) {
			return nil
		}
		return &Refusal{"a URL with a bare address is not asked"}
	}
	if port := u.Port(); port != "" && port != "443" && len(c.allow.networks) == 0 {
		return &Refusal{"only port 443 is asked"}
	}
	return nil
}

// Get fetches a document. What will be no different the next time is a
// *Refusal: an address that may not be asked, a redirect, a body that is too
// large.
func (c *Client) Get(ctx context.Context, address string) ([]byte, error) {
	if err := c.Check(address); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTime) // the body included
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, &Refusal{"it is not an absolute URL"}
	}
	req.Header.Set("User-Agent", c.agent)
	req.Header.Set("Accept", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		if err = told(err); isRefusal(err) {
			return nil, err
		}
		return nil, fmt.Errorf("fetch: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // what matters has been read by then
	if redirects(resp) {
		return nil, errRedirect()
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetch: it answers %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, bodyLimit+1))
	if err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	if len(body) > bodyLimit {
		return nil, errLarge()
	}
	return body, nil
}

func isRefusal(err error) bool {
	_, ok := errors.AsType[*Refusal](err)
	return ok
}

func errLarge() error {
	return &Refusal{fmt.Sprintf("its answer is larger than %d bytes", bodyLimit)}
}
