package resources_test

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// BenchmarkCreateUser measures creations of users on a real Redis, 32 at once: without
// licences, with a seat that is there, with one that is not, and by the
// organization's template. They are to be compared with each other in one run.
func BenchmarkCreateUser(b *testing.B) {
	log := slog.New(slog.DiscardHandler)
	store, err := backend.Open(b.Context(), backend.Config{URL: redistest.Start(b), Now: time.Now, Rand: rand.Reader, Log: log})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	dir, err := resources.New(resources.Config{Store: store, Vault: store, Now: time.Now, Rand: rand.Reader, Log: log})
	if err != nil {
		b.Fatal(err)
	}
	operator := resources.Caller{Org: resources.PlatformOrg, Token: "bench", Scopes: []resources.Scope{resources.ScopePlatform}}
	n := 0
	for _, bb := range []struct {
		name, block string
		units       int
		template    []string
	}{
		{"plain", "", 1 << 20, nil},
		{"seat", `{"licenses":["host"]}`, 1 << 20, nil},
		{"full", `{"licenses":["host"]}`, 0, nil},
		{"template", "", 1 << 20, []string{"host"}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			n++
			slug := fmt.Sprintf("bench-%d", n)
			if _, err := dir.CreateOrg(b.Context(), operator, slug, ""); err != nil {
				b.Fatal(err)
			}
			op, err := dir.Operate(b.Context(), operator, slug)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := dir.CreateSubscription(b.Context(), op, resources.Subscription{SKU: "host", Units: bb.units}); err != nil {
				b.Fatal(err)
			}
			if bb.template != nil {
				if _, _, err := dir.PutTemplate(b.Context(), op, resources.Template{Type: resources.TemplateOrg, SKUs: bb.template}); err != nil {
					b.Fatal(err)
				}
			}
			c := resources.Caller{Org: op.Org, Token: "bench", Scopes: []resources.Scope{resources.ScopeSCIM}}
			var seq atomic.Int64
			b.SetParallelism(16)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					i := seq.Add(1)
					text := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"user-%d","externalId":"x-%d","displayName":"User Number %d","name":{"givenName":"User","familyName":"Number %d"},"active":true,"emails":[{"value":"user-%d@%s.example","type":"work","primary":true}]}`, i, i, i, i, i, slug)
					doc, err := jsontree.Parse([]byte(text), jsontree.Limits{})
					if err == nil && bb.block != "" {
						var block jsontree.Value
						block, err = jsontree.Parse([]byte(bb.block), jsontree.Limits{})
						doc.Set(resources.LicenceUserURN, block)
					}
					if err == nil {
						_, err = dir.CreateUser(b.Context(), c, doc)
					}
					if err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
