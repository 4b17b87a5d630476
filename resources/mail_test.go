package resources_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// A mail that was sent changes nothing of what is shown: who has read the user
// may still change it with If-Match, and lastModified tells of changes alone.
func TestMailLeavesTheVersion(t *testing.T) {
	onMails(t, func(m *mails) {
		id := m.licensed(m.T, m.idp, "paid", "host")
		before, err := m.store.Get(m.Context(), m.idp.Org, resources.KindUser, id)
		if err != nil {
			m.Fatal(err)
		}
		m.got("one user", m.run(), "activate paid@acme.example")
		after, err := m.store.Get(m.Context(), m.idp.Org, resources.KindUser, id)
		if err != nil {
			m.Fatal(err)
		}
		if after.Version != before.Version || after.Modified != before.Modified {
			m.Errorf("version %d of %d became %d of %d", before.Version, before.Modified, after.Version, after.Modified)
		}
		if s := resources.StandingOf(after); s.Mails == nil || s.Mails.Count != 1 {
			m.Errorf("the mail is not counted: %+v", s.Mails)
		}
	})
}

// The activation mail is sent once to who has a paid licence, and to nobody else
// by itself (BR-080 … BR-082).
func TestActivationMail(t *testing.T) {
	onMails(t, func(m *mails) {
		paid := m.licensed(m.T, m.idp, "paid", "host")
		free := m.licensed(m.T, m.idp, "free", "basic")
		none := m.licensed(m.T, m.idp, "none")
		letters := m.run()
		m.got("three users", letters, "activate paid@acme.example")
		m.got("nothing new", m.run())
		m.logged(paid, "activate auto sent")
		m.logged(free)
		m.logged(none)
		l := letters[0]
		if !strings.HasPrefix(l.Path, "/activate?t=") || len(l.Code) != 6 || l.Expires.Sub(m.clock.Now()) < 9*24*time.Hour || l.Slug != "acme" || l.Org == "" || l.Name == "" || l.Language != "en" {
			m.Errorf("the letter is %+v", l)
		}
		arrival, err := m.OpenLink(m.Context(), strings.TrimPrefix(l.Path, "/activate?t="))
		if err != nil || arrival.Person.ID != paid {
			m.Errorf("the link leads to %+v, %v", arrival, err)
		}
		s := m.standing(m.T, m.idp, paid)
		if s.Mails == nil || s.Mails.Count != 1 || s.Mails.Last == 0 || s.Mails.First != s.Mails.Last || s.Mails.Decided <= 0 {
			m.Errorf("the standing says %+v", s.Mails)
		}
		rec, err := m.Get(m.Context(), m.idp, resources.KindUser, paid)
		if err != nil {
			m.Fatal(err)
		}
		if shown := resources.ShownApart(rec); shown.Get("activationEmailCount") == nil || shown.Get("activationEmailCount").Text != "1" {
			m.Errorf("readers who ask for it see %v", shown)
		}
		if one, err := m.Mail(m.Context(), m.admin, l.ID); err != nil || one.State != resources.MailSent || one.Tries != 1 || one.To != "paid@acme.example" {
			m.Errorf("the log has %+v, %v", one, err)
		}
	})
}

