package simulate_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/usher-scim/usher/conformance/simulate"
)

// exchange is one request on its way through a server that does something
// wrong, and the answer on its way back.
type exchange struct {
	method, path, query string
	body                string
	next                func(body string) (status int, answer string) // what the honest server does
}

// sabotaged serves what bend makes of every exchange of an honest server.
// Calls of bend follow each other.
func sabotaged(t *testing.T, honest http.Handler, bend func(x exchange) (int, string)) string {
	t.Helper()
	var mu sync.Mutex
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // an aborted request
		}
		mu.Lock()
		defer mu.Unlock()
		status, answer := bend(exchange{
			method: r.Method, path: r.URL.Path, query: r.URL.RawQuery, body: string(body),
			next: func(body string) (int, string) {
				r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
				rec := httptest.NewRecorder()
				honest.ServeHTTP(rec, r)
				return rec.Code, rec.Body.String()
			},
		})
		w.Header().Set("Content-Type", "application/scim+json")
		w.WriteHeader(status)
		_, _ = io.Copy(w, bytes.NewReader([]byte(answer))) // the client may have gone
	}))
	t.Cleanup(server.Close)
	return server.URL
}

var (
	total      = regexp.MustCompile(`"totalResults":\d+`)
	oneMember  = regexp.MustCompile(`,\{"value":"[a-z0-9]+"\}\]`)
	valueArray = regexp.MustCompile(`("op":"Remove","path":"members"),"value":\[.*?\]`)
)

// saboteurs are servers with the faults that were seen in others.
func saboteurs() []struct {
	name, dialect, attribute string
	bend                     func() func(x exchange) (int, string)
} {
	honest := func(x exchange) (int, string) { return x.next(x.body) }
	is := func(x exchange, method, part string) bool {
		return x.method == method && strings.Contains(x.path, part)
	}
	once := func(when func(exchange) bool, status int) func() func(exchange) (int, string) {
		return func() func(exchange) (int, string) {
			done := false
			return func(x exchange) (int, string) {
				if !done && when(x) {
					done = true
					return status, `{}`
				}
				return honest(x)
			}
		}
	}
	always := func(bend func(x exchange) (int, string)) func() func(exchange) (int, string) {
		return func() func(exchange) (int, string) { return bend }
	}
	return []struct {
		name, dialect, attribute string
		bend                     func() func(x exchange) (int, string)
	}{
		{"a PATCH of a user is swallowed", "okta", "active", once(func(x exchange) bool { return is(x, "PATCH", "/Users/") && strings.Contains(x.body, `"active"`) }, 200)},
		{"a PUT is swallowed", "ping", "name.familyName", always(func(x exchange) (int, string) {
			if is(x, "PUT", "/Users/") {
				return 200, "{}"
			}
			return honest(x)
		})},
		{"a member is dropped", "entra", "members", always(func(x exchange) (int, string) {
			if is(x, "PATCH", "/Groups/") {
				x.body = oneMember.ReplaceAllString(x.body, "]")
			}
			return honest(x)
		})},
		{"a capital Add is ignored", "entra-legacy", "members", always(func(x exchange) (int, string) {
			if is(x, "PATCH", "/Groups/") && strings.Contains(x.body, `"op":"Add"`) {
				return 204, ""
			}
			return honest(x)
		})},
		{"the removal of one empties the group", "entra-legacy", "members", always(func(x exchange) (int, string) {
			if is(x, "PATCH", "/Groups/") {
				x.body = valueArray.ReplaceAllString(x.body, "$1")
			}
			return honest(x)
		})},
		{"the list is stale", "jumpcloud", "list", func() func(exchange) (int, string) {
			kept := map[string]string{}
			return func(x exchange) (int, string) {
				status, answer := honest(x)
				if is(x, "GET", "/Users") && strings.Contains(x.query, "startIndex") {
					if _, is := kept[x.query]; !is {
						kept[x.query] = answer
					}
					answer = kept[x.query]
				}
				return status, answer
			}
		}},
		{"the total is that of the page", "okta", "totalResults", always(func(x exchange) (int, string) {
			status, answer := honest(x)
			if is(x, "GET", "/Users") && strings.Contains(x.query, "startIndex=1&count=100") && !strings.Contains(x.query, "filter") {
				answer = total.ReplaceAllString(answer, `"totalResults":10`)
			}
			return status, answer
		})},
		{"a boolean is kept as text", "entra-legacy", "active", always(func(x exchange) (int, string) {
			status, answer := honest(x)
			return status, strings.ReplaceAll(answer, `"active":false`, `"active":"False"`)
		})},
		{"a deleted user stays", "authentik", "list", once(func(x exchange) bool { return is(x, "DELETE", "/Users/") }, 204)},
		{"the old name is still found", "onelogin", "filter userName", func() func(exchange) (int, string) {
			kept := map[string]string{}
			return func(x exchange) (int, string) {
				if answer, is := kept[x.query]; is {
					return 200, answer
				}
				status, answer := honest(x)
				if is(x, "GET", "/Users") && strings.Contains(x.query, "userName") && strings.Contains(answer, `"totalResults":1`) {
					kept[x.query] = answer
				}
				return status, answer
			}
		}},
		{"the groups of users are not told", "okta-aiw", "groups", always(func(x exchange) (int, string) {
			status, answer := honest(x)
			return status, strings.ReplaceAll(answer, `"groups":`, `"cliques":`)
		})},
		{"unknown members are dropped silently", "okta", "status of a push of an unknown member", always(func(x exchange) (int, string) {
			status, answer := honest(x)
			if is(x, "PATCH", "/Groups/") && status == 400 {
				return 200, "{}"
			}
			return status, answer
		})},
		{"a repeated POST is no conflict", "entra", "status of a repeated POST", always(func(x exchange) (int, string) {
			status, answer := honest(x)
			if x.method == "POST" && status == 409 {
				return 201, `{"id":"another"}`
			}
			return status, answer
		})},
		{"a relation is always there", "entra", "totalResults of id eq", always(func(x exchange) (int, string) {
			status, answer := honest(x)
			if strings.Contains(x.query, "members%20eq") {
				answer = `{"totalResults":1,"Resources":[{"id":"x"}]}`
			}
			return status, answer
		})},
		{"nobody ever has a manager", "entra", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", always(func(x exchange) (int, string) {
			status, answer := honest(x)
			return status, strings.ReplaceAll(answer, `"manager":`, `"boss":`)
		})},
	}
}

