package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/usher-scim/usher/resources"
)

func linkChecks() []StoreCheck {
	return []StoreCheck{
		{"links-both-ways", "Tx.Link, security V7", inWorld(linksBothWays)},
		{"link-of-the-same-changes-nothing", "Tx.Link, Commit", inWorld(linkSame)},
		{"links-counted-once-a-commit", "Record.Links", inWorld(linksCounted)},
		{"last-word-on-a-member-counts", "Tx.Link, Tx.Unlink", inWorld(lastWord)},
		{"link-of-the-missing", "RefusedMissing", inWorld(linkMissing)},
		{"link-within-creation", "Tx.Link", inWorld(linkWithinCreation)},
		{"concurrent-member-adds", "Tx.Link", inWorld(concurrentAdds)},
		{"group-in-group", "Tx.Link", inWorld(groupInGroup)},
		{"members-by-pieces", "Store.Members, Store.MemberIDs", inWorld(membersByPieces)},
		{"groups-of-is-noted", "Tx.GroupsOf", inWorld(groupsOfNoted)},
		{"deleted-user-leaves", "Tx.Delete, Tx.Unlink", inWorld(deletedUserLeaves)},
		{"a-thousand-links", "Tx.Link", inWorld(thousandLinks)},
	}
}

func linksBothWays(w *world) error {
	g, users, err := w.team(3)
	if err != nil {
		return err
	}
	c, err := w.update(func(tx resources.Tx) error {
		tx.Link(g.rec.ID, users[0].rec.ID, users[1].rec.ID)
		return nil
	})
	if err != nil || !c.Changed {
		return saw(err, "link: %+v", c)
	}
	if err := w.linked(g, users, []bool{true, true, false}); err != nil {
		return err
	}
	if err := w.do(func(tx resources.Tx) { tx.Unlink(g.rec.ID, users[0].rec.ID, users[2].rec.ID) }); err != nil {
		return err
	}
	return w.linked(g, users, []bool{false, true, false})
}

// linked compares both directions of membership with what is wanted.
func (w *world) linked(g thing, users []thing, want []bool) error {
	in, err := w.Store.IsMember(w.ctx, w.org, g.rec.ID, idsOf(users))
	if err != nil {
		return err
	}
	if !slices.Equal(in, want) {
		return fmt.Errorf("the group says %v, want %v", in, want)
	}
	for i, u := range users {
		got, err := w.mustGet(u)
		if err != nil {
			return err
		}
		var groups []resources.GroupRef
		if want[i] {
			groups = []resources.GroupRef{{ID: g.rec.ID, Display: g.rec.Display}}
		}
		if !slices.Equal(got.Groups, groups) {
			return fmt.Errorf("member %d says %v, want %v", i, got.Groups, groups)
		}
		if got.Version != u.rec.Version {
			return fmt.Errorf("a link changed the version of a member to %d", got.Version)
		}
	}
	return nil
}

func linkSame(w *world) error {
	g, users, err := w.team(2)
	if err != nil {
		return err
	}
	link := func(tx resources.Tx) error {
		tx.Link(g.rec.ID, users[0].rec.ID)
		tx.Unlink(g.rec.ID, users[1].rec.ID)
		tx.Event(resources.Event{Type: "group.updated", Kind: resources.KindGroup, ID: g.rec.ID})
		return nil
	}
	if c, err := w.update(link); err != nil || !c.Changed || c.LSN == "" {
		return saw(err, "the first link: %+v", c)
	}
	before, err := w.mustGet(g)
	if err != nil {
		return err
	}
	w.Advance(time.Second)
	if c, err := w.update(link); err != nil || c.Changed || c.LSN != "" {
		return saw(err, "the same link again: %+v; want nothing changed", c)
	}
	after, err := w.mustGet(g)
	if err != nil {
		return err
	}
	if after.Links != before.Links || after.LinksModified != before.LinksModified {
		return fmt.Errorf("links went from %d to %d", before.Links, after.Links)
	}
	events, err := w.Store.Events(w.ctx, w.org, "", 10)
	if err != nil || len(events) != 1 {
		return saw(err, "%d events; want one", len(events))
	}
	return nil
}

