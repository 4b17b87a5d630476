package jsontree

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// S12: what must be refused, and what must not.
func TestParseStrict(t *testing.T) {
	nest := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, c := range []struct {
		name, in, reason string // reason "": accepted
	}{
		{"duplicate", `{"a":1,"a":2}`, "appears twice"},
		{"duplicate in other case", `{"userName":"a","USERNAME":"b"}`, "appears twice"},
		{"duplicate by escape", `{"id":1,"\u0069d":2}`, "appears twice"},
		{"duplicate in nested object", `{"x":[{"a":1,"A":2}]}`, "appears twice"},
		{"same name in two objects", `[{"a":1},{"a":2}]`, ""},
		{"Kelvin sign is not k", `{"k":1,"\u212a":2}`, ""},
		{"depth 16", nest(16), ""},
		{"depth 17", nest(17), "nested deeper than 16"},
		{"depth 17 objects", strings.Repeat(`{"a":`, 17) + "1" + strings.Repeat("}", 17), "nested deeper than 16"},
		{"depth is of nesting, not of count", `[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]`, ""},
		{"NUL by escape", `"a\u0000b"`, "NUL"},
		{"NUL in a name", `{"a\u0000":1}`, "NUL"},
		{"NUL raw", "\"a\x00b\"", "control character"},
		{"newline raw", "\"a\nb\"", "control character"},
		{"tab raw after an escape", "\"\\n\t\"", "control character"},
		{"lone high surrogate", `"\ud83d"`, "surrogate"},
		{"lone low surrogate", `"\ude00"`, "surrogate"},
		{"high surrogate and no low", `"\ud83d\u0041"`, "surrogate"},
		{"high surrogate and text", `"\ud83dxxxxxx"`, "surrogate"},
		{"high surrogate and broken escape", `"\ud83d\uzzzz"`, "surrogate"},
		{"high surrogate at the end", `"\ud83d\u`, "surrogate"},
		{"surrogate pair", `"\ud83d\ude00"`, ""},
		{"invalid UTF-8", "\"\xff\"", "UTF-8"},
		{"invalid UTF-8 after an escape", "\"\\n\xff\"", "UTF-8"},
		{"overlong UTF-8", "\"\xc0\x80\"", "UTF-8"},
		{"surrogate in UTF-8", "\"\xed\xa0\x80\"", "UTF-8"},
		{"U+FFFD itself", "\"\ufffd\"", ""},
		{"trailing object", `{} {}`, "after the JSON value"},
		{"trailing word", `{} x`, "after the JSON value"},
		{"trailing NUL", "{}\x00", "after the JSON value"},
		{"BOM", "\xef\xbb\xbf{}", "byte order mark"},
		{"BOM later", " \xef\xbb\xbf{}", "value is expected"},
		{"empty", "", "text ends"},
		{"white space", " \t\r\n", "text ends"},
		{"other white space", "\v{}", "value is expected"},
		{"15 digits", `123456789012345`, ""},
		{"16 digits", `1234567890123456`, "more than 15 digits"},
		{"16 digits with fraction", `12345678.12345678`, "more than 15 digits"},
		{"exponent digits count", `1e1234567890123456`, "more than 15 digits"},
		{"leading zero", `01`, "not a JSON number"},
		{"minus only", `-`, "not a JSON number"},
		{"plus", `+1`, "value is expected"},
		{"minus zero", `-0`, ""},
		{"no digits after point", `1.`, "after the decimal point"},
		{"no digits before point", `.5`, "value is expected"},
		{"no digits in exponent", `1e+`, "in the exponent"},
		{"hex", `0x10`, "after the JSON value"},
		{"NaN", `NaN`, "value is expected"},
		{"word cut", `tru`, "value is expected"},
		{"word in capitals", `True`, "value is expected"},
		{"word too long", `nulls`, "after the JSON value"},
		{"comma at the end of an array", `[1,]`, "value is expected"},
		{"comma at the end of an object", `{"a":1,}`, "name in quotes"},
		{"array without comma", `[1 2]`, "comma"},
		{"object without colon", `{"a" 1}`, "colon"},
		{"wrong closing", `[1}`, "comma"},
		{"open array", `[1`, "ends inside"},
		{"open object", `{"a":1`, "ends inside"},
		{"open object after comma", `{"a":1,`, "name in quotes"},
		{"open string", `"abc`, "ends inside a string"},
		{"open escape", `"abc\`, "ends inside an escape"},
		{"short escape", `"\u00`, "four hexadecimal"},
		{"bad escape", `"\x"`, "not a JSON escape"},
		{"single quotes", `{'a':1}`, "name in quotes"},
		{"comment", `{} // x`, "after the JSON value"},
		{"all escapes", `"\"\\\/\b\f\n\r\t\u00e9"`, ""},
		{"spaces everywhere", " { \"a\" : [ 1 , 2 ] , \"b\" : { } } \n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse([]byte(c.in), BodyLimits())
			if c.reason == "" {
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				return
			}
			var se *SyntaxError
			if !errors.As(err, &se) {
				t.Fatalf("got %v, want a *SyntaxError", err)
			}
			if !strings.Contains(se.Error(), c.reason) {
				t.Errorf("got %q, want it to say %q", se.Error(), c.reason)
			}
			if se.Offset < 0 || se.Offset > len(c.in) {
				t.Errorf("offset %d is outside the text", se.Offset)
			}
		})
	}
}

