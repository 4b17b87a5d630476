package admin_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/admin"
	"github.com/usher-scim/usher/resources"
)

// providers makes the door ask a provider that publishes these endpoints, or none.
func (h *house) providers(discover func(context.Context, string) (resources.Endpoints, error)) {
	h.Helper()
	log := slog.New(slog.NewTextHandler(h.Output(), nil))
	door, err := admin.New(admin.Config{
		Directory: h.directory, Log: log, Now: time.Now, Rand: rand.Reader, PublicURL: "https://usher.example/", Discover: discover,
	})
	if err != nil {
		h.Fatal(err)
	}
	h.door = door
}

// TestConnections: an administrator connects a provider, sees what to register
// there, changes, tests and removes the connection; the secret is in no answer
// (security O7).
func TestConnections(t *testing.T) {
	h := open(t, "")
	asked := 0
	ends := resources.Endpoints{Authorization: "https://idp.example/auth", Token: "https://idp.example/token", JWKS: "https://idp.example/keys"}
	h.providers(func(_ context.Context, issuer string) (resources.Endpoints, error) {
		asked++
		if issuer != "https://idp.example" {
			return ends, &resources.Error{Code: resources.CodeInvalidValue, Field: "issuer", Detail: "It does not answer."}
		}
		return ends, nil
	})
	h.want(201, "POST", "/api/v1/orgs", `{"slug":"acme"}`)
	const list, secret = "/api/v1/orgs/acme/connections", "s3cr3t-of-acme"
	w := h.ask("POST", list, `{"name":"idp","issuer":"https://idp.example","clientId":"usher","clientSecret":"`+secret+`"}`)
	if w.Code != 201 || strings.Contains(w.Body.String(), secret) || w.Header().Get("ETag") == "" || w.Header().Get("Location") == "" {
		t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	made := decoded(t, w)
	register := object(made["register"])
	if made["hasSecret"] != true || made["jit"] != "auto" || object(made["endpoints"])["token"] != "https://idp.example/token" ||
		register["redirectUri"] != "https://usher.example/sso/acme/idp/callback" || register["backChannelLogoutUri"] != "https://usher.example/sso/acme/idp/logout" {
		t.Errorf("made %v", made)
	}
	one := list + "/idp"
	patch := func(status int, body string) map[string]any {
		t.Helper()
		w := h.ask("PATCH", one, body, "Content-Type: application/merge-patch+json")
		if w.Code != status || strings.Contains(w.Body.String(), secret) {
			t.Fatalf("%s: %d %s", body, w.Code, w.Body)
		}
		return decoded(t, w)
	}
	before := asked
	if got := patch(200, `{"label":"Acme","off":true,"jit":"off","claims":{"externalId":"employee"}}`); got["off"] != true || got["jit"] != "off" || got["hasSecret"] != true || asked != before {
		t.Errorf("changed %v, asked %d times", got, asked-before)
	}
	patch(422, `{"issuer":"https://gone.example"}`)
	patch(422, `{"algs":["HS256"]}`)
	patch(200, `{"off":null}`)
	if asked != before+2 {
		t.Errorf("the provider was asked %d times, want at another issuer and at switching on", asked-before)
	}
	key := patch(200, `{"method":"private_key_jwt"}`)
	if object(key["publicKey"])["kty"] != "EC" || object(key["publicKey"])["d"] != nil || object(key["register"])["jwksUri"] != "https://usher.example/sso/acme/idp/jwks.json" {
		t.Errorf("key %v", key)
	}
	if w := h.ask("PATCH", one, `{"label":"x"}`, "Content-Type: application/merge-patch+json", `If-Match: W/"other"`); w.Code != 412 {
		t.Errorf("If-Match: %d", w.Code)
	}
	ends.Token = "https://moved.example/token"
	if got := h.want(200, "POST", one+"/discover", ""); object(got["endpoints"])["token"] != "https://moved.example/token" {
		t.Errorf("discovered %v", got)
	}
	trial := h.want(201, "POST", one+"/test", "")
	id, _ := trial["id"].(string)
	if trial["url"] != "https://usher.example/sso/acme/idp/test?t="+id || trial["state"] != "waiting" {
		t.Errorf("test %v", trial)
	}
	h.want(200, "GET", one+"/tests/"+id, "")
	h.want(404, "GET", one+"/tests/none", "")
	h.want(428, "DELETE", one, "")
	h.want(204, "DELETE", one+"?confirm=true", "")
	h.want(404, "GET", one, "")
}

// TestConnectionRefused: a provider that cannot be used is not kept, and the answer
// says why.
func TestConnectionRefused(t *testing.T) {
	h := open(t, "")
	h.providers(func(context.Context, string) (resources.Endpoints, error) {
		return resources.Endpoints{}, errors.New("down")
	})
	h.want(201, "POST", "/api/v1/orgs", `{"slug":"acme"}`)
	const body = `{"name":"idp","issuer":"https://idp.example","clientId":"usher","method":"none"}`
	if w := h.ask("POST", "/api/v1/orgs/acme/connections", body); w.Code != 500 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if got := h.want(200, "GET", "/api/v1/orgs/acme/connections", ""); len(array(got["items"])) != 0 {
		t.Errorf("kept %v", got)
	}
}

// TestAccess: sessions, links and refused sign-ins as administrators see them.
func TestAccess(t *testing.T) {
	h := open(t, "")
	h.providers(nil)
	ctx := t.Context()
	h.want(201, "POST", "/api/v1/orgs", `{"slug":"acme"}`)
	user, _ := h.want(201, "POST", "/api/v1/orgs/acme/users", `{"email":"zoe@acme.example"}`)["id"].(string)
	made := h.want(201, "POST", "/api/v1/orgs/acme/connections", `{"name":"idp","issuer":"https://idp.example","clientId":"usher","method":"none"}`)
	org, cn, err := h.directory.DoorConnection(ctx, "acme", "idp")
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	a := resources.Assertion{Connection: cn, Issuer: cn.Issuer, Subject: "sub-1", Email: "zoe@acme.example", Verified: &yes}
	if _, _, err := h.directory.SignIn(ctx, org, a, resources.Visitor{Address: "192.0.2.7", Agent: "Browser"}); err != nil {
		t.Fatal(err)
	}
	a.Subject = "sub-2"
	if _, _, err := h.directory.SignIn(ctx, org, a, resources.Visitor{Address: "192.0.2.8"}); err == nil {
		t.Fatal("another subject comes in")
	}
	base := "/api/v1/orgs/acme/users/" + user
	sessions := array(h.want(200, "GET", base+"/sessions", "")["items"])
	if len(sessions) != 1 || object(sessions[0])["agent"] != "Browser" || object(sessions[0])["connection"] != made["id"] || object(sessions[0])["secret"] != nil {
		t.Errorf("sessions %v", sessions)
	}
	links := array(h.want(200, "GET", base+"/links", "")["items"])
	if len(links) != 1 || object(links[0])["subject"] != "sub-1" || object(links[0])["by"] != "email" {
		t.Errorf("links %v", links)
	}
	refusals := array(h.want(200, "GET", "/api/v1/orgs/acme/sign-in-refusals?user="+user, "")["items"])
	if len(refusals) != 1 || object(refusals[0])["code"] != "sso_conflict" || object(refusals[0])["from"] != "192.0.2.8" || object(refusals[0])["reason"] == "" {
		t.Errorf("refusals %v", refusals)
	}
	id, _ := object(sessions[0])["id"].(string)
	h.want(204, "DELETE", base+"/sessions/"+id, "")
	h.want(404, "DELETE", base+"/sessions/"+id, "")
	h.want(204, "DELETE", base+"/sessions", "")
	h.want(404, "DELETE", base+"/links/"+id, "")
	link, _ := made["id"].(string)
	h.want(204, "DELETE", base+"/links/"+link, "")
	h.want(204, "DELETE", base+"/links", "")
	if got := array(h.want(200, "GET", base+"/links", "")["items"]); len(got) != 0 {
		t.Errorf("links %v", got)
	}
}
