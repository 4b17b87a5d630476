package scim_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim"
	"github.com/usher-scim/usher/scim/schema"
)

// OKT-18: what an organization can give its users is listed as a resource type
// that can be read like any other, and not written.
func TestLicences(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		h.subscribe("meetings", 2)
		for _, name := range []string{"a", "b", "c"} {
			h.ask("POST", "/Users", userBody(name+"@acme.example", `,"`+licenceURN+`":{"licenses":["meetings"]}`)).want(201)
		}
		r := h.ask("GET", "/Licenses/MEETINGS", "").want(200)
		r.holds(`{"sku":"meetings","paid":true,"package":true,"seatsTotal":2,"seatsUsed":2,"seatsReserved":0,"seatsFree":0,"seatsWaiting":1}`, schema.LicenceURN)
		r.holds(`"meetings"`, "id")
		r.holds(`"Meetings"`, "displayName")
		r.holds(`"License"`, "type")
		r.holds(`["`+schema.EntitlementURN+`","`+schema.LicenceURN+`"]`, "schemas")
		r.holds(`{"resourceType":"License","location":"`+publicURL+`/orgs/acme/scim/v2/Licenses/meetings","version":`+quote(r.Header().Get("ETag"))+`}`, "meta")
		free := h.ask("GET", "/Licenses/basic", "").want(200)
		if free.at(schema.LicenceURN, "seatsTotal") != nil || free.at(schema.LicenceURN, "seatsFree") != nil || free.at(schema.LicenceURN, "seatsUsed") == nil {
			t.Errorf("a free licence has no bound: %s", free.Body)
		}
		tag := r.Header().Get("ETag")
		if h.ask("GET", "/Licenses/meetings", "", "If-None-Match", tag).Code != 304 || h.ask("GET", "/Licenses/meetings", "", "If-Match", `W/"x"`).Code != 412 {
			t.Error("conditions are not looked at")
		}
		h.ask("POST", "/Users", userBody("d@acme.example", `,"`+licenceURN+`":{"licenses":["meetings"]}`)).want(201)
		if h.ask("GET", "/Licenses/meetings", "", "If-None-Match", tag).want(200).num(schema.LicenceURN, "seatsWaiting") != 2 {
			t.Error("who waits is not counted")
		}

		for _, c := range []struct {
			filter string
			want   []string
		}{
			{`sku eq "Meetings"`, []string{"meetings"}},
			{`id eq "meetings"`, []string{"meetings"}},
			{`seatsFree eq 0`, []string{"meetings"}},
			{schema.LicenceURN + `:paid eq false`, []string{"basic"}},
			{`displayName sw "m" or type ne "License"`, []string{"meetings"}},
			{`meta.resourceType eq "License" and seatsWaiting gt 0`, []string{"meetings"}},
			{`meta.lastModified gt "2020-01-01T00:00:00Z" or meta.created pr`, nil},
			{`not (package eq true)`, []string{"basic"}},
		} {
			var got []string
			list := h.ask("GET", "/Licenses?"+filterOf(c.filter), "").want(200)
			for i := range list.list("Resources") {
				got = append(got, list.str("Resources", i, "id"))
			}
			if !slices.Equal(got, c.want) || list.num("totalResults") != len(c.want) {
				t.Errorf("%s: %v, want %v", c.filter, got, c.want)
			}
		}
		h.ask("GET", "/Licenses?"+filterOf(`userName eq "x"`), "").fails(400, "invalidFilter")
	})
}

