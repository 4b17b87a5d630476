package backend_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/resources"
)

// said is what a record of the world says about where it stands.
type said struct {
	Entries []resources.Entry
	Claims  []resources.HeldClaim
	Holds   resources.Holdings
	Expires int64
}

func placedAsSaid(r *resources.Record) ([]resources.Entry, []resources.HeldClaim, resources.Holdings) {
	var x said
	if json.Unmarshal(r.Profile, &x) != nil {
		return nil, nil, resources.Holdings{}
	}
	return x.Entries, x.Claims, x.Holds
}

func expiresAsSaid(r *resources.Record) (time.Time, bool) {
	var x said
	err := json.Unmarshal(r.Profile, &x)
	return time.UnixMilli(x.Expires), err == nil && x.Expires > 0
}

// fsckWorld is an organization with everything that a store can hold: two
// records in every index, links, trash, claims, pools, lines, secrets, work.
type fsckWorld struct {
	*testing.T
	s    *backend.Store
	org  resources.OrgID
	now  time.Time
	recs map[string]*resources.Record // by name: u1, g2 …
	raw  redis.UniversalClient
}

func newFsckWorld(t *testing.T, s *backend.Store, org resources.OrgID, now time.Time) *fsckWorld {
	t.Helper()
	w := &fsckWorld{T: t, s: s, org: org, now: now, recs: map[string]*resources.Record{}, raw: s.Raw()}
	w.invent()
	seat, s1, u1, u2 := seatOf(), w.recs["s1"].ID, w.recs["u1"].ID, w.recs["u2"].ID
	w.commit(func(tx resources.Tx) {
		for _, name := range w.names() {
			r := w.recs[name]
			x := w.said(name)
			tx.Put(nil, r, nil, x.Entries)
			for _, c := range x.Claims {
				tx.Claim(c.Claim, c.Holder)
			}
			if x.Expires > 0 {
				tx.Expire(r.Kind, r.ID, time.UnixMilli(x.Expires))
			}
			tx.Event(resources.Event{Type: "thing.created", Kind: r.Kind, ID: r.ID, Version: 1})
		}
		tx.Take(seat, u1)
		tx.Take(seat, u2)
		tx.Take(resources.Pool{Name: "hold/1", Limit: -1}, s1)
	})
	full := seat
	full.Limit = 0
	w.commit(func(tx resources.Tx) {
		tx.Wait(seat.Line, w.recs["u3"].ID, 7, full)
		tx.Link(w.recs["g1"].ID, u1, u2, w.recs["g2"].ID)
		tx.Link(w.recs["g2"].ID, u1, w.recs["u3"].ID)
		tx.Link(w.recs["g3"].ID, u1, u2)
		tx.Due("a", now.Add(time.Hour))
		tx.Due("b", now)
		tx.Due("c", now)
	})
	w.commit(func(tx resources.Tx) {
		g3, err := tx.Read(resources.KindGroup, w.recs["g3"].ID)
		if err != nil || g3 == nil {
			w.Fatal(g3, err)
		}
		tx.Delete(g3, w.said("g3").Entries)
		tx.Event(resources.Event{Type: "thing.deleted", Kind: g3.Kind, ID: g3.ID})
	})
	w.queue()
	return w
}

func seatOf() resources.Pool { return resources.Pool{Name: "seat/1", Limit: 4, Line: "sku/s"} }

// invent makes the records, with what they say.
func (w *fsckWorld) invent() {
	w.Helper()
	for i, letter := range "ugtors" {
		for _, n := range []string{"1", "2", "3"} {
			name := string(letter) + n
			r := newRecord(w, resources.Kind(i), name)
			r.Standing = []byte(`{}`)
			w.recs[name] = r
		}
	}
	u1 := w.recs["u1"].ID
	seat := seatOf()
	for name, r := range w.recs {
		x := said{Entries: w.entries(name, r)}
		switch name {
		case "u1", "u2":
			x.Claims = []resources.HeldClaim{{Claim: resources.Claim{Kind: resources.ClaimEmail, Key: name + "@" + string(w.org)}, Holder: r.ID}}
			x.Holds.Pools = []string{seat.Name}
		case "u3":
			x.Holds.Lines = map[string]int64{seat.Line: 7}
		case "s1":
			x.Claims = []resources.HeldClaim{{Claim: resources.Claim{Kind: resources.ClaimSubject, Key: "sub" + string(w.org)}, Holder: u1}}
			x.Holds.Bounds, x.Holds.Others = []resources.Bound{{Pool: seat}}, []string{"hold/1"}
		case "s2", "t1":
			x.Expires = w.now.Add(time.Hour).UnixMilli()
		}
		r.Profile, _ = json.Marshal(x)
	}
}

