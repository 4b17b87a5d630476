package admin_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/usher-scim/usher/admin"
)

// TestLanguages: titles of problems are in the reader's language (BR-263).
func TestLanguages(t *testing.T) {
	h := open(t, "")
	base := h.org("acme")
	for header, want := range map[string][2]string{
		"": {"en", "Unknown licence."}, "fr": {"fr", "Licence inconnue."}, "fr-CA, en;q=0.5": {"fr", "Licence inconnue."},
		"de": {"en", "Unknown licence."}, "en, fr": {"en", "Unknown licence."},
	} {
		w := h.ask("POST", base+"/users", `{"email":"zoe@acme.example","licences":["nothing"]}`, "Accept-Language: "+header)
		if got := decoded(t, w); w.Code != 422 || got["title"] != want[1] || got["code"] != "sku_unknown" || w.Header().Get("Content-Language") != want[0] {
			t.Errorf("%q: %d %v %v", header, w.Code, w.Header(), got)
		}
		if !strings.Contains(w.Header().Get("Vary"), "Accept-Language") {
			t.Errorf("%q: Vary is %q", header, w.Header().Get("Vary"))
		}
	}
	// Refused by the frame, by the door before it, and one row of many.
	french := "Accept-Language: fr"
	if got := decoded(t, h.ask("POST", base+"/users", `{"colour":1}`, french)); got["title"] != "Une valeur n'est pas valide." {
		t.Errorf("by the frame: %v", got)
	}
	if got := decoded(t, h.ask("GET", "/api/v1/nothing", "", french)); got["title"] != "Élément introuvable." {
		t.Errorf("by the door: %v", got)
	}
	row := items(decoded(t, h.ask("POST", base+"/users/batch", `{"users":[{"email":"x"}]}`, french)))[0]
	if object(row["problem"])["title"] != "Adresse électronique invalide." {
		t.Errorf("a row: %v", row)
	}
}

func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		header, tag string
		want        bool
	}{
		{`W/"1"`, `W/"1"`, true},
		{`"1"`, `W/"1"`, true}, // weak comparison
		{`"2", W/"1"`, `W/"1"`, true},
		{`*`, `W/"1"`, true},
		{`W/"11"`, `W/"1"`, false},
		{`1`, `W/"1"`, false},
		{``, `W/"1"`, false},
		{`"a,b"`, `W/"b"`, false},
	} {
		if got := admin.Matches(tt.header, tt.tag); got != tt.want {
			t.Errorf("%q matches %q: %v", tt.header, tt.tag, got)
		}
	}
}

// changeable are things with an ETag: what to change of each, and what to undo it
// with.
func changeable(h *house, base string) map[string][2]string {
	h.Helper()
	place := h.want(201, "POST", base+"/locations", `{"name":"Paris","country":"FR"}`)["id"].(string)
	template := h.want(201, "POST", base+"/licence-templates", `{"type":"org","skus":["basic"]}`)["id"].(string)
	group := h.want(201, "POST", base+"/groups", `{"displayName":"Sales"}`)["id"].(string)
	return map[string][2]string{
		"PATCH " + base + "/users/" + h.user(base, "zoe", ""):              {`{"title":"a"}`, `{"title":"b"}`},
		"PATCH " + base + "/groups/" + group:                               {`{"displayName":"a"}`, `{"displayName":"b"}`},
		"PATCH " + base + "/locations/" + place:                            {`{"address":"a"}`, `{"address":"b"}`},
		"PATCH " + base + "/subscriptions/" + h.subscribe(base, "host", 1): {`{"note":"a"}`, `{"note":"b"}`},
		"PUT " + base + "/licence-templates/" + template:                   {`{"type":"org","skus":["basic"],"name":"a"}`, `{"type":"org","skus":["basic"],"name":"b"}`},
		"PATCH " + base + "/settings":                                      {`{"guardUsers":30}`, `{"guardUsers":40}`},
		"PATCH " + base:                                                    {`{"name":"a"}`, `{"name":"b"}`},
		"PUT /api/v1/products/basic":                                       {`{"name":"Basic a","capabilities":["messaging"]}`, `{"name":"Basic b","capabilities":["messaging"]}`},
	}
}

