package conformance_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// TestFilterManyIndexes: filters in which several indexes and the record have
// a say (R-66…R-71). The store may ask the smallest index only, so each filter
// here is one that the smallest index does not decide: twelve users are
// inactive and only three have the external id.
func TestFilterManyIndexes(t *testing.T) {
	onStores(t, func(t *testing.T, _ *world, o *org) {
		ids := o.filtered(t)
		for _, c := range []struct{ kind, filter, want string }{
			{"/Users", `externalId eq "x" and active eq false`, "away plain"}, // indexes alone
			{"/Users", `externalId eq "x" and active eq false and title pr`, "away"},
			{"/Users", `title pr and (active eq false and externalId eq "x")`, "away"},
			{"/Users", `(externalId eq "x" and active eq false) or userName eq "here"`, "away here plain"},
			{"/Users", `((externalId eq "x" and active eq false) or userName eq "here") and title pr`, "away here"},
			{"/Users", `(externalId eq "x" and active eq false) or (userName eq "here" and title ne "T")`, "away plain"},
			{"/Users", `(externalId eq "x" and (active eq false and userName sw "a")) or (userName sw "h" and active eq false)`, "away"},
			{"/Users", `(externalId eq "x" or userName eq "idle 00") and (active eq false or userName eq "here") and title pr`, "away here idle 00"},
			{"/Users", `externalId eq "x" and not (active eq false)`, "here"},
			{"/Users", `groups eq "$Team one" and active eq false`, "away"},
			{"/Users", `groups eq "$Team one" and active eq false and title eq "t"`, "away"},
			{"/Users", `groups eq "$Team one" and externalId eq "x" and title eq "other"`, ""},
			{"/Groups", `members eq "$here" and displayName sw "team"`, "Team Zoé Team one Team two"},
			{"/Groups", `members eq "$here" and displayName sw "team" and externalId pr`, "Team one Team two"},
			{"/Groups", `members eq "$here" and members eq "$away" and externalId pr`, "Team one"},
			{"/Groups", `externalId eq "g" and members eq "$here" and displayName eq "Team one"`, "Team one"},
			{"/Groups", `id eq "$Team none" and members eq "$here" and displayName eq "Team none"`, ""},
		} {
			filter := c.filter
			for name, id := range ids {
				filter = strings.ReplaceAll(filter, `"$`+name+`"`, `"`+id+`"`)
			}
			for _, sortBy := range []string{"", "&sortBy=externalId"} { // by rank, and by looking at every match
				if got := o.namesAt(t, c.kind+"?filter="+url.QueryEscape(filter)+sortBy); got != c.want {
					t.Errorf("%s %s%s: got %q, want %q", c.kind, c.filter, sortBy, got, c.want)
				}
			}
		}
	})
}

// namesAt lists the names of all that a list shows, sorted.
func (o *org) namesAt(t *testing.T, path string) string {
	t.Helper()
	r := o.must(t, "GET", path, "")
	var body object
	if err := json.Unmarshal([]byte(r.Body), &body); err != nil || r.Status != 200 {
		t.Fatalf("GET %s: %d %v %s", path, r.Status, err, r.Body)
	}
	var names []string
	for _, e := range list(body["Resources"]) {
		names = append(names, text(e.(object), "userName")+text(e.(object), "displayName"))
	}
	slices.Sort(names)
	if float64(len(names)) != body["totalResults"] {
		t.Errorf("GET %s: totalResults %v, %d shown", path, body["totalResults"], len(names))
	}
	return strings.Join(names, " ")
}

// filtered makes the users and groups of TestFilterManyIndexes and gives their
// ids by name.
func (o *org) filtered(t *testing.T) map[string]string {
	t.Helper()
	ids := map[string]string{}
	create := func(path, name, more string) {
		ids[name] = id(t, o.must(t, "POST", path, more))
	}
	for i := range 12 {
		name := fmt.Sprintf("idle %02d", i)
		create("/Users", name, `{"schemas":["`+userURN+`"],"userName":"`+name+`","active":false,"title":"T"}`)
	}
	for name, more := range map[string]string{
		"away":  `"active":false,"title":"T"`,
		"here":  `"active":true,"title":"T"`,
		"plain": `"active":false`,
	} {
		create("/Users", name, `{"schemas":["`+userURN+`"],"userName":"`+name+`","externalId":"x",`+more+`}`)
	}
	member := func(names ...string) string {
		refs := make([]string, len(names))
		for i, n := range names {
			refs[i] = `{"value":"` + ids[n] + `"}`
		}
		return strings.Join(refs, ",")
	}
	for name, more := range map[string]string{
		"Team one":  `"externalId":"g","members":[` + member("here", "away") + `]`,
		"Team two":  `"externalId":"h","members":[` + member("here") + `]`,
		"Other":     `"externalId":"g","members":[` + member("here") + `]`,
		"Team Zoé":  `"members":[` + member("here") + `]`,
		"Team none": `"externalId":"g"`,
	} {
		create("/Groups", name, `{"schemas":["`+groupURN+`"],"displayName":"`+name+`",`+more+`}`)
	}
	return ids
}
