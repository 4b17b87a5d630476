package scim_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim"
)

// change makes acme's settings others; they are seen at once on this node.
func (h *house) siteURL(url string) {
	h.t.Helper()
	ctx := context.Background()
	c, err := h.dir.Operate(ctx, h.admin, "acme")
	if err != nil {
		h.t.Fatal(err)
	}
	if _, _, err := h.dir.ChangeSettings(ctx, c, func(s *resources.Settings, _ uint64) error { s.SiteURL = url; return nil }); err != nil {
		h.t.Fatal(err)
	}
}

// domain.md §5.2 … §5.5: what usher decided stands in the extensions, what
// clients say of it is ignored, and what they wrote comes back as it was.
func TestExtensionsOfUsers(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		h.subscribe("calling", 1)
		wish := `"licenses":["Calling"," host "],"package":"CALLING"`
		r := h.ask("POST", "/Users", userBody("ext@acme.example", `,"`+licenceURN+`":{`+wish+`,"tier":"licensed","effective":[{"value":"suite"}]}`,
			`,"`+lifecycleURN+`":{"state":"active","suppressActivationEmail":true}`, `,"`+ownerURN+`":{"organizationName":"Evil","provisionSource":"API"}`,
			`,"`+callingURN+`":{"location":"Nowhere","extension":"12"}`)).want(201)
		id := r.str("id")
		r.holds(`["Calling"," host "]`, licenceURN, "licenses")
		r.holds(`"CALLING"`, licenceURN, "package")
		r.holds(`"explicit"`, licenceURN, "licensingOrigin")
		r.holds(`"not_verified"`, lifecycleURN, "state")
		r.holds(`true`, lifecycleURN, "suppressActivationEmail")
		r.holds(`"acme"`, ownerURN, "organizationName")
		r.holds(`"SCIM"`, ownerURN, "provisionSource")
		r.holds(`"none"`, ownerURN, "domainStatus")
		r.holds(`"Nowhere"`, callingURN, "location")
		codes := map[string]bool{}
		for i := range r.list(lifecycleURN, "issues") {
			codes[r.str(lifecycleURN, "issues", i, "code")] = true
		}
		if !codes["package_not_subscribed"] {
			t.Errorf("issues %s", r.Body)
		}
		if got := len(r.list("schemas")); got != 5 {
			t.Errorf("schemas %v", r.list("schemas"))
		}

		before, stored := r.Body.String(), h.profile("/Users/"+id)
		echo := h.ask("PUT", "/Users/"+id, before).want(200)
		if echo.Body.String() != before || h.profile("/Users/"+id) != stored {
			t.Errorf("a PUT of what was shown changes it:\n%s\n%s", before, echo.Body)
		}
		if again := h.ask("GET", "/Users/"+id, "", "If-None-Match", r.Header().Get("ETag")); again.Code != 304 {
			t.Errorf("If-None-Match: %d", again.Code)
		}

		// R-86, L-22: a block that is left out stays, one that is there replaces.
		r = h.ask("PUT", "/Users/"+id, userBody("ext@acme.example")).want(200)
		r.holds(`["Calling"," host "]`, licenceURN, "licenses")
		r.holds(`true`, lifecycleURN, "suppressActivationEmail")
		r = h.ask("PUT", "/Users/"+id, userBody("ext@acme.example", `,"`+licenceURN+`":{"tier":"basic"}`)).want(200)
		r.holds(`null`, licenceURN, "licenses")
		r = h.ask("PUT", "/Users/"+id, userBody("ext@acme.example", `,"`+lifecycleURN+`":null`)).want(200)
		r.holds(`null`, lifecycleURN, "suppressActivationEmail")
		r.holds(`"not_verified"`, lifecycleURN, "state")
		h.ask("PUT", "/Users/"+id, userBody("ext@acme.example", `,"`+licenceURN+`":{"licenses":["nope"]}`)).fails(400, "invalidValue")
	})
}

// L-21: a PATCH of what only usher writes.
func TestPatchOfWhatUsherWrites(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	r := h.ask("POST", "/Users", userBody("ro@acme.example", `,"`+licenceURN+`":{"licenses":["basic"]}`)).want(201)
	id, tag := r.str("id"), r.Header().Get("ETag")
	refused := func(op string) { t.Helper(); h.ask("PATCH", "/Users/"+id, ops(op)).fails(400, "mutability") }
	refused(`{"op":"replace","path":"` + lifecycleURN + `:state","value":"active"}`)
	refused(`{"op":"add","path":"` + licenceURN + `:effective","value":[{"value":"suite"}]}`)
	refused(`{"op":"remove","path":"` + licenceURN + `:effective[value eq \"basic\"]"}`)
	refused(`{"op":"replace","path":"` + ownerURN + `:organizationName","value":"x"}`)
	refused(`{"op":"remove","path":"` + ownerURN + `:provisionSource"}`)
	same := func(op string) {
		t.Helper()
		if got := h.ask("PATCH", "/Users/"+id, ops(op)).want(200); got.Header().Get("ETag") != tag || got.Body.String() != r.Body.String() {
			t.Errorf("%s changes something: %s", op, got.Body)
		}
	}
	same(`{"op":"replace","path":"` + lifecycleURN + `:state","value":"not_verified"}`)
	same(`{"op":"replace","path":"schemas","value":` + string(mustJSON(r.list("schemas"))) + `}`)
	same(`{"op":"replace","value":` + r.Body.String() + `}`)
	same(`{"op":"replace","path":"` + ownerURN + `","value":{"organizationName":"x"}}`)
	same(`{"op":"remove","path":"` + ownerURN + `"}`)
	got := h.ask("PATCH", "/Users/"+id, ops(`{"op":"remove","path":"`+licenceURN+`"}`)).want(200)
	got.holds(`null`, licenceURN, "licenses")
	got.holds(`"explicit"`, licenceURN, "licensingOrigin") // BR-163: a decision of the creation
	got = h.ask("PATCH", "/Users/"+id, ops(`{"op":"add","path":"licenses","value":"BASIC"}`, `{"op":"add","path":"`+callingURN+`:extension","value":"0099"}`)).want(200)
	got.holds(`["BASIC"]`, licenceURN, "licenses")
	got.holds(`"0099"`, callingURN, "extension")
}