// TestETags: everything that can be changed has a tag, that of a change is
// another, and what was read before is refused with 412 and not changed.
func TestETags(t *testing.T) {
	onBoth(t, func(h *house) {
		for what, bodies := range changeable(h, h.org("acme")) {
			method, path, _ := strings.Cut(what, " ")
			read := h.ask("GET", path, "")
			tag := read.Header().Get("ETag")
			if !strings.HasPrefix(tag, `W/"`) {
				h.Errorf("%s has the ETag %q", path, tag)
			}
			if w := h.ask("GET", path, "", "If-None-Match: "+tag); w.Code != http.StatusNotModified || w.Body.Len() != 0 {
				h.Errorf("%s if it is another: %d %s", path, w.Code, w.Body)
			}
			w := h.ask(method, path, bodies[0], "If-Match: "+tag)
			if w.Code != 200 || w.Header().Get("ETag") == tag {
				h.Errorf("%s: %d with ETag %s: %s", what, w.Code, w.Header().Get("ETag"), w.Body)
			}
			now := h.ask("GET", path, "")
			if now.Header().Get("ETag") != w.Header().Get("ETag") {
				h.Errorf("%s answers with the ETag %s, reading gives %s", what, w.Header().Get("ETag"), now.Header().Get("ETag"))
			}
			if w := h.ask(method, path, bodies[1], "If-Match: "+tag); w.Code != 412 || decoded(h.T, w)["code"] != "version_mismatch" {
				h.Errorf("%s under the old ETag: %d %s", what, w.Code, w.Body)
			}
			if again := h.ask("GET", path, ""); again.Body.String() != now.Body.String() {
				h.Errorf("%s was changed under an old ETag: %s", path, again.Body)
			}
			if w := h.ask(method, path, bodies[1]); w.Code != 200 {
				h.Errorf("%s without a condition: %d %s", what, w.Code, w.Body)
			}
		}
	})
}

// TestETagRaces: of many who change what they have all read, one does.
func TestETagRaces(t *testing.T) {
	onBoth(t, func(h *house) {
		for what, bodies := range changeable(h, h.org("acme")) {
			method, path, _ := strings.Cut(what, " ")
			tag := h.ask("GET", path, "").Header().Get("ETag")
			codes := make([]int, 8)
			var wg sync.WaitGroup
			for i := range codes {
				wg.Go(func() {
					body := strings.Replace(strings.Replace(bodies[0], `a"`, `a`+string(rune('p'+i))+`"`, 1), "30", "3"+string(rune('1'+i)), 1)
					codes[i] = h.ask(method, path, body, "If-Match: "+tag).Code
				})
			}
			wg.Wait()
			slices.Sort(codes)
			if codes[0] != 200 || codes[1] != 412 || codes[len(codes)-1] != 412 {
				h.Errorf("%s by eight at once: %v", what, codes)
			}
		}
	})
}

// TestFirstAdministrator: an organization's first administrator is named when it
// is created; one that cannot be leaves nothing (BR-245).
func TestFirstAdministrator(t *testing.T) {
	onBoth(t, func(h *house) {
		h.want(201, "POST", "/api/v1/orgs", `{"slug":"acme","admin":{"email":"zoe@acme.example","name":"Zoé"}}`)
		admins := items(h.want(200, "GET", "/api/v1/orgs/acme/admins", ""))
		if len(admins) != 1 || admins[0]["email"] != "zoe@acme.example" || array(admins[0]["roles"])[0] != "full_admin" {
			h.Fatalf("administrators %v", admins)
		}
		zoe := admins[0]["user"].(string)
		for _, act := range []string{"DELETE /users/" + zoe + "?confirm=true", "POST /users/" + zoe + "/deactivate", "DELETE /admins/" + zoe + "/roles/full_admin"} {
			method, path, _ := strings.Cut(act, " ")
			if got := h.want(403, method, "/api/v1/orgs/acme"+path, ""); got["code"] != "last_admin" {
				h.Errorf("%s: %v", act, got)
			}
		}
		if got := h.want(409, "POST", "/api/v1/orgs", `{"slug":"other","admin":{"email":"zoe@acme.example"}}`); got["code"] != "email_in_other_organization" {
			h.Errorf("an address of somebody else: %v", got)
		}
		h.want(404, "GET", "/api/v1/orgs/other", "")
		h.want(422, "POST", "/api/v1/orgs", `{"slug":"other","admin":{"email":"nobody"}}`)
		h.want(201, "POST", "/api/v1/orgs", `{"slug":"other","admin":{"email":"ida@other.example"}}`)
		// The same request again finds what it has made.
		for range 2 {
			h.wantBy(h.api, 201, "POST", "/api/v1/orgs", `{"slug":"third","admin":{"email":"kim@third.example"}}`, keyLine)
		}
		token := h.token("acme", "admin")
		if got := h.wantBy(token, 200, "PATCH", "/api/v1/orgs/acme", `{"name":"Acme SA","language":"fr"}`); got["name"] != "Acme SA" || got["language"] != "fr" {
			h.Errorf("renamed by its administrator: %v", got)
		}
		h.wantBy(token, 403, "PATCH", "/api/v1/orgs/acme", `{"slug":"mine"}`)
		h.wantBy(token, 403, "PATCH", "/api/v1/orgs/acme", `{"state":"suspended"}`)
		h.want(422, "PATCH", "/api/v1/orgs/acme", `{"language":"xx","name":"Other"}`)
		if w := h.ask("PATCH", "/api/v1/orgs/acme", `{"language":"en"}`, `If-Match: "old"`); w.Code != 412 {
			h.Errorf("under an old ETag: %d %s", w.Code, w.Body)
		}
		if got := h.want(200, "GET", "/api/v1/orgs/acme", ""); got["language"] != "fr" || got["name"] != "Acme SA" {
			h.Errorf("after what was refused: %v", got)
		}
	})
}
