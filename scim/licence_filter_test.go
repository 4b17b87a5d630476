package scim_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-scim/usher/resources"
)

const (
	licenceURN   = resources.LicenceUserURN
	lifecycleURN = resources.LifecycleURN
	callingURN   = resources.CallingURN
	ownerURN     = resources.OrganizationURN
	teamURN      = resources.LicenceGroupURN
)

// subscribe gives acme seats of a product.
func (h *house) subscribe(sku string, units int) {
	h.t.Helper()
	ctx := context.Background()
	c, err := h.dir.Operate(ctx, h.admin, "acme")
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.dir.CreateSubscription(ctx, c, resources.Subscription{SKU: sku, Model: resources.ModelSeats, Units: units}); err != nil {
		h.t.Fatal(err)
	}
}

// places gives acme a location with numbers, so that people there can call.
func (h *house) places() {
	h.t.Helper()
	ctx := context.Background()
	c, err := h.dir.Operate(ctx, h.admin, "acme")
	if err != nil {
		h.t.Fatal(err)
	}
	paris, err := h.dir.PutLocation(ctx, c, resources.Location{Name: "Paris", Country: "FR"})
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.dir.AddNumbers(ctx, c, paris.ID, []string{"+33123456789", "+33123456790"}, false); err != nil {
		h.t.Fatal(err)
	}
}

// populate makes users of many kinds: with licences given, refused and wished for
// in all spellings, active and not, with and without addresses, and groups.
func (h *house) populate() {
	h.t.Helper()
	h.subscribe("calling", 4)
	h.subscribe("host", 100)
	h.places()
	wishes := []string{
		``, `"licenses":["calling"]`, `"licenses":["CALLING","basic"]`, `"licenses":[" Host "]`, `"licenses":["host","webinars"],"package":"calling"`,
		`"package":"meetings"`, `"licenses":["webinars"]`, `"licenses":["basic"]`, `"package":"Calling"`,
	}
	calls := []string{
		``, `"location":"Paris"`, `"location":" Paris ","extension":"4711"`, `"phoneNumber":"+33 1 23 45 67 89"`, `"phoneNumber":"+33123456789","extension":"X 1"`,
		`"location":"PARIS – Nord"`,
	}
	var ids []string
	for i := range 45 {
		body := fmt.Sprintf(`,"active":%v,"displayName":"D%d"`, i%4 != 0, i)
		if i%3 > 0 {
			body += fmt.Sprintf(`,"emails":[{"value":"p%d@acme.example"}]`, i)
		}
		if w := wishes[i%len(wishes)]; w != "" {
			body += `,"` + licenceURN + `":{` + w + `}`
		}
		if w := calls[i%len(calls)]; w != "" {
			body += `,"` + callingURN + `":{` + w + `}`
		}
		if i%7 == 0 {
			body += `,"` + lifecycleURN + `":{"suppressActivationEmail":true}`
		}
		ids = append(ids, h.ask("POST", "/Users", userBody(fmt.Sprintf("pop%02d", i), body)).want(201).str("id"))
	}
	for i := range 6 {
		h.group(fmt.Sprintf("Plain %d", i), ids[i*3], ids[i*3+1])
		h.ask("POST", "/Groups", `{"schemas":["`+groupURN+`"],"displayName":"Team `+itoa(i)+`","`+teamURN+`":{"licenses":["`+[]string{"host", "Basic"}[i%2]+`"]}}`).want(201)
	}
	for _, id := range ids[:10] { // once more, as changed
		h.ask("PATCH", "/Users/"+id, ops(`{"op":"replace","path":"title","value":"T"}`)).want(200)
	}
	h.ask("PATCH", "/Users/"+ids[11], ops(`{"op":"remove","path":"`+licenceURN+`:licenses"}`)).want(200)
}

// ids lists what a filter finds, in the order of the answer.
func (h *house) ids(path, filter string) []string {
	h.t.Helper()
	r := h.ask("GET", path+"?count=200&"+filterOf(filter), "").want(200)
	out := make([]string, 0, r.num("totalResults"))
	for i := range r.list("Resources") {
		out = append(out, r.str("Resources", i, "id"))
	}
	if len(out) != r.num("totalResults") {
		h.t.Fatalf("%s: totalResults %d, %d shown", filter, r.num("totalResults"), len(out))
	}
	return out
}

