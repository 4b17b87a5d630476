package resources_test

import (
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
)

// TestUnclaimable: what no organization can have, each with its reason
// (security E4).
func TestUnclaimable(t *testing.T) {
	for text, want := range map[string]struct {
		code resources.Code
		why  string
	}{
		"gmail.com":                {resources.CodePublicDomain, "provider"},
		"ＧＭＡＩＬ.com":                {resources.CodePublicDomain, "provider"},
		"yahoo.co.jp":              {resources.CodePublicDomain, "provider"},
		"outlook.com":              {resources.CodePublicDomain, "provider"},
		"eur.outlook.com":          {resources.CodePublicDomain, "provider"},
		"onmicrosoft.com":          {resources.CodePublicDomain, "provider"},
		"Contoso.OnMicrosoft.com.": {resources.CodePublicDomain, "provider"},
		"a.mail.onmicrosoft.com":   {resources.CodePublicDomain, "provider"},
		"co.uk":                    {resources.CodePublicDomain, "public suffix"},
		"github.io":                {resources.CodePublicDomain, "public suffix"},
		"herokuapp.com":            {resources.CodePublicDomain, "public suffix"},
		"foo.ck":                   {resources.CodePublicDomain, "public suffix"},
		"com":                      {resources.CodeDomainInvalid, "not below a public suffix"},
		"acme":                     {resources.CodeDomainInvalid, "not below a public suffix"},
		"localhost":                {resources.CodeDomainInvalid, "this machine"},
		"LOCALHOST.":               {resources.CodeDomainInvalid, "this machine"},
		"mail.localhost":           {resources.CodeDomainInvalid, "this machine"},
		"192.0.2.1":                {resources.CodeDomainInvalid, "IP address"},
		"0xc0000201":               {resources.CodeDomainInvalid, "IP address"},
		"1.2.3.0x4":                {resources.CodeDomainInvalid, "IP address"},
		"3221225985":               {resources.CodeDomainInvalid, "IP address"},
		"2001:db8::1":              {resources.CodeDomainInvalid, "IP address"},
		"[192.0.2.1]":              {resources.CodeDomainInvalid, "IP address"},
		"":                         {resources.CodeDomainInvalid, "missing"},
		" ":                        {resources.CodeDomainInvalid, "missing"},
		"https://acme.example/":    {resources.CodeDomainInvalid, "the domain alone"},
		"ida@acme.example":         {resources.CodeDomainInvalid, "behind the @"},
		"*.acme.example":           {resources.CodeDomainInvalid, "wildcard"},
		"acme..example":            {resources.CodeDomainInvalid, "not a domain"},
		".acme.example":            {resources.CodeDomainInvalid, "not a domain"},
		"-acme.example":            {resources.CodeDomainInvalid, "not a domain"},
		"ac me.example":            {resources.CodeDomainInvalid, "not a domain"},
		"_dmarc.acme.example":      {resources.CodeDomainInvalid, "not a domain"},
		"acme\x00.example":         {resources.CodeDomainInvalid, "not a domain"},
		"\xff.example":             {resources.CodeDomainInvalid, "not a domain"},
		"in-addr.arpa":             {resources.CodeDomainInvalid, "no mailboxes"},
		"abcdef.onion":             {resources.CodeDomainInvalid, "no mailboxes"},

		strings.Repeat("a", 64) + ".example":       {resources.CodeDomainInvalid, "not a domain"},
		strings.Repeat("a.", 120) + "example":      {resources.CodeDomainInvalid, "too long"},
		strings.Repeat("a", 100_000) + ".example.": {resources.CodeDomainInvalid, "not a domain"},
	} {
		got, err := resources.DomainName(text)
		fails(t, err, want.code, "name")
		if got != "" || err == nil || !strings.Contains(err.Error(), want.why) || len(err.Error()) > 400 {
			t.Errorf("%.60q: %q, %v; want %q", text, got, err, want.why)
		}
	}
}

