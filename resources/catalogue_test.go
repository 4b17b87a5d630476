package resources_test

import (
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
)

// TestCatalogue: the operator writes products; what they say of each other goes
// both ways, and who is used or referred to stays (BR-153, BR-154).
func TestCatalogue(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		list, err := b.Products(ctx, b.operator)
		if err != nil || len(list) != 7 {
			t.Fatalf("the builtin catalogue: %+v, %v", list, err)
		}
		created, err := b.PutProduct(ctx, b.operator, resources.Product{SKU: "Gold", Paid: true, Exclusive: []string{"BASIC"}, Requires: []string{"host", "Host"}})
		if err != nil || !created {
			t.Fatalf("put: %v, %v", created, err)
		}
		get := func(sku string) resources.Product {
			t.Helper()
			list, err := b.Products(ctx, b.operator)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range list {
				if p.SKU == sku {
					return p
				}
			}
			t.Fatalf("no %s in %+v", sku, list)
			return resources.Product{}
		}
		if gold := get("gold"); gold.Name != "gold" || strings.Join(gold.Requires, " ") != "host" {
			t.Errorf("stored %+v", gold)
		}
		if basic := get("basic"); strings.Join(basic.Exclusive, " ") != "gold" {
			t.Errorf("the other side of an exclusion: %+v", basic)
		}
		fails(t, b.DeleteProduct(ctx, b.operator, "host"), resources.CodeProductInUse, "sku")
		op := b.operated(t, "acme")
		sub := b.subscribe(t, op, resources.Subscription{SKU: "gold", Units: 1})
		fails(t, b.DeleteProduct(ctx, b.operator, "gold"), resources.CodeProductInUse, "sku")
		_, err = b.PutProduct(ctx, b.operator, resources.Product{SKU: "gold", Paid: false})
		fails(t, err, resources.CodeProductInUse, "sku")
		if created, err = b.PutProduct(ctx, b.operator, resources.Product{SKU: "gold", Paid: true, Name: "Gold"}); err != nil || created {
			t.Errorf("put again: %v, %v", created, err)
		}
		if basic := get("basic"); len(basic.Exclusive) != 0 {
			t.Errorf("the other side of an exclusion that is gone: %+v", basic)
		}
		if err := b.DeleteSubscription(ctx, op, sub.ID, false); err != nil {
			t.Fatal(err)
		}
		b.work(t, op.Org)
		if err := b.DeleteProduct(ctx, b.operator, "GOLD"); err != nil {
			t.Error(err)
		}
		fails(t, b.DeleteProduct(ctx, b.operator, "gold"), resources.CodeNotFound, "sku")
		id := b.licensed(t, b.a, "u", "basic")
		fails(t, b.DeleteProduct(ctx, b.operator, "basic"), resources.CodeProductInUse, "sku")
		if err := b.DeleteUser(ctx, b.a, id, nil); err != nil {
			t.Fatal(err)
		}
		if err := b.DeleteProduct(ctx, b.operator, "basic"); err != nil {
			t.Error(err)
		}
	})
}

// TestCatalogueReachesNodes: a product that one node writes is known to another
// after three seconds.
func TestCatalogueReachesNodes(t *testing.T) {
	b := newBundle(t, "")
	ctx := t.Context()
	other := b.another(t)
	b.licensed(t, b.a, "warm", "basic")
	if _, err := other.PutProduct(ctx, b.operator, resources.Product{SKU: "gold"}); err != nil {
		t.Fatal(err)
	}
	b.clock.Advance(3 * time.Second)
	b.licensed(t, b.a, "u", "gold")
}

// TestProductRefusals: what a product cannot be.
func TestProductRefusals(t *testing.T) {
	b := newBundle(t, "")
	for name, tt := range map[string]struct {
		p     resources.Product
		code  resources.Code
		field string
	}{
		"no SKU":           {resources.Product{}, resources.CodeInvalidValue, "sku"},
		"a space":          {resources.Product{SKU: "a b"}, resources.CodeInvalidValue, "sku"},
		"too long":         {resources.Product{SKU: strings.Repeat("a", 64)}, resources.CodeInvalidValue, "sku"},
		"capability":       {resources.Product{SKU: "a", Capabilities: []resources.Capability{"fax"}}, resources.CodeInvalidValue, "capabilities"},
		"name":             {resources.Product{SKU: "a", Name: strings.Repeat("n", 101)}, resources.CodeInvalidValue, "name"},
		"tier":             {resources.Product{SKU: "a", Tier: "\x00"}, resources.CodeInvalidValue, "tier"},
		"excludes itself":  {resources.Product{SKU: "a", Exclusive: []string{"A"}}, resources.CodeInvalidValue, "exclusiveWith"},
		"requires itself":  {resources.Product{SKU: "a", Requires: []string{"A"}}, resources.CodeInvalidValue, "requires"},
		"excludes unknown": {resources.Product{SKU: "a", Exclusive: []string{"b"}}, resources.CodeSKUUnknown, "exclusiveWith"},
		"requires unknown": {resources.Product{SKU: "a", Requires: []string{"b"}}, resources.CodeSKUUnknown, "requires"},
		"impossible":       {resources.Product{SKU: "a", Requires: []string{"host"}, Exclusive: []string{"host"}}, resources.CodeInvalidValue, "requires"},
		"impossible other": {resources.Product{SKU: "host", Paid: true, Exclusive: []string{"webinars"}}, resources.CodeInvalidValue, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "impossible other" { // webinars needs one of three: exclude the other two first
				for _, sku := range []string{"meetings", "suite"} {
					p := resources.Product{SKU: sku, Paid: true, Package: true, Exclusive: []string{"webinars"}}
					if _, err := b.PutProduct(t.Context(), b.operator, p); err != nil {
						t.Fatal(err)
					}
				}
			}
			_, err := b.PutProduct(t.Context(), b.operator, tt.p)
			fails(t, err, tt.code, tt.field)
		})
	}
	own := b.admin(t, "acme", resources.ScopeAdmin)
	_, err := b.PutProduct(t.Context(), own, resources.Product{SKU: "a"})
	fails(t, err, resources.CodeForbidden, "")
	if _, err := b.Products(t.Context(), own); err != nil {
		t.Errorf("an administrator reads the catalogue: %v", err)
	}
	_, err = b.Products(t.Context(), b.a)
	fails(t, err, resources.CodeForbidden, "")
}
