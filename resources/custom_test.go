package resources_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

const deviceURN = "urn:example:params:scim:schemas:core:2.0:Device"

// whole is a declaration of devices and badges.
func whole(t testing.TB) *resources.Declared {
	t.Helper()
	d, err := declared(t, example(t, "device-type.json")).Merge(declared(t, badge(t)))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func deviceDoc(t *testing.T, name, serial, more string) jsontree.Value {
	t.Helper()
	return parse(t, fmt.Sprintf(`{"schemas":[%q],"displayName":%q,"serialNumber":%q%s}`, deviceURN, name, serial, more))
}

func badgeDoc(t *testing.T, core, number string) jsontree.Value {
	t.Helper()
	return parse(t, fmt.Sprintf(`{"schemas":["c"],%s,%q:{"badgeNumber":%q,"floor":3,"accessZones":["Office","office","LAB"],"pin":"1234"}}`, core, badgeURN, number))
}

// found lists the ids that stand under a value of a declared attribute.
func (b *bundle) found(t *testing.T, kind resources.Kind, index resources.Index, typeName, path string, folded resources.Folded) []string {
	t.Helper()
	page, err := b.Find(t.Context(), b.a, resources.Query{
		Kind: kind, Limit: 100, Where: &resources.Cond{Op: resources.CondIs, Index: index, Value: resources.AttrKey(typeName, path, folded)},
	})
	if err != nil {
		t.Fatal(err)
	}
	out := make([]string, len(page.Records))
	for i, r := range page.Records {
		out[i] = r.ID
	}
	return out
}

// TestCustomActs takes resources of a declared type through their lives.
func TestCustomActs(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		b.a.Declared = whole(t)
		rec, err := b.CreateCustom(ctx, b.a, "device", deviceDoc(t, "Laptop", "S-1", `,"externalId":"x1","tags":["Loan"],"owner":{"value":"u1","$ref":"../Users/u1"}`))
		if err != nil {
			t.Fatal(err)
		}
		if resources.CustomType(rec) != "Device" || rec.Display != "Laptop" || rec.Version != 1 || !strings.Contains(string(rec.Profile), `"id":"`+rec.ID) {
			t.Errorf("created %+v", rec)
		}
		if k, _ := resources.KindOf(rec.ID); k != resources.KindCustom {
			t.Errorf("id %s of kind %s", rec.ID, k)
		}
		for path, folded := range map[string]resources.Folded{
			resources.ExternalIDPath: "x1", deviceURN + ":tags": "loan", deviceURN + ":owner.value": "u1",
			deviceURN + ":owner.$ref": "../Users/u1", deviceURN + ":serialNumber": "S-1",
		} {
			if got := b.found(t, resources.KindCustom, resources.CustomAttr, "Device", path, folded); !slices.Equal(got, []string{rec.ID}) {
				t.Errorf("%s is found as %v", path, got)
			}
		}
		for _, err := range []error{
			second(b.CreateCustom(ctx, b.a, "Device", deviceDoc(t, "Other", "S-1", ""))),
			second(b.CreateCustom(ctx, b.a, "Device", deviceDoc(t, "Other", "S-1", `,"externalId":"x1"`))),
		} {
			if e, ok := errors.AsType[*resources.Error](err); !ok || e.Code != resources.CodeAttributeInUse || e.Field != deviceURN+":serialNumber" || !strings.Contains(e.Detail, "by the Device with id "+rec.ID) {
				t.Errorf("a serial number that is taken: %v", err)
			}
		}
		wantCode(t, second(b.CreateCustom(ctx, b.a, "Gadget", parse(t, `{}`))), resources.CodeNotFound)
		wantCode(t, second(b.CreateCustom(ctx, b.a, "User", parse(t, `{}`))), resources.CodeNotFound)
		wantCode(t, second(b.CreateCustom(ctx, b.b, "Device", parse(t, `{}`))), resources.CodeNotFound)
		wantCode(t, second(b.GetCustom(ctx, b.a, "Gadget", rec.ID)), resources.CodeNotFound)
		wantCode(t, second(b.GetCustom(ctx, b.b, "Device", rec.ID)), resources.CodeNotFound)

		renamed := func(_ *resources.Record, doc jsontree.Value) (jsontree.Value, error) {
			doc.Set("displayName", jsontree.Str("Notebook"))
			doc.Delete("externalId")
			doc.Set("tags", jsontree.Arr(jsontree.Str("spare")))
			return doc, nil
		}
		if _, changed, err := b.UpdateCustom(ctx, b.a, "Device", rec.ID, renamed); err != nil || !changed {
			t.Fatal(changed, err)
		}
		if got, changed, err := b.UpdateCustom(ctx, b.a, "Device", rec.ID, renamed); err != nil || changed || got.Version != 2 || got.Display != "Notebook" {
			t.Errorf("the same again: %+v, %v, %v", got, changed, err)
		}
		if got := b.found(t, resources.KindCustom, resources.CustomAttr, "Device", deviceURN+":tags", "loan"); len(got) > 0 {
			t.Errorf("an old tag still finds %v", got)
		}
		_, _, err = b.UpdateCustom(ctx, b.a, "Gadget", rec.ID, renamed)
		wantCode(t, err, resources.CodeNotFound)
		page, err := b.Find(ctx, b.a, resources.Query{Kind: resources.KindCustom, Where: resources.OfType("DEVICE"), Limit: 10})
		if err != nil || page.Total != 1 || page.Records[0].ID != rec.ID {
			t.Errorf("list %+v, %v", page, err)
		}
		audit(t, b)
		refused := errors.New("no")
		if err := b.DeleteCustom(ctx, b.a, "Device", rec.ID, func(*resources.Record) error { return refused }); !errors.Is(err, refused) {
			t.Errorf("%v, want the refusal of the check", err)
		}
		wantCode(t, b.DeleteCustom(ctx, b.a, "Gadget", rec.ID, nil), resources.CodeNotFound)
		if err := b.DeleteCustom(ctx, b.a, "Device", rec.ID, nil); err != nil {
			t.Fatal(err)
		}
		wantCode(t, second(b.GetCustom(ctx, b.a, "Device", rec.ID)), resources.CodeNotFound)
		audit(t, b)
		events, err := b.store.Events(ctx, b.a.Org, "", 100)
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, e := range events {
			if e.Kind == resources.KindCustom {
				told = append(told, e.Type+" "+e.Of+" "+strings.Join(e.Changed, ","))
			}
		}
		if want := []string{"resource.created Device ", "resource.updated Device displayName,tags,externalId", "resource.deleted Device "}; !slices.Equal(told, want) {
			t.Errorf("events %q, want %q", told, want)
		}
	})
}

