package sso_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/usher-scim/usher/internal/issuer"
	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// atProvider follows a flow to the provider, where the person of hint is chosen.
func (b *browser) atProvider(start, hint string) answer {
	b.Helper()
	b.follow = false
	to := b.get(start).want(b, 303, strings.SplitN(start, "?", 2)[0]).Header.Get("Location")
	b.follow = true
	u := mustURL(b, to)
	q := u.Query()
	q.Set("login_hint", hint)
	u.RawQuery = q.Encode()
	return b.get(u.String())
}

// TestSignInByProvider is W-05: the link, the company's provider, the name, the
// landing page; then straight in, and out again (BR-103, BR-113, BR-115).
func TestSignInByProvider(t *testing.T) {
	onBoth(t, func(w *world) {
		w.connect()
		id, l := w.invite("alice@corp.example", "Alice Martin", "fr")
		b := w.browser()
		b.get(l.Path).want(w, 200, "/activate", "Activer et se connecter via Acme", "Aucun mot de passe")
		page := b.post("/activate").want(w, 200, "/activate", "La page de connexion de votre entreprise")
		if !strings.Contains(page.body, `content="0; url=/sso/acme/corp/start?return=%2Factivate%2Fname"`) {
			w.Errorf("the page does not go on:\n%s", page.body)
		}
		b.atProvider("/sso/acme/corp/start?return=%2Factivate%2Fname", "alice@corp.example").want(w, 200, "/activate/name", "Alice Martin")
		b.post("/activate/name", "name", "Alice M.").want(w, 200, "/activate/done", "Alice M.")
		if rec := w.user(id); !strings.Contains(rec, `"state":"active"`) {
			w.Errorf("the user is %s", rec)
		}
		b.get("/me").want(w, 200, "/me", "via votre entreprise")

		// Signing out leads to the provider; coming back is straight.
		out := b.post("/signout").want(w, 200, "/signout", "auprès de votre entreprise")
		if !strings.Contains(out.body, `content="0; url=`+w.issuer+"/end?client_id=usher") || !strings.Contains(out.body, "id_token_hint=ey") {
			w.Errorf("the page does not go on:\n%s", out.body)
		}
		b.get("/me").want(w, 200, "/signin")
		start := b.post("/signin", "address", "alice@corp.example").want(w, 200, "/signin")
		if !strings.Contains(start.body, `content="0; url=/sso/acme/corp/start"`) {
			w.Errorf("the page does not go on:\n%s", start.body)
		}
		b.atProvider("/sso/acme/corp/start", "alice@corp.example").want(w, 200, "/me", "Alice M.")
	})
}

