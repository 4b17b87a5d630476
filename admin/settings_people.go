package admin

import (
	"cmp"
	"strings"

	"github.com/usher-scim/usher/resources"
)

// PeopleSettings are the settings of activation, mails and sign-in, part of
// Settings. What is on by default is so under its own name, whatever it is stored
// as.
type PeopleSettings struct {
	AutomaticActivationEmails bool   `json:"automaticActivationEmails" example:"true" doc:"Whether users with a paid licence get their activation e-mail by itself, and reminders (BR-080). Turning it off needs confirm=true; turning it on again sends nothing."`
	Reminders                 string `json:"reminders" example:"3,7" doc:"Days after the activation e-mail on which who did not come is reminded (BR-090), or off."`
	SelfServiceResend         bool   `json:"selfServiceResend" example:"true" doc:"Whether people can ask for a new link themselves (BR-111)."`
	ExportActivationLinks     bool   `json:"exportActivationLinks" doc:"Whether administrators can get the links to hand them out (BR-088)."`
	ActivationCodes           bool   `json:"activationCodes" example:"true" doc:"Whether mails have a code beside the link (BR-102)."`
	LicenceEmails             bool   `json:"licenceEmails" example:"true" doc:"Whether people are told when they lose licences (E-15)."`
	DigestEmails              bool   `json:"digestEmails" example:"true" doc:"Whether administrators get a digest (E-16)."`

	LocalPasswords     bool `json:"localPasswords" example:"true" doc:"Whether people can have a password here; without, everybody signs in at the identity provider."`
	PasswordLength     int  `json:"passwordLength" example:"8" doc:"Characters that a password has at least, 8 to 64 (BR-104)."`
	PasswordBlocklist  bool `json:"passwordBlocklist" doc:"Whether common passwords are refused."`
	SessionIdleMinutes int  `json:"sessionIdleMinutes" example:"30" doc:"A session ends when it was not used for so long, 5 to 1440 minutes."`
	SessionHours       int  `json:"sessionHours" example:"12" doc:"A session ends after so long in any case, 1 to 720 hours."`

	AppURL       string   `json:"appUrl,omitempty" example:"https://app.example.com/" doc:"Where people go after they signed in. They may be sent to any address of its origin."`
	ReturnURLs   []string `json:"returnUrls,omitempty" nullable:"false" doc:"Beginnings of more addresses they may be sent to: an origin, and perhaps the first parts of a path."`
	HandOff      bool     `json:"handOff" doc:"Whether a signed statement of who it is goes with them."`
	DownloadURL  string   `json:"downloadUrl,omitempty" doc:"Of the app (BR-108)."`
	WebAppURL    string   `json:"webAppUrl,omitempty" doc:"BR-108."`
	ResourcesURL string   `json:"resourcesUrl,omitempty" doc:"Help for people (BR-100)."`
	VoicemailURL string   `json:"voicemailUrl,omitempty" doc:"BR-100."`
	SupportURL   string   `json:"supportUrl,omitempty" example:"mailto:help@example.com" doc:"Contact for people: https: or mailto:."`
}

// PeopleSettingsChange is what of a merge patch of settings is about activation,
// mails and sign-in.
type PeopleSettingsChange struct {
	AutomaticActivationEmails Patch[bool]     `json:"automaticActivationEmails,omitzero"`
	Reminders                 Patch[string]   `json:"reminders,omitzero" maxLength:"60" example:"2,5,9"`
	SelfServiceResend         Patch[bool]     `json:"selfServiceResend,omitzero"`
	ExportActivationLinks     Patch[bool]     `json:"exportActivationLinks,omitzero"`
	ActivationCodes           Patch[bool]     `json:"activationCodes,omitzero"`
	LicenceEmails             Patch[bool]     `json:"licenceEmails,omitzero"`
	DigestEmails              Patch[bool]     `json:"digestEmails,omitzero"`
	LocalPasswords            Patch[bool]     `json:"localPasswords,omitzero"`
	PasswordLength            Patch[int]      `json:"passwordLength,omitzero" example:"15"`
	PasswordBlocklist         Patch[bool]     `json:"passwordBlocklist,omitzero"`
	SessionIdleMinutes        Patch[int]      `json:"sessionIdleMinutes,omitzero"`
	SessionHours              Patch[int]      `json:"sessionHours,omitzero"`
	AppURL                    Patch[string]   `json:"appUrl,omitzero" maxLength:"500" example:"https://app.example.com/"`
	ReturnURLs                Patch[[]string] `json:"returnUrls,omitzero"`
	HandOff                   Patch[bool]     `json:"handOff,omitzero"`
	DownloadURL               Patch[string]   `json:"downloadUrl,omitzero" maxLength:"500"`
	WebAppURL                 Patch[string]   `json:"webAppUrl,omitzero" maxLength:"500"`
	ResourcesURL              Patch[string]   `json:"resourcesUrl,omitzero" maxLength:"500"`
	VoicemailURL              Patch[string]   `json:"voicemailUrl,omitzero" maxLength:"500"`
	SupportURL                Patch[string]   `json:"supportUrl,omitzero" maxLength:"500"`
}

