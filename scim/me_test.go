package scim_test

import (
	"context"
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim"
)

// R-128: /Me is the user that the token stands for, with the permanent address.
func TestMe(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		id, other := h.user("me@acme.example"), h.user("other@acme.example")
		here := "/orgs/acme/scim/v2"
		me := h.newToken("acme", resources.TokenSpec{User: id})
		all := h.newToken("acme", resources.TokenSpec{User: id, Scopes: []resources.Scope{resources.ScopeSCIM}})
		get := h.askAs(me, "GET", here+"/Me?attributes=userName", "").want(200)
		where := publicURL + here + "/Users/" + id
		if get.str("id") != id || get.Header().Get("Location") != where || get.Header().Get("Content-Location") != where || get.Header().Get("ETag") == "" {
			t.Errorf("GET /Me: %v %s", get.Header(), get.Body)
		}
		h.askAs(me, "GET", here+"/me", "", "If-None-Match", get.Header().Get("ETag")).want(304)
		h.askAs(me, "GET", here+"/Users/"+id, "").want(200)
		for _, path := range []string{"/Users/" + other, "/Users", "/Groups", "/"} {
			h.askAs(me, "GET", here+path, "").fails(403, "")
		}
		for _, method := range []string{"PUT", "PATCH", "DELETE"} {
			h.askAs(me, method, here+"/Me", bodyFor(method, "User")).fails(403, "")
		}
		h.askAs(all, "POST", here+"/Me", userBody("x")).fails(501, "")
		if r := h.askAs(all, "PATCH", here+"/Me", ops(`{"op":"add","path":"title","value":"I"}`)).want(200); r.str("title") != "I" || r.Header().Get("Location") != where {
			t.Errorf("PATCH /Me: %s", r.Body)
		}
		h.askAs(all, "PUT", here+"/Me", userBody("me2@acme.example"), "If-Match", `W/"9"`).fails(412, "")
		h.askAs(all, "PUT", here+"/Me", userBody("me2@acme.example")).want(200)
		h.askAs(all, "DELETE", here+"/Me", "").want(204)
		h.ask("GET", "/Users/"+id, "").want(404)
	})
}

// A token that stands for a user stops working within five seconds after the
// user is deactivated or deleted, and works again when the user is active.
func TestMeEnds(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		id := h.user("me@acme.example")
		now := time.Now()
		h.open(h.store, scim.Config{Now: func() time.Time { return now }})
		token := h.newToken("acme", resources.TokenSpec{User: id})
		ask := func(status int) {
			t.Helper()
			now = now.Add(5 * time.Second)
			h.askAs(token, "GET", "/orgs/acme/scim/v2/Me", "").want(status)
		}
		active := func(value string) {
			t.Helper()
			h.ask("PATCH", "/Users/"+id, ops(`{"op":"replace","path":"active","value":`+value+`}`)).want(200)
		}
		ask(200)
		active("false")
		ask(401)
		active("true")
		ask(200)
		h.ask("DELETE", "/Users/"+id, "").want(204)
		ask(401)
	})
}

func TestMeToken(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	id := h.user("me@acme.example")
	stranger := h.askAs(h.token["rival"], "POST", "/orgs/rival/scim/v2/Users", userBody("they@rival.example")).want(201).str("id")
	for name, c := range map[string]struct {
		slug string
		spec resources.TokenSpec
	}{
		"no id":                {"acme", resources.TokenSpec{User: "me"}},
		"a group":              {"acme", resources.TokenSpec{User: h.group("G")}},
		"nobody":               {"acme", resources.TokenSpec{User: "0000000000" + id[10:]}},
		"another organization": {"acme", resources.TokenSpec{User: stranger}},
		"an operator":          {"platform", resources.TokenSpec{User: id}},
		"scope without user":   {"acme", resources.TokenSpec{Scopes: []resources.Scope{resources.ScopeMe}}},
	} {
		_, _, err := h.dir.CreateToken(context.Background(), h.admin, c.slug, c.spec)
		if !resources.HasCode(err, resources.CodeInvalidValue) {
			t.Errorf("%s: %v, want invalid_value", name, err)
		}
	}
	first, _, err := h.dir.CreateToken(context.Background(), h.admin, "acme", resources.TokenSpec{User: id})
	if err != nil || first.User != id || len(first.Scopes) != 1 || first.Scopes[0] != resources.ScopeMe {
		t.Fatalf("%+v, %v", first, err)
	}
	second, _, err := h.dir.RotateToken(context.Background(), h.admin, "acme", first.ID)
	if err != nil || second.User != id {
		t.Errorf("rotated: %+v, %v", second, err)
	}
}
