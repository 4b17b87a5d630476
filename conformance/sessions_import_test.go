package conformance_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
)

// listBody is what the tests read of a ListResponse.
type listBody struct {
	TotalResults int `json:"totalResults"`
	StartIndex   int `json:"startIndex"`
	ItemsPerPage int `json:"itemsPerPage"`
	Resources    []struct {
		ID       string `json:"id"`
		UserName string `json:"userName"`
	}
}

func (o *org) list(t *testing.T, path string) listBody {
	t.Helper()
	r := o.must(t, "GET", path, "")
	if r.Status != 200 {
		t.Fatalf("GET %s: %d %s", path, r.Status, r.Body)
	}
	var l listBody
	if err := json.Unmarshal([]byte(r.Body), &l); err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	return l
}

// TestSessions08OktaImport reads 250 users in pages of 100 while one is added
// between the pages (session 8, OKT-09): no duplicate and no gap.
func TestSessions08OktaImport(t *testing.T) {
	for store, url := range stores(t) {
		t.Run(store, func(t *testing.T) { importWhileAdding(t, url) })
	}
}

func importWhileAdding(t *testing.T, url string) {
	o := newWorld(t, url, time.Now).mustOrg(t, resources.ProfileOkta)
	user := func(n int) string {
		return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"u%03d@%s","active":true}`, n, o.Domain)
	}
	for n := range 250 {
		if r := o.must(t, "POST", "/Users", user(n)); r.Status != 201 {
			t.Fatalf("create %d: %d %s", n, r.Status, r.Body)
		}
	}
	seen, total := map[string]int{}, 250
	for start := 1; start <= total; {
		page := o.list(t, fmt.Sprintf("/Users?startIndex=%d&count=100", start))
		if page.StartIndex != start || page.ItemsPerPage != len(page.Resources) || page.ItemsPerPage == 0 {
			t.Fatalf("page at %d: startIndex %d, itemsPerPage %d, %d resources", start, page.StartIndex, page.ItemsPerPage, len(page.Resources))
		}
		for _, u := range page.Resources {
			seen[u.UserName]++
		}
		if start == 1 { // an administrator adds somebody while the import runs
			if r := o.must(t, "POST", "/Users", user(250)); r.Status != 201 {
				t.Fatalf("create meanwhile: %d %s", r.Status, r.Body)
			}
		}
		start, total = start+page.ItemsPerPage, page.TotalResults
	}
	for n := range 251 {
		name := fmt.Sprintf("u%03d@%s", n, o.Domain)
		if seen[name] != 1 {
			t.Errorf("%s was listed %d times, want once", name, seen[name])
		}
	}
}
