package backend

import (
	"context"
	"slices"

	"github.com/usher-scim/usher/resources"
)

// Expected tells under what a record should be found: its index entries, the
// claims it should hold, its places in pools and lines. The rules are the
// domain's, not the store's.
type Expected = resources.Placed

// Audit is Fsck for an organization at rest, as sentences in order; none means
// that all agrees. Without expected it only checks that what indexes and claims
// name exists.
func (s *Store) Audit(ctx context.Context, org resources.OrgID, expected Expected) (faults []string, err error) {
	_, err = s.Fsck(ctx, org, FsckConfig{Placed: expected, Found: func(f Finding) { faults = append(faults, f.Reason) }})
	slices.Sort(faults)
	return faults, err
}