// TestManagedName: whose name belongs to the identity provider is not asked for it
// (W-05); reverse proxies are told licences by SKU, which names are not.
func TestManagedName(t *testing.T) {
	onBoth(t, func(w *world) {
		w.connect()
		w.push(w.idp, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"alice@corp.example","displayName":"Alice Martin",`+
			`"emails":[{"value":"alice@corp.example","primary":true}],"`+resources.LicenceUserURN+`":{"licenses":["host"]}}`)
		b := w.browser()
		b.atProvider("/sso/acme/corp/start?return=%2Factivate%2Fname", "alice@corp.example").want(w, 200, "/activate/done", "Alice Martin")
		if got := b.get("/sso/acme/verify").want(w, 200, "/sso/acme/verify").Header.Get("X-Usher-Licences"); got != "host" {
			w.Errorf("licences are %q", got)
		}
	})
}

// TestRefusedAtProvider: strangers learn nothing but a number, administrators the
// reason; nothing is created (BR-112).
func TestRefusedAtProvider(t *testing.T) {
	onBoth(t, func(w *world) {
		cn := w.connect()
		b := w.browser()
		b.atProvider("/sso/acme/corp/start", "eve@nowhere.example").want(w, 403, "/sso/acme/corp/callback", "not, or no longer, allowed here")
		b.atProvider("/sso/acme/corp/start", "bob@other.example").want(w, 403, "/sso/acme/corp/callback")
		b.do("GET", "/sso/acme/corp/callback?code=x&state=y", nil, "X-Request-Id: abc-123").want(w, 400, "/sso/acme/corp/callback", "abc-123", "The sign-in did not work")
		b.do("HEAD", "/sso/acme/corp/callback?code=x&state=y", nil).want(w, 400, "/sso/acme/corp/callback")
		if got := b.cookie("__Host-usher"); got != "" {
			w.Errorf("a session was set: %q", got)
		}
		list, _, err := w.directory.Refusals(w.Context(), w.acme, cn.ID, "", "", 10)
		if err != nil || len(list) != 3 {
			w.Fatalf("%d refusals, %v", len(list), err)
		}
		users, err := w.directory.Find(w.Context(), w.acme, resources.Query{Kind: resources.KindUser, Limit: 10})
		if err != nil || len(users.Records) > 0 {
			w.Errorf("%d users, %v", len(users.Records), err)
		}
		b.get("/sso/acme/nothing/start").want(w, 404, "/sso/acme/nothing/start")
	})
}

// TestWithoutTheProvider: an administrator gets in by password although the
// domain's people must sign in at the provider (BR-115).
func TestWithoutTheProvider(t *testing.T) {
	w := open(t, "")
	_, l := w.invite("root@corp.example", "Root", "en")
	b := w.browser()
	b.activate(l, "Root")
	w.connect()
	other := w.browser()
	other.get("/signin?with=password").want(t, 200, "/signin", `name="with" value="password"`)
	other.post("/signin", "address", "root@corp.example").want(t, 200, "/signin", "on your way to the sign-in page")
	other.post("/signin", "address", "root@corp.example", "with", "password").want(t, 200, "/signin", "Signing in as")
	other.post("/signin", "address", "root@corp.example", "with", "password", "password", goodPassword).want(t, 403, "/signin", "asks you to sign in through your company")
}

// TestLogoutByProvider ends sessions by a logout token.
func TestLogoutByProvider(t *testing.T) {
	w := open(t, "")
	w.connect()
	w.invite("alice@corp.example", "Alice Martin", "en")
	b := w.browser()
	b.atProvider("/sso/acme/corp/start", "alice@corp.example").want(t, 200, "/me")
	got := w.browser().do("POST", "/sso/acme/corp/logout", form("logout_token", "nonsense"), "Sec-Fetch-Site: ")
	if got.StatusCode != 400 {
		t.Errorf("nonsense: %d", got.StatusCode)
	}
	b.get("/me").want(t, 200, "/me")
	token, err := w.provider.LogoutToken("usher", "s-alice", "", issuer.Lie{})
	if err != nil {
		t.Fatal(err)
	}
	if status, err := w.provider.SendLogout(t.Context(), "usher", token); status != 200 || err != nil {
		t.Fatal(status, err)
	}
	b.get("/me").want(t, 200, "/signin", "Your session has ended")
}

// TestKeys shows the keys of hand-offs and of a connection.
func TestKeys(t *testing.T) {
	w := open(t, "")
	w.connect()
	b := w.browser()
	b.get("/sso/acme/jwks.json").want(t, 200, "/sso/acme/jwks.json", `"kty":"EC"`)
	b.get("/sso/acme/corp/jwks.json").want(t, 200, "/sso/acme/corp/jwks.json", `{"keys":[]}`)
	b.get("/sso/acme").want(t, 200, "/sso/acme", "Continue with Corp ID", "Use address and password")
}

// TestTrial shows every check of a test sign-in, and signs nobody in.
func TestTrial(t *testing.T) {
	onBoth(t, func(w *world) {
		w.connect(func(s *resources.ConnectionSpec) { s.Off = true })
		w.invite("alice@corp.example", "Alice Martin", "en")
		for hint, want := range map[string]string{"alice@corp.example": "Everything is in order", "bob@other.example": "could not sign in like this"} {
			trial, err := w.directory.StartTrial(w.Context(), w.acme, "corp")
			if err != nil {
				w.Fatal(err)
			}
			b := w.browser()
			b.atProvider("/sso/acme/corp/test?t="+trial.ID, hint).want(w, 200, "/sso/acme/corp/callback", want, "nonce", "Nobody was signed in")
			if b.cookie("__Host-usher") != "" {
				w.Error("a test signed somebody in")
			}
			b.get("/sso/acme/corp/test?t="+trial.ID).want(w, 404, "/sso/acme/corp/test")
		}
		// What is off signs nobody in.
		w.browser().get("/sso/acme/corp/start").want(w, 404, "/sso/acme/corp/start")
	})
}

// deactivate switches a user off.
func (w *world) deactivate(id string) {
	w.Helper()
	_, _, err := w.directory.UpdateUser(w.Context(), w.acme, id, func(_ *resources.Record, doc jsontree.Value) (jsontree.Value, error) {
		doc.Set("active", jsontree.Bool(false))
		return doc, nil
	})
	if err != nil {
		w.Fatal(err)
	}
}

// readdress gives a user another address, as an administrator does.
func (w *world) readdress(id, address string) {
	w.Helper()
	_, _, err := w.directory.UpdateUser(w.Context(), w.acme, id, func(_ *resources.Record, doc jsontree.Value) (jsontree.Value, error) {
		email := jsontree.Obj()
		email.Set("value", jsontree.Str(address))
		doc.Set("emails", jsontree.Arr(email))
		return doc, nil
	})
	if err != nil {
		w.Fatal(err)
	}
}

// TestForwardAuth answers reverse proxies.
func TestForwardAuth(t *testing.T) {
	onBoth(t, func(w *world) {
		_, l := w.invite("ann@acme.example", "Ann Lee", "en")
		b := w.browser()
		b.follow = false
		b.get("/sso/acme/verify").want(w, 401, "/sso/acme/verify")
		w.settings(func(s *resources.Settings) { s.ReturnURLs = "https://wiki.acme.example/" })
		wanted := []string{"X-Forwarded-Proto: https", "X-Forwarded-Host: wiki.acme.example", "X-Forwarded-Uri: /a?b=c"}
		got := b.do("GET", "/sso/acme/verify?redirect=1", nil, wanted...)
		if to := got.Header.Get("Location"); got.StatusCode != 302 || to != w.URL+"/signin?return="+url.QueryEscape("https://wiki.acme.example/a?b=c") {
			w.Errorf("%d to %q", got.StatusCode, to)
		}
		for _, header := range [][]string{
			{"X-Forwarded-Host: evil.example"}, {"X-Original-URL: https://evil.example/"}, {"X-Original-URL: //wiki.acme.example/"}, {"X-Original-URL: https://wiki.acme.example@evil.example/"}, nil,
		} {
			if got := b.do("GET", "/sso/acme/verify?redirect=1", nil, header...); got.StatusCode != 401 {
				w.Errorf("%v: %d to %q", header, got.StatusCode, got.Header.Get("Location"))
			}
		}
		b.do("GET", "/sso/nobody/verify?redirect=1", nil, wanted...).want(w, 401, "/sso/nobody/verify")
		b.do("GET", "/sso/acme/verify", nil, wanted...).want(w, 401, "/sso/acme/verify")

		b.follow = true
		b.activate(l, "Änn, 100% \"Lee\"")
		h := b.get("/sso/acme/verify").want(w, 200, "/sso/acme/verify").Header
		for name, want := range map[string]string{
			"X-Usher-User": l.User, "X-Usher-Email": "ann@acme.example", "X-Usher-Email-Verified": "true", "X-Usher-Name": `%C3%84nn, 100%25 "Lee"`, "X-Usher-Licences": "", "X-Usher-Groups": "",
		} {
			if got := h.Get(name); got != want {
				w.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		w.readdress(l.User, "chief@elsewhere.example") // whose address it is, nobody has shown
		h = b.get("/sso/acme/verify").want(w, 200, "/sso/acme/verify").Header
		if email, verified := h.Get("X-Usher-Email"), h.Get("X-Usher-Email-Verified"); email != "chief@elsewhere.example" || verified != "false" {
			w.Errorf("the address %q is verified: %q", email, verified)
		}
		b.get("/sso/beta/verify").want(w, 401, "/sso/beta/verify")
		w.deactivate(l.User)
		b.get("/sso/acme/verify").want(w, 401, "/sso/acme/verify")
	})
}
