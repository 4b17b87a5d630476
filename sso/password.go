package sso

import (
	"net/http"
	"strings"

	"github.com/usher-scim/usher/resources"
)

// passwordView is what the page for a new password shows.
type passwordView struct {
	Action  string
	Button  string
	Address string
	Old     bool   // the current password is asked for
	Label   string // of the new one
	List    []criterionView
	Left    string // how many criteria are left, by number, for who listens to the page
	Min     int
	Personal
}

// Personal is what must not stand in the password; the page's script looks for it
// as the server does (BR-105).
type Personal struct{ Names, Parts string }

// criterionView is a line of the checklist.
type criterionView struct {
	ID     resources.Criterion
	Text   string
	Failed bool // at the last attempt
	Judged bool // by the server alone: the script leaves the line as it is
}

// longestPassword is the most characters of a password (BR-104).
const longestPassword = 256

// criteriaTexts are the keys of each criterion's texts: in the list, and as a
// fault.
var criteriaTexts = []struct {
	id         resources.Criterion
	text, fail string
}{
	{resources.CriterionLength, "criterion.length", "criterion.length.fault"},
	{resources.CriterionLower, "criterion.lower", "criterion.lower.fault"},
	{resources.CriterionUpper, "criterion.upper", "criterion.upper.fault"},
	{resources.CriterionDigit, "criterion.digit", "criterion.digit.fault"},
	{resources.CriterionSpecial, "criterion.special", "criterion.special.fault"},
	{resources.CriterionName, "criterion.name", "criterion.name.fault"},
	{resources.CriterionAddress, "criterion.address", "criterion.address.fault"},
	{resources.CriterionCommon, "criterion.common", "criterion.common.fault"},
}

// passwordForm begins the page for a new password of a person.
func (v *visit) passwordForm(person *resources.Person, action string) passwordView {
	f := passwordView{
		Action: action, Button: v.say("password.button.reset"), Label: v.say("password.label.new"), Address: person.Email, Min: max(8, person.Settings.PasswordLength),
		Personal: Personal{
			Names: strings.Join([]string{person.GivenName, person.FamilyName, person.DisplayName}, "\n"),
			Parts: person.Email,
		},
	}
	for _, c := range criteriaTexts {
		if c.id == resources.CriterionCommon && !person.Settings.PasswordBlocklist {
			continue
		}
		f.List = append(f.List, criterionView{ID: c.id, Text: v.say(c.text, "Min", f.Min, "Max", longestPassword), Judged: c.id == resources.CriterionCommon})
	}
	f.Left = v.counts(len(f.List))
	return f
}

