package resources_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/usher-scim/usher/resources"
)

// TestSettings: what can be set is kept, what cannot is refused by name, and the
// version moves (domain.md §6.1).
func TestSettings(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		op := b.operated(t, "acme")
		before, v0, err := b.Settings(ctx, op)
		if err != nil || before != (resources.Settings{}) || v0 != 0 {
			t.Errorf("at the beginning: %+v, %d, %v", before, v0, err)
		}
		want := resources.Settings{
			Language: "fr", TimeZone: "Europe/Paris", BillingMonths: 12, GuardUsers: 5, GuardPercent: 50,
			AutoExtension: true, ExtensionLength: 3, QuarantineHours: 24, SiteURL: "https://acme.example",
		}
		set := func(s resources.Settings) (resources.Settings, uint64, error) {
			return b.ChangeSettings(ctx, op, func(cur *resources.Settings, _ uint64) error { *cur = s; return nil })
		}
		got, v1, err := set(want)
		if err != nil || got != want || v1 != v0+1 {
			t.Fatalf("set: %+v, %d, %v", got, v1, err)
		}
		if got, v, err := set(want); err != nil || got != want || v != v1 {
			t.Errorf("set again: %+v, %d, %v", got, v, err)
		}
		if got, v, err := b.Settings(ctx, op); err != nil || got != want || v != v1 {
			t.Errorf("read: %+v, %d, %v", got, v, err)
		}
		stop := &resources.Error{Code: resources.CodeVersion}
		_, _, err = b.ChangeSettings(ctx, op, func(_ *resources.Settings, v uint64) error {
			if v != v1 {
				t.Errorf("version %d in the change, want %d", v, v1)
			}
			return stop
		})
		fails(t, err, resources.CodeVersion, "")
	})
}

// TestSettingsRefusals: each setting that cannot be.
func TestSettingsRefusals(t *testing.T) {
	b := newBundle(t, "")
	op := b.operated(t, "acme")
	for field, s := range map[string]resources.Settings{
		"language":        {Language: "de"},
		"timeZone":        {TimeZone: "Mars/Olympus"},
		"timeZone ":       {TimeZone: "Local"},
		"timeZone  ":      {TimeZone: "../../etc/passwd"},
		"billingMonths":   {BillingMonths: 4},
		"billingMonths ":  {BillingMonths: -1},
		"guardUsers":      {GuardUsers: -1},
		"guardPercent":    {GuardPercent: 101},
		"extensionLength": {ExtensionLength: 1},
		"quarantineHours": {QuarantineHours: 24 * 91},
		"siteUrl":         {SiteURL: "javascript:alert(1)"},
	} {
		_, _, err := b.ChangeSettings(t.Context(), op, func(cur *resources.Settings, _ uint64) error { *cur = s; return nil })
		fails(t, err, resources.CodeInvalidValue, strings.TrimSpace(field))
	}
	_, _, err := b.ChangeSettings(t.Context(), op, func(cur *resources.Settings, _ uint64) error { cur.DefaultLocation = "x"; return nil })
	fails(t, err, resources.CodeLocationUnknown, "defaultLocation")
}

// TestReleaseSeatsSetting: turning it on takes the seats of users who are inactive
// already, turning it off gives them none (BR-150).
func TestReleaseSeatsSetting(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		op := b.operated(t, "acme")
		b.subscribe(t, op, resources.Subscription{SKU: "host", Units: 2})
		ids := b.crowd(t, b.a, "u", 2, "host")
		b.deactivate(t, b.a, ids[0])
		sameIDs(t, "kept while inactive", b.held(t, b.a, "host", ids), ids)
		for _, on := range []bool{true, false} {
			if _, _, err := b.ChangeSettings(t.Context(), op, func(s *resources.Settings, _ uint64) error { s.ReleaseSeatsOnInactive = on; return nil }); err != nil {
				t.Fatal(err)
			}
			b.work(t, b.a.Org)
			sameIDs(t, fmt.Sprint("with the setting ", on), b.held(t, b.a, "host", ids), ids[1:])
		}
	})
}
