package main

import (
	"crypto/rand"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/internal/issuer"
)

// newProvider runs an OpenID provider on this machine.
func newProvider(t *testing.T) (p *issuer.Provider, url string) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	url = "http://" + server.Listener.Addr().String()
	p, err := issuer.New(issuer.Config{URL: url, Now: time.Now, Rand: rand.Reader, Clients: []issuer.Client{{ID: "usher", Secret: "s3cr3t"}}})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = p
	server.Start()
	t.Cleanup(server.Close)
	return p, url
}

// TestSSORoundTrip: an administrator connects a real provider on the command line,
// learns what to register, tests it and removes it; one that cannot be used is told
// with the reason, and the secret is nowhere.
func TestSSORoundTrip(t *testing.T) {
	p, url := newProvider(t)
	n := start(t, map[string]string{"USHER_OUTBOUND_ALLOW": url})
	with := func(args ...string) []string { return append(args, "--ready-file", n.file) }
	wantCode(t, 0, nil, with("org", "create", "acme")...)
	secret := filepath.Join(t.TempDir(), "secret.txt")
	if err := os.WriteFile(secret, []byte("s3cr3t\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	add := with("sso", "add", "acme", "idp", "--client-id", "usher", "--client-secret-file", secret)
	for what, args := range map[string][]string{
		"must be an https address": {"--issuer", "http://idp.example"},
		"issuer":                   {"--issuer", "http://127.0.0.1:1"}, // nobody allowed it
		"every company":            {"--issuer", "https://login.microsoftonline.com/common/v2.0"},
		"--issuer is missing":      nil,
	} {
		got := usher(t, nil, append(slices.Clip(add), args...)...)
		if got.code != exitUsage || !strings.Contains(got.stderr, what) {
			t.Errorf("%v: exit %d: %s", args, got.code, got.stderr)
		}
	}
	if p.Asked("/.well-known/openid-configuration") != 0 {
		t.Error("the provider was asked about others")
	}
	made := wantCode(t, 0, nil, append(slices.Clip(add), "--issuer", url, "--claim-external-id", "employee")...)
	shown := wantCode(t, 0, nil, with("sso", "show", "acme", "idp")...)
	for _, out := range []result{made, shown} {
		if !strings.Contains(out.stdout, "/sso/acme/idp/callback") || strings.Contains(out.stdout+out.stderr, "s3cr3t") {
			t.Errorf("%s%s", out.stdout, out.stderr)
		}
	}
	if strings.Contains(n.stderr.String(), "s3cr3t") {
		t.Error("the secret is in the log")
	}
	wantCode(t, 0, nil, with("sso", "set", "acme", "idp", "--label", "Acme", "--jit", "off")...)
	wantCode(t, 0, nil, with("sso", "discover", "acme", "idp")...)
	if got := wantCode(t, 0, nil, with("sso", "test", "acme", "idp")...); !strings.Contains(got.stdout, "/sso/acme/idp/test?t=") {
		t.Errorf("%s", got.stdout)
	}
	if got := wantCode(t, 0, nil, with("sso", "list", "acme")...); !strings.Contains(got.stdout, url) {
		t.Errorf("%s", got.stdout)
	}
	wantCode(t, 0, nil, with("sso", "refusals", "acme")...)
	wantCode(t, exitUsage, nil, with("sso", "remove", "acme", "idp")...)
	wantCode(t, 0, nil, with("sso", "remove", "acme", "idp", "--yes")...)
	wantCode(t, exitNotFound, nil, with("sso", "show", "acme", "idp")...)
	wantCode(t, exitNotFound, nil, with("session", "list", "acme", "01k7tcn24qlv948uhns0")...)
}
