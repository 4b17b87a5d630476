package filter

import (
	"slices"
	"strings"
	"testing"

	elimityfilter "github.com/elimity-com/scim/filter"
	elimity "github.com/elimity-com/scim/schema"
	"github.com/google/go-cmp/cmp"
	grammar "github.com/scim2/filter-parser/v2"

	"github.com/usher-scim/usher/scim/schema"
)

// corpus is what both usher and filter-parser read: the trees must be equal.
func corpus() []string {
	return []string{
		`userName eq "bjensen"`,
		`Name.FamilyName Co "O'Malley"`,
		`userName SW "J"`,
		`urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J"`,
		entURN + `:manager.value eq "x"`,
		entURN + `:department pr`,
		bigURN + `:bonus pr`,
		`title PR`,
		`meta.lastModified gt "2011-05-13T04:42:34Z"`,
		`title pr and userType eq "Employee"`,
		`title pr or userType eq "Intern"`,
		`schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`,
		`userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")`,
		`userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")`,
		`userType eq "Employee" and emails[type eq "work" and value co "@example.com"]`,
		`emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]`,
		`emails[not (type eq "work")]`,
		`emails[ type eq "work" ]`,
		`emails [type pr]`,
		`title pr and title pr or title pr and title pr or title pr`,
		`title pr or title pr and title pr or not (title pr and title pr)`,
		`((title pr) or (title pr)) and (title pr and (title pr or title pr))`,
		`not(not(title pr))`,
		`NOT (title pr) AND title pr OR title pr`,
		`( title pr  or  title pr )`,
		`active eq true and active ne false or title eq null`,
		`level eq 5 and level gt -12 and ratio le 1.5e3 and ratio lt -0.25e-7`,
		`title eq "and (or) not [x]"`,
		`title eq ""`,
		`eq eq "eq" and title eq "x"`,
	}
}

// lowered writes all names of a tree in lower case: usher's are spelled as in
// the schemas, filter-parser's as the client did.
func lowered(e grammar.Expression) grammar.Expression {
	path := func(a grammar.AttributePath) grammar.AttributePath {
		lower := func(s *string) *string {
			if s == nil {
				return nil
			}
			l := strings.TrimSuffix(strings.ToLower(*s), ":")
			return &l
		}
		return grammar.AttributePath{URIPrefix: lower(a.URIPrefix), AttributeName: strings.ToLower(a.AttributeName), SubAttribute: lower(a.SubAttribute)}
	}
	switch e := e.(type) {
	case *grammar.LogicalExpression:
		return &grammar.LogicalExpression{Left: lowered(e.Left), Right: lowered(e.Right), Operator: e.Operator}
	case *grammar.NotExpression:
		return &grammar.NotExpression{Expression: lowered(e.Expression)}
	case *grammar.ValuePath:
		return &grammar.ValuePath{AttributePath: path(e.AttributePath), ValueFilter: lowered(e.ValueFilter)}
	case *grammar.AttributeExpression:
		return &grammar.AttributeExpression{AttributePath: path(e.AttributePath), Operator: e.Operator, CompareValue: e.CompareValue}
	}
	return nil
}

func TestSameTreeAsGrammar(t *testing.T) {
	user, _ := types(t)
	p := New()
	for _, text := range corpus() {
		want, err := grammar.ParseFilterNumber([]byte(text))
		if err != nil {
			t.Fatalf("%s: filter-parser refuses it: %v", text, err)
		}
		got := mustParse(t, p, user, text)
		if diff := cmp.Diff(lowered(want), lowered(got.Expression())); diff != "" {
			t.Errorf("%s: (-filter-parser +usher)\n%s", text, diff)
		}
		again := mustParse(t, p, user, got.String())
		if diff := cmp.Diff(got.Expression(), again.Expression()); diff != "" {
			t.Errorf("%s: written and read again: %s\n%s", text, got, diff)
		}
	}
}

