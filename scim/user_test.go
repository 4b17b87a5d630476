package scim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/scim"
)

// R-23…: what a create answers.
func TestCreateUser(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		body := userBody("Amelie@acme.example", `,"id":"mine","meta":{"version":"x"},"externalId":"E-1","active":"True","title":null,"emails":[{"value":"Amelie@Acme.example","type":"work","primary":true}],"name":{"GivenName":"Amélie"}`)
		r := h.ask("POST", "/Users", body).want(201)
		id := r.str("id")
		location := publicURL + "/orgs/acme/scim/v2/Users/" + id
		if id == "mine" || len(id) != 20 {
			t.Errorf("id %q", id)
		}
		if r.Header().Get("Location") != location || r.str("meta", "location") != location {
			t.Errorf("Location %q, meta.location %q", r.Header().Get("Location"), r.str("meta", "location"))
		}
		if tag := r.Header().Get("ETag"); tag != `W/"1"` || tag != r.str("meta", "version") {
			t.Errorf("ETag %q, meta.version %q", tag, r.str("meta", "version"))
		}
		if r.str("meta", "created") != r.str("meta", "lastModified") || r.str("meta", "resourceType") != "User" {
			t.Errorf("meta %v", r.at("meta"))
		}
		if at, err := time.Parse("2006-01-02T15:04:05.000Z", r.str("meta", "created")); err != nil || time.Since(at) > time.Minute {
			t.Errorf("created %q", r.str("meta", "created"))
		}
		if r.at("active") != true || r.str("userName") != "Amelie@acme.example" || r.str("emails", 0, "value") != "Amelie@Acme.example" || r.at("title") != nil || r.str("name", "givenName") != "Amélie" || r.at("groups") != nil {
			t.Errorf("not as sent: %s", r.Body)
		}
		get := h.ask("GET", "/Users/"+id, "").want(200)
		if get.Body.String() != r.Body.String() {
			t.Errorf("GET differs from POST\n%s\n%s", get.Body, r.Body)
		}
		list := h.ask("GET", "/Users?filter=externalId+eq+%22E-1%22", "").want(200)
		if !strings.Contains(list.Body.String(), get.Body.String()) {
			t.Errorf("the list shows another user than GET\n%s\n%s", list.Body, get.Body)
		}
	})
}

// TestDuplicatePost is security S5, R-52, L-33: the second POST is 409, names
// the id, and changes nothing.
func TestDuplicatePost(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		id := h.ask("POST", "/Users", userBody("dup@acme.example", `,"title":"Boss"`)).want(201).str("id")
		for _, name := range []string{"dup@acme.example", "DUP@ACME.example"} {
			r := h.ask("POST", "/Users", userBody(name)).fails(409, "uniqueness")
			if !strings.Contains(r.str("detail"), id) || !strings.HasPrefix(r.str("detail"), "user_name_in_use: ") {
				t.Errorf("detail %q", r.str("detail"))
			}
		}
		r := h.ask("POST", "/Users", userBody("another", `,"emails":[{"value":"Dup@ACME.example"}]`)).fails(409, "uniqueness")
		if !strings.HasPrefix(r.str("detail"), "email_in_use: ") {
			t.Errorf("detail %q", r.str("detail"))
		}
		if got := h.ask("GET", "/Users/"+id, "").want(200).str("title"); got != "Boss" {
			t.Errorf("title %q", got)
		}
		h.group("Team")
		h.ask("POST", "/Groups", groupBody("TEAM")).fails(409, "uniqueness")
	})
}

// TestExternalIdIsNotId is security S4, R-25.
func TestExternalIdIsNotId(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		first := h.user("first@acme.example")
		before := h.ask("GET", "/Users/"+first, "").Body.String()
		for i, external := range []string{"1", "0", "admin", first, first} {
			r := h.ask("POST", "/Users", userBody("ext"+itoa(i), `,"externalId":`+quote(external))).want(201)
			if r.str("id") == external || r.str("externalId") != external {
				t.Errorf("externalId %q: %s", external, r.Body)
			}
			h.ask("GET", "/Users/"+external, "").want(map[bool]int{true: 200, false: 404}[external == first])
		}
		if after := h.ask("GET", "/Users/"+first, "").Body.String(); after != before {
			t.Errorf("the first user changed:\n%s\n%s", before, after)
		}
	})
}

