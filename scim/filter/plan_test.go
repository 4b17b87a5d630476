package filter

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/resources"
)

// TestPlanUser is a table, long by nature.
func TestPlanUser(t *testing.T) {
	user, _ := types(t)
	p := New()
	p.Version = func(*resources.Record) string { return "" }
	for filter, want := range map[string]string{
		// Identity providers' look-ups.
		`userName eq "Amelie.Roux@acme.example"`: `is un; exact`, // OKT-02, ENT-03
		`externalId eq "aRoux"`:                  `is ux; exact`, // ENT-02
		`emails eq "a@b.c"`:                      `is ue; exact`, // PNG-01
		`emails.value eq "a@b.c"`:                `is ue; exact`,
		`emails[value eq "a@b.c"]`:               `is ue; exact`,
		`emails[type eq "work"].value eq "a@b"`:  `is ue; each record: emails[type eq ? and value eq ?], with needle`, // ENT-04
		`id eq "U1" and manager eq "U2"`:         `ids; each record: manager eq ?, with needle`,                       // ENT-07
		`manager eq "U2" and id eq "U1"`:         `ids; each record: manager eq ?, with needle`,
		// Names.
		`userName sw "a"`:      `prefix uz; exact`,
		`userName co "a"`:      `contains uz; exact`,
		`userName ew "a"`:      `none; each record: userName ew ?, with needle`,
		`displayName eq "x"`:   `is ud; exact`,
		`displayName eq "x y"`: `is ud; each record: displayName eq ?, with needle`, // a space may stand for a control character
		`displayName co "x"`:   `contains ud; exact`,
		`displayName sw "x"`:   `prefix ud; exact`,
		`displayName eq ""`:    `none; each record: displayName eq ?, with needle`,
		`displayName eq null`:  `none; each record: displayName eq ?`,
		`externalId co "x"`:    `none; each record: externalId co ?, with needle`,
		`userName eq "` + strings.Repeat("é", keyRoom/2+1) + `"`: `is un; each record: userName eq ?, with needle`,
		`userName co "` + strings.Repeat("é", keyRoom/2+1) + `"`: `none; each record: userName co ?, with needle`,
		`userName gt "a"`: `none; each record: userName gt ?, with needle`,
		// Other indexes.
		`active eq false`:                             `in ui; exact`,
		`active eq "False"`:                           `in ui; exact`,
		`active eq true`:                              `none; each record: active eq ?, with needle`,
		`active ne true`:                              `none; each record: active ne ?`,
		`id eq "a" or id eq "b" or id eq "c"`:         `ids; exact`,
		`id pr and meta pr`:                           `and(in uc, in uc); exact`,
		`meta.resourceType eq "Group"`:                `ids; exact`,
		`meta.resourceType eq "User"`:                 `in uc; exact`,
		`meta.lastModified gt "2011-05-13T04:42:34Z"`: `range ul; exact`,
		`meta.lastModified gt "2011-05-13T04:42:34Z" and meta.lastModified le "2012-05-13T04:42:34Z"`: `range ul; exact`,
		`meta.lastModified ne "2011-05-13T04:42:34Z"`:                                                 `none; each record: meta.lastModified ne ?`,
		`meta.lastModified eq "2011-05-13T04:42:34.0001Z"`:                                            `ids; exact`, // between two milliseconds: nothing
		`meta.created ge "2011-05-13T04:42:34Z"`:                                                      `range uc; exact`,
		`groups eq "g"`:                                                                               `members-of; exact`,
		`groups.value eq "g"`:                                                                         `members-of; exact`,
		`groups[value eq "g"]`:                                                                        `members-of; exact`,
		`groups[value eq "g" and type eq "direct"]`:                                                   `members-of; each record: groups[value eq ? and type eq ?], with groups`,
		`groups.display eq "x"`:                                                                       `none; each record: groups.display eq ?, with groups`,
		`meta.version eq "x"`:                                                                         `none; each record: meta.version eq ?, with groups`,
		// Logic.
		`userName eq "a" and title pr`:                                                   `is un; each record: title pr, with needle`,
		`title pr and (userName eq "a" and active eq false)`:                             `and(is un, in ui); each record: title pr and (userName eq ? and active eq ?), with needle`,
		`title pr and (userName eq "a" and active eq false or id eq "b")`:                `or(and(is un, in ui), ids); each record: title pr and (userName eq ? and active eq ? or id eq ?), with needle`,
		`(userName eq "a" and active eq false) or (externalId eq "b" and groups eq "g")`: `or(and(is un, in ui), and(is ux, members-of)); exact`,
		`(userName eq "a" and active eq false) or (userName eq "b" and title pr)`:        `or(and(is un, in ui), is un); each record: userName eq ? and active eq ? or userName eq ? and title pr`,
		`userName eq "a" and groups eq "g" and title pr`:                                 `and(is un, members-of); each record: userName eq ? and groups eq ? and title pr, with needle, with groups`,
		`userName eq "a" or externalId eq "a"`:                                           `or(is un, is ux); exact`,
		`userName eq "a" or title pr`:                                                    `none; each record: userName eq ? or title pr`,
		`userName eq "a" or displayName eq "x y"`:                                        `or(is un, is ud); each record: userName eq ? or displayName eq ?`,
		`not (userName eq "a")`:                                                          `none; each record: not (userName eq ?)`,
		`not (userName eq "a") and id eq "b"`:                                            `ids; each record: not (userName eq ?)`,
		`emails[value eq "a" or value eq "b"]`:                                           `or(is ue, is ue); exact`,
		`emails[value ne "a"]`:                                                           `none; each record: emails[value ne ?], with needle`,
		`emails[not (value eq "a")]`:                                                     `none; each record: emails[not (value eq ?)], with needle`,
		oddURN + `:eq eq "x"`:                                                            `none; each record: ` + oddURN + `:eq eq ?, with needle`,
	} {
		got := mustParse(t, p, user, filter).Explain()
		if _, got, _ = strings.Cut(got, "; indexes: "); got != want {
			t.Errorf("%s:\n got %s\nwant %s", filter, got, want)
		}
	}
}