func second[T any](_ T, err error) error { return err }

// TestCustomScopes: what a token needs for resources of declared types.
func TestCustomScopes(t *testing.T) {
	b := newBundle(t, "")
	ctx := t.Context()
	b.a.Declared = whole(t)
	rec, err := b.CreateCustom(ctx, b.a, "Device", deviceDoc(t, "Laptop", "S-1", ""))
	if err != nil {
		t.Fatal(err)
	}
	for scope, want := range map[resources.Scope][2]bool{
		resources.ScopeSCIM: {true, true}, resources.ScopeResources: {true, true}, resources.ScopeSCIMRead: {true, false},
		resources.ScopeResourcesRead: {true, false}, resources.ScopeUsers: {}, resources.ScopeGroupsRead: {},
	} {
		c := b.a
		c.Scopes = []resources.Scope{scope}
		_, read := b.GetCustom(ctx, c, "Device", rec.ID)
		_, write := b.CreateCustom(ctx, c, "Device", deviceDoc(t, "Other", string(scope), ""))
		if (read == nil) != want[0] || (write == nil) != want[1] {
			t.Errorf("%s: read %v, write %v, want %v", scope, read, write, want)
		}
		for _, err := range []error{read, write} {
			if err != nil {
				wantCode(t, err, resources.CodeForbidden)
			}
		}
		if _, _, err := b.CreateToken(ctx, b.operator, "acme", resources.TokenSpec{Scopes: c.Scopes}); err != nil {
			t.Errorf("a token with the scope %s: %v", scope, err)
		}
	}
}

// TestUniqueAttributeRace: of many that want one value at once one gets it
// whatever the kind.
func TestUniqueAttributeRace(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		b.a.Declared = whole(t)
		creators := map[string]func(i int) (*resources.Record, error){
			"Device": func(i int) (*resources.Record, error) {
				return b.CreateCustom(t.Context(), b.a, "Device", deviceDoc(t, fmt.Sprint("D", i), "S-9", ""))
			},
			"User": func(i int) (*resources.Record, error) {
				return b.CreateUser(t.Context(), b.a, badgeDoc(t, fmt.Sprintf(`"userName":"u%d"`, i), "B-9"))
			},
			"Group": func(i int) (*resources.Record, error) {
				return b.CreateGroup(t.Context(), b.a, badgeDoc(t, fmt.Sprintf(`"displayName":"g%d"`, i), "B-9"), nil)
			},
		}
		for name, create := range creators {
			recs, errs := make([]*resources.Record, 24), make([]error, 24)
			var wg sync.WaitGroup
			for i := range recs {
				wg.Go(func() { recs[i], errs[i] = create(i) })
			}
			wg.Wait()
			won := slices.IndexFunc(errs, func(err error) bool { return err == nil })
			if won < 0 {
				t.Fatalf("%s: nobody got the value: %v", name, errs[0])
			}
			for i, err := range errs {
				if i == won {
					continue
				}
				wantCode(t, err, resources.CodeAttributeInUse)
				if err != nil && !strings.Contains(err.Error(), recs[won].ID) {
					t.Errorf("%s: %v does not name the holder", name, err)
				}
			}
		}
		audit(t, b)
	})
}

