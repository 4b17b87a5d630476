package admin

import (
	"cmp"
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-scim/usher/resources"
)

// Settings are an organization's settings, with what holds where nothing was
// set.
type Settings struct {
	Language      string `json:"language" enum:"en,fr" example:"fr" doc:"Of texts for people."`
	TimeZone      string `json:"timeZone" example:"Europe/Paris" doc:"Of billing: its days begin and end there (BR-175)."`
	BillingMonths int    `json:"billingMonths" example:"2" doc:"Length of a billing period: 1, 2, 3 or 12."`
	SiteURL       string `json:"siteUrl,omitempty" example:"https://acme.example.com"`

	ReleaseSeatsOnDeactivate bool `json:"releaseSeatsOnDeactivate" doc:"Whether deactivated users give their seats back (BR-150)."`
	GuardOff                 bool `json:"guardOff" doc:"Turns the guard against mass revocations off (BR-165)."`
	GuardUsers               int  `json:"guardUsers" example:"10" doc:"A change is held when it takes a product from more users than this …"`
	GuardPercent             int  `json:"guardPercent" example:"20" doc:"… and from more than this share of its holders."`

	PhoneNumbersAsWish bool   `json:"phoneNumbersAsWish" doc:"Whether the work number of a user without calling attributes is one that is asked for (BR-199)."`
	AutoNumber         bool   `json:"autoNumber" doc:"Whether calling users who ask for none get the next free number of their location."`
	AutoExtension      bool   `json:"autoExtension" doc:"Whether calling users who ask for none get the recommended extension (BR-194)."`
	DefaultLocation    string `json:"defaultLocation,omitempty" doc:"Id of the location of calling users who have none."`
	ExtensionLength    int    `json:"extensionLength" example:"4" doc:"Digits of extensions where a location does not say."`
	QuarantineHours    int    `json:"quarantineHours" example:"24" doc:"How long released numbers rest (BR-200)."`

	PeopleSettings
}

// SettingsChange is a merge patch of settings; null sets one back to what holds
// by default.
type SettingsChange struct {
	Language                 Patch[string] `json:"language,omitzero" example:"fr"`
	TimeZone                 Patch[string] `json:"timeZone,omitzero" maxLength:"60" example:"Europe/Paris"`
	BillingMonths            Patch[int]    `json:"billingMonths,omitzero" example:"2"`
	SiteURL                  Patch[string] `json:"siteUrl,omitzero" maxLength:"500"`
	ReleaseSeatsOnDeactivate Patch[bool]   `json:"releaseSeatsOnDeactivate,omitzero"`
	GuardOff                 Patch[bool]   `json:"guardOff,omitzero"`
	GuardUsers               Patch[int]    `json:"guardUsers,omitzero" example:"25"`
	GuardPercent             Patch[int]    `json:"guardPercent,omitzero" example:"10"`
	PhoneNumbersAsWish       Patch[bool]   `json:"phoneNumbersAsWish,omitzero"`
	AutoNumber               Patch[bool]   `json:"autoNumber,omitzero"`
	AutoExtension            Patch[bool]   `json:"autoExtension,omitzero"`
	DefaultLocation          Patch[string] `json:"defaultLocation,omitzero" maxLength:"40"`
	ExtensionLength          Patch[int]    `json:"extensionLength,omitzero"`
	QuarantineHours          Patch[int]    `json:"quarantineHours,omitzero"`

	PeopleSettingsChange
}

type changeSettings struct {
	OrgPath
	Conditional
	Confirm bool           `query:"confirm" doc:"Must be true to turn automatic activation e-mails off (BR-086)."`
	Body    SettingsChange `contentType:"application/merge-patch+json"`
}

func (d *door) registerSettings(api huma.API) {
	const path = orgPath + "/settings"
	inside(d, api, resources.AreaOrg, operation("get-settings", http.MethodGet, path, "Read an organization's settings", 200), d.getSettings)
	inside(d, api, resources.AreaOrg, operation("change-settings", http.MethodPatch, path, "Change settings; null sets one back to its default", 200, 412, 428), d.changeSettings)
}

func wireSettings(s resources.Settings, err error) (*one[Settings], error) {
	if err != nil {
		return nil, err
	}
	tag, err := tagOf(s)
	return &one[Settings]{ETag: tag, Body: Settings{
		Language: cmp.Or(s.Language, "en"), TimeZone: cmp.Or(s.TimeZone, "UTC"), BillingMonths: cmp.Or(s.BillingMonths, 2), SiteURL: s.SiteURL,
		ReleaseSeatsOnDeactivate: s.ReleaseSeatsOnInactive, GuardOff: s.GuardOff,
		GuardUsers: cmp.Or(s.GuardUsers, 10), GuardPercent: cmp.Or(s.GuardPercent, 20),
		PhoneNumbersAsWish: s.PhoneNumbersAsWish, AutoNumber: s.AutoNumber, AutoExtension: s.AutoExtension,
		DefaultLocation: s.DefaultLocation, ExtensionLength: cmp.Or(s.ExtensionLength, 4), QuarantineHours: s.QuarantineHours,
		PeopleSettings: wirePeople(&s),
	}}, err
}

func (d *door) getSettings(ctx context.Context, in *OrgPath) (*one[Settings], error) {
	s, _, err := d.directory.Settings(ctx, in.caller)
	return wireSettings(s, err)
}

func (d *door) changeSettings(ctx context.Context, in *changeSettings) (*one[Settings], error) {
	if err := in.Body.checkList(); err != nil {
		return nil, err
	}
	seen, c := in.seen(), in.caller
	c.Confirmed = in.Confirm
	s, _, err := d.directory.ChangeSettings(ctx, c, func(s *resources.Settings, _ uint64) error {
		if seen != nil {
			if err := seen(*s); err != nil {
				return err
			}
		}
		in.Body.apply(s)
		return nil
	})
	return wireSettings(s, err)
}

func (ch *SettingsChange) apply(s *resources.Settings) {
	ch.Language.apply(&s.Language)
	ch.TimeZone.apply(&s.TimeZone)
	ch.BillingMonths.apply(&s.BillingMonths)
	ch.SiteURL.apply(&s.SiteURL)
	ch.ReleaseSeatsOnDeactivate.apply(&s.ReleaseSeatsOnInactive)
	ch.GuardOff.apply(&s.GuardOff)
	ch.GuardUsers.apply(&s.GuardUsers)
	ch.GuardPercent.apply(&s.GuardPercent)
	ch.PhoneNumbersAsWish.apply(&s.PhoneNumbersAsWish)
	ch.AutoNumber.apply(&s.AutoNumber)
	ch.AutoExtension.apply(&s.AutoExtension)
	ch.DefaultLocation.apply(&s.DefaultLocation)
	ch.ExtensionLength.apply(&s.ExtensionLength)
	ch.QuarantineHours.apply(&s.QuarantineHours)
	ch.PeopleSettingsChange.apply(s)
}
