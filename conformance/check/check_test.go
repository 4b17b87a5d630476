package check

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"encoding/xml"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/usher-scim/usher/internal/jsontree"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func configFor(t *testing.T, url, only string) Config {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return Config{
		URL: url, Token: "secret-token-of-the-test", Only: only, Parallel: 2, Timeout: 10 * time.Second,
		HTTP: transport, Agent: "test", Rand: rand.Reader, Now: time.Now,
	}
}

func run(t *testing.T, cfg Config) *Report {
	t.Helper()
	report, err := Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

var source = regexp.MustCompile(`^(R|ENT|OKT|OLG|JCL|PNG|AUT|KCK|SPT|RIP|CYB|GWS|GCI|L|S|T|BR)-\d+$`)

// TestList: every check has a name of its own, a title and a source.
func TestList(t *testing.T) {
	all := All()
	if len(all) < 250 {
		t.Errorf("%d checks, want at least 250", len(all))
	}
	id := regexp.MustCompile(`^[a-z]+/[a-z0-9-]+$`)
	seen := map[string]bool{}
	for _, k := range all {
		if seen[k.ID] || !id.MatchString(k.ID) || k.Title == "" || len(k.Sources) == 0 || k.run == nil {
			t.Errorf("the check %q is there twice or not whole: %+v", k.ID, k.Sources)
		}
		seen[k.ID] = true
		for _, s := range k.Sources {
			if !source.MatchString(s) {
				t.Errorf("%s: %q is no source", k.ID, s)
			}
		}
	}
}

// TestRequirements: every requirement that can be seen from outside has a check.
func TestRequirements(t *testing.T) {
	cited := map[string]bool{}
	for _, k := range All() {
		for _, s := range k.Sources {
			cited[s] = true
		}
	}
	// Not to be seen by a client with one token: policy of access to discovery,
	// TLS, other tenants, limits (45, 124, 129, 130), sessions and logs (145, 146).
	// Not asked for: events and devices (138 to 142).
	unseen := []int{45, 124, 129, 130, 138, 139, 140, 141, 142, 145, 146}
	for n := 1; n <= 147; n++ {
		if name := "R-" + strconv.Itoa(n); !cited[name] && !slices.Contains(unseen, n) {
			t.Errorf("no check cites %s", name)
		}
	}
}

// TestLosses: each loss is seen by the check of its name, and by no other.
func TestLosses(t *testing.T) {
	var names []string
	for _, k := range lossChecks() {
		names = append(names, strings.TrimPrefix(k.ID, "loss/"))
	}
	if len(names) != 8 {
		t.Fatalf("%d named losses, want 8: %v", len(names), names)
	}
	for _, cursor := range []bool{false, true} {
		for _, fault := range append([]string{""}, names...) {
			f := &faulty{fault: fault, cursor: cursor, token: "secret-token-of-the-test"}
			cfg := configFor(t, f.start(t), "^loss/")
			cfg.Profile = "entra"
			for _, r := range run(t, cfg).Results {
				want := Passed
				if r.ID == "loss/"+fault {
					want = Failed
				}
				if r.Status != want {
					t.Errorf("fault %q, cursor %v: %s %s, want %s: %s", fault, cursor, r.ID, r.Status, want, r.Reason)
				}
				if r.Status == Failed && (len(r.Exchanges) == 0 || r.Exchanges[0].URL == "" || r.Exchanges[0].Status == 0) {
					t.Errorf("%s does not tell what was sent and received: %+v", r.ID, r.Exchanges)
				}
			}
			if len(f.all) > 0 {
				t.Errorf("fault %q: %d resources are left", fault, len(f.all))
			}
		}
	}
}

// TestExchanges: a failure carries the requests and answers, never the token.
func TestExchanges(t *testing.T) {
	f := &faulty{fault: "replace-members-ignored", token: "secret-token-of-the-test"}
	report := run(t, configFor(t, f.start(t), "loss/replace-members-ignored"))
	var text, js, junit bytes.Buffer
	if err := errors.Join(report.WriteText(&text), report.WriteJSON(&js), report.WriteJUnit(&junit)); err != nil {
		t.Fatal(err)
	}
	for name, out := range map[string]string{"text": text.String(), "json": js.String(), "junit": junit.String()} {
		for _, want := range []string{"loss/replace-members-ignored", "PATCH", "/Groups/", "R-102", "members"} {
			if name == "junit" && strings.HasPrefix(want, "loss/") {
				want = "replace-members-ignored"
			}
			if !strings.Contains(out, want) {
				t.Errorf("%s lacks %q:\n%s", name, want, out)
			}
		}
		if strings.Contains(out, "secret-token") {
			t.Errorf("%s shows the token", name)
		}
	}
	s := (&runner{Config: Config{Token: "a/b+c"}}).session(t.Context(), "p")
	if got := s.hide("x a/b+c y a%2Fb%2Bc z"); got != "x ••• y ••• z" {
		t.Errorf("the token is hidden as %q", got)
	}
	if !strings.HasSuffix(text.String(), "\n0 passed, 1 failed\n") {
		t.Errorf("the last line is wrong:\n%s", text.String())
	}
	var back Report
	if err := json.Unmarshal(js.Bytes(), &back); err != nil || back.Failed != 1 || back.Results[0].Reason == "" {
		t.Errorf("json: %v %+v", err, back)
	}
	var suite junitSuite
	if err := xml.Unmarshal(junit.Bytes(), &suite); err != nil || suite.Failures != 1 || suite.Cases[0].Failure == nil {
		t.Errorf("junit: %v %+v", err, suite)
	}
}

// TestSkips: what is not announced is skipped and says why.
func TestSkips(t *testing.T) {
	f := &faulty{noBulk: true}
	report := run(t, configFor(t, f.start(t), "loss/mutual-bulkid-refused,etag/header,entra/several,cursor/walk"))
	want := map[string]Reason{
		"loss/mutual-bulkid-refused": NoBulk, "etag/header": NoETag, "entra/several": OtherProfile + "entra, generic", "cursor/walk": NoCursor,
	}
	for _, r := range report.Results {
		if r.Status != Skipped || r.Reason != string(want[r.ID]) {
			t.Errorf("%s: %s %q, want skipped %q", r.ID, r.Status, r.Reason, want[r.ID])
		}
	}
	if report.Skipped != 4 || report.Passed != 0 {
		t.Errorf("%d skipped, %d passed", report.Skipped, report.Passed)
	}
}

// TestCleanUp: what cannot be deleted is reported; an interrupted run deletes
// what it has made all the same.
func TestCleanUp(t *testing.T) {
	f := &faulty{refuse: 1}
	report := run(t, configFor(t, f.start(t), "loss/capital-add-ignored"))
	if len(report.Leftovers) != 2 {
		t.Errorf("leftovers %v, want a user and a group", report.Leftovers)
	}
	f = &faulty{}
	cfg := configFor(t, f.start(t), "^loss/")
	ctx, stop := context.WithCancel(t.Context())
	cfg.Parallel = 1
	cfg.Progress = func(done, _ int, _ Result) {
		if done == 2 {
			stop()
		}
	}
	report, err := Run(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.all) > 0 || report.Skipped != 6 || report.Failed > 0 || report.Results[7].Reason != string(OutOfTime) {
		t.Errorf("after the interrupt %d resources are left, %d skipped, %d failed", len(f.all), report.Skipped, report.Failed)
	}
}

// TestInterruptedRequest: what a request has made whose answer never came is
// found by its prefix and deleted.
func TestInterruptedRequest(t *testing.T) {
	f := &faulty{}
	cfg := configFor(t, f.start(t), "loss/false-stored-as-text")
	ctx, stop := context.WithCancel(t.Context())
	cfg.HTTP = tripper(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodPost {
			resp, err := http.DefaultTransport.RoundTrip(r.WithContext(context.WithoutCancel(r.Context())))
			if err == nil {
				stop()
				err = errors.Join(resp.Body.Close(), context.Canceled)
			}
			return nil, err
		}
		return http.DefaultTransport.RoundTrip(r)
	})
	t.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections)
	report, err := Run(ctx, cfg)
	if err != nil || report.Failed > 0 || f.last == 0 || len(f.all) > 0 {
		t.Errorf("%d made, %d left, %v, %+v", f.last, len(f.all), err, report)
	}
}

