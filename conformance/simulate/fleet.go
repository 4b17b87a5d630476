package simulate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// RunAll runs a simulator for each configuration, all at once, and puts their
// reports together. Without an error in a configuration the summary is always
// there, also when ctx ended. progress, if not nil, is a terminal on which one
// line is redrawn.
func RunAll(ctx context.Context, configs []Config, progress io.Writer) (*Summary, error) {
	if len(configs) == 0 {
		return nil, errors.New("there is no target")
	}
	sims := make([]*Simulator, len(configs))
	for i, cfg := range configs {
		s, err := New(cfg)
		if err != nil {
			return nil, fmt.Errorf("target %d: %w", i+1, err)
		}
		sims[i] = s
	}
	stop := draw(sims, progress)
	reports := make([]*Report, len(sims))
	var wg sync.WaitGroup
	for i, s := range sims {
		wg.Go(func() { reports[i] = s.Run(ctx) })
	}
	wg.Wait()
	stop()
	return sum(configs[0].Seed, reports), ctx.Err()
}

// sum merges reports. Seconds are those of the longest run.
func sum(seed uint64, reports []*Report) *Summary {
	s := &Summary{Targets: reports, Total: Report{Dialect: Mix, Seed: seed}}
	t, all := &s.Total, newRecorder()
	longest := 0.0
	for _, r := range reports {
		all.merge(r.rec)
		t.Cycles += r.Cycles
		t.Users += r.Users
		t.Groups += r.Groups
		t.ErrorCount += r.ErrorCount
		t.DiffCount += r.DiffCount
		longest = max(longest, r.Seconds)
	}
	all.fill(t, time.Duration(longest*float64(time.Second)))
	t.Errors, t.Differences = []Fault{}, []Difference{}
	s.Overall, s.Good = t.Overall, t.Good()
	return s
}

// draw shows once a second how far the simulators are, until stop is called.
func draw(sims []*Simulator, to io.Writer) (stop func()) {
	if to == nil {
		return func() {}
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		last := 0
		for {
			select {
			case <-done:
				fmt.Fprint(to, "\r\x1b[K")
				return
			case <-tick.C:
			}
			requests, errors, diffs := 0, 0, 0
			for _, s := range sims {
				requests += s.c.rec.count()
				e, d := s.found()
				errors, diffs = errors+e, diffs+d
			}
			fmt.Fprintf(to, "\r\x1b[K%s: %d requests, %d/s, %d errors, %d differences", *sims[0].stage.Load(), requests, requests-last, errors, diffs)
			last = requests
		}
	})
	return func() { close(done); wg.Wait() }
}

func (s *Simulator) found() (faults, diffs int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nFaults, s.nDiffs
}
