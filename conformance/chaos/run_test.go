package chaos_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// site is what runs: a store and nodes over it.
type site struct {
	store    *store
	nodes    []*node
	apiToken string
	phones   atomic.Int64 // telephone numbers given out
	told     int          // lost writes that the logs told of in earlier runs
}

// run is one fault with one seed.
type run struct {
	*witness
	t    testing.TB
	s    *scenario
	site *site
	seed uint64
	http *http.Client
	h    *history
	dice chance

	spread  bool       // clients go to any node that says it is ready
	ready   []*node    // those, while spread
	readyMu sync.Mutex // of ready

	most     struct{ goroutines, files int } // seen in any node
	recovery time.Duration                   // from the end of the fault until a write succeeds
	notes    []string                        // figures worth telling, in the table
}

// scenario is a fault of the table.
type scenario struct {
	name  string // F1
	title string
	// site starts what the fault needs; runs share it until the fault says that
	// it is spent.
	site func(t testing.TB) *site
	// strike does the harm while clients play, and ends it.
	strike func(ctx context.Context, r *run, l *load) error
	// after looks once more when all is quiet. May be nil.
	after   func(ctx context.Context, r *run, l *load) error
	limits  limits
	clients int  // zero: 12
	alone   bool // no clients play: strike does what they would
	spread  bool // see run
	once    bool // the site cannot be used again
	damaged bool // the store may be damaged beyond what usher can be asked for: only fsck and what it says counts
	skewed  bool // a node's clock is wrong: sessions that it began may end too early elsewhere
	lazy    bool // addresses may be refused for a while after they are free
	twice   float64
	aborts  float64
}

// A node with a dozen clients has about 80 goroutines and 60 open files.
const (
	mostGoroutines = 400
	mostFiles      = 300
)

const (
	calm   = 300 * time.Millisecond // of load before the fault and after it
	recent = 10 * time.Second       // within which usher must work again after a fault
)

// result is a row's worth of one run.
type result struct {
	seed             uint64
	events, unknowns int
	p99, longest     time.Duration
	recovery         time.Duration
	wrong            []string
	notes            []string
	tenants          []*tenant
}

func newRun(t testing.TB, s *scenario, at *site, seed uint64) *run {
	r := &run{witness: newWitness(s.limits), t: t, s: s, site: at, seed: seed, h: newHistory(), dice: newChance(seed), spread: s.spread}
	r.http = &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return r
}

// pick gives the node a client sends to.
func (r *run) pick(client int) *node {
	if !r.spread {
		return r.site.nodes[client%len(r.site.nodes)]
	}
	r.readyMu.Lock()
	defer r.readyMu.Unlock()
	if len(r.ready) == 0 {
		return r.site.nodes[client%len(r.site.nodes)]
	}
	return r.ready[client%len(r.ready)]
}

// probe looks once which nodes are ready, as whatever balances load would.
func (r *run) probe(ctx context.Context) {
	var all sync.WaitGroup
	for _, n := range r.site.nodes {
		all.Go(func() { r.heard(n, n.isReady(ctx, r.http)) })
	}
	all.Wait()
}

// heard notes what a node has said of itself.
func (r *run) heard(n *node, ready bool) {
	r.readyMu.Lock()
	defer r.readyMu.Unlock()
	at := slices.Index(r.ready, n)
	switch {
	case ready && at < 0:
		r.ready = append(slices.Clone(r.ready), n)
	case !ready && at >= 0:
		r.ready = slices.Delete(slices.Clone(r.ready), at, at+1)
	}
}

// awaitReady waits until clients go to a node.
func (r *run) awaitReady(n *node) error {
	for end := time.Now().Add(startTime); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		r.readyMu.Lock()
		seen := slices.Contains(r.ready, n)
		r.readyMu.Unlock()
		if seen {
			time.Sleep(100 * time.Millisecond) // clients that had chosen before
			return nil
		}
	}
	return fmt.Errorf("a node that has started is not ready after %s", startTime)
}

// watch probes every node and reads its gauges until ctx ends.
func (r *run) watch(ctx context.Context, every time.Duration) {
	var all sync.WaitGroup
	for _, node := range r.site.nodes {
		all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if r.spread {
					r.heard(node, node.isReady(ctx, r.http))
				}
				if n%4 == 0 {
					g, f := node.gauges(ctx, r.http)
					r.mu.Lock()
					r.most.goroutines, r.most.files = max(r.most.goroutines, g), max(r.most.files, f)
					r.mu.Unlock()
				}
				select {
				case <-ctx.Done():
				case <-time.After(every):
				}
			}
		})
	}
	all.Wait()
}

