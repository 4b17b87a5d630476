package scim_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim"
)

// A panic in a handler is a 500 with a SCIM body and a logged stack; the
// process and the connection live.
func TestPanic(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	id := h.user("p@acme.example")
	var seen []string
	broken := &brokenStore{Store: h.store, get: func() error { panic("secret detail") }}
	h.open(broken, scim.Config{Observe: func(op, resource string, status int, _ time.Duration) {
		seen = append(seen, fmt.Sprint(op, " ", resource, " ", status))
	}})
	srv := httptest.NewServer(h)
	defer srv.Close()
	for range 3 {
		r := h.ask("GET", "/Users/"+id, "").fails(500, "")
		if strings.Contains(r.Body.String(), "secret") || r.Header().Get("Content-Type") != "application/scim+json" {
			t.Errorf("500: %s", r.Body)
		}
	}
	if log := h.log.String(); !strings.Contains(log, "secret detail") || !strings.Contains(log, "fault_test.go") || !strings.Contains(log, `"stack"`) {
		t.Errorf("the log has no stack: %.500s", log)
	}
	broken.get = nil
	h.ask("GET", "/Users/"+id, "").want(200)
	if strings.Join(seen, ",") != "get User 500,get User 500,get User 500,get User 200" {
		t.Errorf("observed %v", seen)
	}
}

// TestErrorHygiene is security S19, R-118, R-121: whatever fails inside, the
// answer is one of a closed set of texts, without internals.
func TestErrorHygiene(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	id := h.user("e@acme.example")
	broken := &brokenStore{Store: h.store}
	h.open(broken, scim.Config{})
	for _, c := range []struct {
		name   string
		err    error
		status int
		code   string
		retry  bool
	}{
		{"unavailable", fmt.Errorf("dial tcp 10.0.0.1:6379: %w", resources.ErrUnavailable), 503, "unavailable", true},
		{"deadline", fmt.Errorf("redis: %w", context.DeadlineExceeded), 503, "unavailable", true},
		{"canceled", fmt.Errorf("read: %w", context.Canceled), 503, "unavailable", true},
		{"unknown", errors.New("WRONGTYPE key u:{abc}:1 at scripts/get.lua:7"), 500, "internal_error", false},
		{"end of file", io.ErrUnexpectedEOF, 500, "internal_error", false},
		{"unknown code", &resources.Error{Code: "surprise", Detail: "internal detail"}, 500, "internal_error", false},
		{"refusal", &resources.Refusal{Reason: resources.RefusedFull, Pool: "seats"}, 500, "internal_error", false},
		{"wrapped", fmt.Errorf("get: %w", &resources.Error{Code: resources.CodeTooMany, Detail: "Too much.", Err: errors.New("redis")}), 400, "too_many", false},
	} {
		broken.get = func() error { return c.err }
		r := h.ask("GET", "/Users/"+id, "").want(c.status)
		if r.Header().Get("Usher-Error-Code") != c.code || (r.Header().Get("Retry-After") != "") != c.retry {
			t.Errorf("%s: %v", c.name, r.Header())
		}
		for _, word := range []string{"dial", "tcp", "6379", "redis", "EOF", ".go:", "lua", "WRONGTYPE", "{abc}", "goroutine", "surprise", "internal detail", "seats", "context"} {
			if strings.Contains(r.Body.String(), word) {
				t.Errorf("%s: the answer has %q: %s", c.name, word, r.Body)
			}
		}
		if c.status >= 500 && !strings.Contains(h.log.String(), strings.Trim(quote(c.err.Error()), `"`)) {
			t.Errorf("%s: the cause is not in the log", c.name)
		}
	}
	broken.get = nil
	long := strings.Repeat("L0ng", 500)
	for _, r := range []reply{
		h.ask("GET", "/Users?"+filterOf(long+` eq "x"`), ""), h.ask("GET", "/Users?sortBy="+long, ""),
		h.ask("PATCH", "/Users/"+id, ops(`{"op":"`+long+`"}`)), h.ask("PATCH", "/Users/"+id, ops(`{"op":"remove","path":"`+long+`"}`)),
		h.ask("POST", "/Groups", groupBody("x", long)), h.ask("POST", "/Users", userBody("x", `,"active":"`+long+`"`)),
		h.ask("POST", "/Users", `{"`+long+`":1,"`+long+`":2}`), h.ask("GET", "/Users?count="+long, ""),
	} {
		r.want(400)
		if strings.Contains(r.Body.String(), strings.Repeat("L0ng", 26)) {
			t.Errorf("more than 100 characters of input come back: %s", r.Body)
		}
	}
}

// An error in the middle of a streamed answer cuts the connection: no client
// takes the part for the whole.
func TestErrorInMidStream(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	g := h.group("G")
	fail := ""
	h.open(&brokenStore{Store: &wideStore{Store: h.store, members: 50_000}, members: func(after string) error {
		if after >= fail && fail != "" {
			return errors.New("gone")
		}
		return nil
	}}, scim.Config{})
	srv := httptest.NewServer(h)
	defer srv.Close()
	read := func() (int, []byte, error) {
		req, err := http.NewRequest("GET", srv.URL+"/orgs/acme/scim/v2/Groups/"+g, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+h.token["acme"])
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return resp.StatusCode, body, err
	}
	status, body, err := read()
	if err != nil || status != 200 || !json.Valid(body) {
		t.Fatalf("whole: %d %v", status, err)
	}
	fail = "0000000000000000od80" // half way
	if status, body, err = read(); err == nil || status != 200 || json.Valid(body) {
		t.Errorf("a broken stream looks complete: %d, %d bytes, %v", status, len(body), err)
	}
	fail = "0" // before anything was sent: a proper error
	if status, body, err = read(); err != nil || status != 500 || !json.Valid(body) {
		t.Errorf("an early error: %d %s %v", status, body, err)
	}
}

// A client that goes away is not an error of ours.
func TestClientGone(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	id := h.user("c@acme.example")
	h.open(&brokenStore{Store: h.store, get: func() error { return context.Canceled }}, scim.Config{})
	ctx, cancel := context.WithCancel(context.Background())
	r := httptest.NewRequest("GET", "/orgs/acme/scim/v2/Users/"+id, nil).WithContext(ctx)
	r.Header.Set("Authorization", "Bearer "+h.token["acme"])
	h.ask("GET", "/ServiceProviderConfig", "").want(200) // the token is cached now
	cancel()
	h.ServeHTTP(httptest.NewRecorder(), r)
	if strings.Contains(h.log.String(), `"level":"ERROR"`) {
		t.Errorf("logged as an error: %s", h.log)
	}
}

// Logs name the request, not the person.
func TestAccessLog(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	h.ask("POST", "/Users", userBody("somebody@acme.example"), "X-Request-Id", "trace-1").want(201)
	h.ask("GET", "/Users?"+filterOf(`userName eq "somebody@acme.example"`), "").want(200)
	h.ask("GET", "/Users/"+h.token["acme"], "").want(404)
	log := h.log.String()
	for _, word := range []string{"somebody", "filter", h.token["acme"]} {
		if strings.Contains(log, word) {
			t.Errorf("%q is in the log", word)
		}
	}
	var line map[string]any
	for one := range strings.Lines(log) {
		if strings.Contains(one, "trace-1") {
			if err := json.Unmarshal([]byte(one), &line); err != nil {
				t.Fatal(err)
			}
		}
	}
	if line["msg"] != "request" || line["level"] != "INFO" || line["org"] != "acme" || line["op"] != "create" || line["kind"] != "User" || line["status"] != 201.0 {
		t.Errorf("line %v", line)
	}
}
