package scim_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim"
)

const bulkURN = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"

// bulkBody makes a Bulk of operations.
func bulkBody(operations ...string) string { return bulkWith("", operations...) }

// bulkWith is bulkBody with more members, such as `"failOnErrors":1,`.
func bulkWith(more string, operations ...string) string {
	return `{"schemas":["` + bulkURN + `"],` + more + `"Operations":[` + strings.Join(operations, ",") + `]}`
}

// create makes a POST operation.
func create(bulkID, path, data string) string {
	return `{"method":"POST","bulkId":"` + bulkID + `","path":"` + path + `","data":` + data + `}`
}

// with makes another operation.
func with(method, path, data string) string {
	if data == "" {
		return `{"method":"` + method + `","path":"` + path + `"}`
	}
	return `{"method":"` + method + `","path":"` + path + `","data":` + data + `}`
}

// bulk sends a Bulk and checks the statuses of its operations.
func (h *house) bulk(body string, statuses ...int) reply {
	h.t.Helper()
	r := h.ask("POST", "/Bulk", body).want(200)
	if got := r.str("schemas", 0); got != "urn:ietf:params:scim:api:messages:2.0:BulkResponse" {
		h.t.Errorf("schemas %q", got)
	}
	for i, want := range statuses {
		if got := r.str("Operations", i, "status"); got != itoa(want) {
			h.t.Fatalf("operation %d: status %s, want %d: %s", i, got, want, r.Body)
		}
	}
	if n := len(r.list("Operations")); n != len(statuses) {
		h.t.Fatalf("%d operations in the answer, want %d: %s", n, len(statuses), r.Body)
	}
	return r
}

// made is the id of what an operation has created.
func (r reply) made(op int) string {
	where := r.str("Operations", op, "location")
	return where[strings.LastIndexByte(where, '/')+1:]
}

// every method on users and groups in one Bulk, with what a single
// request would have answered.
func TestBulk(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		old, gone := h.user("old@acme.example"), h.user("gone@acme.example")
		base := publicURL + "/orgs/acme/scim/v2"
		r := h.bulk(bulkBody(
			create("u", "/Users", userBody("new@acme.example")),
			with("PUT", "/Users/"+old, userBody("older@acme.example")),
			with("patch", "/Users/"+old, ops(`{"op":"add","path":"title","value":"Chief"}`)),
			with("DELETE", base+"/Users/"+gone, ""),
			create("g", "/v2/Groups", groupBody("Tour", "bulkId:u", old)),
			with("PATCH", "/Groups/bulkId:g", ops(`{"op":"remove","path":"members[value eq \"bulkId:u\"]"}`)),
			`{"method":"PATCH","path":"Users/bulkId:u","bulkId":"p","version":"W/\"9\"","data":`+ops(`{"op":"add","path":"`+enterpriseURN+`:manager","value":{"value":"bulkId:u","$ref":"../Users/bulkId:u"}}`)+`}`,
		), 201, 200, 200, 204, 201, 200, 412)
		u, g := r.made(0), r.made(4)
		if r.str("Operations", 0, "bulkId") != "u" || r.str("Operations", 0, "location") != base+"/Users/"+u || r.str("Operations", 0, "version") != `W/"1"` || r.at("Operations", 0, "response") != nil {
			t.Errorf("POST: %s", r.Body)
		}
		if r.str("Operations", 1, "location") != base+"/Users/"+old || r.at("Operations", 1, "bulkId") != nil || r.str("Operations", 6, "bulkId") != "p" {
			t.Errorf("PUT: %s", r.Body)
		}
		if got := h.ask("GET", "/Users/"+old, "").want(200); got.str("userName") != "older@acme.example" || got.str("title") != "Chief" || r.str("Operations", 2, "version") == "" {
			t.Errorf("after PUT and PATCH: %s", got.Body)
		}
		h.ask("GET", "/Users/"+gone, "").want(404)
		if got := h.memberIDs(g); len(got) != 1 || got[0] != old {
			t.Errorf("members %v, want %s", got, old)
		}
		h.bulk(bulkBody(with("PATCH", "/Users/"+u, ops(`{"op":"add","path":"`+enterpriseURN+`:manager.value","value":"`+u+`"}`))), 200)
		shown := h.bulk(bulkBody(create("s", "/Users?attributes=userName", userBody("shown"))), 201)
		if shown.str("Operations", 0, "response", "userName") != "shown" || shown.str("Operations", 0, "response", "id") != shown.made(0) {
			t.Errorf("asked for attributes: %s", shown.Body)
		}
	})
}

