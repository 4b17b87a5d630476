package scim_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim"
)

// TestTokenAtRest is security T1, R-125: nothing that Redis holds or writes to
// disk has a token in the clear, used ones included; the hash is there.
func TestTokenAtRest(t *testing.T) {
	server := redistest.Run(t, redistest.Config{Args: []string{
		"--appendonly", "yes", "--appendfsync", "always", "--aof-use-rdb-preamble", "no",
	}})
	h := newHouse(t, server.URL, scim.Config{})
	h.user("somebody@acme.example")
	ctx := context.Background()
	all, err := h.dir.ListTokens(ctx, h.admin, "acme")
	if err != nil || len(all) != 1 {
		t.Fatalf("tokens %v, %v", all, err)
	}
	rotated, text, err := h.dir.RotateToken(ctx, h.admin, "acme", all[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	h.askAs(text, "GET", "/orgs/acme/scim/v2/Users", "").want(200)
	if err := h.dir.RevokeToken(ctx, h.admin, "acme", all[0].ID); err != nil {
		t.Fatal(err)
	}
	places := map[string]string{"Redis": everything(t, server.URL), "the append-only file": files(t, server.Dir), "the log": h.log.String()}
	for place, held := range places {
		for name, token := range map[string]string{"scim": h.token["acme"], "rotated": text, "platform": h.token["platform"]} {
			secret := token[strings.LastIndexByte(token, '_')+1:]
			if holdsPiece(held, secret) {
				t.Errorf("%s holds the token %s in the clear", place, name)
			}
			// The token would be found if it were there: its hash is.
			sum := sha256.Sum256([]byte(secret))
			if gone := name == "scim" && place == "Redis"; place != "the log" && holdsPiece(held, hex.EncodeToString(sum[:])) == gone {
				t.Errorf("%s: the hash of %s is there: %v", place, name, gone)
			}
		}
	}
	if !strings.Contains(places["Redis"], rotated.ID) {
		t.Error("the keys were not read")
	}
}

// holdsPiece reports whether sixteen characters of a secret stand somewhere
// together. The whole need not: records are compressed, and a few characters
// that stood there before become a reference to them.
func holdsPiece(held, secret string) bool {
	const piece = 16
	for at := range len(secret) - piece + 1 {
		if strings.Contains(held, secret[at:at+piece]) {
			return true
		}
	}
	return false
}

// everything gives all keys of a server with what they hold.
func everything(t *testing.T, url string) string {
	t.Helper()
	client, ctx := redistest.Client(t, url), t.Context()
	var b strings.Builder
	keys := client.Scan(ctx, 0, "*", 1000).Iterator()
	for keys.Next(ctx) {
		key := keys.Val()
		var (
			held any
			err  error
		)
		switch kind := client.Type(ctx, key).Val(); kind {
		case "string":
			held, err = client.Get(ctx, key).Result()
		case "hash":
			held, err = client.HGetAll(ctx, key).Result()
		case "set":
			held, err = client.SMembers(ctx, key).Result()
		case "zset":
			held, err = client.ZRange(ctx, key, 0, -1).Result()
		case "list":
			held, err = client.LRange(ctx, key, 0, -1).Result()
		case "stream":
			held, err = client.XRange(ctx, key, "-", "+").Result()
		case "none": // expired meanwhile
		default:
			t.Errorf("%s is a %s, which this test cannot read", key, kind)
		}
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %v\n", key, held)
	}
	if err := keys.Err(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// files gives what the append-only files in a directory hold.
func files(t *testing.T, dir string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "appendonlydir", "*"))
	if err != nil || len(names) == 0 {
		t.Fatalf("append-only files %v, %v", names, err)
	}
	var b strings.Builder
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(text)
	}
	return b.String()
}

// TestTokenExpiry is security T1: a token works until one second before it
// expires and no longer, also when it has just been looked up.
func TestTokenExpiry(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	h := newHouse(t, "", scim.Config{Now: func() time.Time { return now }})
	token := h.newToken("acme", resources.TokenSpec{Lifetime: time.Hour})
	const path = "/orgs/acme/scim/v2/ServiceProviderConfig"
	now = now.Add(time.Hour - time.Second)
	h.askAs(token, "GET", path, "").want(200)
	now = now.Add(time.Second)
	h.askAs(token, "GET", path, "").fails(401, "")
	for _, lifetime := range []time.Duration{time.Second, 365*24*time.Hour + 1, -time.Hour} {
		if _, _, err := h.dir.CreateToken(context.Background(), h.admin, "acme", resources.TokenSpec{Lifetime: lifetime}); err == nil {
			t.Errorf("a token may live for %v", lifetime)
		}
	}
}

// TestStranger is security T3: a refused credential costs its sender, an
// accepted one nobody; what is said is a SCIM error with Retry-After.
func TestStranger(t *testing.T) {
	wait, asked := time.Duration(0), 0
	h := newHouse(t, "", scim.Config{Stranger: func(r *http.Request) time.Duration {
		asked++
		if r.URL.Path == "" {
			t.Error("the request is not told")
		}
		return wait
	}})
	h.ask("GET", "/Users", "").want(200)
	h.ask("GET", "/Users/"+unknownUser, "").want(404)
	h.askAs(h.token["rival"], "GET", "/orgs/acme/scim/v2/Users", "").want(404)
	if asked != 0 {
		t.Fatalf("%d requests with a valid token were counted", asked)
	}
	h.askAs("ush_x", "GET", "/orgs/acme/scim/v2/Users", "").fails(401, "")
	h.askAs("", "POST", "/orgs/acme/scim/v2/Users", userBody("x")).fails(401, "")
	if asked != 2 {
		t.Fatalf("%d of 2 refusals were counted", asked)
	}
	wait = 1500 * time.Millisecond
	r := h.askAs("", "POST", "/orgs/acme/scim/v2/Users", userBody("x")).fails(429, "")
	for line := range strings.Lines(h.log.String()) { // a flood must not fill the log
		if strings.Contains(line, `"status":429`) && !strings.Contains(line, `"level":"DEBUG"`) {
			t.Errorf("logged: %s", line)
		}
	}
	if r.Header().Get("Retry-After") != "2" || r.Header().Get("Usher-Error-Code") != "rate_limited" || r.Header().Get("WWW-Authenticate") != "" {
		t.Errorf("header %v", r.Header())
	}
	h.ask("GET", "/Users", "").want(200)
}

// TestScimRoleEscalation is security S8: roles and entitlements are data. They
// are stored and shown as sent, and whoever has them may do no more than
// before, nor may any token.
func TestScimRoleEscalation(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		tokens := map[string]string{"none": "", "acme": h.token["acme"], "rival": h.token["rival"], "platform": h.token["platform"]}
		for _, scope := range []resources.Scope{resources.ScopeSCIMRead, resources.ScopeUsers, resources.ScopeGroupsRead} {
			tokens[string(scope)] = h.newToken("acme", resources.TokenSpec{Scopes: []resources.Scope{scope}})
		}
		before := h.rights(tokens)
		const grand = `"roles":[{"value":"tenant_owner","primary":true},{"value":"platform"}],"entitlements":[{"value":"scim.admin"}],"userType":"operator"`
		user := h.ask("POST", "/Users", userBody("tenant_owner", `,"isAdmin":true,"scopes":["platform"],`+grand)).want(201)
		if user.str("roles", 0, "value") != "tenant_owner" || user.str("entitlements", 0, "value") != "scim.admin" || user.at("isAdmin") != nil || user.at("scopes") != nil {
			t.Errorf("stored as %s", user.Body)
		}
		id := h.user("platform")
		patched := h.ask("PATCH", "/Users/"+id, ops(
			`{"op":"add","path":"roles","value":[{"value":"tenant_owner"}]}`,
			`{"op":"replace","value":{"entitlements":[{"value":"scim.admin"}]}}`)).want(200)
		if patched.str("roles", 0, "value") != "tenant_owner" || patched.str("entitlements", 0, "value") != "scim.admin" {
			t.Errorf("stored as %s", patched.Body)
		}
		for _, name := range []string{"tenant_owner", "platform", "Administrators"} {
			h.group(name, id, user.str("id"))
		}
		if d := cmp.Diff(before, h.rights(tokens)); d != "" {
			t.Errorf("rights have changed (-before +after):\n%s", d)
		}
	})
}