// What decides on the automatic mail, and when (BR-080 … BR-082, BR-084, BR-087,
// BR-094).
func TestActivationMailDecision(t *testing.T) {
	first := "activate u@acme.example"
	tests := map[string]func(m *mails){
		"a group licence later": func(m *mails) {
			id := m.licensed(m.T, m.idp, "u")
			m.got("without a licence", m.run())
			g := m.group(m.T, m.idp, "sales", id)
			m.template(m.T, m.admin, resources.Template{Type: resources.TemplateGroup, SKUs: []string{"host"}, Groups: []string{g}})
			m.got("by the group", m.run(), first)
		},
		"a seat later": func(m *mails) {
			m.units(1)
			m.licensed(m.T, m.idp, "other", "host")
			m.licensed(m.T, m.idp, "u", "host")
			m.got("while waiting", m.run(), "activate other@acme.example")
			m.units(2)
			m.got("seated", m.run(), first)
		},
		"an address later": func(m *mails) {
			doc := m.document("u", "host")
			doc.Delete("emails")
			rec, err := m.CreateUser(m.Context(), m.idp, doc)
			if err != nil {
				m.Fatal(err)
			}
			m.got("without an address", m.run())
			if s := m.standing(m.T, m.idp, rec.ID); s.Mails != nil {
				m.Errorf("it is decided: %+v", s.Mails)
			}
			m.edit(rec.ID, func(doc *jsontree.Value) { doc.Set("emails", parse(m.T, `[{"value":"u@acme.example"}]`)) })
			m.got("with one", m.run(), first)
		},
		"created inactive": func(m *mails) {
			doc := m.document("u", "host")
			doc.Set("active", jsontree.Bool(false))
			rec, err := m.CreateUser(m.Context(), m.idp, doc)
			if err != nil {
				m.Fatal(err)
			}
			m.got("inactive", m.run())
			m.active(rec.ID, true)
			m.got("active", m.run(), first)
			m.active(rec.ID, false)
			m.active(rec.ID, true)
			m.got("again", m.run())
		},
		"deactivated before it was sent": func(m *mails) {
			id := m.licensed(m.T, m.idp, "u", "host")
			m.active(id, false)
			m.got("inactive", m.run())
			m.logged(id, "activate auto cancelled")
			m.active(id, true)
			m.got("active again", m.run(), first)
		},
		"the licence was lost before it was sent": func(m *mails) {
			id := m.licensed(m.T, m.idp, "u", "host")
			m.wishes(id)
			m.got("without", m.run())
			m.wishes(id, "host")
			m.got("again", m.run(), first)
		},
		"signed in already": func(m *mails) {
			id := m.licensed(m.T, m.idp, "u")
			m.comeIn(m.T, id, resources.Session{Method: resources.MethodPassword})
			m.wishes(id, "host")
			m.got("active", m.run())
		},
		"signed in before it was sent": func(m *mails) {
			id := m.licensed(m.T, m.idp, "u", "host")
			m.comeIn(m.T, id, resources.Session{Method: resources.MethodPassword})
			m.got("active", m.run())
			m.logged(id, "activate auto cancelled")
		},
		"gone before it was sent": func(m *mails) {
			id := m.licensed(m.T, m.idp, "u", "host")
			m.workUpTo(m.T, m.a.Org, 1)
			if err := m.DeleteUser(m.Context(), m.idp, id, nil); err != nil {
				m.Fatal(err)
			}
			m.got("gone", m.run())
			m.logged(id, "activate auto cancelled")
		},
		"another address before it was sent": func(m *mails) {
			id := m.licensed(m.T, m.idp, "v", "host")
			m.workUpTo(m.T, m.a.Org, 1)
			m.edit(id, func(doc *jsontree.Value) { doc.Set("emails", parse(m.T, `[{"value":"u@acme.example"}]`)) })
			m.got("to the new one", m.run(), first)
			m.got("once", m.run())
		},
		"suppressed": func(m *mails) {
			doc := m.document("u", "host")
			doc.Set(resources.LifecycleURN, parse(m.T, `{"suppressActivationEmail":true}`))
			rec, err := m.CreateUser(m.Context(), m.idp, doc)
			if err != nil {
				m.Fatal(err)
			}
			m.got("suppressed", m.run())
			m.edit(rec.ID, func(doc *jsontree.Value) { doc.Delete(resources.LifecycleURN) })
			m.got("not any more", m.run())
			if _, err := m.SendActivation(m.Context(), m.admin, rec.ID); err != nil {
				m.Error(err)
			}
			m.got("by hand", m.run(), first)
		},
		"switched off and on": func(m *mails) {
			m.settings(func(s *resources.Settings) { s.ManualMails = true })
			id := m.licensed(m.T, m.idp, "u", "host")
			m.got("off", m.run())
			m.settings(func(s *resources.Settings) { s.ManualMails = false })
			m.edit(id, func(doc *jsontree.Value) { doc.Set("title", jsontree.Str("x")) })
			m.clock.Advance(30 * 24 * time.Hour)
			m.got("on again", m.run())
			m.licensed(m.T, m.idp, "w", "host")
			m.got("who is new", m.run(), "activate w@acme.example")
			m.bulk()
			m.got("in bulk", m.run(), first) // w had one a moment ago
		},
		"switched off before it was sent": func(m *mails) {
			id := m.licensed(m.T, m.idp, "u", "host")
			m.settings(func(s *resources.Settings) { s.ManualMails = true })
			m.got("off", m.run())
			m.logged(id, "activate auto cancelled")
			m.settings(func(s *resources.Settings) { s.ManualMails = false })
			m.got("on again", m.run())
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := newMails(t, "")
			test(m)
			audit(t, m.bundle)
		})
	}
}

