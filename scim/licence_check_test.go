package scim_test

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/usher-scim/usher/conformance/check"
	"github.com/usher-scim/usher/scim"
)

// An organization with subscriptions passes the checks of what any server must
// do with extensions and entitlements; none of those is skipped.
func TestLicencesAreChecked(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	h.subscribe("calling", 5)
	h.subscribe("meetings", 1000)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	h.open(h.store, scim.Config{})
	report, err := check.Run(t.Context(), check.Config{
		URL: server.URL + "/orgs/acme/scim/v2", Token: h.token["acme"], Profile: "rfc", Parallel: 2,
		Only: "^(extension|entitlement|walk|character|discovery|schemas)/", HTTP: http.DefaultTransport, Rand: rand.Reader, Now: time.Now, Timeout: 10 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	looked := 0
	for _, r := range report.Results {
		switch {
		case r.Status == check.Failed:
			t.Errorf("%s: %s\n%+v", r.ID, r.Reason, r.Exchanges)
		case r.Status == check.Skipped && (r.Reason == string(check.NoEntitlements) || r.ID[:9] == "extension"):
			t.Errorf("%s is skipped: %s", r.ID, r.Reason)
		case r.Status == check.Passed:
			looked++
		}
	}
	if looked < 60 || len(report.Leftovers) > 0 {
		t.Errorf("%d checks passed, left behind: %v", looked, report.Leftovers)
	}
}
