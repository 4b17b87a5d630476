package sso

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/sso/oidc"
)

// trialCookie names the test sign-in that a browser is on; what it is of, the
// Directory knows.
const trialCookie = "__Host-usher-trial"

// chooseView is what the page of an organization's ways to sign in shows.
type chooseView struct {
	Ways     []wayView
	Password string // address of the page for it, or ""
}

// wayView is one connection.
type wayView struct{ Label, Start string }

// choosePage lists the ways to sign in to an organization.
func (d *Door) choosePage(v *visit) error {
	o, err := d.directory.DoorOrg(v.ctx, v.r.PathValue("org"))
	if err != nil {
		return err
	}
	v.at(o.Settings.Language)
	back := clip(v.r.URL.Query().Get("return"), maxReturn)
	view := chooseView{}
	for _, cn := range o.Connections {
		label := cn.Label
		if label == "" {
			label = cn.Name
		}
		view.Ways = append(view.Ways, wayView{label, startPath(resources.Way{Slug: o.Slug, Connection: cn.Name}, back)})
	}
	if !o.Settings.PasswordsOff || len(view.Ways) == 0 {
		view.Password = signInPath(back, true)
	}
	p := v.page("choose.title", "Org", o.Name)
	p.tell(o.Name, &o.Settings)
	p.Data = view
	v.render(http.StatusOK, "choose", p)
	return nil
}

// start sends the browser to the provider of a connection.
func (d *Door) start(v *visit) error {
	ctx, slug := v.ctx, v.r.PathValue("org")
	org, cn, err := d.directory.DoorConnection(ctx, slug, v.r.PathValue("connection"))
	if err != nil {
		return err
	}
	return v.begin(org, slug, cn, oidc.Flow{Return: clip(v.r.URL.Query().Get("return"), maxReturn), Hint: v.hint(slug)})
}

// hint is the address of who follows a link of an organization, so that it need not
// be typed at the provider. Other organizations' providers are not told: any page
// can lead a browser to them.
func (v *visit) hint(slug string) string {
	token := v.cookie(linkCookie)
	if token == "" {
		return ""
	}
	a, err := v.d.directory.OpenLink(v.ctx, token)
	if err != nil || a.Person.Slug != slug {
		return "" // without it the provider asks
	}
	return a.Person.Email
}

// begin begins a flow. What keeps it from beginning is noted for administrators.
func (v *visit) begin(org resources.OrgID, slug string, cn *resources.Connection, f oidc.Flow) error {
	f.Language, f.Cookie = v.texts.Lang(), v.cookie(oidc.CookieName)
	to, cookie, err := v.d.party.Start(v.ctx, org, slug, cn, f)
	if err != nil {
		v.note(org, cn, err)
		return err
	}
	http.SetCookie(v.w, oidc.Cookie(cookie))
	v.redirect(to)
	return nil
}

// test begins a test sign-in that an administrator has prepared.
func (d *Door) test(v *visit) error {
	slug, id := v.r.PathValue("org"), v.r.URL.Query().Get("t")
	org, cn, err := d.directory.DoorTrial(v.ctx, slug, id)
	if err != nil {
		return err
	}
	if cn.Name != v.r.PathValue("connection") {
		return &resources.Error{Code: resources.CodeNotFound}
	}
	v.setCookie(trialCookie, id, trialKept)
	err = v.begin(org, slug, cn, oidc.Flow{Test: true, By: id})
	if fault, ok := errors.AsType[*oidc.Fault](err); ok {
		return v.endTrial(org, cn, id, []oidc.Check{{Name: fault.Check, Detail: fault.Reason}}, nil)
	}
	return err
}

// callback takes the answer that a browser brings from the provider.
func (d *Door) callback(v *visit) error {
	if v.r.Method == http.MethodHead {
		return errUnread // a look would use the answer up
	}
	slug := v.r.PathValue("org")
	org, cn, err := v.called(slug)
	if err != nil {
		return err
	}
	a, flow, checks, err := d.party.Finish(v.ctx, org, slug, cn, v.r.URL.Query(), v.cookie(oidc.CookieName))
	if flow.Test {
		if _, fault := errors.AsType[*oidc.Fault](err); err != nil && !fault {
			return err
		}
		return v.endTrial(org, cn, flow.By, checks, a)
	}
	if err != nil {
		v.note(org, cn, err)
		return err
	}
	if cn.Off {
		return &resources.Error{Code: resources.CodeNotFound}
	}
	cookie, person, err := d.directory.SignIn(v.ctx, org, *a, v.who())
	if err != nil {
		return err
	}
	if err := v.enter(cookie, person); err != nil {
		return err
	}
	return v.welcome(person, flow.Return)
}