// An operation is refused with the body that the same request alone gets.
func TestBulkErrors(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		id := h.user("taken@acme.example")
		group := id[:19] + "1"
		for _, c := range []struct{ method, path, data string }{
			{"POST", "/Users", userBody("taken@acme.example")},
			{"POST", "/Users", userBody("x", `,"active":"perhaps"`)},
			{"POST", "/Users", `{"userName":"x"}`},
			{"POST", "/Users", `[]`},
			{"POST", "/Groups", groupBody("G", id[:10]+"0000000000")},
			{"POST", "/Users/" + id, userBody("x")},
			{"POST", "/Users?attributes=userName&attributes=x", userBody("x")},
			{"POST", "/Nothing", userBody("x")},
			{"PUT", "/Users", userBody("x")},
			{"PUT", "/Users/" + unknownUser, userBody("x")},
			{"PUT", "/Users/" + group, userBody("x")},
			{"PATCH", "/Users/" + id, ops(`{"op":"replace","path":"nothing","value":"x"}`)},
			{"PATCH", "/Users/" + id, ops(`{"op":"replace","path":"title[","value":"x"}`)},
			{"PATCH", "/Groups/" + group, ops(`{"op":"add","path":"members","value":[{"value":"` + id + `"}]}`)},
			{"DELETE", "/Users/" + unknownUser, ""},
		} {
			single := h.ask(c.method, c.path, c.data)
			data := ""
			if c.data != "" {
				data = `,"data":` + c.data
			}
			r := h.bulk(bulkBody(`{"method":"`+c.method+`","bulkId":"x","path":"`+c.path+`"`+data+`}`), single.Code)
			if !strings.Contains(r.Body.String(), `"response":`+single.Body.String()+`}`) {
				t.Errorf("%s %s: alone\n%s\nin a Bulk\n%s", c.method, c.path, single.Body, r.Body)
			}
			if c.method == "POST" && r.at("Operations", 0, "location") != nil {
				t.Errorf("a failed POST has a location: %s", r.Body)
			}
		}
	})
}

// What only an operation of a Bulk can get wrong.
func TestBulkOperation(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	user := userBody("b")
	for _, c := range []struct {
		op, word string
		status   int
	}{
		{`1`, "object", 400},
		{`{"path":"/Users"}`, "method", 400},
		{`{"method":"GET","path":"/Users"}`, "method", 400},
		{`{"method":5,"path":"/Users"}`, "method", 400},
		{`{"method":"POST","path":"/Users","data":` + user + `}`, "bulkId", 400},
		{`{"method":"POST","path":"/Users","bulkId":7,"data":` + user + `}`, "bulkId", 400},
		{`{"method":"POST","bulkId":"a","data":` + user + `}`, "path", 400},
		{`{"method":"POST","bulkId":"a","path":"/Users"}`, "data", 400},
		{`{"method":"DELETE","path":"/Users/x","version":3}`, "version", 400},
		{create("a", "/Bulk", bulkBody(create("b", "/Users", user))), "path", 400},
		{create("a", "/Users/.search", `{}`), "path", 400},
		{create("a", "/.search", `{}`), "path", 400},
		{with("DELETE", "/Me", ""), "path", 400},
		{with("DELETE", "/Schemas/"+userURN, ""), "path", 400},
		{with("PUT", "/ServiceProviderConfig", user), "path", 400},
		{with("DELETE", "https://elsewhere.example/orgs/acme/scim/v2/Users/x", ""), "address", 404},
		{with("DELETE", publicURL+"/orgs/rival/scim/v2/Users/x", ""), "address", 404},
		{with("DELETE", "/Users/bulkId:nobody", ""), "bulkId:nobody", 409},
		{create("a", "/Groups", groupBody("G", "bulkId:nobody")), "bulkId:nobody", 409},
	} {
		r := h.bulk(bulkBody(c.op), c.status)
		if detail := r.str("Operations", 0, "response", "detail"); !strings.Contains(detail, c.word) {
			t.Errorf("%s: detail %q does not name %s", c.op, detail, c.word)
		}
	}
	r := h.bulk(bulkBody(create("same", "/Users", userBody("one")), create("same", "/Users", userBody("two"))), 201, 400)
	if !strings.Contains(r.str("Operations", 1, "response", "detail"), "bulkId") {
		t.Error(r.Body)
	}
}

