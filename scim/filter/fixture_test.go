package filter

import (
	"errors"
	"strings"
	"testing"

	"github.com/elimity-com/scim"
	scimerr "github.com/elimity-com/scim/errors"
	elimity "github.com/elimity-com/scim/schema"

	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/schema"
)

// oddURN is a URN that filter-parser's grammar does not know: it has an
// underscore. bigURN begins like enterprise's and is longer.
const (
	oddURN = "urn:acme_corp:scim:1.0:Extra"
	entURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	bigURN = entURN + ":plus"
	useURN = "urn:ietf:params:scim:schemas:core:2.0:User"
)

func extra() elimity.Schema {
	return elimity.Schema{ID: oddURN, Attributes: []elimity.CoreAttribute{
		elimity.SimpleCoreAttribute(elimity.SimpleNumberParams(elimity.NumberParams{Name: "level", Type: elimity.AttributeTypeInteger()})),
		elimity.SimpleCoreAttribute(elimity.SimpleNumberParams(elimity.NumberParams{Name: "ratio", Type: elimity.AttributeTypeDecimal()})),
		elimity.SimpleCoreAttribute(elimity.SimpleDateTimeParams(elimity.DateTimeParams{Name: "born"})),
		elimity.SimpleCoreAttribute(elimity.SimpleBinaryParams(elimity.BinaryParams{Name: "blob"})),
		elimity.SimpleCoreAttribute(elimity.SimpleBooleanParams(elimity.BooleanParams{Name: "vip"})),
		elimity.SimpleCoreAttribute(elimity.SimpleStringParams(elimity.StringParams{Name: "ticket", CaseExact: true})),
		elimity.SimpleCoreAttribute(elimity.SimpleStringParams(elimity.StringParams{Name: "tags", MultiValued: true})),
		elimity.SimpleCoreAttribute(elimity.SimpleStringParams(elimity.StringParams{
			Name:       "pin",
			Mutability: elimity.AttributeMutabilityWriteOnly(), Returned: elimity.AttributeReturnedNever(),
		})),
		elimity.SimpleCoreAttribute(elimity.SimpleStringParams(elimity.StringParams{
			Name:     "notes",
			Returned: elimity.AttributeReturnedRequest(),
		})),
		elimity.SimpleCoreAttribute(elimity.SimpleStringParams(elimity.StringParams{Name: "eq"})),
	}}
}

func types(t testing.TB) (user, group *schema.Type) {
	t.Helper()
	all := schema.Builtin()
	all[0].SchemaExtensions = append(all[0].SchemaExtensions[:1:1],
		scim.SchemaExtension{Schema: extra()},
		scim.SchemaExtension{Schema: elimity.Schema{ID: bigURN, Attributes: []elimity.CoreAttribute{
			elimity.SimpleCoreAttribute(elimity.SimpleStringParams(elimity.StringParams{Name: "bonus"})),
		}}})
	r, err := schema.NewRegistry(all, map[string]resources.Kind{"User": resources.KindUser, "Group": resources.KindGroup})
	if err != nil {
		t.Fatal(err)
	}
	return r.Type("User"), r.Type("Group")
}

// mustParse reads a filter that must be good.
func mustParse(t testing.TB, p *Parser, typ *schema.Type, text string) *Filter {
	t.Helper()
	f, err := p.Parse(typ, text, Options{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return f
}

// refused checks that err is a 400 of the type whose detail says something.
func refused(t testing.TB, input string, err error, want scimerr.ScimType, says string) {
	t.Helper()
	var se scimerr.ScimError
	if !errors.As(err, &se) {
		t.Fatalf("%.80q: got error %v, want a ScimError", input, err)
	}
	if se.Status != 400 || se.ScimType != want {
		t.Errorf("%.80q: got %d %s, want 400 %s", input, se.Status, se.ScimType, want)
	}
	if !strings.Contains(se.Detail, says) {
		t.Errorf("%.80q: detail %q does not say %q", input, se.Detail, says)
	}
	if len(se.Detail) > 500 {
		t.Errorf("%.80q: the detail has %d bytes", input, len(se.Detail))
	}
}

const (
	aliceID = "0ab1cd2ef3gh4ij5kl60"
	groupID = "0ab1cd2ef3gh4ij5kl61"
)

func alice() *resources.Record {
	return &resources.Record{
		Kind: resources.KindUser, ID: aliceID, Version: 7,
		Created: 1305504000250, Modified: 1305504001500, // 2011-05-16T00:00:00.250Z and 1.25 s later
		Profile: []byte(`{"schemas":["` + useURN + `","` + entURN + `"],"id":"` + aliceID + `","externalId":"aRoux",
"userName":"Amelie.Roux@Acme.example","name":{"familyName":"O'Malley","givenName":"Amélie"},"displayName":"Amélie Roux",
"title":"","nickName":null,"active":true,"userType":"Employee",
"emails":[{"value":"a.roux@Example.com","type":"work","primary":true},{"value":"am@example.org","type":"home"}],
"phoneNumbers":[],"roles":[{"value":"Admin","primary":true}],"addresses":[{"type":"work","locality":"Lyon"}],
"` + entURN + `":{"department":"R&D \"one\"","manager":{"value":"m1"}},
"` + oddURN + `":{"level":9007199254740993,"ratio":-12.50,"born":"2011-05-13T04:42:34.0500+02:00","vip":false,
"ticket":"AbC","tags":["Red","blue"],"blob":"AAEC","pin":"1234","notes":"n","eq":"e"}}`),
		Groups: []resources.GroupRef{{ID: groupID, Display: "Support FR"}},
	}
}

func support() *resources.Record {
	return &resources.Record{
		Kind: resources.KindGroup, ID: groupID, Version: 3, Created: 1305504000000, Modified: 1305504000000,
		LinksModified: 1305590400000,
		Profile:       []byte(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"` + groupID + `","displayName":"Support FR","externalId":"g-1"}`),
		Members:       []string{aliceID},
	}
}
