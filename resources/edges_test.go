package resources_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// TestRefusedDeletionTakesNothing: a deletion that its precondition refuses
// leaves a member of very many groups in all of them; one that is allowed asks
// the precondition once (R-127, BR-240).
func TestRefusedDeletionTakesNothing(t *testing.T) {
	b := newBundle(t, "")
	ctx := t.Context()
	user := b.user(t, b.a, "joiner")
	const many = 251
	for i := range many {
		if _, err := b.CreateGroup(ctx, b.a, groupDoc(t, fmt.Sprintf("G%d", i)), []string{user}); err != nil {
			t.Fatal(err)
		}
	}
	stale := errors.New("stale")
	if err := b.DeleteUser(ctx, b.a, user, func(*resources.Record) error { return stale }); !errors.Is(err, stale) {
		t.Fatalf("%v, want the refusal", err)
	}
	rec, err := b.Get(ctx, b.a, resources.KindUser, user)
	if err != nil || len(rec.Groups) != many {
		t.Fatalf("%d groups after a refused deletion, %v; want %d", len(rec.Groups), err, many)
	}
	asked := 0
	if err := b.DeleteUser(ctx, b.a, user, func(cur *resources.Record) error {
		if asked++; len(cur.Groups) != many {
			return stale
		}
		return nil
	}); err != nil || asked != 1 {
		t.Errorf("asked %d times, %v", asked, err)
	}
	audit(t, b)
}

// TestRotationsRace: of many rotations at once one succeeds, so that never more
// than two tokens of a connection are alive (security T1).
func TestRotationsRace(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		first, _, err := b.CreateToken(ctx, b.operator, "acme", resources.TokenSpec{})
		if err != nil {
			t.Fatal(err)
		}
		errs := make([]error, 8)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { _, _, errs[i] = b.RotateToken(ctx, b.operator, "acme", first.ID) })
		}
		wg.Wait()
		done := 0
		for _, err := range errs {
			if err == nil {
				done++
			} else {
				wantCode(t, err, resources.CodeTooManyTokens)
			}
		}
		all, err := b.ListTokens(ctx, b.operator, "acme")
		if err != nil {
			t.Fatal(err)
		}
		alive := 0
		for _, k := range all {
			if k.Connection == first.Connection {
				alive++
			}
		}
		if done != 1 || alive != 2 {
			t.Errorf("%d rotations succeeded and %d tokens are alive, want 1 and 2", done, alive)
		}
		audit(t, b)
	})
}

// TestTokenUseIsNoted: to the hour, once an hour, without a change for lists
// (security T1).
func TestTokenUseIsNoted(t *testing.T) {
	b := newBundle(t, "")
	ctx := t.Context()
	tok, text, err := b.CreateToken(ctx, b.operator, "acme", resources.TokenSpec{})
	if err != nil {
		t.Fatal(err)
	}
	version := uint64(0)
	for i, after := range []time.Duration{0, 10 * time.Second, 2 * time.Hour} {
		b.clock.Advance(after)
		if _, err := b.Authenticate(ctx, text); err != nil {
			t.Fatal(err)
		}
		rec, err := b.store.Get(ctx, b.a.Org, resources.KindToken, tok.ID)
		if err != nil {
			t.Fatal(err)
		}
		crossed := b.clock.Now().Truncate(time.Hour) != b.clock.Now().Add(-after).Truncate(time.Hour)
		if wrote := rec.Version != version; wrote != (i == 0 || crossed) {
			t.Errorf("use %d: version %d after %d", i, rec.Version, version)
		}
		version = rec.Version
		all, err := b.ListTokens(ctx, b.operator, "acme")
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(all, func(k *resources.Token) bool { return k.ID == tok.ID })
		if want := b.clock.Now().Truncate(time.Hour); at < 0 || !all[at].LastUsed.Equal(want) {
			t.Errorf("use %d is not noted in %+v, want %v", i, all, want)
		}
	}
}

