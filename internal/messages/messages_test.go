package messages

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestEveryCodeHasTitles compares the texts with the codes that the domain and
// the administrators' door use (BR-263, domain.md §4.13).
func TestEveryCodeHasTitles(t *testing.T) {
	want := append(constants(t, "../../resources"), literals(t, "../../admin")...)
	slices.Sort(want)
	want = slices.Compact(want)
	if len(want) < 50 {
		t.Fatalf("only %d codes were found: %q", len(want), want)
	}
	for _, code := range want {
		if _, ok := titles[code]; !ok {
			t.Errorf("code %q has no texts", code)
		}
	}
	for _, code := range slices.Sorted(maps.Keys(titles)) {
		if !slices.Contains(want, code) {
			t.Errorf("texts of %q: nothing uses this code", code)
		}
	}
}

// TestTitlesAreWritten looks for texts that are missing, equal in both languages
// or have the wrong punctuation.
func TestTitlesAreWritten(t *testing.T) {
	frenchSpace := regexp.MustCompile(`[^\s][;:!?]`)
	for code, text := range titles {
		en, fr := Title(English, code), Title(French, code)
		if en != text.en || fr != text.fr || Title("de", code) != en {
			t.Errorf("%s: Title gives %q, %q", code, en, fr)
		}
		for _, s := range []string{en, fr} {
			if !strings.HasSuffix(s, ".") || strings.TrimSpace(s) != s || strings.ContainsAny(s, "{}%") {
				t.Errorf("%s: %q is not a sentence without parameters", code, s)
			}
		}
		if en == fr {
			t.Errorf("%s: English and French are the same", code)
		}
		if frenchSpace.MatchString(fr) {
			t.Errorf("%s: %q lacks a space before its punctuation", code, fr)
		}
	}
	if got := Title(English, "no_such_code"); got != "" {
		t.Errorf("an unknown code has the title %q", got)
	}
}

func TestLanguage(t *testing.T) {
	tests := []struct{ header, want string }{
		{"", English},
		{"fr", French},
		{"FR", French},
		{"fr-CA", French},
		{"fr-CA,en;q=0.8", French},
		{"en;q=0.5, fr;q=0.9", French},
		{"en, fr", English},
		{"de-DE, fr;q=0.3", French},
		{"de, it", English},
		{"*", English},
		{"fr;q=0, *", English},
		{"fr;q=0", English},
		{"\x00;;;q", English},
		{strings.Repeat("x-", 100_000), English},
	}
	for _, tt := range tests {
		if got := Language(tt.header); got != tt.want {
			t.Errorf("Language(%.40q) = %q, want %q", tt.header, got, tt.want)
		}
	}
}

func FuzzLanguage(f *testing.F) {
	f.Add("fr-CA,en;q=0.8")
	f.Fuzz(func(t *testing.T, header string) {
		if got := Language(header); got != English && got != French {
			t.Errorf("Language(%q) = %q", header, got)
		}
	})
}

// constants gives the values of all constants of type Code in a folder.
func constants(t *testing.T, dir string) []string {
	var out []string
	for _, name := range sources(t, dir) {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if typ, ok := spec.Type.(*ast.Ident); !ok || typ.Name != "Code" {
				return true
			}
			for _, v := range spec.Values {
				if lit, ok := v.(*ast.BasicLit); ok {
					code, err := strconv.Unquote(lit.Value)
					if err != nil {
						t.Fatal(err)
					}
					out = append(out, code)
				}
			}
			return true
		})
	}
	return out
}

// literals gives the codes that are written out in a folder.
func literals(t *testing.T, dir string) []string {
	form := regexp.MustCompile(`\bCode(?:: |, p\.Detail(?:, p\.Faults)? = | = )"([a-z_]+)"`)
	var out []string
	for _, name := range sources(t, dir) {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range form.FindAllSubmatch(body, -1) {
			out = append(out, string(m[1]))
		}
	}
	return out
}

func sources(t *testing.T, dir string) []string {
	names, err := fs.Glob(os.DirFS(dir), "*.go")
	if err != nil || len(names) == 0 {
		t.Fatalf("no sources in %s: %v", dir, err)
	}
	names = slices.DeleteFunc(names, func(n string) bool { return strings.HasSuffix(n, "_test.go") })
	for i := range names {
		names[i] = dir + "/" + names[i]
	}
	return names
}
