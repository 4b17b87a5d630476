package scim_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim"
)

// searchBody makes a SearchRequest of members such as `"count":1`.
func searchBody(members ...string) string {
	return "{" + strings.Join(append([]string{`"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]`}, members...), ",") + "}"
}

// a search answers what the GET with the same parameters answers.
func TestSearch(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		var ids []string
		for i := range 7 {
			ids = append(ids, h.user(fmt.Sprintf("user%d@acme.example", i)))
		}
		h.group("All", ids...)
		for _, c := range []struct{ path, query, body string }{
			{"/Users", "", searchBody()},
			{"/users", "count=2&startIndex=3", searchBody(`"count":2`, `"startIndex":3`)},
			{"/Users", "count=2", searchBody(`"Count":"2"`, `"filter":null`, `"other":[1]`)},
			{"/Users", filterOf(`userName sw "user1" or id eq "x"`), searchBody(`"filter":"userName sw \"user1\" or id eq \"x\""`)},
			{"/Users", "sortBy=userName&sortOrder=descending", searchBody(`"sortBy":"userName"`, `"sortOrder":"descending"`)},
			{"/Users", "attributes=userName,emails.value", searchBody(`"attributes":["userName","emails.value"]`)},
			{"/Groups", "excludedAttributes=members", searchBody(`"excludedAttributes":["members"]`)},
			{"/Groups", "attributes=displayName", searchBody(`"attributes":"displayName"`)},
			{"", "", searchBody()},
			{"", filterOf(`displayName pr or userName eq "user3@acme.example"`), searchBody(`"filter":"displayName pr or userName eq \"user3@acme.example\""`)},
			{"", "count=3&startIndex=6", searchBody(`"count":3`, `"startIndex":6`)},
			{"/Users", "count=x", searchBody(`"count":"x"`)},
			{"/Users", filterOf("nonsense"), searchBody(`"filter":"nonsense"`)},
			{"/Users", "sortBy=nothing", searchBody(`"sortBy":"nothing"`)},
			{"", "sortBy=nothing", searchBody(`"sortBy":"nothing"`)},
		} {
			get, search := h.ask("GET", c.path+"?"+c.query, ""), h.ask("POST", c.path+"/.search", c.body)
			if get.Code != search.Code || get.Body.String() != search.Body.String() || search.Header().Get("Location") != "" {
				t.Errorf("%s?%s: GET %d %s\n.search %d %s", c.path, c.query, get.Code, get.Body, search.Code, search.Body)
			}
		}
		for body, scimType := range map[string]string{
			`{}`: "invalidSyntax", `[]`: "invalidSyntax", ``: "invalidSyntax", `{"schemas":["` + userURN + `"]}`: "invalidSyntax",
			searchBody(`"filter":5`): "invalidValue", searchBody(`"count":true`): "invalidValue", searchBody(`"startIndex":[1]`): "invalidValue",
			searchBody(`"count":1.5`): "invalidValue", searchBody(`"attributes":{}`): "invalidValue", searchBody(`"attributes":[1]`): "invalidValue",
			searchBody(`"sortBy":["x"]`): "invalidValue",
		} {
			h.ask("POST", "/Users/.search", body).fails(400, scimType)
			h.ask("POST", "/.search", body).fails(400, scimType)
		}
		h.ask("POST", "/Users/.search", searchBody(), "Content-Type", "text/xml").fails(415, "")
	})
}

// rootList asks the root and gives names and total.
func (h *house) rootList(query string) (names []string, total int) {
	h.t.Helper()
	r := h.ask("GET", "/?"+query, "").want(200)
	for i := range r.list("Resources") {
		name := r.str("Resources", i, "userName")
		if name == "" {
			name = r.str("Resources", i, "displayName")
		}
		names = append(names, name)
	}
	if r.num("itemsPerPage") != len(names) {
		h.t.Errorf("itemsPerPage %d, %d resources", r.num("itemsPerPage"), len(names))
	}
	return names, r.num("totalResults")
}

