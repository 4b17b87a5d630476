package backend_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// answers are what servers say, or do, when they cannot serve now.
var answers = map[string]string{
	"moved":       "MOVED 1 SELF",
	"ask":         "ASK 1 SELF",
	"tryagain":    "TRYAGAIN Multiple keys request during rehashing of slot",
	"clusterdown": "CLUSTERDOWN Hash slot not served",
	"masterdown":  "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
	"readonly":    "READONLY You can't write against a read only replica.",
	"loading":     "LOADING Redis is loading the dataset in memory",
	"noreplicas":  "NOREPLICAS Not enough good replicas to write.",
	"slot":        "ERR Script attempted to access a non local key in a cluster node script: 0f, on @user_script:9.",
	"clients":     "ERR max number of clients reached",
	"busy":        "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
	"misconf":     "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
	"cut":         liesCut,
	"swallow":     liesSwallow,
	"silently":    liesSilently,
}

// request is one call of the ports.
type request func(context.Context) error

// requests are all calls that read or write, on a directory with a user in a group.
func requests(t *testing.T, s *backend.Store, org resources.OrgID) map[string]request {
	u, g, now := newUser(t, "there"), newRecord(t, resources.KindGroup, "everyone"), time.Now()
	claim := resources.Claim{Kind: resources.ClaimEmail, Key: t.Name()}
	if _, err := s.Update(t.Context(), org, func(_ context.Context, tx resources.Tx) error {
		tx.Put(nil, u, nil, entriesOf(u))
		tx.Put(nil, g, nil, entriesOf(g))
		tx.Link(g.ID, u.ID)
		tx.Claim(claim, u.ID)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	lease, _, err := s.Lease(t.Context(), org, t.Name(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	ids, item := []string{u.ID, g.ID}, resources.DueItem{Item: "item"}
	return map[string]request{
		"Update": func(ctx context.Context) error {
			_, err := s.Update(ctx, org, func(_ context.Context, tx resources.Tx) error {
				n := newUser(t, "new")
				tx.Put(nil, n, nil, entriesOf(n)[:1])
				tx.Claim(resources.Claim{Kind: resources.ClaimEmail, Key: n.ID}, n.ID)
				return nil
			})
			return err
		},
		"Update that reads": func(ctx context.Context) error {
			_, err := s.Update(ctx, org, func(_ context.Context, tx resources.Tx) error {
				_, err := tx.Read(resources.KindUser, u.ID)
				return err
			})
			return err
		},
		"Get":  func(ctx context.Context) error { _, err := s.Get(ctx, org, resources.KindUser, u.ID); return err },
		"Many": func(ctx context.Context) error { _, err := s.Many(ctx, org, ids); return err },
		"Named": func(ctx context.Context) error {
			_, err := s.Named(ctx, org, resources.UserName, "x")
			return err
		},
		"Find": func(ctx context.Context) error {
			_, err := s.Find(ctx, org, resources.Query{Kind: resources.KindUser, Limit: 10})
			return err
		},
		"Find sorted": func(ctx context.Context) error {
			_, err := s.Find(ctx, org, resources.Query{Kind: resources.KindUser, Limit: 10, Sort: resources.UserNameOrder})
			return err
		},
		"Members":    func(ctx context.Context) error { _, err := s.Members(ctx, org, g.ID, "", 10); return err },
		"MemberIDs":  func(ctx context.Context) error { _, err := s.MemberIDs(ctx, org, g.ID, "", 10); return err },
		"Exist":      func(ctx context.Context) error { _, err := s.Exist(ctx, org, ids); return err },
		"IsMember":   func(ctx context.Context) error { _, err := s.IsMember(ctx, org, g.ID, ids); return err },
		"Holder":     func(ctx context.Context) error { _, _, err := s.Holder(ctx, claim); return err },
		"Events":     func(ctx context.Context) error { _, err := s.Events(ctx, org, "", 10); return err },
		"EventsBack": func(ctx context.Context) error { _, err := s.EventsBack(ctx, org, "", 10); return err },
		"Counts": func(ctx context.Context) error {
			_, _, err := s.Counts(ctx, org, []string{"p"}, []string{"l"})
			return err
		},
		"Waiting":  func(ctx context.Context) error { _, err := s.Waiting(ctx, org, "l", 10); return err },
		"Ring":     func(ctx context.Context) error { return s.Ring(ctx, org) },
		"Lease":    func(ctx context.Context) error { _, _, err := s.Lease(ctx, org, "w", time.Minute); return err },
		"Due":      func(ctx context.Context) error { _, _, err := s.Due(ctx, org, now, 10); return err },
		"Next":     func(ctx context.Context) error { _, err := s.Next(ctx, []resources.OrgID{org}); return err },
		"Postpone": func(ctx context.Context) error { _, err := s.Postpone(ctx, lease, item, now); return err },
		"Parked":   func(ctx context.Context) error { _, err := s.Parked(ctx, org, 10); return err },
		"Sweep": func(ctx context.Context) error {
			_, err := s.Sweep(ctx, org, now, 10, resources.Placement)
			return err
		},
		"Erase": func(ctx context.Context) error { _, err := s.Erase(ctx, "nobody", 10); return err },
		"Vault.Put": func(ctx context.Context) error {
			return s.Put(ctx, org, "p", "k", []byte("v"), now.Add(time.Hour))
		},
		"Vault.Take": func(ctx context.Context) error { _, err := s.Take(ctx, org, "p", "k"); return err },
		"Vault.Peek": func(ctx context.Context) error { _, err := s.Peek(ctx, org, "p", "k"); return err },
		"Vault.Add": func(ctx context.Context) error {
			_, err := s.Add(ctx, org, "p", "a", now.Add(time.Hour))
			return err
		},
		"Vault.Count": func(ctx context.Context) error {
			_, err := s.Count(ctx, org, "p", "c", now.Add(time.Hour))
			return err
		},
		"Ping that a cluster's slot answers": func(ctx context.Context) error {
			if !strings.Contains(t.Name(), "cluster") {
				return resources.ErrUnavailable // a liar lets PING pass
			}
			return s.Ping(ctx)
		},
		"StreamLength": func(ctx context.Context) error { _, err := s.StreamLength(ctx); return err },
		"Unpark":       func(ctx context.Context) error { _, err := s.Unpark(ctx, org, "i", now); return err },
		"Bells":        func(ctx context.Context) error { _, err := s.Bells(ctx, time.Minute, 10); return err },
		"Lease, ending": func(ctx context.Context) error {
			return s.Unlease(ctx, resources.Lease{Org: org, Token: strings.Repeat("x", 25)})
		},
	}
}

// TestWhatServersSayWhenTheyCannotServe gives every answer to every call: while
// it lasts, each says in time that the store is unavailable, and when it passes
// at once, writes are done, once.
func TestWhatServersSayWhenTheyCannotServe(t *testing.T) {
	t.Parallel()
	server := redistest.Run(t, redistest.Config{})
	for _, scheme := range []string{"redis", "redis+cluster"} {
		for name, answer := range answers {
			if cluster := strings.Contains("moved ask tryagain clusterdown masterdown slot clients", name); cluster && scheme == "redis" {
				continue // only nodes of clusters say so
			}
			t.Run(scheme+"/"+name, func(t *testing.T) {
				t.Parallel() // most of it is waiting
				x := newLiar(t, server.Addr)
				s := open(t, backend.Config{URL: scheme + "://:" + server.Password + "@" + x.listener.Addr().String()})
				org := resources.OrgID(strings.TrimPrefix(scheme, "redis+") + name)
				passes(t, s, org, x, answer)
				lasts(t, requests(t, s, org), x, answer)
			})
		}
	}
}

// lasts gives the answer all the time.
func lasts(t *testing.T, all map[string]request, x *liar, answer string) {
	x.says(answer, -1)
	defer x.says("", 0)
	done := make(chan func())
	for name, ask := range all {
		go func() {
			began := time.Now()
			err := ask(context.Background())
			took := time.Since(began)
			done <- func() {
				if !errors.Is(err, resources.ErrUnavailable) {
					t.Errorf("%s: %v, want that the store is unavailable", name, err)
				}
				if took > 4*time.Second { // 2.5 s, and the machine may be busy
					t.Errorf("%s took %v", name, took)
				}
			}
		}()
	}
	for range all {
		(<-done)()
	}
}

// passes gives the answer once or twice, which a call that writes gets over.
func passes(t *testing.T, s *backend.Store, org resources.OrgID, x *liar, answer string) {
	t.Helper()
	if strings.HasPrefix(answer, "BUSY") || strings.HasPrefix(answer, "MISCONF") || answer == liesSilently {
		return // these do not pass at once
	}
	ctx := t.Context()
	if _, err := s.Count(ctx, org, "p", "known", time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err) // the server knows the scripts now
	}
	u := newUser(t, "once")
	for i := 1; i <= 3; i++ {
		x.says(answer, 2)
		c, err := s.Update(ctx, org, func(_ context.Context, tx resources.Tx) error {
			if i == 1 {
				tx.Put(nil, u, nil, entriesOf(u))
			}
			tx.Event(resources.Event{Type: "user.updated", ID: u.ID})
			return nil
		})
		if err != nil || !c.Changed {
			t.Fatalf("update %d: %+v, %v", i, c, err)
		}
		x.says(answer, 2)
		if n, err := s.Count(ctx, org, "p", "c", time.Now().Add(time.Hour)); err != nil || n != i {
			t.Fatalf("count: %d, %v; want %d", n, err, i)
		}
		x.says("", 0)
		events, err := s.Events(ctx, org, "", 10)
		if err != nil || len(events) != i {
			t.Fatalf("%d events, %v; want %d: a write was done twice or not at all", len(events), err, i)
		}
	}
	x.says(answer, 1)
	rec, err := s.Get(ctx, org, resources.KindUser, u.ID)
	led := strings.HasPrefix(answer, "MOVED") || strings.HasPrefix(answer, "ASK") // reads follow
	if err == nil && rec == nil || err != nil && (led || !errors.Is(err, resources.ErrUnavailable)) {
		t.Fatalf("a read: %v, %v", rec, err)
	}
	x.says("", 0)
	audit(t, s, org)
}
