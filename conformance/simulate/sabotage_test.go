package simulate_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
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

// bend is what a server makes of an exchange.
type bend func(x exchange) (status int, answer string)

// saboteur is a server with a fault that was seen in others. make gives a
// fresh one; attribute is the beginning of what the difference must name.
type saboteur struct {
	name, dialect, attribute string
	make                     func() bend
}

func honest(x exchange) (int, string) { return x.next(x.body) }

func is(x exchange, method, part string) bool {
	return x.method == method && strings.Contains(x.path, part)
}

// once answers one request without doing it.
func once(status int, when func(exchange) bool) func() bend {
	return func() bend {
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

// never answers requests without ever doing them.
func never(status int, when func(exchange) bool) func() bend {
	return func() bend {
		return func(x exchange) (int, string) {
			if when(x) {
				return status, `{}`
			}
			return honest(x)
		}
	}
}

// rewritten changes the bodies of requests for groups.
func rewritten(change func(body string) string) func() bend {
	return func() bend {
		return func(x exchange) (int, string) {
			if is(x, "PATCH", "/Groups/") {
				x.body = change(x.body)
			}
			return honest(x)
		}
	}
}

// answered changes answers.
func answered(change func(x exchange, status int, answer string) (int, string)) func() bend {
	return func() bend {
		return func(x exchange) (int, string) {
			status, answer := honest(x)
			return change(x, status, answer)
		}
	}
}

// misspelt changes a part of every answer.
func misspelt(what, as string) func() bend {
	return answered(func(_ exchange, status int, answer string) (int, string) {
		return status, strings.ReplaceAll(answer, what, as)
	})
}

// remembered answers the queries that when picks as it did the first time.
func remembered(when func(x exchange, answer string) bool) func() bend {
	return func() bend {
		kept := map[string]string{}
		return func(x exchange) (int, string) {
			if answer, is := kept[x.path+x.query]; is && x.method == "GET" {
				return 200, answer
			}
			status, answer := honest(x)
			if is(x, "GET", "/Users") && when(x, answer) {
				kept[x.path+x.query] = answer
			}
			return status, answer
		}
	}
}

// lossy are servers that say 2xx and do something else.
func lossy() []saboteur {
	return []saboteur{
		{"a PATCH of a user is swallowed", "okta", "active", once(200, func(x exchange) bool {
			return is(x, "PATCH", "/Users/") && strings.Contains(x.body, `"active"`)
		})},
		{"every PUT is swallowed", "ping", "name.familyName", never(200, func(x exchange) bool { return is(x, "PUT", "/Users/") })},
		{"a member is dropped", "entra", "members", rewritten(func(body string) string { return oneMember.ReplaceAllString(body, "]") })},
		{"a capital Add is ignored", "entra-legacy", "members", never(200, func(x exchange) bool {
			return is(x, "PATCH", "/Groups/") && strings.Contains(x.body, `"op":"Add"`)
		})},
		{"the removal of one empties the group", "entra-legacy", "members", rewritten(func(body string) string {
			return valueArray.ReplaceAllString(body, "$1")
		})},
		{"a deleted user stays", "authentik", "list", once(204, func(x exchange) bool { return is(x, "DELETE", "/Users/") })},
		{"unknown members are dropped silently", "okta", "status of a push of an unknown member", answered(func(x exchange, status int, answer string) (int, string) {
			if is(x, "PATCH", "/Groups/") && status == 400 {
				return 200, "{}"
			}
			return status, answer
		})},
		{"a repeated POST is no conflict", "entra", "status of a repeated POST", answered(func(x exchange, status int, answer string) (int, string) {
			if x.method == "POST" && status == 409 {
				return 201, `{"id":"another"}`
			}
			return status, answer
		})},
	}
}

// lying are servers that do what they should and tell something else.
func lying() []saboteur {
	return []saboteur{
		{"the list is stale", "jumpcloud", "list", remembered(func(x exchange, _ string) bool { return strings.Contains(x.query, "startIndex") })},
		{"the old name is still found", "onelogin", "filter userName", remembered(func(x exchange, answer string) bool {
			return strings.Contains(x.query, "userName") && strings.Contains(answer, `"totalResults":1`)
		})},
		{"the total is that of the page", "okta", "totalResults", answered(func(x exchange, status int, answer string) (int, string) {
			if is(x, "GET", "/Users") && strings.Contains(x.query, "startIndex=1&count=100") && !strings.Contains(x.query, "filter") {
				answer = total.ReplaceAllString(answer, `"totalResults":10`)
			}
			return status, answer
		})},
		{"a boolean is kept as text", "entra-legacy", "active", misspelt(`"active":false`, `"active":"False"`)},
		{"the groups of users are not told", "okta-aiw", "groups", misspelt(`"groups":`, `"cliques":`)},
		{"nobody ever has a manager", "entra", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", misspelt(`"manager":`, `"boss":`)},
		{"a relation is always there", "entra", "totalResults of id eq", answered(func(x exchange, status int, answer string) (int, string) {
			if strings.Contains(x.query, "members%20eq") {
				answer = `{"totalResults":1,"Resources":[{"id":"x"}]}`
			}
			return status, answer
		})},
	}
}

// TestSeesSabotage: each fault of a server is reported where it is.
func TestSeesSabotage(t *testing.T) {
	w := newWorld(t, "", unlimited())
	for _, c := range slices.Concat(lossy(), lying()) {
		t.Run(c.name, func(t *testing.T) {
			cfg := w.config(t, c.dialect)
			cfg.URL = sabotaged(t, w.handler, c.make()) + strings.TrimPrefix(cfg.URL, w.base)
			cfg.Users, cfg.Groups, cfg.Workers, cfg.Cycles, cfg.Trouble = 20, 3, 1, 3, 0.4
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