type tripper func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestBusy: 429 is waited for and the request sent again.
func TestBusy(t *testing.T) {
	f := &faulty{busy: 1}
	report := run(t, configFor(t, f.start(t), "loss/false-stored-as-text"))
	if report.Waits != 1 || report.Passed != 1 {
		t.Errorf("%d waits, %d passed; want one of each", report.Waits, report.Passed)
	}
}

func TestNoServer(t *testing.T) {
	f := &faulty{token: "another"}
	if _, err := Run(t.Context(), configFor(t, f.start(t), "")); !errors.Is(err, ErrRefused) {
		t.Errorf("a refused token: %v", err)
	}
	if _, err := Run(t.Context(), configFor(t, "http://127.0.0.1:1/scim/v2", "")); !errors.Is(err, ErrUnreachable) {
		t.Errorf("no server: %v", err)
	}
	for _, bad := range []Config{{URL: "nonsense"}, {URL: "http://x", Profile: "nonsense"}} {
		if _, err := newRunner(bad); err == nil {
			t.Errorf("%+v is accepted", bad)
		}
	}
}

func TestSelect(t *testing.T) {
	for only, want := range map[string]int{"": len(All()), "loss/false-stored-as-text": 1, "create/user, create/group": 2, "^loss/": 8} {
		if got, err := Select(All(), only); err != nil || len(got) != want {
			t.Errorf("%q: %d checks and %v, want %d", only, len(got), err, want)
		}
	}
	for _, only := range []string{"nonsense/check", "(", "create/user,nonsense"} {
		if got, err := Select(All(), only); err == nil {
			t.Errorf("%q gives %d checks", only, len(got))
		}
	}
}