// Lists of licences are paged, sorted and projected like others; nothing can be
// written, and a search over everything leaves them out.
func TestLicenceLists(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	h.subscribe("suite", 1)
	h.subscribe("host", 1)
	names := func(r reply) string {
		var out []string
		for i := range r.list("Resources") {
			out = append(out, r.str("Resources", i, "id"))
		}
		return strings.Join(out, " ")
	}
	for query, want := range map[string]string{
		"": "basic host suite", "startIndex=2&count=1": "host", "count=0": "", "startIndex=9": "",
		"sortBy=displayName&sortOrder=descending": "suite host basic", "sortBy=seatsTotal": "host suite basic", "sortBy=id": "basic host suite",
	} {
		r := h.ask("GET", "/Licenses?"+query, "").want(200)
		if got := names(r); got != want || r.num("totalResults") != 3 {
			t.Errorf("%s: %q of %d, want %q", query, got, r.num("totalResults"), want)
		}
	}
	r := h.ask("POST", "/Licenses/.search", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"attributes":["displayName","sku"],"filter":"id eq \"suite\""}`).want(200)
	r.holds(`{"schemas":["`+schema.EntitlementURN+`","`+schema.LicenceURN+`"],"id":"suite","displayName":"Suite","`+schema.LicenceURN+`":{"sku":"suite"}}`, "Resources", 0)

	var walked []string
	at := h.ask("GET", "/Licenses?count=2&cursor", "").want(200)
	walked = append(walked, names(at))
	at = h.ask("GET", "/Licenses?count=2&cursor="+at.str("nextCursor"), "").want(200)
	walked = append(walked, names(at))
	if at.at("nextCursor") != nil || !slices.Equal(walked, []string{"basic host", "suite"}) {
		t.Errorf("walked %q, %s", walked, at.Body)
	}
	if back := h.ask("GET", "/Licenses?count=2&cursor="+at.str("previousCursor"), "").want(200); names(back) != "basic host" || back.at("previousCursor") != nil || back.at("nextCursor") == nil {
		t.Errorf("back: %s", back.Body)
	}
	h.ask("GET", "/Licenses?count=1&cursor="+at.str("previousCursor"), "").fails(400, "invalidCount")

	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
		path := "/Licenses/suite"
		if method == "POST" {
			path = "/Licenses"
		}
		if r := h.ask(method, path, `{}`).fails(405, ""); r.Header().Get("Allow") != "GET, HEAD, OPTIONS" {
			t.Errorf("%s: Allow %q", method, r.Header().Get("Allow"))
		}
	}
	bulk := h.ask("POST", "/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[{"method":"DELETE","path":"/Licenses/suite"},{"method":"POST","bulkId":"a","path":"/Licenses","data":{}}]}`).want(200)
	for i := range 2 {
		if got := bulk.str("Operations", i, "status"); got != "405" {
			t.Errorf("operation %d: %s", i, got)
		}
	}
	h.ask("GET", "/Licenses/nothing", "").fails(404, "")
	h.user("everything@acme.example")
	if n := h.ask("GET", "/?"+filterOf(`id pr`), "").want(200).num("totalResults"); n != 1 {
		t.Errorf("a search over everything finds %d", n)
	}
	h.ask("GET", "/?"+filterOf(`sku pr`), "").fails(400, "invalidFilter")
	reader := h.newToken("acme", resources.TokenSpec{Scopes: []resources.Scope{resources.ScopeSCIMRead}})
	h.askAs(reader, "GET", "/orgs/acme/scim/v2/Licenses", "").want(200)
	groups := h.newToken("acme", resources.TokenSpec{Scopes: []resources.Scope{resources.ScopeGroups}})
	h.askAs(groups, "GET", "/orgs/acme/scim/v2/Licenses", "").fails(403, "")
	if r := h.ask("HEAD", "/Licenses/suite", "").want(200); r.Header().Get("ETag") == "" || r.Body.Len() > 0 {
		t.Error("HEAD")
	}
}

// domain.md §5.3: a group's licences make its template, and how far its members
// have them is counted when it is asked for.
func TestLicencesOfGroups(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		h.subscribe("host", 1)
		a, b := h.user("a@acme.example"), h.user("b@acme.example")
		r := h.ask("POST", "/Groups", `{"schemas":["`+groupURN+`"],"displayName":"Hosts","members":`+memberList(a, b)+`,"`+teamURN+`":{"licenses":["HOST"]}}`).want(201)
		id := r.str("id")
		r.holds(`["HOST"]`, teamURN, "licenses")
		if r.str(teamURN, "templateId") == "" || r.at(teamURN, "memberCount") != nil {
			t.Errorf("group %s", r.Body)
		}
		r = h.ask("GET", "/Groups/"+id+"?attributes=displayName,"+teamURN+":memberCount,errorCount,"+teamURN+":licenses", "").want(200)
		r.holds(`{"licenses":["HOST"],"memberCount":2,"errorCount":2}`, teamURN)
		list := h.ask("GET", "/Groups?attributes=assignedCount&"+filterOf(`licenses eq "host" and templateId pr`), "").want(200)
		list.holds(`{"assignedCount":0}`, "Resources", 0, teamURN)
		before := h.ask("GET", "/Groups/"+id, "").want(200)
		if echo := h.ask("PUT", "/Groups/"+id, before.Body.String()).want(200); echo.Body.String() != before.Body.String() {
			t.Errorf("a PUT of what was shown changes it:\n%s\n%s", before.Body, echo.Body)
		}
		h.ask("PATCH", "/Groups/"+id, ops(`{"op":"replace","path":"`+teamURN+`:licenses","value":["nope"]}`)).fails(400, "invalidValue")
		r = h.ask("PATCH", "/Groups/"+id, ops(`{"op":"remove","path":"`+teamURN+`:licenses"}`)).want(200)
		r.holds(`null`, teamURN, "licenses")
	})
}

