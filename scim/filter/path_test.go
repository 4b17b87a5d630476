package filter

import (
	"strings"
	"testing"

	scimerr "github.com/elimity-com/scim/errors"
)

// TestPath is a table, long by nature.
func TestPath(t *testing.T) {
	user, group := types(t)
	p := New()
	for _, c := range []struct{ text, urn, attr, filter, sub, written string }{
		{text: `userName`, attr: "userName"},
		{text: `USERNAME`, attr: "userName", written: "userName"},
		{text: `name.givenName`, attr: "name", sub: "givenName"},
		{text: `emails.Value`, attr: "emails", sub: "value", written: "emails.value"},
		{text: `emails[type eq "work"]`, attr: "emails", filter: `emails[type eq "work"]`},
		{text: `emails[type eq "other"].Value`, attr: "emails", filter: `x`, sub: "value", written: `emails[type eq "other"].value`}, // ENT-16
		{text: `addresses[type eq "other"].Formatted`, attr: "addresses", filter: "x", sub: "formatted", written: `addresses[type eq "other"].formatted`},
		{text: `emails[(type eq "a" or type eq "b") and value pr and primary eq true].display`, attr: "emails", filter: "x", sub: "display"},
		{text: useURN + `:userName`, attr: "userName", written: "userName"},
		{text: useURN + `:name.familyName`, attr: "name", sub: "familyName", written: "name.familyName"},
		{text: strings.ToLower(useURN) + `:emails[type pr].type`, attr: "emails", filter: "x", sub: "type", written: "emails[type pr].type"},
		{text: entURN + `:Department`, urn: entURN, attr: "department", written: entURN + `:department`},
		{text: entURN + `:manager.value`, urn: entURN, attr: "manager", sub: "value"},
		{text: `manager.value`, urn: entURN, attr: "manager", sub: "value", written: entURN + `:manager.value`}, // L-15
		{text: `department`, urn: entURN, attr: "department", written: entURN + `:department`},
		{text: bigURN + `:bonus`, urn: bigURN, attr: "bonus"}, // L-5: the longest URN
		{text: oddURN + `:tags[value eq "x"]`, urn: oddURN, attr: "tags", filter: "x"},
		{text: oddURN + `:tags[value eq "x"].value`, urn: oddURN, attr: "tags", filter: "x", written: oddURN + `:tags[value eq "x"]`},
		{text: `externalId`, attr: "externalId"},
		{text: `meta.created`, attr: "meta", sub: "created"},
		{text: `roles[primary eq "True"].value`, attr: "roles", filter: "x", sub: "value", written: `roles[primary eq true].value`}, // ENT-19
	} {
		got, err := p.Path(user, c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		sub := ""
		if got.Sub != nil {
			sub = got.Sub.Name
		}
		if got.URN != c.urn || got.Attr.Name != c.attr || sub != c.sub || (got.Filter != nil) != (c.filter != "") || got.Extension != nil {
			t.Errorf("%s: got %+v", c.text, got)
		}
		if c.written == "" {
			c.written = c.text
		}
		if got.String() != c.written {
			t.Errorf("%s: written as %s, want %s", c.text, got, c.written)
		}
	}
	for _, text := range []string{entURN, strings.ToUpper(oddURN), bigURN} {
		got, err := p.Path(user, text)
		if err != nil || got.Extension == nil || got.Attr != nil || !strings.EqualFold(got.Extension.URN, text) {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
	}
	member, err := p.Path(group, `members[value eq "2819c223"].display`)
	if err != nil || member.Attr.Name != "members" || member.Filter == nil {
		t.Errorf("members: got %+v, %v", member, err)
	}
	if _, err := p.Path(group, `members[display eq "x"]`); err != nil {
		t.Errorf("members[display …] of a path: %v", err)
	}
}

func TestPathRefuses(t *testing.T) {
	user, _ := types(t)
	p := New()
	for _, c := range []struct{ text, says string }{
		{``, `it is empty`},
		{` `, `an attribute name is expected here`},
		{`foo`, `The path is not valid at character 1: User has no attribute "foo"`},
		{`/userName`, `no attribute "/userName"`},
		{`emails/0/value`, `no attribute "emails/0/value"`},
		{`emails[0].value`, `at character 8: "emails" has no sub-attribute "0"`},
		{`emails[type eq "work"`, `never closed`},
		{`emails[type eq "work"].`, `no sub-attribute ""`},
		{`emails[type eq "work"].foo`, `at character 24: "emails" has no sub-attribute "foo"`},
		{`emails[type eq "work"].value.x`, `no sub-attribute "value.x"`},
		{`emails[type eq "work"].value eq "x"`, `the path should end here`},
		{`emails[type eq "work"]value`, `the path should end here`},
		{`emails[foo eq "x"]`, `"emails" has no sub-attribute "foo"`},
		{`emails[primary gt true]`, `does not go with`},
		{`emails[type eq work]`, `double quotes`},
		{`emails.`, `no sub-attribute ""`},
		{`.emails`, `no attribute ""`},
		{`name.givenName.x`, `no sub-attribute`},
		{`userName.value`, `no sub-attribute`},
		{`userName[value eq "x"]`, `no values`},
		{`emails.value[type eq "x"]`, `no values`},
		{`userName `, `the path should end here`},
		{`userName eq "x"`, `the path should end here`},
		{useURN, `it is the core schema of User`},
		{useURN + `:`, `is a schema`},
		{useURN + `:foo`, `no attribute "foo"`},
		{`urn:foo:2.0:User:bar`, `names no schema of User`},
		{entURN + `:userName`, `no attribute "userName"`},
		{oddURN + `:pin[value eq "x"]`, `no values`},
		{"e\xffmails", `not valid UTF-8`},
		{"e\u00e9mails", `U+00E9`},
		{strings.Repeat("a", 2049), `longer than 2048 bytes`},
		{strings.Repeat("\ufffd", 600), `U+FFFD`},
		{`emails[` + strings.Repeat("(", 20) + `]`, `nested deeper`},
		{`emails[` + strings.Repeat(`type pr or `, 60) + `type pr]`, `it has`},
	} {
		_, err := p.Path(user, c.text)
		refused(t, c.text, err, scimerr.ScimTypeInvalidPath, c.says)
	}
}

// TestEqualities is the part of L-7 and L-19 that lies here.
func TestEqualities(t *testing.T) {
	user, _ := types(t)
	p := New()
	for text, want := range map[string]string{
		`emails[type eq "work"]`:                                            `type="work"`,
		`emails[type eq "work" and primary eq "True"]`:                      `type="work" primary=true`,
		`emails[(type eq "a" and value eq "b") and (display eq "c")].value`: `type="a" value="b" display="c"`,
		`tags[value eq "x"]`:                                                `="x"`,
		`emails[type eq "work" or type eq "home"]`:                          ``,
		`emails[not (type eq "work")]`:                                      ``,
		`emails[type sw "work"]`:                                            ``,
		`emails[type eq null]`:                                              ``,
		`emails[type pr]`:                                                   ``,
		`emails[type eq "work" and value ne "x"]`:                           ``,
		`emails`: ``,
	} {
		path, err := p.Path(user, text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		list, ok := path.Filter.Equalities()
		if ok != (want != "") {
			t.Errorf("%s: plain is %v", text, ok)
		}
		got := ""
		for _, e := range list {
			v := e.Value
			if got != "" {
				got += " "
			}
			if e.Sub != nil {
				got += e.Sub.Name
			}
			got += "=" + string(v.Append(nil))
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}
