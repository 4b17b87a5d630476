package main

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/internal/browsertest"
	"github.com/usher-scim/usher/internal/dextest"
	"github.com/usher-scim/usher/internal/redistest"
)

// TestPeople is how people come in, from the identity provider's push to the page
// where they land, on a live server, with a real provider, real mail and a real
// browser.
func TestPeople(t *testing.T) {
	in := browsertest.Start(t, browsertest.Config{})
	for _, store := range []string{"redis", "embedded"} {
		t.Run(store, func(t *testing.T) {
			address := ""
			if store == "redis" {
				address = redistest.Start(t)
			}
			w := openTown(t, address,
				dextest.User{ID: "7-zoe", Email: "zoe@acme.example", Name: "Zoé Martin", Password: dexPassword},
				dextest.User{ID: "8-eve", Email: "eve@elsewhere.example", Name: "Eve", Password: dexPassword, Unverified: true},
				dextest.User{ID: "9-max", Email: "max@acme.example", Name: "Max", Password: dexPassword},
			)
			w.trial(in)
			w.usher("sso", "set", "acme", "corp", "--enforce", "acme.example")
			w.bySSO(in)
			w.unverified(in)
			w.byPassword(in)
			w.switched()
			w.leaving(in)
		})
	}
}

// trial tests the connection: every check is told, and nobody is signed in.
func (w *town) trial(in context.Context) {
	var made struct{ ID, URL string }
	w.shown(&made, "sso", "test", "acme", "corp")
	p := w.person(in, "trial", "en")
	p.goes(made.URL)
	p.atDex("max@acme.example")
	p.at("/sso/acme/corp/callback", "Nobody was signed in")
	if _, ok := p.cookies()["__Host-usher"]; ok {
		w.Error("a test begins a session")
	}
	checks := items[struct {
		Name   string
		Passed bool
		Detail string
	}](w, "sso", "result", "acme", "corp", made.ID)
	if len(checks) < 5 {
		w.Errorf("the checks are %+v", checks)
	}
	for _, c := range checks {
		if !c.Passed && c.Name != "user" {
			w.Errorf("%s: %s", c.Name, c.Detail)
		}
	}
}

// bySSO is a person of a company with its own sign-in: pushed, written to, looked
// after by a scanner, activated, seen, and gone.
func (w *town) bySSO(in context.Context) {
	zoe := newcomer{address: "zoe@acme.example", given: "Zoé", family: "Martin", language: "fr-FR", skus: []string{"gold"}}
	id := w.push("acme", zoe)

	// One mail, in French, however often the provider says the same (BR-080, BR-093).
	w.scim("acme", "POST", "/Users", zoe.document(), 409)
	w.patch("acme", id, "title", `"Ingénieure"`)
	w.patch("acme", id, "active", "true")
	w.scim("acme", "PUT", "/Users/"+id, zoe.document(), 200)
	w.letter(zoe.address, 1)
	w.settled("acme")
	l := w.letter(zoe.address, 1)
	if !strings.Contains(l.Subject, "Activez") || !strings.Contains(l.Text, "Acme SA") || !strings.Contains(l.HTML, `lang="fr"`) {
		w.Errorf("the mail is\n%s\n%s", l.Subject, l.Text)
	}
	if log := w.mails("acme", id); len(log) != 1 || log[0].State != "sent" || log[0].Language != "fr" || log[0].Trigger != "auto" {
		w.Errorf("the mail log has %+v", log)
	}
	link := l.link(w)
	w.scanned("acme", id, link)

	// She follows the link and signs in as she does everywhere (W-05, BR-113).
	p := w.person(in, "sso", "en")
	p.goes(link)
	p.at("/activate", "Acme SA", "Zoé Martin", "zoe@acme.example", "Activer")
	p.submits()
	p.atDex(zoe.address)
	p.at("/activate/done", "Zoé Martin", "actif")
	if got, want := w.state("acme", id), (state{"active", "sso", "active", "user.activated BR-113\n"}); got != want {
		w.Errorf("after the sign-in: %+v, want %+v", got, want)
	}
	p.goes(w.root() + "/me")
	p.at("/me", "Zoé Martin", "Gold", "Acme SA")
	w.deprovisioned(p, id, link)
}

// scanned opens a link as the scanners of mail do, with everything that is linked
// behind it: nothing happens (BR-109, security I2).
func (w *town) scanned(slug, id, link string) {
	before := w.whole(slug, id)
	for _, agent := range []string{"Mozilla/5.0 (compatible; Office 365 Safe Links)", "Barracuda Sentinel (EE)", "curl/8.5.0"} {
		cookies := jar{}
		w.visit(jar{}, "HEAD", link, agent)
		for _, method := range []string{"HEAD", "GET"} {
			resp, body := w.visit(cookies, method, link, agent)
			for range 3 {
				if resp.StatusCode == 303 {
					resp, body = w.visit(cookies, method, w.root()+resp.Header.Get("Location"), agent)
				}
			}
			if resp.StatusCode != 200 {
				w.Errorf("%s by %s: %d", method, agent, resp.StatusCode)
			}
			for _, found := range hrefs.FindAllStringSubmatch(body, -1) {
				w.visit(cookies, method, w.root()+strings.ReplaceAll(found[1], "&amp;", "&"), agent)
			}
		}
	}
	if after := w.whole(slug, id); after != before {
		w.Errorf("a look changes something:\n%s\n%s", before, after)
	}
}

