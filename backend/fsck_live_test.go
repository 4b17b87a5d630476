package backend_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/resources"
)

// TestFsckBesideWriters: a check beside writers tells nothing, because nothing is
// wrong at any moment; and nothing is wrong behind them.
func TestFsckBesideWriters(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		c := newClock()
		s := open(t, backend.Config{URL: url, Now: c.now})
		w := newFsckWorld(t, s, "live", c.now())
		ctx, stop := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer stop()
		var wg sync.WaitGroup
		for n := range 4 {
			wg.Go(func() { w.write(ctx, n) })
		}
		checks := 0
		for ctx.Err() == nil {
			found, _ := w.check(checks%2 == 1)
			for _, f := range found {
				t.Errorf("beside writers: %+v", f)
			}
			checks++
		}
		wg.Wait()
		found, report := w.check(false)
		if len(found) > 0 || report.Restless > 0 || report.Records < 17 {
			t.Errorf("behind writers: %+v %+v", found, report)
		}
		t.Logf("%d checks, %d records at last", checks, report.Records)
	})
}

// write makes, changes, links and deletes users.
func (w *fsckWorld) write(ctx context.Context, worker int) {
	g1, g2 := w.recs["g1"].ID, w.recs["g2"].ID
	for n := 0; ctx.Err() == nil; n++ {
		name := fmt.Sprintf("w%d-%d", worker, n)
		r := newRecord(w, resources.KindUser, name)
		x := said{Entries: w.entries(name, r)}
		x.Claims = []resources.HeldClaim{{Claim: resources.Claim{Kind: resources.ClaimEmail, Key: name}, Holder: r.ID}}
		x.Holds.Pools = []string{"free/1"}
		r.Profile, _ = json.Marshal(x)
		r.Standing = []byte(`{}`)
		steps := []func(tx resources.Tx, is *resources.Record){
			func(tx resources.Tx, _ *resources.Record) {
				tx.Put(nil, r, nil, x.Entries)
				tx.Claim(x.Claims[0].Claim, r.ID)
				tx.Take(resources.Pool{Name: "free/1", Limit: -1}, r.ID)
				tx.Link(g1, r.ID)
				tx.Event(resources.Event{Type: "user.created", ID: r.ID, Version: 1})
			},
			func(tx resources.Tx, is *resources.Record) {
				y := x
				y.Entries = w.entries(name+"b", r)
				for i := range y.Entries {
					y.Entries[i].Time += int64(n)
				}
				next := *is
				next.Version++
				next.Profile, _ = json.Marshal(y)
				tx.Put(is, &next, x.Entries, y.Entries)
				tx.Unlink(g1, r.ID)
				tx.Link(g2, r.ID)
				tx.Event(resources.Event{Type: "user.updated", ID: r.ID, Version: next.Version})
				x = y
			},
			func(tx resources.Tx, is *resources.Record) {
				tx.Delete(is, x.Entries)
				tx.Release(x.Claims[0].Claim, r.ID)
				tx.Give("free/1", r.ID)
				tx.Unlink(g2, r.ID)
				tx.Event(resources.Event{Type: "user.deleted", ID: r.ID})
			},
		}
		for _, step := range steps[:1+n%3] {
			had := x
			_, err := w.s.Update(w.Context(), w.org, func(_ context.Context, tx resources.Tx) error {
				x = had
				is, err := tx.Read(resources.KindUser, r.ID)
				if err == nil {
					step(tx, is)
				}
				return err
			})
			if err != nil {
				w.Errorf("writer: %v", err)
				return
			}
		}
	}
}

