package admin_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/usher-scim/usher/resources"
)

// TestLargeImport: an import may have 1 MiB, which is more than other bodies
// (security S11).
func TestLargeImport(t *testing.T) {
	h := open(t, "")
	base := h.org("acme")
	h.want(201, "POST", base+"/locations", `{"name":"Paris","country":"FR"}`)
	var file strings.Builder
	file.WriteString("number,location\n")
	for i := range 5000 {
		fmt.Fprintf(&file, "+3314268%04d,Paris\n", i)
	}
	for _, key := range []string{"X-None: 1", "Idempotency-Key: large"} {
		if w := h.ask("POST", base+"/numbers/import?dryRun=true", file.String(), "Content-Type: text/csv", key); w.Code != 202 {
			t.Errorf("%s: %d bytes: %d %s", key, file.Len(), w.Code, w.Body)
		}
	}
	w := h.ask("POST", base+"/numbers/import", "", "Content-Type: text/csv")
	if w.Code != 400 || strings.Contains(w.Body.String(), "JSON object") {
		t.Errorf("an empty file: %d %s", w.Code, w.Body)
	}
}

// TestPartnerReport: reports over all organizations are made, read and followed
// under the operators' own slug, by operators only; nothing else is there (BR-178).
func TestPartnerReport(t *testing.T) {
	h := open(t, "")
	h.org("acme")
	const base = "/api/v1/orgs/" + resources.PlatformSlug
	made := h.want(202, "POST", base+"/billing-reports", `{"level":"partner"}`)
	one := fmt.Sprint(base, "/billing-reports/", made["id"])
	if got := h.want(200, "GET", one, ""); got["level"] != "partner" {
		t.Errorf("report %v", got)
	}
	if got := h.want(200, "GET", base+"/billing-reports", ""); len(items(got)) != 1 {
		t.Errorf("reports %v", got)
	}
	h.want(200, "GET", fmt.Sprint(base, "/jobs/", made["job"]), "")
	h.want(422, "POST", base+"/billing-reports", `{"level":"customer"}`)
	h.want(404, "GET", base+"/users", "")
	h.want(404, "POST", base+"/users", `{"email":"zoe@acme.example"}`)
	h.want(404, "POST", base+"/locations", `{"name":"Paris","country":"FR"}`)
	own := h.token("acme", "admin")
	h.wantBy(own, 404, "GET", one, "")
	h.wantBy(own, 404, "POST", base+"/billing-reports", `{"level":"partner"}`)
	h.want(204, "DELETE", one, "")
}

// TestBadPlaces: a place that no list gave out is refused as a cursor, and a
// number out of range without the words of the program.
func TestBadPlaces(t *testing.T) {
	h := open(t, "")
	base := h.org("acme")
	zoe := h.user(base, "zoe", "")
	if got := h.want(422, "GET", base+"/users/"+zoe+"/timeline?cursor=enp6eg", ""); got["code"] != "invalid_cursor" || got["field"] != "query.cursor" {
		t.Errorf("timeline: %v", got)
	}
	for _, text := range []string{"1e30", "1.5e1"} {
		got := h.want(422, "PATCH", base+"/settings", `{"billingMonths":`+text+`}`)
		if detail := fmt.Sprint(got); strings.Contains(detail, "Go struct") || !strings.Contains(detail, "billingMonths") {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// TestNothingForADeletingOrg: an organization that is being erased gets no new
// credential.
func TestNothingForADeletingOrg(t *testing.T) {
	h := open(t, "")
	base := h.org("acme")
	h.want(202, "DELETE", base+"?confirm=acme", "")
	h.want(404, "POST", base+"/tokens", `{}`)
	h.want(404, "POST", base+"/clients", `{"method":"client_secret"}`)
}

// TestOddNames: a product that cannot be is one that is not there.
func TestOddNames(t *testing.T) {
	h := open(t, "")
	for _, name := range []string{"%2B33", "a%20b", "%C3%A9", "%00", "nosuch"} {
		h.want(404, "DELETE", "/api/v1/products/"+name, "")
		h.want(404, "GET", "/api/v1/products/"+name, "")
	}
}
