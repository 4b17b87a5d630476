package resources

import (
	"strings"
	"testing"
)

// FuzzSplitToken: whatever text comes as a token, only a well-formed one is
// taken apart, and nothing of it can leave the braces of a key (security S2).
func FuzzSplitToken(f *testing.F) {
	org, id := strings.Repeat("0", 19)+"3", strings.Repeat("0", 19)+"2"
	good := "ush_" + org + "_" + id + "_" + strings.Repeat("0", 52)
	for _, s := range []string{good, "ush_platform_" + id + "_" + strings.Repeat("v", 51) + "0", good + "x", "ush__" + id + "_", "ush_{a}_b_c", "", "ush_\x00_\x00_\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		org, id, secret, ok := splitToken(text)
		if !ok {
			if org != "" || id != "" || secret != "" {
				t.Fatalf("%q is refused and still gives %q, %q", text, org, id)
			}
			return
		}
		if strings.ContainsFunc(string(org)+id+secret, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
			t.Fatalf("%q gives %q, %q, %q", text, org, id, secret)
		}
		if again := tokenPrefix + string(org) + "_" + id + "_" + secret; again != text {
			t.Fatalf("%q is put together as %q", text, again)
		}
	})
}
