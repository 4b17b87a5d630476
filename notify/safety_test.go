package notify

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/usher-scim/usher/resources"
)

// TestHeaderInjection: whatever a name holds, one recipient gets one message with
// the headers of any other (security X5).
func TestHeaderInjection(t *testing.T) {
	const evil = "Hi\r\nBcc: v@evil.example\r\n\r\nbody"
	p := newPost(t, Plain, nil)
	m, count := counted(t, p, p.server(t, Plain, ""))
	refused := map[string]func(*resources.Letter){
		"organization": func(l *resources.Letter) { l.Org = evil },
		"slug":         func(l *resources.Letter) { l.Org, l.Slug = "", "a\x00b" },
		"address":      func(l *resources.Letter) { l.To = "zoe@acme.example\r\nBcc: v@evil.example" },
		"two":          func(l *resources.Letter) { l.To = "zoe@acme.example, v@evil.example" },
		"display name": func(l *resources.Letter) { l.To = "Zoe <v@evil.example>" },
		"bracketed":    func(l *resources.Letter) { l.To = "<zoe@acme.example> SIZE=1" },
		"no domain":    func(l *resources.Letter) { l.To = "zoe" },
		"odd domain":   func(l *resources.Letter) { l.To = "zoe@a\u202eb.example" },
	}
	for name, change := range refused {
		if fault := sendFault(t, m.Send(t.Context(), letter(change))); !fault.Permanent {
			t.Errorf("%s: %+v is tried again", name, fault)
		}
	}
	if said := p.said(); said != "" || strings.Count(count(), "refused") != len(refused) {
		t.Fatalf("the server heard:\n%s\ncounted: %s", said, count())
	}
	harmless := letter(func(l *resources.Letter) {
		l.Name = evil
		l.Data.Lost = []string{evil}
		l.Template = resources.MailLicences
		l.Settings.SupportURL = "https://help.example/\r\nBcc: v@evil.example"
	})
	if err := m.Send(t.Context(), harmless); err != nil {
		t.Fatal(err)
	}
	got := p.messages()
	if len(got) != 1 || len(got[0].to) != 1 || strings.Count(p.said(), "RCPT TO:") != 1 {
		t.Fatalf("the server has %+v", got)
	}
	if head, _, _ := strings.Cut(got[0].data, "\r\n\r\n"); strings.Contains(head, "Bcc") || strings.Contains(head, "evil") {
		t.Errorf("the header holds a name:\n%s", head)
	}
}

// TestSubject: no text of a user stands in a subject but the organization's name,
// of which there is never too much (security X5).
func TestSubject(t *testing.T) {
	m := newMailer(t, nil)
	for name, l := range all() {
		l.Name, l.Data.Lost = "CANARY", []string{"CANARY"}
		l.Settings.SiteURL = "https://canary.example"
		p, err := m.compose(l)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(strings.ToUpper(p.Subject), "CANARY") || strings.Contains(p.Subject, "zoe") || strings.Contains(p.Subject, "022348") {
			t.Errorf("%s: subject %q", name, p.Subject)
		}
	}
	p, err := m.compose(letter(func(l *resources.Letter) { l.Org = strings.Repeat("Société Générale ", 30) }))
	if err != nil || utf8.RuneCountInString(p.Subject) > 64+len("Activate your  account") || !strings.Contains(p.Subject, "…") {
		t.Errorf("subject %q, %v", p.Subject, err)
	}
}

// hostile are names and addresses that try to be more than that.
func hostile(l *resources.Letter) {
	l.Org = "Аcme <a href='https://evil.example'>" // the first letter is Cyrillic
	l.Name = `"><img src=x onerror=alert(1)>{{7*7}}` + "\u202e"
	l.Settings = resources.Settings{
		SiteURL: "https://аpple.example/login", DownloadURL: "javascript:alert(1)", WebAppURL: "https://user@evil.example",
		ResourcesURL: "https://help.example/\"onmouseover=alert(1)", SupportURL: "mailto:help@pаypal.example", VoicemailURL: "data:text/html,x",
	}
	l.Calls = true
	l.Data = resources.MailData{Lost: []string{"<script>alert(1)</script>"}, Kept: []string{"https://evil.example"}, Old: "zoe@acme.example", New: "zoe@аcme.example", Job: &resources.MailJob{ID: "<b>", Type: "<i>", State: "<u>"}}
}

