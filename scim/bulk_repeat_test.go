package scim_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/conformance"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim"
)

// mixed is a Bulk with every method, made for a store that has the user gone
// and the group g.
func mixed(gone, g string) string {
	return bulkBody(
		create("a", "/Groups", groupBody("A", "bulkId:b")),
		create("b", "/Groups", groupBody("B", "bulkId:a")),
		create("u", "/Users", userBody("u@acme.example")),
		create("v", "/Users", userBody("v@acme.example")),
		create("bad", "/Users", userBody("u@acme.example")),
		with("DELETE", "/Users/"+gone, ""),
		with("DELETE", "/Users/"+unknownUser, ""),
		with("PATCH", "/Groups/"+g, ops(`{"op":"add","path":"members","value":[{"value":"bulkId:v"}]}`)),
		with("PUT", "/Users/bulkId:u", userBody("u@acme.example", `,"title":"t"`)),
	)
}

var mixedStatuses = []int{201, 201, 201, 201, 409, 204, 404, 200, 200}

// alike checks that two answers tell of the same resources.
func (r reply) alike(t *testing.T, again reply) {
	t.Helper()
	for i := range r.list("Operations") {
		if a, b := r.str("Operations", i, "location"), again.str("Operations", i, "location"); a != b {
			t.Errorf("operation %d: %s at first, then %s", i, a, b)
		}
	}
}

func (h *house) counts(users, groups int) {
	h.t.Helper()
	u, g := h.ask("GET", "/Users", "").num("totalResults"), h.ask("GET", "/Groups", "").num("totalResults")
	if u != users || g != groups {
		h.t.Errorf("%d users and %d groups, want %d and %d", u, g, users, groups)
	}
}

// The same Bulk again creates nothing twice and answers as before; what was
// deleted since comes with an id of its own.
func TestBulkAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		gone, g := h.user("gone"), h.group("G")
		body := mixed(gone, g)
		first := h.bulk(body, mixedStatuses...)
		second := h.bulk(body, mixedStatuses...)
		first.alike(t, second)
		h.counts(2, 3)
		u := first.made(2)
		h.ask("DELETE", "/Users/"+u, "").want(204)
		third := h.bulk(body, mixedStatuses...)
		if fresh := third.made(2); fresh == u || third.made(3) != first.made(3) {
			t.Errorf("ids %s and %s after a deletion, before it %s and %s", fresh, third.made(3), u, first.made(3))
		}
		third.alike(t, h.bulk(body, mixedStatuses...))
		h.counts(2, 3)
		h.ask("GET", "/Users/"+u, "").want(404)
		// Another token is another client: what is there already is a conflict.
		other := h.newToken("acme", resources.TokenSpec{})
		r := h.askAs(other, "POST", "/orgs/acme/scim/v2/Bulk", bulkBody(create("v", "/Users", userBody("v@acme.example")))).want(200)
		if r.str("Operations", 0, "status") != "409" {
			t.Error(r.Body)
		}
	})
}

// What a Bulk creates is found by the time of creation that is shown, which is
// when the Bulk was first begun.
func TestBulkCreated(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	at := time.Now()
	h.open(h.store, scim.Config{Now: func() time.Time { at = at.Add(7 * time.Millisecond); return at }})
	first := h.bulk(bulkBody(create("u", "/Users", userBody("u"))), 201)
	created := h.ask("GET", "/Users/"+first.made(0), "").str("meta", "created")
	if r := h.ask("GET", "/Users?"+filterOf(`meta.created eq "`+created+`"`), "").want(200); r.num("totalResults") != 1 {
		t.Errorf("meta.created %s does not find the user: %s", created, r.Body)
	}
}

// Two identical Bulks at once create one of each.
func TestBulkTwice(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		gone, g := h.user("gone"), h.group("G")
		body := mixed(gone, g)
		var wg sync.WaitGroup
		var both [2]reply
		for i := range both {
			wg.Go(func() { both[i] = h.bulk(body, mixedStatuses...) })
		}
		wg.Wait()
		both[0].alike(t, both[1])
		h.counts(2, 3)
	})
}