// domain.md §4.13, §5.6: what cannot be given is an issue; on a strict
// connection it refuses the request, and never as a conflict of identities.
func TestStrictConnections(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	h.subscribe("meetings", 1)
	h.subscribe("webinars", 1)
	h.subscribe("voice", 1)
	strict := h.newToken("acme", resources.TokenSpec{Strict: true})
	ask := func(token, name, block string) reply {
		t.Helper()
		return h.askAs(token, "POST", "/orgs/acme/scim/v2/Users", userBody(name+"@acme.example", `,"`+licenceURN+`":{`+block+`}`))
	}
	ask(strict, "first", `"licenses":["meetings"]`).want(201).holds(`"assigned"`, licenceURN, "effective", 0, "status")
	r := ask(h.token["acme"], "second", `"licenses":["meetings"]`).want(201)
	r.holds(`"no_seats_available"`, licenceURN, "effective", 0, "issue")
	r.holds(`"no_seats_available"`, lifecycleURN, "issues", 0, "code")
	for block, want := range map[string]struct {
		status         int
		scimType, code string
	}{
		`"licenses":["meetings"]`:             {403, "", "no_seats_available"},
		`"licenses":["webinars"]`:             {400, "invalidValue", "licence_prerequisite"},
		`"licenses":["voice"]`:                {400, "invalidValue", "location_required"},
		`"package":"suite"`:                   {201, "", ""}, // what is not subscribed to is always an issue
		`"licenses":["basic"],"package":"no"`: {400, "invalidValue", "sku_unknown"},
	} {
		r := ask(strict, "third"+want.code, block)
		if want.status == 201 {
			r.want(201).holds(`"package_not_subscribed"`, lifecycleURN, "issues", 0, "code")
			continue
		}
		r.fails(want.status, want.scimType)
		if r.Header().Get("Usher-Error-Code") != want.code || !strings.HasPrefix(r.str("detail"), want.code+": ") {
			t.Errorf("%s: %s", block, r.Body)
		}
	}
	if r := ask(h.token["acme"], "fourth", `"licenses":["nope"]`).fails(400, "invalidValue"); !strings.Contains(r.str("detail"), "meetings") {
		t.Errorf("an unknown licence must be answered with those there are: %s", r.Body)
	}
	team := func(name string) string {
		return `{"schemas":["` + groupURN + `"],"displayName":"` + name + `","` + teamURN + `":{"licenses":["calling","voice"]}}`
	}
	h.ask("POST", "/Groups", team("both")).want(201).holds(`["calling","voice"]`, teamURN, "licenses")
	if r := h.askAs(strict, "POST", "/orgs/acme/scim/v2/Groups", team("none")).fails(400, "invalidValue"); r.Header().Get("Usher-Error-Code") != "licence_conflict" {
		t.Errorf("of a group: %s", r.Body)
	}
}

// domain.md §5.5: entitlements are stored as sent, and ask for licences where
// the connection says so.
func TestEntitlementsAsk(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		h.subscribe("meetings", 5)
		asking := h.newToken("acme", resources.TokenSpec{Asks: true})
		const sent = `[{"value":" Meetings ","display":"M","type":"License"},{"value":"something else"}]`
		for token, want := range map[string]string{asking: `"assigned"`, h.token["acme"]: `null`} {
			r := h.askAs(token, "POST", "/orgs/acme/scim/v2/Users", userBody(token[len(token)-9:]+"@acme.example", `,"entitlements":`+sent)).want(201)
			r.holds(sent, "entitlements")
			r.holds(want, licenceURN, "effective", 0, "status")
			r.holds(`null`, licenceURN, "licenses")
			echo := h.askAs(token, "PUT", "/orgs/acme/scim/v2/Users/"+r.str("id"), r.Body.String()).want(200)
			if echo.Body.String() != r.Body.String() {
				t.Errorf("a PUT of what was shown changes it:\n%s\n%s", r.Body, echo.Body)
			}
			if got := h.ids("/Users", `id eq "`+r.str("id")+`" and entitlements eq " meetings "`); len(got) != 1 {
				t.Errorf("found %v", got)
			}
			gone := h.askAs(token, "PATCH", "/orgs/acme/scim/v2/Users/"+r.str("id"), ops(`{"op":"remove","path":"entitlements"}`)).want(200)
			gone.holds(`null`, "entitlements")
			gone.holds(`null`, licenceURN, "effective")
		}
	})
}
