package resources_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// template writes a template.
func (b *bundle) template(t *testing.T, c resources.Caller, tpl resources.Template) resources.Template {
	t.Helper()
	out, held, err := b.PutTemplate(t.Context(), c, tpl)
	if err != nil || held != nil {
		t.Fatalf("write a template: %+v, %v", held, err)
	}
	return out
}

func groupTemplateOf(group string, skus ...string) resources.Template {
	return resources.Template{Type: resources.TemplateGroup, SKUs: skus, Groups: []string{group}}
}

// TestGroupTemplate: members have what the template of their group gives, as long
// as both are so; the union of several groups takes one seat (BR-151, BR-161).
func TestGroupTemplate(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		op := b.operated(t, "acme")
		sub := b.subscribe(t, op, resources.Subscription{SKU: "host", Units: 10})
		ids := b.crowd(t, b.a, "u", 4)
		one, two := b.group(t, b.a, "one", ids[:3]...), b.group(t, b.a, "two", ids[2:]...)
		first := b.template(t, op, groupTemplateOf(one, "host", "Basic"))
		if strings.Join(first.SKUs, " ") != "basic host" {
			t.Errorf("stored %v", first.SKUs)
		}
		b.work(t, b.a.Org)
		sameIDs(t, "with one template", b.held(t, b.a, "host", ids), ids[:3])
		second := b.template(t, op, groupTemplateOf(two, "host"))
		b.work(t, b.a.Org)
		sameIDs(t, "with two templates", b.held(t, b.a, "host", ids), ids)
		if got := b.sources(t, b.a, ids[2], "host"); len(got) != 2 {
			t.Errorf("sources of who is in both: %v", got)
		}
		if usage, err := b.Subscriptions(ctx, op); err != nil || usage[0].Used != 4 || usage[0].ID != sub.ID {
			t.Errorf("usage %+v, %v", usage, err)
		}

		info, err := b.GroupLicensing(ctx, op, one)
		if err != nil || info.Members != 3 || info.Assigned != 3 || info.Failed != 0 || info.Job == nil || info.Job.State != resources.JobDone || info.Job.Done != 3 {
			t.Errorf("licensing of the group %+v, %v", info, err)
		}
		if _, err := b.DeleteTemplate(ctx, op, first.ID); err != nil {
			t.Fatal(err)
		}
		b.work(t, b.a.Org)
		sameIDs(t, "after the first is gone", b.held(t, b.a, "host", ids), ids[2:])
		sameIDs(t, "basic after the first is gone", b.held(t, b.a, "basic", ids), nil)
		if _, err := b.EditMembers(ctx, b.a, two, resources.MemberEdit{Add: ids[:1], Remove: ids[3:]}); err != nil {
			t.Fatal(err)
		}
		b.work(t, b.a.Org)
		sameIDs(t, "after the membership changed", b.held(t, b.a, "host", ids), []string{ids[0], ids[2]})
		second.SKUs = []string{"basic"}
		b.template(t, op, second)
		b.work(t, b.a.Org)
		sameIDs(t, "host after the template changed", b.held(t, b.a, "host", ids), nil)
		sameIDs(t, "basic after the template changed", b.held(t, b.a, "basic", ids), []string{ids[0], ids[2]})
	})
}

