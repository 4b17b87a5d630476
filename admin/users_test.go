package admin_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestLifeOfAUser(t *testing.T) { onBoth(t, lifeOfAUser) }

func lifeOfAUser(h *house) {
	base := h.org("acme")
	w := h.ask("POST", base+"/users", `{"email":"zoe@acme.example","name":{"givenName":"Zoé","familyName":"Martin"},"displayName":"Zoé Martin","preferredLanguage":"fr-FR"}`)
	if w.Code != 201 {
		h.Fatalf("create: %d %s", w.Code, w.Body)
	}
	made := decoded(h.T, w)
	id := made["id"].(string)
	one := base + "/users/" + id
	if w.Header().Get("Location") != one || w.Header().Get("ETag") != `W/"1"` {
		h.Errorf("headers %v", w.Header())
	}
	if made["userName"] != "zoe@acme.example" || made["source"] != "API" || made["state"] != "not_verified" || made["managedByIdp"] != false || made["active"] != true {
		h.Errorf("created %v", made)
	}
	if got := h.want(409, "POST", base+"/users", `{"email":"zoe@acme.example"}`); got["code"] != "user_name_in_use" && got["code"] != "email_in_use" {
		h.Errorf("the same address again: %v", got)
	}
	if got := h.want(422, "POST", base+"/users", `{"email":"a + b@gmail.com"}`); got["code"] != "email_invalid" { // BR-006
		h.Errorf("no address: %v", got)
	}
	h.want(422, "POST", base+"/users", `{"displayName":"nobody"}`)
	checkChanges(h, one)
	if got := h.want(200, "POST", one+"/deactivate", ""); got["active"] != false || got["state"] != "inactive" { // BR-242
		h.Errorf("deactivated %v", got)
	}
	if got := h.want(200, "POST", one+"/reactivate", ""); got["active"] != true || got["state"] != "not_verified" {
		h.Errorf("reactivated %v", got)
	}
	checkTimeline(h, one)
	if got := h.want(428, "DELETE", one, ""); got["code"] != "confirmation_required" { // BR-241, BR-260
		h.Errorf("unconfirmed: %v", got)
	}
	h.want(204, "DELETE", one+"?confirm=true", "")
	h.want(404, "GET", one, "")
	h.want(404, "DELETE", one+"?confirm=true", "")
	h.want(404, "GET", base+"/users/nothing", "")
}

// checkChanges patches a user: null takes away, what is left out stays.
func checkChanges(h *house, one string) {
	h.Helper()
	got := h.want(200, "PATCH", one, `{"title":"Engineer","name":{"givenName":"Zoe"},"timezone":"Europe/Paris"}`)
	name := object(got["name"])
	if got["title"] != "Engineer" || name["givenName"] != "Zoe" || name["familyName"] != "Martin" || got["displayName"] != "Zoé Martin" || got["version"] != 2.0 {
		h.Errorf("patched %v", got)
	}
	got = h.want(200, "PATCH", one, `{"title":null,"name":null,"emails":[{"value":"zoe@acme.example","primary":true},{"value":"z@home.example","type":"home"}]}`)
	if got["title"] != nil || got["name"] != nil || len(array(got["emails"])) != 2 {
		h.Errorf("patched with null %v", got)
	}
	if again := h.want(200, "PATCH", one, `{"timezone":"Europe/Paris"}`); again["version"] != got["version"] {
		h.Errorf("a patch that changes nothing made version %v", again["version"])
	}
	if got := h.want(422, "PATCH", one, `{"userName":null}`); !strings.Contains(got["detail"].(string), "userName cannot be null") {
		h.Errorf("no userName: %v", got)
	}
	if got := h.want(422, "PATCH", one, `{"colour":"red"}`); got["field"] != "body.colour" {
		h.Errorf("unknown attribute: %v", got)
	}
	if got := h.want(422, "PATCH", one, `{"emails":[{"value":"no address"}]}`); got["code"] != "email_invalid" {
		h.Errorf("no address: %v", got)
	}
	w := h.ask("PATCH", one, `{"title":"x"}`, `If-Match: W/"1"`)
	if w.Code != 412 || decoded(h.T, w)["code"] != "version_mismatch" {
		h.Errorf("an old version: %d %s", w.Code, w.Body)
	}
	if w := h.ask("PATCH", one, `{"title":null}`, "Content-Type: application/merge-patch+json", "If-Match: *"); w.Code != 200 {
		h.Errorf("any version: %d %s", w.Code, w.Body)
	}
}

func checkTimeline(h *house, one string) {
	h.Helper()
	var types []string
	for _, e := range items(h.want(200, "GET", one+"/timeline", "")) {
		types = append(types, e["type"].(string))
		if e["actor"] == nil || e["who"] != "operator" || e["at"] == nil || e["request"] == nil {
			h.Errorf("event %v tells not who, when and in which request", e)
		}
	}
	if len(types) < 4 || types[len(types)-1] != "user.created" || !slices.Contains(types, "user.deactivated") || !slices.Contains(types, "user.reactivated") {
		h.Errorf("timeline %v", types)
	}
	page := h.want(200, "GET", one+"/timeline?limit=1", "")
	if next, _ := page["next"].(string); next == "" || items(h.want(200, "GET", one+"/timeline?limit=1&cursor="+next, ""))[0]["id"] == items(page)[0]["id"] {
		h.Errorf("pages of the timeline: %v", page)
	}
}

