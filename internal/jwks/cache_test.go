package jwks_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	gojose "github.com/go-jose/go-jose/v4"
	"go.uber.org/goleak"

	"github.com/usher-scim/usher/internal/jwks"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const issuer = "https://issuer.example/t/"

// site is an issuer: its documents, how often each was asked for, and a clock.
type site struct {
	mu    sync.Mutex
	docs  map[string]string
	asked map[string]int
	now   time.Time
	gate  chan struct{} // when not nil, answers wait for it
}

func (s *site) get(ctx context.Context, url string) ([]byte, error) {
	s.mu.Lock()
	gate := s.gate
	s.asked[url]++
	doc, ok := s.docs[url]
	s.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if !ok {
		return nil, errors.New("nobody answers")
	}
	return []byte(doc), nil
}

func (s *site) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *site) wait(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// publish sets the names of the keys that the issuer has; no names: it is down.
func (s *site) publish(kids ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.docs = map[string]string{}
	if len(kids) == 0 {
		return
	}
	s.docs[issuer+".well-known/openid-configuration"] = `{"issuer":"` + issuer + `","jwks_uri":"https://issuer.example/keys"}`
	set := gojose.JSONWebKeySet{}
	for _, kid := range kids {
		pub, _, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			panic(err)
		}
		set.Keys = append(set.Keys, gojose.JSONWebKey{Key: pub, KeyID: kid})
	}
	text, err := json.Marshal(set)
	if err != nil {
		panic(err)
	}
	s.docs["https://issuer.example/keys"] = string(text)
}

func (s *site) fetches() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[issuer+".well-known/openid-configuration"]
}

