package resources_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/usher-scim/usher/internal/jwk"
	"github.com/usher-scim/usher/resources"
)

// spec is a connection that nothing is wrong with.
func spec(name string) resources.ConnectionSpec {
	return resources.ConnectionSpec{
		Connection:   resources.Connection{Name: name, Issuer: "https://idp.acme.example/" + name, ClientID: "usher", Method: resources.ProofBasic},
		ClientSecret: "s3cret-" + name,
	}
}

func (b *bundle) connect(t *testing.T, c resources.Caller, s resources.ConnectionSpec) *resources.Connection {
	t.Helper()
	cn, err := b.CreateConnection(t.Context(), c, s)
	if err != nil {
		t.Fatal(err)
	}
	return cn
}

// TestConnections: connections are made, found, changed and deleted, inside one
// organization.
func TestConnections(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx, acme, beta := t.Context(), b.operated(t, "acme"), b.operated(t, "beta")
		cn := b.connect(t, acme, spec("entra"))
		b.connect(t, acme, spec("dex"))
		if _, err := b.CreateConnection(ctx, acme, spec("entra")); !resources.HasCode(err, resources.CodeConnectionInUse) {
			t.Errorf("the same name: %v", err)
		}
		b.connect(t, beta, spec("entra")) // names are an organization's own
		for _, name := range []string{cn.ID, "entra"} {
			got, err := b.Connection(ctx, acme, name)
			if err != nil || got.ID != cn.ID || got.Version != 1 {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
		}
		_, err := b.Connection(ctx, beta, cn.ID)
		wantCode(t, err, resources.CodeNotFound)
		list, err := b.Connections(ctx, acme)
		if err != nil || len(list) != 2 || list[0].Name != "dex" || list[1].Name != "entra" {
			t.Errorf("list %+v, %v", list, err)
		}
		next, err := b.ChangeConnection(ctx, acme, "entra", func(s *resources.ConnectionSpec) error {
			s.Name, s.Label = "entra-id", "Sign in with Microsoft"
			return nil
		})
		if err != nil || next.Version != 2 || next.ID != cn.ID {
			t.Errorf("changed %+v, %v", next, err)
		}
		if org, door, err := b.DoorConnection(ctx, "acme", "entra-id"); err != nil || org != acme.Org || door.ID != cn.ID {
			t.Errorf("at the door: %v %+v, %v", org, door, err)
		}
		for _, at := range [][2]string{{"acme", "entra"}, {"acme", "none"}, {"nobody", "dex"}, {"platform", "dex"}, {"beta", "dex"}, {"", ""}} {
			_, _, err := b.DoorConnection(ctx, at[0], at[1])
			wantCode(t, err, resources.CodeNotFound)
		}
		if _, err := b.ChangeConnection(ctx, acme, "dex", func(s *resources.ConnectionSpec) error { s.Off = true; return nil }); err != nil {
			t.Fatal(err)
		}
		_, _, err = b.DoorConnection(ctx, "acme", "dex")
		wantCode(t, err, resources.CodeNotFound)
		wantCode(t, b.DeleteConnection(ctx, beta, cn.ID), resources.CodeNotFound)
		if err := b.DeleteConnection(ctx, acme, "entra-id"); err != nil {
			t.Fatal(err)
		}
		wantCode(t, b.DeleteConnection(ctx, acme, cn.ID), resources.CodeNotFound)
		b.recount(t, acme.Org)
	})
}

// TestConnectionsMost: an organization has twenty connections at most, and gets
// the place of a deleted one back.
func TestConnectionsMost(t *testing.T) {
	b := newBundle(t, "")
	c := b.operated(t, "acme")
	for i := range 20 {
		b.connect(t, c, spec(fmt.Sprintf("c%d", i)))
	}
	_, err := b.CreateConnection(t.Context(), c, spec("c20"))
	wantCode(t, err, resources.CodeTooMany)
	if err := b.DeleteConnection(t.Context(), c, "c3"); err != nil {
		t.Fatal(err)
	}
	b.connect(t, c, spec("c20"))
	b.recount(t, c.Org)
}

// TestConnectionRights: only administrators of the organization see connections,
// and only those of its settings change them.
func TestConnectionRights(t *testing.T) {
	b := newBundle(t, "")
	ctx := t.Context()
	full, reader, users := b.admin(t, "acme", resources.ScopeAdmin), b.admin(t, "acme", resources.ScopeAdminRead), b.admin(t, "acme", resources.ScopeAdminUsers)
	b.connect(t, full, spec("dex"))
	for _, c := range []resources.Caller{reader, users} {
		if _, err := b.Connection(ctx, c, "dex"); err != nil {
			t.Errorf("an administrator reads: %v", err)
		}
		_, err := b.CreateConnection(ctx, c, spec("other"))
		wantCode(t, err, resources.CodeForbidden)
		_, err = b.ChangeConnection(ctx, c, "dex", func(*resources.ConnectionSpec) error { return nil })
		wantCode(t, err, resources.CodeForbidden)
		wantCode(t, b.DeleteConnection(ctx, c, "dex"), resources.CodeForbidden)
	}
	_, err := b.Connections(ctx, b.a)
	wantCode(t, err, resources.CodeForbidden)
}