// rights lists what each token may do: who it stands for, and how the door
// answers requests of every sort.
func (h *house) rights(tokens map[string]string) map[string]string {
	h.t.Helper()
	ctx := context.Background()
	out := map[string]string{}
	for name, token := range tokens {
		caller, err := h.dir.Authenticate(ctx, token)
		_, _, orgs := h.dir.Orgs(ctx, caller, 0, 1)
		_, tokens := h.dir.ListTokens(ctx, caller, "acme")
		out[name] = fmt.Sprintf("%+v %v %v %v", caller, err, orgs, tokens)
		for _, org := range []string{"acme", "rival", "platform"} {
			for _, ask := range []string{"GET /Users?count=0", "GET /Groups?count=0", "POST /Users", "POST /Groups", "PATCH /Users/" + unknownUser, "DELETE /Groups/" + unknownUser} {
				method, path, _ := strings.Cut(ask, " ")
				body := ""
				if method != "GET" {
					body = "{}"
				}
				out[name] += fmt.Sprintf("\n%s %s: %d", org, ask, h.askAs(token, method, "/orgs/"+org+"/scim/v2"+path, body).Code)
			}
		}
	}
	return out
}

// R-140 is not offered: Prefer: respond-async is ignored, and the answer says
// what was done.
func TestRespondAsync(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	r := h.ask("POST", "/Users", userBody("now"), "Prefer", "respond-async").want(201)
	if id := r.str("id"); id == "" || r.Header().Get("Set-Txn") != "" || r.Header().Get("Preference-Applied") != "" {
		t.Errorf("answer %v %s", r.Header(), r.Body)
	} else {
		h.ask("PATCH", "/Users/"+id, ops(`{"op":"replace","path":"title","value":"x"}`), "Prefer", "respond-async, wait=10").want(200)
		h.ask("DELETE", "/Users/"+id, "", "Prefer", "respond-async").want(204)
		h.ask("GET", "/Users/"+id, "").want(404)
	}
	if config := h.ask("GET", "/ServiceProviderConfig", "").want(200); strings.Contains(config.Body.String(), "asyncRequest") {
		t.Errorf("asynchronous requests are announced: %s", config.Body)
	}
}

// TestAPITokenAtTheSCIMDoor: one credential opens one door. Here the scopes of an
// administrators' token would not keep areas apart, as a user administrator could
// grant licences in a document (BR-060).
func TestAPITokenAtTheSCIMDoor(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	for _, scope := range resources.AdminScopes() {
		token := h.newToken("acme", resources.TokenSpec{Name: "console", Scopes: []resources.Scope{scope}})
		h.askAs(token, "GET", "/orgs/acme/scim/v2/Users", "").fails(403, "")
		h.askAs(token, "POST", "/orgs/acme/scim/v2/Users", userBody(string(scope)+"@acme.example")).fails(403, "")
	}
}
