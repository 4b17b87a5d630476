package backend

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/usher-scim/usher/resources"
)

// piece is a batch spelled out as writes.
type piece struct {
	b *batch
	k keys

	names   []packed // that nobody else may have; id is the holder
	gone    []packed // fields to remove while their value begins with id
	unpack  []packed
	pack    []packed
	ops     []pairsOp
	at      map[string]int  // last write of a command and a key, in ops
	changed map[string]bool // pools and lines
	events  []*line
	claims  []claimWork
}

// wholeRow stands for the field of a row of ids that is a key of its own.
const wholeRow = "\x00"

// wipe empties a list, before what is written to it from here on.
func (p *piece) wipe(key string) {
	p.once("DEL", key)
	for _, cmd := range [...]string{"SADD", "SREM", "ZADD", "ZREM"} {
		delete(p.at, cmd+key)
	}
}

// do adds arguments to the write of a key by a command that takes any number of
// them.
func (p *piece) do(cmd, key string, args ...any) {
	i, there := p.at[cmd+key]
	if !there || len(p.ops[i].args)+len(args) > maxPairs {
		p.at[cmd+key] = len(p.ops)
		p.ops = append(p.ops, pairsOp{cmd, key, args})
		return
	}
	p.ops[i].args = append(p.ops[i].args, args...)
}

// once adds a write of its own.
func (p *piece) once(cmd, key string, args ...any) { p.ops = append(p.ops, pairsOp{cmd, key, args}) }

// allRecords plans records, over what the lines before have made of them.
func (p *piece) allRecords(ctx context.Context, lines []*line) error {
	ids := make([]string, len(lines))
	for i, l := range lines {
		ids[i] = l.ID
	}
	olds, err := p.b.r.s.load(ctx, p.b.r.s.reads, p.k, ids)
	if err != nil {
		return err
	}
	for i, l := range lines {
		if err := p.record(olds[i], l); err != nil {
			return err
		}
	}
	return nil
}

// record plans one record.
func (p *piece) record(old *resources.Record, l *line) error {
	kind, _ := known(l.ID)
	key := p.k.record(kind, l.ID)
	var had, has []resources.Entry
	var hadClaims, hasClaims []resources.HeldClaim
	var hadPlaces, hasPlaces resources.Holdings
	if old != nil {
		had, hadClaims, hadPlaces = p.b.r.cfg.Placed(old)
	}
	if l.Gone {
		p.removed(kind, l.ID, key)
	} else {
		rec := l.record()
		raw, err := p.b.r.s.codec.encode(rec, rec.Stamp)
		if err != nil {
			return err
		}
		has, hasClaims, hasPlaces = p.b.r.cfg.Placed(rec)
		p.once("SET", key, raw)
		p.beside(rec, l, key)
	}
	for _, e := range had {
		if !stays(e, has) {
			p.leave(e, l.ID)
		}
	}
	for _, e := range has {
		p.enter(e, l.ID)
	}
	p.claimed(hadClaims, hasClaims)
	p.placed(l.ID, hadPlaces, hasPlaces)
	return nil
}

// beside plans what stands beside a record.
func (p *piece) beside(rec *resources.Record, l *line, key string) {
	if rec.Kind == resources.KindGroup {
		p.do("HSET", p.k.groupNames(), rec.ID, rec.Display)
		if rec.Links > 0 || rec.LinksModified > 0 {
			p.do("HSET", p.k.links(), rec.ID, fmt.Sprintf("%d:%d", rec.Links, rec.LinksModified))
		}
		if l.Changing != "" {
			p.do("HSET", p.k.changing(), rec.ID, l.Changing)
		} else {
			p.do("HDEL", p.k.changing(), rec.ID)
		}
	}
	switch {
	case l.Expires > 0:
		p.do("ZADD", p.k.expiry(), strconv.FormatInt(l.Expires, 10), key)
	case rec.Kind == resources.KindToken, rec.Kind == resources.KindSetting:
		p.do("ZREM", p.k.expiry(), key)
	}
}

// removed plans the end of a record.
func (p *piece) removed(kind resources.Kind, id, key string) {
	p.once("DEL", key)
	switch kind {
	case resources.KindGroup:
		p.do("HDEL", p.k.groupNames(), id)
		p.do("HDEL", p.k.links(), id)
		p.do("HDEL", p.k.changing(), id)
		p.once("DEL", p.k.groupsOf(id))
	case resources.KindUser:
		p.once("DEL", p.k.groupsOf(id))
	default:
		p.do("ZREM", p.k.expiry(), key)
	}
}

// leave takes a record out of an index, enter puts it in. A name that another
// record has by now stays with it.
func (p *piece) leave(e resources.Entry, id string) {
	key := p.k.index(e.Index)
	switch e.Index.Shape() {
	case resources.Unique:
		p.gone = append(p.gone, packed{key, e.Value, id})
	case resources.Equal:
		p.unpack = append(p.unpack, packed{key, e.Value, id})
	case resources.Text:
		p.do("ZREM", key, e.Value+"\x00"+id)
	default:
		p.do("ZREM", key, id)
	}
}