// TestBulkLimits is security S11, R-117, and what makes a Bulk none at all.
func TestBulkLimits(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	if r := h.ask("GET", "/ServiceProviderConfig", "").want(200); r.at("bulk", "supported") != true || r.num("bulk", "maxOperations") != 1000 || r.num("bulk", "maxPayloadSize") != 1<<20 {
		t.Errorf("announced: %s", r.Body)
	}
	many := make([]string, 1001)
	for i := range many {
		many[i] = with("DELETE", "/Users/"+unknownUser, "")
	}
	if r := h.ask("POST", "/Bulk", bulkBody(many...)).fails(413, ""); !strings.Contains(r.str("detail"), "1000") {
		t.Error(r.Body)
	}
	h.ask("POST", "/Bulk", bulkBody(many[:1000]...)).want(200)
	big := bulkBody(create("a", "/Users", userBody("big", `,"title":"`+strings.Repeat("x", 1<<20)+`"`)))
	if r := h.ask("POST", "/Bulk", big).fails(413, ""); !strings.Contains(r.str("detail"), "1 MiB") {
		t.Error(r.Body)
	}
	one := create("a", "/Users", userBody("b"))
	for body, scimType := range map[string]string{
		`{}`: "invalidSyntax", `[]`: "invalidSyntax", `{`: "invalidSyntax",
		`{"schemas":["` + bulkURN + `"]}`:                             "invalidSyntax",
		`{"schemas":["` + bulkURN + `"],"Operations":[]}`:             "invalidSyntax",
		`{"schemas":["` + bulkURN + `"],"Operations":{}}`:             "invalidSyntax",
		`{"schemas":["` + patchURN + `"],"Operations":[` + one + `]}`: "invalidSyntax",
		bulkWith(`"failOnErrors":0,`, one):                            "invalidValue",
		bulkWith(`"failOnErrors":"1",`, one):                          "invalidValue",
		bulkWith(`"failOnErrors":1.5,`, one):                          "invalidValue",
	} {
		h.ask("POST", "/Bulk", body).fails(400, scimType)
	}
	h.ask("POST", "/Bulk", bulkBody(one), "Content-Type", "text/plain").fails(415, "")
}

//
func TestBulkFailOnErrors(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	bad := create("x", "/Users", `{"schemas":["`+userURN+`"]}`)
	list := []string{create("1", "/Users", userBody("one")), bad, create("2", "/Users", userBody("two")), with("DELETE", "/Users/"+unknownUser, ""), create("3", "/Users", userBody("three"))}
	h.bulk(bulkWith(`"failOnErrors":2,`, list...), 201, 400, 201, 404)
	if n := h.ask("GET", "/Users", "").num("totalResults"); n != 2 {
		t.Errorf("%d users, want 2", n)
	}
	h.bulk(bulkBody(bad, create("4", "/Users", userBody("four")), with("DELETE", "/Users/"+unknownUser, ""), create("5", "/Users", userBody("five"))), 400, 201, 404, 201)
}

