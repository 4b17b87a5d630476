package sso

import (
	"net/http"

	"github.com/usher-scim/usher/resources"
)

// The steps of an activation, for the line that says how far somebody is.
const (
	stepActivate = iota + 1
	stepPassword
	stepName
)

// activatePage shows whose account a link activates (W-01, BR-109).
func (d *Door) activatePage(v *visit) error {
	if v.takeToken() {
		return nil
	}
	a, err := v.arrival(resources.PurposeActivate)
	if err != nil || a == nil {
		return err
	}
	switch {
	case a.Done: // BR-110
		v.dropCookie(linkCookie)
		v.redirect("/signin?note=active")
	case a.Proven && a.Password && !a.Way.Forced:
		v.redirect("/activate/name")
	default:
		p := v.page("activate.title")
		p.Data = a
		if a.Way.Connection == "" {
			p.Step = stepActivate
		}
		v.render(http.StatusOK, "activate", p)
	}
	return nil
}

// activate notes that a button was pressed, and goes on to the password or to the
// company's provider (BR-103). Who may have both has a button for each.
func (d *Door) activate(v *visit) error { return v.confirm(v.cookie(linkCookie)) }

func (v *visit) confirm(token string) error {
	if token == "" {
		return &resources.Error{Code: resources.CodeActivationExpired}
	}
	a, err := v.d.directory.ConfirmLink(v.ctx, token)
	if err != nil {
		return err
	}
	v.meet(&a.Person)
	switch {
	case a.Done:
		v.dropCookie(linkCookie)
		v.redirect("/signin?note=active")
	case a.Way.Connection != "" && (a.Way.Forced || v.field("with") != "password"):
		v.leave(startPath(a.Way, "/activate/name"), "leave.provider")
	case a.Password:
		v.redirect("/activate/name")
	default:
		v.redirect("/activate/password")
	}
	return nil
}

// codePage takes address and code on another device (BR-102).
func (d *Door) codePage(v *visit) error {
	v.codeForm(http.StatusOK, "")
	return nil
}

// useCode exchanges a code for its link. Wrong and unknown ones have one answer.
func (d *Door) useCode(v *visit) error {
	address, code := v.field("address"), digits(v.field("code"))
	var faults []fault
	if !looksLikeAddress(address) {
		faults = append(faults, fault{"address", v.say("address.needed")})
	}
	if len(code) != 6 {
		faults = append(faults, fault{"code", v.say("code.needed")})
	}
	if len(faults) > 0 {
		v.codeForm(http.StatusUnprocessableEntity, address, faults...)
		return nil
	}
	token, err := d.directory.UseCode(v.ctx, address, code, v.who())
	switch {
	case resources.HasCode(err, resources.CodeWrongCode), resources.HasCode(err, resources.CodeActivationExpired):
		v.codeForm(verdicts[resources.CodeWrongCode].status, address, fault{"code", v.say("code.wrong")})
		return nil
	case resources.HasCode(err, resources.CodeCodeLocked):
		v.codeForm(v.slowDown(), address, fault{"code", v.say("code.locked")})
		return nil
	case resources.HasCode(err, resources.CodeRateLimited):
		v.codeForm(v.slowDown(), address, fault{"code", v.say("refused.many")})
		return nil
	case err != nil:
		return err
	}
	v.setCookie(linkCookie, token, linkKept)
	return v.confirm(token)
}

func (v *visit) codeForm(status int, address string, faults ...fault) {
	p := v.page("code.title")
	p.Faults, p.Data = faults, address
	v.render(status, "code", p)
}

// digits leaves out the spaces that people type between digits; anything else
// makes it no code.
func digits(s string) string {
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			out = append(out, c)
		case c != ' ' && c != '-':
			return ""
		}
	}
	return string(out)
}

// nameView is what the page for the name shows.
type nameView struct {
	Name    string
	Managed bool
}

// namePage asks for the name that others see (W-03). Who came by a provider has a
// session already, and is not asked for a name that the organization manages (W-05);
// who has set a password has a link.
func (d *Door) namePage(v *visit) error {
	person, err := v.naming()
	if err != nil || person == nil {
		return err
	}
	if v.as != nil && person.NameManaged {
		v.redirect("/activate/done")
		return nil
	}
	v.nameForm(http.StatusOK, person, person.Called)
	return nil
}

// naming finds who is about to enter a name; nil when the answer is given.
func (v *visit) naming() (*resources.Person, error) {
	if v.cookie(linkCookie) != "" {
		a, err := v.arrival(resources.PurposeActivate)
		switch {
		case err == nil && a == nil:
			return nil, nil
		case err == nil && !a.Done && !a.Password:
			v.redirect("/activate")
			return nil, nil
		case err == nil && !a.Done:
			return &a.Person, nil
		case err != nil && !resources.HasCode(err, resources.CodeActivationExpired):
			return nil, err
		}
	}
	s, err := v.session()
	if err != nil {
		return nil, err
	}
	return &s.Person, nil
}

func (v *visit) nameForm(status int, person *resources.Person, name string, faults ...fault) {
	p := v.page("name.title")
	if v.as == nil { // by password
		p.Step = stepName
	}
	p.Faults, p.Data = faults, nameView{Name: name, Managed: person.NameManaged}
	v.render(status, "name", p)
}

// enterName ends an activation (BR-106, BR-107).
func (d *Door) enterName(v *visit) error {
	person, err := v.naming()
	if err != nil || person == nil {
		return err
	}
	name := v.field("name")
	if person.NameManaged {
		name = person.Called
	}
	if err = v.arrive(person, name); resources.HasCode(err, resources.CodeNameInvalid) {
		v.nameForm(verdicts[resources.CodeNameInvalid].status, person, name, fault{"name", v.say("name.invalid")})
		return nil
	}
	if err != nil {
		return err
	}
	v.dropCookie(linkCookie)
	v.redirect("/activate/done")
	return nil
}

// arrive takes the name: of who is signed in already as a new name, of who
// follows a link as the end of the activation.
func (v *visit) arrive(person *resources.Person, name string) error {
	ctx := v.ctx
	if v.as != nil {
		if person.NameManaged || name == person.DisplayName {
			return nil
		}
		return v.d.directory.Rename(ctx, v.as, name)
	}
	cookie, p, err := v.d.directory.Arrive(ctx, v.cookie(linkCookie), name, v.who())
	if err != nil {
		return err
	}
	return v.enter(cookie, p)
}

// donePage is where an activation ends (W-04, BR-108).
func (d *Door) donePage(v *visit) error {
	s, err := v.session()
	if err != nil {
		return err
	}
	p := v.page("done.title")
	p.Data = doneView{Person: &s.Person, Links: linksOf(&s.Person.Settings)}
	v.render(http.StatusOK, "done", p)
	return nil
}

// doneView is what the page at the end of an activation shows.
type doneView struct {
	Person *resources.Person
	Links  outwardLinks
}

// outwardLinks are the addresses of an organization that pages offer; those it
// has not set, or that no browser should follow, are "".
type outwardLinks struct{ Download, WebApp, Resources, Voicemail, App string }

func linksOf(s *resources.Settings) outwardLinks {
	web := func(address string) string { return outward(address, "https", "http") }
	return outwardLinks{web(s.DownloadURL), web(s.WebAppURL), web(s.ResourcesURL), web(s.VoicemailURL), web(s.AppURL)}
}
