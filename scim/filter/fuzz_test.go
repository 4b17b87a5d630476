package filter

import (
	"errors"
	"testing"
	"time"

	scimerr "github.com/elimity-com/scim/errors"
)

// FuzzFilter: no input panics or takes long, errors are 400, and what is
// accepted can be written, read again, planned and matched.
func FuzzFilter(f *testing.F) {
	for _, text := range corpus() {
		f.Add(text, false)
	}
	f.Add(`externalId eq aroux and emails[value eq a@b.c].type eq "x\u0041"`, true)
	user, group := types(f)
	p := New()
	f.Fuzz(func(t *testing.T, text string, unquoted bool) {
		start := time.Now()
		_, _ = p.Parse(group, text, Options{Unquoted: unquoted})
		got, err := p.Parse(user, text, Options{Unquoted: unquoted})
		if took := time.Since(start); took > time.Second {
			t.Fatalf("%q took %v", text, took)
		}
		if err != nil {
			var se scimerr.ScimError
			if !errors.As(err, &se) || se.Status != 400 || se.ScimType != scimerr.ScimTypeInvalidFilter || len(se.Detail) > 1000 {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		want := got.Match(alice())
		_ = got.Explain()
		if q := got.Plan(); q.Match != nil && q.Where == nil && q.Match(alice()) != want {
			t.Fatalf("%q: planned as something else", text)
		}
		if len(text) > 400 {
			return // written out it may pass the limits
		}
		again, err := p.Parse(user, got.String(), Options{})
		if err != nil || again.String() != got.String() || again.Match(alice()) != want {
			t.Fatalf("%q: written as %q: %v", text, got, err)
		}
	})
}

// FuzzPath: the same for paths, sort keys and attribute lists.
func FuzzPath(f *testing.F) {
	for _, text := range []string{
		`userName`, `emails[type eq "work"].value`, entURN + `:manager.value`, entURN, `tags[value eq "x"]`,
		`members[value eq "1"]`, `name.givenName`, `emails[not (type pr)]`, oddURN + `:level`,
	} {
		f.Add(text)
	}
	user, group := types(f)
	p := New()
	f.Fuzz(func(t *testing.T, text string) {
		_, _ = p.Path(group, text)
		if _, key, err := SortPlan(user, text, p); err == nil && key != nil {
			key(alice())
		}
		if _, err := p.Projection(user, []string{text}, nil); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		got, err := p.Path(user, text)
		if err != nil {
			var se scimerr.ScimError
			if !errors.As(err, &se) || se.Status != 400 || se.ScimType != scimerr.ScimTypeInvalidPath || len(se.Detail) > 1000 {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if (got.Attr == nil) == (got.Extension == nil) {
			t.Fatalf("%q: %+v", text, got)
		}
		if len(text) > 400 {
			return
		}
		if again, err := p.Path(user, got.String()); err != nil || again.String() != got.String() || again.Attr != got.Attr || again.Sub != got.Sub {
			t.Fatalf("%q: written as %q: %v", text, got, err)
		}
	})
}
