package sso

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/usher-scim/usher/internal/i18n"
	"github.com/usher-scim/usher/resources"
)

//go:embed templates/*.html
var templateFiles embed.FS

// pages are the templates, each with the frame around it.
type pages struct{ byName map[string]*template.Template }

// frame is the template that stands around every page. Templates whose names
// begin with an underscore are parts of pages.
const frame = "frame.html"

// parsePages reads the templates.
func parsePages(a *assets) (*pages, error) {
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("sso: templates: %w", err)
	}
	common := template.New(frame).Funcs(template.FuncMap{"asset": a.address, "icon": a.icon, "field": newField}).Option("missingkey=error")
	if common, err = common.ParseFS(templateFiles, "templates/"+frame, "templates/_*.html"); err != nil {
		return nil, fmt.Errorf("sso: templates: %w", err)
	}
	p := &pages{byName: map[string]*template.Template{}}
	for _, file := range files {
		base := path.Base(file)
		if base == frame || strings.HasPrefix(base, "_") {
			continue
		}
		t, err := common.Clone()
		if err == nil {
			t, err = t.ParseFS(templateFiles, file)
		}
		if err != nil {
			return nil, fmt.Errorf("sso: templates: %w", err)
		}
		p.byName[strings.TrimSuffix(base, ".html")] = t
	}
	return p, nil
}

// page is what the frame shows; Data is the page's own.
type page struct {
	*i18n.Localizer
	Title     string
	Path      string // for the choice of the language
	Languages []languageLink
	Org       string // name of the organization, once it is known
	Help      string // address of who helps, or ""
	Download  string // of the app, or ""
	SignedIn  bool
	Leave     string  // the page goes on to this address by itself
	Step      int     // of an activation; 0: none
	Wide      bool    // there is more on it than a form
	Faults    []fault // what was wrong with the form
	Note      string  // what has just been done
	Data      any
}

// fault is something that was wrong with a form.
type fault struct {
	Field string // id of the element at fault
	Text  string
}

// languageLink leads to the same page in another language.
type languageLink struct {
	Lang, Name string
	Current    bool
}

// Fault gives the text for a field; "" when nothing is wrong with it.
func (p *page) Fault(field string) string {
	var out []string
	for _, f := range p.Faults {
		if f.Field == field {
			out = append(out, f.Text)
		}
	}
	return strings.Join(out, " ")
}

// page begins a page with what is known of the visit.
func (v *visit) page(title string, pairs ...any) *page {
	p := &page{Localizer: v.texts, Title: v.say(title, pairs...), Path: v.r.URL.Path, SignedIn: v.as != nil}
	for _, lang := range i18n.Languages() {
		p.Languages = append(p.Languages, languageLink{lang, languageNames[lang], lang == v.texts.Lang()})
	}
	if v.person != nil {
		p.tell(v.person.OrgName, &v.person.Settings)
	}
	return p
}

// tell shows the organization that a page belongs to.
func (p *page) tell(org string, s *resources.Settings) {
	p.Org, p.Help, p.Download = org, outward(s.SupportURL, "https", "mailto"), outward(s.DownloadURL, "https")
}

// languageNames are written in their own language.
var languageNames = map[string]string{i18n.English: "English", i18n.French: "Français"}

// say gives a text. A fault in the texts is found by a test; a person who meets
// one sees the key, and the log says why.
func (v *visit) say(key string, pairs ...any) string {
	s, err := v.texts.Text(key, pairs...)
	if err != nil {
		v.d.log.ErrorContext(v.ctx, "a text is missing", "key", key, "err", err)
		return key
	}
	return s
}

// render answers with a page.
func (v *visit) render(status int, name string, p *page) {
	var body bytes.Buffer
	t, ok := v.d.pages.byName[name]
	err := fmt.Errorf("there is no page %q", name)
	if ok {
		err = t.ExecuteTemplate(&body, frame, p)
	}
	if err != nil {
		v.d.log.ErrorContext(v.ctx, "a page was not rendered", "request", v.requestID(), "page", name, "err", err)
		http.Error(v.w, v.say("refused.broken.title"), http.StatusInternalServerError)
		return
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.texts.Lang())
	h.Add("Vary", "Accept-Language, Cookie")
	v.w.WriteHeader(status)
	if v.r.Method != http.MethodHead {
		_, _ = v.w.Write(body.Bytes()) // an error means that the browser has gone
	}
}

// leave answers with a page that goes on to an address by itself. A redirect
// would not do: browsers hold those that follow a form to the page's form-action.
func (v *visit) leave(to, why string) {
	p := v.page("leave.title")
	p.Leave = to
	p.Data = v.say(why)
	v.render(http.StatusOK, "leave", p)
}

// field is an input with what belongs to it, for the parts that pages share.
type field struct{ Label, Value, Hint, Fault string }

// newField makes one; value is what was typed, or nil.
func newField(label string, value any, hint, fault string) field {
	typed, _ := value.(string) // nil on the first look
	return field{label, typed, hint, fault}
}
