package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/usher-scim/usher/resources"
)

func cleanChecks() []StoreCheck {
	return []StoreCheck{
		{"sweep-removes-what-expired", "Tx.Expire, Store.Sweep", inWorld(sweepExpired)},
		{"erase-leaves-nothing", "Store.Erase", inWorld(eraseAll)},
	}
}

func (w *world) token() (thing, error) {
	id, err := w.newID(resources.KindToken)
	ms := w.Now().UnixMilli()
	return thing{
		rec:     &resources.Record{Kind: resources.KindToken, ID: id, Version: 1, Created: ms, Modified: ms, Display: "token", Profile: []byte(`{}`)},
		entries: []resources.Entry{{Index: resources.TokenAll, Value: id}},
	}, err
}

func sweepExpired(w *world) error {
	early, err1 := w.token()
	late, err2 := w.token()
	extended, err3 := w.token()
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	err := w.do(func(tx resources.Tx) {
		for i, x := range []thing{early, late, extended} {
			tx.Put(nil, x.rec, nil, x.entries)
			tx.Expire(resources.KindToken, x.rec.ID, w.Now().Add([]time.Duration{time.Minute, time.Hour, time.Minute}[i]))
		}
	})
	if err != nil {
		return err
	}
	if n, err := w.Store.Sweep(w.ctx, w.org, w.Now(), 10, resources.Placement); n != 0 || err != nil {
		return saw(err, "before its time Sweep cleans %d", n)
	}
	err = w.do(func(tx resources.Tx) { tx.Expire(resources.KindToken, extended.rec.ID, w.Now().Add(time.Hour)) })
	if err != nil {
		return err
	}
	w.Advance(2 * time.Minute)
	if n, err := w.Store.Sweep(w.ctx, w.org, w.Now(), 10, resources.Placement); n != 1 || err != nil {
		return saw(err, "Sweep cleans %d; want one", n)
	}
	for _, x := range []struct {
		thing
		want bool
	}{{early, false}, {late, true}, {extended, true}} {
		got, err := w.get(x.thing)
		if err != nil || (got != nil) != x.want {
			return saw(err, "after Sweep: %v; want it there: %v", got, x.want)
		}
	}
	page, err := w.Store.Find(w.ctx, w.org, resources.Query{Kind: resources.KindToken, Limit: 10})
	if err != nil || page.Total != 2 {
		return saw(err, "the list of tokens has %d; want 2", page.Total)
	}
	return nil
}

func eraseAll(w *world) error {
	g, users, err := w.withMembers(30)
	if err != nil {
		return err
	}
	gone, err := w.group("gone")
	if err != nil {
		return err
	}
	tok, err := w.token()
	if err != nil {
		return err
	}
	claim := resources.Claim{Kind: resources.ClaimEmail, Key: "erase+" + string(w.org) + "@example.com"}
	err = w.do(func(tx resources.Tx) {
		tx.Put(nil, gone.rec, nil, gone.entries)
		tx.Put(nil, tok.rec, nil, tok.entries)
		tx.Expire(resources.KindToken, tok.rec.ID, w.Now())
		tx.Link(gone.rec.ID, users[0].rec.ID)
		tx.Link(g.rec.ID, gone.rec.ID)
		tx.Claim(claim, users[0].rec.ID)
		tx.Take(seats(2), users[0].rec.ID)
		tx.Take(seats(2), users[1].rec.ID)
		tx.Wait("line", users[2].rec.ID, 1, seats(2))
		tx.Due("done", w.Now())
		tx.Due("later", w.Now().Add(time.Hour))
		tx.Due("parked", w.Now())
		tx.Event(resources.Event{Type: "x"})
	})
	if err != nil {
		return err
	}
	if err := w.Vault.Put(w.ctx, w.org, "p", "k", []byte("v"), w.Now().Add(time.Hour)); err != nil {
		return err
	}
	if err := w.deleteGroup(gone); err != nil {
		return err
	}
	if err := w.leaseAndFail(); err != nil {
		return err
	}
	total, err := w.eraseOut()
	if err != nil {
		return err
	}
	if total < 32 {
		return fmt.Errorf("erasing says that it erased %d records of 32", total)
	}
	if n, err := w.Store.Erase(w.ctx, w.org, 7); n != 0 || err != nil {
		return saw(err, "Erase of nothing: %d", n)
	}
	return w.nothingLeft(users[0], g, claim)
}

