package chaos_test

import (
	"testing"
	"time"
)

// TestModelsSeeFaults: histories that break an invariant are found, and the same
// histories without the fault are not.
func TestModelsSeeFaults(t *testing.T) {
	type step struct {
		what, value, out string
		result           outcome
	}
	for name, c := range map[string]struct {
		key       string
		good, bad []step
	}{
		"two holders of a name": {
			"name:a",
			[]step{{"claim", "", "1", done}, {"claim", "", "", refused}, {"free", "1", "", done}, {"claim", "", "2", done}},
			[]step{{"claim", "", "1", done}, {"claim", "", "2", done}},
		},
		"a write that was acknowledged and is gone": {
			"name:a",
			[]step{{"claim", "", "1", done}, {"look", "", "1", done}},
			[]step{{"claim", "", "1", done}, {"look", "", "", done}},
		},
		"a refused write that left a trace": {
			"mail:a",
			[]step{{"claim", "", "1", done}, {"free", "1", "", done}, {"look", "", "", done}},
			[]step{{"claim", "", "1", done}, {"free", "1", "", done}, {"claim", "", "", refused}},
		},
		"one attempt applied twice": {
			"name:a",
			[]step{{"claim", "", "", unknown}, {"look", "", "1", done}, {"free", "1", "", done}, {"look", "", "", done}},
			[]step{{"claim", "", "", unknown}, {"look", "", "1", done}, {"free", "1", "", done}, {"look", "", "2", done}},
		},
		"a lost update": {
			"ver:a",
			[]step{{"see", "", "v1", done}, {"swap", "v1", "v2", done}, {"swap", "v1", "", refused}},
			[]step{{"see", "", "v1", done}, {"swap", "v1", "v2", done}, {"swap", "v1", "v3", done}},
		},
		"a version from nowhere": {
			"ver:a",
			[]step{{"see", "", "v1", done}, {"swap", "v1", "", unknown}, {"see", "", "v2", done}},
			[]step{{"see", "", "v1", done}, {"see", "", "v2", done}},
		},
		"a member that was lost": {
			"mem:a",
			[]step{{"join", "", "", done}, {"part", "", "", unknown}, {"list", "", "false", done}},
			[]step{{"join", "", "", done}, {"list", "", "false", done}},
		},
		"no administrator left": {
			"boss:a",
			[]step{{"appoint", "1", "", done}, {"dismiss", "0", "", done}, {"dismiss", "1", "", refused}, {"list", "", "1", done}},
			[]step{{"appoint", "1", "", done}, {"dismiss", "0", "", done}, {"dismiss", "1", "", done}},
		},
		"an oversold pool": {
			"seat:a",
			[]step{{"take", "", "1", done}, {"take", "", "", unknown}, {"take", "", "", refused}, {"give", "1", "", done}, {"take", "", "4", done}},
			[]step{{"take", "", "1", done}, {"take", "", "2", done}, {"take", "", "3", done}},
		},
		"a seat that leaked": {
			"seat:a",
			[]step{{"take", "", "1", done}, {"give", "1", "", done}, {"count", "", "0", done}},
			[]step{{"take", "", "1", done}, {"give", "1", "", done}, {"count", "", "1", done}},
		},
	} {
		for what, steps := range map[string][]step{"good": c.good, "bad": c.bad} {
			h := newHistory()
			for i, s := range steps {
				h.note(event{key: c.key, what: s.what, value: s.value, out: s.out, result: s.result, call: time.Duration(i) * time.Hour})
				h.all[i].back = h.all[i].call + time.Minute
			}
			if found := h.impossible(2, false); (len(found) > 0) != (what == "bad") {
				t.Errorf("%s, %s history: %q", name, what, found)
			}
		}
	}
}
