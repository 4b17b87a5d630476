package backend

import (
	"context"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

// follow reads again what notes say.
func (b *backup) follow(ctx context.Context, notes []string, take bool) error {
	if take {
		c := newCall(b.s.scripts.backup.noted, 1+len(notes))
		c.key(b.keys.backup())
		for _, n := range notes {
			c.arg(n)
		}
		if _, err := b.s.write(ctx, c); err != nil {
			return explain(ctx, "take the backup's notes", err)
		}
	}
	ids := map[resources.Kind][]string{}
	pairs := map[string][]string{} // by the key of a membership
	var secrets, items []string
	for _, note := range notes {
		key, of := noteOf(note)
		kind, id, record := b.keys.parseRecord(key)
		switch letters, name, place := b.keys.parsePlace(key); {
		case record:
			ids[kind] = append(ids[kind], id)
		case place && letters == "sp":
			if b.others[name] {
				if err := b.pool(ctx, name); err != nil {
					return err
				}
			}
		case key == "du":
			items = append(items, of)
		case key == "tl":
			if err := b.disbanded(ctx, of); err != nil {
				return err
			}
		case strings.HasPrefix(key, "vt:"):
			secrets = append(secrets, key)
		default:
			pairs[key] = append(pairs[key], of)
		}
	}
	for kind, list := range ids {
		if err := b.records(ctx, kind, list, true); err != nil {
			return err
		}
	}
	for key, members := range pairs {
		if err := b.pairs(ctx, key, members); err != nil {
			return err
		}
	}
	return firstDone(
		func() error { return b.items(ctx, items) },
		func() error { return b.secretsAt(ctx, secrets, true) },
	)
}

// pairs writes which members are in a group now, or in what a deleted one left.
func (b *backup) pairs(ctx context.Context, key string, members []string) error {
	letters, group, ok := strings.Cut(key, b.keys.tag+":")
	if _, isID := known(group); !ok || !isID {
		return nil
	}
	scores, err := b.s.scans.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for _, m := range members {
			pipe.ZScore(ctx, key, m)
		}
		return nil
	})
	if err != nil && !isNil(err) {
		return explain(ctx, "read memberships for the backup", err)
	}
	in, out := &line{T: lineMembers, Group: group}, &line{T: lineMembers, Group: group}
	if letters == "tr" {
		in.T, in.More, out.T, out.More = lineTrash, true, lineTrash, true
	}
	for i, m := range members {
		if _, isID := known(m); !isID {
			continue
		}
		if isNil(scores[i].Err()) {
			out.Out = append(out.Out, m)
		} else {
			in.In = append(in.In, m)
		}
	}
	if letters == "tr" {
		in.In = nil // what is still there stands in the file, or its group is noted
	}
	for _, l := range []*line{in, out} {
		if len(l.In)+len(l.Out) > 0 {
			if err := b.say(l); err != nil {
				return err
			}
		}
	}
	return nil
}

// disbanded writes what a deleted group left to be done.
func (b *backup) disbanded(ctx context.Context, group string) error {
	if _, isID := known(group); !isID {
		return nil
	}
	at, err := b.s.scans.ZScore(ctx, b.keys.trashList(), group).Result()
	switch {
	case err != nil && !isNil(err):
		return explain(ctx, "read deleted groups for the backup", err)
	case err == nil && at == disbandedScore:
		return b.trashOf(ctx, group)
	}
	return b.say(&line{T: lineTrash, Group: group, Gone: true})
}

// work reads what is due and what is parked.
func (b *backup) work(ctx context.Context) error {
	return firstDone(
		func() error {
			return b.scores(ctx, b.keys.due(), func(items []string) error { return b.items(ctx, items) })
		},
		func() error {
			return b.scores(ctx, b.keys.parked(), func(items []string) error { return b.items(ctx, items) })
		},
	)
}

// items writes where items of work stand.
func (b *backup) items(ctx context.Context, items []string) error {
	for len(items) > 0 {
		chunk := items[:min(chunkSize, len(items))]
		items = items[len(chunk):]
		if err := b.someItems(ctx, chunk); err != nil {
			return err
		}
	}
	return nil
}

func (b *backup) someItems(ctx context.Context, items []string) error {
	pipe := b.s.scans.Pipeline()
	tries, causes := pipe.HMGet(ctx, b.keys.tries(), items...), pipe.HMGet(ctx, b.keys.causes(), items...)
	due, parked := make([]*redis.FloatCmd, len(items)), make([]*redis.FloatCmd, len(items))
	for i, item := range items {
		due[i], parked[i] = pipe.ZScore(ctx, b.keys.due(), item), pipe.ZScore(ctx, b.keys.parked(), item)
	}
	if _, err := pipe.Exec(ctx); err != nil && !isNil(err) {
		return explain(ctx, "read work for the backup", err)
	}
	for i, item := range items {
		l := &line{T: lineDue, Item: item}
		if due[i].Err() == nil {
			at := int64(due[i].Val())
			l.At = &at
			l.Tried, _ = tries.Val()[i].(string)
		}
		if parked[i].Err() == nil {
			since := int64(parked[i].Val())
			l.Parked = &since
			l.Cause, _ = causes.Val()[i].(string)
		}
		l.Gone = l.At == nil && l.Parked == nil
		if err := b.say(l); err != nil {
			return err
		}
	}
	return nil
}

// lastEvent is the id of the newest event, "" when there is none.
func (s *Store) lastEvent(ctx context.Context, client redis.UniversalClient, k keys) (string, error) {
	last, err := client.XRevRangeN(ctx, k.events(), "+", "-", 1).Result()
	if err != nil || len(last) == 0 {
		return "", explain(ctx, "read the last event", err)
	}
	return last[0].ID, nil
}

// newEvents reads the events since the last one that was read, up to the last
// one that there is now.
func (b *backup) newEvents(ctx context.Context) error {
	last, err := b.s.lastEvent(ctx, b.s.scans, b.keys)
	if err != nil {
		return err
	}
	for b.events != last {
		began := started()
		from := "-"
		if b.events != "" {
			from = "(" + b.events
		}
		list, err := b.s.scans.XRangeN(ctx, b.keys.events(), from, last, chunkSize).Result()
		if err != nil || len(list) == 0 {
			return explain(ctx, "read events for the backup", err)
		}
		for _, e := range list {
			text, _ := e.Values["e"].(string)
			l := &line{T: lineEvent, LSN: e.ID, Event: []byte(text)}
			if !exact(l.Event, &b.room) {
				l.Event, l.Raw = nil, &rawRecord{Event: []byte(text)}
			}
			if err := b.say(l); err != nil {
				return err
			}
			b.events = e.ID
		}
		if b.frozen {
			continue
		}
		if err := b.rest(ctx, began); err != nil {
			return err
		}
	}
	return nil
}

// home writes what the platform has about the organization.
func (b *backup) home(ctx context.Context) error {
	ids := resources.HomeRecords(b.cfg.Org)
	if len(ids) == 0 {
		return nil
	}
	k, err := keysOf(resources.PlatformOrg)
	if err != nil {
		return err
	}
	recs, err := b.s.load(ctx, b.s.scans, k, ids)
	if err != nil {
		return err
	}
	for _, r := range recs {
		if r == nil {
			continue
		}
		l := recordLine(r, 0, &b.room)
		l.Home = true
		if err := b.say(l); err != nil {
			return err
		}
	}
	return nil
}

func isNil(err error) bool { return err == redis.Nil } //nolint:errorlint // the client never wraps it
