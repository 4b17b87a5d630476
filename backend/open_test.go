package backend_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/conformance"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

func TestOpenRefuses(t *testing.T) {
	evicting := redistest.Run(t, redistest.Config{Args: []string{"--maxmemory-policy", "allkeys-lru"}})
	for name, c := range map[string]struct {
		url, want string
	}{
		"another scheme":   {"http://h", "redis://"},
		"a broken URL":     {"redis://:top%secret@h:1", "%25"},
		"several servers":  {"redis://:topsecret@h:1,h:2", "redis+cluster://"},
		"an unknown form":  {"redis://:topsecret@h:1?nonsense=topsecret", "cannot be read"},
		"no name":          {"redis+sentinel://:topsecret@h:1", "name the primary"},
		"no cluster there": {strings.Replace(evicting.URL, "redis://", "redis+cluster://", 1), "cluster support disabled"},
		"no node there":    {"redis+cluster://:topsecret@127.0.0.1:1", "unavailable"},
		"no Sentinel":      {"redis+sentinel://:topsecret@127.0.0.1:1/directory", "unavailable"},
		"nobody there":     {"redis://:topsecret@127.0.0.1:1", "unavailable"},
		"a wrong password": {strings.Replace(evicting.URL, evicting.Password, "topsecret", 1), "WRONGPASS"},
		"eviction":         {evicting.URL, "noeviction"},
	} {
		s, err := backend.Open(context.Background(), backend.Config{URL: c.url})
		if err == nil {
			_ = s.Close()
			t.Errorf("%s: opened", name)
			continue
		}
		if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), evicting.Password) {
			t.Errorf("%s: the error is %q, want one about %q without the password", name, err, c.want)
		}
	}
	s := open(t, backend.Config{URL: evicting.URL, AllowEviction: true})
	if s.Embedded() {
		t.Error("a store on a server says that it is embedded")
	}
}

func TestOpenWarnsWithoutAOF(t *testing.T) {
	for _, on := range []string{"no", "yes"} {
		var log bytes.Buffer
		url := redistest.Run(t, redistest.Config{Args: []string{"--appendonly", on}}).URL
		open(t, backend.Config{URL: url, Log: slog.New(slog.NewTextHandler(&log, nil))})
		if warned := strings.Contains(log.String(), "append-only"); warned == (on == "yes") {
			t.Errorf("appendonly %s: the log says %q", on, log.String())
		}
	}
}

func TestEmbeddedWarnsAboveItsSize(t *testing.T) {
	var log bytes.Buffer
	s := open(t, backend.Config{Log: slog.New(slog.NewTextHandler(&log, nil))})
	ctx := context.Background()
	for part := range 101 {
		_, err := s.Update(ctx, "big", func(_ context.Context, tx resources.Tx) error {
			for i := range 200 {
				u := newRecord(t, resources.KindUser, fmt.Sprintf("u%d-%d", part, i))
				tx.Put(nil, u, nil, []resources.Entry{{Index: resources.UserAll, Value: u.ID}})
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if warned := strings.Contains(log.String(), "embedded"); warned != (part >= 100) {
			t.Fatalf("after %d users the log says %q", (part+1)*200, log.String())
		}
	}
	if n := strings.Count(log.String(), "embedded"); n != 1 {
		t.Errorf("it warned %d times", n)
	}
}

// TestObserved: every call of the port is reported, re-runs too.
func TestObserved(t *testing.T) {
	var ops []string
	reran := 0
	s := open(t, backend.Config{
		Observe: func(op string, _ time.Duration, err error) { ops = append(ops, fmt.Sprint(op, " ", err == nil)) },
		Reran:   func() { reran++ },
	})
	ctx := context.Background()
	u := newRecord(t, resources.KindUser, "u")
	first := true
	put := func(_ context.Context, tx resources.Tx) error {
		rec, err := tx.Read(resources.KindUser, u.ID)
		if err != nil || rec != nil {
			return err
		}
		if first {
			first = false
			if _, err := s.Update(ctx, "o", func(_ context.Context, tx resources.Tx) error { tx.Put(nil, u, nil, nil); return nil }); err != nil {
				return err
			}
		}
		tx.Put(nil, u, nil, nil)
		return nil
	}
	if _, err := s.Update(ctx, "o", put); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(ctx, "o", resources.KindUser, u.ID); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(ops, ","), "update true,update true,get true"; got != want || reran != 1 {
		t.Errorf("observed %q and %d re-runs, want %q and one", got, reran, want)
	}
}

// TestNoRandomness: without randomness nothing is written under a bad stamp.
func TestNoRandomness(t *testing.T) {
	s := open(t, backend.Config{Rand: io.LimitReader(strings.NewReader("too short"), 3)})
	_, err := s.Update(context.Background(), "o", func(_ context.Context, tx resources.Tx) error {
		tx.Event(resources.Event{Type: "x"})
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "randomness") {
		t.Errorf("the error is %v", err)
	}
}

// TestTwice: the wrapper runs every closure in vain first, and nothing of the
// vain run remains.
func TestTwice(t *testing.T) {
	plain := open(t, backend.Config{})
	s := conformance.Twice(plain)
	ctx := context.Background()
	runs, names := 0, []string{}
	c, err := s.Update(ctx, "o", func(_ context.Context, tx resources.Tx) error {
		runs++
		u := newRecord(t, resources.KindUser, fmt.Sprintf("run%d", runs))
		names = append(names, u.ID)
		tx.Put(nil, u, nil, entriesOf(u))
		tx.Take(resources.Pool{Name: "seats", Limit: 1}, u.ID)
		tx.Claim(resources.Claim{Kind: resources.ClaimEmail, Key: "a@b.c"}, u.ID)
		tx.Event(resources.Event{Type: "x", ID: u.ID})
		return nil
	})
	if err != nil || !c.Changed || runs != 2 {
		t.Fatalf("%d runs, %+v, %v; want 2 runs and one commit", runs, c, err)
	}
	page, err := s.Find(ctx, "o", resources.Query{Kind: resources.KindUser, Limit: 10})
	if err != nil || page.Total != 1 || page.Records[0].ID != names[1] {
		t.Errorf("%d records, %v; want the one of the second run", page.Total, err)
	}
	events, err := s.Events(ctx, "o", "", 10)
	if err != nil || len(events) != 1 {
		t.Errorf("%d events, %v; want one", len(events), err)
	}
}
