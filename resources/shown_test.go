package resources

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/internal/jsontree"
)

// TestShown: what was decided stands in the blocks of the extensions, what the
// client said stays as it was, and taking out gives back just that (domain.md
// §5.2 … §5.5).
func TestShown(t *testing.T) {
	const core = `urn:ietf:params:scim:schemas:core:2.0:User`
	s := Standing{
		State: StateNotVerified,
		Licences: []Assignment{
			{SKU: "host", Status: Failed, Issue: CodeNoSeats, Since: 1000, Sources: []Source{{Type: SourceSCIM}}},
			{SKU: "basic", Status: Assigned, Since: 2000, Sources: []Source{{Type: SourceGroup, Ref: "g"}}},
		},
		Issues:  []Issue{{Code: CodeNoSeats, Attribute: "licenses", Detail: "None is free.", Since: 1000}},
		Calling: &Calling{Extension: "4711", Temporary: true, Status: "pending"},
	}
	tests := map[string]struct{ said, want string }{
		"nothing said": {
			`{"schemas":["` + core + `"],"userName":"a"}`,
			`{"schemas":["` + core + `","` + LicenceUserURN + `","` + CallingURN + `","` + LifecycleURN + `","` + OrganizationURN + `"],"id":"x","userName":"a",` +
				`"` + LicenceUserURN + `":{"licensingOrigin":"automatic","tier":"basic","effective":[{"value":"host","display":"Meetings host","source":"scim","status":"error","issue":"no_seats_available","since":"1970-01-01T00:00:01.000Z"},{"value":"basic","display":"Basic","source":"group","sourceRef":"g","status":"assigned","since":"1970-01-01T00:00:02.000Z"}]},` +
				`"` + CallingURN + `":{"effectiveExtension":"4711","temporaryExtension":true,"callingStatus":"pending"},` +
				`"` + LifecycleURN + `":{"state":"not_verified","emailVerified":false,"invitePending":true,"issues":[{"code":"no_seats_available","attribute":"licenses","detail":"None is free.","since":"1970-01-01T00:00:01.000Z"}]},` +
				`"` + OrganizationURN + `":{"provisionSource":"SCIM","domainStatus":"none"}}`,
		},
		"a block of the client": {
			`{"schemas":["` + core + `","` + LicenceUserURN + `"],"userName":"a","` + LicenceUserURN + `":{"licenses":["Host"]},"title":"t"}`,
			`{"schemas":["` + core + `","` + LicenceUserURN + `","` + LifecycleURN + `","` + OrganizationURN + `"],"id":"x","userName":"a",` +
				`"` + LicenceUserURN + `":{"licenses":["Host"],"licensingOrigin":"automatic","tier":"unlicensed"},"title":"t",` +
				`"` + LifecycleURN + `":{"state":"not_verified","emailVerified":false,"invitePending":true},` +
				`"` + OrganizationURN + `":{"provisionSource":"SCIM","domainStatus":"none"}}`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			st := s
			if name != "nothing said" {
				st = Standing{State: StateNotVerified}
			}
			said := parsed(t, tt.said)
			got := shown(said, "x", st.blocks(newCatalogue(builtinProducts()), false))
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Fatalf("shown (-want +got):\n%s", diff)
			}
			back, err := jsontree.Parse(got, jsontree.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			unshown(&back)
			back.Delete("id")
			if !jsontree.Equal(said, &back) {
				t.Errorf("taken out it is %s, said was %s", back.Append(nil), tt.said)
			}
		})
	}
}

// TestStandingKeeps: a standing reads back as it was written, with the values of
// declared attributes beside it, and the first form of issues is understood.
func TestStandingKeeps(t *testing.T) {
	full := Standing{
		State: StateInactive, Source: "API", Origin: OriginExplicit, Asks: true, OrgSKUs: []string{"basic"}, Roles: []Role{RoleFullAdmin},
		Licences: []Assignment{{SKU: "host", Status: Assigned, Subscription: "s", Asked: 1, Since: 2, Sources: []Source{{Type: SourceDirect, Since: 3}}}},
		Package:  &Holding{SKU: "suite", From: "2026-11-20"}, Calling: &Calling{Location: "l", Number: "+33"},
		Issues: []Issue{{Code: CodeNoSeats, Since: 4}}, Covered: true, Proven: "a@a.test", Epoch: 3,
		Login: &Login{First: 1, Last: 2, Activated: 1, Method: MethodSSO}, Mails: &Mails{Decided: 1, Last: 2, Count: 3, Reminders: 1},
	}
	keys := []attrKey{{listed: true, path: "p", value: "v"}}
	for name, s := range map[string]Standing{"bare": {State: StateActive}, "covered": {State: StateVerified, Covered: true}, "full": full} {
		rec := &Record{Standing: s.append(nil, keys)}
		if diff := cmp.Diff(s, StandingOf(rec)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if got := keysIn(rec.Standing); len(got) != 1 || got[0] != keys[0] {
			t.Errorf("%s: keys %v of %s", name, got, rec.Standing)
		}
	}
	old := StandingOf(&Record{Standing: []byte(`{"state":"inactive","issues":["missing_email"]}`)})
	if diff := cmp.Diff(Standing{State: StateInactive, Issues: []Issue{{Code: CodeMissingEmail}}}, old); diff != "" {
		t.Errorf("old form (-want +got):\n%s", diff)
	}
}
