package journal_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/usher-scim/usher/internal/journal"
	"github.com/usher-scim/usher/internal/journaltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a journal over a state that is the list of its records.
type world struct {
	*journal.Journal
	disk   *journaltest.Disk
	state  []string
	report journal.Report
}

func config(disk journal.Disk) journal.Config {
	return journal.Config{Disk: disk, Format: "test/1", Rand: rand.Reader}
}

func reopen(disk *journaltest.Disk) (*world, error) {
	w := &world{disk: disk}
	j, report, err := journal.Open(config(disk), func(record []byte) error {
		w.state = append(w.state, string(record))
		return nil
	})
	w.Journal, w.report = j, report
	return w, err
}

func open(t *testing.T, disk *journaltest.Disk) *world {
	t.Helper()
	w, err := reopen(disk)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() }) // a test may have closed it or made it fail
	return w
}

// add appends one record and waits for it.
func (w *world) add(record string) error {
	w.state = append(w.state, record)
	return w.Wait(context.Background(), w.Append([]byte(record)))
}

// snapshot writes the state.
func (w *world) snapshot() error {
	s, err := w.Snapshot(context.Background())
	if err != nil {
		return err
	}
	for _, r := range w.state {
		s.Add([]byte(r))
	}
	return s.Commit()
}

func (w *world) must(t *testing.T, steps ...string) {
	t.Helper()
	for _, step := range steps {
		var err error
		if step == "snapshot" {
			err = w.snapshot()
		} else {
			err = w.add(step)
		}
		if err != nil {
			t.Fatalf("%s: %v", step, err)
		}
	}
}

func TestRecordsComeBackInOrder(t *testing.T) {
	disk := journaltest.New()
	w := open(t, disk)
	long := strings.Repeat("x", 700<<10)
	w.must(t, "a", "", "b", "snapshot", "c", long, "snapshot", "snapshot", "d", "e")
	want := slices.Clone(w.state)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("closed twice: %v", err)
	}
	if err := w.Wait(context.Background(), w.Append([]byte("late"))); err == nil {
		t.Error("a record after the end is kept")
	}
	again := open(t, disk)
	if d := cmp.Diff(want, again.state); d != "" {
		t.Errorf("-before +after:\n%s", d)
	}
	if again.report.Torn != nil || again.report.Records != len(want) {
		t.Errorf("the report is %+v", again.report)
	}
	names, _ := disk.Names()
	if d := cmp.Diff([]string{"journal-0000000004", "snapshot-0000000004"}, names); d != "" {
		t.Errorf("files:\n%s", d)
	}
	if s, j := again.Sizes(); int(s+j) != disk.Used() || j == 0 || s < 700<<10 {
		t.Errorf("sizes %d and %d, used %d", s, j, disk.Used())
	}
}

