package backend_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/conformance"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// claimInput is one operation on a claim, and claimOutput what came of it.
type claimInput struct {
	what   string // take, release, move (from holder to other), read
	holder string // "<organization>/<holder>", for read nothing
	other  string // of the same organization
}

type claimOutput struct {
	holder  string // for read, and for a refusal who has it
	refused bool
	unknown bool
}

// apply is the rule of Tx.Claim and Tx.Release for a register that says who has
// the claim.
func (in claimInput) apply(has string) (now string, ok bool) {
	switch in.what {
	case "take":
		return in.holder, has == "" || has == in.holder
	case "release":
		if has == in.holder {
			return "", true
		}
		return has, true
	case "move":
		return in.other, has == "" || has == in.holder || has == in.other
	}
	return has, true
}

// claimModel says which histories a claim can have.
func claimModel() porcupine.Model {
	model := porcupine.NondeterministicModel{
		Init: func() []any { return []any{""} },
		Step: func(state, input, output any) []any {
			has, in, out := state.(string), input.(claimInput), output.(claimOutput)
			now, ok := in.apply(has)
			switch {
			case in.what == "read":
				ok = out.holder == has
			case out.unknown && ok:
				return []any{now, has}
			case out.unknown:
				return []any{has}
			case out.refused:
				now, ok = has, !ok && out.holder == has
			}
			if !ok {
				return nil
			}
			return []any{now}
		},
		Equal:             func(a, b any) bool { return a == b },
		DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v: %+v", in, out) },
	}
	return model.ToModel()
}

// claimRun is one history being made.
type claimRun struct {
	stores  []*backend.Store // each is a process
	proxy   *conformance.Proxy
	name    string
	clock   atomic.Int64
	mu      sync.Mutex
	history []porcupine.Operation
}

func (r *claimRun) do(client, n int, in claimInput, org resources.OrgID, holder, other, harm string) error {
	ctx, s := context.Background(), r.stores[client%len(r.stores)]
	c := resources.Claim{Kind: resources.ClaimEmail, Key: r.name + "@example.com"}
	mark := fmt.Sprintf("~%s-%d-%d~", r.name, client, n)
	switch harm {
	case "swallow":
		r.proxy.SwallowReplies(mark, 4)
	case "cut":
		r.proxy.CutRequests(mark, 4)
	case "once":
		r.proxy.SwallowReplies(mark, 1)
	}
	var out claimOutput
	var err error
	call := r.clock.Add(1)
	if in.what == "read" {
		var in resources.OrgID
		if out.holder, in, err = s.Holder(ctx, c); out.holder != "" {
			out.holder = string(in) + "/" + out.holder
		}
	} else {
		_, err = s.Update(ctx, org, func(_ context.Context, tx resources.Tx) error {
			switch in.what {
			case "take":
				tx.Claim(c, holder)
			case "release":
				tx.Release(c, holder)
			case "move":
				tx.Release(c, holder)
				tx.Claim(c, other)
			}
			tx.Event(resources.Event{Type: in.what, Request: mark})
			return nil
		})
	}
	back := r.clock.Add(1)
	var refusal *resources.Refusal
	switch {
	case errors.As(err, &refusal):
		out.refused, out.holder = true, string(refusal.HolderOrg)+"/"+refusal.Holder
	case errors.Is(err, resources.ErrUnavailable):
		out.unknown = true
		back = 1 << 40 // it may happen later still
	case err != nil:
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history = append(r.history, porcupine.Operation{ClientId: client, Input: in, Call: call, Output: out, Return: back})
	return nil
}

func (r *claimRun) client(client int, seed uint64) error {
	dice := rand.New(rand.NewPCG(seed, uint64(client)))
	for n := range 16 {
		org := resources.OrgID(fmt.Sprintf("%s%d", r.name, dice.IntN(3)))
		holder, other := []string{"ann", "bob"}[dice.IntN(2)], "cleo"
		in := claimInput{
			what:   []string{"take", "take", "release", "release", "move", "read"}[dice.IntN(6)],
			holder: string(org) + "/" + holder, other: string(org) + "/" + other,
		}
		if in.what == "release" && dice.IntN(2) == 0 {
			holder, in.holder = other, in.other
		}
		harm := ""
		if r.proxy != nil {
			switch dice.IntN(12) {
			case 0:
				harm = "once"
			case 1:
				if n > 12 { // late, because what is unknown stays so until the end
					harm = []string{"swallow", "cut"}[dice.IntN(2)]
				}
			}
		}
		if err := r.do(client, n, in, org, holder, other, harm); err != nil {
			return err
		}
	}
	return nil
}

func (r *claimRun) check(t *testing.T, seed uint64) {
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
		if op.Output.(claimOutput).unknown {
			unknown++
		}
	}
	if got := porcupine.CheckOperationsTimeout(claimModel(), r.history, time.Minute); got != porcupine.Ok {
		for _, op := range r.history {
			t.Logf("client %d, %d to %d: %+v: %+v", op.ClientId, op.Call, op.Return, op.Input, op.Output)
		}
		t.Fatalf("seed %d, %d unknown outcomes: the history is %s, want one that a claim can have", seed, unknown, got)
	}
}

// TestClaimsLinearizable: a claim behaves as one register over all organizations
// and processes, however it is taken (BR-001, security V4).
func TestClaimsLinearizable(t *testing.T) {
	for _, spread := range []bool{false, true} {
		t.Run(fmt.Sprintf("spread=%t", spread), func(t *testing.T) {
			url := redistest.Start(t)
			one, two := open(t, backend.Config{URL: url, SpreadClaims: spread}), open(t, backend.Config{URL: url, SpreadClaims: spread})
			for seed := range uint64(15) {
				r := &claimRun{stores: []*backend.Store{one, two}, name: fmt.Sprintf("lin%d", seed)}
				r.check(t, seed)
			}
		})
	}
}

// TestClaimsLinearizableWithLostReplies has operations whose outcome nobody knows.
func TestClaimsLinearizableWithLostReplies(t *testing.T) {
	s, proxy, _ := behindWith(t, backend.Config{SpreadClaims: true})
	for seed := range uint64(8) {
		r := &claimRun{stores: []*backend.Store{s}, proxy: proxy, name: fmt.Sprintf("lost%d", seed)}
		r.check(t, seed)
	}
	if n := proxy.Harmed(); n < 10 {
		t.Errorf("only %d requests were harmed", n)
	}
}

// TestClaimsLinearizableSeesFaults: histories that break the rules are found.
func TestClaimsLinearizableSeesFaults(t *testing.T) {
	ok := claimOutput{}
	for name, ops := range map[string][]porcupine.Operation{
		"two holders": {
			{Input: claimInput{what: "take", holder: "a/ann"}, Output: ok},
			{Input: claimInput{what: "take", holder: "b/bob"}, Output: ok},
		},
		"refused although free": {
			{Input: claimInput{what: "take", holder: "a/ann"}, Output: claimOutput{refused: true, holder: "b/bob"}},
		},
		"read before it was given back": {
			{Input: claimInput{what: "take", holder: "a/ann"}, Output: ok},
			{Input: claimInput{what: "release", holder: "a/ann"}, Output: ok},
			{Input: claimInput{what: "read"}, Output: claimOutput{holder: "a/ann"}},
		},
	} {
		for i := range ops {
			ops[i].Call, ops[i].Return = int64(2*i), int64(2*i+1)
		}
		if porcupine.CheckOperations(claimModel(), ops) {
			t.Errorf("%s: nothing was found", name)
		}
	}
}
