package backend_test

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// writer makes changes of one organization whose order can be told from what is
// stored: first the user a, then the user b with the group, then the secret.
type writer struct {
	s     *backend.Store
	org   resources.OrgID
	name  string
	a, b  *resources.Record
	group *resources.Record
	facts modelRec // of a
}

func (w *writer) update(ctx context.Context, fn func(resources.Tx)) error {
	_, err := w.s.Update(ctx, w.org, func(_ context.Context, tx resources.Tx) error { fn(tx); return nil })
	return err
}

func (w *writer) mail(n int) resources.Claim {
	return resources.Claim{Kind: resources.ClaimEmail, Key: fmt.Sprintf("%s-%s-%d@example.com", w.org, w.name, n)}
}

// facts of the n-th version of a user.
func factsOf(name string, n int, mail string) modelRec {
	return modelRec{kind: resources.KindUser, name: name, external: strconv.Itoa(n), mail: mail, version: uint64(n + 1)}
}

func (w *writer) begin(ctx context.Context, t *testing.T) error {
	t.Helper()
	f := factsOf(w.name+"-a", 0, w.mail(0).Key)
	g := factsOf(w.name+"-b", 0, "")
	w.a, w.b = f.record(newRecord(t, resources.KindUser, w.name).ID, 1), g.record(newRecord(t, resources.KindUser, w.name).ID, 1)
	w.group = newRecord(t, resources.KindGroup, w.name+"-g")
	w.facts = f
	return w.update(ctx, func(tx resources.Tx) {
		tx.Put(nil, w.a, nil, f.entries(w.a.ID, 1))
		tx.Claim(w.mail(0), w.a.ID)
		tx.Put(nil, w.b, nil, g.entries(w.b.ID, 1))
		tx.Put(nil, w.group, nil, entriesOf(w.group))
	})
}

// step is the n-th change of everything.
func (w *writer) step(ctx context.Context, n int) error {
	a := factsOf(w.name+"-a", n, w.mail(n).Key)
	err := w.update(ctx, func(tx resources.Tx) {
		before, err := tx.Read(resources.KindUser, w.a.ID)
		if err != nil || before == nil {
			return
		}
		tx.Put(before, a.record(w.a.ID, int64(n+1)), w.facts.entries(w.a.ID, int64(n)), a.entries(w.a.ID, int64(n+1)))
		tx.Release(w.mail(n-1), w.a.ID)
		tx.Claim(w.mail(n), w.a.ID)
		tx.Event(resources.Event{Type: "step", ID: w.a.ID, Version: uint64(n)})
		tx.Due("s"+w.name, time.UnixMilli(int64(n)))
	})
	if err != nil {
		return err
	}
	w.facts = a
	b := factsOf(w.name+"-b", n, "")
	err = w.update(ctx, func(tx resources.Tx) {
		before, err := tx.Read(resources.KindUser, w.b.ID)
		if err != nil || before == nil {
			return
		}
		tx.Put(before, b.record(w.b.ID, int64(n+1)), factsOf(w.name+"-b", n-1, "").entries(w.b.ID, int64(n)), b.entries(w.b.ID, int64(n+1)))
		if n%2 == 1 {
			tx.Link(w.group.ID, w.a.ID)
		} else {
			tx.Unlink(w.group.ID, w.a.ID)
		}
	})
	if err != nil {
		return err
	}
	return w.s.Put(ctx, w.org, "test", w.name, []byte(strconv.Itoa(n)), time.Now().Add(time.Hour))
}

// check compares what a store has of the writer's changes: a beginning of them
// without a hole.
func (w *writer) check(ctx context.Context, s *backend.Store, steps []uint64) (last int, fault string) {
	counter := func(id string) int {
		rec, err := s.Get(ctx, w.org, resources.KindUser, id)
		if err != nil || rec == nil {
			return -1
		}
		return int(rec.Version) - 1
	}
	a, b, secret := counter(w.a.ID), counter(w.b.ID), 0
	if v, err := s.Peek(ctx, w.org, "test", w.name); err == nil && v != nil {
		secret, _ = strconv.Atoi(string(v))
	}
	linked := false
	for i, step := range steps {
		if step != uint64(i+1) {
			return a, fmt.Sprintf("event %d is of step %d", i+1, step)
		}
	}
	if in, err := s.IsMember(ctx, w.org, w.group.ID, []string{w.a.ID}); err == nil {
		linked = in[0]
	}
	if b > a || b < a-1 || secret > b || secret < b-1 || secret < a-1 || len(steps) != a || linked != (b%2 == 1) {
		return a, fmt.Sprintf("a %d, b %d, secret %d, %d events, linked %v", a, b, secret, len(steps), linked)
	}
	return a, ""
}

// stepsIn are the steps that the events of an organization tell of, by user.
func stepsIn(t *testing.T, s *backend.Store, org resources.OrgID) map[string][]uint64 {
	t.Helper()
	out := map[string][]uint64{}
	for after := ""; ; {
		list, err := s.Events(t.Context(), org, after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			return out
		}
		for _, e := range list {
			if after = e.LSN; e.Type == "step" {
				out[e.ID] = append(out[e.ID], e.Version)
			}
		}
	}
}