// TestConnectionSecret: the secret is sealed in the store, for its own record
// alone, and opens for the door.
func TestConnectionSecret(t *testing.T) {
	b := newBundle(t, "")
	ctx, c := t.Context(), b.operated(t, "acme")
	cn := b.connect(t, c, spec("dex"))
	other := b.connect(t, c, spec("entra"))
	rec, err := b.store.Get(ctx, c.Org, resources.KindSetting, cn.ID)
	if err != nil || bytes.Contains(rec.Profile, []byte("s3cret")) {
		t.Errorf("stored %s, %v", rec.Profile, err)
	}
	if got, err := b.ConnectionSecret(ctx, c.Org, cn); err != nil || string(got) != "s3cret-dex" {
		t.Errorf("opened %q, %v", got, err)
	}
	other.Secret = cn.Secret // moved into another record
	if got, err := b.ConnectionSecret(ctx, c.Org, other); err == nil {
		t.Errorf("it opens elsewhere: %q", got)
	}
	same, err := b.ChangeConnection(ctx, c, "dex", func(s *resources.ConnectionSpec) error { s.Method = resources.ProofPost; return nil })
	if err != nil || !bytes.Equal(same.Secret, cn.Secret) {
		t.Errorf("another method of the same secret: %v", err)
	}
	none, err := b.ChangeConnection(ctx, c, "dex", func(s *resources.ConnectionSpec) error { s.Method = resources.ProofNone; return nil })
	if err != nil || none.Secret != nil {
		t.Errorf("a secret that is not used stays: %v, %v", none, err)
	}
	_, err = b.ChangeConnection(ctx, c, "dex", func(s *resources.ConnectionSpec) error { s.Method = resources.ProofBasic; return nil })
	fails(t, err, resources.CodeInvalidValue, "clientSecret")
}

// TestConnectionKey: of method private_key_jwt usher makes the key, which stays
// until another one is asked for.
func TestConnectionKey(t *testing.T) {
	b := newBundle(t, "")
	ctx, c := t.Context(), b.operated(t, "acme")
	s := spec("dex")
	s.Method, s.ClientSecret = resources.ProofKey, ""
	cn := b.connect(t, c, s)
	der, err := b.ConnectionSecret(ctx, c.Org, cn)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		t.Fatal(err)
	}
	keys, unused, err := jwk.Parse([]byte(`{"keys":[` + string(cn.Public) + `]}`))
	if err != nil || len(unused) > 0 || len(keys) != 1 {
		t.Fatalf("public key %s: %v, %v", cn.Public, unused, err)
	}
	if k, ok := private.(*ecdsa.PrivateKey); !ok || !k.PublicKey.Equal(keys[0].Public) || keys[0].ID == "" || keys[0].Alg != "ES256" {
		t.Errorf("the halves do not fit: %s", cn.Public)
	}
	if bytes.Contains(cn.Secret, der) {
		t.Error("the private key is not sealed")
	}
	label, err := b.ChangeConnection(ctx, c, "dex", func(s *resources.ConnectionSpec) error { s.Label = "Dex"; return nil })
	if err != nil || !bytes.Equal(label.Public, cn.Public) {
		t.Errorf("another label makes another key: %v", err)
	}
	next, err := b.ChangeConnection(ctx, c, "dex", func(s *resources.ConnectionSpec) error { s.NewKey = true; return nil })
	if err != nil || bytes.Equal(next.Public, cn.Public) {
		t.Errorf("no other key: %v", err)
	}
}

