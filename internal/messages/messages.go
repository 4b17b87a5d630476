package messages

import "golang.org/x/text/language"

// The languages there are texts in; the first is the one for everybody else.
const (
	English = "en"
	French  = "fr"
)

// text is one text in every language.
type text struct{ en, fr string }

// Title gives the text of an error code in a language, en or fr; any other
// language counts as English. It is one sentence, the same for every occurrence,
// as titles of problems must be (RFC 9457 §3.1.3); "" when there is no such code.
func Title(lang, code string) string {
	t := titles[code]
	if lang == French {
		return t.fr
	}
	return t.en
}

// Language picks the language for an Accept-Language header (RFC 9110 §12.5.4):
// en or fr, en when the header is empty, cannot be read or names neither.
func Language(acceptLanguage string) string {
	wanted, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil {
		return English
	}
	for _, tag := range wanted { // best first; those with q=0 are left out
		switch base, _ := tag.Base(); base.String() {
		case English:
			return English
		case French:
			return French
		}
	}
	return English
}
