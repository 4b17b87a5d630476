package scim_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/usher-scim/usher/resources"
)

// A walk over all types by cursor (R-61, R-131…R-137) shows what the list does,
// page by page, and goes on from one type to the next.
func TestRootWalk(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		for i := range 5 {
			h.user("u" + itoa(i))
		}
		for i := range 3 {
			h.group("g" + itoa(i))
		}
		all := h.ask("GET", "/?count=200", "").want(200).names("id")
		for _, count := range []string{"1", "2", "3", "5", "8", "200"} {
			seen := h.walkRoot("count=" + count)
			if !slices.Equal(seen, all) {
				t.Errorf("count=%s: the walk shows %v, the list %v", count, seen, all)
			}
		}
		if seen := h.walkRoot("count=2&" + filterOf(`displayName sw "g"`)); !slices.Equal(seen, all[5:]) {
			t.Errorf("filtered: %v, want %v", seen, all[5:])
		}
		if r := h.ask("GET", "/?cursor=&count=0", "").want(200); r.num("totalResults") != 8 || len(r.list("Resources")) != 0 {
			t.Errorf("count=0: %s", r.Body)
		}
		if r := h.ask("POST", "/.search", searchBody(`"cursor":"","count":6`)).want(200); len(r.list("Resources")) != 6 || r.str("nextCursor") == "" || r.at("startIndex") != nil {
			t.Errorf(".search: %s", r.Body)
		}
		h.ask("GET", "/?cursor=&sortBy=userName", "").fails(400, "invalidValue")
		of := h.ask("GET", "/Users?cursor=&count=2", "").want(200).str("nextCursor")
		h.ask("GET", "/?count=2&cursor="+of, "").fails(400, "invalidCursor") // bound to what was asked
		reader := h.newToken("acme", resources.TokenSpec{Scopes: []resources.Scope{resources.ScopeGroupsRead}})
		if r := h.askAs(reader, "GET", "/orgs/acme/scim/v2/?cursor=&count=3", "").want(200); !slices.Equal(r.names("id"), all[5:]) || r.at("nextCursor") != nil {
			t.Errorf("groups only: %s", r.Body)
		}
	})
}

// walkRoot collects the ids of all pages.
func (h *house) walkRoot(query string) (seen []string) {
	h.t.Helper()
	for cursor, more := "", true; more && len(seen) < 100; {
		r := h.ask("GET", "/?"+query+"&cursor="+url.QueryEscape(cursor), "").want(200)
		ids := r.names("id")
		if len(ids) == 0 && strings.HasPrefix(query, "count=1") {
			h.t.Errorf("%s: an empty page", query)
		}
		seen = append(seen, ids...)
		more = r.at("nextCursor") != nil
		if more {
			cursor = r.str("nextCursor")
		}
	}
	return seen
}
