package resources_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// TestCallingProperty: whatever happens to users and numbers, a number is
// assigned to who has it and to nobody else, an extension is held once at a
// location, and when all work is done nobody waits for what can be had (BR-190 …
// BR-201).
func TestCallingProperty(t *testing.T) {
	b := newBundle(t, "")
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		p := newPhones(t, b, b.org(t, fmt.Sprint("run", runs)))
		m := &callingMachine{phones: p, rt: rt, users: map[string]string{}}
		rt.Repeat(map[string]func(*rapid.T){
			"":         func(*rapid.T) {},
			"create":   m.create,
			"wish":     m.change,
			"delete":   m.delete,
			"add":      m.add,
			"remove":   m.remove,
			"move":     m.move,
			"hold":     m.hold,
			"release":  m.release,
			"settings": m.set,
			"wait": func(t *rapid.T) {
				b.clock.Advance(time.Duration(rapid.IntRange(1, 90).Draw(t, "minutes")) * time.Minute)
			},
			"work": func(*rapid.T) { p.workOn(p.idp.Org) },
		})
		p.workOn(p.idp.Org)
		m.compare()
	})
}

// callingMachine does what people do with users and numbers.
type callingMachine struct {
	*phones
	rt    *rapid.T
	users map[string]string // ids by name
	made  int
}

var machineNumbers = []string{paris1, paris2, paris3}

func (m *callingMachine) wishes(t *rapid.T) string {
	place := rapid.SampledFrom([]string{"", `"location":"Paris",`, `"location":"Lyon",`}).Draw(t, "place")
	number := rapid.SampledFrom([]string{"", `"phoneNumber":"` + paris1 + `",`, `"phoneNumber":"` + paris2 + `",`}).Draw(t, "number")
	return place + number + rapid.SampledFrom([]string{`"extension":""`, `"extension":"10"`, `"extension":"11"`}).Draw(t, "extension")
}

// who draws a user; "" when there is none.
func (m *callingMachine) who(t *rapid.T) string {
	if len(m.users) == 0 {
		return ""
	}
	names := make([]string, 0, len(m.users))
	for i := range m.made {
		if name := fmt.Sprint("u", i); m.users[name] != "" {
			names = append(names, name)
		}
	}
	return rapid.SampledFrom(names).Draw(t, "user")
}

func (m *callingMachine) create(t *rapid.T) {
	if len(m.users) >= 6 {
		return
	}
	name := fmt.Sprint("u", m.made)
	m.made++
	m.users[name] = m.user(name, m.wishes(t)).ID
}

func (m *callingMachine) change(t *rapid.T) {
	if name := m.who(t); name != "" {
		m.wish(m.users[name], m.wishes(t))
	}
}

func (m *callingMachine) delete(t *rapid.T) {
	if name := m.who(t); name != "" {
		if err := m.DeleteUser(m.t.Context(), m.idp, m.users[name], nil); err != nil {
			t.Fatal(err)
		}
		delete(m.users, name)
	}
}

func (m *callingMachine) place(t *rapid.T) string {
	return rapid.SampledFrom([]string{"Paris", "Lyon"}).Draw(t, "location")
}

func (m *callingMachine) drawn(t *rapid.T) string {
	return rapid.SampledFrom(machineNumbers).Draw(t, "which")
}

func (m *callingMachine) add(t *rapid.T) {
	if _, err := m.AddNumbers(m.t.Context(), m.admin, m.place(t), []string{m.drawn(t)}, false); err != nil {
		t.Fatal(err)
	}
}

// may accepts what administrators are told.
func may(t *rapid.T, err error) {
	if err != nil && !resources.HasCode(err, resources.CodeNotFound) && !resources.HasCode(err, resources.CodeNumberInUse) {
		t.Fatal(err)
	}
}

func (m *callingMachine) remove(t *rapid.T) {
	may(t, m.DeleteNumber(m.t.Context(), m.admin, m.drawn(t)))
}

func (m *callingMachine) move(t *rapid.T) {
	_, err := m.MoveNumber(m.t.Context(), m.admin, m.drawn(t), m.place(t))
	may(t, err)
}