// TestHomographs: names in mixed scripts are text, never part of a link; hosts of
// other letters stand beside what is asked for in DNS; links lead to usher alone
// (security X1, X5).
func TestHomographs(t *testing.T) {
	m := newMailer(t, func(c *Config) { c.PublicURL = "https://idé.example/usher" })
	for name, l := range all() {
		for _, lang := range []string{"en", "fr"} {
			hostile(&l)
			l.Language = lang
			p, err := m.compose(l)
			if err != nil {
				t.Fatal(err)
			}
			page, text, err := m.layout.render(p)
			if err != nil {
				t.Fatal(err)
			}
			links := 0
			for _, attr := range attributes(t, page) {
				switch {
				case attr[0] == "href":
					links++
					if u, err := url.Parse(attr[1]); err != nil || u.Scheme != "https" || u.Host != "xn--id-cja.example" || !strings.HasPrefix(u.Path, "/usher/") {
						t.Errorf("%s: a link to %q", name, attr[1])
					}
				case attr[0] == "src", attr[0] == "background", strings.HasPrefix(attr[0], "on"), strings.Contains(attr[1], "url("):
					t.Errorf("%s: the attribute %q", name, attr)
				}
			}
			if l.Path != "" && links != 2 || l.Path == "" && links != 0 {
				t.Errorf("%s: %d links", name, links)
			}
			for _, bad := range []string{"<img", "<script", "<i>", "javascript:", "data:", "\u202e", "evil.example'>", "user@evil"} {
				if strings.Contains(page, bad) {
					t.Errorf("%s: the page holds %q", name, bad)
				}
			}
			if strings.Contains(text, "аpple") && !strings.Contains(text, "(xn--pple-43d.example)") {
				t.Errorf("%s: a look-alike host stands alone:\n%s", name, text)
			}
			if strings.Contains(text, "49") && !strings.Contains(text, "{{7*7}}") {
				t.Errorf("%s: a name was calculated", name)
			}
		}
	}
}

// attributes reads a page and lists name and value of every attribute.
func attributes(t *testing.T, page string) (out [][2]string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			out = append(out, [2]string{a.Key, a.Val})
		}
	}
	return out
}

// TestPaths: a link that leads elsewhere is not sent, and nothing is lost by it.
func TestPaths(t *testing.T) {
	m := newMailer(t, nil)
	for _, path := range []string{"//evil.example/x", "https://evil.example", "activate", "/a b", "/a\nb", `/\evil.example`} {
		err := m.Send(t.Context(), letter(func(l *resources.Letter) { l.Path = path }))
		if fault, ok := errors.AsType[*resources.SendFault](err); err == nil || ok {
			t.Errorf("%q: %v, %+v", path, err, fault)
		}
	}
}

// TestShownNames looks at names and addresses one by one.
func TestShownNames(t *testing.T) {
	tests := []struct{ got, want string }{
		{shownName("  Zoé\t Martin\r\n"), "Zoé Martin"},
		{shownName("a\u202eb\x00c\u200bd"), "abcd"},
		{shownName("می\u200cخواهم"), "می\u200cخواهم"},
		{shownName(strings.Repeat("é", 64)), strings.Repeat("é", 64)},
		{shownName(strings.Repeat("é", 65)), strings.Repeat("é", 63) + "…"},
		{shownName("\xff\xfe"), ""},
		{shownAddress("zoe@exämple.example"), "zoe@exämple.example (xn--exmple-cua.example)"},
		{shownAddress("zoe@acme.example"), "zoe@acme.example"},
		{shownAddress("zoe@a\u2028b"), ""},
		{shownAddress("zoe"), ""},
		{shownURL("https://acme.example/"), "https://acme.example"},
		{shownURL("https://acme.example/a?b=c"), "https://acme.example/a?b=c"},
		{shownURL("https://exämple.example/a"), "https://exämple.example/a (xn--exmple-cua.example)"},
		{shownURL("mailto:it@acme.example"), "it@acme.example"},
		{shownURL("mailto:it@acme.example?subject=x"), "it@acme.example"},
		{shownURL("ftp://acme.example"), ""},
		{shownURL("//acme.example"), ""},
		{shownURL("https://a b"), ""},
		{shownURL("https://" + strings.Repeat("a", 500)), ""},
		{shownURL("mailto:%zz"), ""},
		{shownURL(""), ""},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}

func FuzzShown(f *testing.F) {
	for _, s := range []string{"Zoé", "a\u202eb", "https://exämple.example/x", "mailto:a@b.example", "https://a@b", "x@\xff", "https://[::1]:8080/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n := shownName(s); utf8.RuneCountInString(n) > maxName || holdsControl(n) {
			t.Errorf("name %q", n)
		}
		for _, shown := range []string{shownAddress(s), shownURL(s)} {
			if holdsControl(shown) {
				t.Errorf("%q is shown as %q", s, shown)
			}
		}
		if a := plainAnswer(s, []string{"secret"}); len(a) > maxAnswer || strings.ContainsAny(a, "\r\n") || !utf8.ValidString(a) {
			t.Errorf("answer %q", a)
		}
		if a, err := recipient(s); err == nil && (holdsControl(a.String()) || strings.Count(a.String(), "<") != 1) {
			t.Errorf("recipient %q of %q", a, s)
		}
	})
}

// TestEveryTextIsUsed compares the catalogs with the keys that the program names.
func TestEveryTextIsUsed(t *testing.T) {
	keys := regexp.MustCompile(`^[a-z]+(\.[a-z.-]+)?$`)
	used := map[string]bool{}
	tree, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range tree {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil && keys.MatchString(s) {
					used[s], used[s+".subject"], used[s+".heading"], used["fact."+s] = true, true, true, true
				}
			}
			return true
		})
	}
	for _, key := range newMailer(t, nil).texts.Keys() {
		if !used[key] && !strings.HasPrefix(key, "job.") && !strings.HasPrefix(key, "access.") && key != "hello.name" {
			t.Errorf("nothing says %q", key)
		}
	}
}
