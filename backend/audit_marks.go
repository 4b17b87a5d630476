package backend

import "context"

// marks checks that only groups that live are marked, each with a change that is
// under way.
func (a *audit) marks(ctx context.Context) error {
	return a.hash(ctx, a.f.keys.changing(), func(group, change string) {
		if a.records[group] == nil {
			a.fault("the membership of the group %s, which does not exist, is marked as being changed", group)
		}
		if a.records[change] == nil {
			a.fault("the membership of the group %s is marked for the change %s, which does not exist", group, change)
		}
	})
}
