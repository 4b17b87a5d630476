package dextest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

const startTime = 20 * time.Second

// User is somebody who can sign in.
type User struct {
	ID, Email, Name, Password string
	Unverified                bool // email_verified is false
}

// Client is a relying party.
type Client struct {
	ID, Secret string
	Redirects  []string
}

// Provider is one Dex.
type Provider struct {
	URL  string // the issuer
	addr string
	log  bytes.Buffer
}

// Reserve picks an address on loopback.
func Reserve(tb testing.TB) *Provider {
	tb.Helper()
	l, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = l.Close() }() // its port is all that was wanted
	return &Provider{URL: "http://" + l.Addr().String() + "/dex", addr: l.Addr().String()}
}

// Start runs the provider until the test ends.
func (p *Provider) Start(tb testing.TB, clients []Client, users []User) {
	tb.Helper()
	bin, err := build(tb.Context())
	if err != nil {
		tb.Fatalf("build Dex: %v", err)
	}
	conf, err := p.config(clients, users)
	if err != nil {
		tb.Fatal(err)
	}
	file := filepath.Join(tb.TempDir(), "dex.json")
	if err := os.WriteFile(file, conf, 0o600); err != nil {
		tb.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(tb.Context()), bin, "serve", file)
	cmd.Stdout, cmd.Stderr = &p.log, &p.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		tb.Fatalf("start Dex: %v", err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }() // it ends by being killed
	tb.Cleanup(func() {
		_ = cmd.Process.Kill() // perhaps it has ended by itself
		<-ended
	})
	for deadline := time.Now().Add(startTime); ; time.Sleep(20 * time.Millisecond) {
		if p.answers(tb.Context()) {
			return
		}
		select {
		case <-ended:
			tb.Fatalf("Dex has ended: %s", &p.log)
		default:
		}
		if time.Now().After(deadline) {
			tb.Fatal("Dex does not answer")
		}
	}
}

func (p *Provider) answers(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+"/.well-known/openid-configuration", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	return resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
}

// build gives the program. Go keeps what it built.
func build(ctx context.Context) (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	var faults bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", "tool", "-modfile=tools/dex/go.mod", "-n", "dex")
	cmd.Dir, cmd.Stderr = root, &faults
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, &faults)
	}
	return strings.TrimSpace(string(out)), nil
}

// moduleRoot is the folder above that has the tools.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "tools", "dex", "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("no folder above has tools/dex")
		}
		dir = up
	}
}

func (p *Provider) config(clients []Client, users []User) ([]byte, error) {
	type object = map[string]any
	var parties, people []object
	for _, c := range clients {
		parties = append(parties, object{"id": c.ID, "secret": c.Secret, "name": c.ID, "redirectURIs": c.Redirects})
	}
	for _, u := range users {
		hash, err := bcrypt.GenerateFromPassword([]byte(u.Password), bcrypt.DefaultCost)
		if err != nil {
			return nil, err
		}
		people = append(people, object{
			"email": u.Email, "hash": string(hash), "username": u.Name, "name": u.Name, "preferredUsername": u.Email,
			"emailVerified": !u.Unverified, "userID": u.ID,
		})
	}
	return json.Marshal(object{
		"issuer": p.URL, "storage": object{"type": "memory"}, "web": object{"http": p.addr},
		"oauth2": object{"skipApprovalScreen": true}, "enablePasswordDB": true,
		"staticClients": parties, "staticPasswords": people, "logger": object{"level": "warn"},
	})
}

// SignIn follows a link to the provider, signs in, and returns the address that
// the provider sends the browser back to. Nothing is asked there.
func (p *Provider) SignIn(ctx context.Context, link, email, password string) (*url.URL, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	var back *url.URL
	browser := &http.Client{Jar: jar, CheckRedirect: func(req *http.Request, _ []*http.Request) error {
		if req.URL.Host != p.addr {
			back = req.URL
			return http.ErrUseLastResponse
		}
		return nil
	}}
	page, err := p.visit(ctx, browser, http.MethodGet, link, nil)
	if err != nil || back != nil {
		return back, err
	}
	page, err = p.visit(ctx, browser, http.MethodPost, page.String(), url.Values{"login": {email}, "password": {password}})
	if err != nil {
		return nil, err
	}
	if back == nil {
		return nil, fmt.Errorf("the provider does not let %s in: it stays at %s", email, page.Path)
	}
	return back, nil
}

// visit gives the address of the page that a request ends at.
func (p *Provider) visit(ctx context.Context, browser *http.Client, method, to string, form url.Values) (*url.URL, error) {
	var body io.Reader
	if form != nil {
		body = bytes.NewBufferString(form.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, method, to, body)
	if err != nil {
		return nil, err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := browser.Do(req)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.Request.URL, errors.Join(err, resp.Body.Close())
}
