package scim_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/usher-scim/usher/resources"
)

func filterOf(f string) string { return "filter=" + url.QueryEscape(f) }

// names lists an attribute of every resource of a list.
func (r reply) names(attr string) []string {
	var out []string
	for i := range r.list("Resources") {
		out = append(out, r.str("Resources", i, attr))
	}
	return out
}

// R-57….
func TestPaging(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		empty := h.ask("GET", "/Users", "").want(200)
		if empty.Body.String() != `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":0,"startIndex":1,"itemsPerPage":0,"Resources":[]}` {
			t.Errorf("empty list: %s", empty.Body)
		}
		var all []string
		for i := range 7 {
			all = append(all, h.user("p"+itoa(i)))
		}
		slices.Sort(all)
		for _, c := range []struct {
			query           string
			start, from, to int
		}{
			{"", 1, 0, 7},
			{"startIndex=1&count=3", 1, 0, 3},
			{"startIndex=4&count=3", 4, 3, 6},
			{"startIndex=7&count=3", 7, 6, 7},
			{"startIndex=8", 8, 7, 7},
			{"startIndex=0&count=1", 1, 0, 1},
			{"startIndex=-5&count=1", 1, 0, 1},
			{"count=0", 1, 0, 0},
			{"count=-1", 1, 0, 0},
			{"count=99999999999999999999999", 1, 0, 7},
			{"STARTINDEX=2&COUNT=2", 2, 1, 3},
			{"aadOptscim062020&x=y&x=z&startIndex=2", 2, 1, 7},
			{"startIndex=99999999999999999999999", 1 << 31, 7, 7},
			{"&&count=1&", 1, 0, 1},
		} {
			r := h.ask("GET", "/Users?"+c.query, "").want(200)
			if r.num("totalResults") != 7 || r.num("startIndex") != c.start || r.num("itemsPerPage") != c.to-c.from || !slices.Equal(r.names("id"), slices.Clip(all[c.from:c.to])) && c.to > c.from {
				t.Errorf("%q: %s", c.query, r.Body)
			}
		}
		for query, word := range map[string]string{
			"startIndex=x": "startIndex", "count=1.5": "count", "count=": "count", "startIndex=1e3": "startIndex", "count=1&count=2": "count",
			"sortOrder=up&sortBy=userName": "sortOrder", "sortOrder=up": "sortOrder", "sortBy=nothing": "sortBy", "sortBy=name": "sortBy",
			"attributes=userName&excludedAttributes=title": "attributes", "x=%zz": "percent", "filter=%": "percent",
		} {
			r := h.ask("GET", "/Users?"+query, "").fails(400, "invalidValue")
			if !strings.Contains(r.str("detail"), word) {
				t.Errorf("%q: the detail does not name %s: %s", query, word, r.str("detail"))
			}
		}
	})
}

// R-63…R-72, L-15…L-19, L-28 over HTTP, on both stores.
func TestFilters(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		boss := h.user("boss@acme.example")
		id := h.ask("POST", "/Users", userBody("Siobhán.O'Neill@acme.example", `,"externalId":"X1","active":false,"title":"a;b&c \"q\"",
			"emails":[{"type":"work","value":"s@acme.example"},{"type":"home","value":"s@home.example"}],"`+enterpriseURN+`":{"department":"Ops","manager":{"value":"`+boss+`"}}`)).want(201).str("id")
		g := h.group("Team", id)
		for _, f := range []string{
			`userName eq "siobhán.o'neill@ACME.example"`, `USERNAME Eq "Siobhán.O'Neill@acme.example"`, `externalId eq "X1"`,
			`id eq "` + id + `"`, `active eq false`, `active eq "False"`, `emails eq "S@acme.example"`, `emails.value eq "s@home.example"`,
			`emails[type eq "work"].value eq "s@acme.example"`, `emails[type eq "work" and value co "acme"]`, `title eq "a;b&c \"q\""`,
			`manager eq "` + boss + `"`, enterpriseURN + `:department eq "ops"`, `department sw "o" and userName co "neill"`,
			`not (userName eq "boss@acme.example")`, `meta.created ge "2020-01-01T00:00:00Z" and title pr`, `groups.value eq "` + g + `"`, `schemas eq "` + enterpriseURN + `"`,
			`id eq "` + id + `" and manager eq "` + boss + `"`, `emails[type eq "home"] or userName eq "nobody"`,
		} {
			r := h.ask("GET", "/Users?"+filterOf(f), "").want(200)
			if r.num("totalResults") != 1 || r.str("Resources", 0, "id") != id {
				t.Errorf("%s: %s", f, r.Body)
			}
		}
		for _, f := range []string{`userName eq "nobody"`, `externalId eq "x1"`, `emails[type eq "work" and value eq "s@home.example"]`, `active eq false and id eq "` + boss + `"`} {
			if r := h.ask("GET", "/Users?"+filterOf(f), "").want(200); r.num("totalResults") != 0 || len(r.list("Resources")) != 0 {
				t.Errorf("%s: %s", f, r.Body)
			}
		}
		ent07 := h.ask("GET", "/Groups?"+filterOf(`id eq "`+g+`" and members eq "`+id+`"`)+"&attributes=id", "").want(200)
		if ent07.num("totalResults") != 1 || len(ent07.at("Resources", 0).(map[string]any)) != 2 {
			t.Errorf("ENT-07: %s", ent07.Body)
		}
		if r := h.ask("GET", "/Groups?excludedAttributes=members&"+filterOf(`displayName eq "TEAM"`), "").want(200); r.str("Resources", 0, "id") != g || r.at("Resources", 0, "members") != nil {
			t.Errorf("ENT-05: %s", r.Body)
		}
		h.ask("GET", `/Users?filter=externalId%20eq%20X1`, "").fails(400, "invalidFilter")
		entra := h.newToken("acme", resources.TokenSpec{Profile: resources.ProfileEntra})
		if r := h.askAs(entra, "GET", `/orgs/acme/scim/v2/Users?filter=externalId%20eq%20X1`, "").want(200); r.num("totalResults") != 1 { // L-17
			t.Errorf("unquoted: %s", r.Body)
		}
		if strings.Contains(h.log.String(), "neill") || strings.Contains(h.log.String(), "externalId") {
			t.Error("a filter is in the log (R-73)")
		}
	})
}