// placedAll is expected, with groups at the time when their members changed.
func placedAll(r *resources.Record) ([]resources.Entry, []resources.HeldClaim, resources.Holdings) {
	entries, claims, holdings := expected(r)
	for i := range entries {
		if entries[i].Index == resources.GroupModified {
			entries[i].Time = max(r.Modified, r.LinksModified)
		}
	}
	return entries, claims, holdings
}

// backUp backs up one organization into a whole file.
func backUp(ctx context.Context, s *backend.Store, org resources.OrgID, told func(backend.BackupStep)) ([]byte, backend.BackupDone, error) {
	var file bytes.Buffer
	w, err := s.NewBackup(&file, "test")
	if err != nil {
		return nil, backend.BackupDone{}, err
	}
	done, err := s.Backup(ctx, w, backend.BackupConfig{Org: org, Slug: string(org), Placed: placedAll, Told: told})
	if err != nil {
		return nil, done, err
	}
	err = w.Complete()
	return file.Bytes(), done, err
}

// restore restores a file into a store.
func restore(ctx context.Context, s *backend.Store, file []byte, cfg backend.RestoreConfig) error {
	contents, err := backend.ReadBackup(bytes.NewReader(file))
	if err != nil {
		return err
	}
	cfg.Placed = placedAll
	_, err = s.Restore(ctx, bytes.NewReader(file), contents, cfg)
	return err
}

// TestBackupUnderWriters: every backup that is made while others write is what the
// organization was at one moment.
func TestBackupUnderWriters(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		const org, writers, backups = resources.OrgID("busy"), 12, 2
		ctx := t.Context()
		s, pause := open(t, backend.Config{URL: url}), 2*time.Millisecond
		if url == "" {
			pause *= 25 // it does one thing at a time
		}
		crowd(t, s, org, 600)
		var all []*writer
		var stop atomic.Bool
		var wait sync.WaitGroup
		defer func() { stop.Store(true); wait.Wait() }()
		for i := range writers {
			w := &writer{s: s, org: org, name: fmt.Sprintf("w%d", i)}
			if err := w.begin(ctx, t); err != nil {
				t.Fatal(err)
			}
			all = append(all, w)
			wait.Go(func() {
				for n := 1; !stop.Load(); n++ {
					if err := w.step(ctx, n); err != nil {
						t.Errorf("%s, step %d: %v", w.name, n, err)
						return
					}
					time.Sleep(pause)
				}
			})
		}
		moved := 0
		for range backups {
			file, done, err := backUp(ctx, s, org, nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("passes %d, frozen for %s, %v", done.Passes, done.Frozen, done.Counts)
			copied := open(t, backend.Config{})
			if err := restore(ctx, copied, file, backend.RestoreConfig{}); err != nil {
				t.Fatal(err)
			}
			steps := stepsIn(t, copied, org)
			for _, w := range all {
				last, fault := w.check(ctx, copied, steps[w.a.ID])
				if moved += last; fault != "" {
					t.Errorf("%s: %s", w.name, fault)
				}
			}
			faults, err := copied.Audit(ctx, org, placedAll)
			if err != nil || len(faults) > 0 {
				t.Errorf("audit: %q, %v", faults[:min(5, len(faults))], err)
			}
		}
		if moved == 0 {
			t.Error("nothing was written meanwhile")
		}
	})
}

// TestFreezeHoldsWrites: while a backup reads its last keys a write waits, and is
// done when that has ended.
func TestFreezeHoldsWrites(t *testing.T) {
	const org, held = resources.OrgID("held"), 300 * time.Millisecond
	url := redistest.Start(t)
	s := open(t, backend.Config{URL: url})
	c := redistest.Client(t, url)
	now := time.Now()
	mark := fmt.Sprintf("%013d%013dtest", now.Add(time.Minute).UnixMilli(), now.Add(held).UnixMilli())
	if err := c.HSet(t.Context(), "bk:{"+string(org)+"}", "", mark).Err(); err != nil {
		t.Fatal(err)
	}
	crowd(t, s, org, 1)
	if took := time.Since(now); took < held-time.Millisecond {
		t.Errorf("written after %s, in the middle of a freeze", took)
	}
}

// crowd creates users.
func crowd(t *testing.T, s *backend.Store, org resources.OrgID, n int) {
	t.Helper()
	for from := 0; from < n; from += 100 {
		_, err := s.Update(t.Context(), org, func(_ context.Context, tx resources.Tx) error {
			for i := from; i < min(from+100, n); i++ {
				f := factsOf(fmt.Sprintf("crowd-%d", i), 0, fmt.Sprintf("%s-crowd-%d@example.com", org, i))
				r := f.record(newRecord(t, resources.KindUser, "x").ID, 1)
				tx.Put(nil, r, nil, f.entries(r.ID, 1))
				tx.Claim(resources.Claim{Kind: resources.ClaimEmail, Key: f.mail}, r.ID)
				tx.Event(resources.Event{Type: "user.created", ID: r.ID})
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
