package sso_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/sso"
)

// TestNoStateChangingGet opens every page with every cookie: nobody is changed, no
// event is written, no mail is sent (security X3). Flows at a provider are in the
// vault alone.
func TestNoStateChangingGet(t *testing.T) {
	onBoth(t, func(w *world) {
		galleryWorld(w)
		_, l := w.invite("ann@acme.example", "Ann Lee", "en")
		_, link := w.invite("bob@acme.example", "Bob", "en")
		b := w.browser()
		b.activate(l, "Ann")
		b.get(link.Path)
		w.work()
		before := w.snapshot()
		b.follow = false
		for _, to := range []string{
			"/activate", "/activate/code", "/activate/password", "/activate/name", "/activate/done", "/activate/expired", "/reset", "/verify", "/forgot", "/signin",
			"/signout", "/me", "/me/password", "/me/name", "/me/sessions", "/sso/acme", "/sso/acme/verify", "/sso/acme/jwks.json", "/sso/acme/corp/start",
			"/sso/acme/corp/jwks.json", "/sso/acme/corp/logout", "/activate?t=" + strings.Repeat("c", 60), "/me?lang=fr",
		} {
			for _, method := range []string{"GET", "HEAD"} {
				if got := b.do(method, to, nil); got.StatusCode >= 500 {
					w.Errorf("%s %s: %d", method, to, got.StatusCode)
				}
			}
		}
		if diff := cmp.Diff(before, w.snapshot()); diff != "" {
			w.Error(diff)
		}
		if letters := w.work(); len(letters) > 0 {
			w.Errorf("%d letters went out", len(letters))
		}
	})
}

// snapshot is every user and event of acme.
func (w *world) snapshot() []string {
	w.Helper()
	var out []string
	page, err := w.directory.Find(w.Context(), w.acme, resources.Query{Kind: resources.KindUser, Limit: 100})
	if err != nil {
		w.Fatal(err)
	}
	for _, rec := range page.Records {
		out = append(out, rec.ID+" "+string(rec.Profile)+" "+string(rec.Standing))
	}
	events, err := w.store.Events(w.Context(), w.acme.Org, "", 1000)
	if err != nil {
		w.Fatal(err)
	}
	for _, e := range events {
		out = append(out, e.ID+" "+e.Type)
	}
	return out
}

// TestNoEnumeration: forms that take an address answer the same whoever it belongs
// to (BR-007, security P3).
func TestNoEnumeration(t *testing.T) {
	onBoth(t, func(w *world) {
		_, l := w.invite("ann@acme.example", "Ann Lee", "en")
		_, inactive := w.invite("off@acme.example", "Off", "en")
		_, _ = w.invite("new@acme.example", "New", "en")
		w.browser().activate(l, "Ann")
		if err := w.directory.DeleteUser(w.Context(), w.acme, inactive.User, nil); err != nil {
			w.Fatal(err)
		}
		for name, fields := range map[string][]string{
			"/signin 1": {}, "/signin 2": {"password", "wrong"}, "/forgot": {}, "/activate/expired": {}, "/activate/code": {"code", "000000"},
		} {
			path, _, _ := strings.Cut(name, " ")
			want := ""
			for _, address := range []string{"xxx@acme.example", "ann@acme.example", "off@acme.example", "new@acme.example"} {
				b := w.browser()
				w.wait(minute)
				got := b.post(path, append([]string{"address", address}, fields...)...)
				text := got.Status + "\n" + strings.ReplaceAll(got.body, address, "ADDRESS")
				if want == "" {
					want = text
				}
				if diff := cmp.Diff(want, text); diff != "" || len(b.set) > 0 {
					w.Errorf("%s, %s: %s, cookies %v", name, address, diff, b.set)
				}
			}
		}
	})
}

