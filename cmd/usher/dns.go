package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// dnsTime is how long a look at DNS may take, all servers together.
const dnsTime = 5 * time.Second

// dnsLookup reads the records that verify domains.
type dnsLookup struct {
	servers []*net.Resolver // in turn: the next one when one has no answer
	time    time.Duration
}

// newDNSLookup makes a look-up that asks these servers, host:port, or those of
// the machine when there are none.
func newDNSLookup(servers []string, limit time.Duration) *dnsLookup {
	l := &dnsLookup{time: limit}
	for _, address := range servers {
		l.servers = append(l.servers, &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, address)
		}})
	}
	if len(l.servers) == 0 {
		l.servers = append(l.servers, &net.Resolver{PreferGo: true})
	}
	return l
}

// txt reads the TXT records of a name, the strings of each joined. That there are
// none, or no such name, is no error; that no server could say is one.
func (l *dnsLookup) txt(ctx context.Context, name string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, l.time)
	defer cancel()
	name = strings.TrimSuffix(name, ".") + "." // no search list
	var faults []error
	for i, server := range l.servers {
		texts, err := l.ask(ctx, server, name, len(l.servers)-i)
		var fault *net.DNSError
		switch {
		case err == nil:
			return texts, nil
		case errors.As(err, &fault) && fault.IsNotFound:
			return nil, nil
		}
		faults = append(faults, err)
	}
	return nil, fmt.Errorf("look up TXT: %w", errors.Join(faults...))
}

// ask asks one server, which has its share of the time that is left.
func (l *dnsLookup) ask(ctx context.Context, server *net.Resolver, name string, left int) ([]string, error) {
	if end, ok := ctx.Deadline(); ok && left > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(end)/time.Duration(left))
		defer cancel()
	}
	return server.LookupTXT(ctx, name)
}
