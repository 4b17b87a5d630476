package chaos_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// scenarios are all faults. Those that the short run has come first.
func scenarios() (short, long []*scenario) {
	short = []*scenario{killed("F1", "always", limits{}), late(), memory(), readonly(), flushed(), bulked(6), drained(), frozen()}
	long = []*scenario{
		none(), killed("F1", "always", limits{}), killed("F1b", "everysec", limits{lost: true}),
		failedOver("F3", "failover under Sentinels, writes wait for both replicas", confirming, replicated, byBoth),
		failedOver("F3a", "failover under Sentinels, writes wait for one of two", limits{p99: 6 * time.Second, lost: true}, replicated),
		failedOver("F3b", "failover under Sentinels, durability local", limits{p99: 5 * time.Second, lost: true}),
		clustered("F3c", "failover in a cluster, writes wait for a replica", confirming, replicated),
		clustered("F3d", "failover in a cluster, durability local", limits{p99: 5 * time.Second, lost: true}),
		partitioned(), starved(), torn(), flipped(),
		late(), slower(), memory(), readonly(), full(), busy(), flushed(), bulked(16), drained(), frozen(), outrun(), clocks(), doubled(), upgraded(),
	}
	return short, long
}

// seedOf is the seed of a test: USHER_SEED, or a new one.
func seedOf(t testing.TB) uint64 {
	t.Helper()
	text := os.Getenv("USHER_SEED")
	if text == "" {
		return rand.Uint64N(1e6) + 1
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("USHER_SEED must be a number: %v", err)
	}
	return n
}

// row is the line of a fault in the table.
type row struct {
	s                *scenario
	runs             int
	events, unknowns int
	wrong            int
	p99, recovery    time.Duration // the longest of all runs
	notes            []string
}

func (r *row) add(res *result) {
	r.runs++
	r.events += res.events
	r.unknowns += res.unknowns
	r.wrong += len(res.wrong)
	r.p99, r.recovery = max(r.p99, res.p99), max(r.recovery, res.recovery)
	r.notes = append(r.notes, res.notes...)
}

func (r *row) text() string {
	return fmt.Sprintf("%-4s %-55s %5d %9d %8d %8s %9s %5d", r.s.name, r.s.title, r.runs, r.events, r.unknowns,
		r.p99.Round(time.Millisecond), r.recovery.Round(time.Millisecond), r.wrong)
}

const heading = "fault                                                         seeds     events  unknown      p99  recovery wrong"

// TestLong runs every fault with many seeds and prints a table. It is what "make
// chaos" runs: USHER_CHAOS says how many seeds. Without it nothing is run here;
// TestChaos has the short version.
func TestLong(t *testing.T) {
	seeds, err := strconv.Atoi(cmp.Or(os.Getenv("USHER_CHAOS"), "0"))
	if err != nil {
		t.Fatalf("USHER_CHAOS must be a number of seeds: %v", err)
	}
	if seeds == 0 {
		return
	}
	first := seedOf(t)
	_, long := scenarios()
	rows := make([]*row, len(long))
	t.Cleanup(func() {
		text := fmt.Sprintf("seeds %d to %d\n%s", first, first+uint64(seeds)-1, heading) //nolint:gosec // a small number
		for _, r := range rows {
			if r != nil {
				text += "\n" + r.text()
			}
		}
		t.Log(text)
	})
	for i, s := range long {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel() // -parallel says how many; most of the time they wait
			rows[i] = &row{s: s}
			rows[i].fill(t, first, seeds)
		})
	}
}

// fill runs a fault with many seeds.
func (r *row) fill(t *testing.T, first uint64, seeds int) {
	t.Helper()
	began := time.Now()
	var at *site
	for i := range uint64(seeds) { //nolint:gosec // a small number
		if at == nil || r.s.once {
			at = r.s.site(t)
		}
		res := one(t, r.s, at, first+i)
		r.add(&res)
		report(t, r.s, &res)
		if len(res.wrong) > 0 {
			at = nil // it may not be what it should be
		}
	}
	t.Logf("%s\n%s\n%s\n%s", time.Since(began).Round(time.Second), heading, r.text(), sum(r.notes))
}

// report fails the test with what a run found and tells how to see it again.
func report(t *testing.T, s *scenario, res *result) {
	t.Helper()
	if len(res.wrong) == 0 {
		return
	}
	t.Errorf("%s, seed %d; USHER_SEED=%d go test -run '%s' repeats it:\n  - %s", s.name, res.seed, res.seed, t.Name(), strings.Join(res.wrong, "\n  - "))
}

// TestChaos runs the most telling faults once.
func TestChaos(t *testing.T) {
	seed := seedOf(t)
	short, _ := scenarios()
	for _, s := range short {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel() // most of the time they wait
			began := time.Now()
			at := s.site(t)
			up := time.Since(began)
			res := one(t, s, at, seed)
			r := &row{s: s}
			r.add(&res)
			t.Logf("seed %d, %s of which %s to start\n%s\n%s\n%s", seed, time.Since(began).Round(time.Millisecond), up.Round(time.Millisecond), heading, r.text(), sum(r.notes))
			report(t, s, &res)
		})
	}
}