// What the organization is, is shown with every user, follows a change at once,
// and is known to filters, projections and orders.
func TestOrganizationBlock(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	for _, name := range []string{"b", "a"} {
		h.user(name + "@acme.example")
	}
	r := h.ask("GET", "/Users?sortBy=userName", "").want(200)
	r.holds(`{"provisionSource":"SCIM","domainStatus":"none","organizationId":"`+r.str("Resources", 0, ownerURN, "organizationId")+`","organizationName":"acme"}`, "Resources", 0, ownerURN)
	name := `Acme "Süd" & Co`
	if _, err := h.dir.UpdateOrg(context.Background(), h.admin, "acme", resources.OrgChange{Name: &name}); err != nil {
		t.Fatal(err)
	}
	h.siteURL("https://meet.acme.example/x")
	r = h.ask("GET", "/Users?sortBy=userName&attributes="+ownerURN+":organizationName,"+ownerURN+":siteUrl", "").want(200)
	r.holds(`{"organizationName":`+quote(name)+`,"siteUrl":"https://meet.acme.example/x"}`, "Resources", 1, ownerURN)
	r = h.ask("GET", "/Users?excludedAttributes="+ownerURN, "").want(200)
	r.holds(`null`, "Resources", 0, ownerURN)
	for filter, want := range map[string]int{
		`organizationName eq ` + quote(strings.ToUpper(name)): 2, `organizationName eq "acme"`: 0, ownerURN + `:siteUrl sw "https://meet"`: 2,
		`organizationName ne "x" and userName sw "a"`: 1, `not (organizationName pr)`: 0, `domainStatus eq "none" or userName eq "nobody"`: 2,
	} {
		if got := len(h.ids("/Users", filter)); got != want {
			t.Errorf("%s: %d found, want %d", filter, got, want)
		}
	}
	for _, order := range []string{"organizationName", ownerURN + ":domainStatus&sortOrder=descending"} {
		if got := h.ask("GET", "/Users?sortBy="+order, "").want(200).num("totalResults"); got != 2 {
			t.Errorf("sortBy=%s: %d", order, got)
		}
	}
	h.ask("GET", "/Users?sortBy="+teamURN+":memberCount", "").fails(400, "invalidValue")
	h.ask("GET", "/Groups?sortBy="+teamURN+":memberCount", "").fails(400, "invalidValue")
}

// /Schemas and /ResourceTypes show what the organization can have, and tell
// whether that is news.
func TestDiscoveryOfLicences(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	canonical := func(urn, name string) []string {
		t.Helper()
		for _, a := range h.ask("GET", "/Schemas/"+urn, "").want(200).list("attributes") {
			if a := a.(map[string]any); a["name"] == name {
				var out []string
				list, _ := a["canonicalValues"].([]any)
				for _, v := range list {
					out = append(out, v.(string))
				}
				return out
			}
		}
		t.Fatalf("%s has no %s", urn, name)
		return nil
	}
	if all := canonical(licenceURN, "licenses"); !slices.Contains(all, "suite") || !slices.Contains(all, "basic") {
		t.Errorf("without subscriptions: %v", all)
	}
	first := h.ask("GET", "/Schemas", "").want(200)
	if first.Header().Get("ETag") == "" || h.ask("GET", "/Schemas", "", "If-None-Match", first.Header().Get("ETag")).Code != 304 {
		t.Error("the version of the schemas is not known")
	}
	h.subscribe("calling", 3)
	if got := canonical(licenceURN, "licenses"); !slices.Equal(got, []string{"basic", "calling"}) {
		t.Errorf("licenses: %v", got)
	}
	if got := canonical(licenceURN, "package"); !slices.Equal(got, []string{"calling"}) {
		t.Errorf("package: %v", got)
	}
	if got := canonical(teamURN, "licenses"); !slices.Equal(got, []string{"basic", "calling"}) {
		t.Errorf("of groups: %v", got)
	}
	if r := h.ask("GET", "/Schemas", "", "If-None-Match", first.Header().Get("ETag")); r.Code != 200 || r.Header().Get("ETag") == first.Header().Get("ETag") {
		t.Error("the schemas have changed, their version has not")
	}
	r := h.ask("GET", "/ResourceTypes/License", "").want(200)
	r.holds(`"/Licenses"`, "endpoint")
	r.holds(`"urn:okta:scim:schemas:core:1.0:Entitlement"`, "schema")
	if n := h.ask("GET", "/ResourceTypes", "").num("totalResults"); n != 3 {
		t.Errorf("%d resource types", n)
	}
	if got := h.askAs(h.token["rival"], "GET", "/orgs/rival/scim/v2/Schemas/"+licenceURN, ""); !strings.Contains(got.Body.String(), "suite") {
		t.Error("another organization sees what acme subscribes to")
	}
}
