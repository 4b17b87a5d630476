package resources_test

import (
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// types are the types of events with who caused them.
func types(events []resources.StoredEvent) []string {
	out := make([]string, len(events))
	for i, e := range events {
		out[i] = e.Type + " by " + e.Who
	}
	return out
}

// TestTimeline: everything that happened to a user, newest first, memberships
// included, with when and who (BR-261).
func TestTimeline(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx, c := t.Context(), withAdmin(b.a)
		ada, eva := b.user(t, c, "ada"), b.user(t, c, "eva")
		g, err := b.CreateGroup(ctx, c, groupDoc(t, "Team"), []string{ada})
		if err != nil {
			t.Fatal(err)
		}
		_, text, err := b.CreateToken(ctx, b.operator, "acme", resources.TokenSpec{Name: "console", User: eva, Scopes: []resources.Scope{resources.ScopeSCIM}})
		if err != nil {
			t.Fatal(err)
		}
		byEva, err := b.Authenticate(ctx, text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.EditMembers(ctx, byEva, g.ID, resources.MemberEdit{Remove: []string{ada}}); err != nil {
			t.Fatal(err)
		}
		op := b.operator
		if op.Token = b.operatorToken(t); op.Token == "" {
			t.Fatal("no token")
		}
		op.Org, op.Slug, op.Scopes = c.Org, c.Slug, []resources.Scope{resources.ScopeSCIM}
		if _, _, err := b.UpdateUser(ctx, op, ada, set("title", jsontree.Str("Dr."))); err != nil {
			t.Fatal(err)
		}
		if err := b.DeleteUser(ctx, c, ada, nil); err != nil {
			t.Fatal(err)
		}

		all, more, err := b.Timeline(ctx, c, ada, "", 100, 1000)
		want := []string{
			"user.deleted by provisioning", "user.updated by operator", "group.updated by eva (console)",
			"group.created by provisioning", "user.created by provisioning",
		}
		if diff := gocmp.Diff(want, types(all)); diff != "" || more != "" || err != nil {
			t.Fatalf("timeline (-want +got):\n%smore %q, %v", diff, more, err)
		}
		if !slices.Contains(all[1].Changed, "title") || time.Since(all[0].When).Abs() > time.Hour {
			t.Errorf("lines %+v", all[:2])
		}

		// Piece by piece it is the same, whatever stands between.
		for _, size := range []struct{ limit, scan int }{{1, 1}, {2, 1000}, {100, 3}} {
			var got []resources.StoredEvent
			for before, turns := "", 0; turns == 0 || before != ""; turns++ {
				part, more, err := b.Timeline(ctx, c, ada, before, size.limit, size.scan)
				if err != nil || len(part) > size.limit || turns > 100 {
					t.Fatalf("%+v, turn %d: %d events, %v", size, turns, len(part), err)
				}
				got, before = append(got, part...), more
			}
			if diff := gocmp.Diff(all, got); diff != "" {
				t.Errorf("%+v (-want +got):\n%s", size, diff)
			}
		}

		_, _, err = b.Timeline(ctx, withAdmin(b.b), ada, "", 10, 1000)
		wantCode(t, err, resources.CodeNotFound)
		_, _, err = b.Timeline(ctx, c, "nobody", "", 10, 1000)
		wantCode(t, err, resources.CodeNotFound)
		_, _, err = b.Timeline(ctx, c, ada, "yesterday", 10, 1000)
		wantCode(t, err, resources.CodeInvalidValue)
		_, _, err = b.Timeline(ctx, b.a, ada, "", 10, 1000)
		wantCode(t, err, resources.CodeForbidden)
	})
}

// operatorToken makes a token of the platform and gives its id.
func (b *bundle) operatorToken(t *testing.T) string {
	t.Helper()
	tok, _, err := b.CreateToken(t.Context(), b.operator, resources.PlatformSlug, resources.TokenSpec{Name: "secret name"})
	if err != nil {
		t.Fatal(err)
	}
	return tok.ID
}
