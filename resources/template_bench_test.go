package resources_test

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// BenchmarkApplyTemplate gives a template to users there are and a group template
// to its members, on a real Redis, and tells how many users a second that is.
func BenchmarkApplyTemplate(b *testing.B) {
	const users = 10_000
	ctx := b.Context()
	log := slog.New(slog.DiscardHandler)
	store, err := backend.Open(ctx, backend.Config{URL: redistest.Start(b), Now: time.Now, Rand: rand.Reader, Log: log})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	dir, err := resources.New(resources.Config{Store: store, Vault: store, Now: time.Now, Rand: rand.Reader, Log: log})
	if err != nil {
		b.Fatal(err)
	}
	operator := resources.Caller{Org: resources.PlatformOrg, Token: "bench", Scopes: []resources.Scope{resources.ScopePlatform}}
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	_, err = dir.CreateOrg(ctx, operator, "acme", "")
	must(err)
	op, err := dir.Operate(ctx, operator, "acme")
	must(err)
	ids := make([]string, users)
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			for i := w; i < users; i += 16 {
				doc, err := jsontree.Parse(fmt.Appendf(nil, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"u%d@acme.example","emails":[{"value":"u%d@acme.example","primary":true}],"displayName":"User %d","active":true}`, i, i, i), jsontree.Limits{})
				if err != nil {
					b.Error(err)
					return
				}
				rec, err := dir.CreateUser(ctx, op, doc)
				if err != nil {
					b.Error(err)
					return
				}
				ids[i] = rec.ID
			}
		})
	}
	wg.Wait()
	if b.Failed() {
		return
	}
	_, err = dir.CreateSubscription(ctx, op, resources.Subscription{SKU: "host", Units: users})
	must(err)
	group, err := jsontree.Parse([]byte(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"all"}`), jsontree.Limits{})
	must(err)
	all, err := dir.CreateGroup(ctx, op, group, ids)
	must(err)
	lease, _, err := store.Lease(ctx, op.Org, "bench", time.Hour)
	must(err)
	work := func() {
		for {
			items, _, err := store.Due(ctx, op.Org, time.Now(), 100)
			must(err)
			if len(items) == 0 {
				return
			}
			for _, item := range items {
				must(dir.WorkOn(ctx, lease, item))
			}
		}
	}
	work()
	b.Run("org", func(b *testing.B) {
		tpl, _, err := dir.PutTemplate(ctx, op, resources.Template{Type: resources.TemplateOrg, SKUs: []string{"host"}})
		must(err)
		for b.Loop() {
			_, err := dir.ApplyTemplate(ctx, op, tpl.ID, false, false)
			must(err)
			work()
		}
		b.ReportMetric(float64(users*b.N)/b.Elapsed().Seconds(), "users/s")
	})
	b.Run("group", func(b *testing.B) {
		for b.Loop() {
			tpl, _, err := dir.PutTemplate(ctx, op, resources.Template{Type: resources.TemplateGroup, SKUs: []string{"basic"}, Groups: []string{all.ID}})
			must(err)
			work()
			b.StopTimer()
			_, err = dir.DeleteTemplate(ctx, op, tpl.ID)
			must(err)
			work()
			b.StartTimer()
		}
		b.ReportMetric(float64(users*b.N)/b.Elapsed().Seconds(), "users/s")
	})
}
