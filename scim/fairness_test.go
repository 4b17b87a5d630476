package scim_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-scim/usher/scim"
)

// TestLimiterFairness is security T3: when one organization sends ten times
// what it may, another's slowest answers stay what they were while the first
// kept to its limit. It is judged by the best of several tries, because the
// machine has other things to do; without the limit the work of the first
// organization takes all of it, in every try.
func TestLimiterFairness(t *testing.T) {
	const limit = 100 // requests per second
	h := newHouse(t, "", scim.Config{Rate: limit, Burst: 2 * limit})
	for i := range 60 {
		h.user("fair" + itoa(i))
	}
	h.askAs(h.token["rival"], "POST", "/orgs/rival/scim/v2/Users", userBody("calm@rival.example")).want(201)
	limited := false
	busy := func() bool { // what the first organization asks for is work
		r := httptest.NewRequest(http.MethodGet, "/orgs/acme/scim/v2/Users?"+filterOf(`title co "x"`), nil)
		r.Header.Set("Authorization", "Bearer "+h.token["acme"])
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code == http.StatusTooManyRequests
	}
	for range 4 * limit { // the burst is spent
		if busy() {
			break
		}
	}
	var at, over time.Duration
	for range 8 {
		_, at = slowest(h, busy, limit)
		refusals, p99 := slowest(h, busy, 10*limit)
		limited, over = limited || refusals > 0, p99
		if over < bearable(at) {
			break
		}
	}
	if over >= bearable(at) {
		t.Errorf("p99 is %v while another organization keeps to its limit and %v when it sends ten times as much", at, over)
	}
	if !limited {
		t.Error("ten times the limit was not limited")
	}
}

// bearable is what another's flood may make of a p99: a fifth more (T3), and a
// few milliseconds that a scheduler takes on its own.
func bearable(at time.Duration) time.Duration { return at + at/5 + 3*time.Millisecond }

// slowest asks on behalf of rival a hundred times while busy is done at a rate, and gives the p99 of the answers.
func slowest(h *house, busy func() bool, perSecond int) (refusals int, p99 time.Duration) {
	h.t.Helper()
	stop := make(chan struct{})
	var senders sync.WaitGroup
	var refused atomic.Int64
	const connections = 8
	for range connections {
		senders.Go(func() {
			tick := time.NewTicker(connections * time.Second / time.Duration(perSecond))
			defer tick.Stop()
			for {
				select {
				case <-stop:
					return
				case <-tick.C:
					if busy() {
						refused.Add(1)
					}
				}
			}
		})
	}
	var took []time.Duration
	tick := time.NewTicker(15 * time.Millisecond) // below the limit of rival
	for range 100 {
		<-tick.C
		began := time.Now()
		h.askAs(h.token["rival"], "GET", "/orgs/rival/scim/v2/Users", "").want(http.StatusOK)
		took = append(took, time.Since(began))
	}
	tick.Stop()
	close(stop)
	senders.Wait()
	slices.Sort(took)
	return int(refused.Load()), took[len(took)*99/100-1]
}
