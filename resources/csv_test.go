package resources

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestCSVCell: no cell begins a formula (security X7).
func TestCSVCell(t *testing.T) {
	tests := map[string]string{
		"":                  "",
		"Zoé":               "Zoé",
		"a=1":               "a=1",
		"=HYPERLINK(\"x\")": "'=HYPERLINK(\"x\")",
		"+1":                "'+1",
		"-1":                "'-1",
		"@x":                "'@x",
		"\t=1":              "'\t=1",
		"\r=1":              "'\r=1",
		"\n=1":              "'\n=1",
		"\uff1d1":           "'\uff1d1",
		"\uff0b1":           "'\uff0b1",
		"\uff0d1":           "'\uff0d1",
		"\uff201":           "'\uff201",
		"'=1":               "'=1",
	}
	for text, want := range tests {
		if got := CSVCell(text); got != want {
			t.Errorf("CSVCell(%q) = %q, want %q", text, got, want)
		}
	}
}

func FuzzCSVCell(f *testing.F) {
	f.Add("=1")
	f.Fuzz(func(t *testing.T, text string) {
		got := CSVCell(text)
		if strings.TrimPrefix(got, "'") != strings.TrimPrefix(text, "'") && got != "'"+text {
			t.Fatalf("CSVCell(%q) = %q changes the text", text, got)
		}
		if first, _ := utf8.DecodeRuneInString(got); got != "" && strings.ContainsRune("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20", first) {
			t.Fatalf("CSVCell(%q) = %q begins a formula", text, got)
		}
	})
}