// TestFsckTellsOfTruth: what is not derived is told with what to do about it, and
// left as it is also by a repair.
func TestFsckTellsOfTruth(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		for _, d := range []struct {
			name, codes string
			do          func(w *fsckWorld) []any
		}{
			{"damaged bytes", "record_damaged", func(w *fsckWorld) []any { return []any{"SET", w.key("u", w.recs["u1"].ID), "rubbish"} }},
			{"no JSON", "record_damaged", func(w *fsckWorld) []any {
				raw := w.raw.Get(w.Context(), w.key("t", w.recs["t1"].ID)).Val()
				return []any{"SET", w.key("t", w.recs["t1"].ID), strings.Replace(raw, `{"Entries"`, `{{Entries"`, 1)}
			}},
			{"damaged setting", "record_damaged", func(w *fsckWorld) []any { return []any{"SET", w.key("s", w.recs["s1"].ID), "rubbish"} }},
			{"event", "event_damaged", func(w *fsckWorld) []any { return []any{"XADD", w.key("ev", ""), "*", "e", "rubbish"} }},
			{"version left out", "event_gap", func(w *fsckWorld) []any {
				return []any{"XADD", w.key("ev", ""), "*", "e", `{"t":"user.updated","k":0,"i":"` + w.recs["u1"].ID + `","v":9}`}
			}},
			{"version back", "event_order", func(w *fsckWorld) []any {
				w.run([]any{"XADD", w.key("ev", ""), "*", "e", `{"t":"user.updated","k":0,"i":"` + w.recs["u1"].ID + `","v":2}`})
				return []any{"XADD", w.key("ev", ""), "*", "e", `{"t":"user.updated","k":0,"i":"` + w.recs["u1"].ID + `","v":1}`}
			}},
		} {
			c := newClock()
			s := open(t, backend.Config{URL: url, Now: c.now})
			w := newFsckWorld(t, s, resources.OrgID("truth"+strings.ReplaceAll(strings.ToLower(d.name), " ", "")), c.now())
			w.run(d.do(w))
			broken := w.dump()
			found, report := w.check(true)
			codes := map[backend.FindingCode]bool{}
			for _, f := range found {
				codes[f.Code] = true
				if f.Repaired || f.Remedy == "" {
					t.Errorf("%s: %+v", d.name, f)
				}
			}
			if !codes[backend.FindingCode(d.codes)] || report.Left == 0 {
				t.Errorf("%s: found %+v", d.name, found)
			}
			after := w.dump()
			for key, v := range broken {
				if after[key] != v {
					t.Errorf("%s: the repair changed %s", d.name, key)
				}
			}
		}
	})
}

// TestFsckStops: a check that is stopped says what it has done until then.
func TestFsckStops(t *testing.T) {
	c := newClock()
	s := open(t, backend.Config{Now: c.now})
	w := newFsckWorld(t, s, "stopped", c.now())
	w.run([]any{"HDEL", w.key("un", ""), "unu1"})
	ctx, stop := context.WithCancel(t.Context())
	found := 0
	report, err := s.Fsck(ctx, w.org, backend.FsckConfig{Placed: placedAsSaid, Repair: true, Found: func(backend.Finding) { found++; stop() }})
	if !errors.Is(err, context.Canceled) || report.Orgs != 0 || report.Findings != found || found == 0 {
		t.Errorf("stopped: %+v, %v, %d found", report, err, found)
	}
	if _, report = w.check(true); report.Left > 0 {
		t.Errorf("continued: %+v", report)
	}
}

// TestFsckDeep: what nothing names is found among all keys.
func TestFsckDeep(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		c := newClock()
		s := open(t, backend.Config{URL: url, Now: c.now})
		w := newFsckWorld(t, s, resources.PlatformOrg, c.now())
		deep := func(repair bool) (codes []string, report backend.FsckReport) {
			report, err := s.FsckAll(t.Context(), []resources.OrgID{w.org}, backend.FsckConfig{
				Placed: placedAsSaid, Expires: expiresAsSaid, Deep: true, Repair: repair,
				Found: func(f backend.Finding) { codes = append(codes, string(f.Code)+" "+f.Key) },
			})
			if err != nil {
				t.Fatal(err)
			}
			return codes, report
		}
		if codes, _ := deep(false); len(codes) > 0 {
			t.Fatalf("a whole world: %q", codes)
		}
		before, gone := w.dump(), ghost+"0"
		token := w.recs["t2"]
		w.run([]any{"ZREM", w.key("tc", ""), token.ID}) // nothing else names it
		w.run([]any{"SET", w.key("ug", gone), w.recs["g1"].ID})
		w.run([]any{"ZREM", w.key("xp", ""), w.secretKey()})
		w.run([]any{"SET", hashed("em", "leaked"), "C|platform|" + gone + "|000000000000"})
		w.run([]any{"ZREM", w.key("tl", ""), w.recs["g3"].ID})
		codes, report := deep(true)
		if len(codes) < 5 || report.Repaired < 5 {
			t.Errorf("found %q", codes)
		}
		after := w.dump()
		for key, v := range before {
			if after[key] != v {
				t.Errorf("%s is %s, it was %s", key, after[key], v)
			}
		}
		if codes, report := deep(false); len(codes) > 0 || report.Left > 0 || len(after) != len(before) {
			t.Errorf("after the repair: %q", codes)
		}
	})
}

func (w *fsckWorld) secretKey() string {
	keys := w.allKeys(w.key("vt", "*"))
	if len(keys) != 1 {
		w.Fatal(keys)
	}
	return keys[0]
}