// TestDeclaredKeysLive: values of declared attributes are found as long as they
// are there, and leave nothing behind when the declaration has gone first.
func TestDeclaredKeysLive(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		c := b.a
		c.Declared = whole(t)
		user, err := b.CreateUser(ctx, c, badgeDoc(t, `"userName":"zoe"`, "B-1"))
		if err != nil {
			t.Fatal(err)
		}
		group, err := b.CreateGroup(ctx, c, badgeDoc(t, `"displayName":"Lab"`, "B-1"), []string{user.ID})
		if err != nil {
			t.Fatal(err)
		}
		zones := func(id string, kind resources.Kind, index resources.Index, want int) {
			t.Helper()
			if got := b.found(t, kind, index, kind.String(), badgeURN+":accessZones", "office"); len(got) != want {
				t.Errorf("office finds %v, want %d", got, want)
			}
			if got := b.found(t, kind, index, kind.String(), badgeURN+":pin", "1234"); len(got) > 0 {
				t.Errorf("a value that is never returned is found: %v", got)
			}
			audit(t, b)
		}
		zones(user.ID, resources.KindUser, resources.UserAttr, 1)
		zones(group.ID, resources.KindGroup, resources.GroupAttr, 1)
		if _, err := b.CreateUser(ctx, c, badgeDoc(t, `"userName":"amy"`, "B-1")); err == nil || !strings.Contains(err.Error(), "badgeNumber") {
			t.Errorf("a badge number that is taken: %v", err)
		}
		// The same value under another case is another one: it is caseExact.
		if _, err := b.CreateUser(ctx, c, badgeDoc(t, `"userName":"amy"`, "b-1")); err != nil {
			t.Error(err)
		}
		move := func(_ *resources.Record, doc jsontree.Value) (jsontree.Value, error) {
			doc.Get(badgeURN).Set("badgeNumber", jsontree.Str("B-2"))
			return doc, nil
		}
		if _, _, err := b.UpdateUser(ctx, c, user.ID, move); err != nil {
			t.Fatal(err)
		}
		if _, err := b.CreateUser(ctx, c, badgeDoc(t, `"userName":"bob"`, "B-1")); err != nil {
			t.Errorf("a value that was given up is not free: %v", err)
		}
		audit(t, b)

		// A writer that knows nothing of the declaration leaves the values alone.
		edit := func(change func(doc *jsontree.Value)) resources.GroupEdit {
			return func(_ *resources.Record, doc jsontree.Value) (jsontree.Value, resources.MemberEdit, error) {
				change(&doc)
				return doc, resources.MemberEdit{Remove: []string{user.ID}}, nil
			}
		}
		if _, err := b.UpdateGroup(ctx, b.a, group.ID, edit(func(doc *jsontree.Value) { doc.Set("displayName", jsontree.Str("Laboratory")) })); err != nil {
			t.Fatal(err)
		}
		zones(group.ID, resources.KindGroup, resources.GroupAttr, 1)
		if _, err := b.UpdateGroup(ctx, b.a, group.ID, edit(func(doc *jsontree.Value) { doc.Delete(badgeURN) })); err != nil {
			t.Fatal(err)
		}
		zones(group.ID, resources.KindGroup, resources.GroupAttr, 0)
		if err := b.DeleteUser(ctx, b.a, user.ID, nil); err != nil {
			t.Fatal(err)
		}
		zones(user.ID, resources.KindUser, resources.UserAttr, 2)
		if err := b.DeleteGroup(ctx, b.a, group.ID, nil); err != nil {
			t.Fatal(err)
		}
		audit(t, b)
	})
}

// TestTooManyKeys: the work of one commit is bounded.
func TestTooManyKeys(t *testing.T) {
	b := newBundle(t, "")
	b.a.Declared = whole(t)
	tags := func(n int) string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf("%q", fmt.Sprint("t", i))
		}
		return `,"tags":[` + strings.Join(list, ",") + `]`
	}
	if _, err := b.CreateCustom(t.Context(), b.a, "Device", deviceDoc(t, "L", "S-1", tags(498))); err != nil {
		t.Error(err)
	}
	wantCode(t, second(b.CreateCustom(t.Context(), b.a, "Device", deviceDoc(t, "L", "S-2", tags(499)))), resources.CodeInvalidValue)
	audit(t, b)
}

// TestCustomOnce repeats the creation of a resource under one id.
func TestCustomOnce(t *testing.T) {
	b := newBundle(t, "")
	c := b.a
	c.Declared = whole(t)
	var err error
	if c.NewID, err = resources.NewID(resources.KindCustom, b.clock.Now(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		rec, err := b.CreateCustom(t.Context(), c, "Device", deviceDoc(t, "L", "S-1", ""))
		if err != nil || rec.ID != c.NewID || rec.Version != 1 {
			t.Errorf("%+v, %v", rec, err)
		}
	}
}
