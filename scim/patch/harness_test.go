package patch_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/elimity-com/scim"
	scimerrors "github.com/elimity-com/scim/errors"
	elimity "github.com/elimity-com/scim/schema"
	"github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/filter"
	"github.com/usher-scim/usher/scim/patch"
	"github.com/usher-scim/usher/scim/schema"
)

// Ids as usher makes them: the last character holds the kind.
const (
	userOne  = "06nq3g5f1a0000000008"
	userTwo  = "06nq3g5f1b0000000000"
	userMore = "06nq3g5f1c000000000g"
	groupOne = "06nq3g5f1d0000000001"
	groupTwo = "06nq3g5f1e0000000009"
	tokenOne = "06nq3g5f1f0000000002"
)

// short makes the tables readable.
var short = strings.NewReplacer(
	"$ENT", schema.EnterpriseUserURN, "$USER", schema.UserURN, "$GROUP", schema.GroupURN, "$OWN", ownURN, "$REQ", requiredURN,
	"$U1", userOne, "$U2", userTwo, "$U3", userMore, "$G1", groupOne, "$G2", groupTwo, "$T1", tokenOne,
)

const requiredURN = "urn:example:params:scim:schemas:extension:required:2.0:User"

const ownURN = "urn:example:params:scim:schemas:extension:own:2.0:User"

// ownSchema has what the built-in schemas lack: immutable, readOnly and
// required attributes in an extension, simple multi-valued ones, a required
// sub-attribute.
func ownSchema() elimity.Schema {
	text := func(p elimity.StringParams) elimity.CoreAttribute {
		return elimity.SimpleCoreAttribute(elimity.SimpleStringParams(p))
	}
	return elimity.Schema{ID: ownURN, Attributes: []elimity.CoreAttribute{
		text(elimity.StringParams{Name: "badge", Mutability: elimity.AttributeMutabilityImmutable()}),
		text(elimity.StringParams{Name: "state", Mutability: elimity.AttributeMutabilityReadOnly()}),
		text(elimity.StringParams{Name: "tags", MultiValued: true}),
		text(elimity.StringParams{Name: "keys", MultiValued: true, Mutability: elimity.AttributeMutabilityImmutable()}),
		elimity.SimpleCoreAttribute(elimity.SimpleNumberParams(elimity.NumberParams{Name: "floor", Type: elimity.AttributeTypeInteger()})),
		elimity.SimpleCoreAttribute(elimity.SimpleBooleanParams(elimity.BooleanParams{Name: "remote"})),
		elimity.ComplexCoreAttribute(elimity.ComplexParams{Name: "desk", SubAttributes: []elimity.SimpleParams{
			elimity.SimpleStringParams(elimity.StringParams{Name: "site", Required: true}),
			elimity.SimpleStringParams(elimity.StringParams{Name: "serial", Mutability: elimity.AttributeMutabilityImmutable()}),
			elimity.SimpleStringParams(elimity.StringParams{Name: "note"}),
		}}),
		elimity.ComplexCoreAttribute(elimity.ComplexParams{Name: "seat", Mutability: elimity.AttributeMutabilityImmutable(), SubAttributes: []elimity.SimpleParams{
			elimity.SimpleStringParams(elimity.StringParams{Name: "row"}),
			elimity.SimpleStringParams(elimity.StringParams{Name: "place"}),
		}}),
		elimity.ComplexCoreAttribute(elimity.ComplexParams{Name: "phones", MultiValued: true, SubAttributes: []elimity.SimpleParams{
			elimity.SimpleStringParams(elimity.StringParams{Name: "model", Required: true}),
			elimity.SimpleStringParams(elimity.StringParams{Name: "serial", Mutability: elimity.AttributeMutabilityImmutable()}),
			elimity.SimpleStringParams(elimity.StringParams{Name: "color"}),
		}}),
	}}
}

// requiredSchema has a list that must not be empty.
func requiredSchema() elimity.Schema {
	return elimity.Schema{ID: requiredURN, Attributes: []elimity.CoreAttribute{
		elimity.SimpleCoreAttribute(elimity.SimpleStringParams(elimity.StringParams{Name: "codes", MultiValued: true, Required: true})),
		elimity.SimpleCoreAttribute(elimity.SimpleStringParams(elimity.StringParams{Name: "note"})),
	}}
}

