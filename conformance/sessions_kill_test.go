package conformance_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/conformance"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// usher is a running process of the real binary.
type usher struct {
	cmd  *exec.Cmd
	done chan struct{}
	log  *bytes.Buffer // read after done only

	Listen    string `json:"listen"`
	SCIMToken string `json:"scim_token"`
}

func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "usher")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "../cmd/usher").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return bin
}

// serve starts the binary on a free port over the Redis at url and waits until
// it is ready.
func serve(t *testing.T, bin, url string) *usher {
	t.Helper()
	ready := filepath.Join(t.TempDir(), "ready.json")
	u := &usher{done: make(chan struct{}), log: &bytes.Buffer{}}
	u.cmd = exec.Command(bin, "serve", "--listen", "127.0.0.1:0", "--metrics-listen", "off", "--ready-file", ready, "--log-level", "warn")
	u.cmd.Env = append(os.Environ(), "USHER_REDIS_URL="+url, "USHER_LIMITS_RATE=100000", "USHER_LIMITS_BURST=100000")
	u.cmd.Stdout, u.cmd.Stderr = u.log, u.log
	if err := u.cmd.Start(); err != nil {
		t.Fatalf("start: %v", err)
	}
	go func() {
		defer close(u.done)
		if err := u.cmd.Wait(); err != nil {
			fmt.Fprintf(u.log, "ended: %v\n", err)
		}
	}()
	t.Cleanup(u.kill)
	for range 500 {
		if text, err := os.ReadFile(ready); err == nil {
			if err := json.Unmarshal(text, u); err != nil {
				t.Fatalf("ready file: %v", err)
			}
			return u
		}
		select {
		case <-u.done:
			t.Fatalf("usher ended before it was ready:\n%s", u.log)
		case <-time.After(20 * time.Millisecond):
		}
	}
	t.Fatal("usher is not ready after 10 seconds")
	return nil
}

// kill ends the process as the kernel would when memory is short.
func (u *usher) kill() {
	_ = u.cmd.Process.Kill() // it fails only when the process is gone
	<-u.done
}

// ledger is what the server acknowledged.
type ledger struct {
	mu      sync.Mutex
	users   map[string]string // userName to id
	members map[string]bool   // ids that were acknowledged as members of the group
}