var hrefs = regexp.MustCompile(`(?:href|action|src)="(/[^"]*)"`)

// deprovisioned takes somebody's access: it ends at the next request, on every way,
// and what there was stays dead when access comes back (domain.md §3.1, security
// O10).
func (w *town) deprovisioned(p *person, id, link string) {
	session := p.cookies()
	resp, _ := w.visit(session, "GET", w.root()+"/sso/acme/verify", "proxy")
	if h := resp.Header; resp.StatusCode != 200 || h.Get("X-Usher-User") != id || h.Get("X-Usher-Email") != "zoe@acme.example" || h.Get("X-Usher-Licences") != "gold" || h.Get("X-Usher-Name") != "Zo%C3%A9 Martin" {
		w.Errorf("a proxy is told %d %v", resp.StatusCode, h)
	}
	for _, end := range []func(){
		func() { w.patch("acme", id, "active", "false") },
		func() { w.patch("acme", id, "active", "true") },
	} {
		end()
		began := time.Now()
		w.outOf("acme", session)
		if took := time.Since(began); took > 5*time.Second {
			w.Errorf("out after %s", took)
		}
	}
	p.goes(w.root() + "/me")
	p.at("/signin")

	// Active again, she signs in again, by her address alone; deleted, she is nobody.
	p.types("#address", "zoe@acme.example")
	p.submits()
	p.atDex("zoe@acme.example")
	p.at("/me", "Zoé Martin")
	session = p.cookies()
	w.scim("acme", "DELETE", "/Users/"+id, "", 204)
	w.outOf("acme", session)
	p.goes(link)
	p.at("/activate")
	p.goes(w.root() + "/sso/acme/corp/start")
	p.atDex("zoe@acme.example")
	p.at("/sso/acme/corp/callback")
}

// outOf checks that the cookies of a session let nobody in.
func (w *town) outOf(slug string, session jar) {
	w.Helper()
	if resp, _ := w.visit(session, "GET", w.root()+"/sso/"+slug+"/verify", "proxy"); resp.StatusCode != 401 || resp.Header.Get("X-Usher-User") != "" {
		w.Errorf("a proxy is told %d %v", resp.StatusCode, resp.Header)
	}
	cookies := jar{"__Host-usher": session["__Host-usher"]}
	if resp, _ := w.visit(cookies, "GET", w.root()+"/me", "browser"); resp.StatusCode != 303 || !strings.HasPrefix(resp.Header.Get("Location"), "/signin") {
		w.Errorf("the portal answers %d to %s", resp.StatusCode, resp.Header.Get("Location"))
	}
}

// unverified is somebody whose provider does not vouch for the address: refused,
// with a reason that administrators see and the person does not (BR-112).
func (w *town) unverified(in context.Context) {
	eve := newcomer{address: "eve@elsewhere.example", given: "Eve", family: "Else", skus: []string{"gold"}}
	id := w.push("acme", eve)
	w.letter(eve.address, 1)
	users := w.usher("user", "list", "acme", "--output", "json")
	before := w.whole("acme", id)
	p := w.person(in, "unverified", "fr")
	p.goes(w.root() + "/sso/acme")
	p.at("/sso/acme", "Acme ID")
	p.presses("main a[role=button]")
	p.atDex(eve.address)
	p.at("/sso/acme/corp/callback")
	if _, text := p.look(); strings.Contains(text, "verifi") || strings.Contains(text, "Eve") || strings.Contains(text, "vérifi") {
		w.Errorf("the person is told why:\n%s", text)
	}
	if _, ok := p.cookies()["__Host-usher"]; ok {
		w.Error("a refusal begins a session")
	}
	type refused struct{ Code, Email, Reason string }
	list := items[refused](w, "sso", "refusals", "acme")
	if i := slices.IndexFunc(list, func(r refused) bool { return r.Email == eve.address }); i < 0 || list[i].Code != "sso_email_unverified" || !strings.Contains(list[i].Reason, "verified") {
		w.Errorf("the refusals are %+v", list)
	}
	if after := w.whole("acme", id); after != before {
		w.Errorf("a refusal changes something:\n%s\n%s", before, after)
	}
	if after := w.usher("user", "list", "acme", "--output", "json"); after != users {
		w.Errorf("a refusal makes users:\n%s\n%s", users, after)
	}
}
