package resources_test

import (
	"crypto/rand"
	"sync"
	"testing"

	"github.com/usher-scim/usher/resources"
)

// TestCreateOnce repeats a creation under one id (R-117, repeatable Bulk): one
// resource is made, and every repetition gets it.
func TestCreateOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		for _, kind := range []resources.Kind{resources.KindUser, resources.KindGroup} {
			c := b.a
			var err error
			if c.NewID, err = resources.NewID(kind, b.clock.Now(), rand.Reader); err != nil {
				t.Fatal(err)
			}
			create := func() (*resources.Record, error) {
				if kind == resources.KindGroup {
					return b.CreateGroup(t.Context(), c, parse(t, `{"schemas":["g"],"displayName":"Once"}`), nil)
				}
				return b.CreateUser(t.Context(), c, parse(t, `{"schemas":["u"],"userName":"once","emails":[{"value":"once@acme.example"}]}`))
			}
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					rec, err := create()
					if err != nil || rec.ID != c.NewID || rec.Version != 1 {
						t.Errorf("%s: got %+v, %v; want the resource %s at version 1", kind, rec, err, c.NewID)
					}
				})
			}
			wg.Wait()
			page, err := b.Find(t.Context(), b.a, resources.Query{Kind: kind, Limit: 10})
			if err != nil || page.Total != 1 {
				t.Errorf("%s: %d resources after repetitions, %v; want 1", kind, page.Total, err)
			}
			c.NewID = "01k7sisni94bv9g0q0o3" // of another kind
			if _, err := create(); err == nil {
				t.Errorf("%s: an id of another kind was taken", kind)
			}
		}
	})
}
