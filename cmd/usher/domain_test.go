package main

import (
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/usher-scim/usher/internal/redistest"
)

// TestDomainCommands: a domain is added, its record published at a real DNS server,
// and verified; a server that does not answer is not a missing record (domain.md
// §3.4, security F18).
func TestDomainCommands(t *testing.T) {
	server := startNameServer(t)
	n := start(t, map[string]string{"USHER_DNS_RESOLVER": server.address})
	env := map[string]string{"USHER_API_URL": n.root(), "USHER_API_TOKEN": n.APIToken}
	var shown struct {
		Name, State string
		Record      struct{ Name, Value string }
	}
	run := func(code int, args ...string) string {
		t.Helper()
		got := wantCode(t, code, env, append([]string{"domain"}, args...)...)
		if code == exitOK && strings.HasPrefix(got.stdout, "{") {
			if err := json.Unmarshal([]byte(got.stdout), &shown); err != nil {
				t.Fatal(err)
			}
		}
		return got.stdout + got.stderr
	}
	run(exitOK, "add", "demo", "Acme.Example", "--output", "json")
	if shown.Name != "acme.example" || shown.State != "pending" || shown.Record.Name != "_usher-challenge.acme.example" {
		t.Errorf("%+v", shown)
	}
	if text := run(exitUsage, "verify", "demo", "acme.example"); !strings.Contains(text, "none at all") || !strings.Contains(text, shown.Record.Value) {
		t.Error(text)
	}
	server.set(func() { server.rcodes["acme.example."] = dns.RcodeServerFailure })
	run(exitUnavailable, "verify", "demo", "acme.example")
	server.set(func() {
		clear(server.rcodes)
		half := len(shown.Record.Value) / 2
		server.texts[shown.Record.Name+"."] = [][]string{{shown.Record.Value[:half], shown.Record.Value[half:]}}
	})
	if run(exitOK, "verify", "demo", "acme.example", "--output", "json"); shown.State != "verified" {
		t.Errorf("%+v", shown)
	}
	for _, verb := range []string{"list", "show"} {
		args := []string{verb, "demo"}
		if verb == "show" {
			args = append(args, "acme.example")
		}
		if text := run(exitOK, args...); !strings.Contains(text, "verified") || !strings.Contains(text, shown.Record.Value) {
			t.Errorf("%s: %s", verb, text)
		}
	}
	if text := run(exitUsage, "add", "demo", "gmail.com"); !strings.Contains(text, "provider") {
		t.Error(text)
	}
	run(exitUsage, "remove", "demo", "acme.example")
	run(exitOK, "remove", "demo", "acme.example", "--yes")
	run(exitNotFound, "show", "demo", "acme.example")
}

// TestSettingsWarning: turning automatic mails off must be confirmed, at the command
// line too (BR-086).
func TestSettingsWarning(t *testing.T) {
	n := start(t, nil)
	env := map[string]string{"USHER_API_URL": n.root(), "USHER_API_TOKEN": n.APIToken}
	off := []string{"settings", "set", "demo", "--automatic-activation-emails=false"}
	wantCode(t, exitUsage, env, off...)
	if got := wantCode(t, exitOK, env, append(off, "--yes", "--return-urls", "https://a.example,https://b.example/x", "--output", "json")...); !strings.Contains(got.stdout, `"automaticActivationEmails":false`) && !strings.Contains(got.stdout, `"automaticActivationEmails": false`) {
		t.Error(got.stdout)
	}
	wantCode(t, exitOK, env, "settings", "set", "demo", "--automatic-activation-emails", "--reminders", "off", "--app-url", "https://app.acme.example/")
	// What was set is shown, whichever setting it is.
	set := wantCode(t, exitOK, env, "settings", "set", "demo", "--password-length", "17", "--support-url", "mailto:help@acme.example")
	if !regexp.MustCompile(`(?m)^password-length +17$`).MatchString(set.stdout) || !strings.Contains(set.stdout, "mailto:help@acme.example") {
		t.Error(set.stdout)
	}
	if got := wantCode(t, exitOK, env, "settings", "show", "demo"); !strings.Contains(got.stdout, "https://app.acme.example/") || !strings.Contains(got.stdout, "off") {
		t.Error(got.stdout)
	}
}

// TestConfirmedHere: what the command asks a person for, and the server does not
// want to be told of.
func TestConfirmedHere(t *testing.T) {
	n := start(t, nil)
	env := map[string]string{"USHER_API_URL": n.root(), "USHER_API_TOKEN": n.APIToken}
	made := wantCode(t, exitOK, env, "location", "create", "demo", "Paris", "--country", "FR", "--output", "json")
	var place struct{ ID string }
	if err := json.Unmarshal([]byte(made.stdout), &place); err != nil {
		t.Fatal(err)
	}
	wantCode(t, exitOK, env, "number", "add", "demo", place.ID, "+33142685300")
	wantCode(t, exitOK, env, "number", "delete", "demo", "+33142685300", "--yes")
	wantCode(t, exitUsage, env, "location", "delete", "demo", place.ID)
	wantCode(t, exitOK, env, "location", "delete", "demo", place.ID, "--yes")
	wantCode(t, exitNotFound, env, "billing", "delete", "demo", place.ID, "--yes")
}

// TestSecretKeyWarning: who keeps state without a key of their own is told.
func TestSecretKeyWarning(t *testing.T) {
	const warning = "secret_key is not set"
	address := redistest.Start(t)
	n := start(t, nil, "--redis", address)
	n.stop(t)
	if !strings.Contains(n.stderr.String(), warning) {
		t.Error("no warning without a key")
	}
	key := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k7", 16)))
	n = start(t, map[string]string{"USHER_SECRET_KEY": key}, "--redis", address)
	n.stop(t)
	if text := n.stderr.String() + n.stdout.String(); strings.Contains(text, warning) || strings.Contains(text, key) {
		t.Errorf("with a key:\n%s", text)
	}
}