// counts says how many criteria are left, a line for each number from one on.
func (v *visit) counts(most int) string {
	lines := make([]string, 0, most)
	for n := 1; n <= most; n++ {
		line, err := v.texts.Count("password.left", n)
		if err != nil {
			v.d.log.ErrorContext(v.ctx, "a text is missing", "key", "password.left", "err", err)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// failing marks what a password did not meet, all at once (BR-104).
func (v *visit) failing(p *page, f passwordView, failed []resources.Criterion) passwordView {
	for i := range f.List {
		for _, c := range failed {
			f.List[i].Failed = f.List[i].Failed || f.List[i].ID == c
		}
	}
	for _, c := range criteriaTexts {
		for _, id := range failed {
			if c.id == id {
				p.Faults = append(p.Faults, fault{"password", v.say(c.fail, "Min", f.Min, "Max", longestPassword)})
			}
		}
	}
	return f
}

// createPasswordPage is W-02. It comes after the button of the link.
func (d *Door) createPasswordPage(v *visit) error {
	a, err := v.choosing(resources.PurposeActivate)
	if err != nil || a == nil {
		return err
	}
	v.createForm(http.StatusOK, a, nil)
	return nil
}

// choosing finds who is about to set a password by a link; nil when the answer is
// given.
func (v *visit) choosing(purpose resources.Purpose) (*resources.Arrival, error) {
	a, err := v.arrival(purpose)
	switch {
	case err != nil || a == nil:
		return nil, err
	case purpose == resources.PurposeActivate && (a.Done || !a.Proven):
		v.redirect("/activate")
		return nil, nil
	case a.Way.Forced: // BR-115
		v.leave(startPath(a.Way, "/activate/name"), "leave.provider")
		return nil, nil
	}
	return a, nil
}

// createForm shows the form of an activation or a reset, with what is wrong.
func (v *visit) createForm(status int, a *resources.Arrival, failed []resources.Criterion, faults ...fault) {
	p, f := v.page("password.title.reset"), v.passwordForm(&a.Person, "/reset")
	if a.Purpose == resources.PurposeActivate {
		p, f = v.page("password.title"), v.passwordForm(&a.Person, "/activate/password")
		p.Step, f.Button, f.Label = stepPassword, v.say("password.button"), v.say("password.label")
	}
	p.Faults = faults
	p.Data = v.failing(p, f, failed)
	v.render(status, "password", p)
}

// createPassword sets the password of who activates an account.
func (d *Door) createPassword(v *visit) error {
	return v.setPassword(resources.PurposeActivate, "/activate/name")
}

// setPassword sets the password by a link and goes on; what it does not meet is
// shown.
func (v *visit) setPassword(purpose resources.Purpose, next string) error {
	a, err := v.choosing(purpose)
	if err != nil || a == nil {
		return err
	}
	password := v.form.Get("password")
	if password == "" {
		v.createForm(http.StatusUnprocessableEntity, a, nil, fault{"password", v.say("password.needed")})
		return nil
	}
	_, err = v.d.directory.SetPassword(v.ctx, v.cookie(linkCookie), password)
	if resources.HasCode(err, resources.CodePasswordPolicy) {
		v.createForm(verdicts[resources.CodePasswordPolicy].status, a, resources.PasswordFaults(err))
		return nil
	}
	if err != nil {
		return err
	}
	if purpose == resources.PurposeReset {
		v.dropCookie(linkCookie)
	}
	v.redirect(next)
	return nil
}

// resetPage asks for a new password by the link of a mail.
func (d *Door) resetPage(v *visit) error {
	if v.takeToken() {
		return nil
	}
	a, err := v.choosing(resources.PurposeReset)
	if err != nil || a == nil {
		return err
	}
	v.createForm(http.StatusOK, a, nil)
	return nil
}

// reset sets a new password. Who has it signs in with it.
func (d *Door) reset(v *visit) error {
	return v.setPassword(resources.PurposeReset, "/signin?note=reset")
}

// forgotPage asks for the address of who forgot the password.
func (d *Door) forgotPage(v *visit) error {
	v.render(http.StatusOK, "forgot", v.page("forgot.title"))
	return nil
}

// forgot sends a link to set a new password. The answer is the same for every
// address.
func (d *Door) forgot(v *visit) error {
	address := v.field("address")
	if !looksLikeAddress(address) {
		p := v.page("forgot.title")
		p.Faults, p.Data = []fault{{"address", v.say("address.needed")}}, address
		v.render(http.StatusUnprocessableEntity, "forgot", p)
		return nil
	}
	if err := d.directory.ForgotPassword(v.ctx, address, v.who()); err != nil {
		return err
	}
	v.sent(false)
	return nil
}

// verifyPage asks to confirm a changed address (BR-005).
func (d *Door) verifyPage(v *visit) error {
	if v.takeToken() {
		return nil
	}
	a, err := v.arrival(resources.PurposeVerify)
	if err != nil || a == nil {
		return err
	}
	p := v.page("verify.title")
	p.Data = verifyView{Address: a.Person.Email}
	v.render(http.StatusOK, "verify", p)
	return nil
}

// verifyView is what the page for a changed address shows.
type verifyView struct {
	Address string
	Done    bool
}

// verifyAddress confirms a changed address.
func (d *Door) verifyAddress(v *visit) error {
	a, err := v.arrival(resources.PurposeVerify)
	if err != nil || a == nil {
		return err
	}
	if a, err = d.directory.ConfirmLink(v.ctx, v.cookie(linkCookie)); err != nil {
		return err
	}
	v.dropCookie(linkCookie)
	p := v.page("verify.done.title")
	p.Data = verifyView{Address: a.Person.Email, Done: true}
	v.render(http.StatusOK, "verify", p)
	return nil
}
