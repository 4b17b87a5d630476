package sso_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// window is a tab without cookies of others, in a language, that notes what a
// page must never do: open a dialog, break the policy.
type window struct {
	*testing.T
	*world
	ctx   context.Context
	whole context.Context // without the time limit

	mu     sync.Mutex
	faults []string
}

func openWindow(t *testing.T, ctx context.Context, w *world, lang string) *window {
	t.Helper()
	ctx, cancel := chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	whole := ctx
	ctx, stop := context.WithTimeout(ctx, 15*time.Second)
	t.Cleanup(stop)
	o := &window{T: t, world: w, ctx: ctx, whole: whole}
	chromedp.ListenTarget(ctx, func(ev any) {
		o.mu.Lock()
		defer o.mu.Unlock()
		switch ev := ev.(type) {
		case *page.EventJavascriptDialogOpening:
			o.faults = append(o.faults, "a dialog: "+ev.Message)
		case *cdplog.EventEntryAdded:
			if ev.Entry.Source == cdplog.SourceSecurity || strings.Contains(ev.Entry.Text, "Content Security Policy") {
				o.faults = append(o.faults, ev.Entry.Text)
			}
		}
	})
	o.run(emulation.SetFocusEmulationEnabled(true), cdplog.Enable(), network.Enable(), network.ClearBrowserCookies(), network.SetExtraHTTPHeaders(network.Headers{"Accept-Language": lang}))
	t.Cleanup(func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		for _, f := range o.faults {
			t.Error(f)
		}
	})
	return o
}

func (o *window) run(actions ...chromedp.Action) {
	o.Helper()
	if err := chromedp.Run(o.ctx, actions...); err != nil {
		var at, text string
		ctx, cancel := context.WithTimeout(o.whole, time.Second)
		defer cancel()
		_ = chromedp.Run(ctx, chromedp.Location(&at), chromedp.Evaluate(`document.body.innerText`, &text)) // what can be told
		o.Fatalf("at %s: %v\n%s", at, err, text)
	}
}

// heading waits for a page by its heading.
func heading(text string) chromedp.Action {
	return chromedp.WaitVisible(`//h1[normalize-space()="`+text+`"]`, chromedp.BySearch)
}

// press clicks a button by its text.
func press(text string) chromedp.Action {
	return chromedp.Click(`//main//button[contains(normalize-space(), "`+text+`")]`, chromedp.BySearch)
}