//
func TestSort(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		for _, u := range []string{"b", "A", "c"} {
			title := `,"title":"` + strings.ToUpper(u) + `"`
			if u == "c" {
				title = ""
			}
			h.ask("POST", "/Users", userBody(u, title)).want(201)
		}
		for query, want := range map[string]string{
			"sortBy=userName":                         "A b c",
			"sortBy=userName&sortOrder=descending":    "c b A",
			"sortBy=USERNAME&sortOrder=Ascending":     "A b c",
			"sortBy=title":                            "A b c",
			"sortBy=title&sortOrder=descending":       "c b A",
			"sortBy=userName&startIndex=2&count=1":    "b",
			"sortBy=meta.created":                     "b A c",
			"sortBy=userName&" + filterOf("title pr"): "A b",
		} {
			r := h.ask("GET", "/Users?"+query, "").want(200)
			if got := strings.Join(r.names("userName"), " "); got != want && query != "sortBy=meta.created" {
				t.Errorf("%s: %s, want %s", query, got, want)
			}
		}
	})
}

const projected = `,"title":"T","name":{"givenName":"G","familyName":"F"},"emails":[{"value":"p@x.example","type":"work"}],"` + enterpriseURN + `":{"department":"D","costCenter":"C"}`

// …R-79.
func TestProjection(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		id := h.ask("POST", "/Users", userBody("proj", projected)).want(201).str("id")
		h.group("G", id)
		for query, want := range map[string]string{
			"attributes=userName":                       "id schemas userName",
			"attributes=userName,TITLE":                 "id schemas title userName",
			"attributes=name.familyName":                "id name schemas",
			"attributes=groups,meta.version":            "groups id meta schemas",
			"attributes=" + enterpriseURN:               enterpriseURN + " id schemas",
			"attributes=department":                     enterpriseURN + " id schemas",
			"attributes=urn:x:y,nonsense":               "id schemas",
			"attributes=" + userURN + ":userName":       "id schemas userName",
			"excludedAttributes=id,schemas,groups,meta": enterpriseURN + " emails id name schemas title userName",
			"excludedAttributes=groups":                 enterpriseURN + " emails id meta name schemas title userName",
			"excludedAttributes=name,emails.type,title": enterpriseURN + " emails groups id meta schemas userName",
			"attributes=":                               enterpriseURN + " emails groups id meta name schemas title userName",
		} {
			one := h.ask("GET", "/Users/"+id+"?"+query, "").want(200)
			list := h.ask("GET", "/Users?"+query, "").want(200)
			if !strings.Contains(list.Body.String(), one.Body.String()) {
				t.Errorf("%s: the list differs from GET\n%s\n%s", query, list.Body, one.Body)
			}
			var got []string
			for name := range one.json {
				got = append(got, name)
			}
			got = withoutBlocks(got)
			slices.Sort(got)
			wanted := strings.Fields(want)
			slices.Sort(wanted)
			if !slices.Equal(got, wanted) {
				t.Errorf("%s: %v, want %v", query, got, wanted)
			}
		}
	})
}

// parts of complex attributes, and answers to writes.
func TestProjectionOfParts(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		id := h.ask("POST", "/Users", userBody("proj", projected)).want(201).str("id")
		g := h.group("G", id)
		r := h.ask("GET", "/Users/"+id+"?attributes=name.familyName,emails.value,department", "").want(200)
		if r.at("name", "givenName") != nil || r.str("name", "familyName") != "F" || r.at("emails", 0, "type") != nil || r.at(enterpriseURN, "costCenter") != nil || r.str(enterpriseURN, "department") != "D" {
			t.Errorf("sub-attributes: %s", r.Body)
		}
		r = h.ask("GET", "/Groups/"+g+"?excludedAttributes=members.display,members.$ref", "").want(200)
		if r.str("members", 0, "value") != id || r.str("members", 0, "type") != "User" || r.at("members", 0, "display") != nil || r.at("members", 0, "$ref") != nil {
			t.Errorf("members: %s", r.Body)
		}
		for _, method := range []string{"POST", "PUT"} { // every operation
			target, body := "/Users", userBody("other")
			if method == "PUT" {
				target, body = "/Users/"+id, userBody("proj")
			}
			r := h.ask(method, target+"?attributes=userName", body)
			if r.str("userName") == "" || r.at("meta") != nil || len(r.json) != 3 {
				t.Errorf("%s: %s", method, r.Body)
			}
		}
		h.ask("POST", "/Users?attributes=a&excludedAttributes=b", userBody("never")).fails(400, "invalidValue")
		if h.ask("GET", "/Users?"+filterOf(`userName eq "never"`), "").num("totalResults") != 0 {
			t.Error("a refused POST created somebody")
		}
	})
}
