package resources

import (
	"strings"
	"testing"
)

// TestReadNumber: numbers as people write them (BR-190, BR-198): E.164, with 00,
// in national form, with what stands between digits; what the plans say of them.
func TestReadNumber(t *testing.T) {
	tests := map[string]struct {
		text, region string
		want         reading
	}{
		"E.164":                   {"+33634333211", "", reading{E164: "+33634333211", Type: "mobile", Region: "FR"}},
		"spaces and dots":         {" +33 6.34-33/32 11 ", "", reading{E164: "+33634333211", Type: "mobile", Region: "FR"}},
		"no-break spaces":         {"+33\u00a06\u202f34 33 32 11", "", reading{E164: "+33634333211", Type: "mobile", Region: "FR"}},
		"from contacts":           {"\u202a+33 6 34 33 32 11\u202c", "", reading{E164: "+33634333211", Type: "mobile", Region: "FR"}},
		"a national zero":         {"+33 (0)6 34 33 32 11", "", reading{E164: "+33634333211", Type: "mobile", Region: "FR"}},
		"a tel URI":               {"tel:+33-6-34-33-32-11", "", reading{E164: "+33634333211", Type: "mobile", Region: "FR"}},
		"00 and no country":       {"0033634333211", "", reading{E164: "+33634333211", Type: "mobile", Region: "FR"}},
		"00 where it is dialled":  {"0033634333211", "FR", reading{E164: "+33634333211", Type: "mobile", Region: "FR"}},
		"00 where 011 is dialled": {"0033634333211", "US", reading{E164: "+33634333211", Type: "mobile", Region: "FR"}},
		"011":                     {"011 33 634333211", "US", reading{E164: "+33634333211", Type: "mobile", Region: "FR"}},
		"national":                {"01 42 68 53 00", "FR", reading{E164: "+33142685300", Type: "fixed", Region: "FR"}},
		"national, US":            {"(212) 555-0123", "US", reading{E164: "+12125550123", Type: "fixed_or_mobile", Region: "US"}},
		"Italian zero":            {"06 1234 5678", "IT", reading{E164: "+390612345678", Type: "fixed", Region: "IT"}},
		"of no country":           {"+800 1234 5678", "FR", reading{E164: "+80012345678", Type: "toll_free", Region: "001"}},
		"for documentation": {"+44 1632 960123", "", reading{
			E164: "+441632960123", Region: "GB",
			Note: "The numbering plan of +44 GB does not know this number; check it, unless it is one for tests.",
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := readNumber(tt.text, tt.region)
			if err != nil || got != tt.want {
				t.Errorf("%+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
}

// TestReadNumberRefused: what is no number is refused with the reason.
func TestReadNumberRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "is missing",
		" + ":                      "is missing",
		"0634333211":               "no country is known",
		"+999123456789":            "country code",
		"+33112":                   "too few digits",
		"+1 555 0100":              "area code",
		"+3363433321123456":        "too many digits",
		"1-800-FLOWERS":            "digits, spaces",
		"+33634333211;ext=5":       "no extension behind it",
		"+33634333211 x5":          "no extension behind it",
		"3,36343E+10":              "no extension", // the comma comes first
		"3.36343E+10":              "spreadsheet",
		"++33634333211":            "digits, spaces",
		"+33 6 34\x0033":           "digits, spaces",
		"+٣٣٦٣٤٣٣٣٢١١":             "digits, spaces",
		strings.Repeat("1", 1<<10): "more than 64",
	} {
		_, err := readNumber(text, "")
		if !HasCode(err, CodeInvalidValue) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q in it", text, err, want)
		}
	}
	if _, err := readNumber("12", "FR"); !HasCode(err, CodeInvalidValue) {
		t.Errorf("12 in FR: %v", err)
	}
}

// FuzzReadNumber: whatever the text, what is read is E.164 that reads as itself,
// and has an id of its own.
func FuzzReadNumber(f *testing.F) {
	for _, s := range []string{"+33634333211", "06 34 33 32 11", "0033", "tel:+1", "+1 (555) 0100", "3E+9", "+80012345678", "+000", "٣"} {
		f.Add(s, "FR")
		f.Add(s, "")
	}
	f.Fuzz(func(t *testing.T, text, region string) {
		r, err := readNumber(text, region)
		if err != nil {
			if !HasCode(err, CodeInvalidValue) {
				t.Fatal(err)
			}
			return
		}
		digits, ok := strings.CutPrefix(r.E164, "+")
		if !ok || strings.Trim(digits, "0123456789") != "" || digits == "" || len(digits) > e164Most || digits[0] == '0' {
			t.Fatalf("%q in %q is read as %q", text, region, r.E164)
		}
		again, err := readNumber(r.E164, "")
		if err != nil || again.E164 != r.E164 {
			t.Fatalf("%q is read as %+v, %v", r.E164, again, err)
		}
		if kind, ok := KindOf(numberID(r.E164)); !ok || kind != KindSetting {
			t.Fatalf("the id of %q is %q", r.E164, numberID(r.E164))
		}
	})
}

// TestNumberID: ids of numbers differ, and are in the order of numbers.
func TestNumberID(t *testing.T) {
	last := ""
	for _, e164 := range []string{"+1234567", "+12125550123", "+12125550124", "+33634333211", "+999999999999999"} {
		id := numberID(e164)
		if k, ok := KindOf(id); !ok || k != KindSetting || id <= last {
			t.Errorf("the id of %s is %q, behind %q", e164, id, last)
		}
		last = id
	}
}

// TestExtension: 2 to 10 ASCII digits, no emergency and service codes, those of
// the location's country among them (BR-195).
func TestExtension(t *testing.T) {
	for _, tt := range []struct {
		text, country string
		ok            bool
	}{
		{"10", "", true},
		{"0123456789", "", true},
		{"3211", "FR", true},
		{"100", "FR", true},
		{"1", "", false},
		{"01234567890", "", false},
		{"12a", "", false},
		{"", "", false},
		{"+12", "", false},
		{" 12", "", false},
		{"１２", "", false},
		{"\u0661\u0662", "", false},
		{"112", "", false},
		{"15", "FR", false},
		{"17", "FR", false},
		{"18", "", false},
		{"114", "", false},
		{"115", "", false},
		{"119", "", false},
		{"191", "", false},
		{"196", "", false},
		{"197", "", false},
		{"911", "", false},
		{"999", "", false},
		{"100", "IN", false},
		{"101", "RU", false},
	} {
		err := checkExtension(tt.text, tt.country)
		if (err == nil) != tt.ok || err != nil && !HasCode(err, CodeExtensionInvalid) {
			t.Errorf("%q in %q: %v, want ok %v", tt.text, tt.country, err, tt.ok)
		}
	}
}

// TestRecommended: the last digits of the number (BR-194), and every extension
// that no rule forbids comes round once.
func TestRecommended(t *testing.T) {
	if got := recommended("+33634333211", 4); got != "3211" {
		t.Error(got)
	}
	list, done := extensionsFrom("98", "", 0, 200)
	if !done || len(list) != 97 || list[0] != "98" || list[1] != "99" || list[2] != "00" { // without 15, 17, 18
		t.Errorf("%d extensions from 98: %v, %v", len(list), list, done)
	}
	var all []string
	for skip := 0; ; {
		list, done := extensionsFrom("98", "", skip, 7)
		if all = append(all, list...); done {
			break
		}
		skip = skipPast("98", list[len(list)-1])
	}
	if len(all) != 97 || strings.Join(all, " ") != strings.Join(list, " ") {
		t.Errorf("in stretches: %v", all)
	}
}
