package admin_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestSeatsAndWhy: seats, who waits, why, and that a freed seat is handed on
// (BR-150 … BR-164).
func TestSeatsAndWhy(t *testing.T) { onBoth(t, seatsAndWhy) }

func seatsAndWhy(h *house) {
	base := h.org("acme")
	sub := h.subscribe(base, "host", 2)
	group := h.want(201, "POST", base+"/groups", `{"displayName":"Sales"}`)["id"].(string)
	var ids []string
	for i := range 4 {
		ids = append(ids, h.user(base, fmt.Sprintf("u%d", i), ""))
	}
	if got := h.want(200, "PUT", base+"/groups/"+group+"/licences", `{"skus":["host"]}`); fmt.Sprint(got["skus"]) != "[host]" {
		h.Fatalf("licences of the group: %v", got)
	}
	h.want(200, "POST", base+"/groups/"+group+"/members", `{"add":["`+strings.Join(ids, `","`)+`"]}`)
	h.work("acme")
	if got := h.want(200, "GET", base+"/groups/"+group+"/licences", ""); got["assignedCount"] != 2.0 || got["errorCount"] != 2.0 || got["memberCount"] != 4.0 {
		h.Errorf("progress of the group: %v", got)
	}
	host := h.usage(base, "host")
	if host["total"] != 2.0 || host["used"] != 2.0 || host["free"] != 0.0 || host["waiting"] != 2.0 {
		h.Errorf("usage %v", host)
	}
	failed := items(h.want(200, "GET", base+"/licences/errors?sku=host", ""))
	if len(failed) != 2 {
		h.Fatalf("failed %v", failed)
	}
	waits := object(failed[0]["user"])["id"].(string)
	why := object(array(h.want(200, "GET", base+"/users/"+waits+"/licences", "")["licences"])[0])
	if why["status"] != "error" || why["issue"] != "no_seats_available" || why["position"] == nil || len(array(why["reasons"])) != 1 || why["seat"] == "" {
		h.Errorf("why not: %v", why)
	}
	h.want(200, "PATCH", base+"/subscriptions/"+sub, `{"units":4}`)
	h.work("acme")
	if host = h.usage(base, "host"); host["used"] != 4.0 || host["waiting"] != 0.0 {
		h.Errorf("usage with more seats: %v", host)
	}
	checkDirect(h, base, ids[0])
	if got := h.want(428, "DELETE", base+"/subscriptions/"+sub, ""); got["code"] != "confirmation_required" {
		h.Errorf("a subscription in use: %v", got)
	}
	h.want(204, "DELETE", base+"/subscriptions/"+sub+"?confirm=true", "")
	h.want(404, "GET", base+"/subscriptions/"+sub, "")
}

// checkDirect grants and takes direct licences.
func checkDirect(h *house, base, id string) {
	h.Helper()
	path := base + "/users/" + id + "/licences"
	if got := h.want(422, "PATCH", path, `{"package":"calling"}`); got["code"] != "package_not_subscribed" {
		h.Errorf("a package without a subscription: %v", got)
	}
	if got := h.want(422, "PATCH", path, `{"add":["nothing"]}`); got["code"] != "sku_unknown" {
		h.Errorf("an unknown SKU: %v", got)
	}
	got := h.want(200, "PATCH", path, `{"add":["host"]}`)
	if sources := object(array(got["licences"])[0])["sources"]; len(array(sources)) != 2 { // BR-151
		h.Errorf("sources %v, want the group and direct", sources)
	}
	h.want(200, "PATCH", path, `{"remove":["host"]}`)
	if got := h.want(200, "POST", base+"/users/"+id+"/return-to-automatic-licensing", ""); got["licensingOrigin"] != "automatic" {
		h.Errorf("automatic again: %v", got)
	}
}

// usage is how much of a product is used.
func (h *house) usage(base, sku string) map[string]any {
	h.Helper()
	for _, u := range items(h.want(200, "GET", base+"/licences", "")) {
		if u["sku"] == sku {
			return u
		}
	}
	h.Fatalf("no usage of %s", sku)
	return nil
}

// TestHeldRevocation: an empty group push is held and decided (BR-165).
func TestHeldRevocation(t *testing.T) { onBoth(t, heldRevocation) }

