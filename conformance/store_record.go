package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/usher-scim/usher/resources"
)

func recordChecks() []StoreCheck {
	return []StoreCheck{
		{"create-then-read", "Store.Get, Store.Update", inWorld(createThenRead)},
		{"every-size-reads-back", "Record", inWorld(everySizeReadsBack)},
		{"update-then-read", "Tx.Put", inWorld(updateThenRead)},
		{"delete-then-gone", "Tx.Delete", inWorld(deleteThenGone)},
		{"many-keeps-places", "Store.Many", inWorld(manyKeepsPlaces)},
		{"exist", "Store.Exist", inWorld(existTells)},
		{"name-taken", "Tx.Put, RefusedName", inWorld(nameTaken)},
		{"name-freed", "Tx.Put, Tx.Delete", inWorld(nameFreed)},
		{"name-handed-over", "Tx.Put", inWorld(nameHandedOver)},
		{"racing-creates-of-one-name", "RefusedName, security V6", inWorld(racingCreates)},
		{"organizations-apart", "Store", inWorld(organizationsApart)},
	}
}

func createThenRead(w *world) error {
	u, err := w.user("ada")
	if err != nil {
		return err
	}
	u.rec.Standing = []byte(`{"state":"active"}`)
	if got, err := w.get(u); got != nil || err != nil {
		return saw(err, "before: got %v; want nothing", got)
	}
	c, err := w.update(func(tx resources.Tx) error { tx.Put(nil, u.rec, nil, u.entries); return nil })
	if err != nil {
		return err
	}
	if !c.Changed {
		return errors.New("the commit says that nothing was written")
	}
	got, err := w.get(u)
	if err != nil {
		return err
	}
	if err := same(got, u.rec); err != nil {
		return err
	}
	if got, err := w.Store.Get(w.ctx, w.org, resources.KindGroup, u.rec.ID); got != nil || err != nil {
		return saw(err, "read as a group: got %v; want nothing", got)
	}
	if got, err := w.Store.Get(w.ctx, w.org, resources.KindUser, "no/such id"); got != nil || err != nil {
		return saw(err, "a malformed id: got %v; want nothing", got)
	}
	return nil
}

func everySizeReadsBack(w *world) error {
	for _, n := range []int{0, 1, 150, 199, 200, 201, 1000, 70_000, 300_000} {
		u, err := w.user(fmt.Sprintf("size%d", n))
		if err != nil {
			return err
		}
		u.rec.Profile = []byte(`{"x":"` + strings.Repeat("é", n/2) + `"}`)
		u.rec.Standing = []byte(strings.Repeat("s", n%7))
		u.rec.Display = strings.Repeat("d", n%121)
		if err := w.create(u); err != nil {
			return fmt.Errorf("size %d: %w", n, err)
		}
		got, err := w.get(u)
		if err != nil {
			return fmt.Errorf("size %d: %w", n, err)
		}
		if err := same(got, u.rec); err != nil {
			return fmt.Errorf("size %d: %w", n, err)
		}
	}
	return nil
}

func updateThenRead(w *world) error {
	u, err := w.user("before")
	if err != nil {
		return err
	}
	if err := w.create(u); err != nil {
		return err
	}
	first, err := w.mustGet(u)
	if err != nil {
		return err
	}
	next, err := w.rewrite(u, "after")
	if err != nil {
		return err
	}
	got, err := w.get(u)
	if err != nil {
		return err
	}
	if err := same(got, next.rec); err != nil {
		return err
	}
	if got.Stamp == first.Stamp {
		return errors.New("two commits have the same stamp")
	}
	return w.nameIs(map[string]string{"before": "", "after": u.rec.ID})
}

// nameIs compares the holders of user names.
func (w *world) nameIs(want map[string]string) error {
	for name, id := range want {
		got, err := w.Store.Named(w.ctx, w.org, resources.UserName, name)
		if err != nil || got != id {
			return saw(err, "the name %s belongs to %q, want %q", name, got, id)
		}
	}
	return nil
}

func deleteThenGone(w *world) error {
	users, err := w.users("x", 2)
	if err != nil {
		return err
	}
	rec, err := w.mustGet(users[0])
	if err != nil {
		return err
	}
	if err := w.do(func(tx resources.Tx) { tx.Delete(rec, users[0].entries) }); err != nil {
		return err
	}
	if got, err := w.get(users[0]); got != nil || err != nil {
		return saw(err, "after the delete: got %v; want nothing", got)
	}
	page, err := w.Store.Find(w.ctx, w.org, resources.Query{Kind: resources.KindUser, Limit: 10})
	if err != nil {
		return err
	}
	if page.Total != 1 || len(page.Records) != 1 || page.Records[0].ID != users[1].rec.ID {
		return fmt.Errorf("the list after the delete has %d of %d records", len(page.Records), page.Total)
	}
	return w.nameIs(map[string]string{"x0": "", "x1": users[1].rec.ID})
}

