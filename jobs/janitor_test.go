package jobs

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clean is a fake of the act: it answers by script and notes when it was asked.
type clean struct {
	mu      sync.Mutex
	began   time.Time
	at      []time.Duration
	answers []answer
}

type answer struct {
	n   int
	err error
}

func (c *clean) do(context.Context) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = append(c.at, time.Since(c.began))
	if len(c.answers) == 0 {
		return 0, nil
	}
	a := c.answers[0]
	c.answers = c.answers[1:]
	return a.n, a.err
}

func seconds(list ...float64) []time.Duration {
	out := make([]time.Duration, len(list))
	for i, s := range list {
		out[i] = time.Duration(s * float64(time.Second))
	}
	return out
}

func TestJanitorPauses(t *testing.T) {
	down := answer{0, errors.New("store away")}
	tests := []struct {
		name     string
		interval time.Duration
		answers  []answer
		live     time.Duration
		want     []time.Duration
	}{
		{"one second is the default", 0, nil, 3500 * time.Millisecond, seconds(0, 1, 2, 3)},
		{"the interval is a setting", 5 * time.Second, nil, 11 * time.Second, seconds(0, 5, 10)},
		{"pieces follow at once until none is left", 0, []answer{{500, nil}, {500, nil}, {3, nil}}, 1500 * time.Millisecond, seconds(0, 0, 0, 0, 1)},
		{"failures back off and success resets", 0, []answer{down, down, down, down}, 16500 * time.Millisecond, seconds(0, 1, 3, 7, 15, 16)},
		{"the back-off has an end", 0, slices.Repeat([]answer{down}, 20), 100 * time.Second, seconds(0, 1, 3, 7, 15, 31, 61, 91)},
		{"a failing piece ends the round", 0, []answer{{500, nil}, down}, 1500 * time.Millisecond, seconds(0, 0, 1)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &clean{began: time.Now(), answers: tt.answers}
				ctx, cancel := context.WithTimeout(t.Context(), tt.live)
				defer cancel()
				j := Janitor{Clean: c.do, Interval: tt.interval, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
				if err := j.Run(ctx); err != nil {
					t.Fatalf("Run: %v, want nil at the end of its context", err)
				}
				if time.Since(c.began) != tt.live {
					t.Errorf("Run ended after %v, want %v", time.Since(c.began), tt.live)
				}
				if got := c.at; !slices.Equal(got, tt.want) {
					t.Errorf("cleaned at %v, want %v", got, tt.want)
				}
			})
		})
	}
}

func TestJanitorStopsInsideAPiece(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		j := Janitor{Log: slog.New(slog.DiscardHandler), Clean: func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		}}
		done := make(chan error, 1)
		go func() { done <- j.Run(ctx) }()
		synctest.Wait()
		cancel()
		if err := <-done; err != nil {
			t.Fatalf("Run: %v, want nil", err)
		}
	})
}

func TestJanitorStartsAndStopsRepeatedly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &clean{began: time.Now()}
		j := Janitor{Clean: c.do, Log: slog.New(slog.DiscardHandler)}
		for i := range 50 {
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- j.Run(ctx) }()
			time.Sleep(time.Duration(i) * 100 * time.Millisecond)
			synctest.Wait()
			cancel()
			if err := <-done; err != nil {
				t.Fatalf("start %d: %v", i, err)
			}
		}
		if len(c.at) < 50 {
			t.Fatalf("cleaned %d times in 50 lives, want one at least in each", len(c.at))
		}
	})
}

func TestJanitorTellsOfFailureAndRecovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		c := &clean{began: time.Now(), answers: []answer{{0, errors.New("store away")}}}
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		if err := (Janitor{Clean: c.do, Log: slog.New(slog.NewTextHandler(&out, nil))}).Run(ctx); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"cleaning failed", "store away", "cleaning works again"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("the log says nothing of %q:\n%s", want, out.String())
			}
		}
	})
}

func TestJanitorNeedsItsParts(t *testing.T) {
	for _, j := range []Janitor{{}, {Log: slog.Default()}, {Clean: (&clean{}).do}} {
		if err := j.Run(t.Context()); err == nil {
			t.Errorf("Run of %+v: no error", j)
		}
	}
}