func heldRevocation(h *house) {
	base := h.org("acme")
	h.subscribe(base, "host", 50)
	var ids []string
	for i := range 12 {
		ids = append(ids, h.user(base, fmt.Sprintf("u%d", i), ""))
	}
	list := `["` + strings.Join(ids, `","`) + `"]`
	group := h.want(201, "POST", base+"/groups", `{"displayName":"All","members":`+list+`}`)["id"].(string)
	h.want(200, "PUT", base+"/groups/"+group+"/licences", `{"skus":["host"]}`)
	h.work("acme")
	got := h.want(202, "POST", base+"/groups/"+group+"/members", `{"remove":`+list+`}`)
	alert := object(got["held"])
	if alert["kind"] != "held_revocation" || alert["count"] != 12.0 || alert["state"] != "open" {
		h.Fatalf("held %v", got)
	}
	h.work("acme")
	if used := h.usage(base, "host")["used"]; used != 12.0 {
		h.Errorf("%v seats are used while the change is held, want 12", used)
	}
	one := base + "/alerts/" + alert["id"].(string)
	if list := items(h.want(200, "GET", base+"/alerts?state=open&kind=held_revocation", "")); len(list) != 1 {
		h.Errorf("alerts %v", list)
	}
	if got := h.want(200, "POST", one+"/confirm", ""); got["outcome"] != "confirmed" || got["state"] != "done" {
		h.Errorf("confirmed %v", got)
	}
	if got := h.want(409, "POST", one+"/reject", ""); got["code"] != "request_closed" {
		h.Errorf("decided twice: %v", got)
	}
	h.work("acme")
	if used := h.usage(base, "host")["used"]; used != 0.0 {
		h.Errorf("%v seats are used after the decision, want 0", used)
	}
}

func TestTemplates(t *testing.T) {
	h := open(t, "")
	base := h.org("acme")
	h.subscribe(base, "host", 10)
	h.user(base, "zoe", "")
	w := h.ask("POST", base+"/licence-templates", `{"type":"org","skus":["host"]}`)
	if w.Code != http.StatusCreated {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	one, tag := w.Header().Get("Location"), w.Header().Get("ETag")
	if got := h.want(409, "POST", base+"/licence-templates", `{"type":"org","skus":["host"]}`); got["code"] != "template_in_use" { // BR-160
		t.Errorf("a second template: %v", got)
	}
	job := h.want(202, "POST", one+"/preview", "")
	for _, scope := range []string{"admin:read", "admin:users", "admin:locations"} {
		h.wantBy(h.token("acme", scope), 403, "POST", base+"/jobs/"+job["id"].(string)+"/cancel", "")
	}
	h.work("acme")
	if got := h.want(200, "GET", base+"/jobs/"+job["id"].(string), ""); got["state"] != "done" || got["progress"] != 1.0 || got["result"] == nil {
		t.Errorf("preview %v", got)
	}
	if used := h.usage(base, "host")["used"]; used != 0.0 {
		t.Errorf("a preview gave %v seats", used)
	}
	job = h.want(202, "POST", one+"/apply-existing", `{"preserve":true}`)
	h.work("acme")
	if got := h.want(200, "GET", base+"/jobs/"+job["id"].(string), ""); got["state"] != "done" || h.usage(base, "host")["used"] != 1.0 {
		t.Errorf("applied %v", got)
	}
	if got := h.want(409, "POST", base+"/jobs/"+job["id"].(string)+"/cancel", ""); got["code"] != "job_ended" {
		t.Errorf("cancelled late: %v", got)
	}
	if n := h.walk(base+"/jobs", 1); n != 2 {
		t.Errorf("%d jobs", n)
	}
	if w := h.ask("PUT", one, `{"type":"org","name":"All","skus":["host"]}`, "If-Match: "+tag); w.Code != 200 || w.Header().Get("ETag") == tag {
		t.Errorf("changed: %d %s", w.Code, w.Body)
	}
	if w := h.ask("DELETE", one, "", "If-Match: "+tag); w.Code != 412 {
		t.Errorf("deleted under an old tag: %d %s", w.Code, w.Body)
	}
	h.want(204, "DELETE", one, "")
	h.want(404, "GET", one, "")
}
