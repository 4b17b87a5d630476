package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
)

// goodPassword meets the seven criteria.
const goodPassword = "Sunny-Ladder-7"

// byPassword is an organization without a sign-in of its own: link, button,
// password, name, landing; out, and in again (W-01 to W-04, BR-103 to BR-110).
func (w *town) byPassword(in context.Context) {
	w.found("globex", "Globex")
	w.usher("settings", "set", "globex", "--download-url", "https://dl.globex.example/app", "--web-app-url", "https://app.globex.example/")
	var made struct{ ID string }
	w.shown(&made, "user", "create", "globex", "ann@globex.example", "--given", "Ann", "--family", "Lindqvist", "--licences", "gold")
	l := w.letter("ann@globex.example", 1)
	link := l.link(w)
	w.scanned("globex", made.ID, link)

	p := w.person(in, "password", "en")
	p.goes(link)
	p.at("/activate", "Globex", "Ann Lindqvist", "ann@globex.example", "Step 1 of 3")
	p.submits()
	p.at("/activate/password", "Create your password", "Download")
	p.choosesPassword()
	p.at("/activate/name", "Enter your name")
	if got := p.value("#name"); got != "Ann Lindqvist" {
		w.Errorf("the name is filled in with %q", got)
	}
	p.types("#name", "Ann L.")
	p.submits()
	p.at("/activate/done", "Ann L.", "colleagues of your company only")
	if got, want := w.state("globex", made.ID), (state{"active", "password", "active", "user.activated BR-107\n"}); got != want {
		w.Errorf("after the name: %+v, want %+v", got, want)
	}
	p.presses("form[action='/signout'] button")
	p.at("/signin", "signed out")
	p.signsIn("ann@globex.example", "Wrong-Ladder-8")
	p.at("/signin", "not right")
	p.types("#password", goodPassword)
	p.submits()
	p.at("/me", "ann@globex.example", "Gold")
	p.goes(link) // BR-110
	p.at("/signin", "active already")
	w.byCode(in)
}

// choosesPassword types a bad password, sees what is missing as it is typed and
// after it was sent, and then a good one.
func (p *person) choosesPassword() {
	p.Helper()
	p.types("#password", "annlind")
	p.wantCriteria("met", "lower")
	p.submits()
	p.at("/activate/password", "Add a digit.", "Add an upper-case letter.")
	p.wantCriteria("failed", "length", "upper", "digit", "special", "name", "address")
	p.types("#password", goodPassword)
	p.wantCriteria("met", "length", "lower", "upper", "digit", "special", "name", "address")
	p.pictures("/activate/password-met")
	p.submits()
}

// wantCriteria waits until exactly these lines of the checklist are of a class.
func (p *person) wantCriteria(class string, want ...string) {
	p.Helper()
	look := fmt.Sprintf(`Array.from(document.querySelectorAll("[data-criterion].%s")).map(l => l.dataset.criterion)`, class)
	var got []string
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if p.do(chromedp.Evaluate(look, &got)); fmt.Sprint(got) == fmt.Sprint(want) {
			return
		}
		if time.Now().After(end) {
			p.Fatalf("%s are %v, want %v", class, got, want)
		}
	}
}

// signsIn types address and password.
func (p *person) signsIn(address, password string) {
	p.Helper()
	p.types("#address", address)
	p.submits()
	p.at("/signin", "Use another address")
	p.types("#password", password)
	p.submits()
}

// byCode comes in on another device, with a code that begins with a zero if one of
// a few does (BR-101, BR-102); then the access of somebody who has not come yet is
// taken, and given back: link and code stay dead, and no other mail goes out
// (BR-081, security I5).
func (w *town) byCode(in context.Context) {
	ids, letters := map[string]string{}, map[string]letter{}
	var came, gone string // addresses
	for i := range 12 {
		n := newcomer{address: fmt.Sprintf("p%02d@globex.example", i), given: "Pia", family: "Berg", skus: []string{"gold"}}
		ids[n.address] = w.push("globex", n)
		gone = n.address
		if i == 0 {
			came = n.address
		}
	}
	for address := range ids {
		letters[address] = w.letter(address, 1)
		if strings.HasPrefix(letters[address].code(w), "0") && address != gone {
			came = address
		}
	}
	code, l := letters[came].code(w), letters[gone]
	w.Logf("the code is %s", code)

	p := w.person(in, "code", "fr")
	p.goes(w.root() + "/activate/code")
	p.entersCode(came, "999999")
	p.at("/activate/code", "ne")
	p.entersCode(came, code)
	p.at("/activate/password", came)
	p.types("#password", goodPassword)
	p.submits()
	p.at("/activate/name")
	p.submits()
	p.at("/activate/done", "Pia Berg")
	if got := w.state("globex", ids[came]); got.scim != "active" || got.method != "password" {
		w.Errorf("after the code: %+v", got)
	}

	before := w.person(in, "gone", "en")
	before.goes(l.link(w))
	before.at("/activate")
	w.patch("globex", ids[gone], "active", "false")
	before.submits()
	before.at("/activate", "no longer works")
	w.patch("globex", ids[gone], "active", "true")
	before.goes(l.link(w))
	before.at("/activate", "no longer works")
	before.goes(w.root() + "/activate/code")
	before.entersCode(gone, l.code(w))
	before.at("/activate/code", "do not go together")
	w.settled("globex")
	w.letter(gone, 1)
	if got := w.state("globex", ids[gone]); got.scim != "not_verified" || got.event != "" {
		w.Errorf("after dead links: %+v", got)
	}
}

// entersCode types address and code.
func (p *person) entersCode(address, code string) {
	p.Helper()
	p.types("#address", address)
	p.types("#code", code[:3]+" "+code[3:])
	p.submits()
}
