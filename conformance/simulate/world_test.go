package simulate_test

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/conformance/simulate"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a running SCIM server with everything real.
type world struct {
	dir      *resources.Directory
	platform resources.Caller
	base     string
	handler  http.Handler
	orgs     int
}

// newWorld starts a server over the store at url ("" is the embedded one).
func newWorld(t *testing.T, url string, limits scim.Config) *world {
	t.Helper()
	w, _ := newWorldOn(t, url, limits)
	return w
}

// newWorldOn is newWorld with the store.
func newWorldOn(t *testing.T, url string, limits scim.Config) (*world, *backend.Store) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	store, err := backend.Open(t.Context(), backend.Config{URL: url, Now: time.Now, Log: log})
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	dir, err := resources.New(resources.Config{Store: store, Vault: store, Now: time.Now, Rand: rand.Reader, Log: log})
	if err != nil {
		t.Fatalf("directory: %v", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	w := &world{dir: dir, base: "http://" + listener.Addr().String()}
	limits.Directory, limits.PublicURL, limits.Log, limits.Now = dir, w.base, log, time.Now
	if w.handler, err = scim.New(limits); err != nil {
		t.Fatalf("scim.New: %v", err)
	}
	server := httptest.NewUnstartedServer(w.handler)
	if err := server.Listener.Close(); err != nil {
		t.Fatalf("close the spare listener: %v", err)
	}
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	made, err := dir.Bootstrap(t.Context(), time.Hour)
	if err != nil || made == nil {
		t.Fatalf("bootstrap: %v, %v", made, err)
	}
	if w.platform, err = dir.Authenticate(t.Context(), made.APIToken); err != nil {
		t.Fatalf("authenticate the operator: %v", err)
	}
	return w, store
}

func unlimited() scim.Config { return scim.Config{Rate: 1e6, Burst: 1e6} }

// config is a simulator of the dialect for an organization of its own.
func (w *world) config(t *testing.T, dialect string) simulate.Config {
	t.Helper()
	w.orgs++
	slug := fmt.Sprintf("org-%d", w.orgs)
	if _, err := w.dir.CreateOrg(t.Context(), w.platform, slug, ""); err != nil {
		t.Fatalf("create organization: %v", err)
	}
	_, token, err := w.dir.CreateToken(t.Context(), w.platform, slug, resources.TokenSpec{Profile: resources.Profile(simulate.Profile(dialect))})
	if err != nil {
		t.Fatalf("create token: %v", err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 16, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return simulate.Config{
		Dialect: dialect, URL: w.base + "/orgs/" + slug + "/scim/v2", Token: token,
		Users: 30, Groups: 4, Cycles: 2, Workers: 4, Trouble: 0.2, Seed: 7, Transport: transport, Now: time.Now,
	}
}

// run runs simulators; the context must not end.
func run(t *testing.T, configs ...simulate.Config) *simulate.Summary {
	t.Helper()
	s, err := simulate.RunAll(t.Context(), configs, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// good fails the test with everything the report has found.
func good(t *testing.T, s *simulate.Summary) {
	t.Helper()
	if !s.Good {
		var out writer
		if err := s.WriteText(&out); err != nil {
			t.Error(err)
		}
		t.Errorf("the simulator is not content\n%s", out)
	}
}

type writer []byte

// Write adds to the text.
func (w *writer) Write(p []byte) (int, error) {
	*w = append(*w, p...)
	return len(p), nil
}
