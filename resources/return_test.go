package resources_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/usher-scim/usher/resources"
)

// TestMayReturn: nobody is sent anywhere that the organization did not name
// (security O11).
func TestMayReturn(t *testing.T) {
	s := resources.Settings{
		AppURL:     "https://app.acme.example/start?x=1",
		ReturnURLs: "https://other.acme.example/a/b https://whole.acme.example https://port.acme.example:8443/ http://localhost:3000/cb https://slash.acme.example/in/",
	}
	for target, want := range map[string]bool{
		"https://app.acme.example":                         true,
		"https://app.acme.example/":                        true,
		"https://app.acme.example/start?x=1":               true,
		"https://app.acme.example/anything/else?q=%2f#top": true,
		"HTTPS://APP.acme.example/x":                       true,
		"https://app.acme.example:443/x":                   true,
		"https://other.acme.example/a/b":                   true,
		"https://other.acme.example/a/b/":                  true,
		"https://other.acme.example/a/b/c":                 true,
		"https://other.acme.example/a/b?x":                 true,
		"https://other.acme.example/%61/b":                 true,
		"https://whole.acme.example?next=https://evil.com": true,
		"https://port.acme.example:8443/x":                 true,
		"http://localhost:3000/cb?code=1":                  true,
		"https://slash.acme.example/in":                    true,
		"https://slash.acme.example/in/side":               true,

		"":                                  false,
		"/":                                 false,
		"/me":                               false,
		"//app.acme.example":                false,
		`/\app.acme.example`:                false,
		"https:app.acme.example":            false,
		"https:/app.acme.example":           false,
		"https:///app.acme.example":         false,
		"javascript://app.acme.example/%0a": false,
		"javascript:alert(1)":               false,
		"data:text/html,x":                  false,
		"ftp://app.acme.example/":           false,
		"http://app.acme.example/":          false,
		"https://evil.com/":                 false,
		"https://evil.com/https://app.acme.example/":            false,
		"https://app.acme.example.evil.com/":                    false,
		"https://app.acme.example@evil.com/":                    false,
		"https://app.acme.example:x@evil.com/":                  false,
		"https://evil.com@app.acme.example/":                    false,
		"https://evil.com#@app.acme.example/":                   false,
		"https://evil.com?@app.acme.example/":                   false,
		`https://evil.com\@app.acme.example/`:                   false,
		`https://app.acme.example\@evil.com/`:                   false,
		`https://app.acme.example\.evil.com`:                    false,
		"https://app.acme.example%2eevil.com/":                  false,
		"https://app.acme.example%00.evil.com/":                 false,
		"https://app.acme.example./":                            false,
		"https://.app.acme.example/":                            false,
		"https://app.acme.example:444/":                         false,
		"https://app.acme.example:/":                            false,
		"https://app.acme.example:0443/":                        false,
		"https://app.acme.example:443:443/":                     false,
		"https://app。acme.example/":                             false,
		"https://ａpp.acme.example/":                             false,
		"https://app.acme.example/\t":                           false,
		"https://app.acme.example/ x":                           false,
		" https://app.acme.example/":                            false,
		"https://app.acme\n.example/":                           false,
		"https://app.acme.example/\x00":                         false,
		"https://app.acme.example/%00":                          false,
		"https://app.acme.example/%0d%0aSet-Cookie:x":           false,
		"https://app.acme.example/a/../b":                       false,
		"https://app.acme.example/%2e%2e/b":                     false,
		"https://app.acme.example/a%2f..%2fb":                   false,
		"https://app.acme.example/a%5cb":                        false,
		"https://app.acme.example/%252e%252e/":                  false,
		"https://app.acme.example//evil.com":                    false,
		"https://app.acme.example/%zz":                          false,
		"https://other.acme.example/":                           false,
		"https://other.acme.example/a":                          false,
		"https://other.acme.example/a/bc":                       false,
		"https://other.acme.example/A/b":                        false,
		"https://other.acme.example/a/b/../c":                   false,
		"https://other.acme.example/a/b/..;/c":                  false,
		"https://other.acme.example/a/b%2f..%2f..":              false,
		"https://other.acme.example/a%2fb":                      false,
		"https://port.acme.example/x":                           false,
		"http://localhost:3001/cb":                              false,
		"http://localhost/cb":                                   false,
		"https://localhost:3000/cb":                             false,
		"https://[::1]/":                                        false,
		"https://app.acme.example/" + strings.Repeat("x", 2000): false,
	} {
		if got := s.MayReturn(target); got != want {
			t.Errorf("%.80q: %v", target, got)
		}
	}
	if (&resources.Settings{}).MayReturn("https://app.acme.example/") {
		t.Error("without settings people may be sent somewhere")
	}
}

// TestMayReturnHere: what a developer runs on the machine itself.
func TestMayReturnHere(t *testing.T) {
	for app, want := range map[string]bool{
		"http://localhost:3000": true, "http://127.0.0.1/x": true, "http://127.8.9.1:80/": true, "http://[::1]:8080/": true, "http://[::1]": true,
		"http://[::2]/": false, "http://127.0.0.1.evil.com/": false, "http://127.evil.com/": false, "http://localhost.evil.com/": false, "http://0.0.0.0/": false,
		"http://10.0.0.1/": false, "http://[::1]x/": false, "http://[::1": false, "http://127.0.0.1.1/": false,
	} {
		s := resources.Settings{AppURL: app}
		if got := s.MayReturn(app); got != want {
			t.Errorf("%q: %v", app, got)
		}
	}
}

// FuzzMayReturn: whatever is allowed leads to one of the two hosts, as browsers
// read it: they take backslashes for slashes and drop tabs and line ends.
func FuzzMayReturn(f *testing.F) {
	for _, seed := range []string{
		"https://app.example/x", "https://other.example:8443/a/b", "//app.example", "https://app.example@evil.com", `https://evil.com\@app.example`,
		"https://app.example%2eevil.com", "https://app.example/a/../b", "https:/\\app.example", "https://other.example:8443/a/b/%2e%2e/c", "https://\tapp.example",
	} {
		f.Add(seed)
	}
	s := resources.Settings{AppURL: "https://app.example/start", ReturnURLs: "https://other.example:8443/a/b"}
	f.Fuzz(func(t *testing.T, target string) {
		if !s.MayReturn(target) {
			return
		}
		read := strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(strings.TrimSpace(target))
		rest, ok := strings.CutPrefix(strings.ToLower(read), "https:")
		if !ok {
			t.Fatalf("%q is not of https", target)
		}
		rest = strings.TrimLeft(rest, "/")
		authority := rest
		if i := strings.IndexAny(rest, "/?#"); i >= 0 {
			authority = rest[:i]
		}
		switch authority {
		case "app.example", "app.example:443":
			return
		case "other.example:8443":
		default:
			t.Fatalf("%q leads to %q", target, authority)
		}
		path := read[strings.Index(strings.ToLower(read), authority)+len(authority):]
		if i := strings.IndexAny(path, "?#"); i >= 0 {
			path = path[:i]
		}
		for range 3 { // however often somebody decodes it
			if next, err := url.PathUnescape(path); err == nil {
				path = next
			}
		}
		clean, err := url.JoinPath("https://h", path)
		if err != nil || clean != "https://h/a/b" && !strings.HasPrefix(clean, "https://h/a/b/") {
			t.Fatalf("%q leads to %q, %v", target, clean, err)
		}
	})
}
