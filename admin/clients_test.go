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
	"github.com/usher-scim/usher/internal/jwks"
	"github.com/usher-scim/usher/internal/outbound"
	"github.com/usher-scim/usher/resources"
)

const clients = "/api/v1/orgs/demo/clients"

const edKeys = `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`

func TestLifeOfAClient(t *testing.T) {
	h := open(t, "")
	made := h.want(201, "POST", clients, `{"name":"okta","method":"client_secret","scopes":["users"],"profile":"okta","token_lifetime":"2h","secret_lifetime":"730d"}`)
	id, _ := made["id"].(string)
	secret, _ := made["client_secret"].(string)
	if made["token_lifetime"] != "120m" || !strings.HasPrefix(secret, "ushs_") || made["secret_id"] == "" {
		t.Fatalf("created %v", made)
	}
	grant := resources.Grant{Org: "demo", Client: id, Secret: secret}
	if _, _, err := h.directory.ClientToken(t.Context(), grant); err != nil {
		t.Fatalf("the secret does not work: %v", err)
	}
	w := h.ask("GET", clients, "")
	if w.Code != 200 || strings.Contains(w.Body.String(), secret) || strings.Contains(w.Body.String(), "hash") {
		t.Errorf("the list tells secrets: %d %s", w.Code, w.Body)
	}
	second := h.want(201, "POST", clients+"/"+id+"/secrets", `{"lifetime":"400d"}`)
	if second["client_secret"] == secret || second["id"] != id {
		t.Errorf("rotated %v", second)
	}
	if got := h.want(409, "POST", clients+"/"+id+"/secrets", `{}`); got["code"] != "too_many_secrets" {
		t.Errorf("a third secret: %v", got)
	}
	first, _ := made["secret_id"].(string)
	h.want(204, "DELETE", clients+"/"+id+"/secrets/"+first, "")
	h.want(404, "DELETE", clients+"/"+id+"/secrets/"+first, "")
	if _, _, err := h.directory.ClientToken(t.Context(), grant); !resources.HasCode(err, resources.CodeUnauthenticated) {
		t.Errorf("a revoked secret: %v", err)
	}
	h.want(204, "DELETE", clients+"/"+id, "")
	h.want(404, "DELETE", clients+"/"+id, "")
	if got := h.want(200, "GET", clients, ""); got["total"] != 0.0 {
		t.Errorf("after deletion: %v", got)
	}
	keyed := h.want(201, "POST", clients, `{"method":"private_key_jwt","jwks":`+edKeys+`,"cert_sha256":"`+strings.Repeat("AB:", 31)+`AB"}`)
	if _, has := keyed["client_secret"]; has || keyed["jwks"] == nil || keyed["cert_sha256"] != strings.Repeat("ab", 32) {
		t.Errorf("with keys: %v", keyed)
	}
	if got := h.want(422, "POST", clients+"/"+keyed["id"].(string)+"/secrets", `{}`); got["field"] != "method" {
		t.Errorf("a secret for a client with keys: %v", got)
	}
}

func TestRefusedClients(t *testing.T) {
	h := open(t, "")
	for body, field := range map[string]string{
		`{}`:                    "body",
		`{"method":"password"}`: "body.method",
		`{"method":"client_secret","token_lifetime":"7h"}`:                                     "token_lifetime",
		`{"method":"client_secret","token_lifetime":"0m"}`:                                     "token_lifetime",
		`{"method":"client_secret","token_lifetime":"1 hour"}`:                                 "token_lifetime",
		`{"method":"client_secret","secret_lifetime":"30d"}`:                                   "secret_lifetime",
		`{"method":"client_secret","secret_lifetime":"99999999d"}`:                             "secret_lifetime",
		`{"method":"private_key_jwt"}`:                                                         "jwks",
		`{"method":"private_key_jwt","jwks":{"keys":[{"kty":"oct","k":"AAAA"}]}}`:              "jwks",
		`{"method":"external_jwt","issuer":"https://sts.example/","audience":"a"}`:             "appid",
		`{"method":"client_secret","issuer":"https://sts.example/"}`:                           "issuer",
		`{"method":"client_secret","cert_sha256":"zz"}`:                                        "cert_sha256",
		`{"method":"client_secret","scopes":["platform"]}`:                                     "scopes",
		`{"method":"external_jwt","issuer":"ftp://sts.example/","audience":"a","appid":"app"}`: "issuer",
	} {
		if got := h.want(422, "POST", clients, body); got["field"] != field {
			t.Errorf("%s: field %v, want %s", body, got["field"], field)
		}
	}
	h.want(404, "POST", "/api/v1/orgs/platform/clients", `{"method":"client_secret"}`)
	h.want(404, "GET", "/api/v1/orgs/nobody/clients", "")
	h.want(404, "DELETE", clients+"/x", "")
	if w := h.ask("GET", clients, "", "Authorization: Bearer "+h.scim); w.Code != 403 {
		t.Errorf("with a provisioning token: %d", w.Code)
	}
}

// TestIssuerProbed: security O7. An issuer that can never be asked is refused
// when it is entered; one that does not answer now is not.
func TestIssuerProbed(t *testing.T) {
	h := open(t, "")
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	for name, c := range map[string]struct {
		fault  error
		status int
	}{
		"private address": {&outbound.Refusal{Reason: "its host is not a public address"}, 422},
		"other issuer":    {&jwks.Fault{Reason: "the discovery document is of another issuer"}, 422},
		"down":            {errors.New("connection refused"), 201},
	} {
		get := func(context.Context, string) ([]byte, error) { return nil, c.fault }
		issuers, err := jwks.New(jwks.Config{Get: get, Now: time.Now, Log: log})
		if err != nil {
			t.Fatal(err)
		}
		h.door, err = admin.New(admin.Config{Directory: h.directory, Log: log, Now: time.Now, Rand: rand.Reader, Issuers: issuers})
		if err != nil {
			t.Fatal(err)
		}
		got := h.want(c.status, "POST", clients, `{"method":"external_jwt","issuer":"https://sts.example/","audience":"a","appid":"app","jwks_uri":"https://sts.example/keys"}`)
		if c.status == 422 && (got["field"] != "jwks_uri" || !strings.Contains(got["detail"].(string), c.fault.Error())) {
			t.Errorf("%s: %v", name, got)
		}
	}
}
