package backend

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// meanwhile does something once, before or after the first command that names a key.
type meanwhile struct {
	command, key string
	before       bool
	do           func()
}

func (b *meanwhile) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (b *meanwhile) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		do := b.do
		if do == nil || !strings.HasPrefix(cmd.Name(), b.command) || !slices.Contains(cmd.Args(), any(b.key)) {
			return next(ctx, cmd)
		}
		b.do = nil
		if b.before {
			do()
			return next(ctx, cmd)
		}
		err := next(ctx, cmd)
		do()
		return err
	}
}

func (b *meanwhile) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// putUser writes a user whom placedBy says to hold a claim.
func (w *claimWorld) putUser(org resources.OrgID, c resources.Claim) *resources.Record {
	w.t.Helper()
	id, err := resources.NewID(resources.KindUser, time.Now(), rand.Reader)
	w.must(err)
	r := &resources.Record{Kind: resources.KindUser, ID: id, Version: 1, Display: "x", Profile: []byte(`{}`)}
	w.must(w.do(org, func(tx resources.Tx) {
		tx.Put(nil, r, nil, allUsers(r))
		tx.Claim(c, id)
	}))
	return r
}

func allUsers(r *resources.Record) []resources.Entry {
	return []resources.Entry{{Index: resources.UserAll, Value: r.ID}}
}

func placedBy(c resources.Claim) resources.Placed {
	return func(r *resources.Record) ([]resources.Entry, []resources.HeldClaim, resources.Holdings) {
		return allUsers(r), []resources.HeldClaim{{Claim: c, Holder: r.ID}}, resources.Holdings{}
	}
}

// TestFsckClaimsBesideRivals: while a claim is repaired another organization takes
// it, just before or after the organization's list is written. Never both have it.
func TestFsckClaimsBesideRivals(t *testing.T) {
	url := redistest.Start(t)
	ctx := context.Background()
	rival := openClaims(t, url, true)
	for name, harm := range map[string]func(w *claimWorld, c resources.Claim, id string){
		"both gone": func(w *claimWorld, c resources.Claim, _ string) {
			w.command("DEL", claimKey(c))
			w.command("HDEL", "cl:{a}", claimField(c))
		},
		"list gone": func(w *claimWorld, c resources.Claim, _ string) {
			w.command("HDEL", "cl:{a}", claimField(c))
		},
		"list gone, another holder": func(w *claimWorld, c resources.Claim, _ string) {
			w.command("HDEL", "cl:{a}", claimField(c))
			w.command("SET", claimKey(c), confirmation("a", "00000000000000000000|000000000000"))
		},
		"claim gone": func(w *claimWorld, c resources.Claim, _ string) { w.command("DEL", claimKey(c)) },
	} {
		for _, before := range []bool{true, false} {
			w := openClaims(t, url, true)
			w.command("FLUSHALL")
			c := resources.Claim{Kind: resources.ClaimEmail, Key: "rival@example.com"}
			r := w.putUser("a", c)
			w.says(c, confirmation("a", w.listed("a", c)))
			harm(w, c, r.ID)
			met := errors.New("not met")
			w.s.writes.AddHook(&meanwhile{command: "eval", key: "cl:{a}", before: before, do: func() {
				met = rival.do("b", func(tx resources.Tx) { tx.Claim(c, "bob") })
			}})
			_, err := w.s.Fsck(ctx, "a", FsckConfig{Placed: placedBy(c), Repair: true})
			w.must(err)
			var refusal *resources.Refusal
			if met != nil && !errors.As(met, &refusal) {
				t.Fatalf("%s, before %v: the rival got %v", name, before, met)
			}
			ours, theirs := w.listed("a", c), w.listed("b", c)
			if (ours != "") == (theirs != "") {
				t.Errorf("%s, before %v: the lists say %q and %q, the rival got %v", name, before, ours, theirs, met)
			}
			if ours != "" {
				w.says(c, confirmation("a", ours))
			} else {
				w.says(c, confirmation("b", theirs))
			}
		}
	}
}

