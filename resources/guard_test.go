package resources_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// guarded is an organization with a licensed group.
type guarded struct {
	*bundle
	op      resources.Caller
	group   string
	tpl     resources.Template
	members []string
}

func newGuarded(t *testing.T, b *bundle, n int) *guarded {
	t.Helper()
	g := &guarded{bundle: b, op: b.operated(t, "acme")}
	b.subscribe(t, g.op, resources.Subscription{SKU: "host", Units: 100})
	g.members = b.crowd(t, b.a, "m", n)
	g.group = b.group(t, b.a, "sales", g.members...)
	g.tpl = b.template(t, g.op, groupTemplateOf(g.group, "host"))
	b.work(t, b.a.Org)
	sameIDs(t, "at the beginning", b.held(t, b.a, "host", g.members), g.members)
	return g
}

// empty pushes an empty group, as an identity provider does that lost its sight.
func (g *guarded) empty(t *testing.T) {
	t.Helper()
	_, err := g.UpdateGroup(t.Context(), g.a, g.group, func(_ *resources.Record, doc jsontree.Value) (jsontree.Value, resources.MemberEdit, error) {
		return doc, resources.MemberEdit{Replace: true}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	g.work(t, g.a.Org)
}

// alert gives the one open alert of a held revocation.
func (g *guarded) alert(t *testing.T, count int) *resources.Alert {
	t.Helper()
	list := g.alerts(t, g.op, resources.AlertHeldRevocation)
	if len(list) != 1 {
		t.Fatalf("%d alerts, want 1: %+v", len(list), list)
	}
	if a := list[0]; a.Count != count || !slices.Equal(a.SKUs, []string{"host"}) || a.Source.Ref != g.group {
		t.Errorf("alert %+v, want %d users of host by group %s", a, count, g.group)
	}
	return list[0]
}

func (g *guarded) decide(t *testing.T, confirm bool) {
	t.Helper()
	a := g.alerts(t, g.op, resources.AlertHeldRevocation)[0]
	_, err := g.CloseAlert(t.Context(), g.op, a.ID, resources.AlertDone)
	fails(t, err, resources.CodeInvalidValue, "state")
	closed, err := g.Decide(t.Context(), g.op, a.ID, confirm)
	if err != nil {
		t.Fatal(err)
	}
	if closed.State != resources.AlertDone || closed.By != "test" || closed.Job == "" {
		t.Errorf("decided alert %+v", closed)
	}
	_, err = g.Decide(t.Context(), g.op, a.ID, !confirm)
	fails(t, err, resources.CodeRequestClosed, "")
	if id := g.members[len(g.members)-1]; !confirm { // who is settled before the job comes to it keeps the licence
		g.touch(t, id)
		sameIDs(t, "between decision and job", g.held(t, g.a, "host", []string{id}), []string{id})
	}
	_, err = g.CancelJob(t.Context(), g.op, closed.Job)
	fails(t, err, resources.CodeJobRunning, "")
	g.work(t, g.a.Org)
	job, err := g.Job(t.Context(), g.op, closed.Job)
	if err != nil || job.State != resources.JobDone {
		t.Errorf("job %+v, %v", job, err)
	}
}

// TestGuardEmptyPush: an empty push of a licensed group applies to the membership
// and takes nothing from anybody before an administrator confirms (BR-165);
// rejected, everybody keeps the licence as a direct one.
func TestGuardEmptyPush(t *testing.T) {
	for name, confirm := range map[string]bool{"confirmed": true, "rejected": false} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, b *bundle) {
				g := newGuarded(t, b, 12)
				g.empty(t)
				if ids, err := b.store.MemberIDs(t.Context(), b.a.Org, g.group, "", 100); err != nil || len(ids) != 0 {
					t.Errorf("%d members, %v after an empty push", len(ids), err)
				}
				sameIDs(t, "held", b.held(t, b.a, "host", g.members), g.members)
				g.alert(t, 12)
				// The provider pushes again, with two who were forgotten.
				if _, err := b.EditMembers(t.Context(), b.a, g.group, resources.MemberEdit{Add: g.members[:2]}); err != nil {
					t.Fatal(err)
				}
				b.work(t, b.a.Org)
				g.decide(t, confirm)
				want := g.members[:2]
				if !confirm {
					want = g.members
				}
				sameIDs(t, "decided", b.held(t, b.a, "host", g.members), want)
				for i, id := range g.members {
					got := strings.Join(b.sources(t, b.a, id, "host"), " ")
					if want := map[bool]string{true: "group", false: map[bool]string{true: "", false: "direct"}[confirm]}[i < 2]; got != want {
						t.Errorf("sources of member %d: %q, want %q", i, got, want)
					}
				}
				held, _, err := b.store.Counts(t.Context(), b.a.Org, []string{"hold/" + firstAlert(t, g).ID}, nil)
				if err != nil || held[0] != 0 {
					t.Errorf("%d users in the pool of a decided hold, %v", held[0], err)
				}
			})
		})
	}
}

func firstAlert(t *testing.T, g *guarded) *resources.Alert {
	t.Helper()
	list, _, err := g.Alerts(t.Context(), g.op, "", resources.AlertHeldRevocation, "", 10)
	if err != nil || len(list) == 0 {
		t.Fatalf("alerts %v, %v", list, err)
	}
	return list[0]
}

