package resources

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDecideTimes: a decision that is made again says the same, and the place in
// the line is that of the first request (BR-164).
func TestDecideTimes(t *testing.T) {
	q := asked(func(q *question) {
		q.wish = wishes{licences: []string{"host", "suite"}}
		q.known.full = map[string]bool{seatPool("s-host"): true}
	})
	first := decide(q)
	q.before, q.now = &Standing{Licences: first.licences}, decidedAt+1000
	second := decide(q)
	if diff := cmp.Diff(first.licences, second.licences); diff != "" {
		t.Errorf("decided again, otherwise:\n%s", diff)
	}
	q.known, q.now = &knowledge{}, decidedAt+2000
	third := decide(q)
	if a := third.licences[0]; a.Asked != decidedAt || a.Since != decidedAt+2000 || a.Status != Assigned {
		t.Errorf("seated: %+v, asked at %d and since %d wanted", a, decidedAt, decidedAt+2000)
	}
}

// TestWishCheck: unknown SKUs are refused with the list of valid ones, unless
// they were stored before (BR-154).
func TestWishCheck(t *testing.T) {
	cat := newCatalogue(builtinProducts())
	for name, tt := range map[string]struct {
		wish, before wishes
		want         string
	}{
		"known":            {wish: wishes{licences: []string{"Suite"}, pack: "CALLING"}},
		"unknown":          {wish: wishes{licences: []string{"suit"}}, want: `Unknown licence "suit"; valid: basic, calling, host, meetings, suite, voice, webinars.`},
		"stored before":    {wish: wishes{licences: []string{"old"}}, before: wishes{licences: []string{"OLD"}}},
		"no package":       {wish: wishes{pack: "host"}, want: `Unknown package "host"; valid: calling, meetings, suite, voice.`},
		"stored package":   {wish: wishes{pack: "old"}, before: wishes{pack: "old"}},
		"any entitlements": {wish: wishes{entitled: []string{"vpn"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if err := tt.wish.check(cat, &tt.before); err != nil {
				e, ok := errors.AsType[*Error](err)
				if !ok {
					t.Fatal(err)
				}
				if got = e.Detail; e.Code != CodeSKUUnknown || e.Field == "" {
					t.Errorf("code %s, field %q", e.Code, e.Field)
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestStrictness: which failures refuse whose acts (domain.md §4.13).
func TestStrictness(t *testing.T) {
	codes := []Code{CodeNoSeats, CodeLicenceConflict, CodePrerequisite, CodeNotSubscribed, CodeNumberOrExtension}
	for s, want := range map[strictness]string{lenient: "-----", strictly: "+++--", asAnAdmin: "+++++"} {
		got := ""
		for _, c := range codes {
			if s.refuses(c) {
				got += "+"
			} else {
				got += "-"
			}
		}
		if got != want {
			t.Errorf("strictness %d refuses %s, want %s", s, got, want)
		}
	}
	v := verdict{licences: has("host!no_seats_available:scim", "suite!licence_conflict:group:g1").Licences}
	nothing := func(string) bool { return false }
	if err := strictly.fault(&Standing{}, &v, nothing); err != nil {
		t.Errorf("refused for what was not asked for now: %v", err)
	}
	if err := strictly.fault(&Standing{}, &v, func(sku string) bool { return sku == "host" }); !HasCode(err, CodeNoSeats) {
		t.Errorf("got %v", err)
	}
	if err := asAnAdmin.fault(has("suite@s-suite:group:g1"), &v, nothing); !HasCode(err, CodeLicenceConflict) {
		t.Errorf("an administrator takes a licence away without noticing: %v", err)
	}
}

// TestOneOf: alternatives in a sentence.
func TestOneOf(t *testing.T) {
	for n, want := range []string{"", "a", "a or b", "a, b or c"} {
		if got := oneOf([]string{"a", "b", "c"}[:n]); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