func manyKeepsPlaces(w *world) error {
	users, err := w.users("m", 3)
	if err != nil {
		return err
	}
	absent, err := w.newID(resources.KindUser)
	if err != nil {
		return err
	}
	ids := []string{users[2].rec.ID, absent, "nonsense", users[0].rec.ID}
	recs, err := w.Store.Many(w.ctx, w.org, ids)
	if err != nil {
		return err
	}
	if len(recs) != 4 || recs[1] != nil || recs[2] != nil {
		return fmt.Errorf("got %v, want four places with two empty", recs)
	}
	return errors.Join(same(recs[0], users[2].rec), same(recs[3], users[0].rec))
}

func existTells(w *world) error {
	g, users, err := w.team(2)
	if err != nil {
		return err
	}
	absent, err := w.newID(resources.KindUser)
	if err != nil {
		return err
	}
	got, err := w.Store.Exist(w.ctx, w.org, []string{users[1].rec.ID, absent, g.rec.ID, "nonsense", users[0].rec.ID})
	if err != nil {
		return err
	}
	if want := []bool{true, false, true, false, true}; !slices.Equal(got, want) {
		return fmt.Errorf("got %v, want %v", got, want)
	}
	return nil
}

func nameTaken(w *world) error {
	first, err := w.user("Same")
	if err != nil {
		return err
	}
	if err := w.create(first); err != nil {
		return err
	}
	second, err := w.user("sAME")
	if err != nil {
		return err
	}
	r, err := refused(w.create(second), resources.RefusedName)
	if err != nil {
		return err
	}
	if r.Index != resources.UserName || r.Value != "same" || r.Holder != first.rec.ID {
		return fmt.Errorf("the refusal is %+v", *r)
	}
	if got, err := w.get(second); got != nil || err != nil {
		return saw(err, "a refused create left %v", got)
	}
	return nil
}

func nameFreed(w *world) error {
	u, err := w.user("first")
	if err != nil {
		return err
	}
	if err := w.create(u); err != nil {
		return err
	}
	if _, err := w.rewrite(u, "second"); err != nil {
		return err
	}
	again, err := w.user("first")
	if err != nil {
		return err
	}
	if err := w.create(again); err != nil {
		return fmt.Errorf("take a name that was given up: %w", err)
	}
	return w.nameIs(map[string]string{"first": again.rec.ID, "second": u.rec.ID})
}

// nameHandedOver deletes one record and gives its name to another in the
// same commit.
func nameHandedOver(w *world) error {
	old, err := w.user("name")
	if err != nil {
		return err
	}
	if err := w.create(old); err != nil {
		return err
	}
	next, err := w.user("name")
	if err != nil {
		return err
	}
	_, err = w.update(func(tx resources.Tx) error {
		rec, err := tx.Read(resources.KindUser, old.rec.ID)
		if err != nil {
			return err
		}
		tx.Delete(rec, old.entries)
		tx.Put(nil, next.rec, nil, next.entries)
		return nil
	})
	if err != nil {
		return err
	}
	return w.nameIs(map[string]string{"name": next.rec.ID})
}

func racingCreates(w *world) error {
	var won atomic.Int32
	errs := together(24, func(int) error {
		u, err := w.user("the-one")
		if err != nil {
			return err
		}
		err = w.create(u)
		if err == nil {
			won.Add(1)
			return nil
		}
		_, err = refused(err, resources.RefusedName)
		return err
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	page, err := w.Store.Find(w.ctx, w.org, resources.Query{Kind: resources.KindUser, Limit: 100})
	if err != nil {
		return err
	}
	if won.Load() != 1 || page.Total != 1 {
		return fmt.Errorf("%d of 24 creates won and %d users exist, want one", won.Load(), page.Total)
	}
	return nil
}

func organizationsApart(w *world) error {
	u, err := w.user("shared")
	if err != nil {
		return err
	}
	if err := w.create(u); err != nil {
		return err
	}
	other := newWorld(w.ctx, w.StoreEnv)
	if got, err := other.get(u); got != nil || err != nil {
		return saw(err, "another organization reads %v", got)
	}
	if err := other.create(u); err != nil {
		return fmt.Errorf("the same id and name in another organization: %w", err)
	}
	for _, bad := range []resources.OrgID{"", "a}b", "UPPER", "x:y", "toolongforanorganization"} {
		_, err := w.Store.Get(w.ctx, bad, resources.KindUser, u.rec.ID)
		_, err2 := w.Store.Update(w.ctx, bad, func(context.Context, resources.Tx) error { return nil })
		if err == nil || err2 == nil {
			return fmt.Errorf("the organization id %q is accepted", bad)
		}
	}
	return nil
}
