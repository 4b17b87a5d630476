package resources_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// modelUser is what a user should have, whoever gave it.
type modelUser struct {
	name     string
	wish     []string // of the identity provider
	direct   []string
	orgSKUs  []string
	inactive bool
}

// seatModel is an organization as plain lists, and the organization itself.
type seatModel struct {
	b         *bundle
	t         *testing.T
	r         *rapid.T
	idp, op   resources.Caller
	org       []string // the organization's template
	subs      map[string]resources.Subscription
	shrunk    map[string]int64 // when units of a product became fewer, milliseconds
	users     map[string]*modelUser
	groups    []string
	members   map[string][]string
	templates map[string]resources.Template // by group
	trail     []string
}

// sellable are the products that models are about; webinars needs host or
// meetings, meetings and desk are packages.
var sellable = []string{"basic", "desk", "host", "meetings", "webinars"}

func newSeatModel(t *testing.T, r *rapid.T, b *bundle, slug string) *seatModel {
	m := &seatModel{
		b: b, t: t, r: r, idp: b.org(t, slug), subs: map[string]resources.Subscription{}, shrunk: map[string]int64{}, users: map[string]*modelUser{},
		members: map[string][]string{}, templates: map[string]resources.Template{},
	}
	m.op = b.operated(t, slug)
	m.op.Scopes = append(slices.Clone(m.op.Scopes), resources.ScopeAdmin)
	m.must(b.ChangeSettings(t.Context(), m.op, func(s *resources.Settings, _ uint64) error {
		s.GuardOff = true
		return nil
	}))
	for _, sku := range sellable[1:] {
		m.subs[sku] = b.subscribe(t, m.op, resources.Subscription{SKU: sku, Units: rapid.IntRange(0, 3).Draw(r, "units")})
	}
	for i := range 3 {
		g := b.group(t, m.idp, fmt.Sprintf("g%d", i))
		m.groups = append(m.groups, g)
		if i < 2 {
			m.template(g)
		}
	}
	if m.org = m.some("organization"); len(m.org) > 0 {
		if _, _, err := b.PutTemplate(t.Context(), m.op, resources.Template{Type: resources.TemplateOrg, SKUs: m.org}); err != nil {
			m.org = nil // nobody could have them together
		}
	}
	return m
}

func (m *seatModel) must(_, _ any, err error) {
	m.t.Helper()
	if err != nil {
		m.r.Fatalf("%v\nafter %s", err, strings.Join(m.trail, "\n      "))
	}
}

// some draws products.
func (m *seatModel) some(label string) []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(sellable), 0, 3, rapid.ID[string]).Draw(m.r, label)
}

// someone draws a user; "" when there is none.
func (m *seatModel) someone() string {
	if len(m.users) == 0 {
		return ""
	}
	ids := make([]string, 0, len(m.users))
	for id := range m.users {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int { return strings.Compare(m.users[a].name, m.users[b].name) })
	return rapid.SampledFrom(ids).Draw(m.r, "user")
}

func (m *seatModel) note(format string, args ...any) {
	m.b.clock.Advance(time.Millisecond)
	m.trail = append(m.trail, fmt.Sprintf(format, args...))
}

// template gives a group a template, new or in place of the one it has.
func (m *seatModel) template(group string) {
	t := m.templates[group]
	t.Type, t.SKUs, t.Groups = resources.TemplateGroup, m.some("template"), []string{group}
	m.note("template of %s: %v", group, t.SKUs)
	if len(t.SKUs) == 0 {
		return
	}
	out, _, err := m.b.PutTemplate(m.t.Context(), m.op, t)
	if err == nil {
		m.templates[group] = out
	}
}

func (m *seatModel) create() {
	u := &modelUser{name: fmt.Sprintf("u%03d", len(m.trail)), inactive: rapid.IntRange(0, 9).Draw(m.r, "inactive") == 0}
	skus := m.some("wish")
	doc := userDoc(m.t, u.name, "")
	doc.Delete("emails")
	doc.Set("active", jsontree.Bool(!u.inactive))
	if len(skus) > 0 {
		doc.Set(resources.LicenceUserURN, parse(m.t, `{"licenses":["`+strings.Join(skus, `","`)+`"]}`))
	}
	c, admin := m.idp, rapid.IntRange(0, 4).Draw(m.r, "admin") == 0
	if admin {
		c = m.op
	}
	m.note("create %s %v inactive=%v admin=%v", u.name, skus, u.inactive, admin)
	rec, err := m.b.CreateUser(m.t.Context(), c, doc)
	if admin && m.refused(err) {
		return
	}
	m.must(nil, nil, err)
	if len(skus) == 0 {
		u.orgSKUs = m.org
	} else if admin {
		u.direct = skus
	} else {
		u.wish = skus
	}
	m.users[rec.ID] = u
}

// refused reports whether an administrator was told that there is none, or that
// products do not go together.
func (m *seatModel) refused(err error) bool {
	return resources.HasCode(err, resources.CodeNoSeats) || resources.HasCode(err, resources.CodeLicenceConflict) || resources.HasCode(err, resources.CodePrerequisite)
}

