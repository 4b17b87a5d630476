package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// sent is what a command sent.
type sent struct{ method, path, body string }

// TestVerbs: what commands of administrators send, and what they print.
func TestVerbs(t *testing.T) {
	tests := map[string]struct {
		args   []string
		answer string
		want   sent
		prints string
		code   int
	}{
		"a filtered list": {
			[]string{"user", "list", "acme", "--licence", "calling", "--status", "error", "--limit", "10"},
			`{"items":[{"id":"u1","userName":"zoe","licences":[{"sku":"calling","status":"error"}]}]}`,
			sent{"GET", "/api/v1/orgs/acme/users?licence=calling&limit=10&status=error", ""},
			"calling", 0,
		},
		"arguments of a body": {
			[]string{"user", "grant", "acme", "u1", "calling", "host"},
			`{"licences":[{"sku":"calling","status":"assigned","reasons":["because"]}]}`,
			sent{"PATCH", "/api/v1/orgs/acme/users/u1/licences", `{"add":["calling","host"]}`},
			"because", 0,
		},
		"flags of a body": {
			[]string{"user", "create", "acme", "z@acme.test", "--given", "Zoé", "--licences", "host,basic"},
			`{"id":"u1"}`,
			sent{"POST", "/api/v1/orgs/acme/users", `{"email":"z@acme.test","licences":["host","basic"],"name":{"givenName":"Zoé"}}`},
			"u1", 0,
		},
		"a value taken away": {
			[]string{"user", "set-calling", "acme", "u1", "--number", ""},
			`{"effective":{"status":"none"}}`,
			sent{"PATCH", "/api/v1/orgs/acme/users/u1/calling", `{"number":null}`},
			"none", 0,
		},
		"a day": {
			[]string{"subscription", "change", "acme", "s1", "--ends", "2027-12-31", "--units", "0"},
			`{"id":"s1"}`,
			sent{"PATCH", "/api/v1/orgs/acme/subscriptions/s1", `{"endsAt":"2027-12-31T00:00:00Z","units":0}`},
			"s1", 0,
		},
		"no end": {
			[]string{"subscription", "change", "acme", "s1", "--ends", "never"},
			`{"id":"s1"}`,
			sent{"PATCH", "/api/v1/orgs/acme/subscriptions/s1", `{"endsAt":null}`},
			"s1", 0,
		},
		"the place above":     {[]string{"user", "show", "acme", ".."}, "", sent{}, "is no ID", exitUsage},
		"nothing to change":   {[]string{"settings", "set", "acme"}, "", sent{}, "nothing to change", exitUsage},
		"a needed flag":       {[]string{"template", "create", "acme", "--type", "org"}, "", sent{}, "--skus is missing", exitUsage},
		"a needed argument":   {[]string{"user", "grant", "acme", "u1"}, "", sent{}, "SKU is missing", exitUsage},
		"not a time":          {[]string{"subscription", "change", "acme", "s1", "--ends", "soon"}, "", sent{}, "is no time", exitUsage},
		"an unconfirmed loss": {[]string{"user", "delete", "acme", "u1"}, "", sent{}, "add --yes", exitUsage},
		"a confirmed loss": {
			[]string{"user", "delete", "acme", "u1", "--yes"},
			"",
			sent{"DELETE", "/api/v1/orgs/acme/users/u1?confirm=true", ""},
			"deleted", 0,
		},
		"a download": {
			[]string{"billing", "download", "acme", "r1", "--format", "csv"},
			"a,b\n1,2\n",
			sent{"GET", "/api/v1/orgs/acme/billing-reports/r1/download?format=csv", ""},
			"a,b\n1,2\n", 0,
		},
		"no slug": {[]string{"product", "list"}, `{"items":[{"sku":"host","paid":true}]}`, sent{"GET", "/api/v1/products", ""}, "yes", 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got sent
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var body any
				if json.NewDecoder(r.Body).Decode(&body) == nil {
					text, err := json.Marshal(body)
					if err != nil {
						t.Error(err)
					}
					got.body = string(text)
				}
				got.method, got.path = r.Method, r.URL.RequestURI()
				if _, err := w.Write([]byte(tt.answer)); err != nil {
					t.Error(err)
				}
			}))
			defer server.Close()
			args := append(tt.args, "--api-url", server.URL, "--api-token-file", file(t, "token"))
			out := wantCode(t, tt.code, nil, args...)
			if got != tt.want {
				t.Errorf("sent %+v, want %+v", got, tt.want)
			}
			if !strings.Contains(out.stdout+out.stderr, tt.prints) {
				t.Errorf("printed %q and %q, want %q", out.stdout, out.stderr, tt.prints)
			}
		})
	}
}

// TestVerbPages: a list is read to its end, or as far as asked for.
func TestVerbPages(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RawQuery)
		answer := `{"items":[{"id":"a"},{"id":"b"}],"next":"c1"}`
		if r.URL.Query().Get("cursor") != "" {
			answer = `{"items":[{"id":"c"}]}`
		}
		if _, err := w.Write([]byte(answer)); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	with := []string{"--api-url", server.URL, "--api-token-file", file(t, "token"), "--output", "json"}
	var all struct{ Items []struct{ ID string } }
	decode(t, wantCode(t, 0, nil, append([]string{"user", "list", "acme", "--limit", "0"}, with...)...).stdout, &all)
	if len(all.Items) != 3 || len(asked) != 2 || asked[1] != "cursor=c1&limit=200" {
		t.Errorf("%d items by %q", len(all.Items), asked)
	}
	asked = nil
	decode(t, wantCode(t, 0, nil, append([]string{"user", "list", "acme", "--limit", "2"}, with...)...).stdout, &all)
	if len(all.Items) != 2 || len(asked) != 1 || asked[0] != "limit=2" {
		t.Errorf("%d items by %q", len(all.Items), asked)
	}
}

// TestVerbJob: a job is followed to its end, and its end is the command's.
func TestVerbJob(t *testing.T) {
	for end, code := range map[string]int{"done": 0, "failed": exitFailure, "cancelled": exitFailure} {
		polls := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := `{"id":"j1","type":"licence-retry","state":"queued","total":10}`
			if r.Method == http.MethodGet {
				if r.URL.Path != "/api/v1/orgs/acme/jobs/j1" {
					t.Errorf("asked for %s", r.URL.Path)
				}
				if polls++; polls > 1 {
					answer = `{"id":"j1","type":"licence-retry","state":"` + end + `","total":10,"done":10,"fault":"it broke"}`
				}
			}
			if _, err := w.Write([]byte(answer)); err != nil {
				t.Error(err)
			}
		}))
		out := wantCode(t, code, nil, "license", "retry", "acme", "--api-url", server.URL, "--api-token-file", file(t, "token"))
		if polls != 2 || !strings.Contains(out.stderr, "licence-retry queued: 0 of 10 (0 %)") || !strings.Contains(out.stdout, end) {
			t.Errorf("%s after %d looks: %q %q", end, polls, out.stdout, out.stderr)
		}
		server.Close()
	}
}
