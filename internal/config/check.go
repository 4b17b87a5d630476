package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/usher-scim/usher/internal/outbound"
	"github.com/usher-scim/usher/internal/redisurl"
)

// check looks at the values together and brings them into their final form.
func (l *loading) check() []error {
	var faults []error
	bad := func(key, reason string, args ...any) {
		faults = append(faults, &Fault{Key: key, Origin: l.Origin[key], Reason: fmt.Sprintf(reason, args...)})
	}
	l.checkListeners(bad)
	l.checkInbox(bad)
	l.checkPublicURL(bad)
	l.checkTLS(bad)
	l.checkRedis(bad)
	l.checkDataDir()
	l.checkDurability(bad)
	if _, err := ParseProxies(l.TrustedProxies); err != nil {
		bad("trusted_proxies", "%v; write addresses or CIDRs, for example 10.0.0.0/8", err)
	}
	if _, err := outbound.ParseAllow(l.Outbound.Allow); err != nil {
		bad("outbound.allow", "%v; write for example 10.0.0.0/8 or idp.corp.example", err)
	}
	for _, server := range l.DNS.Resolver {
		if host, err := splitAddress(server); err != nil || host == "" || strings.HasSuffix(server, ":0") {
			bad("dns.resolver", "%q is not the address of a server; write host:port, for example 192.0.2.53:53", server)
		}
	}
	if len(l.DNS.Resolver) > 5 {
		bad("dns.resolver", "there are %d servers; five are enough", len(l.DNS.Resolver))
	}
	l.checkKeys(bad)
	if l.Limits.Rate <= 0 || l.Limits.Rate > 1e6 {
		bad("limits.rate", "%v is not between 1 and 1000000 requests per second", l.Limits.Rate)
	}
	if l.Limits.Burst <= 0 || l.Limits.Burst > 1e6 {
		bad("limits.burst", "%d is not between 1 and 1000000 requests", l.Limits.Burst)
	}
	if l.Jobs.Workers < 0 || l.Jobs.Workers > 256 {
		bad("jobs.workers", "%d is not between 0 and 256", l.Jobs.Workers)
	}
	return faults
}

// checkDataDir drops the directory where none is used, and says so if it was asked
// for.
func (l *loading) checkDataDir() {
	if l.Redis.URL != "" && l.DataDir != "" && l.Origin["data_dir"] != "default" && l.DataDir != "off" {
		l.Warnings = append(l.Warnings, "data_dir ("+l.Origin["data_dir"]+") has no effect: redis.url is set, and the state is there")
	}
	if l.DataDir == "off" || l.Redis.URL != "" {
		l.DataDir = ""
	}
}

func (l *loading) checkListeners(bad func(key, reason string, args ...any)) {
	host, err := splitAddress(l.Listen)
	switch {
	case err != nil:
		bad("listen", "%v; write host:port, for example 127.0.0.1:8080", err)
	case IsLoopback(host) || l.TLSOn() || len(l.TrustedProxies) > 0:
	default:
		bad("listen", "%s can be reached from other machines, and tokens would travel in the clear; "+
			"set tls.cert and tls.key, or set trusted_proxies to the proxy that ends TLS in front, or listen on 127.0.0.1", l.Listen)
	}
	if l.Metrics.Listen == "off" {
		return
	}
	if _, err := splitAddress(l.Metrics.Listen); err != nil {
		bad("metrics.listen", "%v; write host:port, for example 127.0.0.1:9090, or off", err)
	}
}

// checkInbox sees that nobody else reads mails: their links let people in.
func (l *loading) checkInbox(bad func(key, reason string, args ...any)) {
	if l.Inbox.Listen == "off" {
		return
	}
	if host, err := splitAddress(l.Inbox.Listen); err != nil {
		bad("inbox.listen", "%v; write host:port, for example 127.0.0.1:8025, or off", err)
	} else if !IsLoopback(host) {
		bad("inbox.listen", "%s can be reached from other machines, and the links in mails let people in; use 127.0.0.1, or set smtp.url to have mails delivered", l.Inbox.Listen)
	}
}

