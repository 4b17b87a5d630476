package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/resources"
)

// V1, F1: a server is killed at random moments under load and started again, over
// one data directory. No write that was acknowledged is lost, and indexes, names
// and claims agree with the records each time. USHER_KILLS is how often (30), and
// USHER_SEED makes a run again.
func TestKilledServerLosesNothing(t *testing.T) {
	kills, seed := number(t, "USHER_KILLS", 30), number(t, "USHER_SEED", int(time.Now().UnixNano()%1e9))
	t.Logf("seed %d", seed)
	k := &killing{t: t, dir: filepath.Join(t.TempDir(), "data"), chance: rand.New(rand.NewPCG(uint64(seed), 0)), users: map[string]*provisioned{}}
	for n := range kills {
		k.n = n
		k.life()
		if n%5 == 4 || n == kills-1 {
			k.audit()
		}
		if t.Failed() {
			t.Fatalf("after %d kills, seed %d", n+1, seed)
		}
	}
	if len(k.users) < kills {
		t.Errorf("only %d users were made in %d lives", len(k.users), kills)
	}
	t.Logf("%d kills, %d users, %d acknowledged writes", kills, len(k.users), k.acked)
}

func number(t *testing.T, name string, usual int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n <= 0 {
		t.Fatalf("%s is %q, want a number", name, text)
	}
	return n
}

// killing is the directory and what its clients know.
type killing struct {
	t      *testing.T
	dir    string
	chance *rand.Rand
	n      int // lives before this one
	url    string
	token  string
	mu     sync.Mutex
	users  map[string]*provisioned // by name
	acked  int
}

// provisioned is what a client knows of a user. What is asked for and not
// acknowledged may be or not.
type provisioned struct {
	id          string
	made, gone  bool // acknowledged
	asked       bool // for the end
	title, next string
}

// life is one life of the server: what was acknowledged is there, and more is
// written until it is killed.
func (k *killing) life() {
	t := k.t
	file := filepath.Join(t.TempDir(), "ready.json")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "serve", "--listen", "127.0.0.1:0", "--metrics-listen", "off",
		"--ready-file", file, "--data-dir", k.dir, "--log-level", "warn")
	cmd.Env = append(os.Environ(), "USHER_TEST_MAIN=1", "USHER_INBOX_LISTEN=off", "USHER_LIMITS_RATE=100000", "USHER_LIMITS_BURST=100000")
	var log output
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill() // it is what this test is about
		_ = cmd.Wait()
		if text := log.String(); strings.Contains(text, "ERROR") || strings.Contains(text, "panic") {
			t.Errorf("life %d: the log says:\n%s", k.n, text)
		}
	}()
	var r ready
	eventually(t, "the server is ready", func() bool {
		text, err := os.ReadFile(file)
		return err == nil && json.Unmarshal(text, &r) == nil
	})
	k.url = r.SCIMURL
	if r.SCIMToken != "" {
		k.token = r.SCIMToken
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}, Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	k.check(client)
	ctx, cancel := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for w := range 4 {
		chance := rand.New(rand.NewPCG(k.chance.Uint64(), uint64(w)))
		writers.Go(func() { k.write(ctx, client, w, chance) })
	}
	time.Sleep(time.Duration(k.chance.IntN(120)) * time.Millisecond)
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait() // it says that it was killed
	cancel()
	writers.Wait()
}

// call sends one request; 0 means that no answer came.
func (k *killing) call(ctx context.Context, client *http.Client, method, path, body string) (int, []byte) {
	req, err := http.NewRequestWithContext(ctx, method, k.url+path, strings.NewReader(body))
	if err != nil {
		k.t.Error(err)
		return 0, nil
	}
	req.Header.Set("Authorization", "Bearer "+k.token)
	req.Header.Set("Content-Type", "application/scim+json")
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, nil
	}
	return resp.StatusCode, text
}

