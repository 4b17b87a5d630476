package resources

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestNumbersCSV: the columns by name in any order, the separators that
// spreadsheets write, lines with nothing.
func TestNumbersCSV(t *testing.T) {
	want := []importRow{{2, "+33634333211", "Paris", "inactive"}, {4, "06 34 33 32 12", "Lyon, Est", ""}}
	for name, text := range map[string]string{
		"commas":            "number,location,state\n+33634333211,Paris,inactive\n,,\n06 34 33 32 12,\"Lyon, Est\",\n",
		"another order":     "State, Note ,LOCATION,Number\r\ninactive,x,Paris,+33634333211\r\n\t,\r\n,,\"Lyon, Est\",06 34 33 32 12\r\n",
		"semicolons":        "\ufeffnumber;location;state\n'+33634333211;Paris;inactive\n;;\n06 34 33 32 12;Lyon, Est;\n",
		"tabs, empty cells": "note\tnumber\tstate\tlocation\n\t+33634333211\tinactive\tParis\n\t\t\t\nx\t06 34 33 32 12\t\tLyon, Est\n",
		"tabs, short row":   "number\tlocation\tstate\n+33634333211\tParis\tinactive\n\t\n06 34 33 32 12\tLyon, Est",
	} {
		got, err := readNumbersCSV(strings.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestNumbersCSVRefused: what is no list of numbers is refused with the place.
func TestNumbersCSVRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		code Code
		want string
	}{
		"empty":        {"", CodeInvalidValue, "is empty"},
		"no header":    {"+33634333211,Paris\n", CodeInvalidValue, "column number"},
		"no location":  {"number,state\n", CodeInvalidValue, "column location"},
		"twice":        {"number,location,Number\n", CodeInvalidValue, "twice"},
		"not text":     {"number,location\n\xff\xfe\n", CodeInvalidValue, "UTF-8"},
		"UTF-16":       {"n\x00u\x00m\x00", CodeInvalidValue, "UTF-8"},
		"open quote":   {"number,location\n1,\"x\n2,y\n", CodeInvalidValue, "Line 3"},
		"a large cell": {"number,location\n1," + strings.Repeat("x", 201) + "\n", CodeInvalidValue, "Line 2"},
		"too large":    {"number,location\n" + strings.Repeat("x", importBytes), CodeTooManyRows, "1 MiB"},
		"too long":     {"number,location\n" + strings.Repeat("1,\n", importLines+1), CodeTooManyRows, "50000 lines"},
	} {
		_, err := readNumbersCSV(strings.NewReader(tt.text))
		if !HasCode(err, tt.code) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s with %q", name, err, tt.code, tt.want)
		}
	}
}

// FuzzNumbersCSV: nothing that is sent breaks the reader; what it gives is
// bounded, and has something in every line.
func FuzzNumbersCSV(f *testing.F) {
	f.Add([]byte("number,location\n+33634333211,Paris\n"))
	f.Add([]byte("\ufeffnumber;location;state\n\"a\"\"b\";;\n"))
	f.Add([]byte("number\tlocation\r\r\n\"\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, err := readNumbersCSV(strings.NewReader(string(data)))
		if err != nil {
			if _, ok := errors.AsType[*Error](err); !ok {
				t.Fatal(err)
			}
			return
		}
		line := 1
		for _, r := range rows {
			if r.Line <= line || r.Number+r.Location+r.State == "" || len(fmt.Sprint(r)) > 4*importCell {
				t.Fatalf("row %+v behind line %d", r, line)
			}
			line = r.Line
		}
	})
}
