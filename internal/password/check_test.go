package password_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/internal/password"
)

// Each class and the length is asked for by itself, and everything that is wrong
// is told at once (BR-104).
func TestClasses(t *testing.T) {
	all := func(f ...password.Fault) []password.Fault { return f }
	for _, tc := range []struct {
		name, password string
		want           []password.Fault
	}{
		{"all there", "Zz1!zzzz", nil},
		{"no digit", "Zzz!zzzz", all(password.NoDigit)},
		{"no upper", "zz1!zzzz", all(password.NoUpper)},
		{"no lower", "ZZ1!ZZZZ", all(password.NoLower)},
		{"no special", "Zz1zzzzz", all(password.NoSpecial)},
		{"7 characters", "Zz1!zzz", all(password.BadLength)},
		{"nothing at all", "", all(password.NoDigit, password.NoUpper, password.NoLower, password.NoSpecial, password.BadLength)},
		{"all but one wrong", "aaa", all(password.NoDigit, password.NoUpper, password.NoSpecial, password.BadLength)},
		{"256 characters", "Zz1!" + strings.Repeat("z", 252), nil},
		{"257 characters", "Zz1!" + strings.Repeat("z", 253), all(password.BadLength)},
		{"256 of four bytes", "Zz1!" + strings.Repeat("😀", 252), nil},
		{"257 of four bytes", "Zz1!" + strings.Repeat("😀", 253), all(password.BadLength)},
		{"a megabyte", strings.Repeat("Zz1!", 1<<18), all(password.BadLength)},
		{"7 with accents, 8 before NFC", "Zz1!zze\u0301", all(password.BadLength)},
		{"8 with accents, 9 before NFC", "Zz1!zzze\u0301", nil},
		{"8 of two bytes", "Éé1!éééé", nil},
		{"a space is no special character", "Zz1 zzzz", all(password.NoSpecial)},
		{"nor is a no-break space", "Zz1\u00a0zzzz", all(password.NoSpecial)},
		{"nor a control character", "Zz1\tzzzz", all(password.NoSpecial)},
		{"an emoji is one", "Zz1😀zzzz", nil},
		{"so are the signs of the example", "Zz1#zz%z", nil},
		{"letters and digits of other scripts count", "Жж٣!жжжж", nil},
		{"letters without case are neither upper nor lower", "漢字漢字漢字1!", all(password.NoUpper, password.NoLower)},
	} {
		if diff := cmp.Diff(tc.want, password.Rules{}.Check(tc.password)); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}

// The strict option asks for 15 characters (security P1).
func TestLeast(t *testing.T) {
	for least, lengths := range map[int][2]int{0: {7, 8}, 3: {7, 8}, 15: {14, 15}, 64: {63, 64}} {
		r := password.Rules{Least: least}
		for i, n := range lengths {
			got := r.Check("Zz1!" + strings.Repeat("z", n-4))
			if (len(got) == 0) != (i == 1) {
				t.Errorf("least %d, %d characters: %v", least, n, got)
			}
		}
	}
}

// No name and no address in the password, whatever its case and accents (BR-105).
func TestPersonal(t *testing.T) {
	zoe := password.Rules{Names: []string{"Zoé", "Le Goff-Müller", "Zo"}, Address: "zlg.sales@acme.example"}
	for word, want := range map[string]password.Fault{
		"Zoé":                    password.HasName,
		"ZOE":                    password.HasName,
		"zo\u0308e":              password.HasName,
		"ｚｏｅ":                    password.HasName, // full width
		"goff":                   password.HasName,
		"Muller":                 password.HasName,
		"le goff-müller":         password.HasName,
		"Le":                     "", // too short to count
		"Zo":                     "",
		"zlg.sales":              password.HasMail,
		"ZLG":                    password.HasMail,
		"Sales":                  password.HasMail,
		"acme":                   "", // the domain alone is no secret of the person
		"ZLG.sales@acme.EXAMPLE": password.HasMail,
		"zebra":                  "",
	} {
		got := zoe.Check("Xx9!" + word + "!xX9")
		if want == "" && len(got) > 0 || want != "" && !slices.Contains(got, want) {
			t.Errorf("%q: %v, want %q", word, got, want)
		}
	}
	if got := zoe.Check("zoe"); !slices.Contains(got, password.HasName) || !slices.Contains(got, password.BadLength) {
		t.Errorf("together: %v", got)
	}
	short := password.Rules{Address: "ab@io.example"}
	if got := short.Check("Xx9!ab@IO.example"); !slices.Contains(got, password.HasMail) {
		t.Errorf("an address with a short local part: %v", got)
	}
	if got := short.Check("Xx9!abcdef"); got != nil {
		t.Errorf("a local part of two characters: %v", got)
	}
	if got := (password.Rules{Names: []string{"", " ", "-"}}).Check("Xx9! -zzz"); got != nil {
		t.Errorf("empty names: %v", got)
	}
}

// Where the organization wants it, what many people use is refused (security P1).
func TestCommon(t *testing.T) {
	r := password.Rules{Common: true, Words: []string{"Acme Corp", "usher", "ab"}}
	for text, want := range map[string]bool{
		"Password1!": true, "P@ssw0rd1!": true, "$unshine2024": true, "2024!Dragon": true, "Trustno1!": true,
		"AcmeCorp2026!": true, "Acme-Corp-2026!": true, "Usher#2026": true,
		"Ab#2026xy": false, "Correct-Horse-7": false, "xK9!mQ2#vB": false, "Password1!Kettle": false, "Acme-Kettle-7": false,
	} {
		got := slices.Contains(r.Check(text), password.IsCommon)
		if got != want {
			t.Errorf("%s: refused %v, want %v", text, got, want)
		}
		if slices.Contains(password.Rules{Words: r.Words}.Check(text), password.IsCommon) {
			t.Errorf("%s: refused where nobody asked for it", text)
		}
	}
}
