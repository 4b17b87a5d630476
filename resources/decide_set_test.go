package resources

import "testing"

// TestDecideCascade: a product that only another one keeps away, which itself
// lacks a prerequisite, is held with all that builds on it (BR-153).
func TestDecideCascade(t *testing.T) {
	cat := newCatalogue([]Product{
		{SKU: "alone", Exclusive: []string{"base"}, Requires: []string{"missing"}},
		{SKU: "base", Exclusive: []string{"alone"}},
		{SKU: "missing"},
		{SKU: "onbase", Requires: []string{"base"}},
	})
	for _, order := range [][]string{{"alone", "base", "onbase"}, {"onbase", "alone", "base"}, {"base", "onbase", "alone"}} {
		q := asked(func(q *question) { q.catalogue, q.wish = cat, wishes{licences: order} })
		v := decide(q)
		for _, a := range v.licences {
			if want := a.SKU != "alone"; (a.Status == Assigned) != want {
				t.Errorf("asked for in the order %v: %s is %s (%s), want assigned %v", order, a.SKU, a.Status, a.Issue, want)
			}
		}
	}
}
