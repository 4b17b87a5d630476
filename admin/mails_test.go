package admin_test

import (
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
)

// TestMails: activation mails by hand and in bulk, the log, and links to hand out,
// as administrators ask for them (BR-084, BR-088, BR-091, BR-092).
func TestMails(t *testing.T) { onBoth(t, mails) }

func mails(h *house) {
	base := h.org("acme")
	zoe, bob := h.user(base, "zoe", ""), h.user(base, "bob", "")
	send := base + "/users/" + zoe + "/send-activation"
	got := h.want(202, "POST", send, "")
	if got["state"] != "queued" || got["trigger"] != "manual" || got["to"] != "zoe@acme.example" {
		h.Errorf("sent %v", got)
	}
	if again := h.want(429, "POST", send, ""); again["code"] != "rate_limited" {
		h.Errorf("at once again: %v", again)
	}
	h.work("acme")
	if len(h.letters) != 1 || h.letters[0].User != zoe {
		h.Fatalf("letters %+v", h.letters)
	}
	one := h.want(200, "GET", base+"/mails/"+got["id"].(string), "")
	if one["state"] != "sent" || one["language"] != "en" || one["tries"] != 1.0 {
		h.Errorf("the log has %v", one)
	}
	h.want(404, "GET", base+"/mails/"+zoe, "")
	h.want(404, "POST", base+"/users/nobody/send-activation", "")
	if u := object(h.want(200, "GET", base+"/users/"+zoe, "")["activationEmails"]); u["count"] != 1.0 {
		h.Errorf("the user shows %v", u)
	}
	if list := items(h.want(200, "GET", base+"/users?state=never_activated", "")); len(list) != 2 {
		h.Errorf("never activated are %v", list)
	}

	bulk := base + "/activation-mails/send"
	if n := h.want(200, "POST", bulk, `{"dryRun":true}`)["users"]; n != 2.0 {
		h.Errorf("a dry run counts %v", n)
	}
	if refused := h.want(428, "POST", bulk, `{}`); refused["code"] != "confirmation_required" {
		h.Errorf("unconfirmed: %v", refused)
	}
	job := object(h.want(202, "POST", bulk+"?confirm=true", "")["job"])
	if busy := h.want(409, "POST", bulk+"?confirm=true", ""); busy["code"] != "job_running" {
		h.Errorf("twice: %v", busy)
	}
	h.work("acme")
	h.ahead += time.Minute
	h.work("acme")
	if j := h.want(200, "GET", base+"/jobs/"+job["id"].(string), ""); j["state"] != "done" || object(j["result"])["queued"] != 1.0 || object(j["result"])["skipped"] != 1.0 {
		h.Errorf("the job %v", j)
	}
	if list := items(h.want(200, "GET", base+"/users/"+bob+"/mails", "")); len(list) != 1 || list[0]["trigger"] != "bulk" || list[0]["state"] != "sent" {
		h.Errorf("mails to bob %v", list)
	}
	if list := items(h.want(200, "GET", base+"/mails?state=sent&limit=1", "")); len(list) != 1 {
		h.Errorf("sent %v", list)
	}
	h.exports(base)
	h.wantBy(h.token("acme", "admin:users"), 403, "POST", base+"/activation-links", "")
	for _, scope := range []string{"admin:read", "admin:licences", "admin:locations"} {
		token := h.token("acme", scope)
		h.wantBy(token, 403, "POST", send, "")
		h.wantBy(token, 403, "POST", bulk, `{"dryRun":true}`)
		h.wantBy(token, 403, "POST", base+"/activation-links", "")
		h.wantBy(token, 200, "GET", base+"/mails", "")
	}
}

func (h *house) exports(base string) {
	h.Helper()
	if refused := h.want(403, "POST", base+"/activation-links", ""); refused["code"] != "forbidden" {
		h.Errorf("not allowed: %v", refused)
	}
	h.letExport("acme")
	page := h.want(200, "POST", base+"/activation-links?limit=1", "")
	links := items(page)
	if len(links) != 1 || !strings.HasPrefix(links[0]["path"].(string), "/activate?t=") || page["next"] == nil {
		h.Errorf("exported %v", page)
	}
	if at := links[0]["url"].(string); !strings.HasPrefix(at, "http") || !strings.HasSuffix(at, links[0]["path"].(string)) {
		h.Errorf("a link to hand out without the server: %q", at)
	}
	rest := items(h.want(200, "POST", base+"/activation-links?cursor="+page["next"].(string), ""))
	if len(rest) != 1 || rest[0]["user"] == links[0]["user"] {
		h.Errorf("the rest is %v", rest)
	}
	h.want(422, "POST", base+"/activation-links?cursor=!", "")
}

// letExport allows activation links to be exported.
func (h *house) letExport(slug string) {
	h.Helper()
	if _, _, err := h.directory.ChangeSettings(h.Context(), h.caller(slug), func(s *resources.Settings, _ uint64) error {
		s.ExportLinks = true
		return nil
	}); err != nil {
		h.Fatal(err)
	}
}
