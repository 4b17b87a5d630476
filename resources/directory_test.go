package resources_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// bundle is a Directory on a fresh store with two organizations.
type bundle struct {
	*resources.Directory
	store    *backend.Store
	operator resources.Caller
	a, b     resources.Caller // full SCIM rights in organizations acme and beta
	clock    *clock
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *clock) set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

// clean does all the cleaning that there is to do.
func (b *bundle) clean(t *testing.T) {
	t.Helper()
	for n := 1; n > 0; {
		var err error
		if n, err = b.Clean(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// onBoth runs a test on the embedded store and on a real Redis.
func onBoth(t *testing.T, test func(t *testing.T, b *bundle)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) { test(t, newBundle(t, "")) })
	t.Run("redis", func(t *testing.T) { test(t, newBundle(t, redistest.Start(t))) })
}

func newBundle(t *testing.T, url string) *bundle {
	t.Helper()
	ctx := t.Context()
	clk := &clock{now: time.Now()}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	// Claims one way on the one store and the other way on the other.
	store, err := backend.Open(ctx, backend.Config{URL: url, SpreadClaims: url != "", Now: clk.Now, Rand: rand.Reader, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	dir, err := resources.New(resources.Config{Store: store, Vault: store, Queue: store, Now: clk.Now, Rand: rand.Reader, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	b := &bundle{Directory: dir, store: store, clock: clk}
	if url != "" && (os.Getenv("USHER_CARRY_OVER") != "" || carriedOver(t.Name())) {
		t.Cleanup(func() { b.carryOver(t, url) })
	}
	b.operator = resources.Caller{Org: resources.PlatformOrg, Token: "test", Scopes: []resources.Scope{resources.ScopePlatform}}
	b.a, b.b = b.org(t, "acme"), b.org(t, "beta")
	return b
}

func (b *bundle) org(t *testing.T, slug string) resources.Caller {
	t.Helper()
	if _, err := b.CreateOrg(t.Context(), b.operator, slug, ""); err != nil {
		t.Fatal(err)
	}
	_, token, err := b.CreateToken(t.Context(), b.operator, slug, resources.TokenSpec{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := b.Authenticate(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func parse(t *testing.T, text string) jsontree.Value {
	t.Helper()
	v, err := jsontree.Parse([]byte(text), jsontree.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func userDoc(t *testing.T, name, email string) jsontree.Value {
	t.Helper()
	return parse(t, fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q,"emails":[{"value":%q}]}`, name, email))
}

func groupDoc(t *testing.T, name string) jsontree.Value {
	t.Helper()
	return parse(t, fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":%q}`, name))
}

func (b *bundle) user(t *testing.T, c resources.Caller, name string) string {
	t.Helper()
	rec, err := b.CreateUser(t.Context(), c, parse(t, fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q}`, name)))
	if err != nil {
		t.Fatal(err)
	}
	return rec.ID
}

func wantCode(t *testing.T, err error, code resources.Code) {
	t.Helper()
	if !resources.HasCode(err, code) {
		t.Errorf("error %v, want code %s", err, code)
	}
}

// set returns an Edit that stores one member.
func set(name string, v jsontree.Value) resources.Edit {
	return func(_ *resources.Record, doc jsontree.Value) (jsontree.Value, error) {
		doc.Set(name, v)
		return doc, nil
	}
}

// TestUserLife: a user's way from creation to deletion, versions and events
// included (R-23, R-94, R-109, R-110, BR-240, BR-261).
func TestUserLife(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		rec, err := b.CreateUser(ctx, b.a, userDoc(t, "amelie", "amelie@acme.test"))
		if err != nil {
			t.Fatal(err)
		}
		if rec.Version != 1 || rec.Created != rec.Modified || !strings.Contains(string(rec.Profile), `"],"id":"`+rec.ID+`","userName":"amelie"`) {
			t.Errorf("created %+v: %s", rec, rec.Profile)
		}
		b.clock.Advance(time.Second)
		same, changed, err := b.UpdateUser(ctx, b.a, rec.ID, set("userName", jsontree.Str("amelie")))
		if err != nil || changed || same.Version != 1 || same.Modified != rec.Modified {
			t.Errorf("a change to the same: %+v, %v, %v", same, changed, err)
		}
		next, changed, err := b.UpdateUser(ctx, b.a, rec.ID, set("active", jsontree.Bool(false)))
		if err != nil || !changed || next.Version != 2 || next.Modified <= rec.Modified {
			t.Errorf("a change: %+v, %v, %v", next, changed, err)
		}
		got, err := b.Get(ctx, b.a, resources.KindUser, rec.ID)
		if err != nil || string(got.Profile) != string(next.Profile) || got.Version != 2 {
			t.Errorf("read back %+v, %v", got, err)
		}
		if err := b.DeleteUser(ctx, b.a, rec.ID, nil); err != nil {
			t.Fatal(err)
		}
		wantCode(t, b.DeleteUser(ctx, b.a, rec.ID, nil), resources.CodeNotFound)
		_, err = b.Get(ctx, b.a, resources.KindUser, rec.ID)
		wantCode(t, err, resources.CodeNotFound)
		again, err := b.CreateUser(ctx, b.a, userDoc(t, "Amelie", "amelie@acme.test"))
		if err != nil || again.ID == rec.ID {
			t.Errorf("created again: %+v, %v", again, err)
		}
		events, err := b.store.Events(ctx, b.a.Org, "", 100)
		if err != nil {
			t.Fatal(err)
		}
		var types []string
		for _, e := range events {
			if e.Kind == resources.KindUser {
				types = append(types, e.Type)
			}
		}
		if got, want := strings.Join(types, " "), "user.created user.updated user.deactivated user.deleted user.created"; got != want {
			t.Errorf("events %q, want %q", got, want)
		}
		audit(t, b)
	})
}

func audit(t *testing.T, b *bundle) {
	t.Helper()
	for _, org := range []resources.OrgID{b.a.Org, b.b.Org, resources.PlatformOrg} {
		faults, err := b.store.Audit(t.Context(), org, resources.Placement)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range faults {
			t.Errorf("audit of %s: %s", org, f)
		}
	}
}

// TestIdentityClaims: one address, one account over all organizations, and
// nobody learns whose it is (BR-001, BR-003, BR-005).
func TestIdentityClaims(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		first, err := b.CreateUser(ctx, b.a, userDoc(t, "one", "Same@Acme.Test"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.CreateUser(ctx, b.a, userDoc(t, "two", "same@acme.test"))
		wantCode(t, err, resources.CodeEmailInUse)
		if !strings.Contains(err.Error(), first.ID) {
			t.Errorf("the error does not give the id: %v", err)
		}
		_, err = b.CreateUser(ctx, b.b, userDoc(t, "two", "same@acme.test"))
		wantCode(t, err, resources.CodeEmailInOtherOrg)
		var e *resources.Error
		if errors.As(err, &e); strings.Contains(e.Detail, "acme\"") || strings.Contains(e.Detail, first.ID) || strings.Contains(e.Detail, string(b.a.Org)) {
			t.Errorf("the error names the other organization: %v", e.Detail)
		}
		if _, _, err := b.UpdateUser(ctx, b.a, first.ID, set("emails", jsontree.Arr(jsontree.Obj(jsontree.Str("new@acme.test").As("value"))))); err != nil {
			t.Fatal(err)
		}
		if _, err := b.CreateUser(ctx, b.b, userDoc(t, "two", "same@acme.test")); err != nil {
			t.Errorf("an address given up is not free: %v", err)
		}
		_, _, err = b.UpdateUser(ctx, b.a, first.ID, set("emails", jsontree.Arr(jsontree.Obj(jsontree.Str("same@acme.test").As("value")))))
		wantCode(t, err, resources.CodeEmailInOtherOrg)
		if err := b.DeleteUser(ctx, b.a, first.ID, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := b.CreateUser(ctx, b.b, userDoc(t, "three", "new@acme.test")); err != nil {
			t.Errorf("the address of a deleted user is not free: %v", err)
		}
		audit(t, b)
	})
}

// TestUserNames: unique within an organization, folded; free in another
// (R-31, BR-004).
func TestUserNames(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		id := b.user(t, b.a, "Zoé")
		_, err := b.CreateUser(ctx, b.a, parse(t, `{"schemas":[],"userName":"zoe\u0301"}`))
		wantCode(t, err, resources.CodeUserNameInUse)
		b.user(t, b.b, "Zoé")
		other := b.user(t, b.a, "other")
		_, _, err = b.UpdateUser(ctx, b.a, other, set("userName", jsontree.Str("ZOÉ")))
		wantCode(t, err, resources.CodeUserNameInUse)
		if _, changed, err := b.UpdateUser(ctx, b.a, id, set("userName", jsontree.Str("ZOÉ"))); err != nil || !changed {
			t.Errorf("changing the case of one's own name: %v, %v", changed, err)
		}
		strict := b.a
		strict.Policy = resources.NameEmail
		_, err = b.CreateUser(ctx, strict, userDoc(t, "jane", "jane@acme.test"))
		wantCode(t, err, resources.CodeUserNameNotEmail)
		if _, err = b.CreateUser(ctx, strict, userDoc(t, "Jane@acme.test", "jane@ACME.test")); err != nil {
			t.Error(err)
		}
		audit(t, b)
	})
}

// TestForeignIDs: ids of another organization and of another kind are ids that
// do not exist (security S1, S3).
func TestForeignIDs(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		theirs := b.user(t, b.b, "theirs")
		group, err := b.CreateGroup(ctx, b.a, groupDoc(t, "G"), nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.Get(ctx, b.a, resources.KindUser, theirs)
		wantCode(t, err, resources.CodeNotFound)
		_, _, err = b.UpdateUser(ctx, b.a, theirs, set("title", jsontree.Str("x")))
		wantCode(t, err, resources.CodeNotFound)
		wantCode(t, b.DeleteUser(ctx, b.a, theirs, nil), resources.CodeNotFound)
		_, err = b.EditMembers(ctx, b.a, group.ID, resources.MemberEdit{Add: []string{theirs}})
		wantCode(t, err, resources.CodeMemberUnknown)
		_, err = b.CreateGroup(ctx, b.a, groupDoc(t, "H"), []string{theirs})
		wantCode(t, err, resources.CodeMemberUnknown)
		_, err = b.EditMembers(ctx, b.b, group.ID, resources.MemberEdit{Add: []string{theirs}})
		wantCode(t, err, resources.CodeNotFound)
		_, err = b.EditMembers(ctx, b.b, group.ID, resources.MemberEdit{Remove: []string{theirs}})
		wantCode(t, err, resources.CodeNotFound)
		_, err = b.EditMembers(ctx, b.b, group.ID, resources.MemberEdit{Replace: true})
		wantCode(t, err, resources.CodeNotFound)
		_, err = b.Get(ctx, b.a, resources.KindUser, group.ID)
		wantCode(t, err, resources.CodeNotFound)
		audit(t, b)
	})
}

// TestScopes: what each scope lets a caller do (R-123, security T1).
func TestScopes(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		id := b.user(t, b.a, "u")
		for scope, may := range map[resources.Scope][4]bool{ // read user, write user, read group, write group
			resources.ScopeSCIM:       {true, true, true, true},
			resources.ScopeSCIMRead:   {true, false, true, false},
			resources.ScopeUsers:      {true, true, false, false},
			resources.ScopeUsersRead:  {true, false, false, false},
			resources.ScopeGroups:     {false, false, true, true},
			resources.ScopeGroupsRead: {false, false, true, false},
			resources.ScopePlatform:   {false, false, false, false},
		} {
			c := b.a
			c.Scopes = []resources.Scope{scope}
			_, readUser := b.Get(ctx, c, resources.KindUser, id)
			_, _, writeUser := b.UpdateUser(ctx, c, id, set("title", jsontree.Str(string(scope))))
			_, readGroup := b.Find(ctx, c, resources.Query{Kind: resources.KindGroup})
			_, writeGroup := b.CreateGroup(ctx, c, groupDoc(t, string(scope)), nil)
			for i, err := range []error{readUser, writeUser, readGroup, writeGroup} {
				if refused := resources.HasCode(err, resources.CodeForbidden); refused == may[i] {
					t.Errorf("%s, act %d: %v, may is %v", scope, i, err, may[i])
				}
			}
			_, _, err := b.Orgs(ctx, c, 0, 1)
			wantCode(t, err, resources.CodeForbidden)
		}
	})
}

func mustMembers(t *testing.T, b *bundle, group string) []string {
	t.Helper()
	ids, err := b.store.MemberIDs(context.WithoutCancel(t.Context()), b.a.Org, group, "", 10_000)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}
