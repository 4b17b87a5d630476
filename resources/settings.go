package resources

import (
	"context"
	"time"
)

// Settings reads an organization's settings. The version is that of the whole
// plan: it moves with subscriptions and templates too.
func (d *Directory) Settings(ctx context.Context, c Caller) (Settings, uint64, error) {
	if err := c.mayAdmin(AreaOrg, false); err != nil {
		return Settings{}, 0, err
	}
	p, err := d.loadPlan(ctx, c.Org)
	if err != nil {
		return Settings{}, 0, err
	}
	return p.Settings, p.version(), nil
}

// version counts the changes of the plan; 0 before the first.
func (p *Plan) version() uint64 {
	if p.rec == nil {
		return 0
	}
	return p.rec.Version
}

// ChangeSettings changes settings; fn gets what is set and the version, and
// changes it. Users whom the change touches are settled again by a job. What must
// not be set without a warning needs Caller.Confirmed (BR-086). Codes:
// invalid_value, location_unknown, confirmation_required.
func (d *Directory) ChangeSettings(ctx context.Context, c Caller, fn func(*Settings, uint64) error) (Settings, uint64, error) {
	if err := c.mayAdmin(AreaOrg, true); err != nil {
		return Settings{}, 0, err
	}
	var out Settings
	var version uint64
	err := d.changePlan(ctx, c, "settings.updated", func(tx Tx, p *Plan) error {
		before := p.Settings
		version = p.version()
		if err := fn(&p.Settings, version); err != nil {
			return err
		}
		if out = p.Settings; out == before {
			return errSame
		}
		version++
		if err := p.Settings.check(p); err != nil {
			return err
		}
		if err := before.warns(&p.Settings); err != nil && !c.Confirmed {
			return err
		}
		for _, who := range before.touched(&p.Settings) {
			if err := d.startJob(tx, c, &Job{Type: JobResettle}, resettleParams{Who: who}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Settings{}, 0, err
	}
	return out, version, nil
}

// touched says whom another value of the settings concerns, in the words of
// resettleParams.
func (s *Settings) touched(next *Settings) []string {
	var out []string
	if s.ReleaseSeatsOnInactive != next.ReleaseSeatsOnInactive {
		out = append(out, whoInactive)
	}
	if s.AutoNumber != next.AutoNumber || s.AutoExtension != next.AutoExtension || s.DefaultLocation != next.DefaultLocation ||
		s.PhoneNumbersAsWish != next.PhoneNumbersAsWish || s.ExtensionLength != next.ExtensionLength {
		out = append(out, whoCalls)
	}
	return out
}

// check refuses settings that cannot be.
func (s *Settings) check(p *Plan) error {
	switch {
	case s.Language != "" && s.Language != "en" && s.Language != "fr":
		return invalidField("language", "The language is en or fr.")
	case !isZone(s.TimeZone):
		return invalidField("timeZone", "The time zone is a name of the IANA database, for example Europe/Paris.")
	case s.BillingMonths != 0 && s.BillingMonths != 1 && s.BillingMonths != 2 && s.BillingMonths != 3 && s.BillingMonths != 12:
		return invalidField("billingMonths", "A billing period has 1, 2, 3 or 12 months.")
	case s.GuardUsers < 0 || s.GuardUsers > 1_000_000:
		return invalidField("guardUsers", "The number of users of the mass-revocation guard is between 0 (the default, 10) and 1000000; turn the guard off with guardOff.")
	case s.GuardPercent < 0 || s.GuardPercent > 100:
		return invalidField("guardPercent", "The share of the mass-revocation guard is between 0 (the default, 20) and 100 percent; turn the guard off with guardOff.")
	case s.ExtensionLength != 0 && (s.ExtensionLength < 2 || s.ExtensionLength > 10):
		return invalidField("extensionLength", "Extensions have 2 to 10 digits (BR-195).")
	case s.QuarantineHours < 0 || s.QuarantineHours > 24*90:
		return invalidField("quarantineHours", "Released numbers rest between 0 and 2160 hours (90 days).")
	case s.SiteURL != "" && (len(s.SiteURL) > 500 || !absolute(s.SiteURL)):
		return invalidField("siteUrl", "The site is an absolute URL of at most 500 bytes, for example https://acme.example.com.")
	case s.DefaultLocation != "" && p.location(s.DefaultLocation) == nil:
		return &Error{Code: CodeLocationUnknown, Field: "defaultLocation", Detail: "There is no location with this id; list the locations and take one of theirs."}
	}
	return s.checkPeople()
}

// isZone reports whether a text names a time zone; "" is UTC.
func isZone(name string) bool {
	if name == "Local" || len(name) > 64 { // Local would be that of the machine
		return false
	}
	_, err := time.LoadLocation(name)
	return err == nil
}
