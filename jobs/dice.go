package jobs

import (
	"encoding/binary"
	"io"
	"sync"
	"time"
)

// How long an item that failed waits: anything between a second and a ceiling
// that doubles, so that what failed together is not tried again together.
const (
	shortestWait = time.Second
	longestWait  = 5 * time.Minute
	maxTries     = 8 // before an item is parked
)

// dice makes jitter. Its source need not be safe for concurrent use.
type dice struct {
	mu   sync.Mutex
	from io.Reader
}

// between gives a duration from low to high; high when there is no randomness.
func (d *dice) between(low, high time.Duration) time.Duration {
	if high <= low {
		return high
	}
	var b [8]byte
	d.mu.Lock()
	_, err := io.ReadFull(d.from, b[:])
	d.mu.Unlock()
	if err != nil {
		return high
	}
	return low + time.Duration(binary.BigEndian.Uint64(b[:])%uint64(high-low+1))
}

// wait is the pause after a failure of an item that failed tries times before.
func (d *dice) wait(tries int) time.Duration {
	ceiling := 2 * shortestWait
	for ; tries > 0 && ceiling < longestWait; tries-- {
		ceiling *= 2
	}
	return d.between(shortestWait, min(ceiling, longestWait))
}
