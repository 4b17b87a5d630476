package resources_test

import (
	"fmt"
	"testing"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// TestRefusedByWhatIs: what a process remembers of the plan and the catalogue does
// not refuse what another process has made possible, not even for a moment.
func TestRefusedByWhatIs(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		p := newPhones(t, b, b.a)
		p.idp.Strict = true
		other := b.another(t)
		create := func(name, wishes string) *resources.Record {
			t.Helper()
			rec, err := other.CreateUser(ctx, p.idp, p.document(name, wishes))
			if err != nil {
				t.Fatal(err)
			}
			return rec
		}
		first := create("first", `"location":"Paris","extension":"11"`) // now it remembers
		p.location(resources.Location{Name: "Nice", Country: "FR"})
		create("second", `"location":"Nice","extension":"12"`)

		p.location(resources.Location{Name: "Brest", Country: "FR"})
		_, _, err := other.UpdateUser(ctx, p.idp, first.ID, func(_ *resources.Record, doc jsontree.Value) (jsontree.Value, error) {
			doc.Set(resources.CallingURN, parse(t, `{"location":"Brest","extension":"13"}`))
			return doc, nil
		})
		if err != nil {
			t.Error(err)
		}

		if _, err := b.PutProduct(ctx, b.operator, resources.Product{SKU: "later"}); err != nil {
			t.Fatal(err)
		}
		if _, err := other.CreateGroup(ctx, p.idp, parse(t, fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"later",%q:{"licenses":["later"]}}`, resources.LicenceGroupURN)), nil); err != nil {
			t.Error(err)
		}
		if _, err := b.PutProduct(ctx, b.operator, resources.Product{SKU: "last", Paid: false}); err != nil {
			t.Fatal(err)
		}
		if _, err := other.ChangeLicences(ctx, p.admin, first.ID, resources.LicenceChange{Add: []string{"last"}}, nil); resources.HasCode(err, resources.CodeSKUUnknown) {
			t.Error(err)
		}
		audit(t, b)
	})
}
