package notify

import (
	"flag"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/resources"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sentAt is the time of all tests: 10:32 in Paris.
var sentAt = time.Date(2026, 11, 20, 9, 32, 0, 0, time.UTC)

const (
	testID    = "01jd3m0a1b2c3d4e5f6m"
	testToken = "01jd3k2m4n6p8q0r2s4t01jd3k5v7w9x1y3z5a7bqm4tz7d2kx0cw5r1nf8v3bhs6y"
)

// newMailer makes a mailer that has nobody to send to; change may set that right.
func newMailer(t *testing.T, change func(*Config)) *Mailer {
	t.Helper()
	c := Config{
		Server: Server{Host: "127.0.0.1", Port: 1, Security: Plain}, From: "usher <no-reply@mail.example.com>", Product: "usher",
		PublicURL: "https://id.example.com", Log: testLog(t), Now: func() time.Time { return sentAt },
	}
	if change != nil {
		change(&c)
	}
	m, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// letter is an activation mail of a user of Acme.
func letter(change func(*resources.Letter)) resources.Letter {
	l := resources.Letter{
		Mail: resources.Mail{ID: testID, Template: resources.MailActivate, To: "zoe.martin@acme.example", Language: "en", Created: sentAt, Purpose: resources.PurposeActivate},
		Name: "Zoé Martin", Org: "Acme", Slug: "acme", Path: "/activate?t=" + testToken, Code: "022348",
		Expires: sentAt.AddDate(0, 0, 10), TimeZone: "Europe/Paris",
	}
	if change != nil {
		change(&l)
	}
	return l
}

// all are letters of every template, and of every variant of one.
func all() map[string]resources.Letter {
	of := func(t resources.MailTemplate, change func(*resources.Letter)) resources.Letter {
		return letter(func(l *resources.Letter) {
			l.Template = t
			change(l)
		})
	}
	plain := func(change func(*resources.Letter)) func(*resources.Letter) {
		return func(l *resources.Letter) {
			l.Path, l.Code, l.Expires = "", "", time.Time{}
			change(l)
		}
	}
	moves := func(l *resources.Letter) {
		l.Data = resources.MailData{Old: "zoe.martin@acme.example", New: "zoe@acme-group.example", Until: sentAt.AddDate(0, 0, 15)}
	}
	return map[string]resources.Letter{
		"activate-password": of(resources.MailActivate, func(*resources.Letter) {}),
		"activate-proven":   of(resources.MailActivate, func(l *resources.Letter) { l.Proven = true }),
		"activate-sso":      of(resources.MailActivate, func(l *resources.Letter) { l.SSO, l.Proven, l.Code = true, true, "" }),
		"activate-full": of(resources.MailActivate, func(l *resources.Letter) {
			l.Calls = true
			l.Settings = resources.Settings{
				SiteURL: "https://www.acme.example/", DownloadURL: "https://acme.example/get", WebAppURL: "https://app.acme.example",
				ResourcesURL: "https://help.acme.example", VoicemailURL: "https://voice.acme.example/pin", SupportURL: "mailto:it@acme.example",
			}
		}),
		"activate-bare": of(resources.MailActivate, func(l *resources.Letter) { l.Settings.HideCode, l.Name, l.TimeZone = true, "", "" }),
		"reminder":      of(resources.MailReminder, func(l *resources.Letter) { l.Number = 1 }),
		"again":         of(resources.MailAgain, func(*resources.Letter) {}),
		"again-verify":  of(resources.MailAgain, func(l *resources.Letter) { l.Purpose, l.Path = resources.PurposeVerify, "/verify?t="+testToken }),
		"again-sso":     of(resources.MailAgain, func(l *resources.Letter) { l.SSO, l.Code = true, "" }),
		"reset":         of(resources.MailReset, func(l *resources.Letter) { l.Purpose, l.Path = resources.PurposeReset, "/reset?t="+testToken }),
		"licences": of(resources.MailLicences, plain(func(l *resources.Letter) {
			l.Data = resources.MailData{Lost: []string{"Calling", "Meetings Pro"}, Kept: []string{"Basic"}}
		})),
		"digest": of(resources.MailDigest, plain(func(l *resources.Letter) {
			l.Data = resources.MailData{Issues: map[string]int{"no_seats_available": 12, "number_unknown": 1, "new_code": 1}, Alerts: 2}
		})),
		"new-address": of(resources.MailNewAddress, func(l *resources.Letter) {
			moves(l)
			l.Purpose, l.Path = resources.PurposeVerify, "/verify?t="+testToken
		}),
		"old-address": of(resources.MailOldAddress, plain(moves)),
		"job-done": of(resources.MailJobDone, plain(func(l *resources.Letter) {
			l.Data.Job = &resources.MailJob{ID: "01jd3m5jobj", Type: "number-import", State: "done", Done: 1204, Failed: 3}
		})),
		"job-failed": of(resources.MailJobDone, plain(func(l *resources.Letter) {
			l.Data.Job = &resources.MailJob{ID: "01jd3m5jobj", Type: "novelty", State: "failed", Done: 7}
		})),
		"access-changed": of(resources.MailAccessChange, plain(func(l *resources.Letter) { l.Data.Changed = "password" })),
		"access-linked":  of(resources.MailAccessChange, plain(func(l *resources.Letter) { l.Data.Changed = "link" })),
		"try":            of(templateTry, plain(func(l *resources.Letter) { l.Org = "usher" })),
	}
}

// TestGolden compares every letter in both languages, as text and as HTML, with
// files that people have read (BR-100 … BR-102, domain.md §6.4).
func TestGolden(t *testing.T) {
	m := newMailer(t, nil)
	for name, l := range all() {
		for _, lang := range []string{"en", "fr"} {
			l.Language = lang
			p, err := m.compose(l)
			if err != nil {
				t.Fatalf("%s in %s: %v", name, lang, err)
			}
			html, text, err := m.layout.render(p)
			if err != nil {
				t.Fatalf("%s in %s: %v", name, lang, err)
			}
			golden(t, name+"."+lang+".txt", "Subject: "+p.Subject+"\n\n"+text)
			golden(t, name+"."+lang+".html", html)
			for line := range strings.SplitSeq(text, "\n") {
				if n := len([]rune(line)); n > width && !strings.Contains(line, "://") {
					t.Errorf("%s in %s: a line of %d characters: %q", name, lang, n, line)
				}
			}
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", name, d)
	}
}

// TestEveryTemplateIsWritten: no template of the domain is without words.
func TestEveryTemplateIsWritten(t *testing.T) {
	for _, template := range []resources.MailTemplate{
		resources.MailActivate, resources.MailReminder, resources.MailAgain, resources.MailReset, resources.MailLicences, resources.MailDigest,
		resources.MailNewAddress, resources.MailOldAddress, resources.MailJobDone, resources.MailAccessChange,
	} {
		if !slices.ContainsFunc(slices.Collect(letters()), func(l resources.Letter) bool { return l.Template == template }) {
			t.Errorf("no golden file shows %s", template)
		}
	}
	if _, err := newMailer(t, nil).compose(letter(func(l *resources.Letter) { l.Template = "novelty" })); err == nil {
		t.Error("an unknown template has words")
	}
}

// TestVariants: what is not there is left out, and what must be said is said
// (BR-089, BR-100, BR-102).
func TestVariants(t *testing.T) {
	m := newMailer(t, nil)
	text := func(l resources.Letter) string { // with all spaces alike
		p, err := m.compose(l)
		if err != nil {
			t.Fatal(err)
		}
		_, text, err := m.layout.render(p)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(strings.Fields(text), " ")
	}
	tests := map[string]struct {
		has, lacks []string
	}{
		"activate-password": {[]string{"confirms your address", "022348", "zoe.martin@acme.example", "in 10 days, on 30 Nov 2026, 10:32 (UTC+1)", "https://id.example.com/activate?t=" + testToken}, []string{"Company site", "Voicemail", "company’s page"}},
		"activate-proven":   {[]string{"choose a password"}, []string{"confirms your address"}},
		"activate-sso":      {[]string{"Sign in on your company’s page", "automatically"}, []string{"choose a password", "and enter your address and this code"}},
		"activate-full":     {[]string{"https://www.acme.example", "https://voice.acme.example/pin", "https://help.acme.example", "it@acme.example", "PIN of your voicemail"}, nil},
		"activate-bare":     {[]string{"Hello,", "The link works once", "(UTC)"}, []string{"022348", "the code", "Hello ,"}},
		"licences":          {[]string{"You no longer have: - Calling - Meetings Pro You still have: - Basic"}, []string{"http"}},
		"digest":            {[]string{"No free licence is left: 12 users - new_code: 1 user - The number is not in the inventory: 1 user", "2 alerts wait"}, nil},
		"old-address":       {[]string{"zoe@acme-group.example", "5 Dec 2026, 10:32 (UTC+1)"}, []string{"http"}},
		"job-done":          {[]string{"not everything", "Import of numbers", "1204", "Failed: 3"}, nil},
		"job-failed":        {[]string{"has failed", "novelty"}, []string{"Failed:"}},
	}
	letters := all()
	for name, tt := range tests {
		got := text(letters[name])
		for _, s := range tt.has {
			if !strings.Contains(got, s) {
				t.Errorf("%s lacks %q:\n%s", name, s, got)
			}
		}
		for _, s := range tt.lacks {
			if strings.Contains(got, s) {
				t.Errorf("%s says %q:\n%s", name, s, got)
			}
		}
	}
	if got := text(letter(func(l *resources.Letter) { l.Calls = true })); strings.Contains(got, "oicemail") {
		t.Errorf("a voicemail without an address is told of:\n%s", got)
	}
	if got := text(letter(func(l *resources.Letter) { l.Expires = sentAt.Add(5 * time.Hour) })); !strings.Contains(got, "expires on 20 Nov 2026, 15:32 (UTC+1)") {
		t.Errorf("the last hours are not told:\n%s", got)
	}
	if got := text(letter(func(l *resources.Letter) { l.Org = "" })); !strings.Contains(got, "Your account at acme") {
		t.Errorf("an organization without a name is not told by its slug:\n%s", got)
	}
}

// TestMessage reads messages back with the standard library.
func TestMessage(t *testing.T) {
	m := newMailer(t, func(c *Config) { c.From = "Équipe usher <no-reply@mail.example.com>" })
	for name, l := range all() {
		for _, lang := range []string{"en", "fr"} {
			l.Language = lang
			raw, p := written(t, m, l)
			again, _ := written(t, m, l)
			if raw != again {
				t.Errorf("%s: the same letter makes two messages", name)
			}
			got, err := mail.ReadMessage(strings.NewReader(raw))
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{
				"Message-Id": "<" + testID + "@mail.example.com>", "Auto-Submitted": "auto-generated", "Content-Language": lang,
				"To": "<zoe.martin@acme.example>", "Mime-Version": "1.0", "X-Auto-Response-Suppress": "All", "Subject": p.Subject,
				"From": "Équipe usher <no-reply@mail.example.com>", "Date": "Fri, 20 Nov 2026 09:32:00 +0000",
			}
			for header, value := range want {
				if header == "Subject" || header == "From" {
					got.Header[header][0] = decoded(t, got.Header.Get(header))
				}
				if values := got.Header[header]; len(values) != 1 || values[0] != value {
					t.Errorf("%s in %s: %s is %q, want %q", name, lang, header, values, value)
				}
			}
			for header := range got.Header {
				if _, ok := want[header]; !ok && header != "Content-Type" {
					t.Errorf("%s: the header %s is there", name, header)
				}
			}
			text, html := parts(t, got)
			wantHTML, wantText, err := m.layout.render(p)
			if err != nil {
				t.Fatal(err)
			}
			if text != wantText || html != wantHTML {
				t.Errorf("%s in %s: the parts are not what was rendered", name, lang)
			}
			for line := range strings.SplitSeq(raw, "\r\n") {
				if len(line) > 78 || strings.ContainsAny(line, "\r\n") || !ascii(line) {
					t.Errorf("%s in %s: a line of %d bytes: %q", name, lang, len(line), line)
				}
			}
		}
	}
}
