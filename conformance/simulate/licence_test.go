package simulate_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/conformance/simulate"
	"github.com/usher-scim/usher/jobs"
	"github.com/usher-scim/usher/resources"
)

// works lets a worker do what is due in all organizations until the test ends.
func (w *world) works(t *testing.T, store *backend.Store) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- jobs.Runner{
			Queue: store, Work: w.dir.WorkOn, Now: time.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler), Workers: 2,
			Orgs: func(ctx context.Context) ([]resources.OrgID, error) {
				list, _, err := w.dir.Orgs(ctx, w.platform, 0, 100)
				out := make([]resources.OrgID, len(list))
				for i := range list {
					out[i] = list[i].ID
				}
				return out, err
			},
		}.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("worker: %v", err)
		}
	})
}

// licensed is a simulator whose organization has seats of a product.
func (w *world) licensed(t *testing.T, dialect string, seats int) simulate.Config {
	t.Helper()
	c := w.config(t, dialect)
	slug, _, _ := strings.Cut(strings.TrimPrefix(c.URL, w.base+"/orgs/"), "/")
	caller, err := w.dir.Operate(t.Context(), w.platform, slug)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.dir.CreateSubscription(t.Context(), caller, resources.Subscription{SKU: "meetings", Model: resources.ModelSeats, Units: seats}); err != nil {
		t.Fatal(err)
	}
	c.Licence = "Meetings"
	return c
}

// TestLicence: who asks gets a seat while there are some, the others wait and
// say so, and no seat stays empty while somebody waits: asked for by users and by
// a group, in every dialect.
func TestLicence(t *testing.T) {
	w, store := newWorldOn(t, "", unlimited())
	w.works(t, store)
	for _, dialect := range []string{"okta", "entra", "ping", "authentik"} {
		for _, byGroup := range []bool{false, true} {
			t.Run(dialect+map[bool]string{true: " by group"}[byGroup], func(t *testing.T) {
				c := w.licensed(t, dialect, 20)
				c.LicenceByGroup = byGroup
				s := run(t, c)
				good(t, s)
				l := s.Targets[0].Licence
				if l == nil || l.Assigned > 20 || l.Assigned < 15 || l.Refused != 0 || !byGroup && (l.Assigned != 20 || l.Waiting == 0) {
					t.Errorf("seats: %+v", l)
				}
			})
		}
	}
}

// TestLicenceWithoutEffect: a server that keeps no licence is found out.
func TestLicenceWithoutEffect(t *testing.T) {
	w, _ := newWorldOn(t, "", unlimited())
	c := w.licensed(t, "okta", 3)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/Licenses/Meetings") {
			rw.Header().Set("Content-Type", "application/scim+json")
			_, _ = rw.Write([]byte(`{"urn:ietf:params:scim:schemas:extension:UsherLicense:2.0:License":{"seatsUsed":0,"seatsTotal":3,"seatsFree":3}}`)) // the client is of this test
			return
		}
		w.handler.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	c.URL = server.URL + strings.TrimPrefix(c.URL, w.base)
	c.Users, c.Groups, c.Cycles = 5, 0, 0
	began := time.Now()
	c.Now = func() time.Time { return began.Add(20 * time.Since(began)) } // patience has an end
	s := run(t, c)
	found := false
	for _, d := range s.Targets[0].Differences {
		found = found || d.Attribute == "seatsFree"
	}
	if s.Good || !found {
		t.Errorf("nobody notices that people wait while seats are free: %+v", s.Targets[0].Differences)
	}
	c.LicenceByGroup = true
	if _, err := simulate.New(c); err == nil {
		t.Error("a licence by group without groups")
	}
}