// TestSeesSabotage: each fault of a server is reported where it is.
func TestSeesSabotage(t *testing.T) {
	w := newWorld(t, "", unlimited())
	for _, c := range saboteurs() {
		t.Run(c.name, func(t *testing.T) {
			cfg := w.config(t, c.dialect)
			cfg.URL = sabotaged(t, w.handler, c.bend()) + strings.TrimPrefix(cfg.URL, w.base)
			cfg.Workers, cfg.Cycles, cfg.Trouble = 1, 3, 0.3
			s := run(t, cfg)
			if s.Good {
				t.Fatal("the simulator is content")
			}
			for _, d := range s.Targets[0].Differences {
				if strings.HasPrefix(d.Attribute, c.attribute) {
					return
				}
			}
			var out writer
			if err := s.WriteText(&out); err != nil {
				t.Error(err)
			}
			t.Errorf("no difference of %s\n%s", c.attribute, out)
		})
	}
}

// TestDifference: a swallowed PATCH is told with id, attribute, what was
// expected and what was found.
func TestDifference(t *testing.T) {
	w := newWorld(t, "", unlimited())
	cfg := w.config(t, "okta")
	cfg.Trouble, cfg.Workers, cfg.Cycles = 0, 1, 1
	var path string
	cfg.URL = sabotaged(t, w.handler, func(x exchange) (int, string) {
		if x.method == "PATCH" && strings.Contains(x.path, "/Users/") && strings.Contains(x.body, `{"active":false}`) && (path == "" || path == x.path) {
			path = x.path
			return 200, "{}"
		}
		return x.next(x.body)
	}) + strings.TrimPrefix(cfg.URL, w.base)
	r := run(t, cfg).Targets[0]
	if path == "" {
		t.Fatal("nobody was deactivated")
	}
	id := path[strings.LastIndexByte(path, '/')+1:]
	want := simulate.Difference{Resource: "/Users", ID: id, Attribute: "active", Expected: "false", Found: "true"}
	if len(r.Differences) == 0 || r.ErrorCount != 0 {
		t.Fatalf("%d differences, errors %v", r.DiffCount, r.Errors)
	}
	for _, d := range r.Differences {
		if d.Name == "" {
			t.Errorf("the difference %v does not name the user", d)
		}
		if d.Name = ""; d != want {
			t.Errorf("difference %v, want %v", d, want)
		}
	}
}
