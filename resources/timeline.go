package resources

import (
	"context"
	"fmt"
	"slices"
)

// timelinePiece is how many events of the stream are read at a time.
const timelinePiece = 500

// Timeline reads what happened to a user, or any resource, from the newest to the
// oldest (BR-261): up to limit of those among up to scan events of the stream
// before a place, "" for its end. Changes of groups that name the user as added
// or removed are among them. more is the place to go on at, "" at the beginning
// of the stream; there may be fewer events than limit, even none, and more.
func (d *Directory) Timeline(ctx context.Context, c Caller, id, before string, limit, scan int) (events []StoredEvent, more string, err error) {
	if err := c.mayAdmin(AreaUsers, false); err != nil {
		return nil, "", err
	}
	kind, ok := KindOf(id)
	if !ok {
		return nil, "", &Error{Code: CodeNotFound, Detail: "There is no such resource."}
	}
	limit = max(limit, 1)
	for more = before; scan > 0; {
		n := min(scan, timelinePiece)
		piece, err := d.store.EventsBack(ctx, c.Org, more, n)
		if err != nil {
			return nil, "", fmt.Errorf("read the stream: %w", err)
		}
		scan -= n
		for i := range piece {
			e := &piece[i]
			more = e.LSN
			if e.about(id) {
				events = append(events, *e)
			}
			if len(events) == limit {
				return events, more, d.nameActors(ctx, c, events)
			}
		}
		if len(piece) < n {
			more = ""
			break
		}
	}
	if len(events) == 0 && before == "" && more == "" { // nothing ever happened to it
		return nil, "", notFound(kind)
	}
	return events, more, d.nameActors(ctx, c, events)
}

// about reports whether an event tells of a resource.
func (e *Event) about(id string) bool {
	return e.ID == id || slices.Contains(e.Added, id) || slices.Contains(e.Removed, id)
}

// The names of actors that are no connection of the organization.
const (
	actorSystem   = "system"
	actorOperator = "operator" // of the platform; an organization does not learn which
)

// nameActors fills in who did what: the name of the connection, of the OAuth
// client, or of the user that a token stands for. Who has gone stays without one.
func (d *Directory) nameActors(ctx context.Context, c Caller, events []StoredEvent) error {
	names := make(map[string]string)
	var ids []string
	for i := range events {
		id := events[i].Actor
		if _, ok := KindOf(id); ok && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	own, err := d.store.Many(ctx, c.Org, ids)
	if err != nil {
		return fmt.Errorf("read who did it: %w", err)
	}
	var foreign []string
	for i, rec := range own {
		if rec == nil {
			foreign = append(foreign, ids[i])
		} else if names[ids[i]], err = d.actorName(ctx, c, rec); err != nil {
			return err
		}
	}
	others, err := d.store.Many(ctx, PlatformOrg, foreign)
	if err != nil {
		return fmt.Errorf("read who did it: %w", err)
	}
	for i, rec := range others {
		if rec != nil && rec.Kind == KindToken {
			names[foreign[i]] = actorOperator
		}
	}
	names["system"] = actorSystem
	for i := range events {
		events[i].Who = names[events[i].Actor]
	}
	return nil
}

// actorName names a credential.
func (d *Directory) actorName(ctx context.Context, c Caller, rec *Record) (string, error) {
	if rec.Kind != KindToken {
		return rec.Display, nil
	}
	t, err := tokenOf(rec)
	if err != nil {
		return "", err
	}
	if t.User == "" {
		return t.Name, nil
	}
	user, err := d.store.Get(ctx, c.Org, KindUser, t.User)
	if err != nil || user == nil {
		return t.Name, err
	}
	return user.Display + " (" + t.Name + ")", nil
}
