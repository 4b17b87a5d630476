package resources_test

import (
	"crypto/sha256"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
)

// A request is known again for ten minutes, by the token that sent it, with the
// same ids but for what was deleted since.
func TestJournal(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		request := sha256.Sum256([]byte("a request"))
		steps := []resources.Step{{Creates: true, Kind: resources.KindUser}, {}, {Creates: true, Kind: resources.KindGroup}, {Creates: true, Kind: resources.KindUser}}
		begin := func(c resources.Caller) *resources.Journal {
			t.Helper()
			j, err := b.Begin(ctx, c, request, steps)
			if err != nil {
				t.Fatal(err)
			}
			return j
		}
		gone := func(j *resources.Journal, step int) bool {
			t.Helper()
			g, err := b.Gone(ctx, b.a, j, step)
			if err != nil {
				t.Fatal(err)
			}
			return g
		}
		first := begin(b.a)
		for i, s := range steps {
			kind, ok := resources.KindOf(first.IDs[i])
			if ok != s.Creates || ok && kind != s.Kind {
				t.Errorf("step %d: id %q", i, first.IDs[i])
			}
		}
		if first.Again || first.Done(0) || gone(first, 1) {
			t.Error("a new request is taken for a repetition")
		}
		b.clock.Advance(time.Minute)
		cut := begin(b.a) // the first run was cut off
		if !cut.Again || cut.Done(0) || !gone(cut, 1) || !slices.Equal(cut.IDs, first.IDs) {
			t.Errorf("after a run that was cut off: %+v", cut)
		}
		if !gone(first, 1) { // the first is on its way and the second was faster
			t.Error("the first run does not know of the second")
		}
		c := b.a
		c.NewID = first.IDs[2]
		if _, err := b.CreateGroup(ctx, c, parse(t, `{"schemas":["g"],"displayName":"G"}`), nil); err != nil {
			t.Fatal(err)
		}
		if err := b.End(ctx, b.a, first, func(i int) bool { return i != 3 }); err != nil {
			t.Fatal(err)
		}
		again := begin(b.a)
		if !again.Again || again.Done(0) || !gone(again, 1) || !again.Done(2) || again.Done(3) || gone(again, 3) {
			t.Errorf("after a run that ended: %+v", again)
		}
		if again.IDs[0] == first.IDs[0] || again.IDs[2] != first.IDs[2] || again.IDs[3] != first.IDs[3] {
			t.Errorf("ids %v, before %v; only the first was deleted", again.IDs, first.IDs)
		}
		if twin := begin(b.a); !slices.Equal(twin.IDs, again.IDs) {
			t.Errorf("two runs at once renew the ids %v and %v", again.IDs, twin.IDs)
		}
		if other := b.a; true {
			other.Token = "another"
			if j := begin(other); j.Again {
				t.Error("another token's request is taken for a repetition")
			}
		}
		if j := begin(b.b); j.Again {
			t.Error("another organization's request is taken for a repetition")
		}
		b.clock.Advance(10*time.Minute + time.Second)
		if j := begin(b.a); j.Again || j.IDs[3] == first.IDs[3] {
			t.Error("the request is known after ten minutes")
		}
	})
}

// Of many who begin the same request at once all get the same ids.
func TestJournalRace(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		var wg sync.WaitGroup
		ids := make([]string, 8)
		for i := range ids {
			wg.Go(func() {
				j, err := b.Begin(t.Context(), b.a, sha256.Sum256(nil), []resources.Step{{Creates: true}})
				if err != nil {
					t.Error(err)
					return
				}
				ids[i] = j.IDs[0]
			})
		}
		wg.Wait()
		if ids = slices.Compact(ids); len(ids) != 1 {
			t.Errorf("ids %v, want one", ids)
		}
	})
}
