package notify

import (
	"bytes"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"strings"
	"text/template"
	"unicode/utf8"
)

//go:embed templates/letter.html templates/letter.txt texts/en.json texts/fr.json
var files embed.FS

// texts are the catalogs.
func texts() fs.FS {
	sub, err := fs.Sub(files, "texts")
	if err != nil {
		return files // the path is right, see the line above
	}
	return sub
}

// layout is how pages become mails: one template for HTML, one for text.
type layout struct {
	html *htmltemplate.Template
	text *template.Template
}

func parseLayout() (*layout, error) {
	html, err := htmltemplate.New("letter.html").Option("missingkey=error").ParseFS(files, "templates/letter.html")
	if err != nil {
		return nil, fmt.Errorf("notify: %w", err)
	}
	text, err := template.New("letter.txt").Option("missingkey=error").
		Funcs(template.FuncMap{"wrap": wrap, "underline": underline}).ParseFS(files, "templates/letter.txt")
	if err != nil {
		return nil, fmt.Errorf("notify: %w", err)
	}
	return &layout{html, text}, nil
}

// render lays a page out.
func (l *layout) render(p *page) (html, text string, err error) {
	var b bytes.Buffer
	if err := l.html.Execute(&b, p); err != nil {
		return "", "", fmt.Errorf("lay out a mail: %w", err)
	}
	html = b.String()
	b.Reset()
	if err := l.text.Execute(&b, p); err != nil {
		return "", "", fmt.Errorf("lay out a mail: %w", err)
	}
	return html, b.String(), nil
}

// width is the length of a line of text (RFC 5322 §2.1.1 and what people quote).
const width = 76

// wrap breaks a paragraph into lines. It breaks at plain spaces alone: not where a
// space holds words together, and not within addresses. Lines after the first begin
// with indent.
func wrap(indent, s string) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Split(s, " ") {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case column+1+n > width:
			b.WriteString("\n" + indent)
			column = utf8.RuneCountInString(indent)
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}

// underline is a line under a heading.
func underline(s string) string { return strings.Repeat("=", min(width, utf8.RuneCountInString(s))) }
