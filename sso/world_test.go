package sso_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/issuer"
	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/internal/jwks"
	"github.com/usher-scim/usher/internal/outbound"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/sso"
	"github.com/usher-scim/usher/sso/oidc"
)

// world is a server with the people's door, over a real directory, with the
// letters that it sent.
type world struct {
	*testing.T
	*httptest.Server
	directory *resources.Directory
	store     *backend.Store
	provider  *issuer.Provider
	acme      resources.Caller
	idp       resources.Caller
	logs      *buffer

	mu      sync.Mutex
	ahead   time.Duration
	letters []resources.Letter
	records []string // in DNS
	issuer  string   // address of the provider
}

// buffer is a log that can be read.
type buffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

// onBoth runs a test on the embedded store and on a real Redis.
func onBoth(t *testing.T, test func(w *world)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) { test(open(t, "")) })
	t.Run("redis", func(t *testing.T) { test(open(t, redistest.Start(t))) })
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.ahead)
}

func (w *world) wait(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ahead += d
}

func (w *world) send(_ context.Context, l resources.Letter) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.letters = append(w.letters, l)
	return nil
}

func open(t *testing.T, redis string) *world {
	t.Helper()
	w := &world{T: t, logs: &buffer{}}
	log := slog.New(slog.NewTextHandler(io.MultiWriter(w.logs, t.Output()), nil))
	var err error
	if w.store, err = backend.Open(t.Context(), backend.Config{URL: redis, Now: w.now, Rand: rand.Reader, Log: log}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
	w.directory, err = resources.New(resources.Config{
		Store: w.store, Vault: w.store, Queue: w.store, Now: w.now, Rand: rand.Reader, Log: log, Send: w.send,
		LookupTXT: func(context.Context, string) ([]string, error) { return w.txt(), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Server = httptest.NewUnstartedServer(nil)
	w.StartTLS()
	t.Cleanup(w.Close)
	w.startProvider()
	w.Config.Handler = w.door(log)
	if _, err := w.directory.CreateOrg(t.Context(), platform(), "acme", "Acme"); err != nil {
		t.Fatal(err)
	}
	if w.acme, err = w.directory.Operate(t.Context(), platform(), "acme"); err != nil {
		t.Fatal(err)
	}
	w.idp = w.identityProvider()
	if _, err := w.directory.CreateSubscription(t.Context(), w.acme, resources.Subscription{SKU: "host", Model: resources.ModelSeats, Units: 1000}); err != nil {
		t.Fatal(err)
	}
	return w
}

// platform is an operator.
func platform() resources.Caller {
	return resources.Caller{Org: resources.PlatformOrg, Token: "test", Scopes: []resources.Scope{resources.ScopePlatform}}
}

// door makes the door.
func (w *world) door(log *slog.Logger) http.Handler {
	w.Helper()
	client, err := outbound.New(outbound.Config{Allow: []string{w.issuer}, Agent: "usher/test"})
	if err != nil {
		w.Fatal(err)
	}
	keys, err := jwks.New(jwks.Config{Get: client.Get, Now: w.now, Log: log})
	if err != nil {
		w.Fatal(err)
	}
	party, err := oidc.New(oidc.Config{
		Client: client, Keys: keys, Vault: w.store, Now: w.now, Rand: rand.Reader, Log: log, PublicURL: w.URL, Secret: w.directory.ConnectionSecret,
	})
	if err != nil {
		w.Fatal(err)
	}
	handOff, err := oidc.NewHandOff(oidc.HandOffConfig{PublicURL: w.URL, Secret: w.directory.Secret, Now: w.now, Rand: rand.Reader})
	if err != nil {
		w.Fatal(err)
	}
	door, err := sso.New(sso.Config{
		Directory: w.directory, Party: party, HandOff: handOff, PublicURL: w.URL, Log: log,
		Sender: func(*http.Request) string { return "192.0.2.1" },
	})
	if err != nil {
		w.Fatal(err)
	}
	mux := http.NewServeMux()
	for _, p := range sso.Paths() {
		mux.Handle(p, door)
	}
	return mux
}

// identityProvider is a caller that pushes users as an identity provider does.
func (w *world) identityProvider() resources.Caller {
	w.Helper()
	_, token, err := w.directory.CreateToken(w.Context(), platform(), "acme", resources.TokenSpec{Name: "okta", Scopes: []resources.Scope{resources.ScopeSCIM}})
	if err != nil {
		w.Fatal(err)
	}
	c, err := w.directory.Authenticate(w.Context(), token)
	if err != nil {
		w.Fatal(err)
	}
	return c
}

// push creates a user from a document and gives its id.
func (w *world) push(c resources.Caller, doc string) string {
	w.Helper()
	tree, err := jsontree.Parse([]byte(doc), jsontree.Limits{})
	if err != nil {
		w.Fatal(err)
	}
	rec, err := w.directory.CreateUser(w.Context(), c, tree)
	if err != nil {
		w.Fatal(err)
	}
	return rec.ID
}

// settings changes the settings of acme.
func (w *world) settings(fn func(*resources.Settings)) {
	w.Helper()
	if _, _, err := w.directory.ChangeSettings(w.Context(), w.acme, func(s *resources.Settings, _ uint64) error {
		fn(s)
		return nil
	}); err != nil {
		w.Fatal(err)
	}
}

// work does everything that is due and gives the letters that went out.
func (w *world) work() []resources.Letter {
	w.Helper()
	l, ok, err := w.store.Lease(w.Context(), w.acme.Org, "tester", time.Hour)
	if err != nil || !ok {
		w.Fatalf("lease: %v, %v", ok, err)
	}
	for range 1000 {
		items, _, err := w.store.Due(w.Context(), w.acme.Org, w.now(), 100)
		if err != nil {
			w.Fatal(err)
		}
		if len(items) == 0 {
			break
		}
		for _, item := range items {
			if err := w.directory.WorkOn(w.Context(), l, item); err != nil {
				w.Fatalf("work on %s: %v", item.Item, err)
			}
		}
	}
	if err := w.store.Unlease(w.Context(), l); err != nil {
		w.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.letters
	w.letters = nil
	return out
}

// letter is the one letter that went out.
func (w *world) letter() resources.Letter {
	w.Helper()
	all := w.work()
	if len(all) != 1 {
		w.Fatalf("%d letters went out, want 1", len(all))
	}
	return all[0]
}

// invite makes a user and gives the letter that invites it.
func (w *world) invite(address, name, lang string) (string, resources.Letter) {
	w.Helper()
	given, family, _ := strings.Cut(name, " ")
	id := w.push(w.acme, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":`+quote(address)+`,"displayName":`+quote(name)+
		`,"name":{"givenName":`+quote(given)+`,"familyName":`+quote(family)+`},"emails":[{"value":`+quote(address)+`,"primary":true}],"preferredLanguage":`+quote(lang)+`}`)
	w.work()
	if _, err := w.directory.SendActivation(w.Context(), w.acme, id); err != nil {
		w.Fatal(err)
	}
	return id, w.letter()
}

func quote(s string) string { return string(jsontree.AppendString(nil, s)) }

// minute is what clocks are moved by.
const minute = time.Minute

const goodPassword = "Correct-Horse-42"