func TestPlanGroup(t *testing.T) {
	_, group := types(t)
	p := New()
	for filter, want := range map[string]string{
		`displayName eq "Support"`:       `is gn; exact`,
		`displayName eq "Support FR"`:    `is gn; each record: displayName eq ?, with needle`, // ENT-05
		`displayName co "x"`:             `contains gz; exact`,
		`displayName sw "x"`:             `prefix gz; exact`,
		`externalId eq "x"`:              `is gx; exact`,
		`id eq "G1" and members eq "U1"`: `and(ids, groups-of); exact`, // L-16, ENT-07
		`members eq "U1" and id eq "G1"`: `and(groups-of, ids); exact`,
		`members[value eq "U1"]`:         `groups-of; exact`,
		// What decides on each record must not need the members of large groups.
		`id eq "G1" and members eq "U1" and displayName eq "Support FR"`:        `groups-of; each record: id eq ? and displayName eq ?, with needle`,
		`externalId pr and (displayName sw "S" and members eq "U1")`:            `groups-of; each record: externalId pr and displayName sw ?, with needle`,
		`members eq "U1" and members eq "U2" and externalId pr`:                 `groups-of; each record: members eq ? and externalId pr, with needle, with members`,
		`(members eq "U1" or id eq "G1") and displayName sw "S" and members pr`: `and(or(groups-of, ids), prefix gz); each record: (members eq ? or id eq ?) and displayName sw ? and members pr, with needle, with members`,
		`members.value eq "U1" and externalId pr`:                               `groups-of; each record: externalId pr, with needle`,
		`members eq "U1" or displayName co "x"`:                                 `or(groups-of, contains gz); exact`,
		`not (members eq "U1")`:                                                 `none; each record: not (members eq ?), with members`,
		`members eq "U1" or externalId pr`:                                      `none; each record: members eq ? or externalId pr, with members`,
		`members pr`:                                                            `none; each record: members pr, with members`,
		`meta.lastModified le "2011-05-13T04:42:34Z"`:                           `range gl; exact`,
		`meta.lastModified ge "2011-05-13T04:42:34Z"`:                           `range gl; exact`,
	} {
		got := mustParse(t, p, group, filter).Explain()
		if _, got, _ = strings.Cut(got, "; indexes: "); got != want {
			t.Errorf("%s:\n got %s\nwant %s", filter, got, want)
		}
	}
}