// TestGroupDocumentMakesTemplate: what a group's document names becomes its
// template in the same commit, and goes with it (domain.md §5.3).
func TestGroupDocumentMakesTemplate(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		op := b.operated(t, "acme")
		b.subscribe(t, op, resources.Subscription{SKU: "host", Units: 10})
		ids := b.crowd(t, b.a, "u", 2)
		doc := parse(t, fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"sales",%q:{"licenses":["Host"]}}`, resources.LicenceGroupURN))
		rec, err := b.CreateGroup(ctx, b.a, doc, ids)
		if err != nil {
			t.Fatal(err)
		}
		list, err := b.Templates(ctx, op)
		if err != nil || len(list) != 1 || !slices.Equal(list[0].Groups, []string{rec.ID}) || !slices.Equal(list[0].SKUs, []string{"host"}) {
			t.Fatalf("templates %+v, %v", list, err)
		}
		if !strings.Contains(string(rec.Profile), `"licenses":["Host"],"templateId":"`+list[0].ID+`"`) {
			t.Errorf("document %s", rec.Profile)
		}
		b.work(t, b.a.Org)
		sameIDs(t, "members", b.held(t, b.a, "host", ids), ids)
		write := func(block string) {
			t.Helper()
			_, err := b.UpdateGroup(ctx, b.a, rec.ID, func(_ *resources.Record, doc jsontree.Value) (jsontree.Value, resources.MemberEdit, error) {
				doc.Set(resources.LicenceGroupURN, parse(t, block))
				return doc, resources.MemberEdit{}, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			b.work(t, b.a.Org)
		}
		write(`{"licenses":["basic"]}`)
		sameIDs(t, "host after the change", b.held(t, b.a, "host", ids), nil)
		sameIDs(t, "basic after the change", b.held(t, b.a, "basic", ids), ids)
		write(`{"licenses":[]}`)
		sameIDs(t, "basic after the licences are gone", b.held(t, b.a, "basic", ids), nil)
		write(`{"licenses":["basic"]}`)
		if err := b.DeleteGroup(ctx, b.a, rec.ID, nil); err != nil {
			t.Fatal(err)
		}
		b.clean(t)
		b.work(t, b.a.Org)
		sameIDs(t, "basic after the group is gone", b.held(t, b.a, "basic", ids), nil)
		if list, err := b.Templates(ctx, op); err != nil || len(list) != 0 {
			t.Errorf("templates %+v, %v after the group is gone", list, err)
		}
		bad := parse(t, fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"bad",%q:{"licenses":["gold"]}}`, resources.LicenceGroupURN))
		_, err = b.CreateGroup(ctx, b.a, bad, nil)
		fails(t, err, resources.CodeSKUUnknown, resources.LicenceGroupURN+":licenses")
	})
}

// TestTemplateShowsInGroup: a template that an administrator makes shows in the
// documents of its groups, and leaves them with it (domain.md §5.3).
func TestTemplateShowsInGroup(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		op := b.operated(t, "acme")
		g := b.group(t, b.a, "g")
		tpl := b.template(t, op, groupTemplateOf(g, "basic"))
		shows := func(want bool) {
			t.Helper()
			rec, err := b.Get(t.Context(), b.a, resources.KindGroup, g)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(string(rec.Profile), `"templateId":"`+tpl.ID+`"`); got != want {
				t.Errorf("document %s, want the template shown: %v", rec.Profile, want)
			}
			index := resources.AttrKey("Group", resources.FactPath(resources.LicenceGroupURN+":templateId"), resources.FoldText(tpl.ID))
			page, err := b.store.Find(t.Context(), b.a.Org, resources.Query{Kind: resources.KindGroup, Where: &resources.Cond{Op: resources.CondIs, Index: resources.GroupAttr, Value: index}, Limit: 5})
			if err != nil || (page.Total == 1) != want {
				t.Errorf("found %d by the template, %v", page.Total, err)
			}
		}
		shows(true)
		if _, err := b.DeleteTemplate(t.Context(), op, tpl.ID); err != nil {
			t.Fatal(err)
		}
		shows(false)
	})
}

// TestOrgTemplate: the organization's template is for who is created without
// licences named, from now on; a job gives it to others, after a preview, and
// with preserve takes nothing (BR-160, BR-162, BR-163).
func TestOrgTemplate(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		op := b.operated(t, "acme")
		b.subscribe(t, op, resources.Subscription{SKU: "host", Units: 3})
		old := b.crowd(t, b.a, "old", 4)
		named := b.licensed(t, b.a, "named", "basic")
		tpl := b.template(t, op, resources.Template{Type: resources.TemplateOrg, SKUs: []string{"host"}})
		fresh := b.licensed(t, b.a, "fresh")
		all := append(slices.Clone(old), named, fresh)
		sameIDs(t, "before the job", b.held(t, b.a, "host", all), []string{fresh})

		job, err := b.ApplyTemplate(ctx, op, tpl.ID, true, false)
		if err != nil {
			t.Fatal(err)
		}
		b.work(t, b.a.Org)
		sameIDs(t, "after the preview", b.held(t, b.a, "host", all), []string{fresh})
		wantApplied(t, b, op, job, resources.Applied{Gained: 2, NoSeat: 2, Unchanged: 2, ByProduct: map[string]int{"host": 2}, Seats: map[string]int{"host": 2}})
		if job, err = b.ApplyTemplate(ctx, op, tpl.ID, false, false); err != nil {
			t.Fatal(err)
		}
		_, err = b.ApplyTemplate(ctx, op, tpl.ID, false, true)
		fails(t, err, resources.CodeJobRunning, "")
		b.work(t, b.a.Org)
		if got := b.held(t, b.a, "host", all); len(got) != 3 || !slices.Contains(got, fresh) || slices.Contains(got, named) {
			t.Errorf("after the job: %v", got)
		}
		wantApplied(t, b, op, job, resources.Applied{Gained: 2, NoSeat: 2, Unchanged: 2, ByProduct: map[string]int{"host": 2}})

		tpl.SKUs = []string{"basic"}
		b.template(t, op, tpl)
		if _, err = b.ApplyTemplate(ctx, op, tpl.ID, false, true); err != nil {
			t.Fatal(err)
		}
		b.work(t, b.a.Org)
		if got := b.held(t, b.a, "host", all); len(got) != 3 {
			t.Errorf("preserved: %v", got)
		}
		sameIDs(t, "basic", b.held(t, b.a, "basic", all), all)
		if _, err = b.ApplyTemplate(ctx, op, tpl.ID, false, false); err != nil {
			t.Fatal(err)
		}
		b.work(t, b.a.Org)
		sameIDs(t, "not preserved", b.held(t, b.a, "host", all), nil)
		g := b.group(t, b.a, "g")
		byGroup := b.template(t, op, groupTemplateOf(g, "basic"))
		_, err = b.ApplyTemplate(ctx, op, byGroup.ID, false, false)
		fails(t, err, resources.CodeInvalidValue, "")
	})
}