func (l *ledger) note(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

// importUsers creates users number 0…n-1 and adds each to the group. It stops
// without a fault when the server goes away. acknowledged is called after each.
func importUsers(t *testing.T, o *org, l *ledger, n int, group string, acknowledged func()) {
	const workers = 8
	together(workers, func(w int) {
		for i := w; i < n; i += workers {
			name := fmt.Sprintf("import-%05d@kill.example", i)
			r, err := o.call(t.Context(), "POST", "/Users", userNamed(name))
			if err != nil {
				return
			}
			var v struct {
				ID string `json:"id"`
			}
			switch r.Status {
			case 201:
				if err := json.Unmarshal([]byte(r.Body), &v); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				l.note(func() {
					if l.users[name] != "" {
						t.Errorf("%s was created twice", name)
					}
					l.users[name] = v.ID
				})
			case 409: // it is there: who repeats an import looks it up and goes on
				if v.ID = o.find(t, name); v.ID == "" {
					return
				}
			default:
				t.Errorf("%s: %d %s", name, r.Status, r.Body)
				return
			}
			body := fmt.Sprintf(patchBody, `{"op":"add","path":"members","value":[{"value":"`+v.ID+`"}]}`)
			if r, err = o.call(t.Context(), "PATCH", "/Groups/"+group, body); err != nil {
				return
			}
			if r.Status != 200 && r.Status != 204 {
				t.Errorf("add %s: %d %s", name, r.Status, r.Body)
			}
			l.note(func() { l.members[v.ID] = true })
			acknowledged()
		}
	})
}

// find gives the id behind a userName; "" when the server is gone.
func (o *org) find(t *testing.T, name string) string {
	r, err := o.call(t.Context(), "GET", `/Users?filter=userName+eq+"`+name+`"`, "")
	if err != nil {
		return ""
	}
	var l listBody
	if err := json.Unmarshal([]byte(r.Body), &l); err != nil || len(l.Resources) != 1 {
		t.Errorf("%s: 409, but the look-up gives %d %s", name, r.Status, r.Body)
		return ""
	}
	return l.Resources[0].ID
}

// TestKillDuringImport kills the process in the middle of an import, twice,
// starts it again and repeats the import from the start: every acknowledged
// write is there, nothing twice, and the indexes agree with the records.
func TestKillDuringImport(t *testing.T) {
	n := 2_000
	if os.Getenv("CI") != "" {
		n = 10_000
	}
	bin, url := build(t), redistest.Start(t)
	l := &ledger{users: map[string]string{}, members: map[string]bool{}}
	u := serve(t, bin, url)
	token := u.SCIMToken
	o := &org{Slug: "demo", Client: conformance.Client{Token: token, HTTP: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}, Timeout: time.Minute}}}
	at := func(u *usher) { o.Client.BaseURL = "http://" + u.Listen + "/orgs/demo/scim/v2" }
	at(u)
	group := o.newGroup(t, "imported")
	for _, part := range []int{n / 3, n / 2} {
		var count atomic.Int64
		importUsers(t, o, l, n, group, func() {
			if count.Add(1) == int64(part) {
				u.kill()
			}
		})
		if got := int(count.Load()); got >= n || t.Failed() {
			t.Fatalf("the process was to end after %d users, but %d were imported", part, got)
		}
		o.Client.HTTP.CloseIdleConnections()
		u = serve(t, bin, url)
		at(u)
		o.holds(t, l, group)
	}
	importUsers(t, o, l, n, group, func() {})
	o.holds(t, l, group)
	if members := o.membersOf(t, group); len(members) != n {
		t.Errorf("%d members, want %d", len(members), n)
	}
	if total := o.list(t, "/Users?count=0").TotalResults; total != n {
		t.Errorf("%d users, want %d", total, n)
	}
	auditAt(t, url, token)
}

// holds compares the server with everything it acknowledged so far.
func (o *org) holds(t *testing.T, l *ledger, group string) {
	t.Helper()
	there := map[string]string{}
	for start, total := 1, 1; start <= total; {
		page := o.list(t, fmt.Sprintf("/Users?startIndex=%d&count=200", start))
		for _, u := range page.Resources {
			if there[u.UserName] != "" {
				t.Errorf("%s is there twice", u.UserName)
			}
			there[u.UserName] = u.ID
		}
		if total = page.TotalResults; page.ItemsPerPage == 0 {
			break
		}
		start += page.ItemsPerPage
	}
	for name, id := range l.users {
		if there[name] != id {
			t.Errorf("%s was acknowledged as %s, and is %q", name, id, there[name])
		}
	}
	members := map[string]bool{}
	for _, m := range o.membersOf(t, group) {
		members[m] = true
	}
	for id := range l.members {
		if !members[id] {
			t.Errorf("the membership of %s was acknowledged and is gone", id)
		}
	}
	t.Logf("%d users and %d memberships acknowledged, %d and %d there", len(l.users), len(l.members), len(there), len(members))
}

// auditAt compares the indexes of the token's organization with its records.
func auditAt(t *testing.T, url, token string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	store, err := backend.Open(ctx, backend.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	dir, err := resources.New(resources.Config{Store: store, Vault: store, Now: time.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	caller, err := dir.Authenticate(ctx, token)
	if err != nil {
		t.Fatal(err)
	}
	faults, err := store.Audit(ctx, caller.Org, resources.Placement)
	if err != nil || len(faults) > 0 {
		t.Errorf("audit: %v %v", err, faults)
	}
}
