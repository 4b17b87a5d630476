package resources_test

import (
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/usher-scim/usher/resources"
)

// signIn gives what a fresh look at the organization's token tells.
func (b *bundle) signIn(t *testing.T, dir *resources.Directory, slug string) resources.Caller {
	t.Helper()
	_, text, err := b.CreateToken(t.Context(), b.operator, slug, resources.TokenSpec{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := dir.Authenticate(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestDeclarationLife: an organization's declaration from nothing to nothing;
// its callers learn of every version and share one value of it.
func TestDeclarationLife(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		if d, err := b.Declarations(ctx, b.operator, "acme"); err != nil || d.Version != 0 || b.a.Declared != nil {
			t.Errorf("before: %+v, %v; callers %v", d, err, b.a.Declared)
		}
		_, text, err := b.CreateToken(ctx, b.operator, "acme", resources.TokenSpec{})
		if err != nil {
			t.Fatal(err)
		}
		caller := func() resources.Caller {
			t.Helper()
			c, err := b.Authenticate(ctx, text)
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		caller()
		d, err := b.SetDeclared(ctx, b.operator, "acme", []byte(example(t, "device-type.json")), nil)
		if err != nil || d.Version != 1 || d.Type("Device") == nil {
			t.Fatalf("%+v, %v", d, err)
		}
		if again, err := b.SetDeclared(ctx, b.operator, "acme", []byte(example(t, "device-type.json")), new(uint64(1))); err != nil || again.Version != 1 {
			t.Errorf("the same again: %+v, %v", again, err)
		}
		one, two := caller(), b.signIn(t, b.Directory, "acme")
		if one.Declared == nil || one.Declared != two.Declared || one.Declared.Version != 1 {
			t.Errorf("two callers have %p and %p", one.Declared, two.Declared)
		}
		if b.signIn(t, b.Directory, "beta").Declared != nil {
			t.Error("another organization has it too")
		}
		_, err = b.SetDeclared(ctx, b.operator, "acme", []byte(`{}`), new(uint64(7)))
		wantCode(t, err, resources.CodeVersion)
		_, err = b.SetDeclared(ctx, b.operator, "acme", []byte(`{"schemas":1}`), nil)
		wantCode(t, err, resources.CodeInvalidValue)
		_, err = b.SetDeclared(ctx, b.operator, "nobody", []byte(`{}`), nil)
		wantCode(t, err, resources.CodeNotFound)
		_, err = b.SetDeclared(ctx, one, "acme", []byte(`{}`), nil)
		wantCode(t, err, resources.CodeForbidden)
		_, err = b.Declarations(ctx, one, "acme")
		wantCode(t, err, resources.CodeForbidden)
		if d, err = b.SetDeclared(ctx, b.operator, "acme", []byte(`{}`), new(uint64(1))); err != nil || d.Version != 2 || len(d.Types) != 0 {
			t.Fatalf("emptied: %+v, %v", d, err)
		}
		if c := caller(); c.Declared != nil {
			t.Errorf("callers still have %+v", c.Declared)
		}
		audit(t, b)
		b.eraseAcme(t)
	})
}

// eraseAcme deletes an organization and looks for what it left.
func (b *bundle) eraseAcme(t *testing.T) {
	t.Helper()
	if err := b.DeleteOrg(t.Context(), b.operator, "acme", "acme"); err != nil {
		t.Fatal(err)
	}
	b.clock.Advance(20e9)
	b.clean(t)
	audit(t, b)
	page, err := b.store.Find(t.Context(), resources.PlatformOrg, resources.Query{Kind: resources.KindSetting, Limit: 10})
	if err != nil || page.Total != 0 {
		t.Errorf("%d settings are left, %v", page.Total, err)
	}
}

// TestDeclarationParts makes a declaration piece by piece.
func TestDeclarationParts(t *testing.T) {
	b := newBundle(t, "")
	ctx := t.Context()
	put := func(id, attribute string) (*resources.Declared, error) {
		return b.PutSchema(ctx, b.operator, "acme", id, fmt.Appendf(nil, `{"attributes":[{"name":%q}]}`, attribute))
	}
	for _, step := range []struct {
		name string
		do   func() (*resources.Declared, error)
		want string // a code, or what is declared then
	}{
		{"put a schema", func() (*resources.Declared, error) { return put("urn:x:core", "a") }, "1 urn:x:core/1;"},
		{"put another", func() (*resources.Declared, error) { return put("urn:x:ext", "a") }, "2 urn:x:core/1 urn:x:ext/1;"},
		{"replace it", func() (*resources.Declared, error) { return put("URN:x:ext", "b") }, "3 urn:x:core/1 URN:x:ext/1;"},
		{"under a wrong id", func() (*resources.Declared, error) {
			return b.PutSchema(ctx, b.operator, "acme", "urn:x:a", []byte(`{"id":"urn:x:b","attributes":[{"name":"a"}]}`))
		}, "invalid_value"},
		{"no JSON", func() (*resources.Declared, error) {
			return b.PutSchema(ctx, b.operator, "acme", "urn:x:a", []byte(`[`))
		}, "invalid_value"},
		{"put a type", func() (*resources.Declared, error) {
			return b.PutType(ctx, b.operator, "acme", "Thing", []byte(`{"endpoint":"/Things","schema":"urn:x:core","schemas":["x"],"meta":{}}`))
		}, "4 urn:x:core/1 URN:x:ext/1; Thing:"},
		{"a type without schema", func() (*resources.Declared, error) {
			return b.PutType(ctx, b.operator, "acme", "Other", []byte(`{"endpoint":"/Others","schema":"urn:x:none"}`))
		}, "invalid_value"},
		{"a type of another name", func() (*resources.Declared, error) {
			return b.PutType(ctx, b.operator, "acme", "Other", []byte(`{"name":"Thing"}`))
		}, "invalid_value"},
		{"extend User", func() (*resources.Declared, error) {
			return b.Extend(ctx, b.operator, "acme", "user", "urn:x:ext", false)
		}, "5 urn:x:core/1 URN:x:ext/1; Thing: User:URN:x:ext"},
		{"extend it again", func() (*resources.Declared, error) {
			return b.Extend(ctx, b.operator, "acme", "User", "urn:x:ext", false)
		}, "5 urn:x:core/1 URN:x:ext/1; Thing: User:URN:x:ext"},
		{"extend the type", func() (*resources.Declared, error) {
			return b.Extend(ctx, b.operator, "acme", "thing", "urn:x:ext", true)
		}, "6 urn:x:core/1 URN:x:ext/1; Thing:URN:x:ext! User:URN:x:ext"},
		{"extend what is not there", func() (*resources.Declared, error) {
			return b.Extend(ctx, b.operator, "acme", "Gadget", "urn:x:ext", true)
		}, "not_found"},
		{"by what is not there", func() (*resources.Declared, error) {
			return b.Extend(ctx, b.operator, "acme", "User", "urn:x:none", true)
		}, "not_found"},
		{"extend by its core", func() (*resources.Declared, error) {
			return b.Extend(ctx, b.operator, "acme", "Thing", "urn:x:core", true)
		}, "invalid_value"},
		{"retract", func() (*resources.Declared, error) { return b.Retract(ctx, b.operator, "acme", "Thing", "urn:x:ext") }, "7 urn:x:core/1 URN:x:ext/1; Thing: User:URN:x:ext"},
		{"retract again", func() (*resources.Declared, error) { return b.Retract(ctx, b.operator, "acme", "Thing", "urn:x:ext") }, "not_found"},
		{"retract from nothing", func() (*resources.Declared, error) { return b.Retract(ctx, b.operator, "acme", "Group", "urn:x:ext") }, "not_found"},
		{"delete a core schema", func() (*resources.Declared, error) { return b.DeleteSchema(ctx, b.operator, "acme", "urn:x:core") }, "schema_in_use"},
		{"delete an extension", func() (*resources.Declared, error) { return b.DeleteSchema(ctx, b.operator, "acme", "urn:x:ext") }, "8 urn:x:core/1; Thing:"},
		{"delete it again", func() (*resources.Declared, error) { return b.DeleteSchema(ctx, b.operator, "acme", "urn:x:ext") }, "not_found"},
		{"delete the type", func() (*resources.Declared, error) { return b.DeleteType(ctx, b.operator, "acme", "THING") }, "9 urn:x:core/1;"},
		{"delete it again", func() (*resources.Declared, error) { return b.DeleteType(ctx, b.operator, "acme", "Thing") }, "not_found"},
	} {
		d, err := step.do()
		if err != nil {
			if !resources.HasCode(err, resources.Code(step.want)) {
				t.Errorf("%s: %v, want %s", step.name, err, step.want)
			}
			continue
		}
		if got := drawn(d); got != step.want {
			t.Errorf("%s: %q, want %q", step.name, got, step.want)
		}
	}
	audit(t, b)
}

// drawn writes a declaration in short.
func drawn(d *resources.Declared) string {
	s := fmt.Sprint(d.Version)
	for _, x := range d.Schemas {
		s += fmt.Sprintf(" %s/%d", x.ID, len(x.Attributes))
	}
	s += ";"
	for _, x := range d.Types {
		s += " " + x.Name + ":"
		for _, e := range x.SchemaExtensions {
			s += e.Schema + strings.Repeat("!", map[bool]int{true: 1}[e.Required])
		}
	}
	return s
}

// TestDeclarationRace: parts put at once are all there in the end.
func TestDeclarationRace(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				if _, err := b.PutSchema(t.Context(), b.operator, "acme", fmt.Sprint("urn:x:s", i), []byte(`{"attributes":[{"name":"a"}]}`)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if d, err := b.Declarations(t.Context(), b.operator, "acme"); err != nil || len(d.Schemas) != 4 || d.Version != 4 {
			t.Errorf("%+v, %v", d, err)
		}
	})
}

// TestDeclaredShared: callers who come at once to a node that has just started
// share one value.
func TestDeclaredShared(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		if _, err := b.SetDeclared(ctx, b.operator, "acme", []byte(badge(t)), nil); err != nil {
			t.Fatal(err)
		}
		dir, err := resources.New(resources.Config{Store: b.store, Vault: b.store, Now: b.clock.Now, Rand: rand.Reader, Log: quietLog()})
		if err != nil {
			t.Fatal(err)
		}
		tokens, got := make([]string, 16), make([]*resources.Declared, 16)
		for i := range tokens {
			if _, tokens[i], err = b.CreateToken(ctx, b.operator, "acme", resources.TokenSpec{}); err != nil {
				t.Fatal(err)
			}
		}
		var wg sync.WaitGroup
		for i := range tokens {
			wg.Go(func() {
				c, err := dir.Authenticate(ctx, tokens[i])
				if got[i] = c.Declared; err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, d := range got {
			if d == nil || d != got[0] {
				t.Fatalf("callers have %v", got)
			}
		}
	})
}

// TestDeclaredForAll: what the operator declares holds in every organization,
// and one that declares the same keeps its own.
func TestDeclaredForAll(t *testing.T) {
	b := newBundle(t, "")
	ctx := t.Context()
	common := declared(t, example(t, "device-type.json"))
	dir, err := resources.New(resources.Config{Store: b.store, Vault: b.store, Now: b.clock.Now, Rand: rand.Reader, Log: quietLog(), Declared: common})
	if err != nil {
		t.Fatal(err)
	}
	if c := b.signIn(t, dir, "acme"); c.Declared != common {
		t.Errorf("callers have %+v", c.Declared)
	}
	_, err = dir.SetDeclared(ctx, b.operator, "acme", []byte(example(t, "device-type.json")), nil)
	wantCode(t, err, resources.CodeInvalidValue)
	if _, err := dir.SetDeclared(ctx, b.operator, "acme", []byte(badge(t)), nil); err != nil {
		t.Fatal(err)
	}
	if c := b.signIn(t, dir, "acme"); c.Declared.Type("Device") == nil || c.Declared.Type("User") == nil || c.Declared.Version != 1 {
		t.Errorf("callers have %+v", c.Declared)
	}
	// The other node knows nothing of the operator's file.
	if _, err := b.SetDeclared(ctx, b.operator, "beta", []byte(example(t, "device-type.json")), nil); err != nil {
		t.Fatal(err)
	}
	if c := b.signIn(t, dir, "beta"); c.Declared == nil || c.Declared == common || len(c.Declared.Types) != 1 {
		t.Errorf("where both declare the same, callers have %+v", c.Declared)
	}
}
