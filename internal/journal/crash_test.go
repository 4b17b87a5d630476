package journal_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/usher-scim/usher/internal/journaltest"
)

var errPower = errors.New("the power is gone")

// story is what the tests below do: snapshots in between, also after one another.
var story = []string{"a", "b", "snapshot", "c", "snapshot", "snapshot", "d", "e"}

// play does the story as far as the disk lets it, and returns what was acknowledged.
func play(w *world) (acked []string) {
	for i, step := range story {
		if step == "snapshot" {
			_ = w.snapshot() // what was acknowledged must be there all the same
			continue
		}
		record := fmt.Sprint(step, i)
		if w.add(record) == nil {
			acked = append(acked, record)
		}
	}
	return acked
}

// holds tells whether state has all that was acknowledged, in order, and beside it
// nothing but what was written and not acknowledged.
func holds(state, acked, written []string) string {
	at := 0
	for _, r := range state {
		if !slices.Contains(written, r) {
			return fmt.Sprintf("%q was never written", r)
		}
		if at < len(acked) && r == acked[at] {
			at++
		}
	}
	if at < len(acked) {
		return fmt.Sprintf("%q was acknowledged and is lost; there are %q", acked[at], state)
	}
	return ""
}

// F2, F10: a crash, a power cut, or one failure at every single step of the disk,
// and a power cut after the directory was opened again.
func TestCrashAtEveryStep(t *testing.T) {
	for _, how := range []string{"crash", "power cut", "lucky power cut", "one failure", "power cut later"} {
		t.Run(how, func(t *testing.T) {
			for step := 1; crashAt(t, how, step); step++ {
				continue
			}
		})
	}
}