// TestSame: what an expectation takes for equal.
func TestSame(t *testing.T) {
	const doc = `{"a":"x","n":7,"b":true,"s":"true","z":null,"l":[{"type":"work","value":1},{"type":"home","value":2}],
		"urn:x:2.0:User":{"dept":"d","m":{"value":"v"}},"o":{"in":{}}}`
	v, err := jsontree.Parse([]byte(doc), jsontree.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		path string
		want any
		same bool
	}{
		{"a", "x", true},
		{"A", "x", true},
		{"a", "y", false},
		{"n", 7, true},
		{"n", "7", false},
		{"b", true, true},
		{"s", true, false},
		{"z", nil, true},
		{"nothing", nil, true},
		{"o", nil, true},
		{"a", nil, false},
		{"a", anything{}, true},
		{"z", anything{}, false},
		{"l[work].value", 1, true},
		{"l[1].type", "home", true},
		{"l[other].value", nil, true},
		{"urn:x:2.0:User:dept", "d", true},
		{"urn:x:2.0:User:m.value", "v", true},
		{"urn:x:2.0:User", obj{"dept": "d"}, true},
		{"l", list{obj{"value": 2}, obj{"value": 1}}, true},
		{"l", list{obj{"value": 2}}, false},
		{"l", contains{obj{"value": 2}}, true},
		{"l", contains{obj{"value": 3}}, false},
		{"l", list{obj{"value": 1}, obj{"value": 1}}, false},
	} {
		if why := same(find(&v, row.path), row.want); (why == "") != row.same {
			t.Errorf("%s against %v: %q, want same %v", row.path, row.want, why, row.same)
		}
	}
}

// TestGrounds: bodies for resource types and extensions nobody has heard of.
func TestGrounds(t *testing.T) {
	const schemas = `[{"id":"urn:x:Device","attributes":[
		{"name":"serial","type":"string","required":true,"mutability":"immutable","returned":"always"},
		{"name":"slots","type":"integer","multiValued":true,"mutability":"readWrite","returned":"default"},
		{"name":"place","type":"complex","mutability":"readWrite","returned":"default","subAttributes":[{"name":"room","type":"string","mutability":"readWrite","returned":"default"}]},
		{"name":"seen","type":"dateTime","mutability":"readOnly","returned":"default"}]},
		{"id":"urn:x:Tag","attributes":[{"name":"kind","type":"string","required":true,"mutability":"readWrite","returned":"default","canonicalValues":["red","blue"]}]}]`
	v, err := jsontree.Parse([]byte(schemas), jsontree.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	k := &announced{schemas: v.Items, types: []resourceType{{name: "Device", endpoint: "/Devices", schema: "urn:x:Device", extensions: []extension{{"urn:x:Tag", true}}}}}
	s := (&runner{known: k}).session(t.Context(), "p")
	all := grounds(k, "type")
	if len(all) != 1 || len(grounds(k, "core"))+len(grounds(k, "extension")) > 0 {
		t.Fatalf("grounds %+v", all)
	}
	var paths []string
	body := s.start(all[0].t)
	for _, f := range all[0].fields {
		paths = append(paths, f.full())
		set(body, f, s.value(f, 1))
	}
	if want := []string{"slots", "place.room", "urn:x:Tag:kind"}; !slices.Equal(paths, want) {
		t.Errorf("fields %v, want %v", paths, want)
	}
	raw, err := encode(body)
	if err != nil {
		t.Fatal(err)
	}
	got, err := jsontree.Parse(raw, jsontree.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := obj{"schemas": contains{"urn:x:Device", "urn:x:Tag"}, "serial": anything{}, "slots": list{4131}, "place": obj{"room": anything{}}, "urn:x:Tag": obj{"kind": "blue"}, "seen": nil}
	if why := same(&got, want); why != "" {
		t.Errorf("%s: %s", why, raw)
	}
}
