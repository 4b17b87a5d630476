package oidc_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/internal/issuer"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/sso/oidc"
)

// Claims are read as the connection says; the address and whether it is verified
// come from one document (security O2).
func TestClaims(t *testing.T) {
	w := open(t, "")
	yes, no := true, false
	without := map[string]any{"email": nil, "email_verified": true} // the flag alone says nothing
	for name, c := range map[string]struct {
		mapping  resources.ClaimMap
		token    map[string]any
		info     map[string]any
		email    string
		verified *bool
		external string
	}{
		"usual":             {resources.ClaimMap{}, nil, nil, "alice@acme.example", &yes, ""},
		"not verified":      {resources.ClaimMap{}, map[string]any{"email_verified": false}, nil, "alice@acme.example", &no, ""},
		"nothing said":      {resources.ClaimMap{}, map[string]any{"email_verified": nil}, nil, "alice@acme.example", nil, ""},
		"said as text":      {resources.ClaimMap{}, map[string]any{"email_verified": "true"}, nil, "alice@acme.example", &yes, ""},
		"said as rubbish":   {resources.ClaimMap{}, map[string]any{"email_verified": "perhaps"}, nil, "alice@acme.example", &no, ""},
		"said as a list":    {resources.ClaimMap{}, map[string]any{"email_verified": []bool{true}}, nil, "alice@acme.example", &no, ""},
		"Entra ID":          {resources.ClaimMap{ExternalID: "oid", Verified: "xms_edov"}, map[string]any{"oid": "o-1", "xms_edov": 1}, nil, "alice@acme.example", &yes, "o-1"},
		"Entra ID says no":  {resources.ClaimMap{ExternalID: "oid", Verified: "xms_edov"}, map[string]any{"xms_edov": "0"}, nil, "alice@acme.example", &no, ""},
		"another claim":     {resources.ClaimMap{Email: "upn"}, map[string]any{"upn": "al@acme.example"}, nil, "al@acme.example", &yes, ""},
		"UserInfo":          {resources.ClaimMap{}, without, map[string]any{"email_verified": false}, "alice@acme.example", &no, ""},
		"UserInfo is quiet": {resources.ClaimMap{}, without, map[string]any{"email_verified": nil}, "alice@acme.example", nil, ""},
		"no address at all": {resources.ClaimMap{}, without, map[string]any{"email": nil}, "", nil, ""},
		"an endless one":    {resources.ClaimMap{}, map[string]any{"email": strings.Repeat("x", 1025)}, map[string]any{"email": "a\r\nb"}, "", nil, ""},
	} {
		w.a.conn.Claims = c.mapping
		w.a.Set(issuer.Faults{Token: issuer.Lie{Claims: c.token}, UserInfo: c.info})
		a, err := w.signIn(t, w.a)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if a.Email != c.email || a.ExternalID != c.external || cmp.Diff(c.verified, a.Verified) != "" {
			t.Errorf("%s: %q, verified %v, externalId %q", name, a.Email, a.Verified, a.ExternalID)
		}
		if a.DisplayName != "Alice Smith" {
			t.Errorf("%s: the name is %q", name, a.DisplayName)
		}
	}
}

// A token with everything in it is read; as a hint for signing out it is too long,
// and no session has to keep it.
func TestLongToken(t *testing.T) {
	w := open(t, "")
	for size, kept := range map[int]bool{1000: true, 40_000: false} {
		w.a.Set(issuer.Faults{Token: issuer.Lie{Claims: map[string]any{"groups": strings.Repeat("x", size)}}})
		if a, err := w.signIn(t, w.a); err != nil || (a.IDToken != "") != kept {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
	w.a.Set(issuer.Faults{Token: issuer.Lie{Claims: map[string]any{"groups": strings.Repeat("x", 70_000)}}})
	_, err := w.signIn(t, w.a)
	refused(t, err, oidc.CheckForm)
}

// UserInfo must be that of the same person.
func TestUserInfo(t *testing.T) {
	w := open(t, "")
	for name, info := range map[string]map[string]any{
		"another subject": {"sub": "bob"}, "no subject": {"sub": nil}, "empty subject": {"sub": ""},
	} {
		w.a.Set(issuer.Faults{Token: issuer.Lie{Claims: map[string]any{"email": nil}}, UserInfo: info})
		a, err := w.signIn(t, w.a)
		if a != nil {
			t.Error(name, "is let through")
		}
		refused(t, err, oidc.CheckUserInfo)
	}
}

// TestTenant: security O1. A token of Entra ID is of the tenant that the issuer is
// of.
func TestTenant(t *testing.T) {
	const tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47"
	w := open(t, "", func(c *issuer.Config) {
		c.URL = strings.TrimSuffix(c.URL, "/a") + "/" + tenant + "/v2.0"
	})
	for name, c := range map[string]struct {
		tid any
		ok  bool
	}{
		"its own": {tenant, true}, "in capitals": {strings.ToUpper(tenant), true}, "none": {nil, true},
		"another": {"9188040d-6c67-4c5b-b112-36a304b66dad", false},
	} {
		w.a.Set(issuer.Faults{Token: issuer.Lie{Claims: map[string]any{"tid": c.tid}}})
		if _, err := w.signIn(t, w.a); c.ok && err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !c.ok {
			refused(t, err, oidc.CheckTenant)
		}
	}
}
