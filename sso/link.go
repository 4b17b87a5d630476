package sso

import (
	"net/http"
	"strings"

	"github.com/usher-scim/usher/resources"
)

// tokenLimit bounds the text of a link's token; those of usher are shorter.
const tokenLimit = 128

// takeToken moves the token of a link from the address into a cookie and opens the
// page again without it (security I2). It looks at nothing and changes nothing:
// mail scanners open links.
func (v *visit) takeToken() bool {
	q := v.r.URL.Query()
	if !q.Has("t") {
		return false
	}
	// What cannot be a token leads to the same answer as a token that does not work.
	token := "-"
	if t := q.Get("t"); isToken(t) {
		token = t
	}
	v.setCookie(linkCookie, token, linkKept)
	v.redirect(v.r.URL.Path)
	return true
}

// isToken reports whether a text could be the token of a link: lower-case base32.
func isToken(s string) bool {
	return s != "" && len(s) <= tokenLimit && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// homes are the pages of what links are for.
var homes = map[resources.Purpose]string{
	resources.PurposeActivate: "/activate",
	resources.PurposeVerify:   "/verify",
	resources.PurposeReset:    "/reset",
}

// arrival looks at the link that was followed. A link for something else leads to
// its own page: then the answer is given, and nil comes back. Code:
// activation_expired.
func (v *visit) arrival(want resources.Purpose) (*resources.Arrival, error) {
	token := v.cookie(linkCookie)
	if token == "" {
		return nil, &resources.Error{Code: resources.CodeActivationExpired}
	}
	a, err := v.d.directory.OpenLink(v.ctx, token)
	if err != nil {
		return nil, err
	}
	v.meet(&a.Person)
	if a.Purpose != want {
		v.redirect(homes[a.Purpose])
		return nil, nil
	}
	return a, nil
}

// expired answers for links that do not work, whatever is wrong with them
// (security I4, W-12).
func (v *visit) expired() {
	v.person = nil // the answer is the same for everybody
	p := v.page("expired.title")
	p.Data = expiredView{HasLink: v.cookie(linkCookie) != ""}
	v.render(verdicts[resources.CodeActivationExpired].status, "expired", p)
}

// expiredView is what the page of an expired link shows.
type expiredView struct{ HasLink bool }

// expiredPage is the same page for who comes without a link, with a field for the
// address.
func (d *Door) expiredPage(v *visit) error {
	p := v.page("expired.title")
	v.render(http.StatusOK, "again", p)
	return nil
}

// sendAgain sends a new message to who follows an expired link, or types an
// address (BR-111). The answer is the same whoever it is.
func (d *Door) sendAgain(v *visit) error {
	token, address := v.cookie(linkCookie), v.field("address")
	if v.form.Has("address") && !looksLikeAddress(address) {
		p := v.page("expired.title")
		p.Faults = []fault{{"address", v.say("address.needed")}}
		p.Data = address
		v.render(http.StatusUnprocessableEntity, "again", p)
		return nil
	}
	if v.form.Has("address") {
		token = ""
	}
	if err := d.directory.SendAgain(v.ctx, token, address, v.who()); err != nil {
		return err
	}
	v.sent(true)
	return nil
}

// sent says that a message is on its way if there is somebody to get it.
func (v *visit) sent(code bool) {
	v.person = nil
	p := v.page("sent.title")
	p.Data = code
	v.render(http.StatusOK, "sent", p)
}

// looksLikeAddress finds what is certainly not an address. Whether it is one, and
// whose, is for the Directory.
func looksLikeAddress(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	return ok && local != "" && domain != "" && len(s) <= 320 && !strings.ContainsAny(s, " \t\r\n")
}