// one runs a scenario once.
func one(t testing.TB, s *scenario, at *site, seed uint64) result {
	r := newRun(t, s, at, seed)
	defer r.http.CloseIdleConnections()
	res := result{seed: seed}
	if err := r.whole(t.Context(), &res); err != nil {
		r.violation("the run cannot be made: %v", err)
	}
	for _, n := range at.nodes {
		if text := n.panics(); text != "" {
			r.violation("the log of usher: %s", text)
		}
	}
	res.events, res.unknowns = r.h.counts()
	res.p99, res.longest = r.slowest()
	res.recovery, res.notes, res.wrong = r.recovery, r.notes, r.violations()
	return res
}

func (r *run) whole(ctx context.Context, res *result) error {
	loose := r.limits // setting up happens in good weather
	r.limits = limits{hang: 10 * time.Second, cuts: true}
	if r.spread {
		r.probe(ctx)
	}
	list := make([]*tenant, tenants)
	errs := make([]error, tenants)
	var all sync.WaitGroup
	for i := range list {
		all.Go(func() {
			list[i], errs[i] = r.settle(ctx, fmt.Sprintf("s%d-%s-%d", r.seed, lower(r.s.name), i))
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	res.tenants = list
	l := newLoad(r, list)
	l.twice, l.aborts = r.s.twice, r.s.aborts
	r.mu.Lock()
	r.took, r.limits = nil, loose // from here on answers count
	r.mu.Unlock()
	if err := r.struggle(ctx, l); err != nil {
		return err
	}
	if r.most.goroutines > mostGoroutines || r.most.files > mostFiles {
		r.violation("usher grew to %d goroutines and %d open files, at most %d and %d are allowed", r.most.goroutines, r.most.files, mostGoroutines, mostFiles)
	}
	if p99, _ := r.slowest(); p99 > r.p99 {
		r.violation("the 99th percentile of all answers is %s, at most %s is allowed%s", p99.Round(time.Millisecond), r.p99, r.slow())
	}
	if r.s.damaged {
		return nil
	}
	r.none = false
	if err := r.quiet(ctx, l); err != nil {
		return err
	}
	r.verify(ctx, l)
	r.clean(ctx)
	if r.s.after != nil {
		return r.s.after(ctx, r, l)
	}
	return nil
}

// struggle plays while the fault happens, and for a moment more.
func (r *run) struggle(ctx context.Context, l *load) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := make(chan struct{})
	var playing, watching sync.WaitGroup
	watching.Go(func() { r.watch(ctx, 50*time.Millisecond) })
	clients := r.s.clients
	if clients == 0 {
		clients = 12
	}
	if !r.s.alone {
		playing.Go(func() { l.play(ctx, clients, stop) })
		time.Sleep(calm)
	}
	err := r.s.strike(ctx, r, l)
	if err == nil && !r.s.damaged {
		err = r.recover(ctx, l.tenants[0])
		time.Sleep(calm)
	}
	close(stop)
	playing.Wait()
	cancel()
	watching.Wait()
	return err
}

// playFor lets the clients of a scenario play for a while, in good weather.
func (r *run) playFor(ctx context.Context, l *load, d time.Duration) error {
	stop := make(chan struct{})
	time.AfterFunc(d, func() { close(stop) })
	l.play(ctx, 8, stop)
	return ctx.Err()
}

// recover waits until a write succeeds and notes how long that took.
func (r *run) recover(ctx context.Context, t *tenant) error {
	began := time.Now()
	for i := 0; ; i++ {
		nick := fmt.Sprintf("again-%d", i)
		a := r.send(ctx, 0, http.MethodPatch, t.path("/Users/"+t.joiners[0]), t.token,
			patch(map[string]any{"op": "replace", "path": "nickName", "value": nick}))
		if a.status == http.StatusOK {
			r.recovery = time.Since(began)
			break
		}
		if time.Since(began) > 3*recent {
			return fmt.Errorf("no write succeeds %s after the end of the fault: answer %d %s", 3*recent, a.status, trim(a.body))
		}
		time.Sleep(10 * time.Millisecond)
	}
	if r.recovery > recent {
		r.violation("usher works again only %s after the end of the fault, at most %s is allowed", r.recovery.Round(time.Millisecond), recent)
	}
	return nil
}

// told adds a figure to the run's row.
func (r *run) told(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}
