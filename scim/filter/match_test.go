package filter

import (
	"testing"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// verdict is a filter and whether Alice matches it.
type verdict struct {
	filter string
	want   bool
}

func matchAlice(t *testing.T, verdicts []verdict) {
	t.Helper()
	user, _ := types(t)
	p := New()
	p.Version = func(*resources.Record) string { return `W/"7"` }
	for _, v := range verdicts {
		if got := mustParse(t, p, user, v.filter).Match(alice()); got != v.want {
			t.Errorf("%s: got %v, want %v", v.filter, got, v.want)
		}
	}
}

// TestMatchUser is a table, long by nature.
func TestMatchUser(t *testing.T) {
	matchAlice(t, []verdict{
		// RFC 7644 Figure 2.
		{`userName eq "bjensen"`, false},
		{`name.familyName co "O'Malley"`, true},
		{`userName sw "AMELIE"`, true},
		{`urn:ietf:params:scim:schemas:core:2.0:User:userName sw "a"`, true},
		{`title pr`, false},
		{`meta.lastModified gt "2011-05-13T04:42:34Z"`, true},
		{`meta.lastModified ge "2011-05-13T04:42:34Z"`, true},
		{`meta.lastModified lt "2011-05-13T04:42:34Z"`, false},
		{`meta.lastModified le "2011-05-13T04:42:34Z"`, false},
		{`title pr and userType eq "Employee"`, false},
		{`title pr or userType eq "Intern"`, false},
		{`schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`, true},
		{`userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")`, true},
		{`userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")`, false},
		{`userType eq "Employee" and (emails.type eq "work")`, true},
		{`userType eq "Employee" and emails[type eq "work" and value co "@example.com"]`, true},
		{`emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]`, true},
		// operators and words in any case; names too (R-3, L-3).
		{`USERNAME EQ "amelie.roux@acme.example"`, true},
		{`Emails[Type Eq "WORK"].Value eq "A.ROUX@example.com"`, true},
		{`NOT (active EQ true) OR title PR`, false},
		// not before and before or.
		{`userType eq "x" and title pr or active eq true`, true},
		{`userType eq "x" and (title pr or active eq true)`, false},
		{`not (userType eq "x") and active eq true`, true},
	})
}

// TestMatchUserValues is a table, long by nature: how values compare, and which
// of several.
func TestMatchUserValues(t *testing.T) {
	matchAlice(t, []verdict{
		// case, instants, exact numbers.
		{`externalId eq "aRoux"`, true},
		{`externalId eq "aroux"`, false},
		{`ticket eq "AbC" and not (ticket eq "abc")`, true},
		{`displayName eq "AMÉLIE roux"`, true},
		{`displayName eq "ame\u0301lie roux"`, true},
		{`userName gt "amelie" and userName lt "amelif"`, true},
		{`born eq "2011-05-13T02:42:34.05Z"`, true},
		{`born lt "2011-05-13T02:42:34.5Z"`, true},
		{`born eq "2011-05-13t02:42:34.050"`, true},
		{`level eq 9007199254740993`, true},
		{`level eq 9007199254740992`, false},
		{`level gt 9007199254740992`, true},
		{`ratio eq -12.5 and ratio eq -1.25e1 and ratio lt -12`, true},
		{`ratio gt -1e999999999`, true},
		{`vip eq false and vip ne true`, true},
		{`blob eq "AAEC"`, true},
		{`blob eq "aaec"`, false},
		//
		{`emails[type eq "work" and value co "example.org"]`, false},
		{`emails.type eq "work" and emails.value co "example.org"`, true},
		{`emails[type eq "home" and not (primary eq true) and (value ew "org" or value sw "x")]`, true},
		{`emails[not (type eq "work")]`, true},
		{`phoneNumbers[not (type eq "work")]`, false},
		{`name[familyName sw "o'"]`, true},
		{`tags eq "red" and tags.value eq "BLUE" and tags[value co "lu"]`, true},
		{entURN + `:department eq "r&d \"ONE\""`, true},
		{`URN:IETF:params:scim:schemas:extension:enterprise:2.0:user:Department pr`, true},
		{oddURN + `:level gt 1`, true},
		{oddURN + `:eq eq "E" and eq eq "e"`, true},
		// presence and null.
		{`nickName pr or phoneNumbers pr or title pr`, false},
		{`name pr and emails pr and emails.type pr and active pr`, true},
		{`title eq null or nickName eq null`, true},
		{`nickName eq null and emails ne null and emails.display eq null`, true},
		{`vip pr`, true},
		{`bonus pr`, false},
		// ne on what is absent, and on several values.
		{`nickName ne "x" and nickName ne null`, false},
		{`nickName ne "x"`, true},
		{`emails.type ne "work"`, true},
		{`roles.value ne "admin"`, false},
		{`bonus ne "x"`, true},
		// L-2, L-19: booleans in quotes; L-15: short names, complex means value.
		{`active eq "True" and active eq TRUE`, true},
		{`roles[primary eq "True"]`, true},
		{`manager eq "m1" and department pr`, true},
		{`emails eq "am@example.org"`, true},
		{`addresses[type eq "work" and locality eq "lyon"]`, true},
		// Attributes of the record.
		{`id eq "` + aliceID + `" and manager eq "m1"`, true},
		{`id pr and meta pr and meta.created pr and schemas pr`, true},
		{`id eq null`, false},
		{`meta.created eq "2011-05-16T00:00:00.25Z"`, true},
		{`meta.lastModified eq "2011-05-16T02:00:01.500+02:00"`, true},
		{`meta.resourceType eq "User" and meta.version eq "W/\"7\""`, true},
		{`meta.location eq "https://x.example/scim/v2/Users/` + aliceID + `"`, true},
		{`meta.location ew "/` + aliceID + `" and meta.location ne "https://x.example/Users/other"`, true},
		{`groups eq "` + groupID + `" and groups.display co "support"`, true},
		{`groups[value eq "` + groupID + `" and type eq "direct"]`, true},
		{`groups.$ref ew "/` + groupID + `" or groups.$ref eq "https://h/Groups/` + groupID + `"`, true},
		{`groups.value eq "other"`, false},
	})
}

func TestMatchGroup(t *testing.T) {
	_, group := types(t)
	p := New()
	for filter, want := range map[string]bool{
		`displayName eq "support fr"`:                                true,
		`members eq "` + aliceID + `"`:                               true,
		`members[value eq "` + aliceID + `" and type eq "user"]`:     true,
		`members.type eq "Group"`:                                    false,
		`members.$ref eq "https://h/scim/v2/Users/` + aliceID + `"`:  true,
		`not (members.value eq "x")`:                                 true,
		`members pr`:                                                 true,
		`meta.lastModified eq "2011-05-17T00:00:00Z"`:                true, // the membership changed last
		`id eq "` + groupID + `" and members eq "` + aliceID + `"`:   true, // ENT-07
		`meta.resourceType eq "user" or externalId eq "G-1"`:         false,
		`urn:ietf:params:scim:schemas:core:2.0:Group:displayName pr`: true,
	} {
		if got := mustParse(t, p, group, filter).Match(support()); got != want {
			t.Errorf("%s: got %v, want %v", filter, got, want)
		}
	}
}

// A stored value of another type than the schema says must not panic and
// equals nothing.
func TestMatchStrangeDocuments(t *testing.T) {
	user, _ := types(t)
	p := New()
	for _, profile := range []string{
		`{"userName":5,"name":"x","emails":"a","active":"yes","roles":[[1],null,3,"v"],"` + oddURN + `":[1]}`,
		`{"userName":{},"name":[],"emails":[{"value":{"a":1}}],"` + oddURN + `":{"level":"7","ratio":true,"born":5,"tags":{"a":[]}}}`,
		`[]`, `null`, `not json`, ``,
	} {
		r := &resources.Record{Kind: resources.KindUser, ID: aliceID, Profile: []byte(profile)}
		for _, f := range []string{
			`userName eq "5"`, `name.givenName sw "x"`, `emails.value co "a"`, `active eq true`, `roles[value eq "v"]`,
			`level eq 7`, `ratio gt 1`, `born lt "2011-05-13T02:42:34Z"`, `tags eq "x"`, `emails[value eq "a"]`,
		} {
			if mustParse(t, p, user, f).Match(r) {
				t.Errorf("%s matches %s", f, profile)
			}
			mustParse(t, p, user, "not ("+f+")").Match(r)
		}
		if !mustParse(t, p, user, `userName ne "x" and level ne 7 and born ne "2011-05-13T02:42:34Z"`).Match(r) {
			t.Errorf("ne does not match %s", profile)
		}
	}
}

func TestMatchElement(t *testing.T) {
	user, _ := types(t)
	p := New()
	element, err := jsontree.Parse([]byte(`{"value":"A","type":"work","primary":true}`), jsontree.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		`emails[type eq "WORK"]`: true,
		`emails[type eq "work" and (value eq "b" or not (primary eq false))]`: true,
		`emails[primary eq "False"].value`:                                    false,
		`emails[display pr]`:                                                  false,
		`emails[display eq null].type`:                                        true,
	} {
		got, err := p.Path(user, path)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if got.Filter.MatchElement(&element) != want {
			t.Errorf("%s: want %v", path, want)
		}
	}
	tag := jsontree.Str("Red")
	simple, err := p.Path(user, `tags[value eq "red"]`)
	if err != nil || !simple.Filter.MatchElement(&tag) {
		t.Errorf("tags[value eq …]: %v", err)
	}
}
