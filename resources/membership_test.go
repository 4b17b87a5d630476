package resources_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

func (b *bundle) usersNamed(t *testing.T, n int) []string {
	t.Helper()
	out := make([]string, n)
	for i := range out {
		out[i] = b.user(t, b.a, fmt.Sprintf("member %d", i))
	}
	return out
}

// TestMembership: members are added, removed and replaced at sizes around and
// beyond what one commit makes, and what is already so changes nothing (R-94,
// R-98, L-24, L-25, security S11).
func TestMembership(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		users := b.usersNamed(t, 2300)
		group, err := b.CreateGroup(ctx, b.a, groupDoc(t, "Big"), users[:1500])
		if err != nil {
			t.Fatal(err)
		}
		if got := mustMembers(t, b, group.ID); !slices.Equal(got, slices.Sorted(slices.Values(users[:1500]))) {
			t.Fatalf("%d members after creation with 1500", len(got))
		}
		before, err := b.Get(ctx, b.a, resources.KindGroup, group.ID)
		if err != nil {
			t.Fatal(err)
		}
		changed, err := b.EditMembers(ctx, b.a, group.ID, resources.MemberEdit{Add: users[:10], Remove: users[2000:2010]})
		if err != nil || changed {
			t.Errorf("an edit to the same: %v, %v", changed, err)
		}
		after, err := b.Get(ctx, b.a, resources.KindGroup, group.ID)
		if err != nil || after.Links != before.Links || after.LastModified() != before.LastModified() {
			t.Errorf("an edit to the same moved the group: %+v, %v", after, err)
		}
		// A replacement of all by others is 2 300 changes.
		changed, err = b.EditMembers(ctx, b.a, group.ID, resources.MemberEdit{Replace: true, Add: users[1500:]})
		if err != nil || !changed {
			t.Fatalf("replace: %v, %v", changed, err)
		}
		if got := mustMembers(t, b, group.ID); !slices.Equal(got, slices.Sorted(slices.Values(users[1500:]))) {
			t.Fatalf("%d members after a replacement by 800", len(got))
		}
		u, err := b.Get(ctx, b.a, resources.KindUser, users[0])
		if err != nil || len(u.Groups) != 0 {
			t.Errorf("a replaced member still has groups %v, %v", u.Groups, err)
		}
		u, err = b.Get(ctx, b.a, resources.KindUser, users[2299])
		if err != nil || len(u.Groups) != 1 || u.Groups[0].Display != "Big" {
			t.Errorf("a new member has groups %v, %v", u.Groups, err)
		}
		// An unknown member refuses the whole edit, small or large (L-25).
		ghost := group.ID[:19] + "0"
		for _, add := range [][]string{{users[0], ghost}, append(slices.Clone(users[:1400]), ghost)} {
			_, err = b.EditMembers(ctx, b.a, group.ID, resources.MemberEdit{Add: add})
			wantCode(t, err, resources.CodeMemberUnknown)
		}
		if got := mustMembers(t, b, group.ID); len(got) != 800 {
			t.Errorf("%d members after refused edits, want 800", len(got))
		}
		audit(t, b)
	})
}

// TestGroupDocument: a group's name is unique without case, a change of
// document and members is one commit, and deletion leaves nothing (R-37, R-109,
//
func TestGroupDocument(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		user := b.user(t, b.a, "u")
		one, err := b.CreateGroup(ctx, b.a, groupDoc(t, "Support FR"), nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.CreateGroup(ctx, b.a, groupDoc(t, "support fr"), nil)
		wantCode(t, err, resources.CodeDisplayNameInUse)
		two, err := b.CreateGroup(ctx, b.a, groupDoc(t, "Sales"), nil)
		if err != nil {
			t.Fatal(err)
		}
		rename := func(name string, add ...string) resources.GroupEdit {
			return func(_ *resources.Record, doc jsontree.Value) (jsontree.Value, resources.MemberEdit, error) {
				doc.Set("displayName", jsontree.Str(name))
				return doc, resources.MemberEdit{Add: add}, nil
			}
		}
		_, err = b.UpdateGroup(ctx, b.a, two.ID, rename("SUPPORT fr", user))
		wantCode(t, err, resources.CodeDisplayNameInUse)
		if got := mustMembers(t, b, two.ID); len(got) != 0 {
			t.Errorf("a refused change left members %v", got)
		}
		if changed, err := b.UpdateGroup(ctx, b.a, two.ID, rename("Sales EU", user, two.ID)); err != nil || !changed {
			t.Fatalf("rename with members: %v, %v", changed, err)
		}
		u, err := b.Get(ctx, b.a, resources.KindUser, user)
		if err != nil || len(u.Groups) != 1 || u.Groups[0] != (resources.GroupRef{ID: two.ID, Display: "Sales EU"}) {
			t.Errorf("groups of the member: %v, %v", u.Groups, err)
		}
		if changed, err := b.UpdateGroup(ctx, b.a, two.ID, rename("Sales EU", user)); err != nil || changed {
			t.Errorf("the same again: %v, %v", changed, err)
		}
		if err := b.DeleteGroup(ctx, b.a, two.ID, nil); err != nil {
			t.Fatal(err)
		}
		u, err = b.Get(ctx, b.a, resources.KindUser, user)
		if err != nil || len(u.Groups) != 0 {
			t.Errorf("groups after the group's deletion: %v, %v", u.Groups, err)
		}
		if _, err := b.UpdateGroup(ctx, b.a, one.ID, rename("Sales EU", user)); err != nil {
			t.Errorf("the name of a deleted group is not free: %v", err)
		}
		if err := b.DeleteUser(ctx, b.a, user, nil); err != nil {
			t.Fatal(err)
		}
		if got := mustMembers(t, b, one.ID); len(got) != 0 {
			t.Errorf("members after the user's deletion: %v", got)
		}
		b.clean(t)
		audit(t, b)
	})
}

// TestLeavingManyGroups: a user in more groups than one commit can handle is
// deleted all the same (BR-240).
func TestLeavingManyGroups(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		user := b.user(t, b.a, "joiner")
		var groups []string
		for i := range 1100 {
			g, err := b.CreateGroup(ctx, b.a, groupDoc(t, fmt.Sprintf("G%d", i)), []string{user})
			if err != nil {
				t.Fatal(err)
			}
			groups = append(groups, g.ID)
		}
		if err := b.DeleteUser(ctx, b.a, user, nil); err != nil {
			t.Fatal(err)
		}
		for _, g := range []string{groups[0], groups[600], groups[1099]} {
			if got := mustMembers(t, b, g); len(got) != 0 {
				t.Errorf("group %s still has %v", g, got)
			}
		}
		audit(t, b)
	})
}

// TestReplaceRace: of two replacements at the same time one is the last, and
// its members are exactly those there are.
func TestReplaceRace(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		users := b.usersNamed(t, 40)
		group, err := b.CreateGroup(ctx, b.a, groupDoc(t, "Contested"), users[:5])
		if err != nil {
			t.Fatal(err)
		}
		for range 25 {
			var wg sync.WaitGroup
			for _, half := range [][]string{users[:20], users[20:]} {
				wg.Go(func() {
					if _, err := b.EditMembers(ctx, b.a, group.ID, resources.MemberEdit{Replace: true, Add: half}); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			got := mustMembers(t, b, group.ID)
			if !slices.Equal(got, slices.Sorted(slices.Values(users[:20]))) && !slices.Equal(got, slices.Sorted(slices.Values(users[20:]))) {
				t.Fatalf("%d members: a mix of two replacements", len(got))
			}
		}
	})
}
