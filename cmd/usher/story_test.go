package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// TestStories plays the scripts of testdata/story against a live server, on the
// embedded store and on a real Redis.
func TestStories(t *testing.T) {
	for _, store := range []string{"embedded", "redis"} {
		t.Run(store, func(t *testing.T) {
			address := ""
			if store == "redis" {
				address = redistest.Start(t)
			}
			args := []string{}
			if address != "" {
				args = append(args, "--redis", address)
			}
			s := &story{t: t, node: start(t, nil, args...), redis: address, tokens: map[string]string{}}
			testscript.Run(t, testscript.Params{
				Dir:       "testdata/story",
				Condition: func(cond string) (bool, error) { return cond == store, nil },
				Setup:     func(env *testscript.Env) error { env.Setenv("REDIS", address); return nil },
				Cmds: map[string]func(*testscript.TestScript, bool, []string){
					"usher": s.usher, "as": s.as, "until": s.until, "count": s.count, "tokenfor": s.token, "scim": s.scim,
					"provider": s.provider, "line": s.line, "leavers": s.leavers, "seated": s.seated, "openalert": s.alert, "audit": s.audit,
					"redis": s.do, "orgid": s.org,
				},
			})
		})
	}
}

// story is a server with the commands that scripts use beside those of
// testscript.
type story struct {
	t      *testing.T
	node   *node
	redis  string
	tokens map[string]string // by first scope

	users   []string // whom the provider pushed
	waiting []string // who waited, in line
}

// run runs usher in this process, against the server unless a token says more.
func (s *story) run(token string, args []string) result {
	var stdout, stderr output
	env := map[string]string{"USHER_API_URL": s.node.APIURL, "USHER_API_TOKEN": token}
	p := &program{env: env, stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr}
	code := p.run(s.t.Context(), args)
	return result{code, stdout.String(), stderr.String()}
}