func (m *callingMachine) hold(t *rapid.T) {
	_, err := m.HoldNumber(m.t.Context(), m.admin, m.drawn(t), rapid.SampledFrom([]string{"somebody", "u1"}).Draw(t, "holder"))
	may(t, err)
}

func (m *callingMachine) release(t *rapid.T) {
	_, err := m.ReleaseNumber(m.t.Context(), m.admin, m.drawn(t))
	may(t, err)
}

func (m *callingMachine) set(t *rapid.T) {
	m.settings(func(s *resources.Settings) {
		s.AutoNumber = rapid.Bool().Draw(t, "autoNumber")
		s.AutoExtension = rapid.Bool().Draw(t, "autoExtension")
		s.QuarantineHours = rapid.IntRange(0, 1).Draw(t, "quarantine")
		s.DefaultLocation = rapid.SampledFrom([]string{"", m.paris.ID}).Draw(t, "default")
	})
}

// compare holds users against numbers, both ways.
func (m *callingMachine) compare() {
	ctx := m.t.Context()
	list, _, _, err := m.Numbers(ctx, m.admin, resources.NumberQuery{})
	if err != nil {
		m.rt.Fatal(err)
	}
	numbers := make(map[string]*resources.Number)
	for _, n := range list {
		numbers[n.E164] = n
	}
	assigned, extensions := 0, make(map[string]string)
	recs := make(map[string]*resources.Record)
	for name, id := range m.users {
		rec, err := m.Get(ctx, m.idp, resources.KindUser, id)
		if err != nil {
			m.rt.Fatal(err)
		}
		recs[name] = rec
		c := resources.StandingOf(rec).Calling
		if c == nil {
			m.rt.Fatalf("%s has nothing to do with calling", name)
		}
		if c.Number != "" {
			assigned++
			if n := numbers[c.Number]; n == nil || n.Assignee != id || n.State != resources.NumberAssigned || n.Location != c.Location {
				m.rt.Fatalf("%s has %+v, the number is %+v", name, c, n)
			}
		}
		if key := c.Location + " " + c.Extension; c.Extension != "" {
			if extensions[key] != "" {
				m.rt.Fatalf("%s and %s have the same extension", name, extensions[key])
			}
			extensions[key] = name
		}
	}
	for _, n := range numbers {
		if n.State == resources.NumberAssigned {
			assigned--
		}
	}
	if assigned != 0 {
		m.rt.Fatalf("%d more users than numbers are assigned", assigned)
	}
	for name, rec := range recs {
		m.reasons(name, rec, numbers, extensions)
	}
	if faults, err := m.store.Audit(ctx, m.idp.Org, resources.Placement); err != nil || len(faults) > 0 {
		m.rt.Fatalf("%v, %v", faults, err)
	}
}

// reasons checks that every issue is still one.
func (m *callingMachine) reasons(name string, rec *resources.Record, numbers map[string]*resources.Number, extensions map[string]string) {
	s := resources.StandingOf(rec)
	doc, err := jsontree.Parse(rec.Profile, jsontree.Limits{})
	if err != nil {
		m.rt.Fatal(err)
	}
	wish := doc.Get(resources.CallingURN)
	n := numbers[wish.GetString("phoneNumber")]
	for _, w := range s.Calling.Waits {
		for _, n := range numbers {
			if n.State == resources.NumberAvailable && w.Line == "call/"+n.Location {
				m.rt.Fatalf("%s waits for a number, and %s is free", name, n.E164)
			}
		}
	}
	for _, i := range s.Issues {
		still := true
		switch i.Code {
		case resources.CodeNumberUnknown:
			still = n == nil
		case resources.CodeNumberInUse:
			still = n != nil && n.Assignee != rec.ID && n.State != resources.NumberAvailable && n.Holder != name
		case resources.CodeNumberPlace:
			still = n == nil || wish.GetString("location") != "" || s.Calling.Location == "" // moved away since, nobody is told
		case resources.CodeExtensionInUse:
			still = false
			for key, holder := range extensions {
				still = still || holder != name && strings.HasSuffix(key, " "+wish.GetString("extension"))
			}
		}
		if !still {
			m.rt.Fatalf("%s has the issue %+v, the wish is %s, the number %+v, standing %s", name, i, rec.Profile, n, rec.Standing)
		}
	}
}
