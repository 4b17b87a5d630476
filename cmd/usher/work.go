package main

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/usher-scim/usher/jobs"
)

// work does what is due until ctx ends, unless this process leaves it to others.
func (s *service) work(ctx context.Context) error {
	if s.cfg.Jobs.Workers == 0 {
		s.log.InfoContext(ctx, "this process leaves work that waits to others", "setting", "jobs.workers")
		return nil
	}
	return jobs.Runner{
		Queue: s.store, Work: s.directory.WorkOn, Orgs: s.directory.WorkOrgs, Parked: s.directory.NoteParked,
		Now: time.Now, Rand: rand.Reader, Log: s.log, Observe: s.numbers.work(), Workers: s.cfg.Jobs.Workers,
	}.Run(ctx)
}

// work adds the numbers of the worker. The letters of sorts are those of
// resources/due.go.
func (m *metrics) work() jobs.Observe {
	long := []float64{.001, .005, .01, .05, .1, .5, 1, 5, 10, 60, 300, 1800}
	items := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "usher_work_items_total", Help: "Pieces of work by what came of them: done, failed (will be repeated), parked (failed too often), dropped (taken over by another process).",
	}, []string{"sort", "outcome"})
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "usher_work_seconds", Help: "Time a piece of work took.", Buckets: long,
	}, []string{"sort"})
	waited := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "usher_work_wait_seconds", Help: "Time between when a piece of work was due and its beginning.", Buckets: long,
	})
	leases := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "usher_work_leases", Help: "Organizations that this process works for at the moment.",
	})
	m.registry.MustRegister(items, seconds, waited, leases)
	return jobs.Observe{
		Item: func(sort string, came jobs.Outcome, took time.Duration) {
			items.WithLabelValues(sort, string(came)).Inc()
			seconds.WithLabelValues(sort).Observe(took.Seconds())
		},
		Waited: func(d time.Duration) { waited.Observe(d.Seconds()) },
		Leases: func(change int) { leases.Add(float64(change)) },
	}
}
