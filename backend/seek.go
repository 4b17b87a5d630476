package backend

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// A cluster's client asks where the slots are when a node answers that they have
// moved. A node that is dead or frozen answers nothing, and the client would go
// on asking it, for as long as it takes until the next look. So after a failure
// the store looks again and again until the failover must be over.

const (
	seekPause = 250 * time.Millisecond
	seekTime  = 30 * time.Second
	slotsTime = 500 * time.Millisecond // for one node to tell the slots, before another one is asked
)

// seeker has the clients of a cluster look where the slots are.
type seeker struct {
	wake chan struct{} // holds one when a call has failed
	end  context.CancelFunc
	done chan struct{}
}

// startSeeking starts the goroutine that stopSeeking ends.
func (s *Store) startSeeking(ctx context.Context) {
	ctx, end := context.WithCancel(ctx)
	s.seeker = &seeker{wake: make(chan struct{}, 1), end: end, done: make(chan struct{})}
	go s.seeking(ctx)
}

func (s *Store) stopSeeking() {
	if s.seeker != nil {
		s.seeker.end()
		<-s.seeker.done
	}
}

// seek is called when a node has failed a call.
func (s *Store) seek() {
	if s.seeker == nil {
		return
	}
	select {
	case s.seeker.wake <- struct{}{}:
	default:
	}
}

func (s *Store) seeking(ctx context.Context) {
	defer close(s.seeker.done)
	pause := time.NewTicker(seekPause)
	defer pause.Stop()
	var until time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.seeker.wake:
			until = started().Add(seekTime)
		case <-pause.C:
			if until.IsZero() || started().After(until) {
				continue
			}
		}
		for _, client := range [...]redis.UniversalClient{s.writes, s.reads, s.scans} {
			if c, ok := client.(*redis.ClusterClient); ok {
				c.ReloadState(ctx) // in the background, one at a time
			}
		}
	}
}

// brief is the hook of every node that bounds the question for the slots: a
// frozen node must not keep the client from asking another.
type brief struct{ timebox }

// ProcessHook bounds a command.
func (brief) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "cluster" {
			ctx = within(ctx, slotsTime)
		}
		return next(ctx, cmd)
	}
}

// ProcessPipelineHook changes nothing.
func (brief) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