// the query over all types.
func TestRoot(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		var ids []string
		at := time.Now() // ids sort by the time of creation
		h.open(h.store, scim.Config{Now: func() time.Time { at = at.Add(5 * time.Millisecond); return at }})
		for _, n := range []string{"ann", "cid", "eve"} {
			ids = append(ids, h.ask("POST", "/Users", userBody(n, `,"displayName":"Show `+n+`","externalId":"x-`+n+`"`)).want(201).str("id"))
		}
		for _, n := range []string{"Bees", "Dogs"} {
			h.group(n, ids[0])
		}
		for _, c := range []struct {
			query, want string
			total       int
		}{
			{"", "ann cid eve Bees Dogs", 5},
			{"count=2&startIndex=3", "eve Bees", 5},
			{"count=2&startIndex=4", "Bees Dogs", 5},
			{"count=2&startIndex=9", "", 5},
			{"count=0", "", 5},
			{filterOf(`userName eq "cid"`), "cid", 1},
			{filterOf(`userName ne "cid"`), "ann eve Bees Dogs", 4},
			{filterOf(`not (userName eq "cid")`), "ann eve Bees Dogs", 4},
			{filterOf(`userName pr`), "ann cid eve", 3},
			{filterOf(`userName eq null`), "Bees Dogs", 2},
			{filterOf(`emails[type eq "work"] or displayName sw "b"`), "Bees", 1},
			{filterOf(`emails.value co "x" or members.value eq "` + ids[0] + `"`), "Bees Dogs", 2},
			{filterOf(`meta.resourceType eq "User"`), "ann cid eve", 3},
			{filterOf(`meta.resourceType eq "Group"`) + "&count=1", "Bees", 2},
			{filterOf(`displayName co "o"`), "ann cid eve Dogs", 4},
			{filterOf(userURN + `:userName eq "ann" or ` + enterpriseURN + `:department pr`), "ann", 1},
			{filterOf(`externalId eq "x-eve"`), "eve", 1},
			{"sortBy=displayName", "Bees Dogs ann cid eve", 5},
			{"sortBy=displayName&sortOrder=descending&count=3", "eve cid ann", 5},
			{"sortBy=userName&startIndex=3&count=2", "eve Bees", 5},
			{"sortBy=userName&sortOrder=descending&count=3", "Bees Dogs eve", 5},
			{"sortBy=id&sortOrder=descending&count=2", "Dogs Bees", 5},
			{"sortBy=meta.created&count=1&startIndex=5", "Dogs", 5},
		} {
			got, total := h.rootList(c.query)
			text := strings.Join(got, " ")
			if c.query == "sortBy=userName&sortOrder=descending&count=3" { // of the two without, either may be first
				slices.Sort(got[:2])
				text = strings.Join(got, " ")
			}
			if q, _ := url.QueryUnescape(c.query); text != c.want || total != c.total {
				t.Errorf("%s: %q of %d, want %q of %d", q, text, total, c.want, c.total)
			}
		}
		h.ask("GET", "/?"+filterOf(`nothing eq "x"`), "").fails(400, "invalidFilter")
		h.ask("GET", "/?"+filterOf(`userName gt true`), "").fails(400, "invalidFilter")
		h.ask("GET", "?sortBy=nothing", "").fails(400, "invalidValue")
		h.ask("GET", "?sortBy=userName&sortOrder=sideways", "").fails(400, "invalidValue")
		h.ask("GET", "?sortOrder=sideways", "").fails(400, "invalidValue")
		h.ask("GET", "?sortBy=userName&startIndex=1000&count=100", "").fails(400, "tooMany")
		if r := h.ask("GET", "?attributes=members.value", "").want(200); r.str("Resources", 3, "members", 0, "value") != ids[0] || r.at("Resources", 0, "userName") != nil {
			t.Errorf("projected: %s", r.Body)
		}
		h.rootScopes()
	})
}

// rootScopes: what a token may not read is left out.
func (h *house) rootScopes() {
	for _, c := range []struct {
		scope resources.Scope
		total int
	}{{resources.ScopeUsersRead, 3}, {resources.ScopeGroups, 2}} {
		token := h.newToken("acme", resources.TokenSpec{Scopes: []resources.Scope{c.scope}})
		if r := h.askAs(token, "GET", "/orgs/acme/scim/v2/", "").want(200); r.num("totalResults") != c.total {
			h.t.Errorf("%s: %d resources, want %d", c.scope, r.num("totalResults"), c.total)
		}
		h.askAs(token, "POST", "/orgs/acme/scim/v2/.search", searchBody()).want(200)
	}
}

// The root reads nothing that is not on the page.
func TestRootReads(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	h.user("a")
	h.ask("GET", "/", "").want(200)
	counted := &countingStore{Store: h.store}
	h.open(counted, scim.Config{})
	h.ask("GET", "/", "").want(200)
	counted.calls.Store(0)
	h.ask("GET", "/?count=1", "").want(200)
	if n := counted.calls.Load(); n != 2 {
		t.Errorf("the store was asked %d times, want once for each type", n)
	}
	h.user("b")
	h.ask("GET", "/?count=1&cursor=", "").want(200) // makes the secret of cursors
	counted.calls.Store(0)
	h.ask("GET", "/?count=1&cursor=", "").want(200)
	if n := counted.calls.Load(); n != 1 {
		t.Errorf("for a page that one type fills the store was asked %d times", n)
	}
}