func open(t *testing.T) (*site, *jwks.Cache) {
	t.Helper()
	s := &site{asked: map[string]int{}, now: time.Unix(1_800_000_000, 0)}
	c, err := jwks.New(jwks.Config{Get: s.get, Now: s.clock, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

// has asks for a key by name and reports whether it is there.
func has(t *testing.T, c *jwks.Cache, kid string) bool {
	t.Helper()
	keys, err := c.Keys(t.Context(), jwks.Source{Issuer: issuer}, kid)
	if err != nil && !errors.Is(err, jwks.ErrNoKeys) {
		t.Fatal(err)
	}
	for _, k := range keys {
		if k.ID == kid {
			return true
		}
	}
	return false
}

// TestJWKSFlood: security O6. A thousand unknown names in ten seconds fetch at
// most once.
func TestJWKSFlood(t *testing.T) {
	s, c := open(t)
	s.publish("a")
	if !has(t, c, "a") {
		t.Fatal("the key is not there")
	}
	s.wait(2 * time.Minute)
	before := s.fetches()
	var group sync.WaitGroup
	for i := range 1000 {
		group.Go(func() {
			if _, err := c.Keys(t.Context(), jwks.Source{Issuer: issuer}, fmt.Sprint("unknown", i)); err != nil {
				t.Error(err)
			}
		})
		s.wait(10 * time.Millisecond)
	}
	group.Wait()
	if n := s.fetches() - before; n != 1 {
		t.Errorf("%d fetches, want 1", n)
	}
	if !has(t, c, "a") {
		t.Error("the known key is gone")
	}
}

// TestRotation: a new key is accepted when it first appears, if the last fetch
// is a minute ago.
func TestRotation(t *testing.T) {
	s, c := open(t)
	s.publish("a")
	if !has(t, c, "a") {
		t.Fatal("the key is not there")
	}
	s.publish("a", "b")
	s.wait(59 * time.Second)
	if has(t, c, "b") {
		t.Error("a second fetch within a minute")
	}
	s.wait(time.Second)
	if !has(t, c, "b") {
		t.Error("the new key is not there after a minute")
	}
}

// TestKeyRevoked: a removed key is dead within 61 minutes; while the issuer does
// not answer its keys serve for a day and no longer.
func TestKeyRevoked(t *testing.T) {
	s, c := open(t)
	s.publish("a", "b")
	if !has(t, c, "a") {
		t.Fatal("the key is not there")
	}
	s.publish("b")
	s.wait(59 * time.Minute)
	if !has(t, c, "a") {
		t.Error("within the hour nothing is fetched")
	}
	s.wait(2 * time.Minute)
	if has(t, c, "a") || !has(t, c, "b") {
		t.Error("a key that was removed lives on, or its sister does not")
	}
	s.publish()
	s.wait(23 * time.Hour)
	if !has(t, c, "b") {
		t.Error("a down issuer's key does not serve")
	}
	s.wait(61 * time.Minute)
	if has(t, c, "b") {
		t.Error("a key of yesterday serves")
	}
	s.wait(time.Minute)
	s.publish("c")
	if !has(t, c, "c") {
		t.Error("the issuer is back, its key is not")
	}
}

// TestDown: an issuer that never answered is asked once a minute.
func TestDown(t *testing.T) {
	s, c := open(t)
	for range 10 {
		if has(t, c, "a") {
			t.Fatal("a key from nowhere")
		}
		s.wait(5 * time.Second)
	}
	if n := s.fetches(); n != 1 {
		t.Errorf("%d fetches, want 1", n)
	}
}

// TestSlow: one request waits for a slow issuer, the others use the keys that
// are there; a request that gives up does not end the fetch.
func TestSlow(t *testing.T) {
	s, c := open(t)
	s.publish("a")
	if !has(t, c, "a") {
		t.Fatal("the key is not there")
	}
	s.wait(61 * time.Minute)
	gate := make(chan struct{})
	s.mu.Lock()
	s.gate = gate
	s.mu.Unlock()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := c.Keys(ctx, jwks.Source{Issuer: issuer}, "a")
		done <- err
	}()
	for s.fetches() < 2 {
		time.Sleep(time.Millisecond)
	}
	if !has(t, c, "a") {
		t.Error("nobody else is served meanwhile")
	}
	cancel()
	close(gate)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := s.fetches(); n != 2 {
		t.Errorf("%d fetches, want 2", n)
	}
}

// TestProbe: what is wrong for good is a *Fault, what may pass is not.
func TestProbe(t *testing.T) {
	s, c := open(t)
	probe := func() error { return c.Probe(t.Context(), jwks.Source{Issuer: issuer}) }
	fault := func(err error) bool { _, ok := errors.AsType[*jwks.Fault](err); return ok }
	if err := probe(); err == nil || fault(err) {
		t.Errorf("down: %v", err)
	}
	for name, doc := range map[string]string{
		"of another issuer": `{"issuer":"https://issuer.example/t","jwks_uri":"https://issuer.example/keys"}`,
		"without keys":      `{"issuer":"` + issuer + `"}`,
		"no JSON":           `<html>`,
		"a list":            `[]`,
	} {
		s.publish("a")
		s.docs[issuer+".well-known/openid-configuration"] = doc
		if err := probe(); !fault(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.publish("a")
	if err := probe(); err != nil {
		t.Error(err)
	}
	s.docs["https://issuer.example/keys"] = "{}"
	if err := probe(); !fault(err) {
		t.Errorf("no key set: %v", err)
	}
}

// TestRoom: the number of key sets is bounded; the one used last stays.
func TestRoom(t *testing.T) {
	s, c := open(t)
	s.publish("a")
	has(t, c, "a")
	for i := range 1500 {
		s.wait(time.Millisecond)
		if _, err := c.Keys(t.Context(), jwks.Source{Issuer: fmt.Sprint("https://", i), URI: "https://issuer.example/keys"}, "a"); err != nil {
			t.Fatal(err)
		}
		has(t, c, "a")
	}
	if n := s.fetches(); n != 1 {
		t.Errorf("the set in use was fetched %d times", n)
	}
}

// TestRenew: for a signature that nothing fits the set is fetched anew, a minute
// after the last time at the earliest, and tells why a key is not used.
func TestRenew(t *testing.T) {
	s, c := open(t)
	s.publish("a")
	if !has(t, c, "a") {
		t.Fatal("the key is not there")
	}
	renew := func() int {
		keys, err := c.Renew(t.Context(), jwks.Source{Issuer: issuer})
		if err != nil {
			t.Fatal(err)
		}
		return len(keys)
	}
	s.docs["https://issuer.example/keys"] = `{"keys":[{"kty":"RSA","kid":"weak","e":"AQAB","n":"AQAB"}]}`
	if n := renew(); n != 1 || s.fetches() != 1 {
		t.Errorf("within a minute: %d keys, %d fetches", n, s.fetches())
	}
	s.wait(time.Minute)
	if n := renew(); n != 0 || s.fetches() != 2 {
		t.Errorf("after a minute: %d keys, %d fetches", n, s.fetches())
	}
	from := jwks.Source{Issuer: issuer}
	if why := c.Unused(from, "weak"); !strings.Contains(why, "2048") {
		t.Errorf("unused for %q", why)
	}
	if why := c.Unused(from, "a") + c.Unused(jwks.Source{Issuer: "x"}, "weak"); why != "" {
		t.Errorf("what is not there is unused for %q", why)
	}
}