// called finds the connection of a callback. One that is off answers tests only.
func (v *visit) called(slug string) (resources.OrgID, *resources.Connection, error) {
	ctx, name := v.ctx, v.r.PathValue("connection")
	org, cn, err := v.d.directory.DoorConnection(ctx, slug, name)
	trial := v.cookie(trialCookie)
	if !resources.HasCode(err, resources.CodeNotFound) || trial == "" {
		return org, cn, err
	}
	org, cn, err = v.d.directory.DoorTrial(ctx, slug, trial)
	if err == nil && cn.Name != name {
		err = &resources.Error{Code: resources.CodeNotFound}
	}
	return org, cn, err
}

// testView is what a test sign-in ends in.
type testView struct {
	Good    bool
	Checks  []resources.Check
	Outcome string // what a sign-in would have led to
}

// endTrial keeps what became of a test and shows it. Nobody is signed in.
func (v *visit) endTrial(org resources.OrgID, cn *resources.Connection, id string, checks []oidc.Check, a *resources.Assertion) error {
	kept := make([]resources.Check, 0, len(checks))
	for _, c := range checks {
		kept = append(kept, resources.Check{Name: c.Name, Passed: c.OK, Detail: c.Detail})
	}
	t, err := v.d.directory.KeepTrial(v.ctx, org, id, kept, a)
	if err != nil {
		return err
	}
	v.dropCookie(trialCookie)
	p := v.page("test.title", "Name", cn.Name)
	p.Wide, p.Data = true, testView{Good: t.Passed, Checks: t.Checks, Outcome: t.Outcome}
	v.render(http.StatusOK, "test", p)
	return nil
}

// note keeps what was wrong with a provider's answer for administrators; the
// stranger is not told (BR-112).
func (v *visit) note(org resources.OrgID, cn *resources.Connection, err error) {
	fault, ok := errors.AsType[*oidc.Fault](err)
	if !ok {
		return // it says nothing about the provider, and stands in the log
	}
	r := resources.Refused{Connection: cn.ID, Code: resources.CodeSSOFailed, Reason: fault.Check + ": " + fault.Reason, From: v.who().Address}
	if err := v.d.directory.NoteRefused(v.ctx, org, r); err != nil {
		v.d.log.ErrorContext(v.ctx, "a refused sign-in was not noted", "request", v.requestID(), "err", err)
	}
}

// providerLogout ends sessions because the provider says so (OpenID Connect
// Back-Channel Logout 1.0). It is no page: the token in it is what proves it.
func (d *Door) providerLogout(w http.ResponseWriter, r *http.Request) {
	v := &visit{d: d, ctx: r.Context(), w: w, r: r}
	v.read()
	org, cn, err := d.directory.DoorConnection(r.Context(), r.PathValue("org"), r.PathValue("connection"))
	if err != nil {
		v.fail(err)
		return
	}
	end := func(ctx context.Context, l oidc.Logout) (int, error) {
		return d.directory.EndProviderSessions(ctx, org, cn.Issuer, l.Subject, l.SID)
	}
	d.party.ServeLogout(w, r, org, cn, end, func(ctx context.Context, err error) {
		d.log.WarnContext(ctx, "a logout token was refused", "request", v.requestID(), "connection", cn.ID, "err", err)
		v.note(org, cn, err)
	})
}

// connectionKeys shows the public key by which usher proves itself to a provider.
func (d *Door) connectionKeys(v *visit) error {
	_, cn, err := d.directory.DoorConnection(v.ctx, v.r.PathValue("org"), v.r.PathValue("connection"))
	if err != nil {
		return err
	}
	keys := []byte(`{"keys":[]}`)
	if len(cn.Public) > 0 {
		keys = slices.Concat([]byte(`{"keys":[`), cn.Public, []byte(`]}`))
	}
	v.json(keys)
	return nil
}

// handOffKeys shows the key that an organization's hand-offs are signed with.
func (d *Door) handOffKeys(v *visit) error {
	o, err := d.directory.DoorOrg(v.ctx, v.r.PathValue("org"))
	if err != nil {
		return err
	}
	keys, err := d.handOff.JWKS(v.ctx, o.ID)
	if err != nil {
		return err
	}
	v.json(keys)
	return nil
}

// json answers with a key set; it may be kept for a while.
func (v *visit) json(body []byte) {
	v.w.Header().Set("Content-Type", "application/jwk-set+json")
	v.w.Header().Set("Cache-Control", "public, max-age=300")
	if v.r.Method != http.MethodHead {
		_, _ = v.w.Write(body) // an error means that the reader has gone
	}
}