// crashAt plays the story until a step; it reports whether the story has so many.
func crashAt(t *testing.T, how string, step int) (more bool) {
	t.Helper()
	disk := journaltest.New()
	disk.Fail(step, errPower, how != "one failure")
	w, err := reopen(disk)
	var acked, written []string
	if err == nil {
		acked = play(w)
		written = w.state
		_ = w.Close() // it has failed
	}
	more = disk.Calls() >= step
	chance := rand.New(rand.NewPCG(uint64(step), 2))
	lucky := func(n int) int { return chance.IntN(n + 1) }
	switch how {
	case "power cut":
		disk.PowerCut(func(int) int { return 0 })
	case "lucky power cut":
		disk.PowerCut(lucky)
	}
	disk.Fail(0, nil, false)
	for range 8 { // from the second time on nothing is torn any more
		again, err := reopen(disk)
		if err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
		if fault := holds(again.state, acked, written); fault != "" {
			t.Fatalf("step %d: %s", step, fault)
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
		acked = again.state
		if how == "power cut later" {
			disk.PowerCut(lucky)
		}
	}
	again := open(t, disk)
	before := slices.Clone(again.state)
	again.must(t, "more", "snapshot", "end")
	if d := cmp.Diff(append(before, "more", "end"), open(t, disk.Copy()).state); d != "" {
		t.Fatalf("step %d, going on (-want +got):\n%s", step, d)
	}
	return more
}

// After a failure nothing is acknowledged until a snapshot has healed the journal,
// and then all is there.
func TestFailureAndHealing(t *testing.T) {
	for step := 1; step <= 2; step++ { // writing, syncing
		disk := journaltest.New()
		w := open(t, disk)
		w.must(t, "a", "snapshot", "b")
		disk.Fail(step, journaltest.ErrFull, true)
		if err := w.add("c"); !errors.Is(err, journaltest.ErrFull) {
			t.Fatalf("on a full disk: %v", err)
		}
		<-w.Trouble()
		if err := w.add("d"); !errors.Is(err, journaltest.ErrFull) || w.Failed() == nil {
			t.Fatalf("after it: %v", err)
		}
		if err := w.snapshot(); !errors.Is(err, journaltest.ErrFull) || w.Failed() == nil {
			t.Fatalf("a snapshot on a full disk: %v", err)
		}
		if crashed := open(t, disk.Copy()); holds(crashed.state, []string{"a", "b"}, w.state) != "" {
			t.Errorf("after a crash there is %q", crashed.state)
		}
		disk.Fail(0, nil, false)
		if err := w.add("e"); err == nil {
			t.Error("a failed journal takes records behind what is lost")
		}
		w.must(t, "snapshot", "f")
		if w.Failed() != nil {
			t.Error(w.Failed())
		}
		if d := cmp.Diff([]string{"a", "b", "c", "d", "e", "f"}, open(t, disk.Copy()).state); d != "" {
			t.Errorf("healed:\n%s", d)
		}
	}
}

// Healing can fail at each of its steps and be tried again.
func TestHealingFails(t *testing.T) {
	for step := 1; ; step++ {
		disk := journaltest.New()
		w := open(t, disk)
		w.must(t, "a")
		disk.Fail(1, errPower, false)
		if w.add("b") == nil {
			t.Fatal("acknowledged")
		}
		disk.Fail(step, errPower, false)
		err := w.snapshot()
		ended := disk.Calls() < step
		disk.Fail(0, nil, false)
		if crashed := open(t, disk.Copy()); holds(crashed.state, []string{"a"}, w.state) != "" {
			t.Fatalf("step %d: after a crash there is %q", step, crashed.state)
		}
		if w.Failed() != nil {
			if err == nil {
				t.Fatalf("step %d: a snapshot that does not heal tells nothing", step)
			}
			w.must(t, "snapshot")
		}
		w.must(t, "c")
		cut := disk.Copy()
		cut.PowerCut(func(int) int { return 0 })
		if d := cmp.Diff([]string{"a", "b", "c"}, open(t, cut).state); d != "" {
			t.Fatalf("step %d:\n%s", step, d)
		}
		if ended {
			return
		}
	}
}

// F2: anything may be written, snapshots taken and failures happen; a power cut at
// any moment loses nothing that was acknowledged.
func TestAnyStory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		disk := journaltest.New()
		var acked, written []string
		for life := range rapid.IntRange(1, 4).Draw(t, "lives") {
			w, err := reopen(disk)
			if err != nil {
				t.Fatalf("life %d: %v", life, err)
			}
			if fault := holds(w.state, acked, written); fault != "" {
				t.Fatalf("life %d: %s", life, fault)
			}
			acked = slices.Clone(w.state)
			written = slices.Clone(w.state)
			disk.Fail(rapid.IntRange(0, 40).Draw(t, "fails at"), errPower, rapid.Bool().Draw(t, "for good"))
			for i := range rapid.IntRange(0, 12).Draw(t, "steps") {
				switch rapid.IntRange(0, 5).Draw(t, "step") {
				case 0:
					_ = w.snapshot() // checked by what is there in the end
				case 1: // several at once
					var numbers []uint64
					for k := range 3 {
						r := fmt.Sprint("l", life, "s", i, "k", k)
						w.state, written = append(w.state, r), append(written, r)
						numbers = append(numbers, w.Append([]byte(r)))
					}
					if w.Wait(context.Background(), numbers[2]) == nil {
						acked = append(acked, w.state[len(w.state)-3:]...)
					}
				default:
					r := fmt.Sprint("l", life, "s", i)
					written = append(written, r)
					if w.add(r) == nil {
						acked = append(acked, r)
					}
				}
			}
			_ = w.Close() // it may have failed
			if rapid.Bool().Draw(t, "power cut") {
				disk.PowerCut(func(n int) int { return rapid.IntRange(0, n).Draw(t, "survives") })
			}
			disk.Fail(0, nil, false)
		}
		w, err := reopen(disk)
		if err != nil {
			t.Fatal(err)
		}
		if fault := holds(w.state, acked, written); fault != "" {
			t.Fatal(fault)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
