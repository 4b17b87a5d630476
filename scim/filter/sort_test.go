package filter

import (
	"math/big"
	"slices"
	"strings"
	"testing"

	scimerr "github.com/elimity-com/scim/errors"

	"github.com/usher-scim/usher/resources"
)

func TestSortPlanIndexes(t *testing.T) {
	user, group := types(t)
	p := New()
	for by, want := range map[string]resources.Index{
		"userName": resources.UserNameOrder, "USERNAME": resources.UserNameOrder, useURN + ":userName": resources.UserNameOrder,
		"displayName": resources.UserDisplayOrder, "meta.lastModified": resources.UserModified,
		"id": resources.UserAll, "meta.created": resources.UserAll, "meta.location": resources.UserAll,
	} {
		index, key, err := SortPlan(user, by, p)
		if err != nil || index != want || key != nil {
			t.Errorf("%s: got %v %v", by, index, err)
		}
	}
	if index, _, err := SortPlan(group, "displayName", p); err != nil || index != resources.GroupNameOrder {
		t.Errorf("group displayName: got %v %v", index, err)
	}
	if index, key, err := SortPlan(group, "meta.lastModified", p); err != nil || index != resources.GroupModified || key != nil {
		t.Errorf("group lastModified: got %v %v", index, err)
	}
}

func TestSortPlanRefuses(t *testing.T) {
	user, group := types(t)
	p := New()
	for by, says := range map[string]string{
		"foo": `no attribute "foo"`, "": "one attribute name", "name": "consists of sub-attributes", "emails[type pr]": "one attribute name",
		"groups": "cannot be sorted by", "groups.display": "cannot be sorted by", "pin": "never returned", "meta.version": "cannot be sorted by",
		"meta": "consists of", "userName desc": "one attribute name", "a\xff": "UTF-8", "urn:x:y": "no schema",
		strings.Repeat("a", 3000): "longer than",
	} {
		_, _, err := SortPlan(user, by, p)
		refused(t, by, err, scimerr.ScimTypeInvalidValue, says)
	}
	_, _, err := SortPlan(group, "members", p)
	refused(t, "members", err, scimerr.ScimTypeInvalidValue, "cannot be sorted by")
}

// of several values the primary one, else the first; none at all is told.
func TestSortKey(t *testing.T) {
	user, _ := types(t)
	p := New()
	for by, want := range map[string]string{
		"emails": "a.roux@example.com", "emails.type": "work", "name.familyName": "o'malley", "nickName": "-", "title": "-",
		"ticket": "AbC", "vip": "0", "active": "1", "manager": "m1", "department": `r&d "one"`, "tags": "red", "phoneNumbers": "-",
		"bonus": "-", "externalId": "aRoux",
	} {
		_, key, err := SortPlan(user, by, p)
		if err != nil {
			t.Errorf("%s: %v", by, err)
			continue
		}
		got, ok := key(alice())
		if !ok {
			got = "-"
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", by, got, want)
		}
	}
	_, key, err := SortPlan(user, "emails", p)
	if err != nil {
		t.Fatal(err)
	}
	r := &resources.Record{Profile: []byte(`{"emails":[{"value":"b"},{"value":"A","primary":true}]}`)}
	if got, _ := key(r); got != "a" {
		t.Errorf("primary: got %q", got)
	}
}

// Numbers compare exactly, and their keys sort as they do.
func TestDecimals(t *testing.T) {
	texts := []string{
		"0", "-0", "0.0e5", "1", "-1", "1.0", "10e-1", "9007199254740992", "9007199254740993", "-9007199254740993",
		"1e20", "1e19", "100000000000000000000", "-12.5", "-12.50", "-12.49", "-12.501", "0.001", "0.0010", "1e-3", "123.456", "123.4561", "-1e-7", "5e-324", "1e308", "12", "120", "0.12",
	}
	rat := func(s string) *big.Rat {
		r, ok := new(big.Rat).SetString(s)
		if !ok {
			t.Fatal(s)
		}
		return r
	}
	for _, a := range texts {
		for _, b := range texts {
			x, ok := parseDecimal(a)
			y, ok2 := parseDecimal(b)
			want := rat(a).Cmp(rat(b))
			if !ok || !ok2 || x.cmp(y) != want || strings.Compare(x.key(), y.key()) != want {
				t.Errorf("%s, %s: got %d and keys %s, %s; want %d", a, b, x.cmp(y), x.key(), y.key(), want)
			}
		}
	}
	for _, bad := range []string{"", "-", "01", "1.", ".5", "1e", "1e+", "+1", "0x1", "1_0", "Inf", "NaN", "1 ", "--1", "1e5.5"} {
		if _, ok := parseDecimal(bad); ok {
			t.Errorf("%q is read as a number", bad)
		}
	}
	huge, _ := parseDecimal("1e999999999999999999999")
	tiny, _ := parseDecimal("-1e999999999999999999999")
	near, _ := parseDecimal("1e-999999999999999999999")
	one, _ := parseDecimal("1")
	sorted := []string{tiny.key(), decimal{}.key(), near.key(), one.key(), huge.key()}
	if huge.cmp(one) != 1 || tiny.cmp(one) != -1 || near.cmp(one) != -1 || !slices.IsSorted(sorted) {
		t.Error("huge exponents do not compare")
	}
}

func TestInstants(t *testing.T) {
	for a, b := range map[string]string{
		"2011-05-13T04:42:34Z":             "2011-05-13T04:42:34.000Z",
		"2011-05-13T04:42:34.050Z":         "2011-05-13T04:42:34.05Z",
		"2011-05-13T06:42:34.05+02:00":     "2011-05-13T04:42:34.05Z",
		"2011-05-13T04:42:34.12345678999Z": "2011-05-13T04:42:34.123456789Z",
		"2011-05-13t04:42:34z":             "2011-05-13T04:42:34Z",
		"2011-05-13T04:42:34":              "2011-05-13T04:42:34Z",
		"2011-05-13T04:42:34.5":            "2011-05-13T04:42:34.5Z",
	} {
		x, ok := parseInstant(a)
		y, ok2 := parseInstant(b)
		if !ok || !ok2 || !x.Equal(y) || instantKey(x) != instantKey(y) {
			t.Errorf("%s is %v, %s is %v", a, x, b, y)
		}
	}
	early, _ := parseInstant("0001-01-01T00:00:00Z")
	late, _ := parseInstant("9999-12-31T23:59:59.9Z")
	if instantKey(early) >= instantKey(late) || len(instantKey(early)) != len(instantKey(late)) {
		t.Error("keys of instants do not sort")
	}
	for _, bad := range []string{"", "2011-05-13", "2011-05-13 04:42:34Z", "2011-13-13T04:42:34Z", "04:42:34Z", "2011-05-13T25:42:34Z", "2011-05-13T04:42Z", strings.Repeat("1", 100)} {
		if _, ok := parseInstant(bad); ok {
			t.Errorf("%q is read as an instant", bad)
		}
	}
}
