package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// TestLossIsTold: a server of the store comes back without its last writes. The
// log, the numbers and the organization's own stream tell which they were.
func TestLossIsTold(t *testing.T) {
	// It writes its file before it answers, so that the file can be read at any time.
	server := redistest.Run(t, redistest.Config{Args: []string{"--appendonly", "yes", "--appendfsync", "always"}})
	n := start(t, map[string]string{"USHER_REDIS_URL": server.URL})
	files, err := filepath.Glob(filepath.Join(server.Dir, "appendonlydir", "*.incr.aof"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	before, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		body := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"lost%d@example.com"}`, i)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, n.SCIMURL+"/Users", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+n.SCIMToken)
		req.Header.Set("Content-Type", "application/scim+json")
		resp, err := browser().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusCreated {
			t.Fatal(resp.Status)
		}
	}
	server.Kill()
	if err := os.WriteFile(files[0], before, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	lost := regexp.MustCompile(`(?m)^usher_lost_writes_total 3$`)
	for end := time.Now().Add(15 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		_, numbers := get(t, n.MetricsURL, "")
		if lost.MatchString(numbers) && strings.Contains(numbers, "usher_failovers_total 1") && strings.Contains(stream(t, server), `"q":3`) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("no number or event tells of the loss:\n%s\n%s", n.stderr, stream(t, server))
		}
	}
	line := regexp.MustCompile(`acknowledged writes are lost.*count"?[:=]3.*writes"?[:=]"([0-9 -]+)"`).FindStringSubmatch(n.stderr.String())
	if line == nil {
		t.Fatalf("the log does not tell:\n%s", n.stderr)
	}
	for lsn := range strings.FieldsSeq(line[1]) {
		if !strings.Contains(stream(t, server), lsn) {
			t.Errorf("the organization's event does not name %s:\n%s", lsn, stream(t, server))
		}
	}
}

// TestLossesDoNotWaitForEachOther: an organization whose loss cannot be noted, as its
// part of the store does not answer, does not keep that of others from being noted.
func TestLossesDoNotWaitForEachOther(t *testing.T) {
	l := newMetrics().losses(slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithTimeout(t.Context(), 10*notePause)
	defer cancel()
	noted := map[resources.OrgID]bool{}
	l.into(func(ctx context.Context, org resources.OrgID, _ []string) error {
		if org == "bad" {
			return errors.New("the store is unavailable")
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if noted[org] = true; len(noted) == 20 {
			cancel()
		}
		return nil
	})
	list := []backend.LostWrite{{Org: "bad", LSN: "1-1"}}
	for i := range 20 {
		list = append(list, backend.LostWrite{Org: resources.OrgID(fmt.Sprint("good", i)), LSN: "1-1"})
	}
	began := time.Now()
	if l.lost(ctx, list); len(noted) != 20 || time.Since(began) > 5*notePause {
		t.Errorf("%d of 20 losses were noted in %s", len(noted), time.Since(began))
	}
}

// stream is all events store.writes_lost.
func stream(t *testing.T, server *redistest.Server) string {
	t.Helper()
	keys, err := server.Do(t.Context(), "KEYS", "ev:*")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, key := range keys.([]any) {
		entries, err := server.Do(t.Context(), "XRANGE", key.(string), "-", "+")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries.([]any) {
			if text := fmt.Sprint(e); strings.Contains(text, "store.writes_lost") {
				out.WriteString(text)
			}
		}
	}
	return out.String()
}

// TestDoctor: what usher thinks of a server, before it is trusted with anything.
func TestDoctor(t *testing.T) {
	bare := redistest.Start(t)
	got := wantCode(t, exitOK, map[string]string{"USHER_REDIS_URL": bare}, "doctor")
	for _, part := range []string{"ok", "warn", "append-only file", "set appendonly yes"} {
		if !strings.Contains(got.stdout, part) {
			t.Errorf("it does not say %q:\n%s", part, got.stdout)
		}
	}
	got = wantCode(t, exitFailure, map[string]string{"USHER_REDIS_URL": bare, "USHER_DURABILITY": "replicated"}, "doctor", "--output", "json")
	if !strings.Contains(got.stdout, `"state": "fail"`) || !strings.Contains(got.stderr, "would refuse this store") {
		t.Errorf("%s%s", got.stdout, got.stderr)
	}
	wantCode(t, exitUnavailable, map[string]string{"USHER_REDIS_URL": "redis://127.0.0.1:1/0"}, "doctor")
	wantCode(t, exitOK, nil, "doctor", "--data-dir", t.TempDir())
	if got := wantCode(t, exitUnavailable, map[string]string{"USHER_REDIS_URL": bare}, "serve", "--durability", "fsync"); !strings.Contains(got.stderr, "appendonly yes") {
		t.Errorf("serve: %s", got.stderr)
	}
}

// TestDoctorFindsWhatServeMeets: what would stop the server or refuse its writes
// fails the examination, and nothing stays of it.
func TestDoctorFindsWhatServeMeets(t *testing.T) {
	bare := redistest.Start(t)
	client := redistest.Client(t, bare)
	whole := []any{}
	for word := range strings.FieldsSeq(backend.NeededRights) {
		whole = append(whole, word)
	}
	for _, x := range []struct {
		name string
		code int
		acl  []any
		says string
	}{
		{"whole", exitOK, whole, "may read and write"},
		{"elsewhere", exitFailure, []any{"~other:*", "+@all"}, "NOPERM"},
		{"reader", exitFailure, []any{"~*", "+@read", "+@connection", "+info"}, "SET"},
	} {
		if err := client.Do(t.Context(), append([]any{"ACL", "SETUSER", x.name, "reset", "on", ">pw"}, x.acl...)...).Err(); err != nil {
			t.Fatal(err)
		}
		got := wantCode(t, x.code, map[string]string{"USHER_REDIS_URL": "redis://" + x.name + ":pw@" + client.Options().Addr}, "doctor")
		if !strings.Contains(got.stdout, "permissions") || !strings.Contains(got.stdout, x.says) {
			t.Errorf("%s: %s", x.name, got.stdout)
		}
	}
	if n, err := client.DBSize(t.Context()).Result(); n != 0 || err != nil {
		t.Errorf("left in the store: %d, %v", n, err)
	}

	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	got := wantCode(t, exitFailure, nil, "doctor", "--data-dir", file)
	if !strings.Contains(got.stdout, "is no directory") || !strings.Contains(got.stdout, "--data-dir") {
		t.Error(got.stdout)
	}
	wantCode(t, exitOK, nil, "doctor", "--data-dir", filepath.Join(dir, "new", "one"))
	if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
		t.Errorf("left in the directory: %v, %v", list, err)
	}
}
