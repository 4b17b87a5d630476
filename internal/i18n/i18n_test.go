package i18n

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// catalogs makes a file system of two catalogs.
func catalogs(en, fr string) fstest.MapFS {
	return fstest.MapFS{"en.json": {Data: []byte(en)}, "fr.json": {Data: []byte(fr)}}
}

func TestTexts(t *testing.T) {
	c, err := Load(catalogs(
		`{"hello":"Hello {{.Name}}","seats":{"one":"{{.PluralCount}} seat of {{.Of}}","other":"{{.PluralCount}} seats of {{.Of}}"}}`,
		`{"hello":"Bonjour {{.Name}}","seats":{"one":"{{.PluralCount}} place de {{.Of}}","many":"{{.PluralCount}} de places de {{.Of}}","other":"{{.PluralCount}} places de {{.Of}}"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(c.Keys(), " "); got != "hello seats" {
		t.Errorf("keys %q", got)
	}
	tests := []struct {
		lang, key string
		n         int // -1: not counted
		want      string
	}{
		{"en", "hello", -1, "Hello {{7*7}}"},
		{"fr", "hello", -1, "Bonjour {{7*7}}"},
		{"de", "hello", -1, "Hello {{7*7}}"},
		{"en", "seats", 0, "0 seats of 9"},
		{"en", "seats", 1, "1 seat of 9"},
		{"fr", "seats", 0, "0 place de 9"},
		{"fr", "seats", 2, "2 places de 9"},
		{"fr", "seats", 1_000_000, "1000000 de places de 9"},
	}
	for _, tt := range tests {
		l := c.In(tt.lang)
		var got string
		if tt.n < 0 {
			got, err = l.Text(tt.key, "Name", "{{7*7}}")
		} else {
			got, err = l.Count(tt.key, tt.n, "Of", 9)
		}
		if got != tt.want || err != nil {
			t.Errorf("%s %s %d: %q, %v; want %q", tt.lang, tt.key, tt.n, got, err, tt.want)
		}
	}
	for name, ask := range map[string]func(*Localizer) (string, error){
		"unknown key":   func(l *Localizer) (string, error) { return l.Text("goodbye") },
		"missing value": func(l *Localizer) (string, error) { return l.Text("hello") },
		"odd pairs":     func(l *Localizer) (string, error) { return l.Text("hello", "Name") },
		"nameless":      func(l *Localizer) (string, error) { return l.Text("hello", 1, 2) },
	} {
		if got, err := ask(c.In("fr")); err == nil || got != "" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// TestLoadRefuses plants one fault of each sort.
func TestLoadRefuses(t *testing.T) {
	tests := map[string]struct{ en, fr, want string }{
		"no French text":        {`{"a":"A","b":"B"}`, `{"a":"A"}`, "b: fr.json has no such text"},
		"no English text":       {`{"a":"A"}`, `{"a":"A","b":"B"}`, "b: en.json has no such text"},
		"no form for a million": {`{"a":{"one":"x","other":"y"}}`, `{"a":{"one":"x","other":"y"}}`, "not [many one other]"},
		"plural in one only":    {`{"a":"A"}`, `{"a":{"one":"x","many":"z","other":"y"}}`, "a plural in fr.json only"},
		"markup":                {`{"a":"<b>A</b>"}`, `{"a":"A"}`, "looks like markup"},
		"entity":                {`{"a":"A&nbsp;B"}`, `{"a":"A"}`, "looks like markup"},
		"loose colon":           {`{"a":"A: b"}`, `{"a":"A : b"}`, "no-break space"},
		"no space":              {`{"a":"A?"}`, `{"a":"A?"}`, "no-break space"},
		"loose quotes":          {`{"a":"“A”"}`, `{"a":"« A »"}`, "no-break space"},
		"straight quote":        {`{"a":"it's"}`, `{"a":"A"}`, "straight quotes"},
		"three dots":            {`{"a":"wait..."}`, `{"a":"A"}`, "three dots"},
		"double space":          {`{"a":"a  b"}`, `{"a":"A"}`, "space too many"},
		"empty":                 {`{"a":""}`, `{"a":"A"}`, "empty"},
		"broken value":          {`{"a":"{{.A"}`, `{"a":"A"}`, "unclosed"},
		"nested":                {`{"a":{"b":{"c":"d"}}}`, `{"a":"A"}`, "neither a text"},
		"not JSON":              {`{`, `{}`, "en.json"},
	}
	for name, tt := range tests {
		if _, err := Load(catalogs(tt.en, tt.fr)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q in it", name, err, tt.want)
		}
	}
	if _, err := Load(fstest.MapFS{}); err == nil {
		t.Error("no catalogs: no error")
	}
	if _, err := Load(catalogs(`{"a":"Who? Me: {{.A}} at 10:32."}`, "{\"a\":\"Qui\u202f? «\u00a0Moi\u00a0»\u00a0: {{.A}} à 10:32.\"}")); err != nil {
		t.Error(err)
	}
}

func TestDates(t *testing.T) {
	c, err := Load(catalogs(`{}`, `{}`))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 20, 9, 32, 59, 0, time.UTC)
	tests := []struct {
		got, want string
	}{
		{c.In("fr").DateTime(at, "Europe/Paris"), "20 nov. 2026, 10:32 (UTC+1)"},
		{c.In("en").DateTime(at, "Europe/Paris"), "20 Nov 2026, 10:32 (UTC+1)"},
		{c.In("fr").DateTime(at.AddDate(0, -4, 0), "Europe/Paris"), "20 juil. 2026, 11:32 (UTC+2)"},
		{c.In("fr").DateTime(at, ""), "20 nov. 2026, 09:32 (UTC)"},
		{c.In("fr").DateTime(at, "Nowhere/Land"), "20 nov. 2026, 09:32 (UTC)"},
		{c.In("fr").DateTime(at, "Local"), "20 nov. 2026, 09:32 (UTC)"},
		{c.In("en").DateTime(at, "America/St_Johns"), "20 Nov 2026, 06:02 (UTC−3:30)"},
		{c.In("en").DateTime(at, "Asia/Kolkata"), "20 Nov 2026, 15:02 (UTC+5:30)"},
		{c.In("fr").Day(time.Date(2026, 1, 31, 23, 30, 0, 0, time.UTC), "Europe/Paris"), "1er févr. 2026"},
		{c.In("fr").LongDay(at, ""), "20 novembre 2026"},
		{c.In("en").LongDay(at, ""), "20 November 2026"},
	}
	for _, tt := range tests {
		if got := strings.ReplaceAll(tt.got, nbsp, " "); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
	if got := c.In("fr").Day(at, ""); got != "20\u00a0nov.\u00a02026" {
		t.Errorf("%+q breaks", got)
	}
}

func TestLanguages(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{Supported("fr-CA"), French},
		{Supported("", "de", "x-nonsense", "en-GB", "fr"), English},
		{Supported("de"), ""},
		{Supported(), ""},
		{Supported("FR_fr"), French},
		{Accepted("fr-CA,en;q=0.8"), French},
		{Accepted("de-DE, fr;q=0.3"), French},
		{Accepted("en;q=0.5, fr;q=0.9"), French},
		{Accepted("de, it"), ""},
		{Accepted("*"), ""},
		{Accepted("fr;q=0"), ""},
		{Accepted(""), ""},
		{Accepted("\x00;;;q"), ""},
		{Accepted(strings.Repeat("x-", 100_000)), ""},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}

func FuzzAccepted(f *testing.F) {
	f.Add("fr-CA,en;q=0.8", "fr")
	f.Fuzz(func(t *testing.T, header, tag string) {
		for _, got := range []string{Accepted(header), Supported(tag)} {
			if got != "" && got != English && got != French {
				t.Errorf("%q of %q, %q", got, header, tag)
			}
		}
	})
}
