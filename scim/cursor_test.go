package scim_test

import (
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim"
)

// page asks for one page of a walk over users.
func (h *house) page(query, cursor string) reply {
	h.t.Helper()
	return h.ask("GET", "/Users?"+query+"&cursor="+cursor, "").want(200)
}

// pages follows nextCursor to the end and gives the ids of each page.
func (h *house) pages(query string) (pages [][]string, last reply) {
	h.t.Helper()
	cursor := ""
	for {
		last = h.page(query, cursor)
		pages = append(pages, last.names("id"))
		if cursor = last.str("nextCursor"); cursor == "" {
			return pages, last
		}
		if len(pages) > 1000 {
			h.t.Fatal("the walk does not end")
		}
	}
}

// pages by cursor are those by index, in both directions.
func TestCursor(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		for i := range 11 {
			h.ask("POST", "/Users", userBody("u"+itoa(i), `,"title":"`+[]string{"a", "b", ""}[i%3]+`","active":`+[]string{"true", "false"}[i%2])).want(201)
		}
		for _, x := range []struct{ count, query string }{
			{"4", ""},
			{"11", ""},
			{"1", ""},
			{"200", ""},
			{"3", "sortBy=userName"},
			{"3", "sortBy=userName&sortOrder=descending"},
			{"2", "sortBy=title&sortOrder=descending"},
			{"2", "sortBy=title"},
			{"3", "sortBy=meta.lastModified"},
			{"2", filterOf("active eq false")},
			{"2", filterOf(`title eq "a"`) + "&sortBy=userName"},
			{"3", filterOf(`userName sw "u1"`)},
			{"3", filterOf(`userName eq "u1"`)},
			{"3", filterOf(`userName eq "nobody"`)},
			{"4", "attributes=userName"},
			{"4", "sortBy=id&sortOrder=descending"},
		} {
			all := h.ask("GET", "/Users?count=200&"+x.query, "").want(200).names("id")
			query := "count=" + x.count + "&" + x.query
			forth, r := h.pages(query)
			if got := slices.Concat(forth...); !slices.Equal(got, all) {
				t.Errorf("%s: the walk shows %v, the list %v", query, got, all)
			}
			back := [][]string{r.names("id")}
			for c := r.str("previousCursor"); c != ""; c = r.str("previousCursor") {
				if strings.ContainsFunc(c, func(c rune) bool { return !strings.ContainsRune(unreserved, c) }) {
					t.Fatalf("the cursor %q needs escaping in a URL", c)
				}
				r = h.page(query, c)
				back = append(back, r.names("id"))
			}
			slices.Reverse(back)
			if !slices.EqualFunc(forth, back, slices.Equal) {
				t.Errorf("%s: forwards %v, backwards %v", query, forth, back)
			}
		}
	})
}

const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~" // RFC 3986 §2.3

// R-131…R-133: what stands in an answer, and what count does.
func TestCursorAnswers(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		empty := h.ask("GET", "/Users?cursor", "").want(200)
		if empty.Body.String() != `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":0,"itemsPerPage":0,"Resources":[]}` {
			t.Errorf("an empty list: %s", empty.Body)
		}
		for i := range 5 {
			h.user("u" + itoa(i))
		}
		first := h.page("count=2", "")
		if first.num("totalResults") != 5 || first.num("itemsPerPage") != 2 || len(first.list("Resources")) != 2 ||
			first.at("startIndex") != nil || first.at("previousCursor") != nil || first.str("nextCursor") == "" {
			t.Errorf("first page: %s", first.Body)
		}
		if !strings.HasPrefix(first.Body.String(), `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":5,"itemsPerPage":2,"nextCursor":"`) {
			t.Errorf("what a client needs does not stand in front: %s", first.Body)
		}
		next := h.page("count=2", first.str("nextCursor"))
		if next.str("previousCursor") == "" || next.str("nextCursor") == "" {
			t.Errorf("second page: %s", next.Body)
		}
		last := h.page("count=2", next.str("nextCursor"))
		if last.num("itemsPerPage") != 1 || last.at("nextCursor") != nil || last.str("previousCursor") == "" {
			t.Errorf("last page: %s", last.Body)
		}
		if r := h.page("count=0", ""); r.num("totalResults") != 5 || r.num("itemsPerPage") != 0 || r.at("nextCursor") != nil || len(r.list("Resources")) != 0 {
			t.Errorf("count=0: %s", r.Body)
		}
		if r := h.page("", ""); r.num("itemsPerPage") != 5 || r.at("nextCursor") != nil || r.at("previousCursor") != nil {
			t.Errorf("one page: %s", r.Body)
		}
		if r := h.page(filterOf(`userName co "u"`)+"&count=2", ""); r.at("totalResults") != nil && r.num("totalResults") != 5 {
			t.Errorf("an unindexed filter: %s", r.Body)
		}
		if r := h.ask("GET", "/Users?count=2", "").want(200); r.at("nextCursor") != nil || r.num("startIndex") != 1 {
			t.Errorf("without cursor: %s", r.Body)
		}
		if r := h.ask("GET", "/Groups?CURSOR=", "").want(200); r.at("startIndex") != nil {
			t.Errorf("groups: %s", r.Body)
		}
		if r := h.ask("HEAD", "/Users?count=2&cursor="+first.str("nextCursor"), "").want(200); r.Body.Len() != 0 {
			t.Errorf("HEAD: %s", r.Body)
		}
		pagination := h.ask("GET", "/ServiceProviderConfig", "").at("pagination")
		if m, _ := pagination.(map[string]any); m["cursor"] != true || m["index"] != true || m["defaultPaginationMethod"] != "index" || m["maxPageSize"] != 200.0 || m["cursorTimeout"] != 3600.0 {
			t.Errorf("ServiceProviderConfig: %v", pagination)
		}
	})
}

