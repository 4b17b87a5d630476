package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/usher-scim/usher/internal/redistest"
)

// provider is an identity provider that remembers what it was answered, as Okta
// does.
type provider struct {
	*testing.T
	root, token string
	client      *http.Client
	ids         map[string]string
	tags        map[string]string
}

// ask sends a request and reads the answer.
func (p *provider) ask(method, path, tag, body string) (int, http.Header, string) {
	p.Helper()
	req, err := http.NewRequestWithContext(p.Context(), method, p.root+path, strings.NewReader(body))
	if err != nil {
		p.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+p.token)
	req.Header.Set("Content-Type", "application/scim+json")
	if tag != "" {
		req.Header.Set("If-Match", tag)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		p.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		p.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

// push makes a resource after it was looked for, and remembers it.
func (p *provider) push(kind, name, lookup, body string) {
	p.Helper()
	status, _, text := p.ask("GET", "/"+kind+"?filter="+url.QueryEscape(lookup), "", "")
	if status != 200 || !strings.Contains(text, `"totalResults":0`) {
		p.Fatalf("look for %s: %d %s", name, status, text)
	}
	status, head, text := p.ask("POST", "/"+kind, "", body)
	var made struct{ ID string }
	if err := json.Unmarshal([]byte(text), &made); err != nil || status != 201 {
		p.Fatalf("create %s: %d %s", name, status, text)
	}
	p.ids[name], p.tags[name] = "/"+kind+"/"+made.ID, head.Get("ETag")
}

// look reads everything that was pushed.
func (p *provider) look() map[string]string {
	p.Helper()
	out := map[string]string{}
	for name, path := range p.ids {
		status, head, text := p.ask("GET", path, "", "")
		if status != 200 {
			p.Errorf("%s: %d %s", name, status, text)
		}
		out[name] = head.Get("ETag") + " " + strings.ReplaceAll(text, p.root, "")
	}
	for _, list := range []string{"/Users?startIndex=1&count=100", "/Groups?count=100", "/Users?filter=" + url.QueryEscape(`emails.value eq "ann@acme.example"`)} {
		_, _, text := p.ask("GET", list, "", "")
		out[list] = strings.ReplaceAll(text, p.root, "")
	}
	return out
}

// TestMove: what an identity provider pushed into an embedded usher is backed up,
// restored into a cluster, and the same session goes on there.
func TestMove(t *testing.T) {
	dir := t.TempDir()
	data, file := filepath.Join(dir, "data"), filepath.Join(dir, "usher.jsonl.age")
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	keyFile := filepath.Join(dir, "key.txt")
	if err := os.WriteFile(keyFile, []byte(key.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	old := start(t, nil, "--data-dir", data)
	p := &provider{T: t, root: old.SCIMURL, token: old.SCIMToken, client: browser(), ids: map[string]string{}, tags: map[string]string{}}
	const user = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"%[1]s@acme.example","externalId":"00u%[1]s","active":true,"name":{"givenName":"%[1]s","familyName":"Acme"},"emails":[{"primary":true,"value":"%[1]s@acme.example","type":"work"}]}`
	for _, name := range []string{"ann", "bob", "cyd"} {
		p.push("Users", name, `userName eq "`+name+`@acme.example"`, fmt.Sprintf(user, name))
	}
	p.push("Groups", "staff", `displayName eq "Staff"`, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Staff","members":[{"value":"`+filepath.Base(p.ids["ann"])+`"}]}`)
	busy := wantCode(t, exitUnavailable, nil, "backup", "--data-dir", data, "--out", file)
	if !strings.Contains(busy.stderr, "another process") {
		t.Errorf("a directory in use: %s", busy.stderr)
	}
	before := p.look()
	old.stop(t)

	done := wantCode(t, 0, nil, "backup", "--data-dir", data, "--out", file, "--encrypt-to", key.Recipient().String())
	if !strings.Contains(done.stderr, "2 organizations") {
		t.Errorf("summary: %s", done.stderr)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v", info, err)
	}
	target := redistest.Cluster(t, redistest.ClusterConfig{Primaries: 3}).URL
	wantCode(t, exitUsage, nil, "restore", file, "--redis", target)
	wantCode(t, 0, nil, "restore", file, "--redis", target, "--identity-file", keyFile)
	again := wantCode(t, exitConflict, nil, "restore", file, "--redis", target, "--identity-file", keyFile)
	if !strings.Contains(again.stderr, "demo is in the store already") || !strings.Contains(again.stderr, "--org") {
		t.Errorf("a second time: %s", again.stderr)
	}

	p.root = start(t, nil, "--redis", target).SCIMURL
	after := p.look()
	for what, was := range before {
		if after[what] != was {
			t.Errorf("%s was\n%s\nand is\n%s", what, was, after[what])
		}
	}
	const replace = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","value":{"active":false}}]}`
	status, head, text := p.ask("PATCH", p.ids["bob"], p.tags["bob"], replace)
	if status != 200 || !strings.Contains(text, `"active":false`) || head.Get("ETag") == p.tags["bob"] {
		t.Errorf("PATCH with the old tag: %d %s", status, text)
	}
	if status, _, _ = p.ask("PATCH", p.ids["bob"], p.tags["bob"], replace); status != http.StatusPreconditionFailed {
		t.Errorf("the old tag once more: %d", status)
	}
	members := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"members","value":[{"value":"%s"}]}]}`, filepath.Base(p.ids["cyd"]))
	if status, _, text = p.ask("PATCH", p.ids["staff"], "", members); status/100 != 2 {
		t.Errorf("a new member: %d %s", status, text)
	}
	if status, _, text = p.ask("POST", "/Users", "", fmt.Sprintf(user, "ann")); status != http.StatusConflict {
		t.Errorf("a name that is taken: %d %s", status, text)
	}
	p.push("Users", "dee", `userName eq "dee@acme.example"`, fmt.Sprintf(user, "dee"))
	p.look()
}

// TestBackupFiles: files appear under their names when they are complete, and an
// interrupted one is gone on with.
func TestBackupFiles(t *testing.T) {
	redis := redistest.Start(t)
	server := start(t, nil, "--redis", redis)
	env := map[string]string{"USHER_API_URL": server.APIURL, "USHER_API_TOKEN": server.APIToken, "USHER_REDIS_URL": redis}
	for _, slug := range []string{"acme", "beta"} {
		wantCode(t, 0, env, "org", "create", slug)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "all.jsonl")
	wantCode(t, 0, env, "backup", "--out", file)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, exitConflict, env, "backup", "--out", file)
	wantCode(t, exitNotFound, env, "backup", "--out", file+"2", "--org", "gamma")
	wantCode(t, exitNotFound, env, "backup", "--out", file+"2", "--resume")
	cut := bytes.Index(whole, []byte(`"slug":"beta"`)) + 20 // within the last organization but one, or the last
	if err := os.WriteFile(file+"2"+partialSuffix, whole[:cut], 0o600); err != nil {
		t.Fatal(err)
	}
	wantCode(t, exitConflict, env, "backup", "--out", file+"2")
	wantCode(t, exitUsage, env, "backup", "--out", file+"2", "--resume", "--encrypt-to", "age1x")
	wantCode(t, 0, env, "backup", "--out", file+"2", "--resume")
	if left, err := os.Stat(file + "2" + partialSuffix); err == nil {
		t.Errorf("left behind: %s", left.Name())
	}
	for _, name := range []string{file, file + "2"} {
		if r := wantCode(t, 0, nil, "restore", name, "--check"); !strings.Contains(r.stderr, "4 organizations") {
			t.Errorf("%s: %s", name, r.stderr)
		}
	}
	out := wantCode(t, 0, env, "backup", "--org", "acme", "--out", "-")
	if err := os.WriteFile(file+"3", []byte(out.stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	other := redistest.Start(t)
	wantCode(t, 0, nil, "restore", file+"3", "--redis", other)
	wantCode(t, exitConflict, nil, "restore", file, "--redis", other)
	wantCode(t, 0, nil, "restore", file, "--redis", other, "--org", "beta")
	wantCode(t, exitNotFound, nil, "restore", file+"4", "--redis", other)
	if err := os.WriteFile(file+"5", bytes.Replace(whole, []byte("acme"), []byte("acne"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := wantCode(t, exitFailure, nil, "restore", file+"5", "--redis", other); !strings.Contains(r.stderr, "line ") {
		t.Errorf("a damaged file: %s", r.stderr)
	}
}
