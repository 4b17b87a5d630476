package patch_test

import (
	"testing"

	scimerrors "github.com/elimity-com/scim/errors"
)

const (
	work   = `{"primary":true,"type":"work","value":"amelie.roux@acme.example"}`
	mobile = `{"type":"mobile","value":"+33600000001"}`
)

// TestEntraUsers is a table, long by nature: the blocks of idp-wire.md §3.4,
// classic mode and aadOptscim062020.
func TestEntraUsers(t *testing.T) {
	runUsers(t, []row{
		{
			name: "ENT-11 several operations, missing values created (L-7)", profiles: "entra generic",
			doc: `"name":{"familyName":"Roux","givenName":"Amélie"},"emails":[` + work + `]`,
			ops: `{"op":"Replace","path":"emails[type eq \"work\"].value","value":"a.roux@acme.example"},
				{"op":"Replace","path":"name.familyName","value":"Roux-Martin"},
				{"op":"Add","path":"phoneNumbers[type eq \"mobile\"].value","value":"+33600000001"},
				{"op":"Add","path":"addresses[type eq \"work\"].formatted","value":"Lyon 3"},
				{"op":"Replace","path":"$ENT:department","value":"Support"}`,
			want: `"name":{"familyName":"Roux-Martin","givenName":"Amélie"},"emails":[{"primary":true,"type":"work","value":"a.roux@acme.example"}],` +
				`"phoneNumbers":[` + mobile + `],"addresses":[{"type":"work","formatted":"Lyon 3"}],"$ENT":{"department":"Support"}`,
		},
		{
			name: "ENT-11 several operations in the strict profile (R-103)", profiles: "rfc okta",
			doc: `"emails":[` + work + `]`,
			ops: `{"op":"Replace","path":"emails[type eq \"work\"].value","value":"a.roux@acme.example"},
				{"op":"Add","path":"phoneNumbers[type eq \"mobile\"].value","value":"+33600000001"}`,
			err: scimerrors.ScimTypeNoTarget, says: "operation 2 (add",
		},
		{
			name: "ENT-12 first primary and type, no value yet", profiles: "entra",
			ops: `{"op":"Add","path":"emails[type eq \"work\"].primary","value":"true"},
				{"op":"Add","path":"emails[type eq \"work\"].type","value":"work"}`,
			want: `"emails":[{"type":"work","primary":true}]`,
		},
		{
			name: "ENT-12 then the value",
			doc:  `"emails":[{"type":"work","primary":true}]`,
			ops:  `{"op":"Add","path":"emails[type eq \"work\"].value","value":"a@acme.example"}`,
			want: `"emails":[{"type":"work","primary":true,"value":"a@acme.example"}]`,
		},
		{name: "ENT-13 userName", ops: `{"op":"Replace","path":"userName","value":"aroux"}`},
		{name: "ENT-13 userName without path", ops: `{"op":"replace","value":{"userName":"aroux"}}`},
		{
			name: "ENT-14 active False (L-2)", doc: `"active":true`,
			ops: `{"op":"Replace","path":"active","value":"False"}`, want: `"active":false`,
		},
		{
			name: "ENT-14 active false as text", doc: `"active":true`,
			ops: `{"op":"Replace","path":"active","value":"false"}`, want: `"active":false`,
		},
		{
			name: "ENT-14 active True when it is: no change", doc: `"active":true,"title":"x"`,
			ops: `{"op":"Replace","path":"active","value":"True"}`, want: `"active":true,"title":"x"`,
		},
		{
			name: "ENT-14 without path", doc: `"active":true`,
			ops: `{"op":"replace","value":{"active":false}}`, want: `"active":false`,
		},
		{
			name: "ENT-32 active false", doc: `"active":true`,
			ops: `{"op":"replace","path":"active","value":false}`, want: `"active":false`,
		},
	})
}