// what does not fit is told apart.
func TestCursorRefused(t *testing.T) {
	var ahead atomic.Int64
	h := newHouse(t, "", scim.Config{Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	for i := range 5 {
		h.user("u" + itoa(i))
	}
	c := h.page("count=2&"+filterOf("userName pr"), "").str("nextCursor")
	byDefault := h.page("count=100", "") // the default, spelled out
	if byDefault.str("nextCursor") != "" {
		t.Fatalf("five users on two pages: %s", byDefault.Body)
	}
	for query, scimType := range map[string]string{
		"cursor=nonsense":                             "invalidCursor",
		"cursor=%00":                                  "invalidCursor",
		"cursor=AQ":                                   "invalidCursor",
		"cursor=" + strings.Repeat("A", 20_000):       "invalidCursor",
		"cursor=" + c:                                 "invalidCursor", // another filter
		"count=2&cursor=" + c + "&sortBy=id":          "invalidCursor",
		"cursor=" + c + "%0A&count=2":                 "invalidCursor",
		"cursor=&startIndex=1":                        "invalidValue",
		"cursor=&count=-1":                            "invalidCount",
		"cursor=&count=201":                           "invalidCount",
		"cursor=&count=x":                             "invalidCount",
		"cursor=&count=":                              "invalidCount",
		"cursor=&cursor=":                             "invalidValue",
		"count=3&cursor=" + c + "&" + pr:              "invalidCount",
		"count=0&cursor=" + c + "&" + pr:              "invalidCount",
		"cursor=" + c + "&" + pr:                      "invalidCount",
		"count=2&cursor=" + c + "=&" + pr:             "invalidCursor",
		"count=2&cursor=" + c + "&sortOrder=up&" + pr: "invalidValue",
	} {
		r := h.ask("GET", "/Users?"+query, "").fails(400, scimType)
		if code := r.Header().Get("Usher-Error-Code"); strings.HasSuffix(scimType, "Cursor") && code != "invalid_cursor" {
			t.Errorf("%.60s: the code is %s", query, code)
		}
	}
	ofUsers := h.page("count=2&"+filterOf("id pr"), "").str("nextCursor")
	h.ask("GET", "/Groups?count=2&"+filterOf("id pr")+"&cursor="+ofUsers, "").fails(400, "invalidCursor")
	ahead.Store(int64(time.Hour - time.Minute))
	h.page("count=2&"+pr, c)
	ahead.Store(int64(time.Hour + time.Minute))
	if r := h.ask("GET", "/Users?count=2&"+pr+"&cursor="+c, "").fails(400, "expiredCursor"); r.Header().Get("Usher-Error-Code") != "expired_cursor" {
		t.Errorf("expired: %s", r.Header().Get("Usher-Error-Code"))
	}
}

var pr = filterOf("userName pr")

// Security S15, R-137: a cursor opens for the organization and query it was
// made for only, and a forged one never reaches the store.
func TestCursorForge(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	for i := range 5 {
		h.user("u" + itoa(i))
		h.askAs(h.token["rival"], "POST", "/orgs/rival/scim/v2/Users", userBody("r"+itoa(i))).want(201)
	}
	counting := &countingStore{Store: h.store}
	h.open(counting, scim.Config{})
	next := func(slug, query string) string {
		return h.askAs(h.token[slug], "GET", "/orgs/"+slug+"/scim/v2/Users?"+query+"&cursor=", "").want(200).str("nextCursor")
	}
	base := "count=2&" + pr + "&sortBy=userName&attributes=userName"
	mine, theirs := next("acme", base), next("rival", base)
	h.page(base, mine)
	forged := map[string]string{"another organization's": base + "&cursor=" + theirs}
	for name, change := range map[string][2]string{
		"filter": {"userName+pr", "id+pr"}, "sortBy": {"sortBy=userName", "sortBy=id"}, "attributes": {"attributes=userName", "attributes=title"},
		"no attributes": {"&attributes=userName", ""}, "sortOrder": {"&sortBy", "&sortOrder=descending&sortBy"}, "excluded": {"attributes", "excludedAttributes"},
	} {
		forged["another "+name] = strings.Replace(base, change[0], change[1], 1) + "&cursor=" + mine
		if forged["another "+name] == base+"&cursor="+mine {
			t.Fatalf("%s: nothing was changed", name)
		}
	}
	for i := range mine {
		other := byte('A')
		if mine[i] == 'A' {
			other = 'B'
		}
		forged["byte "+itoa(i)] = base + "&cursor=" + mine[:i] + string(other) + mine[i+1:]
		forged["cut at "+itoa(i)] = base + "&cursor=" + mine[:max(i, 1)]
	}
	for name, query := range forged {
		counting.calls.Store(0)
		r := h.ask("GET", "/Users?"+query, "").fails(400, "invalidCursor")
		if counting.calls.Load() != 0 {
			t.Errorf("%s: the store was asked", name)
		}
		if want := "invalid_cursor: The cursor is not one of this query."; !strings.HasPrefix(r.str("detail"), want) {
			t.Errorf("%s: %s", name, r.str("detail"))
		}
	}
	readOnly := h.newToken("acme", resources.TokenSpec{Scopes: []resources.Scope{resources.ScopeGroupsRead}})
	h.askAs(readOnly, "GET", "/orgs/acme/scim/v2/Users?"+base+"&cursor="+mine, "").fails(403, "")
	if log := h.log.String(); strings.Contains(log, mine) || strings.Contains(log, theirs) {
		t.Error("a cursor is in the log")
	}
	raw, _ := url.QueryUnescape(mine)
	if strings.Contains(raw, "u1") {
		t.Error("a cursor shows the name it stands at")
	}
}

// TestCursorOnAnotherNode: cursors are good on every node and after a restart.
func TestCursorOnAnotherNode(t *testing.T) {
	h := newHouse(t, redistest.Start(t), scim.Config{})
	for i := range 3 {
		h.user("u" + itoa(i))
	}
	c := h.page("count=1", "").str("nextCursor")
	h.open(h.store, scim.Config{}) // a Directory and a Server that remember nothing
	if r := h.page("count=1", c); len(r.names("id")) != 1 || r.str("nextCursor") == "" {
		t.Errorf("on another node: %s", r.Body)
	}
}

// TestPlanIsLogged: the store's choice stands in the debug line, and nothing of
// the filter.
func TestPlanIsLogged(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		h.user("secretname")
		for query, plan := range map[string]string{
			"x":                                  "rank uc",
			"cursor":                             "key uc",
			"sortBy=userName&cursor=":            "key uz",
			filterOf(`userName eq "secretname"`): "un=1",
			filterOf(`title co "secrettitle"`):   "scan uc needle match 0 of 1",
			filterOf(`userName eq "secretname" and meta.created gt "2020-01-01T00:00:00Z"`): "and(un=1, in uc=1) -> 1",
			filterOf(`userName eq "secretname" and title co "secret"`):                      "un=1 match 0 of 1",
			filterOf(`active eq false or displayName sw "secret"`):                          "or(ui=0, ud=0) -> 0",
			filterOf(`emails.value eq "secret@x.example"`):                                  "ue=0",
			filterOf(`not (userName eq "secret")`):                                          "scan uc match 1 of 1",
			filterOf(`userName eq "secretname" or externalId eq "secretid"`):                "or(un=1, ux=0) -> 1",
		} {
			before := len(h.log.String())
			h.ask("GET", "/Users?"+query, "").want(200)
			line := h.log.String()[before:]
			if !strings.Contains(line, `"plan":"`+plan+`"`) {
				t.Errorf("%s: no plan %q in %s", query, plan, line)
			}
			if strings.Contains(line, "secret") {
				t.Errorf("%s: the filter is in the log: %s", query, line)
			}
		}
	})
}
