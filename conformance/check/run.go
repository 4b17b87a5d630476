package check

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Config says what to check and how.
type Config struct {
	URL      string // the SCIM root; its query, if any, goes with every request (L-29)
	Token    string // bearer token
	Profile  string // one of Profiles; "" means rfc
	Only     string // see Select
	Parallel int    // checks at a time; less than 1 means 1
	Timeout  time.Duration
	HTTP     http.RoundTripper
	Agent    string // User-Agent
	Rand     io.Reader
	Now      func() time.Time
	// Progress is called after each check, one call at a time; it may be nil.
	Progress func(done, total int, r Result)
}

// ErrUnreachable means that the server gave no answer at all.
var ErrUnreachable = errors.New("the server cannot be reached")

// ErrRefused means that the server does not accept the token.
var ErrRefused = errors.New("the server does not accept the token")

// cleanTime bounds the clean-up of one check, and of the whole run once more.
const cleanTime = 30 * time.Second

// runner is one run.
type runner struct {
	Config
	base   string // without a slash at the end
	query  string
	prefix string
	known  *announced
	client *http.Client

	requests, waits atomic.Int64

	mu        sync.Mutex
	leftovers []string
}

// Run checks a server. The report is complete unless err is not nil; when ctx
// ends, checks that did not run are skipped and the clean-up still happens.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	r, err := newRunner(cfg)
	if err != nil {
		return nil, err
	}
	checks, err := Select(All(), cfg.Only)
	if err != nil {
		return nil, err
	}
	began := r.Now()
	if err := r.discover(ctx); err != nil {
		return nil, err
	}
	results := r.all(ctx, checks)
	r.sweep(context.WithoutCancel(ctx))
	out := &Report{
		URL: r.base, Profile: r.Profile, Prefix: r.prefix, Started: began.UTC(), Millis: r.Now().Sub(began).Milliseconds(),
		Requests: r.requests.Load(), Waits: r.waits.Load(), Leftovers: r.leftovers, Results: results,
	}
	for i := range results {
		switch results[i].Status {
		case Passed:
			out.Passed++
		case Failed:
			out.Failed++
		case Skipped:
			out.Skipped++
		}
	}
	return out, nil
}

func newRunner(cfg Config) (*runner, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("%q is not the address of a SCIM server; give a URL such as https://id.example.com/scim/v2", cfg.URL)
	}
	if cfg.Profile == "" {
		cfg.Profile = "rfc"
	}
	if !slices.Contains(profiles[:], cfg.Profile) {
		return nil, fmt.Errorf("the profile %q is not known; use one of %s", cfg.Profile, strings.Join(profiles[:], ", "))
	}
	var random [4]byte
	if _, err := io.ReadFull(cfg.Rand, random[:]); err != nil {
		return nil, fmt.Errorf("read randomness: %w", err)
	}
	r := &runner{Config: cfg, query: u.RawQuery, prefix: "chk" + hex.EncodeToString(random[:])}
	u.RawQuery, u.Fragment = "", ""
	r.base = strings.TrimRight(u.String(), "/")
	r.client = &http.Client{
		Transport: cfg.HTTP,
		// A redirect could take the token somewhere else, and is an answer to look at.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return r, nil
}

// all runs the checks, Parallel at a time.
func (r *runner) all(ctx context.Context, checks []Check) []Result {
	results := make([]Result, len(checks))
	next := make(chan int)
	var workers sync.WaitGroup
	done := 0
	for range max(1, r.Parallel) {
		workers.Go(func() {
			for i := range next {
				results[i] = r.one(ctx, i, &checks[i])
				if r.Progress != nil {
					r.mu.Lock()
					done++
					r.Progress(done, len(checks), results[i])
					r.mu.Unlock()
				}
			}
		})
	}
	for i := range checks {
		next <- i
	}
	close(next)
	workers.Wait()
	return results
}

// one runs a check in a session of its own and deletes what it made.
func (r *runner) one(ctx context.Context, number int, k *Check) Result {
	began := r.Now()
	s := r.session(ctx, fmt.Sprintf("%s-%03d", r.prefix, number))
	if ctx.Err() != nil {
		s.skip(OutOfTime)
	}
	for _, missing := range k.needs {
		if why := missing(r.known); why != "" {
			s.skip(why)
		}
	}
	if s.ok() {
		k.run(s)
	}
	if s.status == Failed && ctx.Err() != nil { // what failed is the interrupted request
		s.status, s.reason = Skipped, string(OutOfTime)
	}
	out := Result{
		ID: k.ID, Title: k.Title, Sources: k.Sources, Status: s.status, Reason: s.reason,
		Note: strings.Join(s.notes, "; "), Millis: r.Now().Sub(began).Milliseconds(),
	}
	if s.status == Failed {
		out.Exchanges = s.exchanges
	}
	s.cleanUp(context.WithoutCancel(ctx))
	return out
}

// sweep looks once more for what carries the prefix of this run: a request that
// was interrupted may have made something nobody was told of.
func (r *runner) sweep(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, cleanTime)
	defer cancel()
	s := r.session(ctx, r.prefix)
	s.made = append(s.made, r.leftovers...)
	r.leftovers = []string{}
	if noFilter(r.known) == "" {
		for endpoint, name := range map[string]string{"/Users": "userName", "/Groups": "displayName"} {
			a := s.get(endpoint, "filter", name+` sw "`+r.prefix+`"`, "count", "200")
			for _, found := range a.at("Resources").Items {
				if id := found.GetString("id"); id != "" && strings.HasPrefix(found.GetString(name), r.prefix) {
					s.made = append(s.made, r.base+endpoint+"/"+url.PathEscape(id))
				}
			}
		}
	}
	s.cleanUp(ctx)
}
