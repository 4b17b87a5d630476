package sso_test

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/usher-scim/usher/internal/browsertest"
)

//go:embed testdata/axe/axe.min.js
var axe string

// TestBrowser looks at everything in a real browser.
func TestBrowser(t *testing.T) {
	ctx := browsertest.Start(t, browsertest.Config{AnyCertificate: true})
	w := open(t, "")
	g := &gallery{}
	g.beside(w.Server)
	galleryWorld(w)
	w.tour(g, "en")
	w.tour(g, "fr")
	t.Run("flows", func(t *testing.T) { flows(t, ctx, w) })
	t.Run("accessible", func(t *testing.T) { accessible(t, ctx, w, g) })
}

// accessible runs axe on every page in both languages, light and dark, on a phone
// and on a desktop (WCAG 2.2 AA), and sees that nothing sticks out.
func accessible(t *testing.T, ctx context.Context, w *world, g *gallery) {
	tab, cancel := chromedp.NewContext(ctx)
	defer cancel()
	for _, name := range g.names {
		if err := chromedp.Run(tab, chromedp.Navigate(w.URL+galleryPath+name), chromedp.Evaluate(axe+";0", nil)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, scheme := range []string{"light", "dark"} {
			for _, width := range []int64{390, 1440} {
				as := fmt.Sprintf("%s-%s-%d", name, scheme, width)
				if err := chromedp.Run(tab, view(scheme, width)); err != nil {
					t.Fatalf("%s: %v", as, err)
				}
				rules := everything
				if scheme == "dark" {
					rules = colours
				}
				for _, fault := range faultsOf(t, tab, as, rules) {
					t.Errorf("%s: %s", as, fault)
				}
				keep(t, tab, as)
			}
		}
	}
}

// view makes a window of a width in a colour scheme.
func view(scheme string, width int64) chromedp.Tasks {
	return chromedp.Tasks{
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}),
		emulation.SetDeviceMetricsOverride(width, 900, 1, false),
	}
}

// everything is every rule that axe has; colours are the rules whose answer
// depends on the colour scheme.
const (
	everything = `["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]`
	colours    = `{type: "rule", values: ["color-contrast", "link-in-text-block"]}`
)

// inspect runs axe and looks for what it does not.
const inspect = `axe.run(document, {runOnly: RULES, resultTypes: ["violations"]}).then(r => JSON.stringify(
  r.violations.map(v => v.id + ": " + v.nodes.map(n => n.target.join(" ") + " " + n.failureSummary).join(" | "))
    .concat(document.documentElement.scrollWidth > innerWidth ? ["sticks out to the right: " + document.documentElement.scrollWidth] : [])))`

func faultsOf(t *testing.T, tab context.Context, as, rules string) []string {
	t.Helper()
	var out string
	var faults []string
	err := chromedp.Run(tab, chromedp.Evaluate(strings.Replace(inspect, "RULES", rules, 1), &out, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	if err == nil {
		err = json.Unmarshal([]byte(out), &faults)
	}
	if err != nil {
		t.Fatalf("%s: %v", as, err)
	}
	return faults
}

// keep writes a picture of a page when USHER_SCREENSHOTS names a folder.
func keep(t *testing.T, tab context.Context, as string) {
	t.Helper()
	dir := os.Getenv("USHER_SCREENSHOTS")
	if dir == "" {
		return
	}
	var png []byte
	if err := chromedp.Run(tab, chromedp.FullScreenshot(&png, 100)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, strings.ReplaceAll(as, "/", "_")+".png"), png, 0o600); err != nil {
		t.Fatal(err)
	}
}
