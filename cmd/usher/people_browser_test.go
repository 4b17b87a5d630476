package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	tabs "github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// person is somebody with a browser of their own.
type person struct {
	*town
	tab   context.Context
	album string // what pictures are named after
	taken int
}

// person opens a browser that asks for a language.
func (w *town) person(in context.Context, album, language string) *person {
	w.Helper()
	asBrowser := cdp.WithExecutor(in, chromedp.FromContext(in).Browser)
	profile, err := tabs.CreateBrowserContext().WithDisposeOnDetach(true).Do(asBrowser)
	if err != nil {
		w.Fatal(err)
	}
	// A window of its own: without one this browser refuses tabs of a new profile.
	window, err := tabs.CreateTarget("about:blank").WithBrowserContextID(profile).WithNewWindow(true).Do(asBrowser)
	if err != nil {
		w.Fatal(err)
	}
	tab, cancel := chromedp.NewContext(in, chromedp.WithTargetID(window))
	w.Cleanup(cancel)
	if err := chromedp.Run(tab); err != nil { // the tab lives as long as the first context that it is used with
		w.Fatal(err)
	}
	p := &person{town: w, tab: tab, album: album}
	p.do(network.Enable(), network.SetExtraHTTPHeaders(network.Headers{"Accept-Language": language}))
	return p
}

// do acts in the browser.
func (p *person) do(actions ...chromedp.Action) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.tab, 20*time.Second)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		where, text := p.look()
		p.Fatalf("%v at %s:\n%s\n%s", err, where, text, p.stderr)
	}
}

// look tells where the browser is, once the page is there, and what it shows.
func (p *person) look() (where, text string) {
	var seen []string
	ctx, cancel := context.WithTimeout(p.tab, 5*time.Second)
	defer cancel()
	err := chromedp.Run(ctx, chromedp.Evaluate(`document.readyState === "complete" && !window.pressed && !document.querySelector("meta[http-equiv=refresh]") ? [location.href, document.title + "\n" + document.body.innerText] : []`, &seen))
	if err != nil || len(seen) != 2 { // the page is about to change
		return "", ""
	}
	return seen[0], seen[1]
}

// at waits until the browser is at a path of usher and checks what the page shows.
// It takes pictures of the page.
func (p *person) at(path string, texts ...string) {
	p.Helper()
	p.reach(p.root()+path, texts...)
}

func (p *person) reach(prefix string, texts ...string) {
	p.Helper()
	where, text := "", ""
	for end := time.Now().Add(20 * time.Second); !there(where, prefix); time.Sleep(10 * time.Millisecond) {
		if where, text = p.look(); time.Now().After(end) {
			p.Fatalf("the browser is at %s and not at %s:\n%s\n%s", where, prefix, text, p.stderr)
		}
	}
	for _, s := range texts {
		if !strings.Contains(text, s) {
			p.Errorf("%s does not show %q:\n%s", prefix, s, text)
		}
	}
	if page, ours := strings.CutPrefix(prefix, p.root()); ours {
		p.pictures(page)
	}
}

// there reports whether an address is that of a page; what a page is asked with
// does not count.
func there(address, page string) bool {
	at, _, _ := strings.Cut(address, "?")
	return at == page
}

// goes opens an address.
func (p *person) goes(to string) {
	p.Helper()
	p.do(chromedp.Navigate(to))
}

// presses clicks a button that leads to another page; that page has no mark.
func (p *person) presses(selector string) {
	p.Helper()
	p.do(chromedp.Evaluate("window.pressed = true", nil), chromedp.Click(selector, chromedp.ByQuery))
}

// submits sends the page's form.
func (p *person) submits() {
	p.Helper()
	p.presses("main form button[type=submit]")
}

// types fills a field in, key by key.
func (p *person) types(selector, text string) {
	p.Helper()
	p.do(chromedp.Evaluate(fmt.Sprintf("document.querySelector(%q).value = ''", selector), nil), chromedp.SendKeys(selector, text, chromedp.ByQuery))
}

// value is what a field has in it.
func (p *person) value(selector string) (text string) {
	p.Helper()
	p.do(chromedp.Value(selector, &text, chromedp.ByQuery))
	return text
}

// atDex signs in at the provider.
func (p *person) atDex(address string) {
	p.Helper()
	p.reach(p.dex.URL + "/auth/local/login")
	p.types("#login", address)
	p.types("#password", dexPassword)
	p.presses("#submit-login")
}

// cookies are those that the browser has for usher.
func (p *person) cookies() jar {
	p.Helper()
	out := jar{}
	p.do(chromedp.ActionFunc(func(ctx context.Context) error {
		all, err := network.GetCookies().WithURLs([]string{p.root()}).Do(ctx)
		for _, c := range all {
			out[c.Name] = c.Value
			if !c.Secure || !c.HTTPOnly || c.SameSite != network.CookieSameSiteLax || !strings.HasPrefix(c.Name, "__Host-") {
				p.Errorf("the cookie %+v", c)
			}
		}
		return err
	}))
	return out
}

// pictures keeps pictures of a page when USHER_SCREENSHOTS names a folder: on a
// telephone and a desktop, light and dark.
func (p *person) pictures(page string) {
	p.Helper()
	dir := os.Getenv("USHER_SCREENSHOTS")
	if dir == "" {
		return
	}
	p.taken++
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{390, 1440} {
			var png []byte
			p.do(
				emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}),
				emulation.SetDeviceMetricsOverride(width, 900, 1, false), chromedp.FullScreenshot(&png, 100), emulation.ClearDeviceMetricsOverride(),
			)
			name := fmt.Sprintf("%s-%02d-%s-%s-%d.png", p.album, p.taken, strings.ReplaceAll(strings.Trim(page, "/"), "/", "_"), scheme, width)
			if err := os.WriteFile(filepath.Join(dir, name), png, 0o600); err != nil {
				p.Fatal(err)
			}
		}
	}
}
