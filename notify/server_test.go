package notify

import (
	"strings"
	"testing"

	"github.com/usher-scim/usher/internal/config"
)

func TestParseServer(t *testing.T) {
	good := map[string]Server{
		"smtp://mail.example.com":                     {"mail.example.com", 587, StartTLS, "", ""},
		"smtp://u:p%40ss@mail.example.com:2525":       {"mail.example.com", 2525, StartTLS, "u", "p@ss"},
		"smtps://u%40example.com:p@mail.example.com/": {"mail.example.com", 465, Implicit, "u@example.com", "p"},
		"smtp+plain://127.0.0.1":                      {"127.0.0.1", 25, Plain, "", ""},
		"smtp+plain://LOCALHOST:1025":                 {"LOCALHOST", 1025, Plain, "", ""},
		"smtp+plain://[::1]:1025":                     {"::1", 1025, Plain, "", ""},
		" smtp://[2001:db8::1]:587 ":                  {"2001:db8::1", 587, StartTLS, "", ""},
		"SMTPS://mail.example.com":                    {"mail.example.com", 465, Implicit, "", ""},
	}
	for raw, want := range good {
		if got, err := ParseServer(raw); err != nil || got != want {
			t.Errorf("%s: %+v, %v", raw, got, err)
		}
	}
	bad := map[string]string{
		"":                                                 "begin with",
		"mail.example.com:587":                             "begin with",
		"http://mail.example.com":                          "begin with",
		"smtp://":                                          "host",
		"smtp://:587":                                      "host",
		"smtp://hunter2@mail.example.com":                  "both",
		"smtp://:hunter2@m.example.com":                    "both",
		"smtp://u:hunter2@m.example.com:0":                 "port",
		"smtp://u:hunter2@m.example.com:99999":             "port",
		"smtp://u:hunter2@m.example.com:587/x":             "port",
		"smtp://u:hunter2@m.example.com?x=1":               "port",
		"smtp+plain://u:hunter2@mail.example.com":          "127.0.0.1",
		"smtp+plain://10.0.0.1":                            "127.0.0.1",
		"smtp://u:hunter2%zz@m.example.com":                "percent-encode",
		"smtp://u:hunter2%0d%0aRCPT@m.example.com":         "control",
		"smtp://u:hunter2@m.example.com:587\nsmtp://other": "percent-encode",
	}
	for raw, want := range bad {
		_, err := ParseServer(raw)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

func FuzzParseServer(f *testing.F) {
	for _, s := range []string{"smtp://u:p@h:587", "smtps://h", "smtp+plain://[::1]:25", "smtp://h/%zz", "://"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		s, err := ParseServer(raw)
		if err != nil {
			if s != (Server{}) {
				t.Errorf("%q: a server and an error", raw)
			}
			return
		}
		if s.Host == "" || s.Port < 1 || s.Port > 65535 || s.Security == Plain && !config.IsLoopback(s.Host) {
			t.Errorf("%q: %+v", raw, s)
		}
	})
}

// TestNewRefuses: every fault of the configuration is told at once.
func TestNewRefuses(t *testing.T) {
	_, err := New(Config{From: "nobody", Product: "a\nb", PublicURL: "id.example.com"})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"Server", "sender", "product", "PublicURL"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %s", err, want)
		}
	}
	for host, want := range map[string]string{"id.example.com": "id.example.com", "127.0.0.1": "[127.0.0.1]", "::1": "[IPv6:::1]"} {
		if got := heloName(host); got != want {
			t.Errorf("%s calls itself %s, want %s", host, got, want)
		}
	}
}
