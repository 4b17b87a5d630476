package conformance

import (
	"errors"
	"fmt"
	"time"

	"github.com/usher-scim/usher/resources"
)

func groupChecks() []StoreCheck {
	return []StoreCheck{
		{"deleted-group-is-gone-at-once", "Tx.Delete", inWorld(deletedGroupGone)},
		{"sweep-clears-deleted-groups", "Store.Sweep", inWorld(sweepClears)},
		{"renamed-group-shows", "Record.Groups", inWorld(renamedGroup)},
		{"unmoved-membership", "Tx.Unmoved, security S18", inWorld(unmovedMembership)},
		{"size-of-a-group", "Record.Size", inWorld(sizeOfGroup)},
		{"one-time-for-document-and-links", "Record.LinksModified, R-27", inWorld(oneTime)},
	}
}

// withMembers makes a group with n members.
func (w *world) withMembers(n int) (thing, []thing, error) {
	g, users, err := w.team(n)
	if err != nil {
		return g, users, err
	}
	return g, users, w.do(func(tx resources.Tx) { tx.Link(g.rec.ID, idsOf(users)...) })
}

func (w *world) deleteGroup(g thing) error {
	_, err := w.update(func(tx resources.Tx) error {
		rec, err := tx.Read(resources.KindGroup, g.rec.ID)
		if err != nil {
			return err
		}
		tx.Delete(rec, g.entries)
		return nil
	})
	return err
}

func deletedGroupGone(w *world) error {
	g, users, err := w.withMembers(10)
	if err != nil {
		return err
	}
	if err := w.deleteGroup(g); err != nil {
		return err
	}
	if got, err := w.get(g); got != nil || err != nil {
		return saw(err, "the group is read as %v", got)
	}
	if err := w.withoutGroups(users); err != nil {
		return err
	}
	page, err := w.Store.Find(w.ctx, w.org, resources.Query{Kind: resources.KindUser, Limit: 20})
	if err != nil {
		return err
	}
	for _, r := range page.Records {
		if len(r.Groups) != 0 {
			return fmt.Errorf("the list shows the groups %v of %s", r.Groups, r.Display)
		}
	}
	refs, err := w.Store.Members(w.ctx, w.org, g.rec.ID, "", 10)
	if err != nil || len(refs) != 0 {
		return saw(err, "the group still has members: %v", refs)
	}
	again, err := w.group("team")
	if err != nil {
		return err
	}
	if err := w.create(again); err != nil {
		return fmt.Errorf("take the name of a deleted group: %w", err)
	}
	return nil
}