// Many who wait share one sync.
func TestGroupCommit(t *testing.T) {
	w := open(t, journaltest.New())
	w.disk.Fail(0, nil, false)
	var numbers []uint64
	for i := range 1000 {
		numbers = append(numbers, w.Append(fmt.Append(nil, "r", i)))
	}
	var all sync.WaitGroup
	for _, n := range numbers {
		all.Go(func() {
			if err := w.Wait(context.Background(), n); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := w.disk.Calls(); n > 1000 { // each by itself would make two
		t.Errorf("%d calls for 1000 records", n)
	}
}

func TestWaitGivesUp(t *testing.T) {
	w := open(t, journaltest.New())
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for range 1000 { // sooner or later one is not on disk yet
		if err := w.Wait(ctx, w.Append([]byte("x"))); err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			return
		}
	}
	t.Error("it never waited")
}

// A crash at any byte of the last frame leaves all before it, and a report.
func TestTornAtEveryByte(t *testing.T) {
	disk := journaltest.New()
	w := open(t, disk)
	w.must(t, "a", "snapshot", "b", "c", "the last record of all")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	const name = "journal-0000000002"
	whole := disk.Data(name)
	frame := 16 + 1 + len("the last record of all")
	for cut := 1; cut <= frame; cut++ {
		for _, tail := range []string{"cut", "zeros", "noise"} {
			torn := disk.Copy()
			data := slices.Clone(whole)
			switch tail {
			case "cut":
				data = data[:len(data)-cut]
			case "zeros":
				clear(data[len(data)-cut:])
			case "noise":
				data[len(data)-cut] ^= 0x40
			}
			torn.Set(name, data)
			again, err := reopen(torn)
			if err != nil {
				t.Fatalf("%s of %d bytes: %v", tail, cut, err)
			}
			if d := cmp.Diff([]string{"a", "b", "c"}, again.state); d != "" {
				t.Fatalf("%s of %d bytes:\n%s", tail, cut, d)
			}
			torns := tail != "cut" || cut < frame
			if tr := again.report.Torn; (tr != nil) != torns || (tr != nil && (tr.File != name || tr.Offset != int64(len(whole)-frame) || tr.Reason == "" || tr.Bytes == 0)) {
				t.Fatalf("%s of %d bytes: the report is %+v", tail, cut, tr)
			}
			again.must(t, "d")
			if err := again.Close(); err != nil {
				t.Fatal(err)
			}
			last := open(t, torn)
			if d := cmp.Diff([]string{"a", "b", "c", "d"}, last.state); d != "" || last.report.Torn != nil {
				t.Fatalf("%s of %d bytes, the time after: %+v\n%s", tail, cut, last.report, d)
			}
		}
	}
}

// Every byte that is changed before the last frame is found, and named.
func TestDamageIsRefused(t *testing.T) {
	disk := journaltest.New()
	w := open(t, disk)
	w.must(t, "a", "snapshot", "b", "c", "last")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	frame := 16 + 1 + len("last")
	for _, name := range []string{"snapshot-0000000002", "journal-0000000002"} {
		whole := disk.Data(name)
		end := len(whole)
		if strings.HasPrefix(name, "journal") {
			end -= frame
		}
		for at := range end {
			bad := disk.Copy()
			data := slices.Clone(whole)
			data[at] ^= 0x10
			bad.Set(name, slices.Clone(data))
			_, err := reopen(bad)
			var damage *journal.DamageError
			if !errors.As(err, &damage) || damage.File != name || damage.Offset > int64(at) || !strings.Contains(err.Error(), name) {
				t.Fatalf("%s, byte %d changed: %v", name, at, err)
			}
			if d := cmp.Diff(data, bad.Data(name)); d != "" {
				t.Fatalf("%s, byte %d: the file was changed:\n%s", name, at, d)
			}
		}
	}
}

// A first line that does not fit is that of a file in the making only when nothing
// stands behind it: records are written once it is on disk. What a crash has left
// unfinished is none.
func TestDamagedFirstLine(t *testing.T) {
	first := journaltest.New()
	w := open(t, first)
	w.must(t, "a")
	second := first.Copy()
	x := open(t, second)
	second.Fail(5, errPower, false) // two journals, no snapshot
	if err := x.snapshot(); err == nil {
		t.Fatal("a snapshot that cannot be made")
	}
	x.must(t, "b")
	for name, disk := range map[string]*journaltest.Disk{"journal-0000000001": first, "journal-0000000002": second} {
		whole := disk.Data(name)
		for at := range slices.Index(whole, '\n') + 1 {
			bad := disk.Copy()
			data := slices.Clone(whole)
			data[at] ^= 0x10
			bad.Set(name, data)
			again, err := reopen(bad)
			if damage, ok := errors.AsType[*journal.DamageError](err); !ok || damage.File != name {
				t.Fatalf("%s, byte %d changed: %v, there is %q", name, at, err, again.state)
			}
			torn := disk.Copy()
			torn.Set(name, append(slices.Clone(whole[:at]), make([]byte, at%3)...))
			if again := open(t, torn); len(again.state) != int(name[len(name)-1]-'1') {
				t.Errorf("%s, a line of %d bytes: %q", name, at, again.state)
			}
		}
	}
}

// Files that are missing, swapped or too old are refused.
func TestMissingFiles(t *testing.T) {
	disk := journaltest.New()
	w := open(t, disk)
	w.must(t, "a", "snapshot", "b")
	disk.Fail(4, errors.New("no"), false) // the snapshot cannot be made: two journals follow one
	if err := w.snapshot(); err == nil {
		t.Fatal("a snapshot that cannot be made")
	}
	w.must(t, "c")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if again := open(t, disk.Copy()); cmp.Diff([]string{"a", "b", "c"}, again.state) != "" {
		t.Fatalf("whole: %q", again.state)
	}
	for _, c := range []struct{ remove, want string }{
		{"journal-0000000002", "journal-0000000002 is damaged at byte 0: it is missing"},
		{"snapshot-0000000002", "journal-0000000001 is damaged at byte 0: it is missing"},
	} {
		part := disk.Copy()
		if err := part.Remove(c.remove); err != nil {
			t.Fatal(err)
		}
		if _, err := reopen(part); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("without %s: %v", c.remove, err)
		}
	}
	swapped := disk.Copy()
	swapped.Set("journal-0000000003", swapped.Data("journal-0000000002"))
	if _, err := reopen(swapped); err == nil || !strings.Contains(err.Error(), "it is journal-0000000002 by what it says") {
		t.Errorf("a journal under another name: %v", err)
	}
	other := config(disk.Copy())
	other.Format = "test/2"
	if _, _, err := journal.Open(other, nil); err == nil || !strings.Contains(err.Error(), `holds "test/1", this program reads "test/2"`) {
		t.Errorf("another format: %v", err)
	}
}

// Journals that were made and never used do not count, though some of them have
// been removed by chance.
func TestUnusedJournals(t *testing.T) {
	disk := journaltest.New()
	w := open(t, disk)
	w.must(t, "a")
	for range 2 {
		disk.Fail(5, errPower, false) // the snapshot cannot be begun, its journal is there
		if err := w.snapshot(); err == nil {
			t.Fatal("a snapshot that cannot be made")
		}
	}
	if err := disk.Remove("journal-0000000002"); err != nil {
		t.Fatal(err)
	}
	if again := open(t, disk.Copy()); cmp.Diff([]string{"a"}, again.state) != "" {
		t.Errorf("there is %q", again.state)
	}
}

func TestRefusedRecord(t *testing.T) {
	disk := journaltest.New()
	open(t, disk).must(t, "a", "b")
	no := errors.New("no such thing")
	_, _, err := journal.Open(config(disk.Copy()), func([]byte) error { return no })
	if !errors.Is(err, no) || !strings.Contains(err.Error(), "journal-0000000001") {
		t.Errorf("the error is %v", err)
	}
}
