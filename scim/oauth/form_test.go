package oauth

import (
	"encoding/base64"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// TestBasicForm: id and secret are encoded as in a form before they are joined
// (RFC 6749 §2.3.1).
func TestBasicForm(t *testing.T) {
	for header, want := range map[string][2]string{
		"Basic " + base64.StdEncoding.EncodeToString([]byte("a%3Ab:c+d%25")): {"a:b", "c d%"},
		"basic  " + base64.StdEncoding.EncodeToString([]byte("a:b:c")):       {"a", "b:c"},
		"Basic " + base64.StdEncoding.EncodeToString([]byte(":")):            {"", ""},
	} {
		if id, secret, ok := parseBasic(header); !ok || id != want[0] || secret != want[1] {
			t.Errorf("%s: %q, %q, %v", header, id, secret, ok)
		}
	}
	for _, header := range []string{"", "Basic", "Basic !", "Basic YQ==", "Bearer YTpi", "Basic " + base64.StdEncoding.EncodeToString([]byte("a:%zz")), "Basic " + strings.Repeat("YTpi", 2000)} {
		if _, _, ok := parseBasic(header); ok {
			t.Errorf("%.40q is read", header)
		}
	}
}

func FuzzBasic(f *testing.F) {
	f.Add("Basic YTpi")
	f.Add("basic YSUzQWI6Yw==")
	f.Fuzz(func(t *testing.T, header string) {
		id, secret, ok := parseBasic(header)
		if !ok {
			return
		}
		again := "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
		if len(again) > 4096 {
			return
		}
		if a, b, ok := parseBasic(again); !ok || a != id || b != secret {
			t.Errorf("%q read twice: %q, %q", header, a, b)
		}
	})
}

func FuzzForm(f *testing.F) {
	f.Add("grant_type=client_credentials&client_id=a&client_secret=b&scope=users+groups", "")
	f.Add("grant_type=client_credentials&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=e30.e30.e30", "")
	f.Add("grant_type=client_credentials", "Basic YTpi")
	f.Fuzz(func(t *testing.T, body, authorization string) {
		r := httptest.NewRequest("POST", "/orgs/acme/oauth/token", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if authorization != "" {
			r.Header["Authorization"] = []string{authorization}
		}
		q, p := read(r)
		if p != nil {
			if p.status < 400 || p.code == "" || p.detail == "" {
				t.Errorf("problem %+v", p)
			}
			return
		}
		if q.assertion != nil && q.secret != "" || len(q.scopes) > 16 || q.basic != (authorization != "") {
			t.Errorf("%q with %q is read as %+v", body, authorization, q)
		}
	})
}
