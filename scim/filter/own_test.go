package filter

import (
	"strings"
	"testing"

	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/schema"
)

// What is asked of usher's extensions is answered by indexes where the values
// stand in one, and by looking at records where too many have the value.
func TestOwnAttributesAreIndexed(t *testing.T) {
	const licence, lifecycle, calling, owner = resources.LicenceUserURN, resources.LifecycleURN, resources.CallingURN, resources.OrganizationURN
	r, err := schema.NewRegistry(schema.Builtin(), map[string]resources.Kind{"User": resources.KindUser, "Group": resources.KindGroup})
	if err != nil {
		t.Fatal(err)
	}
	user, group := r.Type("User"), r.Type("Group")
	fixed := func(a *schema.Attr) string {
		return map[string]string{"organizationname": "Acme"}[a.Lower]
	}
	for text, want := range map[string]string{
		licence + `:licenses eq "Calling"`:                            "is ut; exact",
		`licenses eq "calling" and state eq "active"`:                 "and(is ut, is ut); exact",
		licence + `:package sw "c"`:                                   "prefix ut; exact",
		licence + `:licensingOrigin eq "explicit"`:                    "is ut; exact",
		licence + `:licensingOrigin eq "Automatic"`:                   "none; each record",
		licence + `:licensingOrigin sw "a"`:                           "none; each record",
		licence + `:tier eq "licensed"`:                               "is ut; exact",
		licence + `:tier eq "unlicensed"`:                             "none; each record",
		licence + `:effective eq "calling"`:                           "is ut; exact",
		licence + `:effective[value eq "x"]`:                          "is ut; exact",
		licence + `:effective[value eq "x" and status eq "error"]`:    "and(is ut, is ut); each record",
		lifecycle + `:issues.code eq "missing_email"`:                 "is ut; exact",
		lifecycle + `:issues[code eq "missing_email"]`:                "is ut; exact",
		lifecycle + `:issues.detail co "x"`:                           "none; each record",
		calling + `:location eq "Lyon"`:                               "is ut; exact",
		calling + `:location eq "Lyon 3"`:                             "is ut; each record",
		calling + `:callingStatus eq "none"`:                          "none; each record",
		calling + `:callingStatus eq "error"`:                         "is ut; exact",
		calling + `:temporaryExtension eq true`:                       "is ut; exact",
		calling + `:temporaryExtension eq false`:                      "none; each record",
		owner + `:provisionSource eq "API"`:                           "is ut; exact",
		owner + `:provisionSource eq "scim"`:                          "none; each record",
		owner + `:organizationName eq "acme"`:                         "in uc; exact",
		owner + `:organizationName eq "rival"`:                        "ids; exact",
		owner + `:organizationName co "cm" and licenses eq "calling"`: "and(in uc, is ut); exact",
		owner + `:siteUrl pr`:                                         "ids; exact",
		owner + `:domainStatus eq "verified"`:                         "none; each record",
		lifecycle + `:emailVerified eq true`:                          "none; each record",
	} {
		f, err := New().Parse(user, text, Options{Fixed: fixed})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got := f.Explain(); !strings.Contains(got, "; indexes: "+want) {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	if _, err := New().Parse(group, `memberCount gt 5`, Options{}); err == nil || !strings.Contains(err.Error(), "counted") {
		t.Errorf("what is counted on request: %v", err)
	}
}