// The same for values that go, and §3.9.
func TestEntraUsersClear(t *testing.T) {
	runUsers(t, []row{
		{name: "ENT-15 Remove title", doc: `"title":"Agent"`, ops: `{"op":"Remove","path":"title"}`},
		{name: "ENT-15 Replace title with empty (L-9)", doc: `"title":"Agent"`, ops: `{"op":"Replace","path":"title","value":""}`},
		{
			name: "ENT-15 null update", doc: `"title":"Agent"`,
			ops: `{"op":"replace","path":"title","value":""},{"op":"replace","path":"title","value":null}`,
		},
		{
			name: "ENT-15 Remove the value of the mobile phone, hollow phone goes",
			doc:  `"phoneNumbers":[` + mobile + `,{"type":"work","value":"2"}]`,
			ops:  `{"op":"Remove","path":"phoneNumbers[type eq \"mobile\"].value"}`, want: `"phoneNumbers":[{"type":"work","value":"2"}]`,
		},
		{
			name: "ENT-15 Remove the only phone", doc: `"phoneNumbers":[` + mobile + `]`,
			ops: `{"op":"Remove","path":"phoneNumbers[type eq \"mobile\"].value"}`,
		},
		{
			name: "ENT-15 Replace a phone value with empty", doc: `"phoneNumbers":[` + mobile + `]`,
			ops: `{"op":"Replace","path":"phoneNumbers[type eq \"mobile\"].value","value":""}`,
		},
		{
			name: "ENT-15 Remove a street, the rest of the address stays", doc: `"addresses":[{"type":"work","streetAddress":"a","locality":"b"}]`,
			ops: `{"op":"Remove","path":"addresses[type eq \"work\"].streetAddress"}`, want: `"addresses":[{"type":"work","locality":"b"}]`,
		},
		{
			name: "ENT-16 capitals (L-3)", profiles: "entra",
			ops: `{"op":"Add","path":"emails[type eq \"other\"].Value","value":"o@acme.example"},
				{"op":"Add","path":"Addresses[Type eq \"other\"].Formatted","value":"x"}`,
			want: `"emails":[{"type":"other","value":"o@acme.example"}],"addresses":[{"type":"other","formatted":"x"}]`,
		},
		{
			name: "ENT-31 flattened keys (L-4)", doc: `"name":{"familyName":"Roux","givenName":"A"},"emails":[` + work + `]`,
			ops: `{"op":"replace","path":"emails[type eq \"work\"].value","value":"a.roux@acme.example"},
				{"op":"replace","value":{"displayName":"Amélie Roux-Martin","name.givenName":"Amélie","name.familyName":"Roux-Martin","$ENT:employeeNumber":"00417"}}`,
			want: `"name":{"familyName":"Roux-Martin","givenName":"Amélie"},"emails":[{"primary":true,"type":"work","value":"a.roux@acme.example"}],` +
				`"displayName":"Amélie Roux-Martin","$ENT":{"employeeNumber":"00417"}`,
		},
		{
			name: "ENT-33 a phone as primary", profiles: "entra", doc: `"phoneNumbers":[` + mobile + `]`,
			ops: `{"op":"Add","path":"phoneNumbers[type eq \"mobile\"].primary","value":"+336"}`,
			err: scimerrors.ScimTypeInvalidValue, says: "phoneNumbers.primary",
		},
		{
			name: "ENT-33 an untyped e-mail", profiles: "entra", doc: `"emails":[` + work + `]`,
			ops:  `{"op":"Add","path":"emails[type eq \"untyped\"].value","value":"b@acme.example"}`,
			want: `"emails":[` + work + `,{"type":"untyped","value":"b@acme.example"}]`,
		},
	})
}

func TestEntraManager(t *testing.T) {
	const set = `"$ENT":{"manager":{"value":"$U2"}}`
	var rows []row
	for _, op := range []string{
		`{"op":"Add","path":"$ENT:manager","value":"$U2"}`,
		`{"op":"Replace","path":"$ENT:manager","value":{"value":"$U2"}}`,
		`{"op":"Add","path":"manager","value":[{"value":"$U2"}]}`,
		`{"op":"replace","value":{"$ENT:manager":"$U2"}}`,
		`{"op":"replace","value":{"$ENT:manager.value":"$U2"}}`,
		`{"op":"add","path":"$ENT:manager","value":{"value":"$U2","displayName":"ignored"}}`,
		`{"op":"add","value":{"$ENT":{"manager":{"value":"$U2"}}}}`,
		`{"op":"add","path":"$ENT","value":{"manager":"$U2"}}`,
		`{"op":"add","path":"$ENT","value":{"schemas":["$ENT"],"manager":"$U2"}}`, // scim2-tester
		`{"op":"replace","value":{"$ENT":{"Schemas":["$ENT"],"manager":"$U2"}}}`,
	} {
		rows = append(rows,
			row{name: "ENT-17 (L-8) first " + op, ops: op, want: set},
			row{name: "ENT-17 (L-8) other " + op, ops: op, want: set, doc: `"$ENT":{"manager":{"value":"$U1","$ref":"Users/$U1"}}`},
			row{name: "ENT-17 (L-8) same " + op, ops: op, want: set, doc: set})
	}
	for _, op := range []string{
		`{"op":"Remove","path":"$ENT:manager"}`,
		`{"op":"Remove","path":"manager"}`,
		`{"op":"Remove","path":"$ENT:manager.value"}`,
		`{"op":"Replace","path":"$ENT:manager","value":""}`,
		`{"op":"Replace","path":"$ENT:manager","value":null}`,
		`{"op":"Add","path":"$ENT:manager","value":[]}`,
		`{"op":"Replace","path":"$ENT:manager","value":{"value":""}}`,
		`{"op":"Replace","path":"$ENT:manager","value":{"value":null}}`,
		`{"op":"Replace","path":"$ENT:manager.value","value":""}`,
		`{"op":"replace","value":{"$ENT:manager":""}}`,
		`{"op":"Remove","path":"$ENT"}`,
		`{"op":"replace","path":"$ENT","value":null}`,
	} {
		rows = append(rows, row{name: "ENT-18 (L-9, R-106) " + op, ops: op, doc: `"$ENT":{"manager":{"value":"$U2","$ref":"Users/$U2"}}`},
			row{name: "ENT-18 nothing there " + op, ops: op})
	}
	rows = append(rows,
		row{
			name: "ENT-17 vendor's sample, $ref stored as sent",
			ops:  `{"op":"Add","path":"manager","value":[{"$ref":"https://x/Users/$U2","value":"$U2"}]}`,
			want: `"$ENT":{"manager":{"$ref":"https://x/Users/$U2","value":"$U2"}}`,
		},
		row{
			name: "ENT-18 the rest of the extension stays", doc: `"$ENT":{"department":"d","manager":{"value":"$U2"}}`,
			ops: `{"op":"Remove","path":"$ENT:manager"}`, want: `"$ENT":{"department":"d"}`,
		})
	runUsers(t, rows)
}

