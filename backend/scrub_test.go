package backend

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// claimWorld is a store on a real server whose claims a test harms.
type claimWorld struct {
	t testing.TB
	s *Store
}

func openClaims(t testing.TB, url string, spread bool) *claimWorld {
	t.Helper()
	s, err := Open(context.Background(), Config{URL: url, SpreadClaims: spread})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &claimWorld{t, s}
}

func (w *claimWorld) do(org resources.OrgID, fn func(tx resources.Tx)) error {
	_, err := w.s.Update(context.Background(), org, func(_ context.Context, tx resources.Tx) error {
		fn(tx)
		return nil
	})
	return err
}

func (w *claimWorld) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// command writes behind the store's back, as a failover undoes writes.
func (w *claimWorld) command(words ...any) {
	w.t.Helper()
	w.must(w.s.writes.Do(context.Background(), words...).Err())
}

// says waits until a claim says what it must; the relay may be at it.
func (w *claimWorld) says(c resources.Claim, want string) {
	w.t.Helper()
	got := ""
	for range 100 {
		var err error
		got, err = w.s.ask(context.Background(), c, claimStep{op: opRead})
		w.must(err)
		if got == want {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	w.t.Errorf("the claim says %q, want %q", got, want)
}

func (w *claimWorld) listed(org resources.OrgID, c resources.Claim) string {
	w.t.Helper()
	held, err := w.s.ask(context.Background(), c, claimStep{op: opLook, org: org})
	w.must(err)
	return held
}

func (w *claimWorld) scrub(org resources.OrgID) []ClaimFault {
	w.t.Helper()
	faults, err := w.s.ScrubClaims(context.Background(), org)
	w.must(err)
	return faults
}

var scrubbed = resources.Claim{Kind: resources.ClaimNumber, Key: "+41440000000|x"}

// TestScrubClaims: what a failover has lost of claims comes back, and two holders
// are told apart by age (redis.md §6.2).
func TestScrubClaims(t *testing.T) {
	w := openClaims(t, redistest.Start(t), true)
	const older, newer = "00000000000000000000", "10000000000000000000"
	w.must(w.do("a", func(tx resources.Tx) { tx.Claim(scrubbed, newer) }))
	held := w.listed("a", scrubbed)
	right := confirmation("a", held)
	w.says(scrubbed, right)
	if got := w.scrub("a"); len(got) != 0 {
		t.Fatalf("nothing is wrong, and found was %+v", got)
	}
	_, attempt := parseHeld(held)
	side := ClaimSide{"a", newer, attempt}
	for name, harm := range map[string]struct {
		says  string
		state ClaimState
	}{
		"gone":                          {"", ClaimAbsent},
		"another attempt of the same":   {confirmation("a", "x|000000000000"), ClaimStale},
		"another holder, same attempt":  {confirmation("a", "x|"+attempt), ClaimStale},
		"confirmation lost":             {reservation(scrubbed, "a", held), ClaimStale},
		"reserved by somebody else":     {reservation(scrubbed, "b", "x|000000000000"), ClaimAbsent},
		"confirmed, without being held": {confirmation("b", "x|000000000000"), ClaimAbsent},
		"what nobody writes":            {"?", ClaimDamaged},
	} {
		w.command("SET", claimKey(scrubbed), harm.says)
		if harm.says == "" {
			w.command("DEL", claimKey(scrubbed))
		}
		repaired := harm.state != ClaimDamaged
		want := []ClaimFault{{Claim: scrubbed, Key: claimKey(scrubbed), State: harm.state, Repaired: repaired, Side: side}}
		if diff := cmp.Diff(want, w.scrub("a")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if repaired {
			w.says(scrubbed, right)
		}
	}
	// The claim's node lost it, and somebody else took it.
	w.command("DEL", claimKey(scrubbed))
	w.must(w.do("b", func(tx resources.Tx) { tx.Claim(scrubbed, older) }))
	theirs := w.listed("b", scrubbed)
	got := w.scrub("a")
	if len(got) != 1 || got[0].State != ClaimConflict || got[0].Repaired {
		t.Fatalf("found %+v, want a conflict", got)
	}
	if keeps, loses := got[0].Keeps(); keeps != sideOf("b", theirs) || loses != side {
		t.Errorf("%+v keeps it and %+v loses it, want the older one to keep it", keeps, loses)
	}
}

// TestScrubReserved: what is left behind is ended, and not before it is clear.
func TestScrubReserved(t *testing.T) {
	for name, url := range map[string]string{"embedded": "", "redis": redistest.Start(t)} {
		t.Run(name, func(t *testing.T) {
			w := openClaims(t, url, true)
			ctx := context.Background()
			w.must(w.do("a", func(tx resources.Tx) { tx.Claim(scrubbed, "ann") }))
			crashed, lost := resources.Claim{Kind: "em", Key: "crashed"}, resources.Claim{Kind: "em", Key: "lost"}
			w.command("SET", claimKey(crashed), reservation(crashed, "b", "x|000000000000"))
			w.command("SET", claimKey(lost), confirmation("b", "y|000000000001"))
			faults, watched, err := w.s.ScrubReserved(ctx)
			if err != nil || len(faults) != 0 || watched < 2 {
				t.Fatalf("the first walk found %+v and watches %d (%v), want it only to watch", faults, watched, err)
			}
			for v := range w.s.strays.first {
				w.s.strays.first[v] = time.Now().Add(-time.Minute)
			}
			faults, _, err = w.s.ScrubReserved(ctx)
			if err != nil || len(faults) != 2 {
				t.Errorf("the second walk found %+v (%v), want two", faults, err)
			}
			w.says(crashed, "")
			w.says(lost, "")
			w.says(scrubbed, confirmation("a", w.listed("a", scrubbed)))
			// A commit of the attempt that comes now is refused by the tombstone.
			if n, err := w.s.reads.HExists(ctx, "ab:{b}", "000000000000").Result(); err != nil || !n {
				t.Errorf("the attempt is not fenced off (%v)", err)
			}
		})
	}
}

// TestClaimsEitherWay: a directory is served with claims folded into commits and
// with the protocol, in turns, also where one of them broke off.
func TestClaimsEitherWay(t *testing.T) {
	url := redistest.Start(t)
	ctx := context.Background()
	ways := [2]*claimWorld{openClaims(t, url, false), openClaims(t, url, true)}
	holder := func(w *claimWorld, c resources.Claim) string {
		h, org, err := w.s.Holder(ctx, c)
		w.must(err)
		return string(org) + "/" + h
	}
	for i := range 12 {
		one, other := ways[i%2], ways[(i+1)%2]
		c := resources.Claim{Kind: "em", Key: fmt.Sprintf("either%d", i)}
		one.must(one.do("a", func(tx resources.Tx) { tx.Claim(c, "ann") }))
		var r *resources.Refusal
		if err := other.do("b", func(tx resources.Tx) { tx.Claim(c, "bob") }); !errors.As(err, &r) || r.HolderOrg != "a" || r.Holder != "ann" {
			t.Fatalf("%d: a claim that is held was refused with %v", i, err)
		}
		other.must(other.do("a", func(tx resources.Tx) {
			tx.Release(c, "ann")
			tx.Claim(c, "cleo")
		}))
		ways[1].says(c, confirmation("a", ways[1].listed("a", c))) // closing a store would wait for that, too
		for _, w := range ways {
			if got := holder(w, c); got != "a/cleo" {
				t.Fatalf("%d: the holder is %s, want a/cleo", i, got)
			}
		}
		one.must(one.do("a", func(tx resources.Tx) { tx.Release(c, "cleo") }))
		ways[1].says(c, "")
		other.must(other.do("b", func(tx resources.Tx) { tx.Claim(c, "bob") }))
		if got := holder(one, c); got != "b/bob" {
			t.Fatalf("%d: the holder is %s, want b/bob", i, got)
		}
	}
	// Folded commits meet what the protocol broke off: before the commit, and
	// between commit and confirmation.
	before, between := resources.Claim{Kind: "em", Key: "before"}, resources.Claim{Kind: "em", Key: "between"}
	w := ways[0]
	w.command("SET", claimKey(before), reservation(before, "a", "ann|000000000000"))
	w.must(w.do("b", func(tx resources.Tx) { tx.Claim(before, "bob") }))
	w.command("SET", claimKey(between), reservation(between, "a", "ann|000000000001"))
	w.command("HSET", "cl:{a}", claimField(between), "ann|000000000001")
	w.command("HSET", "in:{a}", "c|"+claimField(between)+"|000000000001", "ann|")
	if got := holder(w, between); got != "a/ann" {
		t.Errorf("the holder is %s, want a/ann", got)
	}
	w.must(w.do("a", func(tx resources.Tx) { tx.Release(between, "ann") }))
	w.must(w.do("b", func(tx resources.Tx) { tx.Claim(between, "bob") }))
	if _, err := w.s.Sweep(ctx, "a", time.Now(), 100, nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []resources.Claim{before, between} {
		w.says(c, confirmation("b", w.listed("b", c)))
	}
	for _, org := range []resources.OrgID{"a", "b"} {
		if got := w.scrub(org); len(got) != 0 {
			t.Errorf("scrubbing found %+v", got)
		}
		if n := w.s.reads.HLen(ctx, "in:{"+string(org)+"}").Val(); n != 0 {
			t.Errorf("%d notes of %s are left", n, org)
		}
	}
}

// TestTombstonesAreSwept: tombstones go when no commit can come any more.
func TestTombstonesAreSwept(t *testing.T) {
	w := openClaims(t, "", true)
	ctx := context.Background()
	w.must(w.do("a", func(tx resources.Tx) { tx.Claim(scrubbed, "ann") }))
	w.command("HSET", "ab:{a}", "old", time.Now().Add(-time.Minute).UnixMilli(), "new", time.Now().Add(time.Minute).UnixMilli())
	if _, err := w.s.Sweep(ctx, "a", time.Now(), 100, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := w.s.Sweep(ctx, "a", time.Now(), 100, nil); err != nil {
		t.Fatal(err)
	}
	if got := w.s.reads.HKeys(ctx, "ab:{a}").Val(); len(got) != 1 || got[0] != "new" {
		t.Errorf("tombstones are %q, want only the new one", got)
	}
}

// TestClaimsWithWrongClocks: a server's clock may be wrong by any time.
func TestClaimsWithWrongClocks(t *testing.T) {
	w := openClaims(t, redistest.Start(t), true)
	for i, off := range []time.Duration{time.Hour, -time.Hour} {
		w.s.skew.Store(off.Milliseconds())
		c := resources.Claim{Kind: "em", Key: fmt.Sprintf("clock%d", i)}
		w.must(w.do("a", func(tx resources.Tx) { tx.Claim(c, "ann") }))
		w.says(c, confirmation("a", w.listed("a", c)))
		if got := time.Duration(w.s.skew.Load()) * time.Millisecond; got.Abs() > time.Minute {
			t.Errorf("the clock is taken to be wrong by %s", got)
		}
	}
}
