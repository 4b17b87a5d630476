package resources_test

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/resources"
)

// cutStore lets so many commits through and then answers no more, as for a
// process that dies.
type cutStore struct {
	resources.Store
	left atomic.Int64
}

var errCut = errors.New("cut off")

func (s *cutStore) Update(ctx context.Context, org resources.OrgID, fn func(context.Context, resources.Tx) error) (resources.Commit, error) {
	if s.left.Add(-1) < 0 {
		return resources.Commit{}, errCut
	}
	return s.Store.Update(ctx, org, fn)
}

// cut is a directory over the same store that ends after so many commits.
func (b *bundle) cut(t *testing.T, commits int64) *resources.Directory {
	t.Helper()
	s := &cutStore{Store: b.store}
	s.left.Store(commits)
	dir, err := resources.New(resources.Config{Store: s, Vault: b.store, Queue: b.store, Now: b.clock.Now, Rand: rand.Reader, Log: quietLog()})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// goesOn works as if the time of a worker has come.
func (b *bundle) goesOn(t *testing.T) {
	t.Helper()
	b.clock.Advance(time.Minute)
	b.work(t, b.a.Org)
	b.clock.Advance(2 * time.Hour) // the lease of this work ends
}

// TestLongChangeGoesOn: wherever a change in pieces is cut off, a worker brings
// it to its end, others wait until then, and nobody who stays has left in between.
func TestLongChangeGoesOn(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		users := b.usersNamed(t, 1300)
		group, err := b.CreateGroup(ctx, b.a, groupDoc(t, "Long"), users[:1000])
		if err != nil {
			t.Fatal(err)
		}
		old, replaced := users[:1000], users[700:]
		for cut := int64(1); cut <= 4; cut++ { // four pieces, and the end
			_, err := b.cut(t, cut).EditMembers(ctx, b.a, group.ID, resources.MemberEdit{Replace: true, Add: replaced})
			if !errors.Is(err, errCut) {
				t.Fatalf("cut off after %d commits: %v", cut, err)
			}
			between := mustMembers(t, b, group.ID)
			for _, u := range users[700:1000] {
				if !slices.Contains(between, u) {
					t.Fatalf("after %d commits %s, who stays, is not in", cut, u)
				}
			}
			began := time.Now()
			short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
			_, err = b.EditMembers(short, b.a, group.ID, resources.MemberEdit{Add: users[:1]})
			cancel()
			if err == nil || time.Since(began) < 18*time.Millisecond {
				t.Errorf("another edit while one is under way: %v", err)
			}
			b.recount(t, b.a.Org)
			b.goesOn(t)
			if diff := cmp.Diff(slices.Sorted(slices.Values(replaced)), mustMembers(t, b, group.ID)); diff != "" {
				t.Fatalf("cut off after %d commits: -want +got\n%s", cut, diff)
			}
			if _, err = b.EditMembers(ctx, b.a, group.ID, resources.MemberEdit{Replace: true, Add: old}); err != nil {
				t.Fatal(err)
			}
			b.recount(t, b.a.Org)
		}
	})
}

// TestLongChangeOfEverySort: creation, additions, removals and emptying are
// brought to their end as well.
func TestLongChangeOfEverySort(t *testing.T) {
	b := newBundle(t, "")
	ctx := t.Context()
	users := b.usersNamed(t, 900)
	_, err := b.cut(t, 2).CreateGroup(ctx, b.a, groupDoc(t, "Made"), users[:800])
	if !errors.Is(err, errCut) {
		t.Fatal(err)
	}
	page, err := b.Find(ctx, b.a, resources.Query{Kind: resources.KindGroup, Limit: 1})
	if err != nil || len(page.Records) != 1 {
		t.Fatal(page, err)
	}
	id := page.Records[0].ID
	b.goesOn(t)
	for _, step := range []struct {
		name string
		edit resources.MemberEdit
		want []string
	}{
		{"nothing more than the creation", resources.MemberEdit{}, users[:800]},
		{"removals", resources.MemberEdit{Remove: users[:600]}, users[600:800]},
		{"additions and removals", resources.MemberEdit{Add: users[:600], Remove: users[600:700]}, append(slices.Clone(users[:600]), users[700:800]...)},
		{"emptying", resources.MemberEdit{Replace: true}, nil},
	} {
		if !step.edit.Empty() {
			if _, err := b.cut(t, 2).EditMembers(ctx, b.a, id, step.edit); !errors.Is(err, errCut) {
				t.Fatal(step.name, err)
			}
			b.goesOn(t)
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values(step.want)), mustMembers(t, b, id)); diff != "" {
			t.Fatalf("%s: -want +got\n%s", step.name, diff)
		}
	}
}

// TestLongChangeMeets: users and the group may go while its membership is
// changed, and a change that a worker has ended is not made again.
func TestLongChangeMeets(t *testing.T) {
	b := newBundle(t, "")
	ctx := t.Context()
	users := b.usersNamed(t, 700)
	group, err := b.CreateGroup(ctx, b.a, groupDoc(t, "Met"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.cut(t, 1).EditMembers(ctx, b.a, group.ID, resources.MemberEdit{Add: users}); !errors.Is(err, errCut) {
		t.Fatal(err)
	}
	for _, u := range []string{users[0], users[699]} { // one is in already, one not yet
		if err := b.DeleteUser(ctx, b.a, u, nil); err != nil {
			t.Fatalf("a member is deleted meanwhile: %v", err)
		}
	}
	b.goesOn(t)
	if diff := cmp.Diff(slices.Sorted(slices.Values(users[1:699])), mustMembers(t, b, group.ID)); diff != "" {
		t.Error(diff)
	}
	if _, err := b.cut(t, 1).EditMembers(ctx, b.a, group.ID, resources.MemberEdit{Replace: true}); !errors.Is(err, errCut) {
		t.Fatal(err)
	}
	if err := b.DeleteGroup(ctx, b.a, group.ID, nil); err != nil {
		t.Fatalf("the group is deleted meanwhile: %v", err)
	}
	b.goesOn(t)
	for n := 1; n > 0; {
		if n, err = b.store.Sweep(ctx, b.a.Org, b.clock.Now(), 500, resources.Placement); err != nil {
			t.Fatal(err)
		}
	}
	b.recount(t, b.a.Org)
	many := make([]string, 40_001)
	_, err = b.EditMembers(ctx, b.a, group.ID, resources.MemberEdit{Remove: many})
	wantCode(t, err, resources.CodeNotFound)
	if group, err = b.CreateGroup(ctx, b.a, groupDoc(t, "Met"), users[1:2]); err != nil {
		t.Fatal(err)
	}
	_, err = b.EditMembers(ctx, b.a, group.ID, resources.MemberEdit{Remove: many})
	wantCode(t, err, resources.CodeTooMany)
}
