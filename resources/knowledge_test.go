package resources

import (
	"errors"
	"testing"

	"github.com/usher-scim/usher/internal/jsontree"
)

// TestKnowledge: what refusals teach, that it comes to an end, and that a node
// remembers it for its organization alone (BR-164, BR-195).
func TestKnowledge(t *testing.T) {
	var k knowledge
	extension := AttrKey("User", factPlaceXT, "paris 12")
	for _, step := range []struct {
		name   string
		err    error
		learns bool
	}{
		{"no seat", &Refusal{Reason: RefusedFull, Pool: seatPool("s")}, true},
		{"another pool", &Refusal{Reason: RefusedFull, Pool: "other"}, false},
		{"an extension", &Refusal{Reason: RefusedName, Index: UserKey, Value: extension, Holder: "u"}, true},
		{"a name", &Refusal{Reason: RefusedName, Index: UserName, Value: "u"}, false},
		{"anything else", errors.New("broken"), false},
		{"nothing", nil, false},
	} {
		if got := k.learn(step.err); got != step.learns {
			t.Errorf("%s: learned %v", step.name, got)
		}
	}
	if !k.full[seatPool("s")] || k.taken[extension] != "u" {
		t.Errorf("knowledge %+v", k)
	}
	var f fullPools
	f.note("a", &k)
	if !f.seed("a")[seatPool("s")] || f.seed("b") != nil {
		t.Errorf("remembered %v and %v", f.seed("a"), f.seed("b"))
	}
	k.lost = map[string]bool{seatPool("s"): true}
	if !k.learn(&Refusal{Reason: RefusedNotFull, Pool: seatPool("s")}) || k.full[seatPool("s")] || k.lost[seatPool("s")] {
		t.Errorf("a pool that has room: %+v", k)
	}
	lessons := 0
	for k.learn(&Refusal{Reason: RefusedFull, Pool: seatPool("s")}) {
		lessons++
	}
	if !k.tired() || lessons > maxLessons {
		t.Errorf("an act went on for %d lessons", lessons)
	}
	f.note("a", &knowledge{})
	if f.seed("a") == nil {
		t.Error("an act that learned nothing made the node forget")
	}
}

// TestTiredWaits: who has been refused too often waits without conditions, and a
// worker looks again.
func TestTiredWaits(t *testing.T) {
	q := asked(func(q *question) {
		q.wish = wishes{licences: []string{"host"}}
		q.known = &knowledge{full: map[string]bool{seatPool("s-host"): true}}
	})
	v := decide(q)
	for tired, want := range map[bool]string{
		false: "wait u sku/host seat/s-host, due shost",
		true:  "due shost, wait u sku/host, due shost",
	} {
		var tx places
		seating{tx: &tx, q: q, user: "u", tired: tired}.move(nil, v.licences)
		if string(tx.said) != want {
			t.Errorf("tired %v: %s, want %s", tired, tx.said, want)
		}
	}
}

// FuzzWishes: whatever a document has, reading what it asks for is no fault, and
// what an administrator's creation grants is taken out of it.
func FuzzWishes(f *testing.F) {
	f.Add(`{"` + LicenceUserURN + `":{"licenses":["a","A",{"value":"b"},1,null],"package":"c"},"entitlements":[{"value":"d"}]}`)
	f.Add(`{"` + LicenceUserURN + `":["licenses"],"` + CallingURN + `":{"location":1},"phoneNumbers":[{"type":"WORK","value":"1"},2]}`)
	f.Add(`{"schemas":["` + LicenceUserURN + `"],"` + LicenceUserURN + `":{"licenses":"a"}}`)
	cat := newCatalogue(builtinProducts())
	f.Fuzz(func(t *testing.T, text string) {
		doc, err := jsontree.Parse([]byte(text), jsontree.BodyLimits())
		if err != nil || doc.Kind != jsontree.Object {
			return
		}
		w := wishesOf(&doc, true)
		if err := w.check(cat, &wishes{}); err != nil && !HasCode(err, CodeSKUUnknown) {
			t.Errorf("check: %v", err)
		}
		if !w.same(&w) {
			t.Error("not the same as itself")
		}
		callingWishOf(&doc)
		given := grants(&doc)
		if left := wishesOf(&doc, false); len(left.licences) > 0 || len(given) != len(w.licences) {
			t.Errorf("granted %v, left %v of %v", given, left.licences, w.licences)
		}
	})
}
