package resources

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/usher-scim/usher/internal/jsontree"
)

// How much one commit does at most, so that no script keeps the store from
// others for long.
const (
	memberPiece = 250             // membership changes of a group: about 2 ms of script among a million users
	leavePiece  = memberPiece / 2 // groups that a deleted member leaves, each with an event
)

// MemberEdit is a change of a group's membership. Ids are well formed; each
// stands in Add or Remove at most once.
type MemberEdit struct {
	Replace bool // the membership becomes exactly Add; Remove is not looked at
	Add     []string
	Remove  []string

	// AsSeen makes the commit depend on the membership being as the edit saw
	// it in Record.Links, for edits under If-Match.
	AsSeen bool
}

// Empty reports whether the edit asks for nothing.
func (e *MemberEdit) Empty() bool {
	return !e.Replace && len(e.Add) == 0 && len(e.Remove) == 0
}

// EditMembers changes only the membership of a group, without reading the
// group: the cost is that of the change, at any size of the group. Only Replace
// walks the membership there is. changed tells whether anything was written.
// Codes: not_found, member_unknown (L-25).
func (d *Directory) EditMembers(ctx context.Context, c Caller, id string, edit MemberEdit) (changed bool, err error) {
	if err := c.may(KindGroup, true); err != nil {
		return false, err
	}
	if k, ok := KindOf(id); !ok || k != KindGroup {
		return false, notFound(KindGroup)
	}
	if edit.Replace || edit.AsSeen || len(edit.Add)+len(edit.Remove) > memberPiece {
		return d.UpdateGroup(ctx, c, id, func(_ *Record, doc jsontree.Value) (jsontree.Value, MemberEdit, error) {
			return doc, edit, nil
		})
	}
	err = d.guarded(ctx, c, id, func(g *guarding) error {
		changed, err = d.commitMembers(ctx, c, id, edit.Add, edit.Remove, g.of(edit.Remove), nil)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("edit members: %w", groupRefused(err, c, id))
	}
	return changed, nil
}

// commitMembers makes one commit of membership changes, after g, when not nil,
// agrees, as a part of l, when that is not nil. An empty one still proves that
// the group exists.
func (d *Directory) commitMembers(ctx context.Context, c Caller, id string, add, remove []string, g *guarding, l *longChange) (bool, error) {
	c.Work.add(len(add) + len(remove))
	if len(add)+len(remove) == 0 {
		known, err := d.store.Exist(ctx, c.Org, []string{id})
		if err == nil && !known[0] {
			err = notFound(KindGroup)
		}
		return false, err
	}
	run := 0
	commit, err := d.store.Update(ctx, c.Org, func(ctx context.Context, tx Tx) error {
		run++
		p, err := d.planIn(ctx, tx, c.Org, run)
		if err != nil {
			return err
		}
		if err := g.check(p, id); err != nil {
			return err
		}
		l.within(tx)
		if len(add) > 0 {
			tx.Link(id, add...)
		}
		if len(remove) > 0 {
			tx.Unlink(id, remove...)
		}
		d.dueMembers(tx, p, id, add, remove)
		tx.Event(Event{Type: "group.updated", Kind: KindGroup, ID: id, Actor: c.Token, Request: c.Request, Added: add, Removed: remove})
		return nil
	})
	return commit.Changed, err
}

// applyMembers makes the pieces of a change of a membership and reports whether
// any of them changed anything. Members that were deleted meanwhile are left
// out: the group would have lost them anyway.
func (d *Directory) applyMembers(ctx context.Context, c Caller, l *longChange, add, remove []string) (changed bool, err error) {
	id := l.Group
	for len(add)+len(remove) > 0 {
		a, r := firstOf(add, remove)
		written, err := d.commitMembers(ctx, c, id, a, r, nil, l)
		changed = changed || written
		if refused, ok := errors.AsType[*Refusal](err); ok && refused.Reason == RefusedMissing {
			if gone := slices.Index(add, refused.Value); gone >= 0 {
				add = slices.Delete(slices.Clone(add), gone, gone+1)
				continue
			}
		}
		if err != nil {
			return changed, groupRefused(err, c, id)
		}
		add, remove = add[len(a):], remove[len(r):]
	}
	return changed, nil
}

// memberChanges turns an edit into members to add and to remove. For a
// replacement it compares with the membership there is. More than one piece of
// additions is checked for unknown members before anything is written; a
// smaller one is checked by the commit itself.
func (d *Directory) memberChanges(ctx context.Context, c Caller, id string, e MemberEdit) (add, remove []string, err error) {
	if add, remove, err = d.membersLeft(ctx, c, id, e); err == nil && len(add)+len(remove) > memberPiece {
		err = d.knownMembers(ctx, c.Org, add)
	}
	return add, remove, err
}

// membersLeft is what an edit still has to add and to remove.
func (d *Directory) membersLeft(ctx context.Context, c Caller, id string, e MemberEdit) (add, remove []string, err error) {
	if !e.Replace {
		return e.Add, e.Remove, nil
	}
	wanted := make(map[string]bool, len(e.Add))
	for _, m := range e.Add {
		wanted[m] = true
	}
	err = d.eachMember(ctx, c.Org, id, func(ids []string) error {
		c.Work.add(len(ids))
		for _, m := range ids {
			if !wanted[m] {
				remove = append(remove, m)
			}
			delete(wanted, m)
		}
		return nil
	})
	for _, m := range e.Add {
		if wanted[m] {
			add = append(add, m)
		}
	}
	return add, remove, err
}

// knownMembers refuses members that do not exist in the organization (L-25,
// security S3).
func (d *Directory) knownMembers(ctx context.Context, org OrgID, ids []string) error {
	for len(ids) > 0 {
		piece := ids[:min(len(ids), memberPiece)]
		known, err := d.store.Exist(ctx, org, piece)
		if err != nil {
			return fmt.Errorf("look members up: %w", err)
		}
		for i, ok := range known {
			if !ok {
				return memberUnknown(piece[i])
			}
		}
		ids = ids[len(piece):]
	}
	return nil
}

func memberUnknown(id string) *Error {
	return &Error{Code: CodeMemberUnknown, Field: "members", Detail: "There is no user or group with the id " + quoted(id) + " in your organization; create it before adding it to the group."}
}

// removal is one run of a deletion: run counts from 1, see planIn.
type removal struct {
	tx  Tx
	run int
	cur *Record
	doc *jsontree.Value
}

// remove deletes a user or group: it leaves its groups, and drop asks for the
// rest. check, when not nil, is asked once: leaving groups in pieces changes
// what it compares.
func (d *Directory) remove(ctx context.Context, c Caller, kind Kind, id string, check func(*Record) error, drop func(context.Context, removal) error) error {
	if err := c.may(kind, true); err != nil {
		return err
	}
	if k, ok := KindOf(id); !ok || k != kind {
		return notFound(kind)
	}
	for more := true; more; check = nil {
		err := untilGroupsHold(func() error {
			run := 0
			_, err := d.store.Update(ctx, c.Org, func(ctx context.Context, tx Tx) error {
				run++
				// First, so that the commit depends on the groups that check sees.
				groups, err := tx.GroupsOf(id)
				if err != nil {
					return err
				}
				cur, doc, err := readForRemoval(tx, kind, id, check)
				if err != nil {
					return err
				}
				if more = len(groups) > leavePiece; more {
					leave(tx, c, id, groups[:leavePiece])
					return nil
				}
				leave(tx, c, id, groups)
				return drop(ctx, removal{tx, run, cur, &doc})
			})
			return err
		})
		if r, ok := errors.AsType[*Refusal](err); ok {
			if seats := seatRefused(r); seats != nil {
				err = seats
			}
		}
		if err != nil {
			return fmt.Errorf("delete %s: %w", kind, err)
		}
	}
	return nil
}

// readForRemoval reads what is to be deleted. The commit depends on everything
// that check may have looked at.
func readForRemoval(tx Tx, kind Kind, id string, check func(*Record) error) (*Record, jsontree.Value, error) {
	cur, err := tx.Read(kind, id)
	if err != nil {
		return nil, jsontree.Value{}, err
	}
	if cur == nil {
		return nil, jsontree.Value{}, notFound(kind)
	}
	if check != nil {
		if err := check(cur); err != nil {
			return nil, jsontree.Value{}, err
		}
		if kind == KindGroup {
			tx.Unmoved(id, cur.Links)
		}
	}
	doc, err := jsontree.Parse(cur.Profile, jsontree.Limits{})
	if err != nil {
		return nil, doc, fmt.Errorf("stored document of %s: %w", id, err)
	}
	return cur, doc, nil
}

// Members reads a piece of a group's membership in id order, after the given
// id; "" starts at the beginning. What members are called is read only when
// displays says so.
func (d *Directory) Members(ctx context.Context, c Caller, group, after string, limit int, displays bool) (refs []MemberRef, err error) {
	if err := c.may(KindGroup, false); err != nil {
		return nil, err
	}
	if displays {
		if refs, err = d.store.Members(ctx, c.Org, group, after, limit); err != nil {
			return nil, fmt.Errorf("read members: %w", err)
		}
		c.Work.add(len(refs))
		return refs, nil
	}
	ids, err := d.store.MemberIDs(ctx, c.Org, group, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read members: %w", err)
	}
	refs = make([]MemberRef, len(ids))
	for i, id := range ids {
		refs[i].ID = id
	}
	c.Work.add(len(refs))
	return refs, nil
}

// leave takes a member out of groups, with an event for each.
func leave(tx Tx, c Caller, member string, groups []string) {
	c.Work.add(len(groups))
	for _, g := range groups {
		tx.Within(g, AnyChange) // who goes is in nobody's way
		tx.Unlink(g, member)
		tx.Event(Event{Type: "group.updated", Kind: KindGroup, ID: g, Actor: c.Token, Request: c.Request, Removed: []string{member}})
	}
}

// untilGroupsHold repeats an act that unlinks from groups it has just read,
// while one of them vanishes between reading and commit.
func untilGroupsHold(act func() error) error {
	const tries = 5
	var err error
	for range tries {
		var r *Refusal
		if err = act(); !errors.As(err, &r) || r.Reason != RefusedMissing {
			return err
		}
	}
	return fmt.Errorf("groups keep vanishing: %w: %w", ErrUnavailable, err)
}