// TestMassAssignment is security S7, L-13, L-14, R-24, R-51.
func TestMassAssignment(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		group := h.group("Admins")
		body := `{"schemas":["` + userURN + `","urn:evil:1.0"],"userName":"mass","id":"x","meta":{"created":"2001-01-01T00:00:00Z","resourceType":"Group"},
			"groups":[{"value":"` + group + `"}],"tenantId":"rival","isAdmin":true,"urn:evil:1.0":{"a":1},"org":"rival"}`
		r := h.ask("POST", "/Users", body).want(201)
		for _, word := range []string{"tenantId", "isAdmin", "evil", "2001", "rival", group} {
			if strings.Contains(r.Body.String(), word) {
				t.Errorf("%q was stored: %s", word, r.Body)
			}
		}
		r = h.ask("PUT", "/Users/"+r.str("id"), body).want(200)
		if r.at("groups") != nil || len(h.memberIDs(group)) != 0 {
			t.Errorf("groups written through the user: %s", r.Body)
		}
	})
}

// TestScimPassword is security S10, R-32, OKT-03, OKT-08.
func TestScimPassword(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		const secret = "Kx7-throwaway-SECRET"
		r := h.ask("POST", "/Users", userBody("pw@acme.example", `,"password":"`+secret+`"`)).want(201)
		id := r.str("id")
		bodies := r.Body.String()
		bodies += h.ask("PATCH", "/Users/"+id, ops(`{"op":"replace","value":{"password":"`+secret+`"}}`)).want(200).Body.String()
		bodies += h.ask("PATCH", "/Users/"+id, ops(`{"op":"replace","path":"password","value":"`+secret+`"}`)).want(200).Body.String()
		bodies += h.ask("PUT", "/Users/"+id, userBody("pw@acme.example", `,"password":"`+secret+`"`)).want(200).Body.String()
		bodies += h.ask("GET", "/Users/"+id+"?attributes=password", "").want(200).Body.String()
		bodies += h.ask("GET", "/Users", "").want(200).Body.String()
		bodies += h.ask("GET", "/Users?filter=password+eq+%22"+secret+"%22", "").fails(400, "invalidFilter").Body.String()
		if strings.Contains(strings.ToLower(bodies), strings.ToLower(secret)) || strings.Contains(h.log.String(), secret) {
			t.Errorf("the password came back or was logged")
		}
		if h.ask("GET", "/Users/"+id, "").Header().Get("ETag") != `W/"1"` {
			t.Errorf("a password made a new version")
		}
		if strings.Contains(h.ask("GET", "/Schemas", "").Body.String(), `"name":"password"`) {
			t.Error("password is published")
		}
	})
}

// R-82…R-87, L-21, L-22, domain.md §5.7.3.
func TestReplaceUser(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		extension := `,"` + enterpriseURN + `":{"department":"Support"}`
		r := h.ask("POST", "/Users", userBody("put@acme.example", `,"active":false,"title":"Boss","nickName":"P"`, extension)).want(201)
		id, created := r.str("id"), r.str("meta", "created")

		echo := h.ask("PUT", "/Users/"+id, r.Body.String()).want(200) // L-21
		if echo.Header().Get("ETag") != `W/"1"` || echo.str("meta", "lastModified") != r.str("meta", "lastModified") {
			t.Errorf("a PUT of the same made a new version: %s", echo.Body)
		}
		r = h.ask("PUT", "/Users/"+id, userBody("put@acme.example", `,"nickName":"Q"`)).want(200)
		if r.at("title") != nil || r.str("nickName") != "Q" {
			t.Errorf("omitted attributes are cleared (R-86): %s", r.Body)
		}
		if r.at("active") != false || r.str(enterpriseURN, "department") != "Support" || r.said("schemas") != `["`+userURN+`","`+enterpriseURN+`"]` {
			t.Errorf("active and the extension must stay (L-22): %s", r.Body)
		}
		if r.Header().Get("ETag") != `W/"2"` || r.str("meta", "created") != created {
			t.Errorf("meta after PUT: %v", r.at("meta"))
		}
		r = h.ask("PUT", "/Users/"+id, userBody("put@acme.example", `,"active":true,"`+enterpriseURN+`":{"costCenter":"7"}`)).want(200)
		if r.at("active") != true || r.at(enterpriseURN, "department") != nil || r.str(enterpriseURN, "costCenter") != "7" {
			t.Errorf("a present extension replaces: %s", r.Body)
		}
		r = h.ask("PUT", "/Users/"+id, userBody("put@acme.example", `,"`+enterpriseURN+`":null`)).want(200)
		if r.at(enterpriseURN) != nil || r.said("schemas") != `["`+userURN+`"]` {
			t.Errorf("null clears the extension: %s", r.Body)
		}
		h.ask("PUT", "/Users/"+id, `{"schemas":["`+userURN+`"]}`).fails(400, "invalidValue")
		h.user("taken@acme.example")
		h.ask("PUT", "/Users/"+id, userBody("taken@acme.example")).fails(409, "uniqueness")
		h.ask("PUT", "/Users/"+id[:9]+other(id[9])+id[10:], userBody("x")).fails(404, "")
		h.ask("PUT", "/Users/"+id, `{"schemas":["`+groupURN+`"],"userName":"x"}`).fails(400, "invalidSyntax")
		h.ask("PUT", "/Users/"+id+"?attributes=userName", userBody("put@acme.example")).want(200)
		if r := h.ask("GET", "/Users/"+id, ""); r.str("userName") != "put@acme.example" {
			t.Errorf("after refused writes: %s", r.Body)
		}
	})
}

