package simulate_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-scim/usher/conformance/simulate"
	"github.com/usher-scim/usher/scim"
)

// TestShared: simulators share a connection; none finds what is not its own,
// and nothing is left.
func TestShared(t *testing.T) {
	w := newWorld(t, "", unlimited())
	first := w.config(t, "entra")
	second, third := first, first
	second.Seed, third.Seed = 8, 9
	second.Dialect = "entra-legacy"
	good(t, run(t, first, second, third))
	if left := users(t, first); left != 0 {
		t.Errorf("%d users are left", left)
	}
}

// users counts what a SCIM root holds.
func users(t *testing.T, c simulate.Config) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.URL+"/Users?count=0", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.Token)
	resp, err := c.Transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var list struct{ TotalResults int }
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
		t.Fatal(err)
	}
	return list.TotalResults
}

// TestMix: every target has its own dialect; the summary adds up.
func TestMix(t *testing.T) {
	w := newWorld(t, "", unlimited())
	var configs []simulate.Config
	for _, dialect := range simulate.Names()[:8] {
		c := w.config(t, dialect)
		c.Users = 10
		configs = append(configs, c)
	}
	s := run(t, configs...)
	good(t, s)
	requests, count := 0, 0
	for _, r := range s.Targets {
		requests += r.Requests
		count += r.Overall.Count
	}
	if s.Total.Requests != requests || s.Overall.Count != count || len(s.Targets) != 8 {
		t.Errorf("total %d of %d requests, overall %d of %d", s.Total.Requests, requests, s.Overall.Count, count)
	}
}

// TestRetryAfter: a limit far below the rate costs time and nothing else.
func TestRetryAfter(t *testing.T) {
	w := newWorld(t, "", scim.Config{Rate: 100, Burst: 20})
	c := w.config(t, "okta")
	c.Users, c.Groups, c.Cycles, c.Workers = 8, 1, 0, 8
	s := run(t, c)
	good(t, s)
	if r := s.Targets[0]; r.Retries == 0 || r.Statuses["429"] != r.Retries {
		t.Errorf("%d sent again, statuses %v", r.Retries, r.Statuses)
	}
}

// TestBrokenConnections: a server that does what it is asked, but whose
// connections break before or after it, loses nothing and doubles nothing.
func TestBrokenConnections(t *testing.T) {
	w := newWorld(t, "", unlimited())
	for _, dialect := range simulate.Names()[:8] {
		t.Run(dialect, func(t *testing.T) {
			var n atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				i := n.Add(1)
				if i%23 == 0 {
					panic(http.ErrAbortHandler) // nothing was done
				}
				if i%19 != 0 || i < 20 {
					w.handler.ServeHTTP(rw, r)
					return
				}
				w.handler.ServeHTTP(httptest.NewRecorder(), r)
				panic(http.ErrAbortHandler) // it was done, and nobody hears of it
			}))
			t.Cleanup(server.Close)
			c := w.config(t, dialect)
			c.URL = server.URL + strings.TrimPrefix(c.URL, w.base)
			c.Users, c.Workers = 15, 8
			s := run(t, c)
			good(t, s)
			if s.Targets[0].Retries == 0 {
				t.Error("nothing was sent again")
			}
		})
	}
}

// TestRate: requests are paced.
func TestRate(t *testing.T) {
	w := newWorld(t, "", unlimited())
	c := w.config(t, "authentik")
	c.Users, c.Groups, c.Cycles, c.Rate = 5, 1, 0, 200
	s := run(t, c)
	good(t, s)
	if r := s.Targets[0]; r.PerSecond > 205 {
		t.Errorf("%d requests in %.2f seconds are %.0f a second", r.Requests, r.Seconds, r.PerSecond)
	}
}

// TestKeep: what was asked to stay stays.
func TestKeep(t *testing.T) {
	w := newWorld(t, "", unlimited())
	c := w.config(t, "entra")
	c.Keep = true
	s := run(t, c)
	good(t, s)
	if left := users(t, c); left == 0 || left != s.Targets[0].Users {
		t.Errorf("%d users are left, the report says %d", left, s.Targets[0].Users)
	}
}

