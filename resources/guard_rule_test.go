package resources

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLosses: what a user loses for good when groups stop giving it: what is
// assigned, has no other source, and the organization's template does not give
// instead (BR-151, BR-162, BR-165).
func TestLosses(t *testing.T) {
	group := func(ids ...string) (out []Source) {
		for _, id := range ids {
			out = append(out, Source{Type: SourceGroup, Ref: id})
		}
		return out
	}
	has := func(status AssignmentStatus, sources ...Source) []Assignment {
		return []Assignment{{SKU: "host", Status: status, Sources: sources}}
	}
	direct := Source{Type: SourceDirect}
	for name, tt := range map[string]struct {
		s     Standing
		gone  map[string][]string
		empty []string // groups that give nothing any more
		want  []string
	}{
		"the only source":      {Standing{Licences: has(Assigned, group("g")...)}, map[string][]string{"g": {"host"}}, []string{"g"}, []string{"host"}},
		"another case":         {Standing{Licences: has(Assigned, group("g")...)}, map[string][]string{"g": {"HOST"}}, []string{"g"}, []string{"host"}},
		"a direct one, too":    {Standing{Licences: has(Assigned, direct, group("g")[0])}, map[string][]string{"g": {"host"}}, []string{"g"}, nil},
		"another group":        {Standing{Licences: has(Assigned, group("g", "h")...)}, map[string][]string{"g": {"host"}}, []string{"g"}, nil},
		"both groups":          {Standing{Licences: has(Assigned, group("g", "h")...)}, map[string][]string{"g": {"host"}, "h": {"host"}}, []string{"g", "h"}, []string{"host"}},
		"another product":      {Standing{Licences: has(Assigned, group("g")...)}, map[string][]string{"g": {"basic"}}, nil, nil},
		"never had":            {Standing{Licences: has(Failed, group("g")...)}, map[string][]string{"g": {"host"}}, []string{"g"}, nil},
		"template takes over":  {Standing{Licences: has(Assigned, group("g")...), OrgSKUs: []string{"host"}}, map[string][]string{"g": {"host"}}, []string{"g"}, nil},
		"template kept away":   {Standing{Licences: has(Assigned, group("g")...), OrgSKUs: []string{"host"}}, map[string][]string{"g": {"host"}}, nil, []string{"host"}},
		"somebody else's loss": {Standing{Licences: has(Assigned, group("h")...)}, map[string][]string{"g": {"host"}}, []string{"g"}, nil},
		"nothing":              {Standing{}, map[string][]string{"g": {"host"}}, []string{"g"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := losses(&tt.s, tt.gone, func(g string) bool { return containsFold(tt.empty, g) })
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("losses (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTrips: more than ten users and more than a fifth of the holders, unless the
// organization says otherwise (BR-165).
func TestTrips(t *testing.T) {
	for _, tt := range []struct {
		s          Settings
		n, holders int
		want       bool
	}{
		{Settings{}, 10, 10, false},
		{Settings{}, 11, 54, true},
		{Settings{}, 11, 55, false},
		{Settings{GuardUsers: 1}, 2, 9, true},
		{Settings{GuardUsers: 1, GuardPercent: 100}, 9, 9, false},
		{Settings{GuardOff: true}, 100, 100, false},
	} {
		if got := tt.s.trips(tt.n, tt.holders); got != tt.want {
			t.Errorf("%+v: %d of %d trips %v, want %v", tt.s, tt.n, tt.holders, got, tt.want)
		}
	}
}

// TestGains: what a change of templates means for each group.
func TestGains(t *testing.T) {
	before := &Plan{Templates: []Template{
		{ID: "1", Type: TemplateGroup, SKUs: []string{"a", "b"}, Groups: []string{"g", "h"}},
		{ID: "2", Type: TemplateGroup, SKUs: []string{"a"}, Groups: []string{"i"}},
		{ID: "3", Type: TemplateOrg, SKUs: []string{"a"}},
	}}
	before.groups = map[string]*Template{"g": &before.Templates[0], "h": &before.Templates[0], "i": &before.Templates[1]}
	same := before.clone()
	if got := same.gains(); len(got) != 0 {
		t.Errorf("nothing changed: %+v", got)
	}
	next := before.clone()
	next.leaveTemplate(0, "h")
	next.Templates[0].SKUs = []string{"b", "c"}
	next.Templates[1].Groups = []string{"h", "i"}
	next.Templates = append(next.Templates, Template{ID: "4", Type: TemplateGroup, SKUs: []string{"d"}, Groups: []string{"j"}})
	want := []templateGain{
		{group: "g", gained: []string{"c"}, lost: []string{"a"}},
		{group: "h", lost: []string{"b"}, moved: true},
		{group: "j", gained: []string{"d"}, moved: true},
	}
	if diff := cmp.Diff(want, next.gains(), cmp.AllowUnexported(templateGain{})); diff != "" {
		t.Errorf("gains (-want +got):\n%s", diff)
	}
	if got := before.Templates[0].SKUs[0]; got != "a" {
		t.Errorf("the plan before has changed: %s", got)
	}
	next.leaveTemplate(next.templateAt("j"), "j")
	if next.template("4") != nil {
		t.Error("a template without groups stays")
	}
}
