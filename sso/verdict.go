package sso

import (
	"context"
	"errors"
	"net/http"

	"github.com/usher-scim/usher/resources"
)

// verdict is how a refusal is answered: a status, and the texts of a page.
type verdict struct {
	status int
	title  string // key
	text   string // key
}

// broken is the answer to what usher did not foresee.
var broken = verdict{http.StatusInternalServerError, "refused.broken.title", "refused.broken"}

// verdicts is the one place where a code of the domain becomes a status and a
// page. Codes that pages answer themselves, because what was typed stays, are in
// it as well: they have the same status there.
var verdicts = map[resources.Code]verdict{
	resources.CodeNotFound:    {http.StatusNotFound, "refused.notfound.title", "refused.notfound"},
	resources.CodeForbidden:   {http.StatusForbidden, "refused.forbidden.title", "refused.forbidden"},
	resources.CodeRateLimited: {http.StatusTooManyRequests, "refused.many.title", "refused.many"},
	resources.CodeUnavailable: {http.StatusServiceUnavailable, "refused.busy.title", "refused.busy"},

	resources.CodeOrgSuspended:  {http.StatusForbidden, "refused.title", "refused.sso"},
	resources.CodeSSONoUser:     {http.StatusForbidden, "refused.title", "refused.sso"},
	resources.CodeSSOUnverified: {http.StatusForbidden, "refused.title", "refused.sso"},
	resources.CodeSSOConflict:   {http.StatusForbidden, "refused.title", "refused.sso"},
	resources.CodeSSOFailed:     {http.StatusBadRequest, "refused.failed.title", "refused.failed"},
	resources.CodeSSORequired:   {http.StatusForbidden, "refused.title", "refused.required"},
	resources.CodeUserInactive:  {http.StatusForbidden, "refused.title", "refused.inactive"},

	resources.CodeActivationExpired: {http.StatusGone, "expired.title", "expired.lead"},
	resources.CodeWrongCode:         {http.StatusBadRequest, "refused.bad.title", "code.wrong"},
	resources.CodeCodeLocked:        {http.StatusTooManyRequests, "refused.many.title", "code.locked"},
	resources.CodePasswordPolicy:    {http.StatusUnprocessableEntity, "refused.bad.title", "refused.bad"},
	resources.CodeSignInFailed:      {http.StatusForbidden, "refused.title", "signin.failed"},
	resources.CodeNameInvalid:       {http.StatusUnprocessableEntity, "refused.bad.title", "name.invalid"},
	resources.CodeManagedByIDP:      {http.StatusConflict, "refused.forbidden.title", "name.managed"},
	resources.CodeRequestClosed:     {http.StatusConflict, "signin.title", "signin.note.active"},
	resources.CodeInvalidValue:      {http.StatusUnprocessableEntity, "refused.bad.title", "refused.bad"},
	resources.CodeEmailInvalid:      {http.StatusUnprocessableEntity, "refused.bad.title", "address.needed"},
}

// verdictOf says how an error is answered.
func verdictOf(err error) verdict {
	if e, ok := errors.AsType[*resources.Error](err); ok {
		if v, ok := verdicts[e.Code]; ok {
			return v
		}
		return broken
	}
	switch {
	case errors.Is(err, errUnread):
		return verdict{http.StatusBadRequest, "refused.bad.title", "refused.bad"}
	case errors.Is(err, resources.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return verdicts[resources.CodeUnavailable]
	}
	return broken
}

// fail answers with what an error means. A person who is not signed in any more is
// sent to sign in; a link that does not work is answered by the page for that,
// one that has done its work by the page for signing in.
func (v *visit) fail(err error) {
	switch {
	case resources.HasCode(err, resources.CodeUnauthenticated):
		v.signInFirst()
		return
	case resources.HasCode(err, resources.CodeActivationExpired):
		v.expired()
		return
	case resources.HasCode(err, resources.CodeRequestClosed): // BR-110
		v.dropCookie(linkCookie)
		v.redirect("/signin?note=active")
		return
	}
	answer := verdictOf(err)
	if answer.status >= http.StatusInternalServerError {
		v.d.log.ErrorContext(v.ctx, "a page failed", "request", v.requestID(), "path", v.r.URL.Path, "err", err)
	}
	switch answer.status {
	case http.StatusTooManyRequests:
		v.slowDown()
	case http.StatusServiceUnavailable:
		v.w.Header().Set("Retry-After", "2")
	}
	p := v.page(answer.title)
	p.Data = refusal{Text: v.say(answer.text), Request: v.requestID(), SignIn: answer.status == http.StatusForbidden || answer.status == http.StatusBadRequest}
	v.render(answer.status, "refused", p)
}

// slowDown says when to try again, in seconds, and gives the status that goes with
// it.
func (v *visit) slowDown() int {
	v.w.Header().Set("Retry-After", "60")
	return http.StatusTooManyRequests
}

// refusal is what the page of a refusal shows.
type refusal struct {
	Text    string
	Request string // id, for the administrator who looks it up
	SignIn  bool   // signing in again may help
}

// requestID is the id that the front gave the request.
func (v *visit) requestID() string { return clip(v.r.Header.Get("X-Request-Id"), 64) }
