package jobs

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// The pauses of a janitor.
const (
	defaultInterval = time.Second      // between two rounds when all is well
	longestPause    = 30 * time.Second // between two attempts while they fail
)

// Janitor erases what has expired, what deleted groups left behind and what is
// left of deleted organizations, in the background and for ever.
type Janitor struct {
	// Clean does one bounded piece of the cleaning and returns how many things
	// it cleaned; 0 says that nothing is left. Required.
	Clean func(context.Context) (int, error)
	// Interval is the pause between two rounds; 0 means one second.
	Interval time.Duration
	// Log receives failures and recoveries. Required.
	Log *slog.Logger
}

// Run cleans until ctx ends and then returns nil. It returns an error at once
// when a required field is missing. A failing Clean never ends it: the next
// attempt comes after a pause that doubles from Interval up to 30 seconds.
func (j Janitor) Run(ctx context.Context) error {
	if j.Clean == nil || j.Log == nil {
		return errors.New("jobs: a Janitor needs Clean and Log")
	}
	interval := j.Interval
	if interval <= 0 {
		interval = defaultInterval
	}
	pause, failures := interval, 0
	for {
		cleaned, err := j.round(ctx)
		switch {
		case ctx.Err() != nil: // the end is no failure; the pause below is over at once
		case err != nil:
			failures++
			if failures > 1 {
				pause = min(pause*2, longestPause)
			}
			j.Log.WarnContext(ctx, "cleaning failed, will be repeated", "err", err, "failures", failures, "cleaned", cleaned, "pause", pause.String())
		case failures > 0:
			j.Log.InfoContext(ctx, "cleaning works again", "failures", failures)
			fallthrough
		default:
			pause, failures = interval, 0
		}
		if !sleep(ctx, pause) {
			return nil
		}
	}
}

// round cleans piece after piece until nothing is left, an error or the end.
func (j Janitor) round(ctx context.Context) (int, error) {
	total := 0
	for ctx.Err() == nil {
		n, err := j.Clean(ctx)
		total += n
		if err != nil || n == 0 {
			return total, err
		}
	}
	return total, nil
}

// sleep waits and reports whether the whole pause has passed.
func sleep(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
