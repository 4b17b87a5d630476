package jsontree

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func parse(t testing.TB, text string) Value {
	t.Helper()
	v, err := Parse([]byte(text), Limits{})
	if err != nil {
		t.Fatalf("parse %s: %v", text, err)
	}
	return v
}

func TestAppendKeepsOrderSpellingAndNumbers(t *testing.T) {
	const text = `{"b":1.50,"A":[true,false,null,-0,1e5],"empty":{},"none":[],"s":"é\"\\\n\u0001"}`
	v := parse(t, text)
	if got := string(v.Append(nil)); got != text {
		t.Errorf("got  %s\nwant %s", got, text)
	}
}

func TestAppendString(t *testing.T) {
	for in, want := range map[string]string{
		"":                     `""`,
		"plain":                `"plain"`,
		"\"\\/":                `"\"\\/"`,
		"\b\f\n\r\t\x00\x1f":   `"\u0008\u000c\n\r\t\u0000\u001f"`,
		"\x7f\u2028<&>é😀":      "\"\x7f\u2028<&>é😀\"",
		"a\xffb\xed\xa0\x80":   "\"a\ufffdb\ufffd\ufffd\ufffd\"",
		strings.Repeat("é", 9): `"` + strings.Repeat("é", 9) + `"`,
	} {
		if got := string(AppendString(nil, in)); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

func TestGetSetDelete(t *testing.T) {
	v := parse(t, `{"userName":"a","Emails":[]}`)
	if got := v.Get("USERNAME"); got == nil || got.Text != "a" {
		t.Errorf("Get without case: %+v", got)
	}
	v.Set("emails", Str("x"))
	v.Set("new", Num("1"))
	if got, want := string(v.Append(nil)), `{"userName":"a","Emails":"x","new":1}`; got != want {
		t.Errorf("Set: got %s, want %s", got, want)
	}
	if !v.Delete("USERNAME") || v.Delete("userName") {
		t.Error("Delete must report once that the member was there")
	}
	if got, want := string(v.Append(nil)), `{"Emails":"x","new":1}`; got != want {
		t.Errorf("Delete: got %s, want %s", got, want)
	}
	var none *Value
	if none.Get("x") != nil || none.Delete("x") || !none.Empty() || none.IsBool() {
		t.Error("a nil value must answer like an absent one")
	}
	if s := Str("x"); s.Get("x") != nil || s.GetString("x") != "" {
		t.Error("only objects have members")
	}
}

func TestClone(t *testing.T) {
	a := parse(t, `{"a":[{"b":1}],"c":"d"}`)
	b := a.Clone()
	b.Get("a").Items[0].Set("b", Num("2"))
	b.Set("c", Str("e"))
	if got, want := string(a.Append(nil)), `{"a":[{"b":1}],"c":"d"}`; got != want {
		t.Errorf("editing the clone changed the original: %s", got)
	}
	if diff := cmp.Diff(parse(t, `{"a":[{"b":2}],"c":"e"}`), b); diff != "" {
		t.Error(diff)
	}
}

func TestEqual(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{`{"a":1,"b":[1,2]}`, `{"B":[1,2],"A":1}`, true},
		{`{"a":1}`, `{"a":1,"b":2}`, false},
		{`{"a":1,"b":2}`, `{"a":1,"c":2}`, false},
		{`[1,2]`, `[2,1]`, false},
		{`[1]`, `[1,1]`, false},
		{`1`, `1.0`, false},
		{`"a"`, `"A"`, false},
		{`"1"`, `1`, false},
		{`true`, `true`, true},
		{`true`, `false`, false},
		{`null`, `null`, true},
	} {
		a, b := parse(t, c.a), parse(t, c.b)
		if Equal(&a, &b) != c.want || Equal(&b, &a) != c.want {
			t.Errorf("Equal(%s, %s) is not %v", c.a, c.b, c.want)
		}
	}
	one := Str("x")
	if Equal(nil, &one) || !Equal(nil, nil) {
		t.Error("nil equals nil only")
	}
}

func TestEqualName(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"userName", "USERNAME", true},
		{"$ref", "$REF", true},
		{"a1", "A1", true},
		{"a", "b", false},
		{"a", "ab", false},
		{"@", "`", false},
		{"[", "{", false},
		{"1", "\x11", false},
		{"_", "\x7f", false},
		{"\xc3\xa9", "\xc3\x89", false}, // é É: not ASCII
	} {
		if EqualName(c.a, c.b) != c.want {
			t.Errorf("EqualName(%q, %q) is not %v", c.a, c.b, c.want)
		}
		if (LowerName(c.a) == LowerName(c.b)) != c.want {
			t.Errorf("LowerName disagrees about %q and %q", c.a, c.b)
		}
	}
}

// oracle decodes with the standard library, keeping numbers as written.
func oracle(data []byte) (any, error) {
	var v any
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.UseNumber()
	err := d.Decode(&v)
	return v, err
}

// FuzzParse: what we accept, encoding/json accepts and reads alike, from our
// input and from our output; our output is stable.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{"a":[1,-0.5e+3,true,null,"\ud83d\ude00"],"b":{}}`, `[]`, `"\u00e9\/"`, `{"A":1,"a":2}`,
		`{"\u0061":1,"a":2}`, ` [ { } ] `, "\xef\xbb\xbf{}", `"\ud800"`, `1e400`, "\"\x7f\u2028\"",
		`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"é"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := Parse(data, BodyLimits())
		if err != nil {
			if !utf8.ValidString(err.Error()) {
				t.Fatalf("the message is not UTF-8: %q", err.Error())
			}
			return
		}
		if !json.Valid(data) {
			t.Fatalf("accepted what encoding/json refuses: %q", data)
		}
		want, err := oracle(data)
		if err != nil {
			t.Fatalf("encoding/json: %v for %q", err, data)
		}
		out := v.Append(nil)
		got, err := oracle(out)
		if err != nil {
			t.Fatalf("wrote invalid JSON %q: %v", out, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%q became %q:\n%s", data, out, diff)
		}
		again, err := Parse(out, BodyLimits())
		if err != nil {
			t.Fatalf("does not read its own output %q: %v", out, err)
		}
		if !Equal(&v, &again) || string(again.Append(nil)) != string(out) {
			t.Fatalf("%q is not stable", out)
		}
	})
}

// FuzzAppendString: any bytes become one valid JSON string that reads back.
func FuzzAppendString(f *testing.F) {
	f.Add("a\xffb\"\\\x00\u2028")
	f.Fuzz(func(t *testing.T, s string) {
		var back string
		if err := json.Unmarshal(AppendString(nil, s), &back); err != nil {
			t.Fatal(err)
		}
		if want := string([]rune(s)); back != want {
			t.Fatalf("%q came back as %q", s, back)
		}
	})
}