// references in any direction and circle.
func TestBulkReferences(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		// Two groups that name each other, one that names both and a later user.
		r := h.bulk(bulkBody(
			create("all", "/Groups", groupBody("All", "bulkId:a", "bulkId:b", "bulkId:u")),
			create("a", "/Groups", groupBody("A", "bulkId:b", "bulkId:u")),
			create("b", "/Groups", groupBody("B", "bulkId:a")),
			create("u", "/Users", userBody("u@acme.example", `,"`+enterpriseURN+`":{"manager":{"value":"bulkId:v","$ref":"../Users/bulkId:v"}}`)),
			create("v", "/Users", userBody("v@acme.example", `,"`+enterpriseURN+`":{"manager":{"value":"bulkId:u"}}`)),
			with("PATCH", "/Groups/bulkId:b", ops(`{"op":"add","path":"members","value":[{"value":"bulkId:u","$ref":"https://x/Users/bulkId:u"}]}`)),
		), 201, 201, 201, 201, 201, 200)
		id := func(i int) string { return r.made(i) }
		for _, c := range []struct {
			group string
			want  []string
		}{{id(0), []string{id(1), id(2), id(3)}}, {id(1), []string{id(2), id(3)}}, {id(2), []string{id(1), id(3)}}} {
			if got := fmt.Sprint(h.memberIDs(c.group)); got != fmt.Sprint(slices.Sorted(slices.Values(c.want))) {
				t.Errorf("members of %s: %v, want %v", c.group, got, c.want)
			}
		}
		for i, manager := range map[int]int{3: 4, 4: 3} {
			u := h.ask("GET", "/Users/"+id(i), "").want(200)
			if u.str(enterpriseURN, "manager", "value") != id(manager) {
				t.Errorf("manager: %s", u.Body)
			}
			if u.str("meta", "version") != r.str("Operations", i, "version") && i == 4 {
				t.Errorf("version %s in the answer, %s stored", r.str("Operations", i, "version"), u.str("meta", "version"))
			}
		}
		if got := h.ask("GET", "/Groups/"+id(1), "").str("meta", "version"); got != r.str("Operations", 1, "version") {
			t.Errorf("group version %s in the answer, %s stored", r.str("Operations", 1, "version"), got)
		}
	})
}

// What refers to something that failed fails, and leaves nothing behind.
func TestBulkFailedReferences(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	h.group("Taken")
	r := h.bulk(bulkBody(
		create("a", "/Groups", groupBody("A", "bulkId:b")),
		create("b", "/Groups", groupBody("B", "bulkId:c")),
		create("c", "/Groups", groupBody("Taken", "bulkId:a")),
		create("d", "/Groups", groupBody("D", "bulkId:a")),
		with("PATCH", "/Groups/bulkId:d", ops(`{"op":"replace","path":"displayName","value":"E"}`)),
		create("e", "/Groups", groupBody("E", "bulkId:f")),
		create("f", "/Groups", `{"schemas":["`+groupURN+`"],"displayName":"F","members":[{"value":"bulkId:e"},{"value":"bulkId:nobody"}]}`),
	), 409, 409, 409, 409, 409, 409, 409)
	for i, word := range []string{"bulkId:c", "bulkId:c", "displayName", "bulkId:a", "bulkId:d", "bulkId:f", "bulkId:nobody"} {
		if detail := r.str("Operations", i, "response", "detail"); !strings.Contains(detail, word) {
			t.Errorf("operation %d: %q does not name %s", i, detail, word)
		}
	}
	if n := h.ask("GET", "/Groups", "").num("totalResults"); n != 1 {
		t.Errorf("%d groups remain, want 1", n)
	}
}

// TestBulkAmplification is security S16: membership work, rate and Bulks at
// once are bounded.
func TestBulkAmplification(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	g := h.group("Large")
	h.manyMembers(g, 2000)
	now := time.Now()
	h.open(h.store, scim.Config{Rate: 200, Burst: 400, Now: func() time.Time { return now }})
	list := make([]string, 1000)
	for i := range list { // each looks at all members
		list[i] = with("PATCH", "/Groups/"+g, ops(`{"op":"remove","path":"members[type eq \"Group\"]"}`))
	}
	list[0] = with("PUT", "/Groups/"+g, groupBody("Large", h.memberIDs(g)...))
	r := h.ask("POST", "/Bulk", bulkBody(list...)).want(200)
	passed := 0
	for i := range list {
		switch s := r.str("Operations", i, "status"); s {
		case "200", "204":
			passed++
		case "429":
		default:
			t.Fatalf("operation %d: %s", i, s)
		}
	}
	if passed < 45 || passed > 55 {
		t.Errorf("%d walks over 2 000 members passed, want about 50", passed)
	}
	// The Bulk was let through into debt: 602 requests, more than three seconds.
	if r := h.ask("GET", "/ServiceProviderConfig", "").fails(429, ""); r.Header().Get("Retry-After") != "4" {
		t.Errorf("Retry-After %s", r.Header().Get("Retry-After"))
	}
	now = now.Add(4 * time.Second)
	h.ask("GET", "/ServiceProviderConfig", "").want(200)
}