func splitAddress(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("%q is not an address", address)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", fmt.Errorf("%q is not a port between 0 and 65535", port)
	} else if n == 0 && port != "0" {
		return "", fmt.Errorf("%q is not a port between 0 and 65535", port)
	}
	return host, nil
}

// IsLoopback reports whether a host of a listener is reached from this machine
// only. The empty host is every interface.
func IsLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

func (l *loading) checkPublicURL(bad func(key, reason string, args ...any)) {
	if l.PublicURL == "" {
		if host, err := splitAddress(l.Listen); err == nil && !IsLoopback(host) {
			bad("public_url", "it is needed when the listener is not on a loopback address: the https URL that identity providers use, for example https://id.example.com")
		}
		return
	}
	u, err := url.Parse(l.PublicURL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		bad("public_url", "%q is not an absolute http or https URL, for example https://id.example.com", l.PublicURL)
		return
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery {
		bad("public_url", "it must have no user, query or fragment; write scheme, host and perhaps a path only")
	}
	if u.Scheme == "http" && !IsLoopback(u.Hostname()) {
		l.Warnings = append(l.Warnings, "public_url is plain http: tokens travel in the clear, and most identity providers refuse it")
	}
	l.PublicURL = strings.TrimRight(l.PublicURL, "/")
}

func (l *loading) checkTLS(bad func(key, reason string, args ...any)) {
	if l.TLS.Cert == "" && l.TLS.Key != "" {
		bad("tls.cert", "it is missing though tls.key is set; set both or none")
	}
	if l.TLS.Key == "" && l.TLS.Cert != "" {
		bad("tls.key", "it is missing though tls.cert is set; set both or none")
	}
	if l.TLS.ClientCA != "" && !l.TLSOn() {
		bad("tls.client_ca", "client certificates need TLS; set tls.cert and tls.key too")
	}
	if l.TLS.ClientCerts != CertsRequire && l.TLS.ClientCerts != CertsRequest {
		bad("tls.client_certs", "%q is neither require nor request", l.TLS.ClientCerts)
	} else if l.TLS.ClientCerts == CertsRequest && !l.TLSOn() {
		bad("tls.client_certs", "client certificates need TLS; set tls.cert and tls.key too")
	}
	for _, file := range [][2]string{{"tls.cert", l.TLS.Cert}, {"tls.key", l.TLS.Key}, {"tls.client_ca", l.TLS.ClientCA}} {
		if file[1] == "" {
			continue
		}
		if _, err := readSmall(file[1]); err != nil {
			bad(file[0], "the file cannot be read: %v", err)
		}
	}
}

// checkRedis joins password and URL. Its messages never hold either.
func (l *loading) checkRedis(bad func(key, reason string, args ...any)) {
	if l.Redis.URL == "" {
		if l.Redis.Password != "" {
			bad("redis.password", "it has no effect without redis.url; set redis.url too")
		}
		return
	}
	u, err := redisurl.Parse(string(l.Redis.URL))
	if err != nil {
		bad("redis.url", "it %v", err)
		return
	}
	has := u.Password != ""
	if l.Redis.Password != "" {
		if has {
			bad("redis.password", "redis.url has a password too; keep one of them")
		}
		l.Redis.URL = Secret(u.WithPassword(string(l.Redis.Password)).String())
	}
	if (has || u.SentinelPassword != "") && l.Origin["redis.url"] == "flag" {
		l.Warnings = append(l.Warnings, "a password in a flag can be seen by every user of this machine; set USHER_REDIS_URL or USHER_REDIS_PASSWORD_FILE instead")
	}
}

// ParseProxies reads a list of addresses and CIDRs.
func ParseProxies(list []string) ([]netip.Prefix, error) {
	out := make([]netip.Prefix, 0, len(list))
	for _, text := range list {
		text = strings.TrimSpace(text)
		if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
			addr = addr.Unmap()
			out = append(out, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%q is neither an address nor a CIDR", text)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}
