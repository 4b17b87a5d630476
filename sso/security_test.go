package sso_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/resources"
)

// TestScannerPrefetch lets mail scanners open a link with and without cookies:
// nothing is used up, nobody is signed in (BR-109, security I2).
func TestScannerPrefetch(t *testing.T) {
	onBoth(t, func(w *world) {
		id, l := w.invite("ann@acme.example", "Ann Lee", "en")
		before := w.user(id)
		for _, agent := range []string{"Outlook-Safe-Links", "Mozilla/5.0", "curl/8.5"} {
			keeps, forgets := w.browser(), w.browser()
			forgets.client.Jar = nil
			for range 20 {
				for _, method := range []string{"HEAD", "GET"} {
					for _, b := range []*browser{keeps, forgets} {
						b.do(method, l.Path, nil, "User-Agent: "+agent)
					}
				}
			}
			for _, c := range append(keeps.set, forgets.set...) {
				if c.Name == "__Host-usher" {
					w.Fatal("opening a link set a session")
				}
			}
		}
		if diff := cmp.Diff(before, w.user(id)); diff != "" {
			w.Error(diff)
		}
		b := w.browser()
		b.activate(l, "Ann")
		again := w.browser()
		again.get(l.Path).want(w, 200, "/signin", "active already")
		again.post("/activate").want(w, 410, "/activate")
	})
}

// TestInviteOracle: unknown, replaced, expired and used links have one answer, to
// the byte (security I4).
func TestInviteOracle(t *testing.T) {
	onBoth(t, func(w *world) {
		_, ann := w.invite("ann@acme.example", "Ann Lee", "en")
		_, bob := w.invite("bob@acme.example", "Bob", "fr")
		b := w.browser()
		b.activate(ann, "Ann")
		w.work()
		b.post("/forgot", "address", "ann@acme.example")
		used := w.letter()
		fresh := w.browser()
		fresh.get(used.Path)
		fresh.post("/reset", "password", "Another-Horse-43").want(w, 200, "/signin")
		w.wait(11 * minute)
		w.work()
		if _, err := w.directory.SendActivation(w.Context(), w.acme, bob.User); err != nil {
			w.Fatal(err)
		}
		newer := w.letter()
		token := func(l resources.Letter) string { _, t, _ := strings.Cut(l.Path, "t="); return t }
		links := map[string]string{
			"unknown": strings.Repeat("a", len(token(bob))), "of another user": token(bob)[:30] + token(newer)[30:], "replaced": token(bob),
			"nonsense": "%00%ff<script>", "used": token(used), "empty": "", "long": strings.Repeat("b", 4000),
		}
		w.wait(11 * 24 * 60 * minute)
		links["expired"] = token(newer)
		for _, page := range []string{"/activate", "/reset", "/verify"} {
			want := ""
			for name, token := range links {
				got := w.browser().get(page+"?t="+token).want(w, 410, page)
				if want == "" {
					want = got.body
				}
				if diff := cmp.Diff(want, got.body); diff != "" {
					w.Errorf("%s, %s: %s", page, name, diff)
				}
			}
		}
	})
}

// TestSessionFixation: whoever plants a session cookie does not keep the session
// (security O10).
func TestSessionFixation(t *testing.T) {
	onBoth(t, func(w *world) {
		_, l := w.invite("ann@acme.example", "Ann Lee", "en")
		mallory := w.browser()
		_, m := w.invite("mallory@acme.example", "Mallory", "en")
		mallory.activate(m, "Mallory")
		planted := mallory.cookie("__Host-usher")

		victim := w.browser()
		at := *mustURL(w, w.URL)
		victim.jar.SetCookies(&at, []*http.Cookie{{Name: "__Host-usher", Value: planted, Path: "/", Secure: true}})
		victim.activate(l, "Ann")
		if got := victim.cookie("__Host-usher"); got == planted || got == "" {
			w.Errorf("the cookie is %q", got)
		}
		mallory.get("/me").want(w, 200, "/signin")

		// Signing in again begins another session, too.
		first := victim.cookie("__Host-usher")
		victim.post("/signin", "address", "ann@acme.example", "password", goodPassword).want(w, 200, "/me")
		if victim.cookie("__Host-usher") == first {
			w.Error("the session stayed the same at sign-in")
		}
		old := w.browser()
		old.jar.SetCookies(&at, []*http.Cookie{{Name: "__Host-usher", Value: first, Path: "/", Secure: true}})
		old.get("/me").want(w, 200, "/signin")
	})
}