// TestDuration: cycles go on until the time is up, and a terminal shows how
// far they are.
func TestDuration(t *testing.T) {
	w := newWorld(t, "", unlimited())
	c := w.config(t, "entra")
	c.Users, c.Groups, c.Duration, c.Cycles = 5, 1, 1200*time.Millisecond, 0
	var terminal writer
	s, err := simulate.RunAll(t.Context(), []simulate.Config{c}, &terminal)
	if err != nil {
		t.Fatal(err)
	}
	if r := s.Targets[0]; !r.Good() || r.Seconds < 1.2 || r.Cycles < 2 {
		t.Errorf("good %v, %d cycles in %.2f seconds", r.Good(), r.Cycles, r.Seconds)
	}
	if shown := string(terminal); !strings.Contains(shown, " requests, ") || !strings.HasSuffix(shown, "\r\x1b[K") {
		t.Errorf("the terminal shows %q", shown)
	}
}

// TestInterrupt: the simulator cleans up after an interrupt too.
func TestInterrupt(t *testing.T) {
	w := newWorld(t, "", unlimited())
	c := w.config(t, "okta")
	c.Duration, c.Cycles = time.Minute, 0
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	s, err := simulate.RunAll(ctx, []simulate.Config{c}, nil)
	if !errors.Is(err, context.DeadlineExceeded) || s == nil {
		t.Fatalf("%v, %v", s, err)
	}
	if !s.Good {
		t.Errorf("an interrupt is no fault: %v %v", s.Targets[0].Errors, s.Targets[0].Differences)
	}
	if left := users(t, c); left != 0 {
		t.Errorf("%d users are left", left)
	}
}

// TestUnreachable: nothing answers, and the report says so.
func TestUnreachable(t *testing.T) {
	w := newWorld(t, "", unlimited())
	c := w.config(t, "okta")
	c.URL = "http://127.0.0.1:1/scim/v2"
	r := run(t, c).Targets[0]
	if r.Good() || r.Cycles != 0 || len(r.Errors) == 0 || !strings.Contains(r.Errors[0].Detail, "refused") {
		t.Errorf("%d cycles, errors %v", r.Cycles, r.Errors)
	}
}

// TestWrongToken: the refusal is told with the server's own words.
func TestWrongToken(t *testing.T) {
	w := newWorld(t, "", unlimited())
	c := w.config(t, "entra")
	c.Token = "ush_wrong"
	r := run(t, c).Targets[0]
	if r.Good() || r.Errors[0].Status != 401 || r.Errors[0].Detail == "" {
		t.Errorf("errors %v", r.Errors)
	}
}

// TestConfig: wrong configurations are refused with what is wrong.
func TestConfig(t *testing.T) {
	right := simulate.Config{
		Dialect: "okta", URL: "http://127.0.0.1:1/scim/v2", Users: 1, Workers: 1, Transport: http.DefaultTransport, Now: time.Now,
	}
	if _, err := simulate.New(right); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		part   string
		change func(*simulate.Config)
	}{
		{"not known", func(c *simulate.Config) { c.Dialect = "mix" }},
		{"one user", func(c *simulate.Config) { c.Users = 0 }},
		{"negative", func(c *simulate.Config) { c.Rate = -1 }},
		{"worker", func(c *simulate.Config) { c.Workers = 0 }},
		{"between 0 and 1", func(c *simulate.Config) { c.Trouble = 1.1 }},
		{"URL", func(c *simulate.Config) { c.URL = "scim.example.com" }},
		{"Now", func(c *simulate.Config) { c.Now = nil }},
	} {
		wrong := right
		c.change(&wrong)
		if _, err := simulate.New(wrong); err == nil || !strings.Contains(err.Error(), c.part) {
			t.Errorf("error %v does not tell of %s", err, c.part)
		}
	}
	if _, err := simulate.RunAll(t.Context(), nil, nil); err == nil {
		t.Error("no target is no error")
	}
}

// TestWrite: both outputs tell the figures; JSON lists are never null.
func TestWrite(t *testing.T) {
	w := newWorld(t, "", unlimited())
	s := run(t, w.config(t, "ping"))
	var text, out bytes.Buffer
	if err := errors.Join(s.WriteText(&text), s.WriteJSON(&out)); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"dialect     ping, seed 7", "create user", "P99", "0 errors, 0 differences\n"} {
		if !strings.Contains(text.String(), part) {
			t.Errorf("the text lacks %q\n%s", part, text.String())
		}
	}
	if strings.Contains(out.String(), "null") {
		t.Errorf("JSON with null: %s", out.String())
	}
}