// queue makes one item fail and parks another, and keeps a secret.
func (w *fsckWorld) queue() {
	w.Helper()
	ctx := w.Context()
	l, ok, err := w.s.Lease(ctx, w.org, "w", time.Hour)
	if err != nil || !ok {
		w.Fatal(ok, err)
	}
	items, _, err := w.s.Due(ctx, w.org, w.now.Add(time.Minute), 10)
	if err != nil || len(items) != 2 {
		w.Fatalf("due: %v, %v", items, err)
	}
	if _, err := w.s.Postpone(ctx, l, items[0], w.now.Add(time.Minute)); err != nil {
		w.Fatal(err)
	}
	if _, err := w.s.Park(ctx, l, items[1], "fault", w.now); err != nil {
		w.Fatal(err)
	}
	if err := w.s.Put(ctx, w.org, "test", "k", []byte("v"), w.now.Add(time.Hour)); err != nil {
		w.Fatal(err)
	}
}

func (w *fsckWorld) names() []string {
	var out []string
	for name := range w.recs {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func (w *fsckWorld) said(name string) (x said) {
	w.Helper()
	if err := json.Unmarshal(w.recs[name].Profile, &x); err != nil {
		w.Fatal(err)
	}
	return x
}

// entries puts a record into every index of its kind.
func (w *fsckWorld) entries(name string, r *resources.Record) []resources.Entry {
	var out []resources.Entry
	for _, i := range resources.Indexes() {
		if i.Kind() != r.Kind {
			continue
		}
		e := resources.Entry{Index: i}
		switch i.Shape() {
		case resources.Unique, resources.Text:
			e.Value = i.Code() + name
		case resources.Equal:
			e.Value = "both"
		case resources.Time:
			e.Time = r.Modified
		default:
			e.Value = r.ID
		}
		out = append(out, e)
	}
	return out
}

func (w *fsckWorld) commit(fn func(tx resources.Tx)) {
	w.Helper()
	_, err := w.s.Update(w.Context(), w.org, func(_ context.Context, tx resources.Tx) error { fn(tx); return nil })
	if err != nil {
		w.Fatal(err)
	}
}

func (w *fsckWorld) key(letters, rest string) string {
	key := letters + ":{" + string(w.org) + "}"
	if rest != "" {
		key += ":" + rest
	}
	return key
}

func (w *fsckWorld) check(repair bool) (found []backend.Finding, report backend.FsckReport) {
	w.Helper()
	report, err := w.s.FsckAll(w.Context(), []resources.OrgID{w.org}, backend.FsckConfig{
		Placed: placedAsSaid, Expires: expiresAsSaid, Versions: true, Repair: repair,
		Found: func(f backend.Finding) { found = append(found, f) },
	})
	if err != nil {
		w.Fatalf("fsck: %v", err)
	}
	return found, report
}

// volatile are keys that a check may write: what it remembers of its attempts,
// and the stream, which tells of repairs.
var volatile = []string{"at", "ev", "bl", "br", "lz"}

// dump reads all keys of the store but the volatile ones, rows of ids in order.
func (w *fsckWorld) dump() map[string]string {
	w.Helper()
	ctx, out := w.Context(), map[string]string{}
	for _, key := range w.allKeys("*") {
		letters, _, _ := strings.Cut(key, ":")
		if slices.Contains(volatile, letters) {
			continue
		}
		var v any
		switch kind := w.raw.Type(ctx, key).Val(); kind {
		case "string":
			v = w.raw.Get(ctx, key).Val()
			if letters == "ug" {
				v = sortedRow(w.raw.Get(ctx, key).Val())
			}
		case "hash":
			all := w.raw.HGetAll(ctx, key).Val()
			if letters == "ux" || letters == "ue" || letters == "gx" {
				for f, row := range all {
					all[f] = sortedRow(row)
				}
			}
			v = all
		case "set":
			list := w.raw.SMembers(ctx, key).Val()
			slices.Sort(list)
			v = list
		case "zset":
			v = w.raw.ZRangeWithScores(ctx, key, 0, -1).Val()
		default:
			v = kind
		}
		text, err := json.Marshal(v)
		if err != nil {
			w.Fatal(err)
		}
		out[key] = string(text)
	}
	return out
}

// allKeys lists keys, of all primaries of a cluster.
func (w *fsckWorld) allKeys(pattern string) (out []string) {
	w.Helper()
	cluster, ok := w.raw.(*redis.ClusterClient)
	if !ok {
		keys, err := w.raw.Keys(w.Context(), pattern).Result()
		if err != nil {
			w.Fatal(err)
		}
		return keys
	}
	var mu sync.Mutex
	err := cluster.ForEachMaster(w.Context(), func(ctx context.Context, node *redis.Client) error {
		keys, err := node.Keys(ctx, pattern).Result()
		mu.Lock()
		defer mu.Unlock()
		out = append(out, keys...)
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return out
}

func sortedRow(row string) string {
	var ids []string
	for ; len(row) >= 20; row = row[20:] {
		ids = append(ids, row[:20])
	}
	slices.Sort(ids)
	return strings.Join(ids, "") + row
}