func TestPlanConditions(t *testing.T) {
	user, group := types(t)
	p := New()
	const ms = 1305261754000 // 2011-05-13T04:42:34Z
	low, high := int64(-1<<63), int64(1<<63-1)
	at := func(o, frac string) string { return `meta.lastModified ` + o + ` "2011-05-13T04:42:34` + frac + `Z"` }
	for filter, want := range map[string]resources.Cond{
		at("eq", ""):                            {Op: resources.CondRange, Index: resources.UserModified, From: ms, To: ms},
		at("gt", ""):                            {Op: resources.CondRange, Index: resources.UserModified, From: ms + 1, To: high},
		at("ge", ""):                            {Op: resources.CondRange, Index: resources.UserModified, From: ms, To: high},
		at("lt", ""):                            {Op: resources.CondRange, Index: resources.UserModified, From: low, To: ms - 1},
		at("le", ""):                            {Op: resources.CondRange, Index: resources.UserModified, From: low, To: ms},
		at("gt", ".0005"):                       {Op: resources.CondRange, Index: resources.UserModified, From: ms + 1, To: high},
		at("ge", ".0005"):                       {Op: resources.CondRange, Index: resources.UserModified, From: ms + 1, To: high},
		at("lt", ".0005"):                       {Op: resources.CondRange, Index: resources.UserModified, From: low, To: ms},
		at("le", ".0005"):                       {Op: resources.CondRange, Index: resources.UserModified, From: low, To: ms},
		at("ge", ".050"):                        {Op: resources.CondRange, Index: resources.UserModified, From: ms + 50, To: high},
		at("ge", "") + ` and ` + at("lt", ".2"): {Op: resources.CondRange, Index: resources.UserModified, From: ms, To: ms + 199},
		`id eq "a" or id eq "b"`:                {Op: resources.CondIDs, IDs: []string{"a", "b"}},
		`meta.created gt "2011-05-13T04:42:34Z" and meta.created lt "2011-05-13T04:42:35Z"`: {Op: resources.CondAnd, Subs: []resources.Cond{
			{Op: resources.CondRange, Index: resources.UserAll, FromID: "15vop6h6h90000000000"},
			{Op: resources.CondRange, Index: resources.UserAll, ToID: "15vop6h8eg0000000000"},
		}},
		`userName eq "AÉ"`: {Op: resources.CondIs, Index: resources.UserName, Value: "aé"},
		`groups eq "G"`:    {Op: resources.CondMembersOf, Value: "g"},
		`emails co "x" and userName sw "a" and active eq false`: {Op: resources.CondAnd, Subs: []resources.Cond{
			{Op: resources.CondPrefix, Index: resources.UserNameOrder, Value: "a"}, {Op: resources.CondIn, Index: resources.UserInactive},
		}},
	} {
		q := mustParse(t, p, user, filter).Plan()
		if filter[:9] == "meta.crea" { // ids of times: checked by meaning
			if q.Where.Subs[0].FromID >= q.Where.Subs[1].ToID || len(q.Where.Subs[0].FromID) != 20 {
				t.Errorf("%s: got %+v", filter, q.Where)
			}
			continue
		}
		if diff := cmp.Diff(&want, q.Where); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", filter, diff)
		}
	}
	if q := mustParse(t, p, group, `displayName eq "x"`).Plan(); q.Kind != resources.KindGroup || q.Match != nil {
		t.Errorf("group: %+v", q)
	}
}

// When Match decides, the store may ask one term of an AND and leave out the
// others: Match must then refuse by itself what they would have kept out.
func TestPlanDecidesWhole(t *testing.T) {
	user, group := types(t)
	p := New()
	const name, other = `userName eq "Amelie.Roux@Acme.example"`, `externalId eq "other"` // the first is Alice's
	for _, filter := range []string{
		name + ` and ` + other + ` and name.familyName pr`,
		`name.familyName pr and ` + name + ` and ` + other,
		`name.familyName pr and (` + name + ` and (` + other + `))`,
		`name.familyName pr and (` + name + ` and ` + other + ` or id eq "nobody")`,
		`(` + name + ` and ` + other + `) or (` + other + ` and name.familyName pr)`,
		`(` + name + ` or ` + other + `) and ` + other + ` and name.familyName pr`,
		`meta.created gt "2011-01-01T00:00:00Z" and active eq false and name.familyName pr`,
		`groups eq "` + groupID + `" and ` + other + ` and name.familyName pr`,
	} {
		q := mustParse(t, p, user, filter).Plan()
		if q.Match == nil || !conjunction(q.Where) {
			t.Errorf("%s: planned as %+v: the test does not see an AND with a Match", filter, q)
		} else if q.Match(alice()) {
			t.Errorf("%s: the record alone does not decide", filter)
		}
	}
	one := mustParse(t, p, group, `members eq "x" and externalId eq "other" and displayName pr`).Plan()
	if one.Match == nil || one.WithMembers || one.Match(support()) {
		t.Errorf("planned as %+v: Match must decide all but the membership", one)
	}
}

// keyRoom must be what resources cuts at.
func TestKeyRoom(t *testing.T) {
	fits := strings.Repeat("a", keyRoom)
	if resources.UserNameOrder.Key(fits) != fits || resources.UserNameOrder.Key(fits+"a") == fits+"a" {
		t.Error("index entries are cut at another length than keyRoom")
	}
}

func TestNeedle(t *testing.T) {
	user, _ := types(t)
	p := New()
	for filter, want := range map[string]string{
		`title co "Director"`:     `rec`,
		`title eq "ZORRO-9.00"`:   `zorro-9.00`,
		`ticket eq "AbC/12345"`:   `12345`,
		`ticket sw "Hello"`:       `hello`,
		`title pr`:                `"title"`,
		`title ne "x"`:            ``,
		`title eq null`:           ``,
		`title pr or nickName pr`: ``,
		`not (title pr)`:          ``,
		`emails[type eq "work" and value ew "@corp.de"]`: `@corp.de`,
		`level gt 5`:                      `"level"`,
		`groups.display eq "corporation"`: ``,
	} {
		if got := mustParse(t, p, user, filter).Plan().Needle; got != want {
			t.Errorf("%s: got %s, want %s", filter, got, want)
		}
	}
}

// No character beyond ASCII may fold to one that a needle keeps.
func TestSteady(t *testing.T) {
	for r := rune(0x80); r <= 0x10ffff; r++ {
		for _, c := range []byte(resources.FoldText(string(r))) {
			if c < 0x80 && steady(c, false) {
				t.Errorf("%U folds to %q", r, c)
			}
		}
	}
}
