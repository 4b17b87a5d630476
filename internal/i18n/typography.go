package i18n

import (
	"fmt"
	"regexp"
	"strings"
)

// Texts are plain: who shows them escapes them. French separates double
// punctuation by a space that does not break, and nobody types with straight
// quotes.
var (
	markup      = regexp.MustCompile(`<|>|&#?\w+;`)
	looseFrench = regexp.MustCompile(`[^\x{00A0}\x{202F}][;:!?»](\s|$)|«[^\x{00A0}\x{202F}]`)
	spare       = regexp.MustCompile(`^\s|\s$|\s{2}`)
)

// faultsOfText says what is wrong with how a text is written. What stands in
// {{ }} is not looked at.
func faultsOfText(lang, text string) (out []string) {
	p, err := parser{}.Parse(text, "", "")
	if err != nil {
		return []string{err.Error()}
	}
	bare := p.(*parsed).literals()
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if text == "" {
		say("the text is empty")
	}
	if s := markup.FindString(bare); s != "" {
		say("%q looks like markup", s)
	}
	if s := spare.FindString(bare); s != "" {
		say("a space too many in %q", text)
	}
	if strings.ContainsAny(bare, `'"`) || strings.Contains(bare, "...") {
		say("straight quotes or three dots in %q: write ’ “ ” « » …", text)
	}
	if lang == French {
		if s := looseFrench.FindString(bare); s != "" {
			say("%q lacks a no-break space (U+00A0 or U+202F)", s)
		}
	}
	return out
}
