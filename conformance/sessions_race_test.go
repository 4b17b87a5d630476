package conformance_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
)

// together runs n clients at once and waits for all.
func together(n int, client func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			client(i)
		})
	}
	close(start)
	wg.Wait()
}

// onStores runs a proof on every store, each in an organization of its own.
func onStores(t *testing.T, proof func(t *testing.T, w *world, o *org)) {
	t.Helper()
	for store, url := range stores(t) {
		t.Run(store, func(t *testing.T) {
			w := newWorld(t, url, time.Now)
			o := w.mustOrg(t, resources.ProfileRFC)
			proof(t, w, o)
			faults, err := w.store.Audit(t.Context(), o.ID, resources.Placement)
			if err != nil || len(faults) > 0 {
				t.Errorf("audit: %v %v", faults, err)
			}
		})
	}
}

const patchBody = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[%s]}`

func userNamed(name string) string {
	return `{"schemas":["` + userURN + `"],"userName":"` + name + `"}`
}

func (o *org) newUsers(t *testing.T, n int) []string {
	t.Helper()
	out := make([]string, n)
	together(16, func(i int) {
		for at := i; at < n; at += 16 {
			r, err := o.call(t.Context(), "POST", "/Users", userNamed(fmt.Sprintf("user-%05d", at)))
			if err != nil || r.Status != 201 {
				t.Errorf("create %d: %v %d %s", at, err, r.Status, r.Body)
				return
			}
			var v struct {
				ID string `json:"id"`
			}
			if err := json.Unmarshal([]byte(r.Body), &v); err != nil {
				t.Error(err)
			}
			out[at] = v.ID
		}
	})
	if t.Failed() {
		t.FailNow()
	}
	return out
}

func (o *org) newGroup(t *testing.T, name string) string {
	t.Helper()
	return id(t, o.must(t, "POST", "/Groups", `{"schemas":["`+groupURN+`"],"displayName":"`+name+`"}`))
}

// membersOf reads the ids of a group's members, sorted.
func (o *org) membersOf(t *testing.T, group string) []string {
	t.Helper()
	var g struct {
		Members []struct {
			Value string `json:"value"`
		} `json:"members"`
	}
	r := o.must(t, "GET", "/Groups/"+group, "")
	if err := json.Unmarshal([]byte(r.Body), &g); err != nil || r.Status != 200 {
		t.Fatalf("read the group: %d %v", r.Status, err)
	}
	out := make([]string, len(g.Members))
	for i, m := range g.Members {
		out[i] = m.Value
	}
	slices.Sort(out)
	return out
}

func sameIDs(t *testing.T, got, want []string) {
	t.Helper()
	want = slices.Clone(want)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("want %d members, got %d", len(want), len(got))
	}
}

// TestRaceMembers: 64 clients add members to one group at once, and none is
// lost; then they take them out again.
func TestRaceMembers(t *testing.T) {
	onStores(t, func(t *testing.T, _ *world, o *org) {
		const clients, each = 64, 3
		users, group := o.newUsers(t, clients*each), o.newGroup(t, "crowd")
		change := func(op string) func(int) {
			return func(i int) {
				for _, u := range users[i*each : (i+1)*each] {
					body := fmt.Sprintf(patchBody, `{"op":"`+op+`","path":"members","value":[{"value":"`+u+`"}]}`)
					if r, err := o.call(t.Context(), "PATCH", "/Groups/"+group, body); err != nil || r.Status != 200 {
						t.Errorf("%s: %v %d %s", op, err, r.Status, r.Body)
					}
				}
			}
		}
		together(clients, change("add"))
		sameIDs(t, o.membersOf(t, group), users)
		together(clients, change("remove"))
		sameIDs(t, o.membersOf(t, group), nil)
	})
}

// TestRaceNames: of 24 creates of one userName exactly one succeeds and the
// others are told 409; the same for a group, and for one address in 24
// organizations (BR-001).
func TestRaceNames(t *testing.T) {
	const clients = 24
	onStores(t, func(t *testing.T, w *world, o *org) {
		orgs := make([]*org, clients)
		for i := range orgs {
			orgs[i] = w.mustOrg(t, resources.ProfileRFC)
		}
		for round := range 10 {
			n := strconv.Itoa(round)
			race(t, "userName", clients, func(int) (reply, error) { return o.call(t.Context(), "POST", "/Users", userNamed("the.one."+n)) })
			race(t, "displayName", clients, func(int) (reply, error) {
				return o.call(t.Context(), "POST", "/Groups", `{"schemas":["`+groupURN+`"],"displayName":"The One `+n+`"}`)
			})
			race(t, "address", clients, func(i int) (reply, error) {
				return orgs[i].call(t.Context(), "POST", "/Users", userNamed("the.one."+n+"@race.example"))
			})
		}
		if l := o.list(t, "/Users?filter="+`userName+sw+"the.one"`); l.TotalResults != 10 {
			t.Errorf("%d users, want 10", l.TotalResults)
		}
	})
}

func race(t *testing.T, what string, clients int, create func(i int) (reply, error)) {
	t.Helper()
	statuses := make([]int, clients)
	together(clients, func(i int) {
		r, err := create(i)
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if statuses[i] = r.Status; r.Status == 409 && !strings.Contains(r.Body, `"uniqueness"`) {
			t.Errorf("%s: %s", what, r.Body)
		}
	})
	slices.Sort(statuses)
	if statuses[0] != 201 || statuses[1] != 409 || statuses[clients-1] != 409 {
		t.Errorf("%s: want one 201 and %d 409, got %v", what, clients-1, statuses)
	}
}

// TestRaceVersions: clients that read, change and write with If-Match, and
// begin again on 412, lose no update (S18, R-127): of a user's attribute, and
// of a group's membership written whole.
func TestRaceVersions(t *testing.T) {
	const clients, rounds = 8, 12
	onStores(t, func(t *testing.T, _ *world, o *org) {
		users, group := o.newUsers(t, clients*rounds), o.newGroup(t, "written whole")
		user := "/Users/" + users[0]
		together(clients, func(int) {
			for range rounds {
				o.swap(t, user, func(body object) string {
					n, err := strconv.Atoi("0" + text(body, "nickName"))
					if err != nil {
						t.Error(err)
					}
					return fmt.Sprintf(patchBody, `{"op":"replace","path":"nickName","value":"`+strconv.Itoa(n+1)+`"}`)
				})
			}
		})
		if r := o.must(t, "GET", user, ""); !strings.Contains(r.Body, `"nickName":"`+strconv.Itoa(clients*rounds)+`"`) {
			t.Errorf("want %d, got %s", clients*rounds, r.Body)
		}
		together(clients, func(i int) {
			for k := range rounds {
				o.swap(t, "/Groups/"+group, func(body object) string {
					refs := []any{object{"value": users[i*rounds+k]}}
					for _, m := range list(body["members"]) {
						refs = append(refs, object{"value": text(m.(object), "value")})
					}
					return fmt.Sprintf(patchBody, render(op("replace", "members", refs)))
				})
			}
		})
		sameIDs(t, o.membersOf(t, group), users)
	})
}

// swap reads, changes and writes with If-Match until it is not refused.
func (o *org) swap(t *testing.T, path string, change func(object) string) {
	t.Helper()
	for {
		r, err := o.call(t.Context(), "GET", path, "")
		var body object
		if err == nil {
			err = json.Unmarshal([]byte(r.Body), &body)
		}
		if err != nil {
			t.Errorf("GET %s: %v", path, err)
			return
		}
		w, err := o.call(t.Context(), "PATCH", path, change(body), "If-Match", r.Header.Get("ETag"))
		switch {
		case err != nil || (w.Status != 200 && w.Status != 412):
			t.Errorf("PATCH %s: %v %d %s", path, err, w.Status, w.Body)
			return
		case w.Status == 200:
			return
		}
	}
}

// TestThousandMembers: one operation adds 1,000 members, one more replaces
// them by 1,500 (L-32, security S11).
func TestThousandMembers(t *testing.T) {
	onStores(t, func(t *testing.T, _ *world, o *org) {
		users, group := o.newUsers(t, 2000), o.newGroup(t, "thousands")
		change := func(op string, ids []string) {
			t.Helper()
			refs := make([]string, len(ids))
			for i, u := range ids {
				refs[i] = `{"value":"` + u + `"}`
			}
			body := fmt.Sprintf(patchBody, `{"op":"`+op+`","path":"members","value":[`+strings.Join(refs, ",")+`]}`)
			if r := o.must(t, "PATCH", "/Groups/"+group, body); r.Status != 200 && r.Status != 204 {
				t.Fatalf("%s: %d %.300s", op, r.Status, r.Body)
			}
		}
		change("add", users[:1000])
		sameIDs(t, o.membersOf(t, group), users[:1000])
		change("replace", users[500:])
		sameIDs(t, o.membersOf(t, group), users[500:])
		change("remove", users[500:1990])
		sameIDs(t, o.membersOf(t, group), users[1990:])
	})
}
