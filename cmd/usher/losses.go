package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/resources"
)

// How long a loss is tried to be noted: a failover may not be over yet.
const (
	noteTime  = time.Minute
	notePause = time.Second
)

// losses tells of acknowledged writes that the store has lost: in the numbers,
// and in the streams of the organizations.
type losses struct {
	writes, failovers prometheus.Counter
	log               *slog.Logger
	ready             chan struct{} // closed when note is set
	note              func(ctx context.Context, org resources.OrgID, lsns []string) error
}

func (m *metrics) losses(log *slog.Logger) *losses {
	l := &losses{
		writes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "usher_lost_writes_total", Help: "Changes that this process had acknowledged and that a failover or a restart of the store has lost.",
		}),
		failovers: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "usher_failovers_total", Help: "Times that a primary of the store was another one than before, or was started anew.",
		}),
		log: log, ready: make(chan struct{}),
	}
	m.registry.MustRegister(l.writes, l.failovers)
	return l
}

// into has losses noted there; it is called once.
func (l *losses) into(note func(ctx context.Context, org resources.OrgID, lsns []string) error) {
	l.note = note
	close(l.ready)
}

// failover counts one.
func (l *losses) failover(string) { l.failovers.Inc() }

// lost counts and notes what was lost. It is called from the store's own
// goroutine, which ends with ctx.
func (l *losses) lost(ctx context.Context, list []backend.LostWrite) {
	l.writes.Add(float64(len(list)))
	select {
	case <-ctx.Done():
		return
	case <-l.ready:
	}
	by := map[resources.OrgID][]string{}
	for _, w := range list {
		by[w.Org] = append(by[w.Org], w.LSN)
	}
	ctx, cancel := context.WithTimeout(ctx, noteTime)
	defer cancel()
	// One after the other, again and again: none waits for one that cannot be noted.
	for failed := map[resources.OrgID]error{}; ; {
		for org, lsns := range by {
			if failed[org] = l.note(ctx, org, lsns); failed[org] == nil {
				delete(by, org)
			}
		}
		if len(by) == 0 {
			return
		}
		select {
		case <-time.After(notePause):
			continue
		case <-ctx.Done():
		}
		for org, lsns := range by {
			l.log.ErrorContext(ctx, "lost writes not noted in the organization's stream", "organization", string(org), "count", len(lsns), "err", failed[org])
		}
		return
	}
}