// Two Bulks of an organization at once; the third is told to come back (S16).
func TestBulkAtOnce(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	h.ask("GET", "/ServiceProviderConfig", "").want(200) // the token is cached now
	entered, leave := make(chan bool), make(chan bool)
	id, g := h.user("u"), h.group("G")
	h.open(&brokenStore{Store: h.store, get: func() error {
		select {
		case entered <- true:
			<-leave
		case <-leave:
		}
		return nil
	}}, scim.Config{})
	body := bulkBody(with("PATCH", "/Groups/"+g, ops(`{"op":"add","path":"members","value":`+memberList(id)+`}`)))
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() { h.ask("POST", "/Bulk", body) })
		<-entered
	}
	if r := h.ask("POST", "/Bulk", body).fails(429, ""); r.Header().Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q", r.Header().Get("Retry-After"))
	}
	close(leave)
	wg.Wait()
}

// A token's scopes hold for each operation.
func TestBulkScope(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	users := h.newToken("acme", resources.TokenSpec{Scopes: []resources.Scope{resources.ScopeUsers}})
	r := h.askAs(users, "POST", "/orgs/acme/scim/v2/Bulk", bulkBody(create("u", "/Users", userBody("u")), create("g", "/Groups", groupBody("G")))).want(200)
	if r.str("Operations", 0, "status") != "201" || r.str("Operations", 1, "status") != "403" {
		t.Error(r.Body)
	}
}

// bulkStranger checks that an operation on another organization's id is
// answered like one on an id that nobody has (security S1).
func (h *house) bulkStranger(method, path, body, foreign, nobody string) {
	h.t.Helper()
	ask := func(id string) string {
		fill := func(s string) string { return strings.ReplaceAll(s, "{id}", id) }
		op := `{"method":"` + method + `","bulkId":"x","path":"` + fill(path) + `"}`
		if body != "" {
			op = op[:len(op)-1] + `,"data":` + fill(body) + `}`
		}
		r := h.ask("POST", "/Bulk", bulkBody(op)).want(200)
		if s := r.str("Operations", 0, "status"); s != "404" && s != "400" {
			h.t.Errorf("%s %s in a Bulk: %s", method, path, r.Body)
		}
		return strings.ReplaceAll(r.Body.String(), id, "{id}")
	}
	if a, b := ask(nobody), ask(foreign); a != b {
		h.t.Errorf("%s %s in a Bulk: answers differ\n%s\n%s", method, path, a, b)
	}
}

// When time is up the operations that were not begun say so, each of them.
func TestBulkLate(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	id, g := h.user("u"), h.group("G")
	ctx, cancel := context.WithCancel(t.Context())
	h.open(&brokenStore{Store: h.store, get: func() error { cancel(); return nil }}, scim.Config{})
	body := bulkBody(
		with("PATCH", "/Groups/"+g, ops(`{"op":"add","path":"members","value":`+memberList(id)+`}`)),
		create("late", "/Users", userBody("late")),
		with("DELETE", "/Users/"+id, ""),
	)
	r := httptest.NewRequest("POST", "/orgs/acme/scim/v2/Bulk", strings.NewReader(body)).WithContext(ctx)
	r.Header.Set("Authorization", "Bearer "+h.token["acme"])
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if n := strings.Count(w.Body.String(), `"status":"503"`); w.Code != 200 || n < 4 || !strings.Contains(w.Body.String(), "was not begun; send it again") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	h.bulk(body, 200, 201, 204)
}
