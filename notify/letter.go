package notify

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/usher-scim/usher/internal/i18n"
	"github.com/usher-scim/usher/resources"
)

// templateTry is the message of Mailer.Try.
const templateTry resources.MailTemplate = "try"

// page is a letter in words: what the HTML and the text of a mail both say, in
// this order. Parts that are empty are left out.
type page struct {
	Lang    string
	Subject string
	Product string
	Heading string
	Hello   string
	Body    []string
	Button  string // label
	URL     string // of the button
	Copy    string // how to go on when the button does not work
	Digits  string // the code …
	Code    string // … and where to enter it
	Expiry  string
	Lists   []list
	Facts   []fact
	Notes   []string
	Sign    string
	Support string
	Footer  string
}

// list is a titled list.
type list struct {
	Title string
	Items []string
}

// fact is a value with a label, and both in one line.
type fact struct{ Label, Value, Line string }

// refusal says that a letter cannot be sent as it is, ever.
type refusal struct{ reason string }

// Error gives the reason.
func (r refusal) Error() string { return r.reason }

// writer puts one letter into words. The first fault ends the writing.
type writer struct {
	resources.Letter
	*page
	root  string // the public URL
	words *i18n.Localizer
	now   time.Time
	err   error
}

// compose puts a letter into words.
func (m *Mailer) compose(l resources.Letter) (*page, error) {
	if l.Org == "" {
		l.Org = l.Slug
	}
	if holdsControl(l.Org) {
		return nil, refusal{"the organization's name holds a line break or another control character; rename the organization"}
	}
	write, ok := writings[l.Template]
	if !ok {
		return nil, fmt.Errorf("there is no mail template %q", l.Template)
	}
	words := m.texts.In(l.Language)
	w := &writer{Letter: l, page: &page{Lang: words.Lang(), Product: m.cfg.Product}, root: strings.TrimRight(m.root.String(), "/"), words: words, now: m.cfg.Now()}
	w.Org, w.Name = shownName(l.Org), shownName(l.Name)
	w.To = shownAddress(l.To)
	if w.Hello = w.say("hello"); w.Name != "" {
		w.Hello = w.say("hello.name")
	}
	write(w)
	w.closing()
	if w.err != nil {
		return nil, w.err
	}
	return w.page, nil
}

// writings are what each template says.
var writings = map[resources.MailTemplate]func(*writer){
	resources.MailActivate:     (*writer).activate,
	resources.MailReminder:     (*writer).reminder,
	resources.MailAgain:        (*writer).again,
	resources.MailReset:        (*writer).reset,
	resources.MailLicences:     (*writer).licences,
	resources.MailDigest:       (*writer).digest,
	resources.MailNewAddress:   (*writer).newAddress,
	resources.MailOldAddress:   (*writer).oldAddress,
	resources.MailJobDone:      (*writer).jobDone,
	resources.MailAccessChange: (*writer).accessChanged,
	templateTry:                (*writer).try,
}

// say gives a text. Every text may use the names that most letters need.
func (w *writer) say(key string, pairs ...any) string {
	s, err := w.words.Text(key, w.with(pairs)...)
	return w.noted(s, err)
}

// count gives a text for a number.
func (w *writer) count(key string, n int, pairs ...any) string {
	s, err := w.words.Count(key, n, w.with(pairs)...)
	return w.noted(s, err)
}

func (w *writer) with(pairs []any) []any {
	return append([]any{"Name", w.Name, "Org", w.Org, "Product", w.Product, "Address", w.To}, pairs...)
}

func (w *writer) noted(s string, err error) string {
	if err != nil && w.err == nil {
		w.err = err
	}
	return s
}

// head sets subject and heading.
func (w *writer) head(key string) {
	w.Subject, w.Heading = w.say(key+".subject"), w.say(key+".heading")
}

// add adds a sentence or paragraph.
func (w *writer) add(text string) { w.Body = append(w.Body, text) }

// button leads to the letter's link; a letter without one has none.
func (w *writer) button(label string) {
	if w.Path == "" {
		return
	}
	if !strings.HasPrefix(w.Path, "/") || strings.HasPrefix(w.Path, "//") || holdsControl(w.Path) || strings.ContainsAny(w.Path, "\\ ") {
		w.noted("", errors.New("the path of the link is not one below the public URL"))
		return
	}
	w.Button, w.URL, w.Copy = w.say(label), w.root+w.Path, w.say("copy")
}

// codePlace is where codes are entered, whatever they are for.
const codePlace = "/activate/code"

// code shows the code that does what the link does, unless the organization hides
// it (BR-102), and says until when both work.
func (w *writer) code() {
	expiry := "expires.link"
	if w.Letter.Code != "" && !w.Settings.HideCode {
		w.Digits, w.page.Code = w.Letter.Code, w.say("code", "URL", w.root+codePlace)
		expiry = "expires.both"
	}
	if w.Expires.IsZero() {
		return
	}
	when := w.words.DateTime(w.Expires, w.TimeZone)
	if days := int(math.Round(w.Expires.Sub(w.now).Hours() / 24)); days > 0 {
		w.Expiry = w.count(expiry, days, "When", when)
	} else {
		w.Expiry = w.say("expires.soon", "When", when)
	}
}

// fact adds a value with its label, unless it is empty.
func (w *writer) fact(label, value string) {
	if value != "" {
		name := w.say("fact." + label)
		w.Facts = append(w.Facts, fact{name, value, w.say("line", "Label", name, "Value", value)})
	}
}

// list adds a list with its title, unless it is empty.
func (w *writer) list(title string, items []string) {
	if len(items) > 0 {
		w.Lists = append(w.Lists, list{title, items})
	}
}

// note adds what the reader may have to know.
func (w *writer) note(key string) { w.Notes = append(w.Notes, w.say(key)) }

// closing is the end of every letter: who writes, where help is, why it came.
func (w *writer) closing() {
	if w.Template == templateTry {
		w.Footer = w.say("footer.try")
		return
	}
	w.Footer = w.say("footer")
	if w.Template == resources.MailDigest || w.Template == resources.MailJobDone {
		return // whoever gets these is the one whom others ask
	}
	w.Sign = w.say("sign")
	switch contact := shownURL(w.Settings.SupportURL); {
	case contact != "":
		w.Support = w.say("support.at", "Contact", contact)
	case w.Template != resources.MailLicences && w.Template != resources.MailOldAddress && w.Template != resources.MailAccessChange: // they name whom to ask
		w.Support = w.say("support.none")
	}
}
