package chaos_test

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

// outcome is what a client knows of an operation.
type outcome uint8

const (
	done    outcome = iota + 1 // 2xx
	refused                    // by a rule: 403, 404, 409, 412
	unknown                    // 503, a cut connection: done or not, now or later
)

// event is one operation on one register, pool or membership.
type event struct {
	client     int
	key        string // what it is about: its first letters name the model, see models
	what       string
	value      string // what it was asked with: an id, an ETag
	out        string // what came of it: an id, an ETag, an answer
	result     outcome
	call, back time.Duration // since the history began
}

// history is everything clients did.
type history struct {
	began time.Time
	mu    sync.Mutex
	all   []event
	tally map[string]*wear
}

// wear is how much a key was used. Whether a history is possible takes longer to
// find out with each operation, and twice as long with each unknown outcome.
type wear struct{ events, unknown int }

const (
	mostEvents  = 180 // about one key
	mostUnknown = 7
)

func newHistory() *history {
	return &history{began: time.Now(), tally: map[string]*wear{}}
}

func (h *history) now() time.Duration { return time.Since(h.began) }

// note adds an event that began at call and is over. Reads that failed say
// nothing and are not noted.
func (h *history) note(e event) {
	e.back = h.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	w := h.tally[e.key]
	if w == nil {
		w = &wear{}
		h.tally[e.key] = w
	}
	w.events++
	if e.result == unknown {
		w.unknown++
	}
	h.all = append(h.all, e)
}

// worn reports whether a key has been used enough.
func (h *history) worn(key string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	w := h.tally[key]
	return w != nil && (w.events >= mostEvents || w.unknown >= mostUnknown)
}

// counts gives how many operations there were and of how many the outcome is
// unknown.
func (h *history) counts() (events, unknowns int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, w := range h.tally {
		events, unknowns = events+w.events, unknowns+w.unknown
	}
	return events, unknowns
}

// byKey sorts the events into histories for the checker. What is unknown may
// happen at any later time.
func (h *history) byKey() map[string][]porcupine.Operation {
	h.mu.Lock()
	defer h.mu.Unlock()
	slices.SortStableFunc(h.all, func(a, b event) int { return cmp.Compare(a.call, b.call) })
	out := map[string][]porcupine.Operation{}
	for i := range h.all {
		e := &h.all[i]
		back := int64(e.back)
		if e.result == unknown {
			back = 1 << 62
		}
		out[e.key] = append(out[e.key], porcupine.Operation{ClientId: e.client, Input: e, Call: int64(e.call), Output: e, Return: back})
	}
	return out
}