// TestReturnTo goes back to allowed addresses only (security O11).
func TestReturnTo(t *testing.T) {
	w := open(t, "")
	_, l := w.invite("ann@acme.example", "Ann Lee", "en")
	w.browser().activate(l, "Ann")
	w.settings(func(s *resources.Settings) { s.ReturnURLs = "https://wiki.acme.example/docs" })
	goes := func(wanted string) string {
		t.Helper()
		b := w.browser()
		b.follow = false
		w.wait(minute)
		b.get("/signin?return=" + url.QueryEscape(wanted))
		got := b.post("/signin", "address", "ann@acme.example", "password", goodPassword, "return", wanted)
		if to := got.Header.Get("Location"); to != "" {
			return to
		}
		_, rest, _ := strings.Cut(got.body, `content="0; url=`)
		to, _, _ := strings.Cut(rest, `"`)
		return to
	}
	for wanted, want := range map[string]string{
		"": "/me", "/me/password": "/me/password", "//evil.com": "/me", `/\evil.com`: "/me", "https:evil.com": "/me", "/%09/evil.com": "/me", "/\t/evil.com": "/me",
		"javascript:alert(1)": "/me", "https://evil.com/": "/me", "https://wiki.acme.example.evil.com/docs": "/me", "https://wiki.acme.example@evil.com/docs": "/me",
		"https://wiki.acme.example/docs/a?b=c": "https://wiki.acme.example/docs/a?b=c", "https://wiki.acme.example/docsevil": "/me", "/me/../../evil": "/me",
		"https://wiki.acme.example\\@evil.com/docs": "/me", "/me\r\nX: y": "/me", "data:text/html,x": "/me",
	} {
		if got := goes(wanted); got != want {
			t.Errorf("return %q leads to %q, want %q", wanted, got, want)
		}
	}
	w.settings(func(s *resources.Settings) { s.AppURL, s.HandOff = "https://app.acme.example/start?x=1", true })
	if got := goes("https://evil.com/"); !strings.HasPrefix(got, "https://app.acme.example/start?usher_token=ey") || !strings.Contains(got, "x=1") {
		t.Errorf("the application is %q", got)
	}
}

// TestStoredXSS puts markup and text that runs backwards into every page that
// shows a name (security X1).
func TestStoredXSS(t *testing.T) {
	w := open(t, "")
	name := "\"><img src=x onerror=alert(1)>{{7*7}}\u202Eevil</title><script>alert(2)</script>"
	_, l := w.invite("ann@acme.example", name, "en")
	b := w.browser()
	b.lang = "en"
	pages := []answer{b.get(l.Path), b.post("/activate"), b.post("/activate/password", "password", goodPassword)}
	pages = append(pages, b.post("/activate/name", "name", strings.ReplaceAll(name, "\u202E", "")), b.get("/me"), b.post("/me/name", "name", strings.Repeat(name, 10)))
	pages = append(pages, b.post("/signin", "address", `"><script>alert(3)</script>@x`), b.get(`/signin?return="><script>`), b.post("/activate/code", "address", `'><svg/onload=alert(4)>@x`))
	tag := regexp.MustCompile(`(?i)<(img|script>|svg/)`)
	for _, p := range pages {
		if p.StatusCode >= 500 || tag.MatchString(p.body) || strings.Contains(p.body, "49\u202E") {
			t.Errorf("%s: %d\n%s", p.path(), p.StatusCode, p.body)
		}
	}
	if !strings.Contains(pages[0].body, "<bdi>&#34;&gt;&lt;img") {
		t.Errorf("the name is not isolated:\n%s", pages[0].body)
	}
}

// TestHeaders looks at what every answer has (security X1, I2).
func TestHeaders(t *testing.T) {
	w := open(t, "")
	b := w.browser()
	css := regexp.MustCompile(`/assets/usher\.[0-9a-f]+\.css`)
	page := b.get("/signin")
	for _, to := range []string{"/signin", "/me/nothing", "/activate?t=x", css.FindString(page.body)} {
		h := b.get(to).Header
		for name, want := range map[string]string{
			"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Cross-Origin-Opener-Policy": "same-origin", "X-Robots-Tag": "noindex",
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s is %q", to, name, got)
			}
		}
	}
	if got := page.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("pages may be kept: %q", got)
	}
	if got := b.get(css.FindString(page.body)).Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
		t.Errorf("assets may not be kept: %q", got)
	}
	if regexp.MustCompile(`(src|href|action)="(https?:)?//`).MatchString(page.body) {
		t.Error("something comes from elsewhere")
	}
}

// TestNew refuses a configuration that cannot work.
func TestNew(t *testing.T) {
	for _, c := range []sso.Config{{}, {PublicURL: "https://x.example", Sender: func(*http.Request) string { return "" }}} {
		if _, err := sso.New(c); err == nil {
			t.Errorf("%+v: no error", c)
		}
	}
}
