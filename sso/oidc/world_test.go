package oidc_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/issuer"
	"github.com/usher-scim/usher/internal/jwks"
	"github.com/usher-scim/usher/internal/outbound"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/sso/oidc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	org    = resources.OrgID("acme1")
	slug   = "acme"
	public = "https://usher.example"
	secret = "a secret & with signs:"
)

// clock is the time of a world.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) wait(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// place is a provider on a server of its own, with a connection to it.
type place struct {
	*issuer.Provider
	cfg  issuer.Config
	conn *resources.Connection
}

// world is usher as a relying party, with providers.
type world struct {
	clock
	*oidc.Party
	vault  *backend.Store
	random io.Reader // what the party's randomness is, to be exchanged
	secret []byte    // of every connection
	moved  []string  // what Moved was told
	a, b   *place
}

// Read is the party's randomness.
func (w *world) Read(p []byte) (int, error) { return w.random.Read(p) }

// open makes a world on the store at an address ("" is embedded); shape changes
// the providers' configuration.
func open(t *testing.T, store string, shape ...func(*issuer.Config)) *world {
	t.Helper()
	w := &world{clock: clock{now: time.Unix(1_800_000_000, 0).UTC()}, random: rand.Reader, secret: []byte(secret)}
	var err error
	if w.vault, err = backend.Open(t.Context(), backend.Config{URL: store, Now: w.Now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.vault.Close(); err != nil {
			t.Error(err)
		}
	})
	w.a, w.b = w.place(t, "a", shape...), w.place(t, "b", shape...)
	w.Party = w.party(t, origin(w.a.cfg.URL), origin(w.b.cfg.URL))
	for _, at := range []*place{w.a, w.b} {
		if at.conn.Endpoints, err = w.Discover(t.Context(), at.cfg.URL); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// party makes a relying party that may ask only where it is allowed to.
func (w *world) party(t *testing.T, allow ...string) *oidc.Party {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	client, err := outbound.New(outbound.Config{Allow: allow, Agent: "usher/test"})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := jwks.New(jwks.Config{Get: client.Get, Now: w.Now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	p, err := oidc.New(oidc.Config{
		Client: client, Keys: keys, Vault: w.vault, Now: w.Now, Rand: w, Log: log, PublicURL: public + "/",
		Secret: func(context.Context, resources.OrgID, *resources.Connection) ([]byte, error) { return w.secret, nil },
		Moved: func(_ context.Context, _ resources.OrgID, _ *resources.Connection, why string) error {
			w.moved = append(w.moved, why)
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// place starts a provider.
func (w *world) place(t *testing.T, name string, shape ...func(*issuer.Config)) *place {
	t.Helper()
	at := &place{}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { at.ServeHTTP(rw, r) }))
	t.Cleanup(server.Close)
	yes := true
	at.cfg = issuer.Config{
		URL: server.URL + "/" + name, Alg: "ES256", Believe: true, Now: w.Now, Rand: rand.Reader,
		Users:   []issuer.User{{Subject: "alice-" + name, Email: "alice@acme.example", Verified: &yes, Name: "Alice Smith", Given: "Alice", Family: "Smith", Locale: "fr"}},
		Clients: []issuer.Client{{ID: "usher", Secret: secret, Redirects: []string{public + "/sso/" + slug + "/" + name + "/callback"}}},
	}
	for _, s := range shape {
		s(&at.cfg)
	}
	var err error
	if at.Provider, err = issuer.New(at.cfg); err != nil {
		t.Fatal(err)
	}
	at.conn = &resources.Connection{ID: "conn" + name, Name: name, Issuer: at.cfg.URL, ClientID: "usher"}
	return at
}

// origin is where a server is.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	return u.Scheme + "://" + u.Host
}

// walk lets a browser follow to the provider and gives what it brings back.
func walk(t *testing.T, redirect string) url.Values {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(redirect)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	back, err := resp.Location()
	if err != nil || !strings.HasPrefix(back.String(), public+"/sso/"+slug+"/") {
		t.Fatalf("the provider sends to %v, %v (%d)", back, err, resp.StatusCode)
	}
	return back.Query()
}

// began is a sign-in whose answer the browser holds.
type began struct {
	values url.Values
	cookie string
}

// begin goes to the provider and back.
func (w *world) begin(t *testing.T, at *place) began {
	t.Helper()
	redirect, cookie, err := w.Start(t.Context(), org, slug, at.conn, oidc.Flow{Hint: at.cfg.Users[0].Subject, Return: "/me"})
	if err != nil {
		t.Fatal(err)
	}
	return began{walk(t, redirect), cookie}
}

// finish hands over the answer.
func (w *world) finish(t *testing.T, at *place, b began) (*resources.Assertion, error) {
	t.Helper()
	a, _, _, err := w.Finish(t.Context(), org, slug, at.conn, b.values, b.cookie)
	return a, err
}

// signIn is a whole sign-in.
func (w *world) signIn(t *testing.T, at *place) (*resources.Assertion, error) {
	t.Helper()
	return w.finish(t, at, w.begin(t, at))
}

// refused reports that an error is a fault of a check, and what everybody is told.
func refused(t *testing.T, err error, check string) {
	t.Helper()
	f, ok := errors.AsType[*oidc.Fault](err)
	if !ok || f.Check != check || f.Reason == "" {
		t.Errorf("%v, want a fault of the check %s", err, check)
		return
	}
	if !resources.HasCode(err, resources.CodeSSOFailed) {
		t.Errorf("%v is not sso_failed", err)
	}
}

// onBoth runs a test on the embedded store and on a real Redis.
func onBoth(t *testing.T, test func(t *testing.T, store string)) {
	t.Run("embedded", func(t *testing.T) { test(t, "") })
	t.Run("redis", func(t *testing.T) { test(t, redistest.Start(t)) })
}
