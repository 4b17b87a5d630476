package backend_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/conformance"
	"github.com/usher-scim/usher/resources"
)

// placeOp is one operation on a pool of linearPlaces and its line, and what came of it.
type placeOp struct {
	what   string // take, give, wait, quit; held and line read
	holder int
}

type placeOutcome struct {
	refused bool
	unknown bool     // the store could not say whether it was done
	held    int      // of held
	line    []string // of line
}

const (
	linearPlaces  = 2
	linearHolders = 6
)

// linearState is who holds and who waits, in order.
type linearState struct{ held, line []int }

func (s linearState) text() string { return fmt.Sprint(s.held, s.line) }

// since is when a holder begins to wait: not the order of the holders.
func since(holder int) int64 { return int64((holder * 5) % linearHolders) }

func without(list []int, h int) []int {
	return slices.DeleteFunc(slices.Clone(list), func(x int) bool { return x == h })
}

func with(list []int, h int, order func(a, b int) int) []int {
	if slices.Contains(list, h) {
		return list
	}
	out := append(slices.Clone(list), h)
	slices.SortFunc(out, order)
	return out
}

// apply is the rule of resources.Tx in the plainest words. ok is false when the
// operation must be refused.
func (s linearState) apply(op placeOp) (next linearState, ok bool) {
	h := op.holder
	ahead := slices.Index(s.line, h)
	if ahead < 0 {
		ahead = len(s.line)
	}
	free := slices.Contains(s.held, h) || len(s.held)+ahead < linearPlaces
	switch op.what {
	case "take":
		return linearState{with(s.held, h, func(a, b int) int { return a - b }), without(s.line, h)}, free
	case "give":
		return linearState{without(s.held, h), s.line}, true
	case "wait":
		return linearState{s.held, with(s.line, h, func(a, b int) int { return int(since(a) - since(b)) })}, !free
	case "quit":
		return linearState{s.held, without(s.line, h)}, true
	}
	return s, true
}

// placesModel says which histories of operations a pool with a line can have.
func placesModel() porcupine.Model {
	model := porcupine.NondeterministicModel{
		Init: func() []any { return []any{linearState{}} },
		Step: func(state, input, output any) []any {
			s, op, out := state.(linearState), input.(placeOp), output.(placeOutcome)
			next, ok := s.apply(op)
			switch {
			case op.what == "held":
				ok = len(s.held) == out.held
			case op.what == "line":
				ok = slices.Equal(names(s.line), out.line)
			case out.unknown && ok:
				return []any{next, s}
			case out.unknown:
				return []any{s}
			case out.refused:
				next, ok = s, !ok
			}
			if !ok {
				return nil
			}
			return []any{next}
		},
		Equal: func(a, b any) bool { return a.(linearState).text() == b.(linearState).text() },
		DescribeOperation: func(input, output any) string {
			return fmt.Sprintf("%+v: %+v", input, output)
		},
	}
	return model.ToModel()
}

func names(holders []int) []string {
	out := make([]string, len(holders))
	for i, h := range holders {
		out[i] = strconv.Itoa(h)
	}
	return out
}

// linearRun is one history being made.
type linearRun struct {
	s       *backend.Store
	proxy   *conformance.Proxy // nil: nothing is harmed
	org     resources.OrgID
	clock   atomic.Int64
	mu      sync.Mutex
	history []porcupine.Operation
}