func (m *seatModel) wish() {
	id := m.someone()
	if id == "" {
		return
	}
	u, skus := m.users[id], m.some("wish")
	m.note("%s wishes %v", u.name, skus)
	list := make([]jsontree.Value, len(skus))
	for i, s := range skus {
		list[i] = jsontree.Str(s)
	}
	m.must(m.b.UpdateUser(m.t.Context(), m.idp, id, func(_ *resources.Record, doc jsontree.Value) (jsontree.Value, error) {
		doc.Set(resources.LicenceUserURN, jsontree.Obj(jsontree.Arr(list...).As("licenses")))
		return doc, nil
	}))
	u.wish = skus
}

func (m *seatModel) activate() {
	id := m.someone()
	if id == "" {
		return
	}
	u := m.users[id]
	u.inactive = !u.inactive
	m.note("%s inactive=%v", u.name, u.inactive)
	m.must(m.b.UpdateUser(m.t.Context(), m.idp, id, set("active", jsontree.Bool(!u.inactive))))
}

func (m *seatModel) grant() {
	id := m.someone()
	if id == "" {
		return
	}
	u, sku := m.users[id], rapid.SampledFrom(sellable).Draw(m.r, "sku")
	ch := resources.LicenceChange{Add: []string{sku}}
	if slices.Contains(u.direct, sku) {
		ch = resources.LicenceChange{Remove: []string{sku}}
	}
	m.note("%s directly %+v", u.name, ch)
	if _, err := m.b.ChangeLicences(m.t.Context(), m.op, id, ch, nil); m.refused(err) {
		return
	} else if len(ch.Add) > 0 {
		m.must(nil, nil, err)
		u.direct = append(slices.Clone(u.direct), sku)
	} else {
		m.must(nil, nil, err)
		u.direct = slices.DeleteFunc(slices.Clone(u.direct), func(s string) bool { return s == sku })
	}
}

func (m *seatModel) leave() {
	id := m.someone()
	if id == "" {
		return
	}
	m.note("delete %s", m.users[id].name)
	m.must(nil, nil, m.b.DeleteUser(m.t.Context(), m.idp, id, nil))
	delete(m.users, id)
	for g, list := range m.members {
		m.members[g] = slices.DeleteFunc(list, func(x string) bool { return x == id })
	}
}

func (m *seatModel) member() {
	id, group := m.someone(), rapid.SampledFrom(m.groups).Draw(m.r, "group")
	if id == "" {
		return
	}
	e := resources.MemberEdit{Add: []string{id}}
	if slices.Contains(m.members[group], id) {
		e = resources.MemberEdit{Remove: []string{id}}
		m.members[group] = slices.DeleteFunc(m.members[group], func(x string) bool { return x == id })
	} else {
		m.members[group] = append(m.members[group], id)
	}
	m.note("%s in %s: %v", m.users[id].name, group, len(e.Add) == 1)
	_, err := m.b.EditMembers(m.t.Context(), m.idp, group, e)
	m.must(nil, nil, err)
}

func (m *seatModel) resize() {
	sku := rapid.SampledFrom(sellable[1:]).Draw(m.r, "sku")
	units := rapid.IntRange(0, 4).Draw(m.r, "units")
	m.note("%d units of %s", units, sku)
	s, err := m.b.UpdateSubscription(m.t.Context(), m.op, m.subs[sku].ID, resources.SubscriptionChange{Units: &units})
	if err != nil && !strings.Contains(err.Error(), "nothing changes") {
		m.must(nil, nil, err)
	}
	if err == nil {
		if units < m.subs[sku].Units {
			m.shrunk[sku] = m.b.clock.Now().UnixMilli()
		}
		m.subs[sku] = s
	}
}

func (m *seatModel) work() {
	m.note("work")
	m.b.clean(m.t)
	m.b.work(m.t, m.idp.Org)
	m.b.clean(m.t)
	m.b.work(m.t, m.idp.Org)
}

// sources lists what asks for products of a user, in the way sourcesOf reads it.
func (m *seatModel) sources(id string) []string {
	u := m.users[id]
	var out []string
	for _, s := range u.direct {
		out = append(out, s+"<direct")
	}
	for _, s := range u.wish {
		out = append(out, s+"<scim")
	}
	templated := false
	for g, t := range m.templates {
		if slices.Contains(m.members[g], id) {
			templated = true
			for _, s := range t.SKUs {
				out = append(out, s+"<group:"+g)
			}
		}
	}
	if !templated {
		for _, s := range u.orgSKUs {
			out = append(out, s+"<org_template")
		}
	}
	slices.Sort(out)
	return out
}

func sourcesOf(list []resources.Assignment) []string {
	var out []string
	for _, a := range list {
		for _, s := range a.Sources {
			if s.Type == resources.SourceOrgTemplate {
				s.Ref = ""
			}
			out = append(out, a.SKU+"<"+s.String())
		}
	}
	slices.Sort(out)
	return out
}