// The language of a mail is the user's, the location's, the organization's
// (BR-093), and it says how the person comes in.
func TestLetter(t *testing.T) {
	m := newMails(t, "")
	tests := []struct{ name, prefers, org, want string }{
		{"nothing", "", "", "en"},
		{"french", "fr-FR", "", "fr"},
		{"of the organization", "", "fr", "fr"},
		{"english in a french one", "en-GB", "fr", "en"},
		{"one that usher does not speak", "de", "fr", "fr"},
		{"a list", "de, fr;q=0.5", "", "fr"},
		{"no tag at all", "!!", "", "en"},
	}
	for i, tt := range tests {
		m.settings(func(s *resources.Settings) { s.Language, s.HideCode = tt.org, i%2 == 1 })
		name := fmt.Sprintf("l%d", i)
		doc := m.document(name, "host")
		if tt.prefers != "" {
			doc.Set("preferredLanguage", jsontree.Str(tt.prefers))
		}
		doc.Set("displayName", jsontree.Str("Zoé"))
		if _, err := m.CreateUser(t.Context(), m.idp, doc); err != nil {
			t.Fatal(err)
		}
		letters := m.run()
		if len(letters) != 1 || letters[0].Language != tt.want || letters[0].Name != "Zoé" || (letters[0].Code == "") != (i%2 == 1) {
			t.Errorf("%s: %+v, want language %s", tt.name, letters, tt.want)
		}
	}
}

// Reminders go out on the days of the schedule, as long as there is a reason
// (BR-090).
func TestReminders(t *testing.T) {
	const one, two = "reminder u@acme.example", "activate u@acme.example"
	days := func(n float64) time.Duration { return time.Duration(n * float64(24*time.Hour)) }
	tests := map[string]struct {
		reminders string
		acts      map[int]func(m *mails, id string) // by day, before the day's work
		want      map[int]string
	}{
		"by default":            {want: map[int]string{3: one, 7: one}},
		"off":                   {reminders: "off"},
		"one":                   {reminders: "5", want: map[int]string{5: one}},
		"every day":             {reminders: "1,2,3", want: map[int]string{1: one, 2: one, 3: one}},
		"who came in":           {acts: map[int]func(*mails, string){4: (*mails).came}, want: map[int]string{3: one}},
		"deactivated":           {acts: map[int]func(*mails, string){2: (*mails).off}},
		"back before the next":  {acts: map[int]func(*mails, string){2: (*mails).off, 5: (*mails).on}, want: map[int]string{7: one}},
		"without a licence":     {acts: map[int]func(*mails, string){2: func(m *mails, id string) { m.wishes(id) }}, want: map[int]string{2: "licences u@acme.example"}},
		"switched off for some": {acts: map[int]func(*mails, string){2: (*mails).manual, 5: (*mails).automatic}, want: map[int]string{7: one}},
		"suppressed": {acts: map[int]func(*mails, string){2: func(m *mails, id string) {
			m.edit(id, func(doc *jsontree.Value) {
				doc.Set(resources.LifecycleURN, parse(m.T, `{"suppressActivationEmail":true}`))
			})
		}}},
		"sent by hand on the day before": {acts: map[int]func(*mails, string){2: (*mails).asksFor}, want: map[int]string{2: two, 3: one, 7: one}},
		"gone": {acts: map[int]func(*mails, string){2: func(m *mails, id string) {
			if err := m.DeleteUser(m.Context(), m.idp, id, nil); err != nil {
				m.Fatal(err)
			}
		}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := newMails(t, "")
			m.settings(func(s *resources.Settings) { s.Reminders = tt.reminders })
			id := m.licensed(t, m.idp, "u", "host")
			m.got("at first", m.run(), two)
			began := m.clock.Now()
			for day := 1; day <= 20; day++ {
				m.clock.set(began.Add(days(float64(day)) + time.Minute))
				if act := tt.acts[day]; act != nil {
					act(m, id)
				}
				var want []string
				if tt.want[day] != "" {
					want = []string{tt.want[day]}
				}
				m.got(fmt.Sprintf("day %d", day), m.run(), want...)
			}
		})
	}
}

// A reminder has a number and a link of its own; the link of the mail before is
// worth nothing any more (BR-090, BR-092).
func TestReminderLink(t *testing.T) {
	m := newMails(t, "")
	id := m.licensed(t, m.idp, "u", "host")
	first := m.run()[0]
	var numbers []int
	for range 8 {
		m.clock.Advance(24 * time.Hour)
		for _, l := range m.run() {
			numbers = append(numbers, l.Number)
			if _, err := m.OpenLink(t.Context(), strings.TrimPrefix(l.Path, "/activate?t=")); err != nil || l.Path == first.Path {
				t.Errorf("the link of reminder %d: %v", l.Number, err)
			}
		}
	}
	if !slices.Equal(numbers, []int{1, 2}) {
		t.Errorf("reminders %v", numbers)
	}
	_, err := m.OpenLink(t.Context(), strings.TrimPrefix(first.Path, "/activate?t="))
	fails(t, err, resources.CodeActivationExpired, "")
	if s := m.standing(t, m.idp, id); s.Mails.Count != 3 || s.Mails.Reminders != 2 {
		t.Errorf("the standing says %+v", s.Mails)
	}
}