// TestManagedByIDP: what an identity provider owns is changed there, or after the
// user was detached (BR-071).
func TestManagedByIDP(t *testing.T) {
	h := open(t, "")
	base := "/api/v1/orgs/demo"
	one := base + "/users/" + h.pushed(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ida","title":"Boss"}`)
	if got := h.want(200, "GET", one, ""); got["managedByIdp"] != true || got["source"] != "SCIM" {
		t.Fatalf("pushed %v", got)
	}
	if got := h.want(409, "PATCH", one, `{"title":"Queen"}`); got["code"] != "managed_by_idp" || got["field"] != "title" {
		t.Errorf("owned: %v", got)
	}
	h.want(200, "POST", one+"/deactivate", "")
	h.want(200, "POST", one+"/reactivate", "")
	if got := h.want(200, "PATCH", one+"?detach=true", `{"title":"Queen"}`); got["title"] != "Queen" || got["managedByIdp"] != false {
		t.Errorf("detached: %v", got)
	}
	h.want(200, "PATCH", one, `{"title":"King"}`)
}

// TestBatch: rows that are good stay when others are not (BR-062, BR-066).
func TestBatch(t *testing.T) {
	onBoth(t, func(h *house) {
		base := h.org("acme")
		h.subscribe(base, "host", 1)
		got := h.want(207, "POST", base+"/users/batch", `{"users":[
			{"email":"a@acme.example","licences":["host"]},
			{"email":"b@acme.example","licences":["host"]},
			{"email":"a@acme.example"},
			{"email":"not an address"},
			{"email":"c@acme.example","licences":["nothing"]},
			{"email":"d@acme.example"}]}`)
		want := []string{"201 ", "409 no_seats_available", "409 user_name_in_use", "422 email_invalid", "422 sku_unknown", "201 "}
		for i, row := range items(got) {
			code, _ := object(row["problem"])["code"].(string)
			if text := fmt.Sprint(row["status"], " ", code); text != want[i] || row["row"] != float64(i+1) {
				h.Errorf("row %d: %s, want %s: %v", i, text, want[i], row)
			}
			if (row["user"] != nil) != strings.HasPrefix(want[i], "201") {
				h.Errorf("row %d: %v", i, row)
			}
		}
		if got["succeeded"] != 2.0 || got["failed"] != 4.0 {
			h.Errorf("counts %v", got)
		}
		if list := items(h.want(200, "GET", base+"/users", "")); len(list) != 2 {
			h.Errorf("%d users, want 2", len(list))
		}
		many := strings.TrimSuffix(strings.Repeat(`{"email":"x@acme.example"},`, 26), ",")
		if got := h.want(422, "POST", base+"/users/batch", `{"users":[`+many+`]}`); got["code"] != "too_many_rows" {
			h.Errorf("26 rows: %v", got)
		}
	})
}

func TestFindUsers(t *testing.T) {
	onBoth(t, func(h *house) {
		base := h.org("acme")
		h.subscribe(base, "host", 1)
		var ids []string
		for _, name := range []string{"amelie", "bruno", "chloe", "david"} {
			ids = append(ids, h.user(base, name, ""))
		}
		zoe := h.user(base, "zoe", `,"displayName":"Zoé Martin","licences":["host"]`)
		h.want(200, "POST", base+"/users/"+ids[0]+"/deactivate", "")
		h.want(200, "PUT", base+"/admins/"+ids[1]+"/roles/user_admin", "")
		for query, want := range map[string][]string{
			"q=zoe": {zoe}, "q=ZOÉ": {zoe}, "q=nobody": nil, "state=inactive": {ids[0]}, "licence=host": {zoe}, "licence=host&status=error": nil,
			"role=user_admin": {ids[1]}, "grant=direct": {zoe}, "source=SCIM": nil, "source=API&limit=200": append(slices.Clone(ids), zoe),
		} {
			var got []string
			for _, u := range items(h.want(200, "GET", base+"/users?"+query, "")) {
				got = append(got, u["id"].(string))
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				h.Errorf("%s finds %v, want %v", query, got, want)
			}
		}
		if n := h.walk(base+"/users", 2); n != 5 {
			h.Errorf("pages hold %d users, want 5", n)
		}
		if got := h.want(422, "GET", base+"/users?cursor=!!", ""); got["code"] != "invalid_cursor" {
			h.Errorf("no cursor: %v", got)
		}
		h.want(422, "GET", base+"/users?limit=201", "")
		h.want(422, "GET", base+"/users?role=king", "")
	})
}

// walk reads a list in pages and gives how many different things it has.
func (h *house) walk(path string, limit int) int {
	h.Helper()
	seen := make(map[any]bool)
	for cursor := ""; ; {
		page := h.want(200, "GET", fmt.Sprintf("%s?limit=%d%s", path, limit, cursor), "")
		for _, item := range items(page) {
			seen[item["id"]] = true
		}
		next, _ := page["next"].(string)
		if next == "" {
			return len(seen)
		}
		cursor = "&cursor=" + next
	}
}
