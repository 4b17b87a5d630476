package resources_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/usher-scim/usher/resources"
)

// TestEmailKey holds the rows of BR-001, BR-006 and security E1.
func TestEmailKey(t *testing.T) {
	good := map[string]string{
		"User@EXAMPLE.com.":         "user@example.com",
		"A@Exämple.fr":              "a@xn--exmple-cua.fr",
		"a@xn--exmple-cua.fr":       "a@xn--exmple-cua.fr",
		"x+test@gmail.com":          "x+test@gmail.com",
		"x@gmail.com":               "x@gmail.com",
		"x@\uff47mail.com":          "x@gmail.com",
		"x@gma\u0131l.com":          "x@xn--gmal-nza.com",
		"siobhán.o'neill@acme.test": "siobhán.o'neill@acme.test",
		"first.last@sub.acme.test":  "first.last@sub.acme.test",
	}
	for in, want := range good {
		if got, ok := resources.EmailKey(in); !ok || got != want {
			t.Errorf("EmailKey(%q) = %q, %v; want %q", in, got, ok, want)
		}
	}
	bad := []string{
		"", "a", "@a.test", "a@", `"a@evil.com"@good.com`, "a@b@c.test", "=?utf-8?q?a=40evil.com?=@good.com",
		"a@localhost", "a%evil.com@good.com", "a@[127.0.0.1]", "a@127.0.0.1", "mi\u212ae@x.org", "\u0130@x.org",
		"\u017fam@x.org", "a + b@gmail.com", "a b@x.org", "a@x .org", "a\x00@x.org", "a\"@x.org",
		strings.Repeat("a", 65) + "@x.org", "a@" + strings.Repeat("b.", 130) + "org",
	}
	for _, in := range bad {
		if got, ok := resources.EmailKey(in); ok {
			t.Errorf("EmailKey(%q) = %q, want it refused", in, got)
		}
	}
}

// TestEmailKeyIsIdempotent: a key is its own key (security E1).
func TestEmailKeyIsIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.OneOf(rapid.String(), rapid.StringMatching(`[A-Za-z+._-]{1,8}@[A-Za-zäéß-]{1,8}\.(fr|com)`)).Draw(t, "address")
		key, ok := resources.EmailKey(in)
		if !ok {
			return
		}
		if again, ok := resources.EmailKey(key); !ok || again != key {
			t.Fatalf("EmailKey(%q) = %q, but its own key is %q, %v", in, key, again, ok)
		}
	})
}

// TestFoldName: userName compares by PRECIS (R-22, security E2).
func TestFoldName(t *testing.T) {
	same := [][2]string{
		{"admin", "ADMIN"},
		{"admin", "\uff41dmin"},
		{"\u00e9ric", "e\u0301ric"},
		{"mike", "MIKE"},
		{"a b", "A B"},
		{"o'neill", "O'Neill"},
		{"stra\u00dfe x", "STRASSE X"},
	}
	for _, p := range same {
		if resources.FoldName(p[0]) != resources.FoldName(p[1]) {
			t.Errorf("%q and %q are one name, folded %q and %q", p[0], p[1], resources.FoldName(p[0]), resources.FoldName(p[1]))
		}
	}
	different := [][2]string{{"admin", "\u0430dmin"}, {"a", "b"}, {"a", "a "}, {"x@y.z", "x+1@y.z"}}
	for _, p := range different {
		if resources.FoldName(p[0]) == resources.FoldName(p[1]) {
			t.Errorf("%q and %q are two names, both folded %q", p[0], p[1], resources.FoldName(p[0]))
		}
	}
}

// TestIndexKey: keys are bounded, hold no control characters and never join
// two long values by cutting them.
func TestIndexKey(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for _, ix := range resources.Indexes() {
		a, b := ix.Key(long+"a"), ix.Key(long+"b")
		if a == b || len(a) > 4500 {
			t.Errorf("%s: long values give keys %d bytes long, equal: %v", ix.Code(), len(a), a == b)
		}
		if k := ix.Key("a\x00b\nc"); strings.ContainsAny(k, "\x00\n") {
			t.Errorf("%s: key %q holds control characters", ix.Code(), k)
		}
	}
	if resources.UserExternalID.Key("Ab") == resources.UserExternalID.Key("aB") {
		t.Error("externalId is case-exact (R-25), but two spellings share a key")
	}
	if resources.GroupName.Key("Support FR") != resources.GroupName.Key("support fr") {
		t.Error("group displayName compares without case, but two spellings have two keys")
	}
}

// TestNamesAreNeverCut: no name that doors accept is longer than a key may be
// once it is folded, so that order and prefix see all of it.
func TestNamesAreNeverCut(t *testing.T) {
	for r := rune(1); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		one := string(r)
		if n := len(resources.FoldName(one)); n > 11*len(one) {
			t.Errorf("%U: a name of %d bytes is folded to %d", r, len(one), n)
		}
		if n := len(resources.FoldText(one)); n > 11*len(one) {
			t.Errorf("%U: a text of %d bytes is folded to %d", r, len(one), n)
		}
	}
	worst := strings.Repeat("\ufdfa", resources.MaxName/3)
	if key := resources.UserNameOrder.Key(worst); strings.Contains(key, "#") || len(key) != 11*len(worst) {
		t.Errorf("a name of %d bytes is cut: its key has %d", len(worst), len(key))
	}
}