// focused waits until the element in focus is what a script says of e.
func focused(script string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		for there := false; !there; {
			// While a page gives way to the next there is nothing to ask.
			if err := chromedp.Evaluate(`(e => !!e && (`+script+`))(document.activeElement)`, &there).Do(ctx); err != nil && ctx.Err() != nil {
				return err
			}
			if err := chromedp.Sleep(20 * time.Millisecond).Do(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

// follow presses Enter on a link. The driver's own Enter comes in pieces, of which
// the second would meet what the link leads to.
func follow() chromedp.Action {
	key := func(kind input.KeyType) *input.DispatchKeyEventParams {
		return input.DispatchKeyEvent(kind).WithKey("Enter").WithCode("Enter").WithWindowsVirtualKeyCode(13).WithNativeVirtualKeyCode(13)
	}
	return chromedp.Tasks{key(input.KeyRawDown), key(input.KeyUp)}
}

// flows are ways through the pages, each in a window of its own.
func flows(t *testing.T, ctx context.Context, w *world) {
	t.Run("activation in English", func(t *testing.T) { activationInBrowser(t, ctx, w) })
	t.Run("activation in French by keyboard", func(t *testing.T) { activationByKeyboard(t, ctx, w) })
	t.Run("without JavaScript", func(t *testing.T) { activationWithoutScript(t, ctx, w) })
	t.Run("company", func(t *testing.T) { companyInBrowser(t, ctx, w) })
	t.Run("hostile name", func(t *testing.T) { hostileName(t, ctx, w) })
}

// activationInBrowser goes the whole way with the live checklist, then takes a
// session off the portal's list without leaving the page.
func activationInBrowser(t *testing.T, ctx context.Context, w *world) {
	_, l := w.invite("live@acme.example", "Live Wire", "en")
	o := openWindow(t, ctx, w, "en")
	var met, unmet int
	var said, at string
	count := func(selector string, n *int) chromedp.Action {
		return chromedp.Evaluate(`document.querySelectorAll("`+selector+`").length`, n)
	}
	o.run(chromedp.Navigate(w.URL+l.Path), heading("Activate your account"), chromedp.Location(&at), press("Activate and choose a password"), heading("Create your password"),
		chromedp.SendKeys("#password", "wire9", chromedp.ByID), count("li.met", &met))
	if strings.Contains(at, "t=") {
		t.Errorf("the token stays in the address: %s", at)
	}
	if met != 3 { // digit, lower-case letter, no address; "wire" is a name
		t.Errorf("%d criteria are met, want 3", met)
	}
	o.run(chromedp.Evaluate(`document.querySelector("#password").value = ""`, nil), chromedp.SendKeys("#password", goodPassword, chromedp.ByID), count("li[data-criterion]:not(.met)", &unmet),
		chromedp.Poll(`document.querySelector("#criteria [role=status]").textContent !== ""`, nil), chromedp.Text("#criteria [role=status]", &said, chromedp.ByQuery),
		chromedp.Click("button.show", chromedp.ByQuery), chromedp.Poll(`document.querySelector("#password").type === "text"`, nil))
	if unmet != 1 || strings.TrimSpace(said) != "Everything is met" { // the server judges whether it is a common one
		t.Errorf("%d criteria are not met; it is said %q", unmet, said)
	}
	o.run(press("Create"), heading("Enter your name"), press("Enter"), heading("Your account is active"))

	other := w.browser()
	other.post("/signin", "address", "live@acme.example", "password", goodPassword).want(t, 200, "/me")
	var sessions int
	var focus string
	o.run(chromedp.Navigate(w.URL+"/me"), heading("Your account"), count(".sessions li", &sessions),
		press("Sign out"), chromedp.Poll(`document.querySelectorAll(".sessions li").length === 1`, nil),
		chromedp.Poll(`document.activeElement.id === "sessions-title"`, nil), chromedp.Evaluate(`document.activeElement.id`, &focus), chromedp.Location(&at))
	if sessions != 2 || !strings.HasSuffix(at, "/me") {
		t.Errorf("%d sessions, at %s", sessions, at)
	}
	other.get("/me").want(t, 200, "/signin")
}

// activationByKeyboard uses no pointer: everything can be reached and is in order.
func activationByKeyboard(t *testing.T, ctx context.Context, w *world) {
	_, l := w.invite("clavier@acme.example", "Zoé Clavier", "fr")
	o := openWindow(t, ctx, w, "en") // the letter's language goes before the browser's
	// tab goes on to the element that a script finds, and fails when it does not come.
	tab := func(script string) chromedp.Action {
		return chromedp.ActionFunc(func(ctx context.Context) error {
			for range 25 {
				var there bool
				if err := chromedp.KeyEvent(kb.Tab).Do(ctx); err != nil {
					return err
				}
				if err := chromedp.Evaluate(`(e => !!e && (`+script+`))(document.activeElement)`, &there).Do(ctx); err != nil || there {
					return err
				}
			}
			o.Errorf("nothing that can be reached is %s", script)
			return nil
		})
	}
	submit := tab(`e.type === "submit" && !!e.closest("main")`)
	var first string
	o.run(chromedp.Navigate(w.URL+l.Path), heading("Activez votre compte"), chromedp.KeyEvent(kb.Tab), chromedp.Evaluate(`document.activeElement.className`, &first))
	o.run(submit, tab(`e.name === "with" && e.textContent.includes("mot de passe")`), chromedp.KeyEvent(kb.Enter), heading("Créez votre mot de passe"))
	o.run(tab(`e.id === "password"`), chromedp.KeyEvent("martin"), chromedp.KeyEvent(kb.Enter), focused(`e.matches("section.faults")`))
	o.run(tab(`e.matches(".faults a")`), follow(), focused(`e.id === "password"`))
	o.run(chromedp.KeyEvent(goodPassword), tab(`e.matches("button.show")`), submit, chromedp.KeyEvent(kb.Enter), heading("Saisissez votre nom"))
	o.run(submit, chromedp.KeyEvent(kb.Enter), heading("Votre compte est actif"))
	if first != "skip" {
		t.Errorf("the first stop is %q, not the link to the content", first)
	}
}

// activationWithoutScript: pages need none.
func activationWithoutScript(t *testing.T, ctx context.Context, w *world) {
	_, l := w.invite("plain@acme.example", "Plain Paper", "en")
	o := openWindow(t, ctx, w, "en")
	var shows string
	o.run(emulation.SetScriptExecutionDisabled(true), chromedp.Navigate(w.URL+l.Path), heading("Activate your account"), press("Activate and choose a password"),
		heading("Create your password"), chromedp.SendKeys("#password", "paper", chromedp.ByID), press("Create"),
		chromedp.WaitVisible("section.faults", chromedp.ByQuery), chromedp.Text("section.faults", &shows, chromedp.ByQuery),
		chromedp.SendKeys("#password", goodPassword, chromedp.ByID), press("Create"),
		heading("Enter your name"), press("Enter"), heading("Your account is active"),
		chromedp.Click(`//header//button[contains(., "Sign out")]`, chromedp.BySearch), heading("Sign in"),
		chromedp.SendKeys("#address", "plain@acme.example", chromedp.ByID), press("Continue"),
		chromedp.SendKeys("#password", goodPassword, chromedp.ByID), press("Sign in"), heading("Your account"))
	for _, want := range []string{"Add a digit.", "Add an upper-case letter.", "Leave your name out of it."} {
		if !strings.Contains(shows, want) {
			t.Errorf("%q is not in %q", want, shows)
		}
	}
}

// companyInBrowser signs in at the company's provider and goes on to the
// application, over redirects that the policy of every page allows.
func companyInBrowser(t *testing.T, ctx context.Context, w *world) {
	_, l := w.invite("alice@corp.example", "Alice Martin", "fr")
	o := openWindow(t, ctx, w, "fr")
	o.run(chromedp.Navigate(w.URL+l.Path), heading("Activez votre compte"), press("Activer"), heading("Saisissez votre nom"), press("Entrer"),
		heading("Votre compte est actif"), chromedp.Click(`//header//button`, chromedp.BySearch))
}

// hostileName shows a name that tries to be a page (security X1).
func hostileName(t *testing.T, ctx context.Context, w *world) {
	_, l := w.invite("x@acme.example", `"><img src=x onerror=alert(1)><script>alert(2)</script>`, "en")
	o := openWindow(t, ctx, w, "en")
	var images int
	o.run(chromedp.Navigate(w.URL+l.Path), heading("Activate your account"), chromedp.Evaluate(`document.images.length + document.querySelectorAll("script:not([src])").length`, &images))
	if images != 0 {
		t.Error("the name became a part of the page")
	}
}
