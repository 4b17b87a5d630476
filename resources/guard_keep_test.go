package resources_test

import (
	"testing"

	"github.com/usher-scim/usher/resources"
)

// TestHoldGivesNothing: a held revocation lets users keep what they have; who did
// not have it gets nothing by it (BR-165).
func TestHoldGivesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		g := newGuarded(t, b, 30)
		g.tpl.SKUs = []string{"basic"}
		if _, _, err := b.PutTemplate(t.Context(), g.op, g.tpl); err != nil {
			t.Fatal(err)
		}
		b.work(t, b.a.Org)
		g.alert(t, 30)
		late := b.crowd(t, b.a, "late", 1)
		if _, err := b.EditMembers(t.Context(), b.a, g.group, resources.MemberEdit{Add: late}); err != nil {
			t.Fatal(err)
		}
		b.work(t, b.a.Org)
		if got := b.shows(t, b.a, late[0]); got != "basic=assigned" {
			t.Errorf("who came into the group after the template was changed shows %s", got)
		}
		b.touch(t, g.members[0])
		sameIDs(t, "held", b.held(t, b.a, "host", g.members), g.members)
	})
}
