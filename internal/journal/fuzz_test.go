package journal_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/usher-scim/usher/internal/journal"
	"github.com/usher-scim/usher/internal/journaltest"
)

// FuzzOpen gives Open any files. It says what is wrong with them or reads them, the
// same each time, and never gives out a record of a bad frame as a good one.
func FuzzOpen(f *testing.F) {
	disk := journaltest.New()
	w, err := reopen(disk)
	if err != nil {
		f.Fatal(err)
	}
	for _, r := range []string{"a", "b"} {
		if err := w.add(r); err != nil {
			f.Fatal(err)
		}
	}
	if err := w.snapshot(); err != nil {
		f.Fatal(err)
	}
	if err := w.add("c"); err != nil {
		f.Fatal(err)
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	snapshot, tail := disk.Data("snapshot-0000000002"), disk.Data("journal-0000000002")
	f.Add(snapshot, tail, true)
	f.Add(snapshot, tail[:len(tail)-3], true)
	f.Add(snapshot[:40], tail, true)
	f.Add([]byte{}, tail[:len(tail)/2], false)
	f.Add([]byte("journal/1 test/1 snapshot 2 00000000 1 00000000\n"), []byte{}, true)
	f.Fuzz(func(t *testing.T, snapshot, tail []byte, both bool) {
		disk := journaltest.New()
		if both {
			disk.Set("snapshot-0000000002", slices.Clone(snapshot))
			disk.Set("journal-0000000002", slices.Clone(tail))
		} else {
			disk.Set("journal-0000000001", slices.Clone(tail))
		}
		w, err := reopen(disk)
		var damage *journal.DamageError
		if err != nil {
			if !errors.As(err, &damage) || damage.File == "" || damage.Reason == "" {
				t.Fatalf("the error tells no file and reason: %v", err)
			}
			return
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		again, err := reopen(disk)
		if err != nil || !slices.Equal(w.state, again.state) || again.report.Torn != nil {
			t.Fatalf("the second time: %v, %q after %q, %+v", err, again.state, w.state, again.report)
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
