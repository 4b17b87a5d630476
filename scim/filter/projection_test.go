package filter

import (
	"errors"
	"strings"
	"testing"

	scimerr "github.com/elimity-com/scim/errors"

	"github.com/usher-scim/usher/internal/jsontree"
)

const rendered = `{"schemas":["s"],"id":"1","externalId":"e","userName":"u","name":{"familyName":"f","givenName":"g"},` +
	`"emails":[{"value":"a","type":"work"},{"value":"b"}],"groups":[{"value":"g1","display":"d"}],` +
	`"` + entURN + `":{"department":"d","manager":{"value":"m","displayName":"M"}},` +
	`"` + oddURN + `":{"level":1,"pin":"9","notes":"n"},"meta":{"created":"c","version":"v"}}`

// TestProjection is a table, long by nature.
func TestProjection(t *testing.T) {
	user, _ := types(t)
	p := New()
	const base = `"schemas":["s"],"id":"1"`
	for _, c := range []struct{ attributes, excluded, want string }{
		{``, ``, strings.Replace(rendered, `,"pin":"9","notes":"n"`, ``, 1)}, // never, request
		{`userName`, ``, `{` + base + `,"userName":"u"}`},
		{`USERNAME , ,id`, ``, `{` + base + `,"userName":"u"}`},
		{`id`, ``, `{` + base + `}`},  // ENT-07
		{`foo`, ``, `{` + base + `}`},
		{`name.familyName`, ``, `{` + base + `,"name":{"familyName":"f"}}`},
		{`name.familyName,name`, ``, `{` + base + `,"name":{"familyName":"f","givenName":"g"}}`},
		{`name,name.familyName`, ``, `{` + base + `,"name":{"familyName":"f","givenName":"g"}}`},
		{`name.familyName,name.givenName`, ``, `{` + base + `,"name":{"familyName":"f","givenName":"g"}}`},
		{`name.foo`, ``, `{` + base + `}`},
		{`emails.type`, ``, `{` + base + `,"emails":[{"type":"work"}]}`},
		{`emails.VALUE,meta.created`, ``, `{` + base + `,"emails":[{"value":"a"},{"value":"b"}],"meta":{"created":"c"}}`},
		{useURN + `:userName,` + strings.ToUpper(useURN) + `:NAME.givenname`, ``, `{` + base + `,"userName":"u","name":{"givenName":"g"}}`},
		{entURN, ``, `{` + base + `,"` + entURN + `":{"department":"d","manager":{"value":"m","displayName":"M"}}}`},
		{entURN + `:manager.value`, ``, `{` + base + `,"` + entURN + `":{"manager":{"value":"m"}}}`},
		{`department`, ``, `{` + base + `,"` + entURN + `":{"department":"d"}}`}, // L-15
		{oddURN, ``, `{` + base + `,"` + oddURN + `":{"level":1}}`},
		{`notes,pin`, ``, `{` + base + `,"` + oddURN + `":{"notes":"n"}}`},
		{useURN, ``, `{` + base + `,"userName":"u","name":{"familyName":"f","givenName":"g"},"emails":[{"value":"a","type":"work"},{"value":"b"}],"groups":[{"value":"g1","display":"d"}]}`},
		{``, `id,schemas,userName,name,emails,groups,meta,externalId,` + entURN + `,` + oddURN, `{` + base + `}`},
		{
			``, `name.familyName,emails.value,groups,meta,externalId,` + entURN + `:manager,` + oddURN,
			`{` + base + `,"userName":"u","name":{"givenName":"g"},"emails":[{"type":"work"}],"` + entURN + `":{"department":"d"}}`,
		},
		{``, `foo,` + useURN, `{` + base + `,"externalId":"e","` + entURN + `":{"department":"d","manager":{"value":"m","displayName":"M"}},"` + oddURN + `":{"level":1},"meta":{"created":"c","version":"v"}}`},
	} {
		pr, err := p.Projection(user, []string{c.attributes}, []string{c.excluded})
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsontree.Parse([]byte(rendered), jsontree.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		pr.Apply(&doc)
		if got := string(doc.Append(nil)); got != c.want {
			t.Errorf("attributes=%s excludedAttributes=%s:\n got %s\nwant %s", c.attributes, c.excluded, got, c.want)
		}
		if pr.All() != (c.attributes == "" && c.excluded == "") {
			t.Errorf("attributes=%s excludedAttributes=%s: All is %v", c.attributes, c.excluded, pr.All())
		}
	}
	_, err := p.Projection(user, []string{"id"}, []string{"name"})
	var se scimerr.ScimError
	if !errors.As(err, &se) || se.Status != 400 || se.ScimType != scimerr.ScimTypeInvalidValue {
		t.Errorf("both lists: got %v", err)
	}
	var none *Projection
	doc := jsontree.Obj(jsontree.Str("x").As("foo"))
	none.Apply(&doc)
	if len(doc.Items) != 1 || !none.All() || !none.Wants("members") {
		t.Error("the nil projection hides something")
	}
}

func TestProjectionWants(t *testing.T) {
	user, group := types(t)
	p := New()
	for _, c := range []struct {
		attributes, excluded, name string
		want                       bool
	}{
		{``, ``, `members`, true},
		{``, `members`, `members`, false}, // ENT-05
		{``, `MEMBERS`, `members`, false},
		{``, `members.display`, `members`, true},
		{``, `urn:ietf:params:scim:schemas:core:2.0:Group:members`, `members`, false},
		{`displayName`, ``, `members`, false},
		{`members`, ``, `members`, true},
		{`members.value`, ``, `members`, true},
		{`urn:ietf:params:scim:schemas:core:2.0:Group`, ``, `members`, true},
		{`foo`, ``, `members`, false},
		{`foo`, ``, `id`, true},
	} {
		pr, err := p.Projection(group, []string{c.attributes}, []string{c.excluded})
		if err != nil {
			t.Fatal(err)
		}
		if pr.Wants(c.name) != c.want {
			t.Errorf("attributes=%s excludedAttributes=%s: Wants(%s) is %v", c.attributes, c.excluded, c.name, !c.want)
		}
	}
	pr, err := p.Projection(user, nil, []string{"groups"})
	if err != nil || pr.Wants("groups") || !pr.Wants("meta") {
		t.Errorf("excludedAttributes=groups: %v", err)
	}
}