func linksCounted(w *world) error {
	g, users, err := w.team(5)
	if err != nil {
		return err
	}
	for i := range 3 {
		if err := w.do(func(tx resources.Tx) { tx.Link(g.rec.ID, idsOf(users[:i+2])...) }); err != nil {
			return err
		}
		got, err := w.mustGet(g)
		if err != nil {
			return err
		}
		if got.Links != uint64(i+1) || got.LinksModified != w.Now().UnixMilli() || got.Version != 1 {
			return fmt.Errorf("after %d commits: links %d at %d, version %d", i+1, got.Links, got.LinksModified, got.Version)
		}
	}
	return nil
}

func lastWord(w *world) error {
	g, users, err := w.team(2)
	if err != nil {
		return err
	}
	a, b := users[0].rec.ID, users[1].rec.ID
	err = w.do(func(tx resources.Tx) {
		tx.Link(g.rec.ID, a, b, a)
		tx.Unlink(g.rec.ID, a)
	})
	if err != nil {
		return err
	}
	return w.linked(g, users, []bool{false, true})
}

func linkMissing(w *world) error {
	g, users, err := w.team(1)
	if err != nil {
		return err
	}
	absentUser, err := w.newID(resources.KindUser)
	if err != nil {
		return err
	}
	absentGroup, err := w.newID(resources.KindGroup)
	if err != nil {
		return err
	}
	token, err := w.newID(resources.KindToken)
	if err != nil {
		return err
	}
	for _, c := range []struct{ group, member, want string }{
		{g.rec.ID, absentUser, absentUser},
		{g.rec.ID, absentGroup, absentGroup},
		{g.rec.ID, "nonsense", "nonsense"},
		{g.rec.ID, token, token},
		{absentGroup, users[0].rec.ID, absentGroup},
		{users[0].rec.ID, users[0].rec.ID, users[0].rec.ID},
	} {
		r, err := refused(w.do(func(tx resources.Tx) { tx.Link(c.group, users[0].rec.ID, c.member) }), resources.RefusedMissing)
		if err != nil {
			return fmt.Errorf("link %s to %s: %w", c.member, c.group, err)
		}
		if r.Value != c.want {
			return fmt.Errorf("the refusal names %s, want %s", r.Value, c.want)
		}
	}
	if err := w.linked(g, users, []bool{false}); err != nil {
		return err
	}
	if err := w.do(func(tx resources.Tx) { tx.Unlink(g.rec.ID, absentUser, "nonsense") }); err != nil {
		return fmt.Errorf("unlink of what is not there: %w", err)
	}
	_, err = refused(w.do(func(tx resources.Tx) { tx.Unlink(absentGroup, users[0].rec.ID) }), resources.RefusedMissing)
	return err
}

func linkWithinCreation(w *world) error {
	g, err := w.group("g")
	if err != nil {
		return err
	}
	u, err := w.user("u")
	if err != nil {
		return err
	}
	err = w.do(func(tx resources.Tx) {
		tx.Link(g.rec.ID, u.rec.ID)
		tx.Put(nil, g.rec, nil, g.entries)
		tx.Put(nil, u.rec, nil, u.entries)
	})
	if err != nil {
		return err
	}
	return w.linked(g, []thing{u}, []bool{true})
}

