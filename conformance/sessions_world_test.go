package conformance_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/conformance"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim"
)

// world is a running SCIM server over one store, with everything real.
type world struct {
	store    *backend.Store
	dir      *resources.Directory
	platform resources.Caller
	base     string // http://127.0.0.1:port
	http     *http.Client

	orgs atomic.Int64
}

// stores lists what every suite runs on: a name and the URL for backend.Open.
func stores(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{"embedded": "", "redis": redistest.Start(t)}
}

// newWorld starts a server over the store at url ("" is the embedded one).
func newWorld(t *testing.T, url string, now func() time.Time) *world {
	t.Helper()
	log := slog.New(slog.NewTextHandler(&testLog{t: t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	store, err := backend.Open(t.Context(), backend.Config{URL: url, Now: now, Log: log})
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	dir, err := resources.New(resources.Config{Store: store, Vault: store, Now: now, Rand: rand.Reader, Log: log})
	if err != nil {
		t.Fatalf("directory: %v", err)
	}
	w := &world{store: store, dir: dir}
	w.listen(t, log, now)
	made, err := dir.Bootstrap(t.Context(), time.Hour)
	if err != nil {
		t.Fatalf("bootstrap: %v", err)
	}
	if made == nil {
		t.Fatal("bootstrap: the store is not empty")
	}
	if w.platform, err = dir.Authenticate(t.Context(), made.APIToken); err != nil {
		t.Fatalf("authenticate the operator: %v", err)
	}
	return w
}

func (w *world) listen(t *testing.T, log *slog.Logger, now func() time.Time) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	w.base = "http://" + listener.Addr().String()
	handler, err := scim.New(scim.Config{Directory: w.dir, PublicURL: w.base, Log: log, Now: now, Rate: 1e6, Burst: 1e6})
	if err != nil {
		t.Fatalf("scim.New: %v", err)
	}
	server := httptest.NewUnstartedServer(handler)
	if err := server.Listener.Close(); err != nil {
		t.Fatalf("close the spare listener: %v", err)
	}
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	w.http = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}, Timeout: time.Minute}
	t.Cleanup(w.http.CloseIdleConnections)
}

// org is an organization with one connection.
type org struct {
	ID     resources.OrgID
	Slug   string
	Domain string // a mail domain that no other organization uses
	Client conformance.Client
}

// newOrg makes an organization whose connection has the profile.
func (w *world) newOrg(ctx context.Context, profile resources.Profile) (*org, error) {
	slug := fmt.Sprintf("org-%d", w.orgs.Add(1))
	made, err := w.dir.CreateOrg(ctx, w.platform, slug, "")
	if err != nil {
		return nil, fmt.Errorf("create organization: %w", err)
	}
	_, token, err := w.dir.CreateToken(ctx, w.platform, slug, resources.TokenSpec{Profile: profile})
	if err != nil {
		return nil, fmt.Errorf("create token: %w", err)
	}
	return &org{
		ID: made.ID, Slug: slug, Domain: slug + ".example",
		Client: conformance.Client{BaseURL: w.base + "/orgs/" + slug + "/scim/v2", Token: token, HTTP: w.http},
	}, nil
}

func (w *world) mustOrg(t *testing.T, profile resources.Profile) *org {
	t.Helper()
	o, err := w.newOrg(t.Context(), profile)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// reply is one answer, read whole.
type reply struct {
	Status int
	Header http.Header
	Body   string
}

// call sends one request to the organization's connection.
func (o *org) call(ctx context.Context, method, path, body string, headers ...string) (reply, error) {
	var payload io.Reader
	if body != "" {
		payload = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, o.Client.BaseURL+path, payload)
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("Authorization", "Bearer "+o.Client.Token)
	if body != "" {
		req.Header.Set("Content-Type", "application/scim+json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := o.Client.HTTP.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return reply{Status: resp.StatusCode, Header: resp.Header, Body: string(text)}, err
}

// must is call for tests in which the request itself cannot fail.
func (o *org) must(t *testing.T, method, path, body string, headers ...string) reply {
	t.Helper()
	r, err := o.call(t.Context(), method, path, body, headers...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return r
}

// testLog sends warnings of the server to the test's log.
type testLog struct{ t *testing.T }

func (l *testLog) Write(p []byte) (int, error) {
	l.t.Helper()
	l.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}