// TestGuardThresholds: what is few goes at once: ten users and fewer, a fifth of
// the holders and less, who have the product otherwise, and everything when the
// guard is off (BR-165).
func TestGuardThresholds(t *testing.T) {
	for name, tt := range map[string]struct {
		n, removed, others int
		direct             bool
		settings           resources.Settings
		held               bool
	}{
		"ten users":              {n: 12, removed: 10},
		"eleven users":           {n: 12, removed: 11, held: true},
		"a fifth of the holders": {n: 11, removed: 11, others: 44},
		"more than a fifth":      {n: 11, removed: 11, others: 43, held: true},
		"asked for otherwise":    {n: 12, removed: 12, direct: true},
		"turned off":             {n: 12, removed: 12, settings: resources.Settings{GuardOff: true}},
		"own threshold":          {n: 4, removed: 3, settings: resources.Settings{GuardUsers: 2}, held: true},
		"own share":              {n: 12, removed: 11, settings: resources.Settings{GuardPercent: 95}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBundle(t, "")
			ctx := t.Context()
			op := b.operated(t, "acme")
			b.subscribe(t, op, resources.Subscription{SKU: "host", Units: 100})
			var skus []string
			if tt.direct {
				skus = []string{"host"}
			}
			members := b.crowd(t, b.a, "m", tt.n, skus...)
			b.crowd(t, b.a, "o", tt.others, "host")
			if _, _, err := b.ChangeSettings(ctx, op, func(s *resources.Settings, _ uint64) error { *s = tt.settings; return nil }); err != nil {
				t.Fatal(err)
			}
			group := b.group(t, b.a, "sales", members...)
			b.template(t, op, groupTemplateOf(group, "host"))
			b.work(t, b.a.Org)
			if _, err := b.EditMembers(ctx, b.a, group, resources.MemberEdit{Remove: members[:tt.removed]}); err != nil {
				t.Fatal(err)
			}
			b.work(t, b.a.Org)
			want := members[tt.removed:]
			if tt.held || tt.direct {
				want = members
			}
			sameIDs(t, "after the removal", b.held(t, b.a, "host", members), want)
			if got := len(b.alerts(t, op, resources.AlertHeldRevocation)); (got == 1) != tt.held {
				t.Errorf("%d alerts, want held %v", got, tt.held)
			}
		})
	}
}

// TestGuardRepeated: what is pushed again while it is held joins the same alert,
// and who was put into its pool stays there once.
func TestGuardRepeated(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		g := newGuarded(t, b, 24)
		remove := func(ids []string) {
			t.Helper()
			if _, err := b.EditMembers(t.Context(), b.a, g.group, resources.MemberEdit{Remove: ids}); err != nil {
				t.Fatal(err)
			}
			b.work(t, b.a.Org)
		}
		remove(g.members[:11])
		g.alert(t, 11)
		remove(g.members[:22])
		g.alert(t, 22)
		g.decide(t, false)
		sameIDs(t, "rejected", b.held(t, b.a, "host", g.members), g.members)
	})
}

// TestGuardGroupDeletion: the members of a deleted group keep what it gave until it
// is decided (BR-165).
func TestGuardGroupDeletion(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		for _, confirm := range []bool{false, true} {
			g := newGuarded(t, b, 11)
			if err := b.DeleteGroup(t.Context(), b.a, g.group, nil); err != nil {
				t.Fatal(err)
			}
			b.clean(t)
			b.work(t, b.a.Org)
			sameIDs(t, "held", b.held(t, b.a, "host", g.members), g.members)
			g.alert(t, 11)
			g.decide(t, confirm)
			want := g.members
			if confirm {
				want = nil
			}
			sameIDs(t, "decided", b.held(t, b.a, "host", g.members), want)
			for _, id := range g.members {
				if err := b.DeleteUser(t.Context(), b.a, id, nil); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// TestGuardTemplate: a template that is deleted, or loses a product, holds for the
// members there are; rejected, the product is in the template again (BR-165).
func TestGuardTemplate(t *testing.T) {
	for _, confirm := range []bool{false, true} {
		for name, act := range map[string]func(*testing.T, *guarded) *resources.Alert{
			"deleted": func(t *testing.T, g *guarded) *resources.Alert {
				a, err := g.DeleteTemplate(t.Context(), g.op, g.tpl.ID)
				if err != nil {
					t.Fatal(err)
				}
				return a
			},
			"changed": func(t *testing.T, g *guarded) *resources.Alert {
				g.tpl.SKUs = []string{"basic"}
				_, a, err := g.PutTemplate(t.Context(), g.op, g.tpl)
				if err != nil {
					t.Fatal(err)
				}
				return a
			},
		} {
			t.Run(name+map[bool]string{true: " confirmed", false: " rejected"}[confirm], func(t *testing.T) {
				onBoth(t, func(t *testing.T, b *bundle) {
					g := newGuarded(t, b, 11)
					held := act(t, g)
					if held == nil || held.Count != 11 {
						t.Fatalf("alert %+v", held)
					}
					b.work(t, b.a.Org)
					sameIDs(t, "held", b.held(t, b.a, "host", g.members), g.members)
					g.alert(t, 11)
					g.decide(t, confirm)
					want := g.members
					if confirm {
						want = nil
					}
					sameIDs(t, "decided", b.held(t, b.a, "host", g.members), want)
					info, err := b.GroupLicensing(t.Context(), g.op, g.group)
					if err != nil {
						t.Fatal(err)
					}
					if has := info.Template != nil && slices.Contains(info.Template.SKUs, "host"); has == confirm {
						t.Errorf("template after the decision: %+v", info.Template)
					}
				})
			})
		}
	}
}