func concurrentAdds(w *world) error {
	const n = 200
	g, users, err := w.team(n)
	if err != nil {
		return err
	}
	errs := together(n, func(i int) error {
		return w.do(func(tx resources.Tx) { tx.Link(g.rec.ID, users[i].rec.ID) })
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	got, err := w.members(g.rec.ID, 64)
	if err != nil {
		return err
	}
	if err := sameIDs(got, sorted(idsOf(users))); err != nil {
		return err
	}
	rec, err := w.mustGet(g)
	if err == nil && rec.Links != n {
		err = fmt.Errorf("links is %d after %d commits", rec.Links, n)
	}
	return err
}

func groupInGroup(w *world) error {
	outer, err := w.group("outer")
	if err != nil {
		return err
	}
	inner, err := w.group("inner")
	if err != nil {
		return err
	}
	if err := w.create(outer, inner); err != nil {
		return err
	}
	if err := w.do(func(tx resources.Tx) { tx.Link(outer.rec.ID, inner.rec.ID) }); err != nil {
		return err
	}
	got, err := w.mustGet(inner)
	if err != nil {
		return err
	}
	if want := []resources.GroupRef{{ID: outer.rec.ID, Display: "outer"}}; !slices.Equal(got.Groups, want) {
		return fmt.Errorf("the inner group says %v, want %v", got.Groups, want)
	}
	refs, err := w.Store.Members(w.ctx, w.org, outer.rec.ID, "", 10)
	if want := []resources.MemberRef{{ID: inner.rec.ID, Display: "inner"}}; err != nil || !slices.Equal(refs, want) {
		return saw(err, "the outer group says %v; want %v", refs, want)
	}
	return nil
}

func membersByPieces(w *world) error {
	g, users, err := w.team(25)
	if err != nil {
		return err
	}
	if err := w.do(func(tx resources.Tx) { tx.Link(g.rec.ID, idsOf(users)...) }); err != nil {
		return err
	}
	want := sorted(idsOf(users))
	for _, piece := range []int{1, 7, 25, 100} {
		got, err := w.members(g.rec.ID, piece)
		if err != nil {
			return err
		}
		if err := sameIDs(got, want); err != nil {
			return fmt.Errorf("pieces of %d: %w", piece, err)
		}
	}
	refs, err := w.Store.Members(w.ctx, w.org, g.rec.ID, want[3], 2)
	if err != nil || len(refs) != 2 || refs[0].ID != want[4] || refs[1].ID != want[5] {
		return saw(err, "two after the fourth: %v", refs)
	}
	for _, u := range users {
		if u.rec.ID == refs[0].ID && refs[0].Display != u.rec.Display {
			return fmt.Errorf("a member is shown as %q, want %q", refs[0].Display, u.rec.Display)
		}
	}
	ids, err := w.Store.MemberIDs(w.ctx, w.org, g.rec.ID, want[0], 10_000)
	if err != nil {
		return err
	}
	return sameIDs(ids, want[1:])
}

// groupsOfNoted changes the list between a closure's look and its commit.
func groupsOfNoted(w *world) error {
	g, users, err := w.team(1)
	if err != nil {
		return err
	}
	u, runs := users[0].rec.ID, 0
	var saw [][]string
	_, err = w.update(func(tx resources.Tx) error {
		runs++
		groups, err := tx.GroupsOf(u)
		if err != nil {
			return err
		}
		saw = append(saw, groups)
		if runs == 1 {
			if err := w.do(func(tx resources.Tx) { tx.Link(g.rec.ID, u) }); err != nil {
				return err
			}
		}
		tx.Event(resources.Event{Type: "x"})
		return nil
	})
	if err != nil {
		return err
	}
	if runs != 2 || len(saw[0]) != 0 || !slices.Equal(saw[1], []string{g.rec.ID}) {
		return fmt.Errorf("%d runs saw %v, want none and then the group", runs, saw)
	}
	return nil
}

func deletedUserLeaves(w *world) error {
	g, users, err := w.team(3)
	if err != nil {
		return err
	}
	if err := w.do(func(tx resources.Tx) { tx.Link(g.rec.ID, idsOf(users)...) }); err != nil {
		return err
	}
	gone := users[1]
	_, err = w.Store.Update(w.ctx, w.org, func(_ context.Context, tx resources.Tx) error {
		rec, err := tx.Read(resources.KindUser, gone.rec.ID)
		if err != nil {
			return err
		}
		groups, err := tx.GroupsOf(gone.rec.ID)
		if err != nil {
			return err
		}
		for _, id := range groups {
			tx.Unlink(id, gone.rec.ID)
		}
		tx.Delete(rec, gone.entries)
		return nil
	})
	if err != nil {
		return err
	}
	got, err := w.members(g.rec.ID, 10)
	if err != nil {
		return err
	}
	if err := sameIDs(got, sorted(idsOf([]thing{users[0], users[2]}))); err != nil {
		return err
	}
	rec, err := w.mustGet(g)
	if err == nil && rec.Links != 2 {
		err = fmt.Errorf("links is %d, want 2", rec.Links)
	}
	return err
}

func thousandLinks(w *world) error {
	g, users, err := w.team(1000)
	if err != nil {
		return err
	}
	if err := w.do(func(tx resources.Tx) { tx.Link(g.rec.ID, idsOf(users)...) }); err != nil {
		return err
	}
	got, err := w.members(g.rec.ID, 600)
	if err != nil {
		return err
	}
	if err := sameIDs(got, sorted(idsOf(users))); err != nil {
		return err
	}
	if err := w.do(func(tx resources.Tx) { tx.Unlink(g.rec.ID, idsOf(users)...) }); err != nil {
		return err
	}
	if got, err = w.members(g.rec.ID, 600); err != nil || len(got) != 0 {
		return saw(err, "%d members are left", len(got))
	}
	return nil
}