// TestLargeUsers: what is too large is refused with what to do, before anything
// is written, and can always be made smaller (security S11).
func TestLargeUsers(t *testing.T) {
	b := newBundle(t, "")
	ctx := t.Context()
	emails := func(n int) jsontree.Value {
		out := jsontree.Arr()
		for i := range n {
			out.Items = append(out.Items, jsontree.Obj(jsontree.Str(fmt.Sprintf("u%d@a.test", i)).As("value")))
		}
		return out
	}
	doc := userDoc(t, "u", "")
	doc.Set("emails", emails(501))
	_, err := b.CreateUser(ctx, b.a, doc)
	wantCode(t, err, resources.CodeInvalidValue)
	doc.Set("emails", emails(500))
	rec, err := b.CreateUser(ctx, b.a, doc)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = b.UpdateUser(ctx, b.a, rec.ID, set("emails", emails(501)))
	wantCode(t, err, resources.CodeInvalidValue)
	_, _, err = b.UpdateUser(ctx, b.a, rec.ID, set("title", jsontree.Str(strings.Repeat("x", 1<<20))))
	wantCode(t, err, resources.CodeInvalidValue)
	doc = userDoc(t, "v", "v@a.test")
	doc.Set("title", jsontree.Str(strings.Repeat("x", 1<<20)))
	_, err = b.CreateUser(ctx, b.a, doc)
	wantCode(t, err, resources.CodeInvalidValue)
	group := groupDoc(t, "G")
	group.Set("note", jsontree.Str(strings.Repeat("x", 1<<20)))
	_, err = b.CreateGroup(ctx, b.a, group, nil)
	wantCode(t, err, resources.CodeInvalidValue)
	audit(t, b)
}

// TestEditKeepsTheID: an edit that forgets or forges the id changes nothing
//
func TestEditKeepsTheID(t *testing.T) {
	b := newBundle(t, "")
	rec, err := b.CreateUser(t.Context(), b.a, userDoc(t, "u", "u@a.test"))
	if err != nil {
		t.Fatal(err)
	}
	for name, edit := range map[string]resources.Edit{
		"forgotten": func(_ *resources.Record, doc jsontree.Value) (jsontree.Value, error) {
			doc.Delete("id")
			return doc, nil
		},
		"forged": set("id", jsontree.Str("other")),
	} {
		if got, changed, err := b.UpdateUser(t.Context(), b.a, rec.ID, edit); err != nil || changed || got.Version != 1 {
			t.Errorf("%s: %+v, %v, %v", name, got, changed, err)
		}
	}
}

// broken is a store on which one organization cannot be swept.
type broken struct {
	resources.Store
	org resources.OrgID
}

func (s broken) Sweep(ctx context.Context, org resources.OrgID, now time.Time, limit int, placed resources.Placed) (int, error) {
	if org == s.org {
		return 0, errors.New("a broken list")
	}
	return s.Store.Sweep(ctx, org, now, limit, placed)
}

// TestCleanGoesOn: a fault in one organization is reported and keeps the
// janitor from no other.
func TestCleanGoesOn(t *testing.T) {
	b := newBundle(t, "")
	tok, _, err := b.CreateToken(t.Context(), b.operator, "beta", resources.TokenSpec{Lifetime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	b.clock.Advance(32 * 24 * time.Hour)
	dir, err := resources.New(resources.Config{Store: broken{b.store, b.a.Org}, Vault: b.store, Now: b.clock.Now, Rand: rand.Reader, Log: quietLog()})
	if err != nil {
		t.Fatal(err)
	}
	n, err := dir.Clean(t.Context())
	if err == nil || !strings.Contains(err.Error(), "acme") || n == 0 {
		t.Errorf("cleaned %d, %v; want beta cleaned and acme reported", n, err)
	}
	if rec, err := b.store.Get(t.Context(), b.b.Org, resources.KindToken, tok.ID); rec != nil || err != nil {
		t.Errorf("the expired token of beta is still there: %v, %v", rec, err)
	}
}

// TestDeletionUnderConditionIsCurrent: what changes between the precondition
// and the commit makes the precondition be asked again.
func TestDeletionUnderConditionIsCurrent(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		user := b.user(t, b.a, "u")
		group, err := b.CreateGroup(ctx, b.a, groupDoc(t, "G"), nil)
		if err != nil {
			t.Fatal(err)
		}
		asked := 0
		join := func(members func(*resources.Record) int, want ...int) func(*resources.Record) error {
			return func(cur *resources.Record) error {
				if got := members(cur); got != want[asked] {
					t.Errorf("asked for the %d. time: %d memberships, want %d", asked+1, got, want[asked])
				}
				if asked++; asked > 1 {
					return nil
				}
				_, err := b.EditMembers(ctx, b.a, group.ID, resources.MemberEdit{Add: []string{user}})
				return err
			}
		}
		if err := b.DeleteUser(ctx, b.a, user, join(func(r *resources.Record) int { return len(r.Groups) }, 0, 1)); err != nil || asked != 2 {
			t.Errorf("user: asked %d times, %v; want 2", asked, err)
		}
		asked, user = 0, b.user(t, b.a, "v")
		if err := b.DeleteGroup(ctx, b.a, group.ID, join(func(r *resources.Record) int { return r.Size }, 0, 1)); err != nil || asked != 2 {
			t.Errorf("group: asked %d times, %v; want 2", asked, err)
		}
		audit(t, b)
	})
}