func TestEntraRoles(t *testing.T) {
	single := func(value, display, typ string) string {
		return `{"op":"Add","path":"roles[primary eq \"True\"].value","value":"` + value + `"},
			{"op":"Add","path":"roles[primary eq \"True\"].display","value":"` + display + `"},
			{"op":"Add","path":"roles[primary eq \"True\"].type","value":"` + typ + `"}`
	}
	const one, two = `{"value":"{\"id\":\"1\",\"value\":\"Admin\"}"}`, `{"value":"{\"id\":\"2\",\"value\":\"Agent\"}"}`
	runUsers(t, []row{
		{
			name: "ENT-19 SingleAppRoleAssignment fills one new value (L-7, L-19)", profiles: "entra",
			ops: single("Admin", "Administrator", "w"), want: `"roles":[{"primary":true,"value":"Admin","display":"Administrator","type":"w"}]`,
		},
		{
			name: "ENT-19 there already", doc: `"roles":[{"value":"x"},{"primary":true,"value":"Agent"}]`,
			ops: single("Admin", "A", "w"), want: `"roles":[{"value":"x"},{"primary":true,"value":"Admin","display":"A","type":"w"}]`,
		},
		{
			name: "ENT-19 created primary takes the mark of nobody else", profiles: "entra", doc: `"roles":[{"primary":false,"value":"x"}]`,
			ops: single("Admin", "A", "w"), want: `"roles":[{"primary":false,"value":"x"},{"primary":true,"value":"Admin","display":"A","type":"w"}]`,
		},
		{
			name: "ENT-20 JSON in a string, stored verbatim (L-30)",
			ops:  `{"op":"Add","path":"roles","value":[` + one + `,` + two + `]}`, want: `"roles":[` + one + `,` + two + `]`,
		},
		{
			name: "ENT-20 adds only", doc: `"roles":[` + one + `]`,
			ops: `{"op":"Add","path":"roles","value":[` + two + `]}`, want: `"roles":[` + one + `,` + two + `]`,
		},
		{
			name: "ENT-21 full replacement", doc: `"roles":[` + one + `,` + two + `]`,
			ops:  `{"op":"replace","path":"roles","value":[{"primary":false,"type":"WindowsAzureActiveDirectoryRole","display":"Admin","value":"Admin"}]}`,
			want: `"roles":[{"primary":false,"type":"WindowsAzureActiveDirectoryRole","display":"Admin","value":"Admin"}]`,
		},
	})
}

// idp-wire.md §4.3, §9.
func TestOktaAndSailPointUsers(t *testing.T) {
	runUsers(t, []row{
		{
			name: "OKT-06 deactivate", profiles: "rfc okta", doc: `"active":true`,
			ops: `{"op":"replace","value":{"active":false}}`, want: `"active":false`,
		},
		{
			name: "OKT-08 S10 password as key", profiles: "rfc okta", doc: `"active":true`,
			ops: `{"op":"replace","value":{"password":"Kx7-throwaway"}}`, want: `"active":true`,
		},
		{name: "OKT-08 S10 password as path", ops: `{"op":"replace","path":"password","value":"Kx7"}`},
		{name: "OKT-08 S10 password with the core URN", ops: `{"op":"replace","path":"$USER:Password","value":"Kx7"}`},
		{name: "OKT-08 S10 remove password", ops: `{"op":"remove","path":"password"}`},
		{name: "OKT-11 id as key is ignored", ops: `{"op":"replace","value":{"id":"$U1","displayName":"x"}}`, want: `"displayName":"x"`},
		{name: "R-24 another id as key is ignored", ops: `{"op":"replace","value":{"id":"00u1","displayName":"x"}}`, want: `"displayName":"x"`},
		{name: "OKT-11 the same id as path", ops: `{"op":"replace","path":"id","value":"$U1"}`},
		{name: "R-105 another id as path", ops: `{"op":"replace","path":"id","value":"$U2"}`, err: scimerrors.ScimTypeMutability, says: "id is readOnly"},
		{name: "SPT-01 add without path", doc: `"active":true`, ops: `{"op":"add","value":{"active":false}}`, want: `"active":false`},
		{
			name: "SPT-02 R-101 replace merges a complex value", doc: `"name":{"familyName":"Roux","givenName":"A","formatted":"A R"}`,
			ops: `{"op":"replace","path":"name","value":{"givenName":"B"}}`, want: `"name":{"familyName":"Roux","givenName":"B","formatted":"A R"}`,
		},
	})
}
