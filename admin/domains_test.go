package admin_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDomainsOverREST: add, publish, verify, remove (domain.md §3.4, §6.1).
func TestDomainsOverREST(t *testing.T) {
	onBoth(t, func(h *house) {
		base := h.org("acme")
		path := base + "/domains/acme.example"
		made := h.ask("POST", base+"/domains", `{"name":"ACME.example"}`)
		if made.Code != 201 || made.Header().Get("Location") != path || made.Header().Get("ETag") == "" {
			h.Fatalf("%d %v %s", made.Code, made.Header(), made.Body)
		}
		dm := decoded(h.T, made)
		record := object(dm["record"])
		if dm["name"] != "acme.example" || dm["state"] != "pending" || record["type"] != "TXT" || record["name"] != "_usher-challenge.acme.example" {
			h.Errorf("%v", dm)
		}
		value, _ := record["value"].(string)
		if d := cmp.Diff(dm, h.want(201, "POST", base+"/domains", `{"name":"acme.example."}`)); d != "" {
			h.Errorf("added again: %s", d)
		}
		problem := h.want(422, "POST", path+"/verify", "")
		if detail, _ := problem["detail"].(string); problem["code"] != "domain_token_missing" || !strings.Contains(detail, value) {
			h.Errorf("%v", problem)
		}
		h.dns["_usher-challenge.acme.example"] = []string{"x", value}
		if got := h.want(200, "POST", base+"/domains/Acme.Example/verify", ""); got["state"] != "verified" || got["verifiedAt"] == nil || got["checkedAt"] == nil {
			h.Errorf("%v", got)
		}
		if got := items(h.want(200, "GET", base+"/domains", "")); len(got) != 1 || got[0]["state"] != "verified" {
			h.Errorf("%v", got)
		}
		if got := h.want(428, "DELETE", path, ""); got["code"] != "confirmation_required" {
			h.Errorf("%v", got)
		}
		if w := h.ask("DELETE", path+"?confirm=true", "", "If-Match: "+made.Header().Get("ETag")); w.Code != 412 {
			h.Errorf("removed by an old tag: %d", w.Code)
		}
		tag := h.ask("GET", path, "").Header().Get("ETag")
		if w := h.ask("DELETE", path+"?confirm=true", "", "If-Match: "+tag); w.Code != 204 {
			h.Errorf("%d %s", w.Code, w.Body)
		}
		for _, method := range []string{"GET", "DELETE"} {
			h.want(404, method, path, "")
		}
		h.want(404, "POST", path+"/verify", "")
		for body, code := range map[string]string{
			`{"name":"gmail.com"}`: "public_domain", `{"name":"127.0.0.1"}`: "domain_invalid", `{"name":"co.uk"}`: "public_domain", `{}`: "invalid_value",
		} {
			if got := h.want(422, "POST", base+"/domains", body); got["code"] != code {
				h.Errorf("%s: %v", body, got)
			}
		}
	})
}

// TestPeopleSettingsOverREST: what is on by default is so under its own name, null
// sets back, and the switch of automatic mails warns (BR-086).
func TestPeopleSettingsOverREST(t *testing.T) {
	h := open(t, "")
	path := h.org("acme") + "/settings"
	usual := h.want(200, "GET", path, "")
	for name, want := range map[string]any{
		"automaticActivationEmails": true, "reminders": "3,7", "selfServiceResend": true, "exportActivationLinks": false, "activationCodes": true,
		"licenceEmails": true, "digestEmails": true, "localPasswords": true, "passwordLength": 8.0, "passwordBlocklist": false,
		"sessionIdleMinutes": 30.0, "sessionHours": 12.0, "handOff": false,
	} {
		if usual[name] != want {
			t.Errorf("%s is %v by default, want %v", name, usual[name], want)
		}
	}
	warning := h.want(428, "PATCH", path, `{"automaticActivationEmails":false}`)
	if detail, _ := warning["detail"].(string); warning["code"] != "confirmation_required" || !strings.Contains(detail, "onboarding") {
		t.Errorf("%v", warning)
	}
	change := map[string]string{
		"automaticActivationEmails": `false`, "reminders": `"1,30"`, "selfServiceResend": `false`, "exportActivationLinks": `true`, "activationCodes": `false`,
		"licenceEmails": `false`, "digestEmails": `false`, "localPasswords": `false`, "passwordLength": `15`, "passwordBlocklist": `true`,
		"sessionIdleMinutes": `10`, "sessionHours": `24`, "appUrl": `"https://app.acme.example/"`, "returnUrls": `["https://a.acme.example","https://b.acme.example/x"]`,
		"handOff": `true`, "downloadUrl": `"https://acme.example/d"`, "webAppUrl": `"https://acme.example/w"`, "resourcesUrl": `"https://acme.example/r"`,
		"voicemailUrl": `"https://acme.example/v"`, "supportUrl": `"mailto:help@acme.example"`,
	}
	var set, unset []string
	for _, name := range slices.Sorted(maps.Keys(change)) {
		set, unset = append(set, `"`+name+`":`+change[name]), append(unset, `"`+name+`":null`)
	}
	got := h.want(200, "PATCH", path+"?confirm=true", "{"+strings.Join(set, ",")+"}")
	for name, text := range change {
		switch v := got[name].(type) {
		case nil:
			t.Errorf("%s is not shown", name)
		case []any:
			if len(v) != 2 || v[1] != "https://b.acme.example/x" {
				t.Errorf("%s: %v", name, v)
			}
		case string:
			if `"`+v+`"` != text {
				t.Errorf("%s: %v, want %s", name, v, text)
			}
		case bool:
			if v != (text == "true") {
				t.Errorf("%s: %v, want %s", name, v, text)
			}
		}
	}
	if d := cmp.Diff(usual, h.want(200, "PATCH", path, "{"+strings.Join(unset, ",")+"}")); d != "" {
		t.Errorf("set back: %s", d)
	}
	for _, body := range []string{`{"returnUrls":["https://a.example https://b.example"]}`, `{"returnUrls":[""]}`, `{"returnUrls":["https://a.example/?x"]}`} {
		if got := h.want(422, "PATCH", path, body); got["field"] != "returnUrls" {
			t.Errorf("%s: %v", body, got)
		}
	}
}