// asked are attributes with values that some users have, in several spellings,
// and that nobody has.
func asked() map[string][]string {
	return map[string][]string{
		licenceURN + ":licenses":              {"calling", "Calling", "HOST", "host ", " Host ", "basic", "webinars", "nope", "c"},
		"licenses":                            {"calling", "host"},
		licenceURN + ":package":               {"calling", "MEETINGS", "suite"},
		licenceURN + ":licensingOrigin":       {"automatic", "Explicit", "auto", "e"},
		licenceURN + ":tier":                  {"licensed", "basic", "Unlicensed", "un", "l"},
		licenceURN + ":effective.value":       {"calling", "Basic", "host", "webinars"},
		licenceURN + ":effective":             {"calling", "host"},
		licenceURN + ":effective.display":     {"Calling", "meetings host"},
		licenceURN + ":effective.source":      {"scim", "group", "direct"},
		licenceURN + ":effective.status":      {"assigned", "ERROR", "reserved"},
		licenceURN + ":effective.issue":       {"no_seats_available", "package_not_subscribed", "licence_prerequisite"},
		lifecycleURN + ":state":               {"inactive", "not_verified", "Active", "in", "not"},
		"state":                               {"inactive", "not_verified"},
		lifecycleURN + ":issues.code":         {"missing_email", "no_seats_available", "package_not_subscribed", "missing"},
		lifecycleURN + ":issues.attribute":    {"emails", "licenses"},
		callingURN + ":location":              {"Paris", "paris", " Paris ", "PARIS – nord", "Par"},
		callingURN + ":phoneNumber":           {"+33123456789", "+33 1 23 45 67 89", "+33"},
		callingURN + ":extension":             {"4711", "x 1", "X"},
		callingURN + ":callingStatus":         {"none", "pending", "error", "assigned"},
		callingURN + ":effectiveLocation":     {"Paris"},
		callingURN + ":effectivePhoneNumber":  {"+33123456789"},
		callingURN + ":effectiveExtension":    {"4711"},
		ownerURN + ":provisionSource":         {"SCIM", "scim", "API", "s", "csv"},
		ownerURN + ":organizationName":        {"acme", "ACME", "rival", "ac"},
		ownerURN + ":domainStatus":            {"none", "verified"},
		ownerURN + ":siteUrl":                 {"https://acme.example"},
		licenceURN + ":effective.sourceRef":   {"package", "x"},
		"displayName":                         {"D1", "d"},
		enterpriseURN + ":department":         {"x"},
		lifecycleURN + ":activationMethod":    {"sso"},
		ownerURN + ":organizationId":          {"0"},
		lifecycleURN + ":issues.detail":       {"seat", "x"},
		licenceURN + ":effective[value eq *]": {"calling", "host"},
	}
}

// comparisonOf draws one comparison.
func comparisonOf(rt *rapid.T, all map[string][]string) string {
	paths := make([]string, 0, len(all))
	for p := range all {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	path := rapid.SampledFrom(paths).Draw(rt, "path")
	value := quote(rapid.SampledFrom(all[path]).Draw(rt, "value"))
	if strings.Contains(path, "*") {
		more := rapid.SampledFrom([]string{"", ` and status eq "error"`, ` and status eq "assigned" and source eq "scim"`, ` or source eq "group"`}).Draw(rt, "more")
		return strings.Replace(path, "eq *]", "eq "+value+more+"]", 1)
	}
	op := rapid.SampledFrom([]string{"eq", "eq", "eq", "sw", "co", "ew", "ne", "pr", "gt", "le", "eq null", "ne null"}).Draw(rt, "op")
	switch op {
	case "pr", "eq null", "ne null":
		return path + " " + op
	}
	return path + " " + op + " " + value
}

// TestLicenceFilters compares what indexes answer with what a look at every
// record says: a filter inside not (not (…)) is answered by no index.
func TestLicenceFilters(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		h.populate()
		all := asked()
		compare := func(t interface {
			Errorf(string, ...any)
			Helper()
		}, path, filter string,
		) {
			t.Helper()
			indexed, scanned := h.ids(path, filter), h.ids(path, "not (not ("+filter+"))")
			if !slices.Equal(indexed, scanned) {
				t.Errorf("%s\nindexes find %d: %v\na look at all finds %d: %v", filter, len(indexed), indexed, len(scanned), scanned)
			}
		}
		found := 0
		for path, values := range all {
			for _, value := range values {
				for _, op := range []string{"eq", "sw", "co", "ne"} {
					if !strings.Contains(path, "*") {
						compare(t, "/Users", path+" "+op+" "+quote(value))
						found += len(h.ids("/Users", path+" "+op+" "+quote(value)))
					}
				}
			}
		}
		if found == 0 {
			t.Error("nobody was ever found")
		}
		for _, filter := range []string{ // each index has somebody
			`licenses eq "calling"`, licenceURN + `:package eq "meetings"`, licenceURN + `:licensingOrigin eq "explicit"`, licenceURN + `:tier eq "licensed"`,
			licenceURN + `:effective.value eq "calling"`, licenceURN + `:effective.status eq "assigned"`, licenceURN + `:effective.issue eq "package_not_subscribed"`,
			licenceURN + `:effective.source eq "scim"`, `state eq "inactive"`, lifecycleURN + `:issues.code eq "missing_email"`,
			callingURN + `:effectiveLocation eq "paris"`, callingURN + `:effectivePhoneNumber eq "+33123456789"`, callingURN + `:callingStatus eq "assigned"`,
		} {
			if len(h.ids("/Users", filter)) == 0 {
				t.Errorf("%s finds nobody", filter)
			}
		}
		for _, filter := range []string{
			callingURN + `:temporaryExtension eq true`, callingURN + `:temporaryExtension eq false`, callingURN + `:temporaryExtension ne true`,
			lifecycleURN + `:invitePending eq true`, lifecycleURN + `:emailVerified eq false`, lifecycleURN + `:suppressActivationEmail eq true`,
		} {
			compare(t, "/Users", filter)
		}
		for _, filter := range []string{`licenses eq "host"`, `licenses eq "BASIC"`, teamURN + `:licenses sw "h"`, `templateId pr`, `licenses eq "calling"`} {
			compare(t, "/Groups", filter)
		}
		rapid.Check(t, func(rt *rapid.T) {
			filter := comparisonOf(rt, all)
			for range rapid.IntRange(0, 2).Draw(rt, "more") {
				filter += rapid.SampledFrom([]string{" and ", " or ", " and not (title pr) and "}).Draw(rt, "join") + comparisonOf(rt, all)
			}
			compare(rt, "/Users", filter)
		})
	})
}
