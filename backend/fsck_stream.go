package backend

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

// streamIDs bounds the resources that are followed through the stream at a time;
// a stream that may tell of more is read several times.
const streamIDs = 3_000_000

// recID is the id of a record in little room: 100 bits.
type recID [2]uint64

// packRecID packs an id; KindOf has accepted it.
func packRecID(id string) (p recID) {
	for i := range len(id) {
		v := uint64(id[i] - '0')
		if v > 9 {
			v = uint64(id[i]-'a') + 10
		}
		p[i/10] = p[i/10]<<5 | v
	}
	return p
}

func (p recID) String() string {
	var out [idSize]byte
	for i := idSize - 1; i >= 0; i-- {
		out[i] = stampAlphabet[p[i/10]&31]
		p[i/10] >>= 5
	}
	return string(out[:])
}

// told is what the stream tells of a resource.
type told struct {
	version uint32
	slack   uint16 // events about it that do not tell a version; each may have moved it
	created bool
	deleted bool
	met     bool // its record was looked at
}

// streaming follows resources through the stream.
type streaming struct {
	*check
	part, parts uint64
	last        string // the newest event that was read
	ids         map[recID]told
}

// stream reads the organization's events: each must be readable, and with
// FsckConfig.Versions those of each resource must tell its versions one by one, up
// to that of its record, and have created what is there.
func (c *check) stream(ctx context.Context) error {
	if !c.whole(c.k.events()) {
		return nil
	}
	n, err := c.client.XLen(ctx, c.k.events()).Result()
	if err != nil {
		return explain(ctx, "count events", err)
	}
	parts := uint64(n/streamIDs) + 1
	if !c.cfg.Versions {
		parts = 1
	}
	for part := range parts {
		st := &streaming{check: c, part: part, parts: parts, last: "-", ids: map[recID]told{}}
		if err := st.readOn(ctx); err != nil || !c.cfg.Versions {
			return err
		}
		if err := st.versions(ctx); err != nil {
			return err
		}
		if err := st.lost(ctx); err != nil {
			return err
		}
	}
	return nil
}

// readOn reads the events after the last one that was read.
func (st *streaming) readOn(ctx context.Context) error {
	for {
		since := started()
		msgs, err := st.client.XRangeN(ctx, st.k.events(), st.last, "+", 2*chunkSize).Result()
		if err != nil {
			return explain(ctx, "read events", err)
		}
		for i := range msgs {
			st.event(&msgs[i])
			st.last = "(" + msgs[i].ID
		}
		if len(msgs) < 2*chunkSize {
			return ctx.Err()
		}
		if err := st.breathe(ctx, since); err != nil {
			return err
		}
	}
}

// event takes note of one event. Events are never changed, so that what is wrong
// with one is sure at once.
func (st *streaming) event(m *redis.XMessage) {
	text, _ := m.Values["e"].(string)
	var e resources.Event
	if err := json.Unmarshal([]byte(text), &e); err != nil || e.Type == "" {
		st.find(Finding{
			Code: FindingEventDamaged, Key: st.k.events(), Entry: m.ID, Reason: "the event " + m.ID + " cannot be read",
			Remedy: "readers of the stream stop at it: delete the organization and restore it from a backup",
		})
		return
	}
	kind, ok := known(e.ID)
	if !ok || kind != e.Kind || !st.cfg.Versions {
		return
	}
	id := packRecID(e.ID)
	if id[1]%st.parts != st.part {
		return
	}
	was, met := st.ids[id]
	is := was
	switch _, verb, _ := strings.Cut(e.Type, "."); verb {
	case "created":
		is.created = true
	case "deleted", "revoked":
		is.deleted = true
	}
	if e.Version == 0 {
		is.slack = min(is.slack, 1<<15) + 1
	} else {
		if met && was.version > 0 && versioned(kind) {
			st.order(m.ID, &e, was)
		}
		is.version, is.slack = uint32(e.Version), 0
	}
	st.ids[id] = is
}

// versioned are the kinds whose every change of version is told. Settings move
// theirs for reasons of their own.
func versioned(k resources.Kind) bool {
	return k == resources.KindUser || k == resources.KindGroup || k == resources.KindCustom
}

// order compares the version that an event tells with the one before.
func (st *streaming) order(lsn string, e *resources.Event, was told) {
	f := Finding{Key: st.k.events(), Entry: lsn, Record: e.ID, Remedy: "commits of this resource were lost or came twice: compare it with the identity provider and let it send the resource again"}
	switch before, slack := uint64(was.version), slackOf(e.Kind, was); {
	case e.Version < before:
		f.Code, f.Reason = FindingEventOrder, fmt.Sprintf("the event %s tells version %d of %s behind version %d", lsn, e.Version, e.ID, before)
	case e.Version > before+1+slack:
		f.Code, f.Reason = FindingEventGap, fmt.Sprintf("the event %s tells version %d of %s, the one before told %d", lsn, e.Version, e.ID, before)
	default:
		return
	}
	st.find(f)
}

// slackOf is how often a resource may have moved without telling its version:
// users when they come in, which the session's own event tells.
func slackOf(kind resources.Kind, was told) uint64 {
	if kind == resources.KindUser {
		return uint64(was.slack)
	}
	return 0
}