// leaseAndFail leaves a lease, a postponed and a parked item.
func (w *world) leaseAndFail() error {
	lease, ok, err := w.Queue.Lease(w.ctx, w.org, "worker", time.Minute)
	if err != nil || !ok {
		return saw(err, "no lease")
	}
	items, _, err := w.dueItems()
	if err != nil || len(items) != 2 {
		return saw(err, "due are %v", items)
	}
	if ok, err := w.Queue.Postpone(w.ctx, lease, items[0], w.Now().Add(time.Minute)); err != nil || !ok {
		return saw(err, "postponed: %v", ok)
	}
	if ok, err := w.Queue.Park(w.ctx, lease, items[1], "broken", w.Now()); err != nil || !ok {
		return saw(err, "parked: %v", ok)
	}
	return nil
}

// eraseOut erases in small pieces until nothing is left.
func (w *world) eraseOut() (total int, err error) {
	for range 1000 {
		n, err := w.Store.Erase(w.ctx, w.org, 7)
		if total += n; n == 0 || err != nil {
			return total, err
		}
	}
	return total, errors.New("erasing does not come to an end")
}

func (w *world) nothingLeft(u, g thing, claim resources.Claim) error {
	for _, x := range []thing{u, g} {
		if got, err := w.get(x); got != nil || err != nil {
			return saw(err, "after Erase: %v", got)
		}
	}
	events, err := w.Store.Events(w.ctx, w.org, "", 1)
	if err != nil || len(events) != 0 {
		return saw(err, "after Erase: events %v", events)
	}
	secret, err := w.Vault.Peek(w.ctx, w.org, "p", "k")
	if err != nil || secret != nil {
		return saw(err, "after Erase: a secret %q", secret)
	}
	if err := w.stand(0, ""); err != nil {
		return fmt.Errorf("after Erase: %w", err)
	}
	if items, next, err := w.dueItems(); err != nil || len(items) > 0 || !next.IsZero() {
		return saw(err, "after Erase: due are %v, the next at %s", items, next)
	}
	other := newWorld(w.ctx, w.StoreEnv)
	if err := other.do(func(tx resources.Tx) { tx.Claim(claim, "x") }); err != nil {
		return fmt.Errorf("after Erase the claim is still held: %w", err)
	}
	return nil
}

func vaultChecks() []StoreCheck {
	return []StoreCheck{
		{"vault-gives-once", "Vault.Take, security V12", inWorld(vaultOnce)},
		{"vault-replaces-and-expires", "Vault", inWorld(vaultExpires)},
		{"vault-race", "Vault.Take, security V12", inWorld(vaultRace)},
		{"vault-adds-once", "Vault.Add, security T2", inWorld(vaultAdds)},
		{"vault-counts", "Vault.Count, security C1", inWorld(vaultCounts)},
	}
}

func vaultOnce(w *world) error {
	value := []byte("hash\x00of a secret")
	if err := w.Vault.Put(w.ctx, w.org, "invite", "key {with} braces:", value, w.Now().Add(time.Minute)); err != nil {
		return err
	}
	for range 2 {
		got, err := w.Vault.Peek(w.ctx, w.org, "invite", "key {with} braces:")
		if err != nil || !bytes.Equal(got, value) {
			return saw(err, "Peek gives %q", got)
		}
	}
	if got, err := w.Vault.Take(w.ctx, w.org, "other", "key {with} braces:"); got != nil || err != nil {
		return saw(err, "for another purpose Take gives %q", got)
	}
	for i, want := range [][]byte{value, nil} {
		got, err := w.Vault.Take(w.ctx, w.org, "invite", "key {with} braces:")
		if err != nil || !bytes.Equal(got, want) {
			return saw(err, "Take %d gives %q; want %q", i+1, got, want)
		}
	}
	return nil
}