// The connection to Redis breaks after commits: the client sees what it sees,
// sends the same Bulk again, and there is one of each.
func TestBulkLostReply(t *testing.T) {
	h := newHouse(t, redistest.Start(t), scim.Config{})
	u, err := url.Parse(h.url)
	if err != nil {
		t.Fatal(err)
	}
	proxy, err := conformance.NewProxy(u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := proxy.Close(); err != nil {
			t.Error(err)
		}
	}()
	u.Host = proxy.Addr()
	store, err := backend.Open(t.Context(), backend.Config{URL: u.String()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	gone, g := h.user("gone"), h.group("G")
	body := mixed(gone, g)
	h.store = store
	h.open(store, scim.Config{})
	proxy.SwallowReplies("u@acme.example", 1)
	proxy.SwallowReplies("user.deleted", 1)
	first := h.ask("POST", "/Bulk", body).want(200)
	if proxy.Harmed() == 0 {
		t.Error("no reply was lost")
	}
	second := h.bulk(body, mixedStatuses...)
	first.alike(t, second)
	h.counts(2, 3)
}

// The client's connection breaks while the Bulk is being handled. What was done
// is done; sending it again does the rest.
func TestBulkClientGone(t *testing.T) {
	h := newHouse(t, redistest.Start(t), scim.Config{})
	var list []string
	for i := range 300 {
		list = append(list, create("u"+itoa(i), "/Users", userBody("u"+itoa(i))))
	}
	list = append(list, create("g", "/Groups", groupBody("G", "bulkId:u0", "bulkId:u299")))
	body := bulkBody(list...)
	server := httptest.NewServer(h)
	defer server.Close()
	for _, wait := range [...]time.Duration{2, 5, 10, 20} {
		client := http.Client{Timeout: wait * time.Millisecond}
		req, err := http.NewRequest("POST", server.URL+"/orgs/acme/scim/v2/Bulk", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+h.token["acme"])
		if resp, err := client.Do(req); err == nil {
			if err := resp.Body.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	server.Close() // waits for what is being handled
	r := h.ask("POST", "/Bulk", body).want(200)
	seen := map[string]bool{}
	for i := range list {
		if r.str("Operations", i, "status") != "201" {
			t.Fatalf("operation %d: %v", i, r.at("Operations", i))
		}
		seen[r.made(i)] = true
	}
	if len(seen) != len(list) {
		t.Errorf("%d resources for %d operations", len(seen), len(list))
	}
	h.counts(300, 1)
	if n := len(h.memberIDs(r.made(300))); n != 2 {
		t.Errorf("%d members, want 2", n)
	}
}

// FuzzBulk sends whatever as a Bulk: it is refused whole, or each operation is
// answered once, with JSON that is one.
func FuzzBulk(f *testing.F) {
	h := newHouse(f, "", scim.Config{})
	id := h.user("fuzz@acme.example")
	for _, seed := range []string{
		mixed(id, id[:19]+"1"),
		bulkWith(`"failOnErrors":1,`, create("a", "/Groups", groupBody("A", "bulkId:a"))),
		bulkBody(with("PATCH", "/Groups/bulkId:g", ops(`{"op":"remove","path":"members[value eq \"bulkId:u\"]"}`))),
		bulkBody(`{"method":"POST","bulkId":"a","path":"/Users/bulkId:a","data":"bulkId:a"}`, `null`, `{}`),
		bulkBody(create("g", "/Groups", `{"schemas":["`+groupURN+`"],"displayName":"bulkId:g","members":{"value":"bulkId:g"}}`)),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest("POST", "/orgs/acme/scim/v2/Bulk", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+h.token["acme"])
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		var out struct {
			FailOnErrors int
			Operations   []struct{ Status string }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code >= 500 {
			t.Fatalf("%d %s\n%s", w.Code, w.Body, lastError(h.log.String()))
		}
		if w.Code != http.StatusOK {
			return
		}
		var in struct {
			FailOnErrors *int
			Operations   []json.RawMessage
		}
		if err := json.Unmarshal([]byte(body), &in); err != nil {
			return // more tolerant of names than we are strict
		}
		if len(out.Operations) > len(in.Operations) || in.FailOnErrors == nil && len(out.Operations) != len(in.Operations) {
			t.Errorf("%d operations, %d answers: %s", len(in.Operations), len(out.Operations), w.Body)
		}
		for _, op := range out.Operations {
			if op.Status < "200" || op.Status >= "500" && op.Status != "503" {
				t.Errorf("status %q: %s\n%s", op.Status, w.Body, lastError(h.log.String()))
			}
		}
	})
}
