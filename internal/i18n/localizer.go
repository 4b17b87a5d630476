package i18n

import (
	"fmt"
	"strings"
	stdtemplate "text/template"
	"text/template/parse"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/nicksnyder/go-i18n/v2/i18n/template"
	"golang.org/x/text/language"
)

// Localizer gives texts in one language. It is safe for concurrent use.
type Localizer struct {
	lang  string
	texts *i18n.Localizer
	has   map[string]text
}

// Lang is the language, for the lang attribute.
func (l *Localizer) Lang() string { return l.lang }

// Has reports whether there is a text for a key.
func (l *Localizer) Has(key string) bool {
	_, ok := l.has[key]
	return ok
}

// Text gives a text. Pairs are names and values that stand in it as {{.Name}};
// the values are put in as they are, whatever they look like. A key without a
// text and a value that is missing are errors.
func (l *Localizer) Text(key string, pairs ...any) (string, error) {
	return l.text(key, nil, pairs)
}

// Count gives the plural form of a text for n, which stands in it as
// {{.PluralCount}}.
func (l *Localizer) Count(key string, n int, pairs ...any) (string, error) {
	return l.text(key, n, append([]any{"PluralCount", n}, pairs...))
}

func (l *Localizer) text(key string, n any, pairs []any) (string, error) {
	if len(pairs)%2 != 0 {
		return "", fmt.Errorf("i18n: %s: names and values are not in pairs", key)
	}
	if !l.Has(key) {
		return "", fmt.Errorf("i18n: there is no text %q", key)
	}
	values := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return "", fmt.Errorf("i18n: %s: the name of a value is a %T", key, pairs[i])
		}
		values[name] = pairs[i+1]
	}
	out, err := l.texts.Localize(&i18n.LocalizeConfig{MessageID: key, TemplateData: values, PluralCount: n, TemplateParser: parser{}})
	if err != nil {
		return "", fmt.Errorf("i18n: %s: %w", key, err)
	}
	return out, nil
}

// parser is that of go-i18n, except that a missing value is an error and not the
// words "no value" in a letter.
type parser struct{}

// Cacheable says that the same text gives the same template.
func (parser) Cacheable() bool { return true }

// Parse compiles a text; delimiters are always {{ and }}.
func (parser) Parse(src, _, _ string) (template.ParsedTemplate, error) {
	t, err := stdtemplate.New("").Option("missingkey=error").Parse(src)
	if err != nil {
		return nil, err
	}
	return &parsed{t}, nil
}

type parsed struct{ *stdtemplate.Template }

// Execute fills in values.
func (p *parsed) Execute(data any) (string, error) {
	var b strings.Builder
	err := p.Template.Execute(&b, data)
	return b.String(), err
}

// literals gives the text with every value replaced by one letter.
func (p *parsed) literals() string {
	if p.Tree == nil {
		return ""
	}
	var b strings.Builder
	for _, n := range p.Root.Nodes {
		if t, ok := n.(*parse.TextNode); ok {
			b.Write(t.Text)
		} else {
			b.WriteByte('x')
		}
	}
	return b.String()
}

// Supported gives the language of the first tag (BCP 47) that there are texts
// for; "" when none is.
func Supported(tags ...string) string {
	for _, tag := range tags {
		t, err := language.Parse(tag)
		if err != nil {
			continue // tags that nobody can read are ignored (BR-093)
		}
		if s := supported(t); s != "" {
			return s
		}
	}
	return ""
}

// Accepted gives the best language of an Accept-Language header (RFC 9110
// §12.5.4) that there are texts for; "" when it names none.
func Accepted(header string) string {
	tags, _, err := language.ParseAcceptLanguage(header)
	if err != nil {
		return ""
	}
	for _, t := range tags { // best first; those with q=0 are left out
		if s := supported(t); s != "" {
			return s
		}
	}
	return ""
}

func supported(t language.Tag) string {
	base, confidence := t.Base()
	if confidence == language.No {
		return ""
	}
	for _, lang := range Languages() {
		if base.String() == lang {
			return lang
		}
	}
	return ""
}
