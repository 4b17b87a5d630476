package conformance_test

import "github.com/usher-scim/usher/resources"

// audit compares the store's indexes, links and claims with a full scan of its
// records.
func (r *run) audit(tn *tenant) {
	r.rt.Helper()
	faults, err := r.world.store.Audit(r.ctx, tn.ID, resources.Placement)
	if err != nil {
		r.rt.Fatalf("audit: %v", err)
	}
	for _, f := range faults {
		r.rt.Errorf("audit of %s: %s", tn.Slug, f)
	}
}
