package backend_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/conformance"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/internal/redisurl"
	"github.com/usher-scim/usher/resources"
)

// TestStore runs every promise of the ports on both stores and compares
// indexes, links and claims with the records afterwards.
func TestStore(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) { everyPromise(t, backend.Config{URL: url}) })
}

// TestStoreWithSpreadClaims is TestStore with claims taken as clusters take them.
func TestStoreWithSpreadClaims(t *testing.T) {
	everyPromise(t, backend.Config{URL: redistest.Start(t), SpreadClaims: true})
}

func everyPromise(t *testing.T, cfg backend.Config) {
	url := cfg.URL
	for i, check := range conformance.StoreChecks() {
		t.Run(check.Name, func(t *testing.T) {
			c := newClock()
			cfg := cfg
			cfg.Now = c.now
			s := open(t, cfg)
			env := envOf(s, c, fmt.Sprintf("c%do", i))
			next := env.Org
			var orgs []resources.OrgID
			env.Org = func() resources.OrgID {
				org := next()
				orgs = append(orgs, org)
				return org
			}
			if check.Name == "claim-race" {
				env.Org = next
			}
			if err := check.Run(context.Background(), env); err != nil {
				t.Fatalf("%s: %v", check.Source, err)
			}
			for _, org := range orgs {
				audit(t, s, org)
			}
			if strings.HasPrefix(check.Name, "erase-") && url != "" {
				noKeys(t, url, orgs[0])
			}
		})
	}
}

func audit(t testing.TB, s *backend.Store, org resources.OrgID) {
	t.Helper()
	faults, err := s.Audit(context.Background(), org, nil)
	if err != nil {
		t.Fatalf("audit: %v", err)
	}
	for _, f := range faults {
		t.Errorf("audit of %s: %s", org, f)
	}
}

// noKeys looks at the server itself for anything of an organization, but for the
// word that it was erased, which passes.
func noKeys(t *testing.T, url string, org resources.OrgID) {
	t.Helper()
	for _, addr := range serversOf(t, url) {
		c := redistest.Client(t, addr)
		keys, err := c.Keys(context.Background(), "*{"+string(org)+"}*").Result()
		if err != nil {
			t.Fatal(err)
		}
		word := "er:{" + string(org) + "}"
		if ttl, err := c.PTTL(context.Background(), word).Result(); err == nil && ttl == -1 {
			t.Errorf("%s does not pass", word)
		}
		if keys = slices.DeleteFunc(keys, func(key string) bool { return key == word }); len(keys) != 0 {
			t.Errorf("Erase left the keys %q", keys)
		}
	}
}

// serversOf lists the URLs of the servers behind a URL.
func serversOf(t *testing.T, text string) (urls []string) {
	t.Helper()
	u, err := redisurl.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if u.Kind == redisurl.Sentinel { // its servers are looked at by the other topologies
		return nil
	}
	for _, addr := range u.Addrs {
		urls = append(urls, redisurl.URL{Password: u.Password, Addrs: []string{addr}}.String())
	}
	return urls
}