// do does one operation and notes it.
func (r *linearRun) do(client, n int, op placeOp, harm string) error {
	ctx := context.Background()
	pool := resources.Pool{Name: "seats", Limit: linearPlaces, Line: "line"}
	holder := strconv.Itoa(op.holder)
	mark := fmt.Sprintf("~%s-%d-%d~", r.org, client, n)
	switch harm {
	case "swallow":
		r.proxy.SwallowReplies(mark, 4)
	case "cut":
		r.proxy.CutRequests(mark, 4)
	case "once":
		r.proxy.SwallowReplies(mark, 1)
	}
	var out placeOutcome
	var err error
	call := r.clock.Add(1)
	switch op.what {
	case "held":
		var held []int
		if held, _, err = r.s.Counts(ctx, r.org, []string{"seats"}, nil); err == nil {
			out.held = held[0]
		}
	case "line":
		var line []resources.Waiter
		line, err = r.s.Waiting(ctx, r.org, "line", linearHolders)
		for _, x := range line {
			out.line = append(out.line, x.Holder)
		}
	default:
		_, err = r.s.Update(ctx, r.org, func(_ context.Context, tx resources.Tx) error {
			switch op.what {
			case "take":
				tx.Take(pool, holder)
			case "give":
				tx.Give("seats", holder)
			case "wait":
				tx.Wait("line", holder, since(op.holder), pool)
			case "quit":
				tx.Quit("line", holder)
			}
			tx.Event(resources.Event{Type: op.what, Request: mark})
			return nil
		})
	}
	back := r.clock.Add(1)
	var refusal *resources.Refusal
	switch {
	case errors.As(err, &refusal):
		out.refused = true
	case errors.Is(err, resources.ErrUnavailable):
		out.unknown = true
		back = 1 << 40 // it may happen later still
	case err != nil:
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history = append(r.history, porcupine.Operation{ClientId: client, Input: op, Call: call, Output: out, Return: back})
	return nil
}

// client does random operations, some of them harmed.
func (r *linearRun) client(client int, seed uint64) error {
	dice := rand.New(rand.NewPCG(seed, uint64(client)))
	whats := strings.Fields("take take take give give wait wait quit held line")
	for n := range 14 {
		op := placeOp{what: whats[dice.IntN(len(whats))], holder: dice.IntN(linearHolders)}
		harm := ""
		if r.proxy != nil {
			switch dice.IntN(12) {
			case 0:
				harm = "once"
			case 1:
				if n > 9 { // late, because what is unknown stays so until the end
					harm = []string{"swallow", "cut"}[dice.IntN(2)]
				}
			}
		}
		if err := r.do(client, n, op, harm); err != nil {
			return err
		}
	}
	return nil
}

func linearHistory(t *testing.T, r *linearRun, seed uint64) {
	t.Helper()
	errs := make([]error, 5)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = r.client(i, seed) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	unknown := 0
	for _, op := range r.history {
		if op.Output.(placeOutcome).unknown {
			unknown++
		}
	}
	if got := porcupine.CheckOperationsTimeout(placesModel(), r.history, time.Minute); got != porcupine.Ok {
		for _, op := range r.history {
			t.Logf("client %d, %d to %d: %+v: %+v", op.ClientId, op.Call, op.Return, op.Input, op.Output)
		}
		t.Fatalf("seed %d, %d unknown outcomes: the history is %s, want one that a pool with a line can have", seed, unknown, got)
	}
	t.Logf("seed %d: %d operations, %d of unknown outcome", seed, len(r.history), unknown)
}

// TestLinearizable: whatever runs at once, a pool with its line behaves as if
// one operation came after the other: never more holders than places, places to
// the line in its order (BR-164, security V3).
func TestLinearizable(t *testing.T) {
	onBoth(t, linearHistories)
}

func linearHistories(t *testing.T, url string) {
	s := open(t, backend.Config{URL: url})
	for seed := range uint64(30) {
		linearHistory(t, &linearRun{s: s, org: resources.OrgID(fmt.Sprintf("linear%d", seed))}, seed)
	}
}

// TestLinearizableWithLostReplies has operations whose outcome nobody knows.
func TestLinearizableWithLostReplies(t *testing.T) {
	s, proxy, _ := behind(t)
	for seed := range uint64(10) {
		r := &linearRun{s: s, proxy: proxy, org: resources.OrgID(fmt.Sprintf("lost%d", seed))}
		linearHistory(t, r, seed)
	}
	if n := proxy.Harmed(); n < 20 {
		t.Errorf("only %d requests were harmed", n)
	}
}

// TestLinearizableSeesFaults: histories that break the rules are found.
func TestLinearizableSeesFaults(t *testing.T) {
	type step struct {
		what   string
		holder int
		out    placeOutcome
	}
	ok, no := placeOutcome{}, placeOutcome{refused: true}
	for name, steps := range map[string][]step{
		"oversold":                  {{"take", 0, ok}, {"take", 1, ok}, {"take", 2, ok}},
		"refused although free":     {{"take", 0, ok}, {"take", 1, no}},
		"waits although free":       {{"take", 0, ok}, {"wait", 1, ok}},
		"a newcomer overtakes":      {{"take", 0, ok}, {"take", 1, ok}, {"wait", 2, ok}, {"give", 0, ok}, {"take", 3, ok}},
		"the later one overtakes":   {{"take", 0, ok}, {"take", 5, ok}, {"wait", 1, ok}, {"wait", 2, ok}, {"give", 0, ok}, {"take", 1, ok}},
		"stays in the line":         {{"take", 0, ok}, {"take", 1, ok}, {"wait", 2, ok}, {"give", 0, ok}, {"take", 2, ok}, {"line", 0, placeOutcome{line: []string{"2"}}}},
		"a count that was never so": {{"take", 0, ok}, {"held", 0, placeOutcome{held: 2}}},
	} {
		var history []porcupine.Operation
		for i, x := range steps {
			history = append(history, porcupine.Operation{Input: placeOp{x.what, x.holder}, Output: x.out, Call: int64(2 * i), Return: int64(2*i + 1)})
		}
		if porcupine.CheckOperations(placesModel(), history) {
			t.Errorf("%s: nothing was found", name)
		}
	}
}