// withoutGroups checks that no reader sees a group of these users.
func (w *world) withoutGroups(users []thing) error {
	for _, u := range users {
		got, err := w.mustGet(u)
		if err != nil {
			return err
		}
		if len(got.Groups) != 0 {
			return fmt.Errorf("%s still shows %v", got.Display, got.Groups)
		}
		_, err = w.update(func(tx resources.Tx) error {
			groups, err := tx.GroupsOf(u.rec.ID)
			if err == nil && len(groups) != 0 {
				err = fmt.Errorf("GroupsOf still lists %v", groups)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func sweepClears(w *world) error {
	g, users, err := w.withMembers(120)
	if err != nil {
		return err
	}
	other, err := w.group("other")
	if err != nil {
		return err
	}
	if err := w.create(other); err != nil {
		return err
	}
	if err := w.do(func(tx resources.Tx) { tx.Link(other.rec.ID, users[0].rec.ID) }); err != nil {
		return err
	}
	if err := w.deleteGroup(g); err != nil {
		return err
	}
	cleaned := 0
	for range 1000 {
		n, err := w.Store.Sweep(w.ctx, w.org, w.Now(), 50, resources.Placement)
		if err != nil {
			return err
		}
		if cleaned += n; n == 0 {
			break
		}
		if n > 50 {
			return fmt.Errorf("asked for 50, Sweep did %d", n)
		}
	}
	if cleaned < 120 {
		return fmt.Errorf("sweeping cleaned %d things, want 120 memberships at least", cleaned)
	}
	if n, err := w.Store.Sweep(w.ctx, w.org, w.Now(), 50, resources.Placement); n != 0 || err != nil {
		return saw(err, "after the end Sweep cleans %d", n)
	}
	if err := w.withoutGroups(users[1:]); err != nil {
		return err
	}
	return w.linked(other, users[:2], []bool{true, false})
}

func renamedGroup(w *world) error {
	g, users, err := w.withMembers(1)
	if err != nil {
		return err
	}
	_, err = w.update(func(tx resources.Tx) error {
		rec, err := tx.Read(resources.KindGroup, g.rec.ID)
		if err != nil {
			return err
		}
		after := *rec
		after.Version, after.Display = 2, "renamed"
		tx.Put(rec, &after, g.entries, g.entries)
		return nil
	})
	if err != nil {
		return err
	}
	got, err := w.mustGet(users[0])
	if err != nil {
		return err
	}
	if len(got.Groups) != 1 || got.Groups[0].Display != "renamed" {
		return errors.New("a member does not show the group's new name")
	}
	return nil
}

// unmovedMembership: a commit that depends on the membership it saw is run
// again when it has changed meanwhile, and not otherwise.
func unmovedMembership(w *world) error {
	g, users, err := w.withMembers(3)
	if err != nil {
		return err
	}
	runs := 0
	_, err = w.update(func(tx resources.Tx) error {
		runs++
		rec, err := tx.Read(resources.KindGroup, g.rec.ID)
		if err != nil {
			return err
		}
		if runs == 1 {
			if err := w.do(func(tx resources.Tx) { tx.Unlink(g.rec.ID, users[0].rec.ID) }); err != nil {
				return err
			}
		}
		tx.Unmoved(g.rec.ID, rec.Links)
		tx.Unlink(g.rec.ID, users[1].rec.ID)
		return nil
	})
	if err != nil || runs < 2 {
		return saw(err, "%d runs beside a change of the membership; want at least 2", runs)
	}
	got, err := w.members(g.rec.ID, 10)
	if err != nil || len(got) != 1 || got[0] != users[2].rec.ID {
		return saw(err, "members %v; want only the third", got)
	}
	return nil
}

// sizeOfGroup: every reading of a group tells how many members it has.
func sizeOfGroup(w *world) error {
	g, _, err := w.withMembers(7)
	if err != nil {
		return err
	}
	one, err := w.mustGet(g)
	if err != nil || one.Size != 7 {
		return saw(err, "Get says %d members, want 7", one.Size)
	}
	for _, q := range []resources.Query{
		{},
		{Where: &resources.Cond{Op: resources.CondIs, Index: resources.GroupName, Value: resources.GroupName.Key(g.rec.Display)}},
	} {
		q.Kind, q.Limit, q.NoGroups = resources.KindGroup, 10, true
		page, err := w.Store.Find(w.ctx, w.org, q)
		if err != nil || len(page.Records) != 1 || page.Records[0].Size != 7 {
			return saw(err, "Find says %+v, want one group of 7", page)
		}
	}
	return nil
}

// oneTime: a group that is made with members has changed when it was made.
func oneTime(w *world) error {
	users, err := w.users("u", 2)
	if err != nil {
		return err
	}
	g, err := w.group("G")
	if err != nil {
		return err
	}
	_, err = w.update(func(tx resources.Tx) error {
		w.Advance(time.Second) // between the act's clock and the commit
		tx.Put(nil, g.rec, nil, g.entries)
		tx.Link(g.rec.ID, idsOf(users)...)
		return nil
	})
	if err != nil {
		return err
	}
	got, err := w.mustGet(g)
	if err != nil || !got.LastModified().Equal(got.CreatedAt()) {
		return saw(err, "created %v, changed %v; want one time", got.CreatedAt(), got.LastModified())
	}
	return nil
}