// TestClaimable: what can be had, in the form that addresses have (security E1).
func TestClaimable(t *testing.T) {
	for text, want := range map[string]string{
		"acme.example":          "acme.example",
		" Acme.Example. ":       "acme.example",
		"bücher.example":        "xn--bcher-kva.example",
		"xn--bcher-kva.example": "xn--bcher-kva.example",
		"acme.github.io":        "acme.github.io", // a name of one's own below a public suffix
		"acme.co.uk":            "acme.co.uk",
		"mail.acme.co.uk":       "mail.acme.co.uk",
		"notgmail.com":          "notgmail.com",
		"gmail.com.example":     "gmail.com.example",
		"myonmicrosoft.com":     "myonmicrosoft.com",
		"corp.internal":         "corp.internal",
		strings.Repeat("a.", 112) + "example.org": strings.Repeat("a.", 112) + "example.org",
	} {
		got, err := resources.DomainName(text)
		if err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
			continue
		}
		if key, ok := resources.EmailKey("ida@" + strings.TrimSpace(text)); !ok || key != "ida@"+got {
			t.Errorf("%q: addresses are at %q, the domain is %q", text, key, got)
		}
	}
}

// TestPublicDomains: the list is as it has to be: large, without doubles of what is
// a suffix anyway, each in the form domains are compared in.
func TestPublicDomains(t *testing.T) {
	list := resources.PublicDomains()
	if len(list) < 150 {
		t.Errorf("%d domains", len(list))
	}
	for name := range list {
		_, err := resources.DomainName(name)
		fails(t, err, resources.CodePublicDomain, "name")
		if key, ok := resources.EmailKey("x@" + name); !ok || key != "x@"+name {
			t.Errorf("%q is not in the form of a domain: %q", name, key)
		}
		if strings.Contains(err.Error(), "suffix") {
			t.Errorf("%s is a public suffix and needs no line", name)
		}
	}
}

// FuzzDomainName: what is taken is one form, that of addresses, and stays it.
func FuzzDomainName(f *testing.F) {
	for _, seed := range []string{"acme.example", "ACME.example.", "bücher.example", "gmail.com", "1.2.3.4", "a..b", "xn--a.example", "\u212aacme.example", "a\u200db.example", "0x7f.1", "ß.example"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name, err := resources.DomainName(text)
		if err != nil {
			if name != "" || !resources.HasCode(err, resources.CodeDomainInvalid) && !resources.HasCode(err, resources.CodePublicDomain) {
				t.Fatalf("%q, %v", name, err)
			}
			return
		}
		again, err := resources.DomainName(name)
		if err != nil || again != name {
			t.Fatalf("%q becomes %q and then %q, %v", text, name, again, err)
		}
		if key, ok := resources.EmailKey("x@" + name); !ok || key != "x@"+name {
			t.Fatalf("%q: addresses are at %q", name, key)
		}
		if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" || len(name) > 236 {
			t.Fatalf("%q is no name of a host", name)
		}
	})
}

// TestVerifies: exactly the domain of an address, and only one that is verified
// (security E3, E6).
func TestVerifies(t *testing.T) {
	domains := []resources.Domain{
		{Name: "acme.example", State: resources.DomainVerified},
		{Name: "weak.example", State: resources.DomainVerified, Missing: time.Now()},
		{Name: "lost.example", State: resources.DomainLost},
		{Name: "new.example", State: resources.DomainPending},
	}
	for key, want := range map[string]bool{
		"ida@acme.example": true, "ida@weak.example": true, "ida@lost.example": false, "ida@new.example": false,
		"ida@dev.acme.example": false, "ida@notacme.example": false, "ida@example": false, "": false, "acme.example": false, "@": false, "ida@acme.example.evil": false,
	} {
		if got := resources.Verifies(domains, key); got != want {
			t.Errorf("%q: %v", key, got)
		}
	}
	if resources.Verifies(nil, "ida@acme.example") {
		t.Error("verified by no domain")
	}
}