// TestCookieFlags looks at every cookie that is set on the way (security X2).
func TestCookieFlags(t *testing.T) {
	w := open(t, "")
	galleryWorld(w)
	_, l := w.invite("ann@acme.example", "Ann Lee", "en")
	b := w.browser()
	b.follow = false
	b.get(l.Path)
	b.get("/activate?lang=fr")
	b.post("/activate", "with", "password")
	b.post("/activate/password", "password", goodPassword)
	b.post("/activate/name", "name", "Ann")
	b.get("/sso/acme/corp/start")
	trial, err := w.directory.StartTrial(t.Context(), w.acme, "corp")
	if err != nil {
		t.Fatal(err)
	}
	b.get("/sso/acme/corp/test?t=" + trial.ID)
	b.post("/signout")
	seen := map[string]bool{}
	for _, c := range b.set {
		seen[c.Name] = true
		if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteLaxMode {
			t.Errorf("cookie %s", c)
		}
	}
	for _, name := range []string{"", "-link", "-lang", "-flow", "-trial"} {
		if !seen["__Host-usher"+name] {
			t.Errorf("__Host-usher%s was not set", name)
		}
	}
}

// TestCSRF posts forms with the headers that browsers send for other sites
// (security X3).
func TestCSRF(t *testing.T) {
	w := open(t, "")
	_, l := w.invite("ann@acme.example", "Ann Lee", "en")
	b := w.browser()
	b.activate(l, "Ann")
	b.follow = false
	own := "Origin: " + w.URL
	tests := []struct {
		name   string
		header []string
		status int
	}{
		{"same origin", []string{"Sec-Fetch-Site: same-origin", own}, 303},
		{"typed", []string{"Sec-Fetch-Site: none"}, 303},
		{"origin alone", []string{"Sec-Fetch-Site: ", own}, 303},
		{"same origin without referrer", []string{"Sec-Fetch-Site: same-origin", "Origin: null"}, 303},
		{"same site", []string{"Sec-Fetch-Site: same-site"}, 403},
		{"cross site", []string{"Sec-Fetch-Site: cross-site"}, 403},
		{"cross site with our origin", []string{"Sec-Fetch-Site: cross-site", "Origin: https://evil.example"}, 403},
		{"foreign origin", []string{"Sec-Fetch-Site: ", "Origin: https://evil.example"}, 403},
		{"null origin", []string{"Sec-Fetch-Site: ", "Origin: null"}, 403},
		{"no header", []string{"Sec-Fetch-Site: "}, 403},
	}
	for _, tt := range tests {
		for _, to := range []string{"/me/name"} {
			got := b.do("POST", to, form("name", "Ann "+tt.name), tt.header...)
			if got.StatusCode != tt.status {
				t.Errorf("%s: %d, want %d", tt.name, got.StatusCode, tt.status)
			}
		}
	}
	b.follow = true
	b.get("/me").want(t, 200, "/me", "Ann same origin without referrer")
	for _, to := range []string{
		"/activate", "/activate/code", "/activate/password", "/activate/name", "/activate/expired", "/reset", "/verify", "/forgot", "/signin", "/signout", "/me/name",
		"/me/password", "/me/sessions",
	} {
		b.do("POST", to, form("name", "x"), "Sec-Fetch-Site: cross-site").want(t, 403, to, "did not come from a page of this site")
	}
	b.get("/me").want(t, 200, "/me")
}

// TestForms refuses what is no form of these pages.
func TestForms(t *testing.T) {
	w := open(t, "")
	b := w.browser()
	b.do("POST", "/signin", form("address", strings.Repeat("x", 17<<10))).want(t, 400, "/signin")
	b.do("POST", "/signin", form("address", "a@b.example"), "Content-Type: text/plain").want(t, 400, "/signin")
	b.do("POST", "/signin", form("address", "a\x00@b.example")).want(t, 400, "/signin")
	b.do("POST", "/signin", form("address", "a\xff@b.example")).want(t, 400, "/signin")
	if got := b.do("PUT", "/signin", form("address", "a@b.example")); got.StatusCode != 405 {
		t.Errorf("PUT: %d", got.StatusCode)
	}
	b.get("/me/nothing").want(t, 404, "/me/nothing", "There is no such page")
	b.get("/assets/nothing.js").want(t, 404, "/assets/nothing.js")
	b.get("/sso/nobody").want(t, 404, "/sso/nobody")
	b.get("/sso/..%2f").want(t, 404, "/sso/../")
}
