package resources

import (
	"context"
	"errors"
	"fmt"

	"github.com/usher-scim/usher/internal/jsontree"
)

// groupFacts is what the rules look at in a group's document.
type groupFacts struct {
	displayName string
	externalID  string
	keys        []attrKey // values of declared attributes
	licences    []string  // SKUs that the document names for members (domain.md §5.3)
	template    string    // id of the template that gives members products, or ""
}

// groupOf reads a document with the keys it stands under.
func groupOf(doc *jsontree.Value, keys []attrKey) groupFacts {
	return groupFacts{displayName: doc.GetString("displayName"), externalID: doc.GetString("externalId"), keys: keys, licences: groupLicences(doc)}
}

// groupOf reads a document that is to be written in place of cur (nil at
// creation), with the values that the caller's organization declared. Codes:
// invalid_value for too many of them.
func (c Caller) groupOf(cur *Record, doc *jsontree.Value) (g groupFacts, err error) {
	g = groupOf(doc, nil)
	if c.Declared != nil || cur != nil {
		g.keys, err = declaredKeys(c.Declared, "Group", cur, doc)
	}
	return g, err
}

// entries are the group's places in the indexes.
func (g groupFacts) entries(id string, modified int64) []Entry {
	name := GroupName.Key(g.displayName) // the same in both indexes
	out := []Entry{
		{Index: GroupAll, Value: id},
		{Index: GroupName, Value: name},
		{Index: GroupNameOrder, Value: name},
		{Index: GroupModified, Time: modified},
	}
	if g.externalID != "" {
		out = append(out, Entry{Index: GroupExternalID, Value: GroupExternalID.Key(g.externalID)})
	}
	return keyEntries(g.facts(out), KindGroup, "Group", g.keys)
}

// CreateGroup stores a new group with its members. doc is a checked SCIM Group
// without id and members; members are well formed ids, each once. More of them
// than one commit can handle are looked up first and linked in further commits.
// Codes: display_name_in_use, member_unknown (L-25), invalid_value for a
// document that is too large (security S11).
func (d *Directory) CreateGroup(ctx context.Context, c Caller, doc jsontree.Value, members []string) (*Record, error) {
	if err := c.may(KindGroup, true); err != nil {
		return nil, err
	}
	if len(members) > memberPiece { // fewer are checked by the commit itself
		if err := d.knownMembers(ctx, c.Org, members); err != nil {
			return nil, fmt.Errorf("create group: %w", err)
		}
	}
	unshown(&doc)
	g, err := c.groupOf(nil, &doc)
	if err != nil {
		return nil, err
	}
	licences := groupLicensed{d: d, c: c}
	if err := d.byWhatIs(ctx, c.Org, func() error { return licences.check(ctx, g.licences, nil) }); err != nil {
		return nil, err
	}
	first, run := members[:min(len(members), memberPiece)], 0
	var long *longChange
	rec, err := d.create(ctx, c, KindGroup, func(tx Tx, id string, now int64) (*Record, error) {
		run++
		if g.template, err = licences.create(ctx, tx, id, run); err != nil {
			return nil, err
		}
		rec := &Record{
			Kind: KindGroup, ID: id, Version: 1, Created: now, Modified: now,
			Display: clip(g.displayName, 120), Profile: shown(&doc, id, g.blocks()), Standing: g.standing(),
		}
		tx.Put(nil, rec, nil, g.entries(id, now))
		if len(first) > 0 {
			c.Work.add(len(first))
			tx.Link(id, first...)
		}
		if len(members) > len(first) {
			if long, err = d.beginChange(tx, c, id, MemberEdit{Add: members}); err != nil {
				return nil, err
			}
		}
		tx.Event(Event{Type: "group.created", Kind: KindGroup, ID: id, Version: 1, Actor: c.Token, Request: c.Request, Added: first})
		return rec, nil
	})
	if err != nil {
		return nil, fmt.Errorf("create group: %w", groupRefused(err, c, ""))
	}
	licences.done()
	// Of a creation that is repeated the rest of the members may be missing still:
	// then the first one's change is under way, and is waited for.
	if _, err := d.finishChange(ctx, c, rec.ID, long, members[len(first):], nil); err != nil {
		return nil, fmt.Errorf("create group: %w", err)
	}
	return rec, nil
}

// GroupEdit changes a group: it gets the stored record and its document
// (without members) and returns the new document and the change of the
// membership. It may run several times.
type GroupEdit func(cur *Record, doc jsontree.Value) (jsontree.Value, MemberEdit, error)

// UpdateGroup changes a group's document and membership. Membership changes
// that fit into one commit are made together with the document; more are
// checked first and then made in pieces, which come to their end whatever
// happens to the caller (see longChange). changed tells whether anything was written.
// Codes: not_found and those of [Directory.CreateGroup].
func (d *Directory) UpdateGroup(ctx context.Context, c Caller, id string, edit GroupEdit) (changed bool, err error) {
	if err := c.may(KindGroup, true); err != nil {
		return false, err
	}
	if k, ok := KindOf(id); !ok || k != KindGroup {
		return false, notFound(KindGroup)
	}
	var made groupUpdate
	err = d.guarded(ctx, c, id, func(g *guarding) error {
		return d.byWhatIs(ctx, c.Org, func() (err error) {
			made, err = d.updateGroup(ctx, c, id, edit, g)
			return err
		})
	})
	if err != nil {
		return false, fmt.Errorf("update group: %w", groupRefused(err, c, id))
	}
	add, remove := restOf(made.add, made.remove)
	more, err := d.finishChange(ctx, c, id, made.long, add, remove)
	if err != nil {
		return true, fmt.Errorf("update group: %w", err)
	}
	return made.commit.Changed || more, nil
}

