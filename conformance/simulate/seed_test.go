package simulate_test

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/conformance/simulate"
)

// recording notes the requests that a transport carries.
type recording struct {
	next http.RoundTripper
	ids  map[string]string // of the server, in the order in which they appear

	mu   sync.Mutex
	list []string
}

var serverID = regexp.MustCompile(`\b[0-9a-v]{20}\b`)

// RoundTrip notes method, target and body, with the ids of the server named
// by the order in which they were first seen.
func (r *recording) RoundTrip(req *http.Request) (*http.Response, error) {
	body := ""
	if req.GetBody != nil {
		b, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(b)
		if err != nil {
			return nil, err
		}
		body = string(text)
	}
	target, err := url.QueryUnescape(req.URL.RequestURI())
	if err != nil {
		return nil, err
	}
	line := req.Method + " " + target + " " + body
	r.mu.Lock()
	r.list = append(r.list, serverID.ReplaceAllStringFunc(line, func(id string) string {
		if _, seen := r.ids[id]; !seen {
			r.ids[id] = "id" + string(rune('0'+len(r.ids)%10)) + "-" + strings.Repeat("x", len(r.ids)/10)
		}
		return r.ids[id]
	}))
	r.mu.Unlock()
	return r.next.RoundTrip(req)
}

// changing is what differs from run to run: addresses, times, versions, names, and
// the order of groups created in one millisecond.
var changing = regexp.MustCompile(`/orgs/org-\d+/|http://[^/]+|"(created|lastModified)":"[^"]*"|"groups":\[[^]]*\]|"version":"W/\\"[^"]*""|"organizationName":"[^"]*"|"since":"[^"]*"`)

// sequence plays a dialect with one worker and gives its requests.
func sequence(t *testing.T, w *world, dialect string, seed uint64) []string {
	t.Helper()
	cfg := w.config(t, dialect)
	r := &recording{next: cfg.Transport, ids: map[string]string{}}
	cfg.Transport, cfg.Users, cfg.Workers, cfg.Seed, cfg.Trouble = r, 12, 1, seed, 0.4
	good(t, run(t, cfg))
	for i := range r.list {
		r.list[i] = changing.ReplaceAllString(r.list[i], "*")
	}
	return r.list
}

// TestSeed: with one worker the seed decides every request, and another seed
// decides otherwise.
func TestSeed(t *testing.T) {
	w := newWorld(t, "", unlimited())
	for _, dialect := range simulate.Names() {
		if dialect == simulate.Mix {
			continue
		}
		t.Run(dialect, func(t *testing.T) {
			one, same := sequence(t, w, dialect, 11), sequence(t, w, dialect, 11)
			for i := range min(len(one), len(same)) {
				if one[i] != same[i] {
					t.Fatalf("the same seed, but request %d differs:\n%s", i, cmp.Diff(one[i], same[i]))
				}
			}
			if len(one) != len(same) {
				t.Errorf("the same seed, but %d and %d requests", len(one), len(same))
			}
		})
	}
	if cmp.Equal(sequence(t, w, "okta", 11), sequence(t, w, "okta", 12)) {
		t.Error("another seed, the same requests")
	}
}
