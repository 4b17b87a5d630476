package password

import (
	"slices"
	"strings"
	"testing"
)

// The list is what looking things up relies on: sorted, folded, a word a line.
func TestList(t *testing.T) {
	lines := strings.Split(strings.TrimSuffix(list, "\n"), "\n")
	if len(lines) < 10_000 || !slices.IsSorted(lines) {
		t.Fatalf("%d lines, sorted: %v", len(lines), slices.IsSorted(lines))
	}
	for i, line := range lines {
		if line == "" || fold(line) != line || strings.TrimSpace(line) != line {
			t.Errorf("line %d: %q", i+1, line)
		}
		if !listed(line) {
			t.Errorf("%q is in the list and not found", line)
		}
		if listed(line+"\x00") || listed("\x01"+line) {
			t.Errorf("what stands beside %q is found", line)
		}
	}
	for _, not := range []string{"", "\n", "password\n123456", "zzzzzzzzzzzzzz", "!"} {
		if listed(not) {
			t.Errorf("%q is found", not)
		}
	}
}
