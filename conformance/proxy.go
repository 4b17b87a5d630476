package conformance

import "github.com/usher-scim/usher/internal/tcpproxy"

// Proxy stands between a store and its server on the network and does what
// networks do; see [tcpproxy.Proxy].
type Proxy = tcpproxy.Proxy

// NewProxy listens on a free port of 127.0.0.1 and forwards to target, which
// is host:port. Close it when done.
func NewProxy(target string) (*Proxy, error) { return tcpproxy.New(tcpproxy.Config{Target: target}) }