// write makes, changes and deletes users of its own until the server is gone.
func (k *killing) write(ctx context.Context, client *http.Client, w int, chance *rand.Rand) {
	var mine []*provisioned
	for i := 0; ctx.Err() == nil; i++ {
		if len(mine) > 0 && chance.IntN(3) > 0 {
			u := mine[chance.IntN(len(mine))]
			if u.asked {
				continue
			}
			if chance.IntN(4) == 0 {
				k.told(func() { u.asked = true })
				status, _ := k.call(ctx, client, "DELETE", "/Users/"+u.id, "")
				if status == 0 {
					return
				}
				k.want("delete", status, 204)
				k.told(func() { u.gone = true; k.acked++ })
				continue
			}
			title := fmt.Sprint("t", k.n, "-", i)
			k.told(func() { u.next = title })
			status, _ := k.call(ctx, client, "PATCH", "/Users/"+u.id, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"title","value":"`+title+`"}]}`)
			if status == 0 {
				return
			}
			k.want("patch", status, 200)
			k.told(func() { u.title, u.next = title, ""; k.acked++ })
			continue
		}
		u, name := &provisioned{}, fmt.Sprintf("u-%d-%d-%d@demo.example", k.n, w, i)
		k.told(func() { k.users[name] = u })
		status, body := k.call(ctx, client, "POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"`+name+`","emails":[{"value":"`+name+`","primary":true}]}`)
		if status == 0 {
			return
		}
		k.want("create", status, 201)
		var made struct{ ID string }
		if err := json.Unmarshal(body, &made); err != nil {
			k.t.Error(err)
		}
		k.told(func() { u.id, u.made = made.ID, true; k.acked++ })
		mine = append(mine, u)
	}
}

func (k *killing) told(fn func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	fn()
}

func (k *killing) want(what string, got, want int) {
	if got != want {
		k.t.Errorf("life %d: %s: %d, want %d", k.n, what, got, want)
	}
}

// check compares what is there with what was acknowledged; from then on what is
// there counts. Users of lives long ago are looked at by chance.
func (k *killing) check(client *http.Client) {
	for name, u := range k.users {
		var life int
		if _, err := fmt.Sscanf(name, "u-%d-", &life); err != nil || (life < k.n-2 && k.chance.IntN(20) > 0) {
			continue
		}
		status, body := k.call(k.t.Context(), client, "GET", `/Users?filter=userName%20eq%20%22`+name+`%22&attributes=title,userName`, "")
		var found struct {
			Resources []struct{ ID, Title string }
		}
		if err := json.Unmarshal(body, &found); status != 200 || err != nil {
			k.t.Fatalf("life %d: %s: %d %s", k.n, name, status, body)
		}
		there := len(found.Resources) == 1
		switch {
		case u.made && !u.asked && !there:
			k.t.Errorf("life %d: %s was acknowledged and is lost", k.n, name)
		case u.gone && there:
			k.t.Errorf("life %d: the end of %s was acknowledged and is lost", k.n, name)
		case there && u.made && found.Resources[0].ID != u.id:
			k.t.Errorf("life %d: %s has the id %s, %s was acknowledged", k.n, name, found.Resources[0].ID, u.id)
		case there && found.Resources[0].Title != u.title && (u.next == "" || found.Resources[0].Title != u.next):
			k.t.Errorf("life %d: %s has the title %q, %q was acknowledged, then %q asked for", k.n, name, found.Resources[0].Title, u.title, u.next)
		}
		if there {
			u.id, u.title, u.next, u.made, u.asked = found.Resources[0].ID, found.Resources[0].Title, "", true, false
		} else {
			u.gone, u.made, u.asked = true, false, true
		}
	}
}

// audit compares everything derived with the records, while no server runs.
func (k *killing) audit() {
	t := k.t
	store, err := backend.Open(t.Context(), backend.Config{DataDir: k.dir})
	if err != nil {
		t.Fatalf("life %d: %v", k.n, err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	org, err := store.Named(t.Context(), resources.PlatformOrg, resources.OrgSlug, "demo")
	if err != nil || org == "" {
		t.Fatalf("life %d: the organization: %q, %v", k.n, org, err)
	}
	for _, of := range []resources.OrgID{resources.PlatformOrg, resources.OrgID(org)} {
		faults, err := store.Audit(t.Context(), of, resources.Placement)
		if err != nil || len(faults) > 0 {
			t.Errorf("life %d: audit of %s: %v, %q", k.n, of, err, faults)
		}
	}
}
