package resources

import (
	"cmp"
	"strings"
)

// What the settings of activation, mails and sign-in may be.
const (
	maxReturnURLs = 20
	longestURL    = 500
	leastPassword = 8
	mostPassword  = 64
)

// checkPeople refuses settings of activation, mails and sign-in that cannot be.
func (s *Settings) checkPeople() error {
	if _, ok := reminderDays(s.Reminders); !ok {
		return invalidField("reminders", "Reminders are off, or 1 to %d days after the activation mail, each later than the one before and none after day %d, with commas between them: %s for example.", maxReminders, lastReminder, reminderDefault)
	}
	switch {
	case s.PasswordLength != 0 && (s.PasswordLength < leastPassword || s.PasswordLength > mostPassword):
		return invalidField("passwordLength", "Passwords have at least %d to %d characters; 15 is what NIST SP 800-63B advises where nothing else protects an account.", leastPassword, mostPassword)
	case s.SessionIdle != 0 && (s.SessionIdle < 5 || s.SessionIdle > 1440):
		return invalidField("sessionIdleMinutes", "A session ends after 5 to 1440 minutes without use.")
	case s.SessionHours != 0 && (s.SessionHours < 1 || s.SessionHours > 720):
		return invalidField("sessionHours", "A session ends after 1 to 720 hours, used or not.")
	case s.SessionIdle > cmp.Or(s.SessionHours, 12)*60:
		return invalidField("sessionIdleMinutes", "A session ends after %d hours, before it could be unused for %d minutes; shorten the one or lengthen the other.", cmp.Or(s.SessionHours, 12), s.SessionIdle)
	}
	return s.checkURLs()
}

func (s *Settings) checkURLs() error {
	for _, u := range [...]struct{ field, text string }{
		{"appUrl", s.AppURL},
		{"downloadUrl", s.DownloadURL},
		{"webAppUrl", s.WebAppURL},
		{"resourcesUrl", s.ResourcesURL},
		{"voicemailUrl", s.VoicemailURL},
		{"supportUrl", s.SupportURL},
	} {
		if u.text == "" || u.field == "supportUrl" && isMailto(u.text) {
			continue
		}
		if _, ok := readPlace(u.text); !ok || len(u.text) > longestURL {
			also := ""
			if u.field == "supportUrl" {
				also = ", or mailto: with an address"
			}
			return invalidField(u.field, "%s is not an absolute https URL%s, at most %d bytes, without a user; international names are written as xn--, other special characters percent-encoded. http is for this machine alone (localhost).", quoted(u.text), also, longestURL)
		}
	}
	list := strings.Fields(s.ReturnURLs)
	if len(list) > maxReturnURLs {
		return invalidField("returnUrls", "There are at most %d addresses that people may be sent to; the beginning of a path is enough for everything below it.", maxReturnURLs)
	}
	for _, text := range list {
		if p, ok := readPlace(text); !ok || p.more || len(text) > longestURL {
			return invalidField("returnUrls", "%s is not a beginning of addresses: an absolute https URL without user, query and fragment, at most %d bytes, for example https://app.example.com/start. http is for this machine alone (localhost).", quoted(text), longestURL)
		}
	}
	if s.HandOff && s.AppURL == "" && len(list) == 0 {
		return invalidField("handOff", "There is nowhere to hand people over to; set appUrl too.")
	}
	return nil
}

// isMailto reports whether a URL names one mailbox and nothing else.
func isMailto(text string) bool {
	address, ok := strings.CutPrefix(text, "mailto:")
	if !ok || strings.ContainsAny(address, "%?&") || len(text) > longestURL {
		return false
	}
	_, ok = EmailKey(address)
	return ok
}

// warns refuses what must not be set without having been warned of it (BR-086).
func (s *Settings) warns(next *Settings) error {
	if s.ManualMails || !next.ManualMails {
		return nil
	}
	return &Error{Code: CodeConfirmation, Field: "confirm", Detail: "From now on nobody would get an activation e-mail by itself, nor reminders: users with a paid licence could not come in until an administrator sends theirs. " +
		"Turn this off only with a well-thought-out onboarding of your own; home-made messages lack correct verification links and password logic. Confirm to turn it off."}
}
