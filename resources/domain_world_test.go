package resources_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"

	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// zone is what DNS says.
type zone struct {
	mu    sync.Mutex
	texts map[string][]string
	down  map[string]bool // names that get no answer
	asked []string
	while func() // happens once, while DNS is asked
}

// publish makes a name have these texts and no others.
func (z *zone) publish(name string, texts ...string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.texts[name] = texts
}

// fail makes names have no answer; none makes all of them answer.
func (z *zone) fail(names ...string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.down = map[string]bool{}
	for _, n := range names {
		z.down[n] = true
	}
}

// looks tells how often DNS was asked since the last time.
func (z *zone) looks() int {
	z.mu.Lock()
	defer z.mu.Unlock()
	n := len(z.asked)
	z.asked = nil
	return n
}

func (z *zone) lookup(_ context.Context, name string) ([]string, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if happen := z.while; happen != nil {
		z.while = nil
		z.mu.Unlock()
		happen()
		z.mu.Lock()
	}
	z.asked = append(z.asked, name)
	if z.down[name] {
		return nil, errors.New("server misbehaving")
	}
	return slices.Clone(z.texts[name]), nil
}

// domains is a world with DNS.
type domains struct {
	*bundle
	zone  *zone
	admin resources.Caller // full administrator of acme
	beta  resources.Caller // and of beta
}

func newDomains(t *testing.T, url string) *domains {
	t.Helper()
	z := &zone{texts: map[string][]string{}}
	b := newBundle(t, url)
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	dir, err := resources.New(resources.Config{Store: b.store, Vault: b.store, Queue: b.store, Now: b.clock.Now, Rand: rand.Reader, Log: log, LookupTXT: z.lookup})
	if err != nil {
		t.Fatal(err)
	}
	b.Directory = dir
	return &domains{bundle: b, zone: z, admin: b.admin(t, "acme", resources.ScopeAdmin), beta: b.admin(t, "beta", resources.ScopeAdmin)}
}

// onBothDomains runs a test with DNS on the embedded store and on a real Redis.
func onBothDomains(t *testing.T, test func(t *testing.T, w *domains)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) { test(t, newDomains(t, "")) })
	t.Run("redis", func(t *testing.T) { test(t, newDomains(t, redistest.Start(t))) })
}

// add adds a domain of acme.
func (w *domains) add(t *testing.T, name string) *resources.Domain {
	t.Helper()
	dm, err := w.AddDomain(t.Context(), w.admin, name)
	if err != nil {
		t.Fatal(err)
	}
	return dm
}

// verified adds a domain of acme and verifies it.
func (w *domains) verified(t *testing.T, name string) *resources.Domain {
	t.Helper()
	dm := w.add(t, name)
	w.zone.publish(dm.Record())
	dm, err := w.CheckDomain(t.Context(), w.admin, name)
	if err != nil || dm.State != resources.DomainVerified {
		t.Fatalf("%+v, %v", dm, err)
	}
	w.work(t, w.a.Org)
	return dm
}

// named reads a domain of acme.
func (w *domains) named(t *testing.T, name string) *resources.Domain {
	t.Helper()
	dm, err := w.Domain(t.Context(), w.admin, name)
	if err != nil {
		t.Fatal(err)
	}
	return dm
}

// state is a user's state.
func (w *domains) state(t *testing.T, id string) string {
	t.Helper()
	rec, err := w.store.Get(t.Context(), w.a.Org, resources.KindUser, id)
	if err != nil || rec == nil {
		t.Fatalf("get %s: %v, %v", id, rec, err)
	}
	return resources.StandingOf(rec).State
}

// told lists the events of acme about domains, without the prefix.
func (w *domains) told(t *testing.T) []string {
	t.Helper()
	all, err := w.store.Events(t.Context(), w.a.Org, "", 10_000)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range all {
		switch e.Type {
		case "domain.added", "domain.verified", "domain.lost", "domain.removed":
			out = append(out, e.Type+" "+e.Names[0])
		}
	}
	return out
}
