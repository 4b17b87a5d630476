package resources_test

import (
	"strings"
	"testing"

	"github.com/usher-scim/usher/resources"
)

// TestPeopleSettings: what can be set of activation, mails and sign-in.
func TestPeopleSettings(t *testing.T) {
	b := newBundle(t, "")
	op := b.operated(t, "acme")
	op.Confirmed = true
	for _, want := range []resources.Settings{
		{
			ManualMails: true, Reminders: "1,2,3,4,5,6,7,8,9,60", NoSelfResend: true, ExportLinks: true, HideCode: true, NoLicenceMails: true, NoDigest: true,
			PasswordsOff: true, PasswordLength: 64, PasswordBlocklist: true, SessionIdle: 1440, SessionHours: 720, AppURL: "https://app.acme.example/start?x=1#y",
			ReturnURLs: "https://a.acme.example https://b.acme.example/x/", HandOff: true, DownloadURL: "http://localhost:1/x", WebAppURL: "https://xn--bcher-kva.example/",
			ResourcesURL: "https://acme.example/a%20b", VoicemailURL: "https://acme.example:8443/v", SupportURL: "mailto:help@acme.example",
		},
		{Reminders: "off", PasswordLength: 8, SessionIdle: 5, SessionHours: 1, SupportURL: "https://acme.example/help"},
		{Reminders: "60"},
		{},
	} {
		got, _, err := b.ChangeSettings(t.Context(), op, func(cur *resources.Settings, _ uint64) error { *cur = want; return nil })
		if err != nil || got != want {
			t.Errorf("%+v: %+v, %v", want, got, err)
		}
	}
}

// TestPeopleSettingsRefusals: each that cannot be, by its name.
func TestPeopleSettingsRefusals(t *testing.T) {
	b := newBundle(t, "")
	op := b.operated(t, "acme")
	for _, tt := range []struct {
		field string
		s     resources.Settings
	}{
		{"reminders", resources.Settings{Reminders: "7,3"}},
		{"reminders", resources.Settings{Reminders: "3,3"}},
		{"reminders", resources.Settings{Reminders: "0"}},
		{"reminders", resources.Settings{Reminders: "61"}},
		{"reminders", resources.Settings{Reminders: "-1"}},
		{"reminders", resources.Settings{Reminders: "3,"}},
		{"reminders", resources.Settings{Reminders: "never"}},
		{"reminders", resources.Settings{Reminders: "1,2,3,4,5,6,7,8,9,10,11"}},
		{"reminders", resources.Settings{Reminders: strings.Repeat("3,", 100_000)}},
		{"passwordLength", resources.Settings{PasswordLength: 7}},
		{"passwordLength", resources.Settings{PasswordLength: 65}},
		{"passwordLength", resources.Settings{PasswordLength: -1}},
		{"sessionIdleMinutes", resources.Settings{SessionIdle: 4}},
		{"sessionIdleMinutes", resources.Settings{SessionIdle: 1441}},
		{"sessionIdleMinutes", resources.Settings{SessionIdle: 90, SessionHours: 1}},
		{"sessionHours", resources.Settings{SessionHours: 721}},
		{"sessionHours", resources.Settings{SessionHours: -1}},
		{"appUrl", resources.Settings{AppURL: "http://app.acme.example"}},
		{"appUrl", resources.Settings{AppURL: "app.acme.example"}},
		{"appUrl", resources.Settings{AppURL: "javascript:alert(1)"}},
		{"appUrl", resources.Settings{AppURL: "https://ida:x@acme.example/"}},
		{"appUrl", resources.Settings{AppURL: "https://acme.example/" + strings.Repeat("x", 500)}},
		{"downloadUrl", resources.Settings{DownloadURL: "https://acme.example/a b"}},
		{"webAppUrl", resources.Settings{WebAppURL: "https://bücher.example"}},
		{"resourcesUrl", resources.Settings{ResourcesURL: "//acme.example"}},
		{"voicemailUrl", resources.Settings{VoicemailURL: "https://acme.example/../x"}},
		{"supportUrl", resources.Settings{SupportURL: "mailto:a@b.example,c@d.example"}},
		{"supportUrl", resources.Settings{SupportURL: "mailto:a@b.example?cc=x@y.example"}},
		{"supportUrl", resources.Settings{SupportURL: "mailto:"}},
		{"supportUrl", resources.Settings{SupportURL: "tel:+331"}},
		{"appUrl", resources.Settings{AppURL: "mailto:a@b.example"}},
		{"returnUrls", resources.Settings{ReturnURLs: "https://acme.example/?x"}},
		{"returnUrls", resources.Settings{ReturnURLs: "https://acme.example/?"}},
		{"returnUrls", resources.Settings{ReturnURLs: "https://acme.example/#"}},
		{"returnUrls", resources.Settings{ReturnURLs: "https://a.example http://b.example"}},
		{"returnUrls", resources.Settings{ReturnURLs: "https://*.acme.example"}},
		{"returnUrls", resources.Settings{ReturnURLs: strings.Repeat("https://a.example ", 21)}},
		{"handOff", resources.Settings{HandOff: true}},
	} {
		_, _, err := b.ChangeSettings(t.Context(), op, func(cur *resources.Settings, _ uint64) error { *cur = tt.s; return nil })
		fails(t, err, resources.CodeInvalidValue, tt.field)
	}
}

// TestAutomaticMailsWarning: turning automatic mails off needs a confirmation,
// turning them on again none, and nothing else does (BR-086, BR-087).
func TestAutomaticMailsWarning(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		op := b.operated(t, "acme")
		set := func(c resources.Caller, change func(*resources.Settings)) error {
			_, _, err := b.ChangeSettings(t.Context(), c, func(s *resources.Settings, _ uint64) error { change(s); return nil })
			return err
		}
		off := func(s *resources.Settings) { s.ManualMails = true }
		err := set(op, off)
		fails(t, err, resources.CodeConfirmation, "confirm")
		if !strings.Contains(err.Error(), "well-thought-out") || !strings.Contains(err.Error(), "verification links") {
			t.Errorf("no strong warning: %v", err)
		}
		if s, _, err := b.Settings(t.Context(), op); err != nil || s.ManualMails {
			t.Errorf("%+v, %v", s, err)
		}
		sure := op
		sure.Confirmed = true
		for _, err := range []error{
			set(sure, off), set(op, off),
			set(op, func(s *resources.Settings) { s.Language = "fr" }),
			set(op, func(s *resources.Settings) { s.ManualMails = false }),
		} {
			if err != nil {
				t.Error(err)
			}
		}
	})
}