// groupUpdate is the first commit of a change of a group.
type groupUpdate struct {
	commit      Commit
	add, remove []string    // of members, in all
	long        *longChange // what the rest of them is part of; nil: there is no rest
}

// updateGroup makes the first commit of a change of a group, once g agrees.
func (d *Directory) updateGroup(ctx context.Context, c Caller, id string, edit GroupEdit, g *guarding) (made groupUpdate, err error) {
	run := 0
	licences := groupLicensed{d: d, c: c}
	made.commit, err = d.store.Update(ctx, c.Org, func(ctx context.Context, tx Tx) error {
		run++
		p, err := d.planIn(ctx, tx, c.Org, run)
		if err != nil {
			return err
		}
		cur, err := tx.Read(KindGroup, id)
		if err != nil {
			return err
		}
		if cur == nil {
			return notFound(KindGroup)
		}
		var members MemberEdit
		doc, next, err := editDocument(cur, func(cur *Record, doc jsontree.Value) (out jsontree.Value, err error) {
			out, members, err = edit(cur, doc)
			return out, err
		})
		if err != nil {
			return err
		}
		if members.AsSeen || members.Replace { // what replaces depends on what there was
			tx.Unmoved(id, cur.Links)
		}
		if made.add, made.remove, err = d.memberChanges(ctx, c, id, members); err != nil {
			return err
		}
		if err := g.of(made.remove).check(p, id); err != nil {
			return err
		}
		if made.long = nil; len(made.add)+len(made.remove) > memberPiece {
			if made.long, err = d.beginChange(tx, c, id, members); err != nil {
				return err
			}
		}
		return d.writeGroup(ctx, tx, &licences, p, cur, &doc, &next, made.add, made.remove)
	})
	if err == nil {
		licences.done()
	}
	return made, err
}

// writeGroup asks for the commit of a changed document and of the first piece
// of membership changes.
func (d *Directory) writeGroup(ctx context.Context, tx Tx, licences *groupLicensed, p *Plan, cur *Record, doc, next *jsontree.Value, add, remove []string) error {
	c := licences.c
	event := Event{Type: "group.updated", Kind: KindGroup, ID: cur.ID, Version: cur.Version, Actor: c.Token, Request: c.Request}
	if !jsontree.Equal(doc, next) {
		now := max(d.now().UnixMilli(), cur.Modified, cur.LinksModified)
		before := groupIn(cur, doc)
		after, err := c.groupOf(cur, next)
		if err != nil {
			return err
		}
		if after.template, err = licences.change(ctx, tx, p, cur.ID, &before, &after); err != nil {
			return err
		}
		r := *cur
		r.Version, r.Modified, r.Display, r.Profile = cur.Version+1, now, clip(after.displayName, 120), shown(next, cur.ID, after.blocks())
		r.Standing = after.standing()
		if err := checkSize(cur, &r); err != nil {
			return err
		}
		tx.Put(cur, &r, before.entries(cur.ID, cur.Modified), after.entries(cur.ID, now))
		event.Version, event.Changed = r.Version, changedNames(doc, next)
	}
	event.Added, event.Removed = firstOf(add, remove)
	c.Work.add(len(event.Added) + len(event.Removed))
	if len(event.Added) > 0 {
		tx.Link(cur.ID, event.Added...)
	}
	if len(event.Removed) > 0 {
		tx.Unlink(cur.ID, event.Removed...)
	}
	d.dueMembers(tx, p, cur.ID, event.Added, event.Removed)
	if len(event.Changed)+len(event.Added)+len(event.Removed) > 0 {
		tx.Event(event)
	}
	return nil
}

// firstOf cuts changes to what one commit makes, restOf is what is left.
func firstOf(add, remove []string) (a, r []string) {
	a = add[:min(len(add), memberPiece)]
	return a, remove[:min(len(remove), memberPiece-len(a))]
}

func restOf(add, remove []string) (a, r []string) {
	fa, fr := firstOf(add, remove)
	return add[len(fa):], remove[len(fr):]
}

// groupRefused turns a refused commit into the error of the rule behind it.
func groupRefused(err error, c Caller, group string) error {
	var r *Refusal
	if !errors.As(err, &r) {
		return err
	}
	if taken := attributeTaken(r, c); taken != nil {
		return taken
	}
	switch {
	case r.Reason == RefusedName:
		return &Error{Code: CodeDisplayNameInUse, Field: "displayName", Detail: "displayName is already in use in your organization, by the group with id " + r.Holder + "."}
	case r.Reason == RefusedMissing && r.Value == group:
		return notFound(KindGroup)
	case r.Reason == RefusedMissing:
		return memberUnknown(r.Value)
	}
	return err
}

// DeleteGroup removes a group, its membership and its place in other groups.
// check is as in [Directory.DeleteUser].
func (d *Directory) DeleteGroup(ctx context.Context, c Caller, id string, check func(*Record) error) error {
	return d.guarded(ctx, c, id, func(g *guarding) error {
		return d.remove(ctx, c, KindGroup, id, check, func(ctx context.Context, r removal) error {
			p, err := d.planIn(ctx, r.tx, c.Org, r.run)
			if err != nil {
				return err
			}
			if err := d.disband(ctx, r.tx, c, p, id, g); err != nil {
				return err
			}
			facts := groupIn(r.cur, r.doc)
			r.tx.Delete(r.cur, facts.entries(id, max(r.cur.Modified, r.cur.LinksModified)))
			r.tx.Event(Event{Type: "group.deleted", Kind: KindGroup, ID: id, Actor: c.Token, Request: c.Request, Names: []string{facts.displayName, facts.externalID}})
			return nil
		})
	})
}
