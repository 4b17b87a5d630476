package resources

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// longChange is a change of a membership that one commit cannot make: its pieces
// are commits of their own, each of which changes both sides of a membership.
// From the first to the last of them it is a setting, and the group has its
// mark, so that nobody else's change comes in between (Tx.Mark). Whoever began
// it makes all pieces and removes it; when that does not happen a worker does,
// the due item c<id>.
type longChange struct {
	ID      string    `json:"-"`
	Group   string    `json:"group"`
	Replace bool      `json:"replace,omitempty"`
	Add     string    `json:"add,omitempty"` // ids, one behind the other
	Remove  string    `json:"remove,omitempty"`
	By      string    `json:"by,omitempty"` // token id of who asked
	Request string    `json:"request,omitempty"`
	Due     time.Time `json:"due"` // when a worker takes over

	lease *Lease // of that worker
}

// namedMost is how many members a change in pieces names at most, and takeOver
// when a worker goes on with one. Should whoever began it still be at it, both
// make the same change.
const (
	namedMost = 40_000
	takeOver  = 20 * time.Second
)

// beginChange asks, in the commit of the first piece, for the change that the
// other pieces are part of. Codes: too_many.
func (d *Directory) beginChange(tx Tx, c Caller, group string, e MemberEdit) (*longChange, error) {
	if n := len(e.Add) + len(e.Remove); n > namedMost {
		return nil, &Error{Code: CodeTooMany, Field: "members", Detail: fmt.Sprintf("One request can name %d members to add and to remove, and this one is about %d; send them in several, or replace all members by those who stay.", namedMost, n)}
	}
	now := d.now().UTC()
	id, err := d.newID(KindSetting, now)
	if err != nil {
		return nil, err
	}
	l := &longChange{
		ID: id, Group: group, Replace: e.Replace, Add: strings.Join(e.Add, ""), By: c.Token, Request: c.Request,
		Due: now.Add(takeOver).Truncate(time.Microsecond),
	}
	if !e.Replace {
		l.Remove = strings.Join(e.Remove, "")
	}
	if _, err := l.place().put(tx, nil, id, "", l, now); err != nil {
		return nil, err
	}
	tx.Mark(group, id)
	tx.Due("c"+id, l.Due)
	return l, nil
}

func (l *longChange) place() place {
	return place{Noun: nounChange, Attrs: []string{attrOf("group", l.Group)}}
}

// within says that a commit is a piece of the change; a nil one says nothing.
func (l *longChange) within(tx Tx) {
	if l == nil {
		return
	}
	tx.Within(l.Group, l.ID)
	if l.lease != nil {
		tx.Fence(*l.lease)
	}
}

// finishChange makes the pieces of a change that are left, and its end. When
// there is something left and no change, another call is making it: then it
// waits for that.
func (d *Directory) finishChange(ctx context.Context, c Caller, group string, l *longChange, add, remove []string) (changed bool, err error) {
	if len(add)+len(remove) == 0 {
		return false, nil
	}
	err = ErrFenced
	if l != nil {
		changed, err = d.applyMembers(ctx, c, l, add, remove)
	}
	if errors.Is(err, ErrFenced) {
		_, err = d.store.Update(ctx, c.Org, func(_ context.Context, tx Tx) error {
			tx.Within(group, "")
			return nil
		})
		return true, err
	}
	if err != nil {
		return changed, err
	}
	return changed, d.endChange(ctx, c.Org, l, DueItem{Item: "c" + l.ID, At: l.Due.UnixMicro()})
}

// endChange removes a change of which every piece is made.
func (d *Directory) endChange(ctx context.Context, org OrgID, l *longChange, item DueItem) error {
	_, err := d.store.Update(ctx, org, func(_ context.Context, tx Tx) error {
		if l.lease != nil {
			tx.Fence(*l.lease)
		}
		tx.Undue(item)
		rec, err := tx.Read(KindSetting, l.ID)
		if err != nil {
			return err
		}
		if rec != nil {
			tx.Delete(rec, placeOf(rec).entries(l.ID))
		}
		tx.Unmark(l.Group, l.ID)
		return nil
	})
	if err != nil {
		return fmt.Errorf("end a change of members: %w", err)
	}
	return nil
}

// workChange goes on with a change that was not ended, a bounded piece in each
// step.
func (d *Directory) workChange(ctx context.Context, lease Lease, item DueItem, id string) error {
	l, err := d.takeOverChange(ctx, lease, item, id)
	if err != nil || l == nil {
		return err
	}
	c := Caller{Org: lease.Org, Token: l.By, Request: l.Request}
	add, remove, err := d.membersLeft(ctx, c, l.Group, MemberEdit{Replace: l.Replace, Add: idsIn(l.Add), Remove: idsIn(l.Remove)})
	if err != nil {
		return fmt.Errorf("go on with a change of members: %w", err)
	}
	const most = 100 * memberPiece
	more := l.Replace && len(add)+len(remove) > most // what is named is bounded as it is
	if more {
		add = add[:min(len(add), most)]
		remove = remove[:min(len(remove), most-len(add))]
	}
	_, err = d.applyMembers(ctx, c, l, add, remove)
	if err != nil && !HasCode(err, CodeNotFound) {
		return fmt.Errorf("go on with a change of members: %w", err)
	}
	if err == nil && more {
		return nil // the item stays due, and the next step sees what is left
	}
	return d.endChange(ctx, lease.Org, l, item)
}

// takeOverChange reads a change for a worker and sets its mark anew, which a
// restored directory does not have. nil: there is nothing to do any more.
func (d *Directory) takeOverChange(ctx context.Context, lease Lease, item DueItem, id string) (l *longChange, err error) {
	_, err = d.store.Update(ctx, lease.Org, func(_ context.Context, tx Tx) error {
		l = nil
		tx.Fence(lease)
		rec, err := tx.Read(KindSetting, id)
		if err != nil {
			return err
		}
		if rec == nil || nounOf(rec) != nounChange {
			tx.Undue(item)
			return nil
		}
		var found longChange
		if err := json.Unmarshal(rec.Profile, &found); err != nil {
			return fmt.Errorf("decode the change of members %s: %w", id, err)
		}
		group, err := tx.Read(KindGroup, found.Group)
		if err != nil {
			return err
		}
		if group == nil {
			tx.Undue(item)
			tx.Delete(rec, placeOf(rec).entries(id))
			return nil
		}
		tx.Mark(found.Group, id)
		l = &found
		l.ID, l.lease = id, &lease
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("go on with a change of members: %w", err)
	}
	return l, nil
}

// idsIn cuts ids that stand one behind the other apart.
func idsIn(row string) []string {
	ids := make([]string, 0, len(row)/idLength)
	for ; len(row) >= idLength; row = row[idLength:] {
		ids = append(ids, row[:idLength])
	}
	return ids
}