func (s *story) print(ts *testscript.TestScript, neg bool, r result) {
	_, err := io.WriteString(ts.Stdout(), r.stdout)
	ts.Check(err)
	_, err = io.WriteString(ts.Stderr(), r.stderr)
	ts.Check(err)
	if neg != (r.code != 0) {
		ts.Fatalf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

// usher ARGS… runs a command with the operator's token.
func (s *story) usher(ts *testscript.TestScript, neg bool, args []string) {
	s.print(ts, neg, s.run(s.node.APIToken, args))
}

// as reader usher ARGS… runs a command with a token of a read-only administrator.
func (s *story) as(ts *testscript.TestScript, neg bool, args []string) {
	s.print(ts, neg, s.run(s.tokens["admin:read"], args[2:]))
}

// until PATTERN usher ARGS… runs a command until its output matches.
func (s *story) until(ts *testscript.TestScript, _ bool, args []string) {
	want := regexp.MustCompile(args[0])
	var r result
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if r = s.run(s.node.APIToken, args[2:]); r.code == 0 && want.MatchString(r.stdout) {
			s.print(ts, false, r)
			return
		}
	}
	ts.Fatalf("never matched %q:\n%s%s", args[0], r.stdout, r.stderr)
}

// count TEXT N counts a text in the last output.
func (s *story) count(ts *testscript.TestScript, _ bool, args []string) {
	if n := strings.Count(ts.ReadFile("stdout"), args[0]); strconv.Itoa(n) != args[1] {
		ts.Fatalf("%d times %q, want %s:\n%s", n, args[0], args[1], ts.ReadFile("stdout"))
	}
}

// tokenfor SLUG SCOPE makes a token.
func (s *story) token(ts *testscript.TestScript, _ bool, args []string) {
	r := s.run(s.node.APIToken, []string{"token", "create", args[0], "--scopes", args[1]})
	if r.code != 0 {
		ts.Fatalf("%s", r.stderr)
	}
	s.tokens[args[1]] = strings.TrimSpace(r.stdout)
}

// ask sends a SCIM request of the provider.
func (s *story) ask(method, path string, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.node.root()+"/orgs/acme/scim/v2"+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+s.tokens["scim"])
	req.Header.Set("Content-Type", "application/scim+json")
	resp, err := browser().Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

// scim METHOD PATH [FILE] sends a request of the provider.
func (s *story) scim(ts *testscript.TestScript, neg bool, args []string) {
	var body []byte
	if len(args) > 2 {
		body = []byte(ts.ReadFile(args[2]))
	}
	status, answer, err := s.ask(args[0], args[1], body)
	ts.Check(err)
	_, err = ts.Stdout().Write(answer)
	ts.Check(err)
	if neg != (status >= 300) {
		ts.Fatalf("status %d: %s", status, answer)
	}
}

// made sends a POST that must create something and gives its id.
func (s *story) made(path, body string) (string, error) {
	status, answer, err := s.ask(http.MethodPost, path, []byte(body))
	if err != nil {
		return "", err
	}
	var out struct{ ID string }
	if err := json.Unmarshal(answer, &out); err != nil || status != http.StatusCreated {
		return "", fmt.Errorf("status %d: %s", status, answer)
	}
	return out.ID, nil
}

// provider N SKU plays an identity provider: a group that gives SKU, and N
// people, many at once, each then put into the group. GROUP is the group's id.
func (s *story) provider(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	group, err := s.made("/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group","`+resources.LicenceGroupURN+`"],"displayName":"Sales","`+resources.LicenceGroupURN+`":{"licenses":["`+args[1]+`"]}}`)
	ts.Check(err)
	ts.Setenv("GROUP", group)
	s.users = make([]string, n)
	faults := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { s.users[i], faults[i] = s.join(group, i) })
	}
	all.Wait()
	for _, err := range faults {
		ts.Check(err)
	}
}

func (s *story) join(group string, i int) (string, error) {
	name := fmt.Sprintf("p%02d@acme.example", i)
	id, err := s.made("/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"`+name+`","emails":[{"value":"`+name+`","primary":true}]}`)
	if err != nil {
		return "", err
	}
	status, answer, err := s.ask(http.MethodPatch, "/Groups/"+group, []byte(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"members","value":[{"value":"`+id+`"}]}]}`))
	if err == nil && status >= 300 {
		err = fmt.Errorf("join: status %d: %s", status, answer)
	}
	return id, err
}

// api reads JSON from the REST API with the operator's token.
func (s *story) api(ts *testscript.TestScript, path string, out any) {
	reply, body := get(s.t, s.node.root()+"/api/v1/orgs/acme"+path, s.node.APIToken)
	if reply.StatusCode != http.StatusOK {
		ts.Fatalf("%s: status %d: %s", path, reply.StatusCode, body)
	}
	ts.Check(json.Unmarshal([]byte(body), out))
}

// licence is one product of a user as the API explains it.
type licence struct {
	SKU, Status, Subscription string
	Position                  int
	Reasons                   []string
}

func (s *story) licence(ts *testscript.TestScript, user, sku string) licence {
	var all struct{ Licences []licence }
	s.api(ts, "/users/"+user+"/licences", &all)
	for _, l := range all.Licences {
		if l.SKU == sku {
			return l
		}
	}
	return licence{}
}

// line SKU notes who waits, in order. FIRST is who waits longest.
func (s *story) line(ts *testscript.TestScript, _ bool, args []string) {
	at := map[string]int{}
	for _, u := range s.users {
		if l := s.licence(ts, u, args[0]); l.Status == "error" {
			if l.Position == 0 || len(l.Reasons) == 0 {
				ts.Fatalf("%s waits without a place in line or a reason: %+v", u, l)
			}
			at[u] = l.Position
			s.waiting = append(s.waiting, u)
		}
	}
	slices.SortFunc(s.waiting, func(a, b string) int { return at[a] - at[b] })
	for i, u := range s.waiting {
		if at[u] != i+1 {
			ts.Fatalf("places in line are %v", at)
		}
	}
	ts.Setenv("FIRST", s.waiting[0])
}

// leavers N SKU deletes N people who have a seat.
func (s *story) leavers(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	for _, u := range s.users {
		if n == 0 {
			return
		}
		if s.licence(ts, u, args[1]).Status != "assigned" {
			continue
		}
		status, answer, err := s.ask(http.MethodDelete, "/Users/"+u, nil)
		ts.Check(err)
		if status != http.StatusNoContent {
			ts.Fatalf("delete: status %d: %s", status, answer)
		}
		n--
	}
}

// seated N checks that the first N of the line have a seat and the others wait.
func (s *story) seated(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	for i, u := range s.waiting {
		l := s.licence(ts, u, "gold")
		if want := map[bool]string{true: "assigned", false: "error"}[i < n]; l.Status != want {
			ts.Fatalf("number %d of the line is %+v, want %s", i+1, l, want)
		}
	}
}

// openalert KIND finds the open alert of a kind as ALERT.
func (s *story) alert(ts *testscript.TestScript, _ bool, args []string) {
	var all struct{ Items []struct{ ID string } }
	s.api(ts, "/alerts?state=open&kind="+url.QueryEscape(args[0]), &all)
	if len(all.Items) != 1 {
		ts.Fatalf("%d open alerts of kind %s", len(all.Items), args[0])
	}
	ts.Setenv("ALERT", all.Items[0].ID)
}

// redis COMMAND… sends a command to the store.
func (s *story) do(ts *testscript.TestScript, _ bool, args []string) {
	opt, err := redis.ParseURL(s.redis)
	ts.Check(err)
	c := redis.NewClient(opt)
	defer func() { ts.Check(c.Close()) }()
	words := make([]any, len(args))
	for i, a := range args {
		words[i] = a
	}
	ts.Check(c.Do(s.t.Context(), words...).Err())
}

// orgid SLUG finds the id of an organization as ORG.
func (s *story) org(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.WithoutCancel(s.t.Context())
	opt, err := redis.ParseURL(s.redis)
	ts.Check(err)
	c := redis.NewClient(opt)
	defer func() { ts.Check(c.Close()) }()
	id, err := c.HGet(ctx, "on:{platform}", args[0]).Result()
	ts.Check(err)
	ts.Setenv("ORG", id)
}

// audit recounts: used and waiting seats by the users' own records, and on a real
// Redis every index, link, claim, pool and line with the records.
func (s *story) audit(ts *testscript.TestScript, _ bool, _ []string) {
	var usage struct {
		Items []struct {
			SKU           string
			Used, Waiting int
		}
	}
	s.api(ts, "/licences", &usage)
	for _, u := range usage.Items {
		for status, want := range map[string]int{"assigned": u.Used, "error": u.Waiting} {
			var users struct{ Items []struct{ ID string } }
			s.api(ts, "/users?limit=200&licence="+u.SKU+"&status="+status, &users)
			if len(users.Items) != want {
				ts.Fatalf("%s: %d users are %s, the figures say %d", u.SKU, len(users.Items), status, want)
			}
		}
	}
	if s.redis == "" {
		return
	}
	ctx := context.WithoutCancel(s.t.Context())
	store, err := backend.Open(ctx, backend.Config{URL: s.redis, Now: time.Now, Rand: rand.Reader, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))})
	ts.Check(err)
	defer func() { ts.Check(store.Close()) }()
	org, err := store.Named(ctx, resources.PlatformOrg, resources.OrgSlug, "acme")
	ts.Check(err)
	faults, err := store.Audit(ctx, resources.OrgID(org), nil)
	ts.Check(err)
	for _, f := range faults {
		ts.Logf("audit: %s", f)
	}
	if len(faults) > 0 {
		ts.Fatalf("%d faults", len(faults))
	}
}