// TestFsckClaimsPassedOn: while the records are walked a claim goes from a record
// that had not said it yet to another one. That is no finding.
func TestFsckClaimsPassedOn(t *testing.T) {
	w := openClaims(t, "", false)
	c := resources.Claim{Kind: resources.ClaimEmail, Key: "passed@example.com"}
	a, b := w.putUser("a", resources.Claim{Kind: resources.ClaimEmail, Key: "a"}), w.putUser("a", resources.Claim{Kind: resources.ClaimEmail, Key: "b"})
	var mu sync.Mutex
	phase := 0
	reach := func(from int, do func(tx resources.Tx)) {
		mu.Lock()
		defer mu.Unlock()
		if phase == from {
			phase++
			w.must(w.do("a", do))
		}
	}
	nothing := func(resources.Tx) {}
	w.s.scans.AddHook(&meanwhile{command: "hlen", key: "cl:{a}", do: func() { reach(0, nothing) }})
	w.s.scans.AddHook(&meanwhile{command: "hscan", key: "cl:{a}", do: func() {
		reach(2, func(tx resources.Tx) { tx.Release(c, a.ID) })
	}})
	placed := func(r *resources.Record) ([]resources.Entry, []resources.HeldClaim, resources.Holdings) {
		held := []resources.HeldClaim{{Claim: resources.Claim{Kind: resources.ClaimEmail, Key: "a"}, Holder: a.ID}}
		if r.ID == b.ID {
			held = []resources.HeldClaim{{Claim: resources.Claim{Kind: resources.ClaimEmail, Key: "b"}, Holder: b.ID}}
		}
		reach(1, func(tx resources.Tx) { tx.Claim(c, a.ID) })
		reach(3, func(tx resources.Tx) { tx.Claim(c, b.ID) })
		return allUsers(r), held, resources.Holdings{}
	}
	_, err := w.s.Fsck(context.Background(), "a", FsckConfig{Deep: true, Repair: true, Placed: placed, Found: func(f Finding) { t.Errorf("found %+v", f) }})
	w.must(err)
	if phase != 4 {
		t.Fatalf("the check came to phase %d, want 4", phase)
	}
	if got := w.listed("a", c); !strings.HasPrefix(got, b.ID+"|") {
		t.Errorf("the list says %q, want %s", got, b.ID)
	}
}

// TestFsckClaimSaysAnother: a failover took a claim back to who had it before, whose
// list does not have it any more. That is no conflict, and a repair ends it.
func TestFsckClaimSaysAnother(t *testing.T) {
	url := redistest.Start(t)
	for name, says := range map[string]string{
		"confirmed": "C|b|bob|000000000000", "reserved": "P|b|bob|000000000000|em|back@example.com",
		"reserved by ours": "P|a|bob|000000000000|em|back@example.com",
	} {
		for _, listed := range []bool{true, false} {
			w := openClaims(t, url, true)
			w.command("FLUSHALL")
			c := resources.Claim{Kind: resources.ClaimEmail, Key: "back@example.com"}
			r := w.putUser("a", c)
			w.says(c, confirmation("a", w.listed("a", c)))
			w.command("DEL", "in:{a}")
			w.command("SET", claimKey(c), says)
			if !listed {
				w.command("HDEL", "cl:{a}", claimField(c))
			}
			report, err := w.s.Fsck(context.Background(), "a", FsckConfig{Placed: placedBy(c), Repair: true})
			w.must(err)
			if report.Left != 0 || report.Findings == 0 {
				t.Errorf("%s, listed %v: %+v, want it repaired", name, listed, report)
			}
			if held := w.listed("a", c); !strings.HasPrefix(held, r.ID+"|") {
				t.Errorf("%s, listed %v: the list says %q", name, listed, held)
			} else {
				w.says(c, confirmation("a", held))
			}
			if gone, err := w.s.reads.HExists(context.Background(), "ab:{b}", "000000000000").Result(); err != nil || gone == strings.HasPrefix(says, "P|a") {
				t.Errorf("%s, listed %v: the other attempt is not fenced off (%v)", name, listed, err)
			}
		}
	}
}
