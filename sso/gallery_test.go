package sso_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"github.com/usher-scim/usher/resources"
)

// gallery is every page in one language, as people meet it on their way, by name.
// The browser looks at them from the same server, so that policy and assets are
// the real ones.
type gallery struct {
	mu    sync.Mutex
	names []string
	pages map[string]picture
}

type picture struct {
	header http.Header
	body   string
}

// hang keeps a page.
func (g *gallery) hang(name string, a answer) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.pages == nil {
		g.pages = map[string]picture{}
	}
	g.names = append(g.names, name)
	// A page that goes on by itself stays, so that it can be looked at.
	body := a.body
	if before, rest, ok := strings.Cut(body, `<meta http-equiv="refresh"`); ok {
		_, rest, _ = strings.Cut(rest, ">")
		body = before + rest
	}
	g.pages[name] = picture{a.Header, body}
}

const galleryPath = "/gallery/"

// ServeHTTP shows a page.
func (g *gallery) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	p, ok := g.pages[strings.TrimPrefix(r.URL.Path, galleryPath)]
	g.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	for _, name := range []string{"Content-Security-Policy", "Content-Type", "X-Content-Type-Options", "Referrer-Policy"} {
		w.Header().Set(name, p.header.Get(name))
	}
	_, _ = w.Write([]byte(p.body))
}

// galleryWorld is a world in which every page can be met.
func galleryWorld(w *world) {
	w.connect()
	w.settings(func(s *resources.Settings) {
		s.DownloadURL, s.WebAppURL, s.VoicemailURL = "https://dl.acme.example/app", "https://app.acme.example/", "https://vm.acme.example/"
		s.ResourcesURL, s.SupportURL, s.PasswordBlocklist, s.TimeZone = "https://help.acme.example/", "mailto:help@acme.example", true, "Europe/Paris"
	})
}

// tour meets every page in a language. It is done with clients that do not follow
// redirects of other servers, and keeps what each step shows.
func (w *world) tour(g *gallery, lang string) {
	w.Helper()
	hang := func(name string, a answer) answer { g.hang(lang+"-"+name, a); return a }
	at := lang + ".example"
	_, l := w.invite("zoe@"+at, "Zoé Martin-Delacroix", lang)
	b := w.browser()
	b.lang = lang
	hang("activate", b.get(l.Path))
	hang("password", b.post("/activate", "with", "password"))
	hang("password-faults", b.post("/activate/password", "password", "martin"))
	hang("name", b.post("/activate/password", "password", goodPassword))
	hang("name-fault", b.post("/activate/name", "name", ""))
	hang("done", b.post("/activate/name", "name", "Zoé Martin-Delacroix"))
	other := w.browser()
	other.lang = lang
	hang("signin", other.get("/signin"))
	hang("signin-fault", other.post("/signin", "address", "zoe"))
	hang("secret", other.post("/signin", "address", "zoe@"+at))
	hang("secret-fault", other.post("/signin", "address", "zoe@"+at, "password", "wrong"))
	w.wait(minute)
	other.do("POST", "/signin", form("address", "zoe@"+at, "password", goodPassword), "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0")
	hang("me", b.get("/me?note=saved"))
	hang("me-fault", b.post("/me/name", "name", ""))
	hang("change", b.get("/me/password"))
	hang("signout-page", b.get("/signout"))
	hang("signout", b.post("/signout"))

	stranger := w.browser()
	stranger.lang = lang
	hang("code", stranger.get("/activate/code"))
	hang("code-faults", stranger.post("/activate/code"))
	hang("expired", stranger.get("/activate?t="+strings.Repeat("a", 60)))
	hang("again", stranger.get("/activate/expired"))
	hang("sent", stranger.post("/activate/expired"))
	hang("forgot", stranger.get("/forgot"))
	hang("choose", stranger.get("/sso/acme"))
	hang("leave", stranger.post("/signin", "address", "x@corp.example"))
	hang("nothing", stranger.do("GET", "/me/nothing", nil, "X-Request-Id: k3j2h-42"))
	hang("refused", stranger.do("GET", "/sso/acme/corp/callback?state=x&code=y", nil, "X-Request-Id: k3j2h-43"))

	_, l = w.invite("yann@corp.example", "Yann Le Goff", lang)
	hang("activate-sso", stranger.get(l.Path))
	if err := w.directory.DeleteUser(w.Context(), w.acme, l.User, nil); err != nil {
		w.Fatal(err)
	}
	w.trialPages(hang, lang)
}

// trialPages are what a test of a connection ends in.
func (w *world) trialPages(hang func(string, answer) answer, lang string) {
	w.Helper()
	for name, hint := range map[string]string{"test-good": "alice@corp.example", "test-bad": "bob@other.example"} {
		t, err := w.directory.StartTrial(w.Context(), w.acme, "corp")
		if err != nil {
			w.Fatal(err)
		}
		b := w.browser()
		b.lang, b.follow = lang, false
		start := b.get("/sso/acme/corp/test?t=" + t.ID)
		b.follow = true
		hang(name, b.get(start.Header.Get("Location")+"&login_hint="+hint))
	}
}

// server shows the gallery beside the door.
func (g *gallery) beside(s *httptest.Server) {
	door := s.Config.Handler
	mux := http.NewServeMux()
	mux.Handle(galleryPath, g)
	mux.Handle("/", door)
	s.Config.Handler = mux
}
