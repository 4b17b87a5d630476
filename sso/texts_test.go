package sso

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/usher-scim/usher/internal/i18n"
	"github.com/usher-scim/usher/resources"
)

// TestTexts loads the catalogs, which refuses those that are not complete, and
// looks for texts that nobody shows and that are shown but not there.
func TestTexts(t *testing.T) {
	c, err := i18n.Load(textFiles())
	if err != nil {
		t.Fatal(err)
	}
	sources := ""
	for _, pattern := range []string{"*.go", "templates/*.html"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			sources += string(b)
		}
	}
	if len(sources) < 10_000 {
		t.Fatal("no sources were read")
	}
	for _, key := range c.Keys() {
		if !strings.Contains(sources, `"`+key+`"`) {
			t.Errorf("nothing shows %q", key)
		}
	}
	for _, m := range regexp.MustCompile(`(?:\.Text|\.Count|say\(|page\() ?"([a-z.]+)"`).FindAllStringSubmatch(sources, -1) {
		if !c.In(i18n.English).Has(m[1]) {
			t.Errorf("there is no text %q", m[1])
		}
	}
	for code, v := range verdicts {
		if l := c.In(i18n.French); !l.Has(v.title) || !l.Has(v.text) || v.status < 400 {
			t.Errorf("%s: %+v", code, v)
		}
	}
}

// TestVerdicts: errors that nobody foresaw tell nothing.
func TestVerdicts(t *testing.T) {
	for err, want := range map[error]int{
		&resources.Error{Code: "nobody_knows"}: 500, errUnread: 400, resources.ErrUnavailable: 503, os.ErrClosed: 500,
		&resources.Error{Code: resources.CodeRateLimited}: 429, &resources.Error{Code: resources.CodeSSOConflict}: 403,
	} {
		if got := verdictOf(err).status; got != want {
			t.Errorf("%v: %d, want %d", err, got, want)
		}
	}
}

// TestVendored compares what comes from elsewhere with the list of what was taken
// over, and looks for its licences.
func TestVendored(t *testing.T) {
	list, err := os.ReadFile("assets/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for line := range strings.Lines(string(list)) {
		sum, name, ok := strings.Cut(strings.TrimSpace(line), "  ")
		if !ok {
			t.Fatalf("%q is no line of a list", line)
		}
		listed[name] = true
		body, err := os.ReadFile(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := sha256.Sum256(body); hex.EncodeToString(got[:]) != sum {
			t.Errorf("%s is not what was taken over", name)
		}
	}
	own := map[string]bool{"assets/usher.css": true, "assets/usher.js": true, "assets/usher.svg": true, "assets/SHA256SUMS": true}
	for _, root := range []string{"assets", "testdata/axe"} {
		err := fs.WalkDir(os.DirFS("."), root, func(name string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() && !own[name] && !listed[name] {
				t.Errorf("%s is not in the list", name)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, licence := range []string{"assets/licences/htmx.txt", "assets/licences/pico.txt", "assets/licences/lucide.txt", "testdata/axe/LICENSE.txt"} {
		if !listed[licence] {
			t.Errorf("%s is missing", path.Base(licence))
		}
	}
}

// TestIcons: every icon that was taken over is used.
func TestIcons(t *testing.T) {
	a, err := loadAssets()
	if err != nil {
		t.Fatal(err)
	}
	pages := ""
	files, err := filepath.Glob("templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		pages += string(b)
	}
	for name := range a.icons {
		if !strings.Contains(pages, `icon "`+name+`"`) {
			t.Errorf("nothing shows the icon %s", name)
		}
	}
	if _, err := a.icon("nothing"); err == nil {
		t.Error("an icon that is not there")
	}
	if _, err := a.address("nothing"); err == nil {
		t.Error("an asset that is not there")
	}
}