func vaultExpires(w *world) error {
	put := func(v string) error {
		return w.Vault.Put(w.ctx, w.org, "code", "k", []byte(v), w.Now().Add(time.Minute))
	}
	if err := errors.Join(put("old"), put("new")); err != nil {
		return err
	}
	if got, err := w.Vault.Peek(w.ctx, w.org, "code", "k"); string(got) != "new" || err != nil {
		return saw(err, "after a second Put: %q", got)
	}
	w.Advance(time.Minute)
	if got, err := w.Vault.Peek(w.ctx, w.org, "code", "k"); got != nil || err != nil {
		return saw(err, "Peek gives what expired: %q", got)
	}
	if got, err := w.Vault.Take(w.ctx, w.org, "code", "k"); got != nil || err != nil {
		return saw(err, "Take gives what expired: %q", got)
	}
	if err := put("swept"); err != nil {
		return err
	}
	w.Advance(2 * time.Minute)
	if n, err := w.Store.Sweep(w.ctx, w.org, w.Now(), 10, resources.Placement); n != 1 || err != nil {
		return saw(err, "Sweep cleans %d secrets; want one", n)
	}
	return nil
}

func vaultRace(w *world) error {
	if err := w.Vault.Put(w.ctx, w.org, "once", "k", []byte("v"), w.Now().Add(time.Hour)); err != nil {
		return err
	}
	var got atomic.Int32
	errs := together(32, func(int) error {
		v, err := w.Vault.Take(w.ctx, w.org, "once", "k")
		if v != nil {
			got.Add(1)
		}
		return err
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if got.Load() != 1 {
		return fmt.Errorf("%d of 32 takers got the secret", got.Load())
	}
	return nil
}

func vaultCounts(w *world) error {
	count := func(key string, want int) error {
		n, err := w.Vault.Count(w.ctx, w.org, "tries", key, w.Now().Add(time.Minute))
		if err != nil || n != want {
			return saw(err, "Count gives %d; want %d", n, want)
		}
		return nil
	}
	if err := errors.Join(count("a", 1), count("a", 2), count("b", 1)); err != nil {
		return err
	}
	w.Advance(30 * time.Second)
	if err := count("a", 3); err != nil {
		return err
	}
	w.Advance(30 * time.Second) // the time of the first has passed
	if err := count("a", 1); err != nil {
		return err
	}
	if n, err := w.Vault.Count(w.ctx, w.org, "other", "a", w.Now().Add(time.Minute)); n != 1 || err != nil {
		return saw(err, "for another purpose Count gives %d; want one", n)
	}
	if n, err := w.Vault.Count(w.ctx, w.Org(), "tries", "a", w.Now().Add(time.Minute)); n != 1 || err != nil {
		return saw(err, "in another organization Count gives %d; want one", n)
	}
	w.Advance(20 * time.Second)
	if _, err := w.Store.Sweep(w.ctx, w.org, w.Now(), 10, resources.Placement); err != nil {
		return err
	}
	if err := count("a", 2); err != nil {
		return fmt.Errorf("after Sweep: %w", err)
	}
	var sum atomic.Int32
	errs := together(20, func(int) error {
		n, err := w.Vault.Count(w.ctx, w.org, "tries", "together", w.Now().Add(time.Minute))
		sum.Add(int32(n))
		return err
	})
	if err := errors.Join(errs...); err != nil || sum.Load() != 20*21/2 {
		return saw(err, "20 who count together get numbers with the sum %d", sum.Load())
	}
	return nil
}
