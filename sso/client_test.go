package sso_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/usher-scim/usher/resources"
)

// browser is a client with cookies that behaves as browsers do.
type browser struct {
	*world
	client *http.Client
	jar    *cookiejar.Jar
	set    []*http.Cookie // every cookie that was set
	lang   string
	follow bool
}

func (w *world) browser() *browser {
	w.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.Fatal(err)
	}
	b := &browser{world: w, jar: jar, lang: "en", follow: true}
	inner := w.Client()
	b.client = &http.Client{Transport: inner.Transport, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error {
		if !b.follow {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	return b
}

// answer is what a browser got.
type answer struct {
	*http.Response
	body string
}

// path is where the browser is.
func (a answer) path() string { return a.Request.URL.Path }

func (b *browser) do(method, to string, form url.Values, header ...string) answer {
	b.Helper()
	if !strings.HasPrefix(to, "http") {
		to = b.URL + to
	}
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(b.Context(), method, to, body)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Accept-Language", b.lang)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Del(name)
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	resp, err := b.client.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.Fatal(err)
	}
	b.set = append(b.set, resp.Cookies()...)
	return answer{resp, string(text)}
}

func (b *browser) get(to string) answer { b.Helper(); return b.do("GET", to, nil) }

// post sends a form; fields are names and values.
func (b *browser) post(to string, fields ...string) answer {
	b.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return b.do("POST", to, form)
}

// want checks status and place, and that texts are on the page.
func (a answer) want(t testing.TB, status int, path string, texts ...string) answer {
	t.Helper()
	if a.StatusCode != status || a.path() != path {
		t.Fatalf("%d at %s, want %d at %s\n%s", a.StatusCode, a.path(), status, path, a.body)
	}
	for _, s := range texts {
		if !strings.Contains(a.body, s) {
			t.Errorf("%s: %q is not on the page\n%s", path, s, a.body)
		}
	}
	return a
}

// cookie is the value of a cookie that the browser has.
func (b *browser) cookie(name string) string {
	u, err := url.Parse(b.URL)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range b.jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// form makes the fields of a form from names and values.
func form(fields ...string) url.Values {
	out := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		out.Add(fields[i], fields[i+1])
	}
	return out
}

func mustURL(t testing.TB, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// activate brings somebody in by link and password.
func (b *browser) activate(l resources.Letter, name string) {
	b.Helper()
	b.get(l.Path).want(b, 200, "/activate")
	b.post("/activate", "with", "password").want(b, 200, "/activate/password")
	b.post("/activate/password", "password", goodPassword).want(b, 200, "/activate/name")
	b.post("/activate/name", "name", name).want(b, 200, "/activate/done")
}
