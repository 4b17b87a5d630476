package simulate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Config says whom a simulator plays, against which server and how much.
type Config struct {
	Dialect string // one of Names but Mix
	URL     string // the SCIM root; a query is sent with every request
	Token   string // bearer token

	Users    int           // people to start with
	Groups   int           // groups to start with
	Rate     float64       // requests a second; 0: as many as the server answers
	Cycles   int           // cycles of changes after the first; with Duration 0 means no limit
	Duration time.Duration // new cycles are begun until then; 0: Cycles alone counts
	Workers  int           // requests at once; 1 makes their order depend on the seed alone
	Trouble  float64       // share of POSTs that are aborted, lost or repeated, 0 to 1
	Seed     uint64        // decides names, changes and their order
	Keep     bool          // leave everything at the server at the end

	Licence        string // SKU of a licence that every user asks for; "": none
	LicenceByGroup bool   // the first group gives it to its members, and has all users to start with

	Transport http.RoundTripper // carries the requests; the caller closes it
	Now       func() time.Time
}

// Simulator plays one identity provider. It runs once.
type Simulator struct {
	cfg   Config
	d     *dialect
	c     *client
	rng   *rand.Rand // used while planning only, by one goroutine
	tag   string     // stands in every name, so that simulators may share a server
	match string     // the user attribute that look-ups use

	cycle  int
	ends   time.Time // zero: no end by time
	users  []*user   // in the order of their numbers
	groups []*group
	stage  atomic.Pointer[string]

	mu      sync.Mutex // guards what follows, and the members of groups while acts run
	gone    []gone     // names given up, all of them
	checked int        // how many of gone were verified already
	dead    []string   // paths of what was deleted since the last verification
	seated  Seats      // as the last verification found it
	faults  []Fault
	diffs   []Difference
	nFaults int
	nDiffs  int
}

const (
	mostKept   = 1000 // faults, and differences, of a report; all are counted
	mostFaults = 1000 // after these a run ends
)

// New checks the configuration.
func New(cfg Config) (*Simulator, error) {
	d := find(cfg.Dialect)
	switch {
	case d == nil:
		return nil, fmt.Errorf("the dialect %q is not known; use one of %s", cfg.Dialect, strings.Join(Names()[:len(Names())-1], ", "))
	case cfg.Users < 1:
		return nil, errors.New("there must be at least one user")
	case cfg.Groups < 0 || cfg.Cycles < 0 || cfg.Duration < 0 || cfg.Rate < 0:
		return nil, errors.New("groups, cycles, duration and rate cannot be negative")
	case cfg.Workers < 1:
		return nil, errors.New("there must be at least one worker")
	case !(cfg.Trouble >= 0 && cfg.Trouble <= 1):
		return nil, errors.New("trouble is a share between 0 and 1")
	case cfg.LicenceByGroup && (cfg.Licence == "" || cfg.Groups < 1):
		return nil, errors.New("a licence by group needs a licence and at least one group")
	case cfg.Transport == nil || cfg.Now == nil:
		return nil, errors.New("simulate: Transport and Now are not set")
	}
	c, err := newClient(&cfg, d)
	if err != nil {
		return nil, err
	}
	s := &Simulator{cfg: cfg, d: d, c: c, rng: rand.New(rand.NewPCG(cfg.Seed, nameHash(d.name)))}
	s.tag = "s" + letters(s.rng.Uint64(), 8)
	s.match = pick(s.rng, d.matches)
	s.at("waiting")
	return s, nil
}

// nameHash makes the same seed play different plans in different dialects.
func nameHash(name string) uint64 {
	h := uint64(14695981039346656037)
	for _, b := range []byte(name) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return h
}

func letters(n uint64, length int) string {
	const alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
	out := make([]byte, length)
	for i := range out {
		out[i] = alphabet[n%32]
		n /= 32
	}
	return string(out)
}

// guid is an id that no server has given out. The caller plans, or tests the
// connection before anything else runs.
func (s *Simulator) guid() string {
	return fmt.Sprintf("%08x-%04x-4%03x-9%03x-%012x", s.rng.Uint32(), s.rng.IntN(1<<16), s.rng.IntN(1<<12), s.rng.IntN(1<<12), s.rng.Int64N(1<<48))
}

func (s *Simulator) at(stage string) { s.stage.Store(&stage) }

// Run plays until the end, or that of ctx, and reports what the server did
// wrong. What was created is deleted in both cases, unless it shall be kept.
func (s *Simulator) Run(ctx context.Context) *Report {
	start := s.cfg.Now()
	// Many simulators that are started at once shall not send at once.
	if s.cfg.Rate > 0 {
		s.c.pace.next = start.Add(time.Duration(s.rng.Int64N(int64(s.c.pace.interval) + 1)))
	}
	if s.cfg.Duration > 0 {
		s.ends = start.Add(s.cfg.Duration)
	}
	r := s.report(s.play(ctx))
	if !s.cfg.Keep {
		s.cleanUp(ctx)
	}
	s.at("done")
	s.c.rec.fill(r, s.cfg.Now().Sub(start))
	s.findings(r)
	return r
}

// play runs the cycles and returns how many there were.
func (s *Simulator) play(ctx context.Context) (cycles int) {
	s.at("testing the connection")
	if !s.d.test(ctx, s) || ctx.Err() != nil {
		return 0
	}
	s.at("first cycle")
	s.carryOut(ctx, s.firstCycle())
	s.verify(ctx, false)
	for cycles = 1; ctx.Err() == nil && !s.over(cycles); cycles++ {
		s.cycle = cycles
		s.at(fmt.Sprintf("cycle %d", cycles+1))
		s.carryOut(ctx, s.nextCycle())
		s.verify(ctx, false)
	}
	s.at("final verification")
	s.verify(ctx, true)
	return cycles
}

// over tells whether no further cycle shall begin.
func (s *Simulator) over(done int) bool {
	switch {
	case s.failing():
		return true
	case s.cfg.Duration > 0:
		return s.late() || s.cfg.Cycles > 0 && done > s.cfg.Cycles
	}
	return done > s.cfg.Cycles
}

func (s *Simulator) late() bool { return !s.ends.IsZero() && s.cfg.Now().After(s.ends) }

func (s *Simulator) failing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nFaults >= mostFaults
}

// carryOut does a plan phase by phase.
func (s *Simulator) carryOut(ctx context.Context, p plan) {
	for _, acts := range p {
		s.inParallel(len(acts), func(i int) {
			if ctx.Err() == nil && !s.late() && !s.failing() {
				s.perform(ctx, &acts[i])
			}
		})
	}
}

// inParallel shares n pieces of work among the workers.
func (s *Simulator) inParallel(n int, do func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(s.cfg.Workers, n) {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				do(int(i - 1))
			}
		})
	}
	wg.Wait()
}
