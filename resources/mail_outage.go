package resources

import (
	"hash/fnv"
	"sync"
	"time"
)

// How long mails wait for a mail server that is away: twice as long after each
// attempt.
const (
	outageFirst   = 30 * time.Second
	outageLongest = 5 * time.Minute
)

// mailOutage remembers that the mail server is away, so that not every mail has
// to find that out, one time limit after the other. The zero value is ready for
// use.
type mailOutage struct {
	mu    sync.Mutex
	last  string // id of the mail that found it out last
	until time.Time
	pause time.Duration
}

// began notes that a mail found the server away, and tells when to try it again.
// Others wait only once two have found that out: one alone may be at fault itself.
func (o *mailOutage) began(now time.Time, id string) time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	if now.Before(o.until) { // another attempt has just found that out
		return o.until
	}
	o.pause = min(max(2*o.pause, outageFirst), outageLongest)
	at := now.Add(o.pause)
	if o.last != "" && o.last != id {
		o.until = at
	}
	o.last = id
	return at
}

// ended notes that the server works.
func (o *mailOutage) ended() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last, o.until, o.pause = "", time.Time{}, 0
}

// over tells when a mail may be tried; those that wait are spread, so that they
// do not come all at once.
func (o *mailOutage) over(now time.Time, id string) time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !now.Before(o.until) {
		return now
	}
	h := fnv.New32a()
	h.Write([]byte(id))
	return o.until.Add(time.Duration(h.Sum32()%1000) * o.pause / 1000)
}