// What filter-parser cannot read and usher does (elimity.md §2).
func TestWiderThanGrammar(t *testing.T) {
	user, _ := types(t)
	p := New()
	for text, want := range map[string]string{
		`emails[type eq "work"].value eq "x"`:                    `emails[type eq "work" and value eq "x"]`, // L-18
		`emails[type eq "a" or type eq "b"].value eq "x"`:        `emails[(type eq "a" or type eq "b") and value eq "x"]`,
		`emails[type pr].value pr and title pr`:                  `emails[type pr and value pr] and title pr`,
		`emails[type eq "a" and value pr and (primary eq true)]`: `emails[type eq "a" and value pr and primary eq true]`,
		`emails[not (type pr) or not (value pr or display pr)]`:  `emails[not (type pr) or not (value pr or display pr)]`,
		`URN:IETF:PARAMS:SCIM:SCHEMAS:CORE:2.0:USER:USERNAME pr`: useURN + `:userName pr`,
		`Urn:Acme_corp:scim:1.0:EXTRA:Level eq 5`:                oddURN + `:level eq 5`,
		`title eq "\u00e9\/\u0041"`:                              `title eq "é/A"`,
		` title pr `:                                             `title pr`,
		`Department pr`:                                          `department pr`,
		`active eq "False"`:                                      `active eq false`,
	} {
		f := mustParse(t, p, user, text)
		if got := f.String(); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
		if again := mustParse(t, p, user, f.String()); again.String() != f.String() {
			t.Errorf("%s: written and read again: %s", f, again)
		}
	}
}

// TestSameVerdictAsElimity runs every leaf through elimity's validator: it and
// usher agree on which attributes there are, but for the list, which makes the
// function long.
func TestSameVerdictAsElimity(t *testing.T) {
	user, _ := types(t)
	p := New()
	core := user.Resource.Schema
	core.Attributes = append(slices.Clip(core.Attributes), elimity.CommonAttributes()...)
	var extensions []elimity.Schema
	for _, x := range user.Resource.SchemaExtensions {
		extensions = append(extensions, x.Schema)
	}
	elimityTakes := func(text string) bool {
		tree, err := grammar.ParseFilterNumber([]byte(text))
		return err == nil && elimityfilter.NewFilterValidator(tree, core, extensions...).Validate() == nil
	}
	// Only usher takes these.
	wider := map[string]string{
		oddURN + `:level eq 5`:                                    "filter-parser knows no underscore in URNs",
		strings.ToUpper(entURN) + `:department pr`:                "elimity compares URNs with case",
		`emails[type eq "a" and value eq "b" and display eq "c"]`: "filter-parser takes two conditions",
	}
	// Only elimity takes these.
	stricter := map[string]string{
		`active gt true`:      "R-66",
		`userName eq 5`:       "wrong type",
		`level eq "x"`:        "wrong type",
		`meta.created gt "x"`: "wrong type",
		`pin eq "1"`:          "never returned",
		`name eq "x"`:         "name has no value",
		`foo[bar eq "x"]`:     "unknown attribute in front of brackets",
		`userName gt null`:    "null has no order",
		`title[value eq "x"]`: "one plain value",
		`meta.version eq "x"`: "not offered",
	}
	texts := append(corpus(), `foo eq "x"`, `name.foo pr`, `emails.foo pr`, `emails[type foo "x"]`, `userName xx "x"`,
		`urn:foo:bar pr`, entURN+`:foo pr`, `id eq "x"`, `externalId pr`, `meta.created pr`, `meta.foo pr`)
	for text := range wider {
		texts = append(texts, text)
	}
	for text := range stricter {
		texts = append(texts, text)
	}
	for _, text := range texts {
		_, err := p.Parse(user, text, Options{})
		ours, theirs := err == nil, elimityTakes(text)
		if ours && !theirs && wider[text] == "" {
			if leavesTaken(p, user, text, core, extensions) {
				continue // elimity wants all attributes in one schema; leaf by leaf it agrees
			}
			t.Errorf("%s: usher takes it, elimity does not", text)
		}
		if !ours && theirs && stricter[text] == "" {
			t.Errorf("%s: elimity takes it, usher does not: %v", text, err)
		}
		if (wider[text] != "" && (!ours || theirs)) || (stricter[text] != "" && (ours || !theirs)) {
			t.Errorf("%s: is in a list of differences and is none: usher %v, elimity %v", text, ours, theirs)
		}
	}
}

func leavesTaken(p *Parser, typ *schema.Type, text string, core elimity.Schema, extensions []elimity.Schema) bool {
	f, err := p.Parse(typ, text, Options{})
	if err != nil {
		return false
	}
	good := true
	var visit func(n *node)
	visit = func(n *node) {
		if n.op < opAnd {
			leaf := expression(n, false)
			good = good && elimityfilter.NewFilterValidator(leaf, core, extensions...).Validate() == nil
			return
		}
		visit(n.left)
		if n.right != nil {
			visit(n.right)
		}
	}
	visit(f.root)
	return good
}
