package oidc

import (
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// Tokens of Entra ID name their tenant, and it is the issuer's (security O1).
func TestTenantOf(t *testing.T) {
	const one, two = "72f988bf-86f1-41af-91ab-2d7cd011db47", "9188040d-6c67-4c5b-b112-36a304b66dad"
	for _, c := range []struct {
		issuer, tid string
		ok          bool
	}{
		{"https://login.microsoftonline.com/" + one + "/v2.0", one, true},
		{"https://login.microsoftonline.com/" + one + "/v2.0", two, false},
		{"https://login.microsoftonline.com/" + one + "/v2.0", "", false},
		{"https://LOGIN.microsoftonline.com/" + one + "/v2.0", "", false},
		{"https://sts.windows.net/" + one + "/", one, true},
		{"https://sts.windows.net/" + one + "/", two, false},
		{"https://login.microsoftonline.com/common/v2.0", one, false},
		{"https://login.microsoftonline.com/common/v2.0", "", false},
		{"https://issuer.example/" + one, two, false},
		{"https://issuer.example/" + one, "", true},
		{"https://issuer.example/t", two, true},
	} {
		doc := jsontree.Obj(jsontree.Str(c.tid).As("tid"))
		if got := tenant(document{&doc}, expected{issuer: c.issuer}).reason == ""; got != c.ok {
			t.Errorf("%s with tid %q: %t", c.issuer, c.tid, got)
		}
	}
}

// FuzzCallback: whatever a browser brings is read or refused with a name, and what
// is read is within its bounds.
func FuzzCallback(f *testing.F) {
	state := strings.Repeat("A", textSize)
	f.Add("state=" + state + "&code=x&iss=https%3A%2F%2Fissuer.example")
	f.Add("state=" + state + "&error=access_denied&error_description=%00%0d%0a")
	f.Add("state=" + state + "&state=x&code=y")
	f.Add("code=%ff&state=")
	f.Fuzz(func(t *testing.T, query string) {
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		c, bad := readCallback(values)
		if bad != nil {
			if bad.Check == "" || bad.Reason == "" {
				t.Error("a fault without a name or reason")
			}
			return
		}
		if len(c.state) != textSize || c.code == "" && c.err == "" || len(values["code"]) > 1 || len(values["state"]) != 1 {
			t.Errorf("%q is read as %+v", query, c)
		}
		if strings.ContainsFunc(quoted(c.why), unicode.IsControl) || len(quoted(c.why)) > 1024 {
			t.Errorf("%q is shown as %q", c.why, quoted(c.why))
		}
	})
}

// FuzzClaims: whatever claims a token has, they are read or refused, and what is let
// through is what the rules promise.
func FuzzClaims(f *testing.F) {
	now := time.Unix(1_800_000_000, 0)
	e := expected{issuer: "https://i.example", client: "usher", nonce: "n", now: now}
	f.Add(`{"iss":"https://i.example","aud":"usher","sub":"s","exp":1800000600,"iat":1800000000,"nonce":"n","email":"a@b.example","email_verified":true}`)
	f.Add(`{"iss":"https://i.example","aud":["usher"],"azp":"usher","sub":"s","exp":1.8e9,"iat":-1,"nbf":"x","nonce":"n","sid":{},"tid":[]}`)
	f.Add(`{"events":{"` + logoutEvent + `":{}},"jti":"j","sub":1,"sid":"\u0000","aud":{},"session_expiry":1e400}`)
	f.Fuzz(func(t *testing.T, text string) {
		tree, err := jsontree.Parse([]byte(text), jsontree.BodyLimits())
		if err != nil {
			return
		}
		d := document{&tree}
		for _, r := range logoutRules(d, e) {
			if r.name == "" {
				t.Error("a rule without a name")
			}
		}
		for _, r := range rules(d, e) {
			if r.reason != "" {
				return
			}
		}
		a := claimed(named(resources.ClaimMap{}), []document{d})
		exp, _ := d.time("exp")
		if a.Subject == "" || len([]rune(a.Subject)) > maxSubject || !exp.After(now) || d.text("nonce") != "n" {
			t.Errorf("%s is let through", text)
		}
		if len(a.Email) > textLimit || strings.ContainsFunc(a.Email+a.DisplayName+a.SID, unicode.IsControl) {
			t.Errorf("%s: the person is %+v", text, a)
		}
	})
}
