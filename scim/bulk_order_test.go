package scim_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/usher-scim/usher/scim"
)

// A circle that was created by an earlier run is not linked anew, and what
// fails when the Bulk is sent again takes nothing away.
func TestBulkCircleAgain(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	body := bulkBody(
		create("a", "/Groups", groupBody("A", "bulkId:b", "bulkId:b")),
		create("b", "/Groups", groupBody("B", "bulkId:a")),
	)
	first := h.bulk(body, 201, 201)
	a, b := first.made(0), first.made(1)
	h.ask("PATCH", "/Groups/"+a, ops(`{"op":"remove","path":"members"}`))
	first.alike(t, h.bulk(body, 201, 201))
	if got := h.memberIDs(a); len(got) != 0 {
		t.Errorf("members %v came back", got)
	}
	// B is gone and its name is taken: the circle cannot be closed again.
	h.ask("DELETE", "/Groups/"+b, "").want(204)
	h.group("B")
	h.bulk(body, 409, 409)
	h.ask("GET", "/Groups/"+a, "").want(200)
}

// What a circle that failed has created and removed comes with other ids when
// the same Bulk is sent again.
func TestBulkCircleFresh(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	taken := h.group("B")
	body := bulkBody(
		create("a", "/Groups", groupBody("A", "bulkId:b")),
		create("b", "/Groups", groupBody("B", "bulkId:a")),
	)
	h.bulk(body, 409, 409)
	h.ask("DELETE", "/Groups/"+taken, "").want(204)
	r := h.bulk(body, 201, 201)
	org, err := h.dir.Org(t.Context(), h.admin, "acme")
	if err != nil {
		t.Fatal(err)
	}
	events, err := h.store.Events(t.Context(), org.ID, "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	gone := map[string]bool{}
	for _, e := range events {
		if e.Type == "group.deleted" {
			gone[e.ID] = true
		}
	}
	if len(gone) != 2 || gone[r.made(0)] || gone[r.made(1)] {
		t.Errorf("%s and %s were given, %v deleted before", r.made(0), r.made(1), gone)
	}
}

// Deletions whose outcome depends on their order keep it.
func TestBulkDeleteOrder(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		for range 20 {
			u := h.user("u")
			g := h.group("G", u)
			v := h.ask("GET", "/Groups/"+g, "").str("meta", "version")
			h.bulk(bulkBody(
				with("DELETE", "/Users/"+u, ""),
				`{"method":"DELETE","path":"/Groups/`+g+`","version":"`+strings.ReplaceAll(v, `"`, `\"`)+`"}`,
			), 204, 412)
			h.ask("DELETE", "/Groups/"+g, "").want(204)
		}
	})
}

// A user leaves with all its groups.
func TestBulkDeleteTogether(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		u := h.user("u")
		list := []string{with("DELETE", "/Users/"+u, "")}
		want := []int{204}
		var others []string
		for i := range 100 {
			others = append(others, h.user("o"+itoa(i)))
		}
		for i := range 200 {
			list = append(list, with("DELETE", "/Groups/"+h.group("G"+itoa(i), append([]string{u}, others[:5]...)...), ""))
			want = append(want, 204)
		}
		for _, o := range others {
			list = append(list, with("DELETE", "/Users/"+o, ""))
			want = append(want, 204)
		}
		list = append(list[3:], list[:3]...)
		h.bulk(bulkBody(list...), want...)
	})
}

// Of two creations that want the same mailbox the first is done.
func TestBulkSameMailbox(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	for i := range 30 {
		n := itoa(i)
		h.bulk(bulkBody(
			create("a", "/Users", userBody("a"+n, `,"emails":[{"value":"x`+n+`@bücher.example"}]`)),
			create("b", "/Users", userBody("b"+n, `,"emails":[{"value":"x`+n+`@xn--bcher-kva.example"}]`)),
		), 201, 409)
	}
}

// The same holds for values of declared attributes.
func TestBulkSameBadge(t *testing.T) {
	h := newHouse(t, "", scim.Config{}).declare(declaration(t))
	for i := range 30 {
		badge := `,"` + badgeURN + `":{"number":"` + itoa(i) + `"}`
		h.bulk(bulkBody(create("a", "/Users", userBody("a"+itoa(i), badge)), create("b", "/Users", userBody("b"+itoa(i), badge))), 201, 409)
	}
}

// A Bulk whose body does not come keeps no other one out.
func TestBulkSlowBody(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	server := httptest.NewServer(h)
	defer server.Close()
	for range 2 {
		body, rest := io.Pipe()
		req, err := http.NewRequest("POST", server.URL+"/orgs/acme/scim/v2/Bulk", body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+h.token["acme"])
		var wg sync.WaitGroup
		wg.Go(func() {
			if resp, err := http.DefaultClient.Do(req); err == nil {
				err = resp.Body.Close()
				if err != nil {
					t.Error(err)
				}
			}
		})
		defer wg.Wait()
		defer rest.Close()
		if _, err := rest.Write(make([]byte, 128<<10)); err != nil { // the server is reading
			t.Fatal(err)
		}
	}
	h.bulk(bulkBody(create("u", "/Users", userBody("u"))), 201)
}