func types(t testing.TB) (user, group *schema.Type) {
	t.Helper()
	list := schema.Builtin()
	for i := range list {
		if list[i].Name == "User" {
			list[i].SchemaExtensions = append(list[i].SchemaExtensions, scim.SchemaExtension{Schema: ownSchema()}, scim.SchemaExtension{Schema: requiredSchema()})
		}
	}
	r, err := schema.NewRegistry(list, map[string]resources.Kind{"User": resources.KindUser, "Group": resources.KindGroup})
	if err != nil {
		t.Fatal(err)
	}
	return r.Type("User"), r.Type("Group")
}

func tree(t testing.TB, text string) jsontree.Value {
	t.Helper()
	v, err := jsontree.Parse([]byte(text), jsontree.BodyLimits())
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

// user is a stored user with the given members behind userName. Its schemas
// say what it has.
func user(members string) string {
	urns := `"$USER"`
	for _, urn := range []string{"$ENT", "$OWN", "$REQ"} {
		if strings.Contains(members, `"`+urn+`":{`) {
			urns += `,"` + urn + `"`
		}
	}
	if members != "" {
		members = "," + members
	}
	return short.Replace(`{"schemas":[` + urns + `],"id":"$U1","userName":"aroux"` + members + `}`)
}

func group(members string) string {
	return short.Replace(`{"schemas":["$GROUP"],"id":"$G1","displayName":"Support FR"` + members + `}`)
}

func body(ops string) string {
	return short.Replace(`{"schemas":["` + patch.MessageURN + `"],"Operations":[` + ops + `]}`)
}

// row is one request against one stored document.
type row struct {
	name     string // ids of the rules, and what happens
	profiles string // "" is "rfc entra"
	doc      string // members of the stored document, see user
	ops      string
	want     string              // members of the result
	err      scimerrors.ScimType // or the refusal
	says     string              // and what its detail must hold
	once     bool                // running it again on the result is no no-op
}

func (r row) run(t *testing.T, typ *schema.Type, doc, want string) {
	profiles := r.profiles
	if profiles == "" {
		profiles = "rfc entra"
	}
	for profile := range strings.FieldsSeq(profiles) {
		t.Run(r.name+"/"+profile, func(t *testing.T) {
			stored, request := tree(t, doc), tree(t, body(r.ops))
			before, sent := string(stored.Append(nil)), string(request.Append(nil))
			self := stored.GetString("id")
			p, err := patch.New(filter.New()).Parse(typ, &request, patch.Options{Profile: profile, Self: self})
			var got jsontree.Value
			if err == nil {
				got, err = p.Apply(&stored, nil)
			}
			if after := string(stored.Append(nil)); after != before {
				t.Errorf("R-90: the stored document became\n%s", after)
			}
			if after := string(request.Append(nil)); after != sent {
				t.Errorf("the request became\n%s", after)
			}
			if r.err != "" {
				r.refused(t, err, got)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, string(got.Append(nil))); d != "" {
				t.Fatalf("result (-want +got):\n%s", d)
			}
			again, err := p.Apply(&stored, nil)
			if err != nil || string(again.Append(nil)) != want {
				t.Errorf("the patch changed by being applied: %v\n%s", err, again.Append(nil))
			}
			if r.once {
				return
			}
			if again, err = p.Apply(&got, nil); err != nil || string(again.Append(nil)) != want {
				t.Errorf("applied to its own result: %v\n%s", err, again.Append(nil))
			}
		})
	}
}

func (r row) refused(t *testing.T, err error, got jsontree.Value) {
	t.Helper()
	var se scimerrors.ScimError
	if !errors.As(err, &se) {
		t.Fatalf("error %v, result %s; want %s", err, got.Append(nil), r.err)
	}
	if se.ScimType != r.err || se.Status != 400 || !strings.Contains(se.Detail, short.Replace(r.says)) {
		t.Errorf("refused with %d %s %q, want 400 %s saying %q", se.Status, se.ScimType, se.Detail, r.err, r.says)
	}
	if got.Kind != jsontree.Absent {
		t.Errorf("a refused request gave %s", got.Append(nil))
	}
	if len(se.Detail) > 400 {
		t.Errorf("security S19: the detail has %d bytes", len(se.Detail))
	}
}

func runUsers(t *testing.T, rows []row) {
	u, _ := types(t)
	for _, r := range rows {
		r.run(t, u, user(r.doc), user(r.want))
	}
}
