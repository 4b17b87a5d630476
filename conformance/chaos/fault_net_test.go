package chaos_test

import (
	"context"
	"testing"
	"time"

	"github.com/usher-scim/usher/internal/tcpproxy"
)

// patience is what answers may take when the network itself takes seconds: usher
// gives up on a call after two and a half.
var patience = limits{p99: 4 * time.Second, hang: 8 * time.Second}

func weather(list ...spell) func(context.Context, *run, *load) error {
	return func(_ context.Context, r *run, _ *load) error {
		net := r.site.store.net()
		for _, s := range list {
			net.Set(s.fault)
			time.Sleep(s.lasts)
			net.Heal()
		}
		return nil
	}
}

// spell is a stretch of bad weather.
type spell struct {
	fault tcpproxy.Fault
	lasts time.Duration
}

const ms = time.Millisecond

// late: the network is slow, very slow, and loses answers after they were given.
func late() *scenario {
	return &scenario{
		name: "F5", title: "network: late, lost and reset in mid-reply",
		site: func(t testing.TB) *site { return withNodes(t, single(t), usher(t), 1) },
		strike: weather(
			spell{tcpproxy.Fault{Latency: 20 * ms, Jitter: 60 * ms}, 700 * ms},
			spell{tcpproxy.Fault{Swallow: 0.15}, 900 * ms},
			spell{tcpproxy.Fault{Reset: 0.15}, 900 * ms},
			spell{tcpproxy.Fault{Latency: 5 * time.Second}, 2300 * ms},
		),
		limits: patience,
	}
}

// slower is the rest of the network's faults, for the long run.
func slower() *scenario {
	return &scenario{
		name: "F5b", title: "network: 500 ms, 1 byte/s, silent in one direction",
		site: func(t testing.TB) *site { return withNodes(t, single(t), usher(t), 1) },
		strike: weather(
			spell{tcpproxy.Fault{Latency: 450 * ms, Jitter: 100 * ms}, 1500 * ms},
			spell{tcpproxy.Fault{Rate: 1}, 2200 * ms},
			spell{tcpproxy.Fault{SilentDown: true}, 2200 * ms},
			spell{tcpproxy.Fault{SilentUp: true}, 1000 * ms},
			spell{tcpproxy.Fault{Refuse: true}, 500 * ms},
		),
		limits: patience,
	}
}

// doubled: a provider sends everything twice, in another order, and gives up
// waiting now and then.
func doubled() *scenario {
	return &scenario{
		name: "F19", title: "everything is sent twice, one in ten is aborted",
		site:   func(t testing.TB) *site { return withNodes(t, single(t), usher(t), 2) },
		strike: func(context.Context, *run, *load) error { time.Sleep(2 * time.Second); return nil },
		twice:  0.5, aborts: 0.1,
		limits: limits{none: true},
	}
}
