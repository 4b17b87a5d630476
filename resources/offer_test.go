package resources_test

import (
	"slices"
	"testing"

	"github.com/usher-scim/usher/resources"
)

// TestOffer: what an organization can ask for is what it subscribes to and what
// is free; there are always packages to choose from (domain.md §5.2).
func TestOffer(t *testing.T) {
	b := newBundle(t, "")
	op := b.operated(t, "acme")
	all := []string{"calling", "meetings", "suite", "voice"}
	for _, step := range []struct {
		sku            string
		skus, packages []string
	}{
		{"", []string{"basic", "calling", "host", "meetings", "suite", "voice", "webinars"}, all},
		{"host", []string{"basic", "host"}, all},
		{"suite", []string{"basic", "host", "suite"}, []string{"suite"}},
	} {
		if step.sku != "" {
			b.subscribe(t, op, resources.Subscription{SKU: step.sku, Units: 1})
		}
		o, err := b.Offer(t.Context(), b.a)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(o.SKUs, step.skus) || !slices.Equal(o.Packages, step.packages) {
			t.Errorf("after %q: %v and %v, want %v and %v", step.sku, o.SKUs, o.Packages, step.skus, step.packages)
		}
	}
}
