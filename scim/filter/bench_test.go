package filter

import (
	"fmt"
	"strings"
	"testing"

	"github.com/usher-scim/usher/internal/jsontree"
)

func BenchmarkParsePlan(b *testing.B) {
	user, _ := types(b)
	p := New()
	for name, text := range map[string]string{
		"userName": `userName eq "amelie.roux@acme.example"`,
		"L18":      `emails[type eq "work"].value eq "amelie.roux@acme.example"`,
		"ENT-07":   `id eq "0ab1cd2ef3gh4ij5kl60" and manager eq "0ab1cd2ef3gh4ij5kl61"`,
		"RFC":      `userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")`,
		"URN":      entURN + `:manager.value eq "x"`,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f, err := p.Parse(user, text, Options{})
				if err != nil {
					b.Fatal(err)
				}
				_ = f.Plan()
			}
		})
	}
}

// BenchmarkNewShape is the worst an accepted template can cost.
func BenchmarkNewShape(b *testing.B) {
	user, _ := types(b)
	text := strings.Repeat(`not (id pr) or `, 33) + strings.Repeat("(", 15) + "id pr" + strings.Repeat(")", 15)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := New().Parse(user, text, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPath(b *testing.B) {
	user, _ := types(b)
	p := New()
	for _, text := range []string{`active`, `emails[type eq "work"].value`, entURN + `:department`} {
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Path(user, text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMatch(b *testing.B) {
	user, _ := types(b)
	p := New()
	r := alice()
	for _, text := range []string{`title pr and userType eq "x"`, `emails[type eq "work" and value co "nowhere"]`, `meta.created gt "2011-05-13T04:42:34Z"`} {
		b.Run(text, func(b *testing.B) {
			match := mustParse(b, p, user, text).Match
			b.ReportAllocs()
			for b.Loop() {
				match(r)
			}
		})
	}
	b.Run("profile only", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := jsontree.Parse(r.Profile, jsontree.Limits{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkProjection(b *testing.B) {
	user, _ := types(b)
	p := New()
	for _, list := range []string{"id", "userName,name.familyName,emails.value"} {
		b.Run(fmt.Sprint(list), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Projection(user, []string{list}, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