// R-88…R-108 over HTTP: a few; the rest is tested with the engine.
func TestPatchUser(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		id := h.user("patch@acme.example")
		r := h.ask("PATCH", "/Users/"+id, ops(`{"op":"Replace","path":"active","value":"False"}`,
			`{"op":"add","path":"emails","value":[{"type":"work","value":"patch@acme.example"}]}`,
			`{"op":"replace","value":{"name.familyName":"Roux","`+enterpriseURN+`:department":"Support"}}`)).want(200)
		if r.at("active") != false || r.str("emails", 0, "type") != "work" || r.str("name", "familyName") != "Roux" || r.str(enterpriseURN, "department") != "Support" {
			t.Errorf("after PATCH: %s", r.Body)
		}
		if r.Header().Get("ETag") != `W/"2"` || r.str("meta", "version") != `W/"2"` {
			t.Errorf("ETag %q", r.Header().Get("ETag"))
		}
		before := r.Body.String()
		r = h.ask("PATCH", "/Users/"+id, ops(`{"op":"replace","path":"active","value":false}`)).want(200)
		if r.Body.String() != before {
			t.Errorf("a PATCH that changes nothing changed something\n%s\n%s", before, r.Body)
		}
		h.ask("PATCH", "/Users/"+id, ops(`{"op":"replace","path":"title","value":"x"}`, `{"op":"remove","path":"userName"}`)).fails(400, "mutability")
		if got := h.ask("GET", "/Users/"+id, "").Body.String(); got != before {
			t.Errorf("a refused PATCH changed something\n%s\n%s", before, got)
		}
		r = h.ask("PATCH", "/Users/"+id+"?attributes=title", ops(`{"op":"replace","path":"title","value":"x"}`)).want(200)
		if r.str("title") != "x" || r.str("id") != id || r.at("userName") != nil {
			t.Errorf("projection: %s", r.Body)
		}
		h.ask("PATCH", "/Users/"+id[:9]+other(id[9])+id[10:], ops(`{"op":"replace","path":"title","value":"x"}`)).fails(404, "")
		h.user("taken@acme.example")
		h.ask("PATCH", "/Users/"+id, ops(`{"op":"replace","path":"userName","value":"Taken@acme.example"}`)).fails(409, "uniqueness")
	})
}

// R-109…R-111: gone is gone, and the name is free again.
func TestDeleteUser(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		id := h.user("gone@acme.example")
		r := h.ask("DELETE", "/Users/"+id, "").want(204)
		if r.Body.Len() != 0 || r.Header().Get("Content-Type") != "" {
			t.Errorf("204 with body or type: %q %v", r.Body, r.Header())
		}
		for _, m := range []string{"GET", "PUT", "PATCH", "DELETE", "HEAD"} {
			h.ask(m, "/Users/"+id, bodyFor(m, "User")).want(404)
		}
		if n := h.ask("GET", "/Users", "").num("totalResults"); n != 0 {
			t.Errorf("%d users left", n)
		}
		if again := h.user("gone@acme.example"); again == id {
			t.Error("the id was used again")
		}
	})
}

// bodies that are wrong, each with the field named.
func TestBadUsers(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	for _, c := range []struct{ body, scimType, word string }{
		{`{}`, "invalidSyntax", "schemas"},
		{`[]`, "invalidSyntax", "object"},
		{`{"schemas":["` + userURN + `"]}`, "invalidValue", "userName"},
		{`{"schemas":["` + userURN + `"],"userName":""}`, "invalidValue", "userName"},
		{`{"schemas":["` + userURN + `"],"userName":5}`, "invalidValue", "userName"},
		{userBody("a", `,"active":"maybe"`), "invalidValue", "active"},
		{userBody("a", `,"emails":[{"value":"a@b.c","primary":true},{"value":"d@e.f","primary":true}]`), "invalidValue", "emails"},
	} {
		r := h.ask("POST", "/Users", c.body).fails(400, c.scimType)
		if !strings.Contains(r.str("detail"), c.word) {
			t.Errorf("%s: the detail does not name %s: %s", c.body, c.word, r.str("detail"))
		}
	}
}
