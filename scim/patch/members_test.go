package patch_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	scimerrors "github.com/elimity-com/scim/errors"
	"github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/scim/filter"
	"github.com/usher-scim/usher/scim/patch"
)

// apply is the contract of MemberEdit.
func apply(m patch.MemberEdit, present []string) []string {
	var out []string
	if !m.Replace {
		for _, id := range present {
			if !m.Drops(id) && !slices.Contains(m.Remove, id) {
				out = append(out, id)
			}
		}
	}
	for _, id := range m.Add {
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// TestMembers is a table, long by nature.
func TestMembers(t *testing.T) {
	_, g := types(t)
	const (
		add    = `{"op":"Add","path":"members","value":[{"$ref":null,"value":"%s"}]}`
		remove = `{"op":"Remove","path":"members","value":[{"$ref":null,"value":"%s"}]}`
		where  = `{"op":"remove","path":"members[value eq \"%s\"]"}`
	)
	for _, r := range []struct {
		name, ops, before, after string
		read                     bool // members must be read
	}{
		{"ENT-24 add", fmt.Sprintf(add, "$U1"), "$U2", "$U1 $U2", false},
		{"R-94 L-24 add a member", fmt.Sprintf(add, "$U1"), "$U1", "$U1", false},
		{"ENT-24 many, duplicates collapsed (L-25)", `{"op":"add","path":"members","value":[{"value":"$U1"},{"value":"$U2"},{"value":"$U1"}]}`, "", "$U1 $U2", false},
		{"ENT-28 a string", `{"op":"Add","path":"members","value":"$U1"}`, "", "$U1", false},
		{"ENT-28 strings", `{"op":"Add","path":"members","value":["$U1","$G2"]}`, "", "$U1 $G2", false},
		{"add one object", `{"op":"Add","path":"Members","value":{"value":"$U1","display":"x","type":"User"}}`, "", "$U1", false},
		{"add with core URN", `{"op":"Add","path":"$GROUP:members","value":{"value":"$U1"}}`, "", "$U1", false},
		{"add nothing", `{"op":"Add","path":"members","value":[]}`, "$U1", "$U1", false},
		{"add null", `{"op":"Add","path":"members","value":null}`, "$U1", "$U1", false},
		{"add, pathless", `{"op":"add","value":{"members":[{"value":"$U1"}]}}`, "$U2", "$U1 $U2", false},
		{"ENT-25 JCL-02 L-6 S17 remove by value", fmt.Sprintf(remove, "$U1"), "$U1 $U2", "$U2", false},
		{"L-6 S17 remove one object", `{"op":"remove","path":"members","value":{"value":"$U1"}}`, "$U1 $U2", "$U2", false},
		{"L-6 S17 remove a string", `{"op":"remove","path":"members","value":"$U1"}`, "$U1 $U2", "$U2", false},
		{"L-6 S17 remove strings", `{"op":"remove","path":"members","value":["$U1","$U3"]}`, "$U1 $U2", "$U2", false},
		{"L-6 remove an empty list", `{"op":"remove","path":"members","value":[]}`, "$U1", "$U1", false},
		{"ENT-26 OKT-12 S17 remove by filter", fmt.Sprintf(where, "$U1"), "$U1 $U2", "$U2", false},
		{"R-98 remove who is not there", fmt.Sprintf(where, "$U3"), "$U1 $U2", "$U1 $U2", false},
		{"R-98 remove who cannot be there", fmt.Sprintf(where, "nobody"), "$U1 $U2", "$U1 $U2", false},
		{"R-98 L-24 remove by value who is not there", fmt.Sprintf(remove, "$U3"), "$U1 $U2", "$U1 $U2", false},
		{"R-98 L-24 remove by value who cannot be there", fmt.Sprintf(remove, "not-an-id"), "$U1 $U2", "$U1 $U2", false},
		{"R-98 L-24 among others", `{"op":"remove","path":"members","value":["nobody",{"value":"$T1"},"","$U2",null]}`, "$U1 $U2", "$U1", false},
		{"R-98 L-24 a string who cannot be there", `{"op":"remove","path":"members","value":"nobody"}`, "$U1", "$U1", false},
		{"S17 remove by filter of several", `{"op":"remove","path":"members[value eq \"$U1\" or (VALUE EQ \"$U3\" or value eq \"$G2\")]"}`, "$U1 $U2 $U3 $G2", "$U2", false},
		{"remove by another filter", `{"op":"remove","path":"members[type eq \"Group\"]"}`, "$U1 $G1 $G2", "$U1", true},
		{"remove all but one", `{"op":"remove","path":"members[not (value eq \"$U1\")]"}`, "$U1 $U2 $G1", "$U1", true},
		{"remove by $ref", `{"op":"remove","path":"members[$ref eq \"https://x/scim/v2/Users/$U1\"]"}`, "$U1 $U2", "$U2", true},
		{"remove by a filter nobody matches", `{"op":"remove","path":"members[value eq \"$U1\" and value eq \"$U2\"]"}`, "$U1 $U2", "$U1 $U2", true},
		{"R-96 remove all", `{"op":"remove","path":"members"}`, "$U1 $U2", "", false},
		{"R-96 remove all, value null", `{"op":"remove","path":"members","value":null}`, "$U1 $U2", "", false},
		{"OKT-13 R-102 replace", `{"op":"replace","path":"members","value":[{"value":"$U2","display":"d"},{"value":"$U3"}]}`, "$U1 $U2", "$U2 $U3", false},
		{"OKT-14 R-102 replace with nothing", `{"op":"replace","path":"members","value":[]}`, "$U1 $U2", "", false},
		{"L-9 replace with null", `{"op":"replace","path":"members","value":null}`, "$U1", "", false},
		{"R-99 replace, pathless", `{"op":"replace","value":{"members":[{"value":"$U3"}]}}`, "$U1", "$U3", false},
		{"L-9 clear a selected member", `{"op":"replace","path":"members[value eq \"$U1\"]","value":[]}`, "$U1 $U2", "$U2", false},
		{"OKT-12", fmt.Sprintf(where, "$U1") + `,{"op":"add","path":"members","value":[{"value":"$U2","display":"b"}]}`, "$U1", "$U2", false},
		{"AUT-01", fmt.Sprintf(add, "$U1") + "," + fmt.Sprintf(remove, "$U2"), "$U2", "$U1", false},
		{"R-90 add, then remove", fmt.Sprintf(add, "$U1") + "," + fmt.Sprintf(remove, "$U1"), "$U1 $U2", "$U2", false},
		{"R-90 remove, then add", fmt.Sprintf(remove, "$U1") + "," + fmt.Sprintf(add, "$U1"), "", "$U1", false},
		{"R-90 remove all, then add", `{"op":"remove","path":"members"},` + fmt.Sprintf(add, "$U3"), "$U1", "$U3", false},
		{"R-90 replace, then remove", `{"op":"replace","path":"members","value":["$U1","$U2"]},` + fmt.Sprintf(where, "$U1"), "$U3", "$U2", false},
		{"R-90 add, then replace", fmt.Sprintf(add, "$U1") + `,{"op":"replace","path":"members","value":["$U2"]}`, "$U3", "$U2", false},
		{"R-90 add a group, then remove groups", fmt.Sprintf(add, "$G2") + `,{"op":"remove","path":"members[type eq \"Group\"]"}`, "$U1 $G1 $G2", "$U1", true},
		{"R-90 remove groups, then add one", `{"op":"remove","path":"members[type eq \"Group\"]"},` + fmt.Sprintf(add, "$G2"), "$U1 $G1 $G2", "$G2 $U1", true},
		{"R-90 filter after replace", `{"op":"replace","path":"members","value":["$U1","$G1"]},{"op":"remove","path":"members[type eq \"Group\"]"}`, "$G2 $U3", "$U1", false},
		{"R-90 replace after filter", `{"op":"remove","path":"members[type eq \"Group\"]"},{"op":"replace","path":"members","value":["$G1"]}`, "$G2 $U3", "$G1", false},
	} {
		t.Run(r.name, func(t *testing.T) {
			v := tree(t, body(r.ops))
			p, err := patch.New(filter.New()).Parse(g, &v, patch.Options{Profile: "entra", Self: groupOne})
			if err != nil {
				t.Fatal(err)
			}
			if !p.MembersOnly() {
				t.Error("MembersOnly is false, the document would be read")
			}
			m := p.Members()
			want := strings.Fields(short.Replace(r.after))
			slices.Sort(want)
			if d := cmp.Diff(strings.Join(want, " "), strings.Join(apply(m, strings.Fields(short.Replace(r.before))), " ")); d != "" {
				t.Errorf("members (-want +got):\n%s%+v", d, m)
			}
			if read := len(m.RemoveWhere) > 0; read != r.read {
				t.Errorf("members must be read: %v, want %v", read, r.read)
			}
			for _, id := range m.Add {
				if slices.Contains(m.Remove, id) {
					t.Errorf("%s is in Add and in Remove", id)
				}
			}
		})
	}
}

func TestMembersRefused(t *testing.T) {
	_, g := types(t)
	for _, r := range []row{
		{name: "L-25 malformed id", ops: `{"op":"add","path":"members","value":[{"value":"$U1"},{"value":"nobody"}]}`, err: badValue, says: `operation 1 (add "members"): members[1].value is not the id of a user or group: "nobody"`},
		{name: "L-25 malformed id in replace", ops: `{"op":"replace","value":{"members":["nobody"]}}`, err: badValue, says: "nobody"},
		{name: "L-25 malformed id in add, taken back", ops: `{"op":"add","path":"members","value":["nobody"]},{"op":"remove","path":"members","value":["nobody"]}`, err: badValue, says: "nobody"},
		{name: "number in remove", ops: `{"op":"remove","path":"members","value":[5]}`, err: badValue, says: "members[0]"},
		{name: "no value in remove", ops: `{"op":"remove","path":"members","value":[{"type":"User"}]}`, err: badValue, says: "members[0].value"},
		{name: "S3 id of a token", ops: `{"op":"add","path":"members","value":["$T1"]}`, err: badValue, says: "$T1"},
		{name: "no value in the object", ops: `{"op":"add","path":"members","value":[{"display":"x"}]}`, err: badValue, says: "value"},
		{name: "empty string", ops: `{"op":"replace","path":"members","value":""}`, err: badValue},
		{name: "empty value", ops: `{"op":"replace","path":"members","value":{"value":""}}`, err: badValue},
		{name: "number", ops: `{"op":"add","path":"members","value":5}`, err: badValue},
		{name: "value missing", ops: `{"op":"replace","path":"members"}`, err: badValue, says: "value is missing"},
		{name: "R-38 display of a member", ops: `{"op":"replace","path":"members[value eq \"$U1\"].display","value":"x"}`, err: mutable, says: "added and removed"},
		{name: "R-38 value of a member", ops: `{"op":"replace","path":"members[value eq \"$U1\"].value","value":"$U2"}`, err: mutable},
		{name: "R-38 one member for another", ops: `{"op":"replace","path":"members[value eq \"$U1\"]","value":{"value":"$U2"}}`, err: mutable},
		{name: "R-38 members.value", ops: `{"op":"add","path":"members.value","value":"$U1"}`, err: mutable},
		{name: "R-89 broken filter", ops: `{"op":"remove","path":"members[value eq]"}`, err: badPath},
		{name: "R-97 displayName", ops: `{"op":"remove","path":"displayName"}`, err: mutable},
	} {
		r.run(t, g, group(""), "")
	}
}

// Operations on the document of a group, and both kinds at once.
func TestGroups(t *testing.T) {
	_, g := types(t)
	for _, r := range []struct{ name, ops, want, add, remove string }{
		{"ENT-23 rename", `{"op":"Replace","path":"displayName","value":"Support France"}`, `"displayName":"Support France"`, "", ""},
		{"ENT-23 pathless", `{"op":"replace","value":{"displayName":"Support France"}}`, `"displayName":"Support France"`, "", ""},
		{"ENT-23 externalId", `{"op":"replace","value":{"externalId":"e1"}}`, `"displayName":"Support FR","externalId":"e1"`, "", ""},
		{
			"ENT-27 mixed", `{"op":"Add","path":"members","value":[{"value":"$U1"}]},{"op":"Replace","path":"displayName","value":"X"},{"op":"Remove","path":"members","value":[{"value":"$U2"}]}`,
			`"displayName":"X"`, "$U1", "$U2",
		},
		{"OKT-11 id inside value", `{"op":"replace","value":{"id":"$G1","displayName":"Support France"}}`, `"displayName":"Support France"`, "", ""},
		{
			"AUT-02 whole object, path null", `{"op":"replace","path":null,"value":{"schemas":["$GROUP"],"externalId":"e1","displayName":"Support FR","id":"$G1"}}`,
			`"displayName":"Support FR","externalId":"e1"`, "", "",
		},
	} {
		t.Run(r.name, func(t *testing.T) {
			v, doc := tree(t, body(r.ops)), tree(t, group(""))
			p, err := patch.New(filter.New()).Parse(g, &v, patch.Options{Profile: "authentik", Self: groupOne})
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Apply(&doc, nil)
			if err != nil {
				t.Fatal(err)
			}
			want := short.Replace(`{"schemas":["$GROUP"],"id":"$G1",` + r.want + `}`)
			if d := cmp.Diff(want, string(got.Append(nil))); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			m := p.Members()
			if a, b := strings.Join(m.Add, " "), strings.Join(m.Remove, " "); a != short.Replace(r.add) || b != short.Replace(r.remove) || m.Replace {
				t.Errorf("members: %+v", m)
			}
			if m.Empty() != (r.add == "") || p.MembersOnly() {
				t.Errorf("Empty %v, MembersOnly %v", m.Empty(), p.MembersOnly())
			}
		})
	}
}

// A request that only says what is ignored reads nothing either.
func TestIgnoredOnly(t *testing.T) {
	u, _ := types(t)
	v := tree(t, body(`{"op":"replace","value":{"password":"x","id":"y"}}`))
	p, err := patch.New(filter.New()).Parse(u, &v, patch.Options{})
	if err != nil || !p.MembersOnly() {
		t.Fatal(err, p)
	}
	if m := p.Members(); !m.Empty() {
		t.Errorf("members: %+v", m)
	}
	var doc jsontree.Value
	if _, err := p.Apply(&doc, nil); err == nil {
		t.Error("a stored document that is no object was accepted")
	}
	var se scimerrors.ScimError
	if _, err := p.Apply(nil, nil); err == nil || errors.As(err, &se) {
		t.Errorf("no document: %v", err)
	}
}
