package chaos_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// answer is what came back for a request.
type answer struct {
	status int // 0: nothing
	body   []byte
	etag   string
	code   string // Usher-Error-Code
	leads  string // Location, of pages
	sent   bool   // whether the server may have seen the request
}

// outcome is what a write's answer says of it. Statuses by which a rule refuses
// are given; a request that never left is nothing at all (0).
func (a answer) outcome(refusals ...int) outcome {
	switch {
	case a.status >= 200 && a.status < 300:
		return done
	case slices.Contains(refusals, a.status):
		return refused
	case !a.sent:
		return 0
	}
	return unknown
}

// limits are what may be expected of answers while a fault lasts.
type limits struct {
	p99  time.Duration // of all answers; zero: 2.5 s
	hang time.Duration // nothing takes longer; zero: 10 s
	cuts bool          // connections may be cut: processes die
	none bool          // no request may fail at all
	lost bool          // acknowledged writes may be lost: what is left must be consistent, and the loss is counted
}

// witness watches answers.
type witness struct {
	limits
	mu      sync.Mutex
	took    []time.Duration
	longest map[string]time.Duration // by method and path: the longest
	counts  map[int]int              // by status; 0: cut connections
	wrong   map[string]int
	order   []string // of wrong
}

func newWitness(l limits) *witness {
	if l.p99 == 0 {
		l.p99 = 2500 * time.Millisecond
	}
	if l.hang == 0 {
		l.hang = 10 * time.Second
	}
	return &witness{limits: l, longest: map[string]time.Duration{}, counts: map[int]int{}, wrong: map[string]int{}}
}

// violation notes that something is not as it must be; the same again is counted.
func (w *witness) violation(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.wrong[text]++; w.wrong[text] == 1 {
		w.order = append(w.order, text)
	}
}

// violations lists what was wrong.
func (w *witness) violations() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]string, len(w.order))
	for i, text := range w.order {
		out[i] = text
		if n := w.wrong[text]; n > 1 {
			out[i] = fmt.Sprintf("%d times: %s", n, text)
		}
	}
	return out
}

// byRule are the statuses that a healthy server answers the load with.
var byRule = []int{200, 201, 204, 207, 403, 404, 409, 412}

// numberInUse is the refusal of a number that somebody has.
const numberInUse = "number_in_use"

// judge holds an answer against the limits and the statuses of SCIM and the API.
func (w *witness) judge(what string, a answer, retry string, err error, took time.Duration) {
	w.judgeBy(byRule, what, a, retry, err, took)
}

func (w *witness) judgeBy(rule []int, what string, a answer, retry string, err error, took time.Duration) {
	w.mu.Lock()
	w.took = append(w.took, took)
	w.longest[what] = max(w.longest[what], took)
	w.counts[a.status]++
	w.mu.Unlock()
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		w.violation("%s: no answer within %s", what, w.hang)
	case err != nil && w.cuts:
	case err != nil:
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // without the address, so that the same fault is counted
		}
		w.violation("%s: %v", what, err)
	case a.status == http.StatusServiceUnavailable && retry != "" && !w.none:
	case a.status == http.StatusBadRequest && a.code == numberInUse:
	case !slices.Contains(rule, a.status):
		w.violation("%s: answer %d (Retry-After %q) %.300s", what, a.status, retry, a.body)
	}
}

// slowest gives the 99th percentile and the longest time of the answers.
func (w *witness) slowest() (p99, longest time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.took) == 0 {
		return 0, 0
	}
	all := slices.Clone(w.took)
	slices.Sort(all)
	return all[len(all)*99/100], all[len(all)-1]
}

// slow lists what took longest, for who looks why.
func (w *witness) slow() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := slices.SortedFunc(maps.Keys(w.longest), func(a, b string) int { return cmp.Compare(w.longest[b], w.longest[a]) })
	text := ""
	for _, what := range list[:min(len(list), 5)] {
		text += fmt.Sprintf("; %s %s", what, w.longest[what].Round(time.Millisecond))
	}
	return text
}

// abort is a context in which the client gives up: what comes of the request is
// nobody's fault.
type abort struct{}

// send sends a request to a node of the site and judges the answer.
func (r *run) send(ctx context.Context, client int, method, path, token, body string, headers ...string) answer {
	given, _ := ctx.Value(abort{}).(bool)
	ctx, cancel := context.WithTimeout(ctx, r.hang)
	defer cancel()
	at := r.pick(client)
	req, err := http.NewRequestWithContext(ctx, method, "http://"+at.addr+path, strings.NewReader(body))
	if err != nil {
		r.violation("%v", err)
		return answer{}
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
		if strings.HasPrefix(path, "/orgs/") {
			req.Header.Set("Content-Type", "application/scim+json")
		}
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	began := time.Now()
	resp, err := r.http.Do(req)
	a := answer{sent: !errors.Is(err, syscall.ECONNREFUSED)}
	retry := ""
	if err == nil {
		a.status, a.etag, a.code, retry = resp.StatusCode, resp.Header.Get("ETag"), resp.Header.Get("Usher-Error-Code"), resp.Header.Get("Retry-After")
		a.body, err = io.ReadAll(resp.Body)
		_ = resp.Body.Close() // what matters has been read by then
		if err != nil {
			a.status = 0
		}
	}
	if !given {
		what, _, _ := strings.Cut(path[strings.LastIndex(path, "/v")+1:], "?")
		r.judge(method+" "+plain(what), a, retry, err, time.Since(began))
	}
	return a
}

// plain leaves the id out of a path, so that the same fault is counted and not
// listed.
func plain(path string) string {
	parts := strings.Split(path, "/")
	if len(parts) > 2 && len(parts[2]) > 8 {
		parts[2] = "{id}"
	}
	return strings.Join(parts, "/")
}

// trim makes a text fit for one line.
func trim(b []byte) string { return string(bytes.TrimSpace(b[:min(len(b), 300)])) }