// versions compares records with what the stream told of them last.
func (st *streaming) versions(ctx context.Context) error {
	for _, kind := range resources.Kinds() {
		add, end := pieces(chunkSize, func(ids []string) error {
			since := started()
			if err := st.chunkOf(ctx, kind, ids); err != nil {
				return err
			}
			return st.breathe(ctx, since)
		})
		err := st.scanIndex(ctx, resources.All(kind), func(id, _ string) error {
			if got, ok := known(id); !ok || got != kind || packRecID(id)[1]%st.parts != st.part {
				return nil
			}
			return add(id)
		})
		if err != nil {
			return err
		}
		if err := end(); err != nil {
			return err
		}
	}
	return nil
}

// chunkOf compares some records. What a commit has moved meanwhile is read behind
// the records, and the records once more: event and record come together.
func (st *streaming) chunkOf(ctx context.Context, kind resources.Kind, ids []string) error {
	list, err := st.heads(ctx, ids)
	if err != nil {
		return err
	}
	for range looks {
		list = st.differing(kind, list)
		if len(list) == 0 {
			return nil
		}
		if err := st.readOn(ctx); err != nil {
			return err
		}
		ids = ids[:0]
		for _, h := range list {
			ids = append(ids, h.id)
		}
		now, err := st.heads(ctx, ids)
		if err != nil {
			return err
		}
		still := list[:0]
		for i, h := range now {
			if h.raw != list[i].raw {
				still = append(still, h)
				continue
			}
			if f, wrong := st.version(kind, h); wrong {
				st.find(f)
			}
		}
		list = still
	}
	return nil
}

// differing are those of some records that the stream tells otherwise of.
func (st *streaming) differing(kind resources.Kind, list []headed) (out []headed) {
	for _, h := range list {
		if _, wrong := st.version(kind, h); wrong {
			out = append(out, h)
		}
		id := packRecID(h.id)
		if is, ok := st.ids[id]; ok {
			is.met = true
			st.ids[id] = is
		}
	}
	return out
}

// version compares a record's version with the last one that the stream told.
func (st *streaming) version(kind resources.Kind, h headed) (Finding, bool) {
	is, ok := st.ids[packRecID(h.id)]
	if !ok || !versioned(kind) || len(h.raw) < 13 || is.version == 0 {
		return Finding{}, false
	}
	has, good := digits(h.raw[:13])
	if !good {
		return Finding{}, false // damaged, which is told elsewhere
	}
	f := Finding{Key: st.k.record(kind, h.id), Record: h.id}
	switch {
	case has < uint64(is.version):
		f.Code, f.Reason = FindingRecordOld, fmt.Sprintf("the record %s has version %d, the stream told %d", h.id, has, is.version)
		f.Remedy = "a write of it was lost: let the identity provider send the resource again"
	case has > uint64(is.version)+slackOf(kind, is):
		f.Code, f.Reason = FindingEventGap, fmt.Sprintf("the record %s has version %d, the stream told %d at last", h.id, has, is.version)
		f.Remedy = "readers of the stream do not know the newest state: change the resource once, so that it is told"
	default:
		return f, false
	}
	return f, true
}

// lost looks for what the stream has created and not deleted and no walk has met.
func (st *streaming) lost(ctx context.Context) error {
	byKind := map[resources.Kind][]string{}
	flush := func(kind resources.Kind) error {
		ids := byKind[kind]
		byKind[kind] = nil
		return st.missing(ctx, kind, ids)
	}
	for id, is := range st.ids {
		kind, ok := known(id.String())
		if !ok || is.met || is.deleted || !is.created {
			continue
		}
		if byKind[kind] = append(byKind[kind], id.String()); len(byKind[kind]) == chunkSize {
			if err := flush(kind); err != nil {
				return err
			}
		}
	}
	for kind := range byKind {
		if err := flush(kind); err != nil {
			return err
		}
	}
	return nil
}

// missing tells which records are there, so that only the list of all lacks them,
// and which are not. Settings and tokens go without a word when they expire.
func (st *streaming) missing(ctx context.Context, kind resources.Kind, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	list, err := st.heads(ctx, ids)
	if err != nil {
		return err
	}
	var there []string
	var gone []headed
	for _, h := range list {
		if h.raw != "" {
			there = append(there, h.id)
		} else if versioned(kind) {
			gone = append(gone, h)
		}
	}
	if len(gone) > 0 {
		if err := st.readOn(ctx); err != nil { // their deletion may have come meanwhile
			return err
		}
	}
	for _, h := range gone {
		if st.ids[packRecID(h.id)].deleted {
			continue
		}
		err := st.once(ctx, difference{
			Finding: Finding{
				Code: FindingRecordLost, Key: st.k.record(kind, h.id), Record: h.id,
				Reason: fmt.Sprintf("the %s %s was created, not deleted, and is not there", kind, h.id),
				Remedy: "restore it from a backup, or let the identity provider send it again",
			},
			guards: []guard{st.k.seenHead(kind, h.id, "")},
		})
		if err != nil {
			return err
		}
	}
	if st.cfg.Placed == nil {
		return nil
	}
	return st.missed(ctx, resources.All(kind), there)
}
