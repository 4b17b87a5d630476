package scim_test

import (
	"context"
	"testing"

	"github.com/usher-scim/usher/resources"
)

// entering makes people of acme come in by a provider.
func (h *house) entering() func(email string) string {
	h.t.Helper()
	ctx := context.Background()
	c, err := h.dir.Operate(ctx, h.admin, "acme")
	if err != nil {
		h.t.Fatal(err)
	}
	var spec resources.ConnectionSpec
	spec.Name, spec.Issuer, spec.ClientID, spec.Method = "idp", "https://idp.acme.example", "usher", "client_secret_basic"
	spec.ClientSecret = "a secret of the provider"
	spec.Endpoints = resources.Endpoints{
		Authorization: "https://idp.acme.example/authorize", Token: "https://idp.acme.example/token", JWKS: "https://idp.acme.example/keys",
	}
	conn, err := h.dir.CreateConnection(ctx, c, spec)
	if err != nil {
		h.t.Fatal(err)
	}
	return func(email string) string {
		h.t.Helper()
		yes := true
		a := resources.Assertion{Connection: conn, Issuer: conn.Issuer, Subject: "sub-" + email, Email: email, Verified: &yes}
		cookie, _, err := h.dir.SignIn(ctx, c.Org, a, resources.Visitor{Address: "192.0.2.1"})
		if err != nil {
			h.t.Fatal(err)
		}
		return cookie
	}
}

// The life of a user in SCIM (domain.md §3.1, §5.4, BR-113): who signs in is active
// at once, filters know it, and an identity provider's active=false ends the session
// at the next look (security O10, V11).
func TestLifecycleOfUsers(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		enter := h.entering()
		id := h.ask("POST", "/Users", userBody("zoe@acme.example", `,"emails":[{"value":"zoe@acme.example"}]`)).want(201).str("id")
		h.ask("POST", "/Users", userBody("eva@acme.example", `,"emails":[{"value":"eva@acme.example"}]`)).want(201)
		cookie := enter("zoe@acme.example")

		r := h.ask("GET", "/Users/"+id, "").want(200)
		r.holds(`"active"`, lifecycleURN, "state")
		r.holds(`true`, lifecycleURN, "emailVerified")
		r.holds(`false`, lifecycleURN, "invitePending")
		r.holds(`"sso"`, lifecycleURN, "activationMethod")
		r.holds(`null`, lifecycleURN, "firstSignInAt") // shown on request
		r = h.ask("GET", "/Users/"+id+"?attributes="+lifecycleURN+":firstSignInAt,"+lifecycleURN+":activatedAt,"+lifecycleURN+":lastSignInAt", "").want(200)
		if first := r.str(lifecycleURN, "firstSignInAt"); first == "" || first != r.str(lifecycleURN, "activatedAt") || first != r.str(lifecycleURN, "lastSignInAt") {
			t.Errorf("times %s", r.Body)
		}
		for filter, want := range map[string]int{
			`state eq "active"`: 1, `state eq "verified"`: 0, `state ne "active"`: 1, lifecycleURN + `:emailVerified eq true`: 1, lifecycleURN + `:emailVerified eq false`: 1,
			`invitePending eq true and userName sw "eva"`: 1, `activationMethod eq "sso"`: 1, `activationMethod pr`: 1, `firstSignInAt pr`: 1,
			`lastSignInAt gt "2020-01-01T00:00:00Z"`: 1, `not (activatedAt pr)`: 1, `domainStatus eq "none"`: 2, `domainStatus eq "verified"`: 0,
		} {
			if got := len(h.ids("/Users", filter)); got != want {
				t.Errorf("%s: %d found, want %d", filter, got, want)
			}
		}

		before := h.profile("/Users/" + id)
		h.ask("PUT", "/Users/"+id, h.ask("GET", "/Users/"+id, "").Body.String()).want(200)
		h.ask("PATCH", "/Users/"+id, ops(`{"op":"replace","path":"`+lifecycleURN+`:state","value":"verified"}`)).fails(400, "mutability")
		h.ask("PATCH", "/Users/"+id, ops(`{"op":"add","value":{"`+lifecycleURN+`":{"emailVerified":false,"firstSignInAt":"2001-01-01T00:00:00Z"}}}`)).want(200)
		if h.profile("/Users/"+id) != before {
			t.Error("a client has changed what only usher writes")
		}

		h.ask("PATCH", "/Users/"+id, ops(`{"op":"replace","path":"active","value":false}`)).want(200).holds(`"inactive"`, lifecycleURN, "state")
		if _, err := h.dir.Session(context.Background(), cookie); !resources.HasCode(err, resources.CodeUnauthenticated) {
			t.Errorf("the session of an inactive user: %v", err)
		}
		r = h.ask("PATCH", "/Users/"+id, ops(`{"op":"replace","path":"active","value":true}`)).want(200)
		r.holds(`"active"`, lifecycleURN, "state")
		r.holds(`true`, "active")
		if _, err := h.dir.Session(context.Background(), cookie); !resources.HasCode(err, resources.CodeUnauthenticated) {
			t.Errorf("a session from before the deactivation: %v", err)
		}
	})
}