func wantApplied(t *testing.T, b *bundle, c resources.Caller, job *resources.Job, want resources.Applied) {
	t.Helper()
	job, err := b.Job(t.Context(), c, job.ID)
	if err != nil {
		t.Fatal(err)
	}
	var got resources.Applied
	if err := json.Unmarshal(job.Result, &got); err != nil {
		t.Fatalf("result %s: %v", job.Result, err)
	}
	raw, _ := json.Marshal(got)
	exp, _ := json.Marshal(want)
	if string(raw) != string(exp) || job.State != resources.JobDone || job.Done != job.Total {
		t.Errorf("job %s %d of %d: %s, want %s", job.State, job.Done, job.Total, raw, exp)
	}
}

// TestTemplateRefusals: what a template cannot be (BR-153, BR-154, domain.md §2).
func TestTemplateRefusals(t *testing.T) {
	b := newBundle(t, "")
	ctx := t.Context()
	op := b.operated(t, "acme")
	g, h := b.group(t, b.a, "g"), b.group(t, b.a, "h")
	b.template(t, op, groupTemplateOf(g, "basic"))
	b.template(t, op, resources.Template{Type: resources.TemplateOrg, SKUs: []string{"basic"}})
	user := b.licensed(t, b.a, "u")
	for name, tt := range map[string]struct {
		tpl   resources.Template
		code  resources.Code
		field string
	}{
		"type":           {resources.Template{Type: "all", SKUs: []string{"basic"}}, resources.CodeInvalidValue, "type"},
		"nothing":        {groupTemplateOf(h), resources.CodeInvalidValue, "skus"},
		"unknown":        {groupTemplateOf(h, "gold"), resources.CodeSKUUnknown, "skus"},
		"two packages":   {groupTemplateOf(h, "suite", "calling"), resources.CodeLicenceConflict, "skus"},
		"no group":       {resources.Template{Type: resources.TemplateGroup, SKUs: []string{"basic"}}, resources.CodeInvalidValue, "groups"},
		"a user":         {groupTemplateOf(user, "basic"), resources.CodeNotFound, "groups"},
		"unknown group":  {groupTemplateOf("0000000000000000000"+h[19:], "basic"), resources.CodeNotFound, "groups"},
		"group of other": {groupTemplateOf(g, "basic"), resources.CodeTemplateInUse, "groups"},
		"second of org":  {resources.Template{Type: resources.TemplateOrg, SKUs: []string{"host"}}, resources.CodeTemplateInUse, "type"},
		"org with group": {resources.Template{Type: resources.TemplateOrg, SKUs: []string{"basic"}, Groups: []string{h}}, resources.CodeInvalidValue, "groups"},
		"unknown id":     {resources.Template{ID: g, Type: resources.TemplateGroup, SKUs: []string{"basic"}, Groups: []string{h}}, resources.CodeNotFound, ""},
		"name":           {resources.Template{Type: resources.TemplateGroup, Name: "a\x01", SKUs: []string{"basic"}, Groups: []string{h}}, resources.CodeInvalidValue, "name"},
	} {
		_, _, err := b.PutTemplate(ctx, op, tt.tpl)
		t.Run(name, func(t *testing.T) { fails(t, err, tt.code, tt.field) })
	}
	_, _, err := b.PutTemplate(ctx, b.admin(t, "acme", resources.ScopeAdminUsers), groupTemplateOf(h, "basic"))
	fails(t, err, resources.CodeForbidden, "")
}