func (p *piece) enter(e resources.Entry, id string) {
	key := p.k.index(e.Index)
	switch e.Index.Shape() {
	case resources.Unique:
		if p.b.strict {
			p.names = append(p.names, packed{key, e.Value, id})
		}
		p.do("HSET", key, e.Value, id)
	case resources.Equal:
		p.pack = append(p.pack, packed{key, e.Value, id})
	case resources.Text:
		p.do("ZADD", key, "0", e.Value+"\x00"+id)
	case resources.Time:
		p.do("ZADD", key, strconv.FormatInt(e.Time, 10), id)
	default:
		p.do("ZADD", key, "0", id)
	}
}

// claimed plans the organization's side of claims; the claims follow.
func (p *piece) claimed(had, has []resources.HeldClaim) {
	for _, c := range had {
		if !slices.Contains(has, c) {
			p.gone = append(p.gone, packed{p.k.claims(), claimField(c.Claim), c.Holder + "|"})
			p.claims = append(p.claims, claimWork{c, true})
		}
	}
	for _, c := range has {
		p.do("HSET", p.k.claims(), claimField(c.Claim), c.Holder+"|"+attemptOf(p.b.r.id, p.k.org))
		p.claims = append(p.claims, claimWork{c, false})
	}
}

// placed plans places in pools and lines.
func (p *piece) placed(id string, had, has resources.Holdings) {
	for _, name := range had.Pools {
		if !slices.Contains(has.Pools, name) {
			p.place("SREM", p.k.pool(name), id)
		}
	}
	for _, name := range has.Pools {
		p.place("SADD", p.k.pool(name), id)
	}
	for name := range had.Lines {
		if _, stays := has.Lines[name]; !stays {
			p.place("ZREM", p.k.line(name), id)
		}
	}
	for name, at := range has.Lines {
		p.place("ZADD", p.k.line(name), strconv.FormatInt(at, 10), id)
	}
}

func (p *piece) place(cmd, key string, args ...any) {
	p.do(cmd, key, args...)
	p.changed[key] = true
}

// other plans a line that is not about a record.
func (p *piece) other(l *line) {
	switch l.T {
	case lineMembers:
		p.members(l)
	case lineTrash:
		p.trash(l)
	case linePool:
		key := p.k.pool(l.Name)
		if !l.More {
			p.wipe(key)
			p.changed[key] = true
		}
		for _, h := range l.Holders {
			p.place("SADD", key, h)
		}
	case lineDue:
		p.due(l)
	case lineSecret:
		key := "vt" + p.k.tag + ":" + l.Purpose + ":" + l.Hash
		if l.Gone {
			p.once("DEL", key)
			p.do("ZREM", p.k.expiry(), key)
			return
		}
		p.once("SET", key, append(appendPadded(nil, uint64(l.Expires), expirySize), l.Value...))
		p.do("ZADD", p.k.expiry(), strconv.FormatInt(l.Expires, 10), key)
	case lineEvent:
		p.events = append(p.events, l)
	}
}

// members plans both sides of a membership.
func (p *piece) members(l *line) {
	for _, id := range l.In {
		p.do("ZADD", p.k.members(l.Group), "0", id)
		p.pack = append(p.pack, packed{p.k.groupsOf(id), wholeRow, l.Group})
	}
	for _, id := range l.Out {
		p.do("ZREM", p.k.members(l.Group), id)
		p.unpack = append(p.unpack, packed{p.k.groupsOf(id), wholeRow, l.Group})
	}
}

// trash plans what a deleted group leaves to be done.
func (p *piece) trash(l *line) {
	switch {
	case l.Gone:
		p.wipe(p.k.trash(l.Group))
		p.do("ZREM", p.k.trashList(), l.Group)
		return
	case !l.More:
		p.wipe(p.k.trash(l.Group))
	}
	for _, id := range l.In {
		p.do("ZADD", p.k.trash(l.Group), "0", id)
	}
	for _, id := range l.Out {
		p.do("ZREM", p.k.trash(l.Group), id)
	}
	if len(l.In) > 0 {
		p.do("ZADD", p.k.trashList(), strconv.Itoa(disbandedScore), l.Group)
	}
}

// due plans where an item of work stands.
func (p *piece) due(l *line) {
	if l.At != nil {
		p.do("ZADD", p.k.due(), strconv.FormatInt(*l.At, 10), l.Item)
	} else {
		p.do("ZREM", p.k.due(), l.Item)
	}
	if l.Tried != "" {
		p.do("HSET", p.k.tries(), l.Item, l.Tried)
	} else {
		p.do("HDEL", p.k.tries(), l.Item)
	}
	if l.Parked != nil {
		p.do("ZADD", p.k.parked(), strconv.FormatInt(*l.Parked, 10), l.Item)
	} else {
		p.do("ZREM", p.k.parked(), l.Item)
	}
	if l.Cause != "" {
		p.do("HSET", p.k.causes(), l.Item, l.Cause)
	} else {
		p.do("HDEL", p.k.causes(), l.Item)
	}
}