func wirePeople(s *resources.Settings) PeopleSettings {
	return PeopleSettings{
		AutomaticActivationEmails: !s.ManualMails, Reminders: cmp.Or(s.Reminders, "3,7"), SelfServiceResend: !s.NoSelfResend,
		ExportActivationLinks: s.ExportLinks, ActivationCodes: !s.HideCode, LicenceEmails: !s.NoLicenceMails, DigestEmails: !s.NoDigest,
		LocalPasswords: !s.PasswordsOff, PasswordLength: cmp.Or(s.PasswordLength, 8), PasswordBlocklist: s.PasswordBlocklist,
		SessionIdleMinutes: cmp.Or(s.SessionIdle, 30), SessionHours: cmp.Or(s.SessionHours, 12),
		AppURL: s.AppURL, ReturnURLs: strings.Fields(s.ReturnURLs), HandOff: s.HandOff, DownloadURL: s.DownloadURL, WebAppURL: s.WebAppURL,
		ResourcesURL: s.ResourcesURL, VoicemailURL: s.VoicemailURL, SupportURL: s.SupportURL,
	}
}

func (ch *PeopleSettingsChange) apply(s *resources.Settings) {
	applyOff(&ch.AutomaticActivationEmails, &s.ManualMails)
	ch.Reminders.apply(&s.Reminders)
	applyOff(&ch.SelfServiceResend, &s.NoSelfResend)
	ch.ExportActivationLinks.apply(&s.ExportLinks)
	applyOff(&ch.ActivationCodes, &s.HideCode)
	applyOff(&ch.LicenceEmails, &s.NoLicenceMails)
	applyOff(&ch.DigestEmails, &s.NoDigest)
	applyOff(&ch.LocalPasswords, &s.PasswordsOff)
	ch.PasswordLength.apply(&s.PasswordLength)
	ch.PasswordBlocklist.apply(&s.PasswordBlocklist)
	ch.SessionIdleMinutes.apply(&s.SessionIdle)
	ch.SessionHours.apply(&s.SessionHours)
	ch.AppURL.apply(&s.AppURL)
	if list := ch.ReturnURLs.pointer(); list != nil {
		s.ReturnURLs = strings.Join(*list, " ") // none has a space, see checkList
	}
	ch.HandOff.apply(&s.HandOff)
	ch.DownloadURL.apply(&s.DownloadURL)
	ch.WebAppURL.apply(&s.WebAppURL)
	ch.ResourcesURL.apply(&s.ResourcesURL)
	ch.VoicemailURL.apply(&s.VoicemailURL)
	ch.SupportURL.apply(&s.SupportURL)
}

// checkList refuses addresses that would not stay one in the list they are kept in.
func (ch *PeopleSettingsChange) checkList() error {
	for _, text := range ch.ReturnURLs.value {
		if len(strings.Fields(text)) != 1 {
			return &resources.Error{Code: resources.CodeInvalidValue, Field: "returnUrls", Detail: "An address is empty or has spaces; percent-encode them, or leave it out."}
		}
	}
	return nil
}

// applyOff changes a switch that is stored as what turns it off; null makes it on,
// which it is by default.
func applyOff(p *Patch[bool], off *bool) {
	if p.set {
		*off = !p.null && !p.value
	}
}