// TestConnectionChecks: what cannot be is refused, with the field (security O1,
// O5).
func TestConnectionChecks(t *testing.T) {
	b := newBundle(t, "")
	c := b.operated(t, "acme")
	issuer := func(text string) func(*resources.ConnectionSpec) {
		return func(s *resources.ConnectionSpec) { s.Issuer = text }
	}
	for _, x := range []struct {
		field  string
		change func(*resources.ConnectionSpec)
	}{
		{"name", func(s *resources.ConnectionSpec) { s.Name = "" }},
		{"name", func(s *resources.ConnectionSpec) { s.Name = "Entra" }},
		{"name", func(s *resources.ConnectionSpec) { s.Name = "-x" }},
		{"name", func(s *resources.ConnectionSpec) { s.Name = "verify" }},
		{"name", func(s *resources.ConnectionSpec) { s.Name = strings.Repeat("a", 41) }},
		{"label", func(s *resources.ConnectionSpec) { s.Label = "a\nb" }},
		{"issuer", issuer("")},
		{"issuer", issuer("idp.example")},
		{"issuer", issuer("http://idp.example")},
		{"issuer", issuer("ftp://idp.example")},
		{"issuer", issuer("https://idp.example/?a=b")},
		{"issuer", issuer("https://idp.example/?")},
		{"issuer", issuer("https://idp.example/#")},
		{"issuer", issuer("https://u:p@idp.example/")},
		{"issuer", issuer("https://:443/")},
		{"issuer", issuer("https://login.microsoftonline.com/common/v2.0")},
		{"issuer", issuer("https://LOGIN.microsoftonline.com/Organizations/v2.0")},
		{"issuer", issuer("https://login.microsoftonline.com/consumers/v2.0")},
		{"issuer", issuer("https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0")},
		{"issuer", issuer("https://login.microsoftonline.com/{tenantid}/v2.0")},
		{"issuer", issuer("https://sts.windows.net/")},
		{"clientId", func(s *resources.ConnectionSpec) { s.ClientID = " " }},
		{"method", func(s *resources.ConnectionSpec) { s.Method = "client_secret_jwt" }},
		{"clientSecret", func(s *resources.ConnectionSpec) { s.ClientSecret = "" }},
		{"clientSecret", func(s *resources.ConnectionSpec) { s.ClientSecret = "a\x00" }},
		{"clientSecret", func(s *resources.ConnectionSpec) { s.Method = resources.ProofKey }},
		{"newKey", func(s *resources.ConnectionSpec) { s.NewKey = true }},
		{"scopes", func(s *resources.ConnectionSpec) { s.Scopes = []string{"a b"} }},
		{"acr", func(s *resources.ConnectionSpec) { s.ACR = []string{""} }},
		{"algs", func(s *resources.ConnectionSpec) { s.Algs = []string{"RS256", "none"} }},
		{"algs", func(s *resources.ConnectionSpec) { s.Algs = []string{"HS256"} }},
		{"maxAge", func(s *resources.ConnectionSpec) { s.MaxAge = -1 }},
		{"claims.email", func(s *resources.ConnectionSpec) { s.Claims.Email = "\x7f" }},
		{"jit", func(s *resources.ConnectionSpec) { s.JIT = "maybe" }},
		{"enforced", func(s *resources.ConnectionSpec) { s.Enforced = []string{"nowhere"} }},
	} {
		s := spec("dex")
		x.change(&s)
		_, err := b.CreateConnection(t.Context(), c, s)
		fails(t, err, resources.CodeInvalidValue, x.field)
	}
	s := spec("dex")
	s.Enforced = []string{"acme.example"}
	_, err := b.CreateConnection(t.Context(), c, s)
	fails(t, err, resources.CodeDomainNotVerified, "enforced")
	for i, text := range []string{"http://localhost:5556/dex", "http://127.0.0.1:5556/dex", "http://[::1]:1/", "https://login.microsoftonline.com/8f1c/v2.0", "https://idp.example/realms/common"} {
		s := spec(fmt.Sprintf("ok%d", i))
		s.Issuer = text
		if _, err := b.CreateConnection(t.Context(), c, s); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestConnectionIssuer: with another issuer the endpoints of the old one are
// forgotten; a change that changes nothing writes nothing; a stale one is refused.
func TestConnectionIssuer(t *testing.T) {
	b := newBundle(t, "")
	ctx, c := t.Context(), b.operated(t, "acme")
	s := spec("dex")
	s.Endpoints = resources.Endpoints{Token: "https://idp.acme.example/token"}
	b.connect(t, c, s)
	same, err := b.ChangeConnection(ctx, c, "dex", func(*resources.ConnectionSpec) error { return nil })
	if err != nil || same.Version != 1 {
		t.Errorf("nothing changed: %+v, %v", same, err)
	}
	_, err = b.ChangeConnection(ctx, c, "dex", func(s *resources.ConnectionSpec) error { s.Issuer = "https://other.example"; return nil })
	fails(t, err, resources.CodeInvalidValue, "clientSecret") // nobody who cannot read the secret has it sent elsewhere
	next, err := b.ChangeConnection(ctx, c, "dex", func(s *resources.ConnectionSpec) error {
		s.Issuer, s.ClientSecret = "https://other.example", "another"
		return nil
	})
	if err != nil || next.Endpoints != (resources.Endpoints{}) {
		t.Errorf("the endpoints of another issuer stay: %+v, %v", next, err)
	}
	stale := errors.New("stale")
	c.Seen = func(any) error { return stale }
	if _, err := b.ChangeConnection(ctx, c, "dex", func(*resources.ConnectionSpec) error { return nil }); !errors.Is(err, stale) {
		t.Errorf("If-Match: %v", err)
	}
	if err := b.DeleteConnection(ctx, c, "dex"); !errors.Is(err, stale) {
		t.Errorf("If-Match: %v", err)
	}
}