func object(members int) string {
	var b strings.Builder
	for i := range members {
		b.WriteString(`,"member_`)
		b.WriteString(strings.Repeat("x", i%7))
		b.WriteString(string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676)))
		b.WriteString(`":1`)
	}
	return "{" + strings.TrimPrefix(b.String(), ",") + "}"
}

// S12: 512 members, counted per object; large objects still refuse duplicates.
func TestParseMembers(t *testing.T) {
	if _, err := Parse([]byte(object(512)), BodyLimits()); err != nil {
		t.Errorf("512 members: %v", err)
	}
	if _, err := Parse([]byte(object(513)), BodyLimits()); err == nil || !strings.Contains(err.Error(), "512 members") {
		t.Errorf("513 members: %v", err)
	}
	for _, n := range []int{30, 31, 32, 33, 34, 100} {
		full := object(n)
		last := full[strings.LastIndex(full, ",")+2 : len(full)-3] // name of the last member
		for _, name := range []string{"MEMBER_AAA", "Member_xxxdAa", last, strings.ToUpper(last)} {
			again := strings.TrimSuffix(full, "}") + `,"` + name + `":1}`
			if _, err := Parse([]byte(again), BodyLimits()); err == nil || !strings.Contains(err.Error(), "twice") {
				t.Errorf("%d members and %q again: %v", n, name, err)
			}
		}
	}
	if _, err := Parse([]byte(object(2000)), Limits{}); err != nil {
		t.Errorf("no limits: %v", err)
	}
}

// S12: hostile bodies cost no more than their bytes allow.
func TestParseHostile(t *testing.T) {
	mega := 1 << 20
	many := strings.TrimSuffix(strings.Repeat(object(512)+",", mega/len(object(512))), ",")
	for _, c := range []struct {
		name, in string
		most     time.Duration // with room for a busy machine
		bytes    uint64        // 0: not looked at
		ok       bool
	}{
		{"10^6 opening brackets", strings.Repeat("[", 1_000_000), 5 * time.Millisecond, 2 << 20, false},
		{"10^6 opening objects", strings.Repeat(`{"":`, 250_000), 5 * time.Millisecond, 2 << 20, false},
		{"array of zeros", "[" + strings.Repeat("0,", mega/2), 100 * time.Millisecond, 64 << 20, false},
		{"array of empty arrays", "[" + strings.Repeat("[],", mega/3), 100 * time.Millisecond, 64 << 20, false},
		{"full objects", "[" + many + "]", 150 * time.Millisecond, 0, true},
		{"one long string of escapes", `"` + strings.Repeat(`\n`, mega/2) + `"`, 50 * time.Millisecond, 8 << 20, true},
		{"one long string of U+FFFD", `"` + strings.Repeat("\ufffd", mega/3) + `"`, 50 * time.Millisecond, 3 << 20, true},
		{"one long number", strings.Repeat("1", mega), 50 * time.Millisecond, 3 << 20, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := []byte(c.in)
			best := time.Hour
			var before, after runtime.MemStats
			for range 5 { // the best of five, others share this machine
				runtime.ReadMemStats(&before)
				start := time.Now()
				_, err := Parse(in, BodyLimits())
				best = min(best, time.Since(start))
				runtime.ReadMemStats(&after)
				if (err == nil) != c.ok {
					t.Fatalf("got %v, want accepted %v", err, c.ok)
				}
			}
			if got := after.TotalAlloc - before.TotalAlloc; c.bytes > 0 && got > c.bytes {
				t.Errorf("allocated %d bytes, at most %d wanted", got, c.bytes)
			}
			if best > c.most && !raceEnabled {
				t.Errorf("took %v, at most %v wanted", best, c.most)
			}
			t.Log(best, after.TotalAlloc-before.TotalAlloc)
		})
	}
}

// A message must stay valid UTF-8 whatever name it repeats.
func TestParseMessageIsText(t *testing.T) {
	name := strings.Repeat("a", 63) + "é"
	_, err := Parse([]byte(`{"`+name+`":1,"`+name+`":2}`), BodyLimits())
	if err == nil || !utf8.ValidString(err.Error()) || strings.Contains(err.Error(), `\x`) {
		t.Errorf("got %v", err)
	}
}
