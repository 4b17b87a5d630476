package backend

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
)

// The explorer takes the protocol of claims through every order of its steps: the
// real scripts on an embedded server, the real decisions of claim_steps.go, and
// around them processes that stall anywhere. A process that never goes on is one
// that has crashed, so that crashes need no steps of their own.

// contents are the few keys that matter, in one order. They are comparable.
type contents struct {
	claim string
	org   [2]orgContents
}

// orgContents are lines of a sorted list, except for the entry of the list.
type orgContents struct{ held, notes, tombstones, known string }

var (
	exploredOrgs  = [2]resources.OrgID{"a", "b"}
	exploredClaim = resources.Claim{Kind: resources.ClaimEmail, Key: "ada@example.com"}
)

// bench executes steps on given contents and remembers what comes of them.
type bench struct {
	t       testing.TB
	s       *Store
	keys    [2]keys
	memo    map[benchKey]benchResult
	runs    int
	noFence bool // takes over without asking, as by a lease that ran out
	shared  bool // notes to confirm and to give back have one name; those to give back have no "|" in their text
}

type benchKey struct {
	before contents
	step   any // comparable
}

// named is a step that is not one of the protocol's.
type named struct {
	what string
	org  int
	text string
	take claiming
	late bool
}

type benchResult struct {
	after  contents
	answer string
}

func newBench(t testing.TB) *bench {
	s, err := Open(context.Background(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	s.spread = true // and no relay: its steps are taken by the explorer
	b := &bench{t: t, s: s, memo: map[benchKey]benchResult{}}
	for i, org := range exploredOrgs {
		if b.keys[i], err = keysOf(org); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// do executes a step once for each contents it meets.
func (b *bench) do(before contents, step any, fn func(ctx context.Context) (string, error)) (contents, string) {
	key := benchKey{before, step}
	if got, ok := b.memo[key]; ok {
		return got.after, got.answer
	}
	b.runs++
	b.load(before)
	answer, err := fn(context.Background())
	if err != nil {
		b.t.Fatalf("%+v on %+v: %v", step, before, err)
	}
	got := benchResult{b.save(), answer}
	b.memo[key] = got
	return got.after, got.answer
}

func (b *bench) load(c contents) {
	m := b.s.embedded
	m.FlushAll()
	must := func(err error) {
		if err != nil {
			b.t.Fatal(err)
		}
	}
	if c.claim != "" {
		must(m.Set(claimKey(exploredClaim), c.claim))
	}
	minute := time.Now().Unix() / 60
	for i, o := range c.org {
		k := b.keys[i]
		if o.held != "" {
			m.HSet(k.claims(), claimField(exploredClaim), o.held)
		}
		for _, line := range lines(o.notes) {
			name, text, _ := strings.Cut(line, "=")
			m.HSet(k.notes(), name, text)
		}
		for _, line := range lines(o.tombstones) {
			m.HSet(k.tombstones(), line, strconv.FormatInt(time.Now().Add(time.Hour).UnixMilli(), 10))
		}
		at := k.attempts('0' + byte(minute%2))
		for _, line := range lines(o.known) {
			m.HSet(at, "m", strconv.FormatInt(minute, 10), line, "")
		}
	}
}

func lines(text string) []string { return strings.Fields(text) }

func sorted(list []string) string {
	slices.Sort(list)
	return strings.Join(slices.Compact(list), " ")
}

func (b *bench) hash(key string) map[string]string {
	out := map[string]string{}
	if !b.s.embedded.Exists(key) {
		return out
	}
	fields, err := b.s.embedded.HKeys(key)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, f := range fields {
		out[f] = b.s.embedded.HGet(key, f)
	}
	return out
}

func (b *bench) save() contents {
	var c contents
	if key := claimKey(exploredClaim); b.s.embedded.Exists(key) {
		var err error
		if c.claim, err = b.s.embedded.Get(key); err != nil {
			b.t.Fatal(err)
		}
	}
	for i, k := range b.keys {
		o := &c.org[i]
		o.held = b.hash(k.claims())[claimField(exploredClaim)]
		var notes, tombstones, known []string
		for name, text := range b.hash(k.notes()) {
			notes = append(notes, name+"="+text)
		}
		for attempt := range b.hash(k.tombstones()) {
			tombstones = append(tombstones, attempt)
		}
		for _, g := range []byte("01") {
			for attempt := range b.hash(k.attempts(g)) {
				if attempt != "m" {
					known = append(known, attempt)
				}
			}
		}
		o.notes, o.tombstones, o.known = sorted(notes), sorted(tombstones), sorted(known)
	}
	return c
}

// ask is one step of the protocol.
func (b *bench) ask(before contents, step claimStep) (contents, string) {
	if step.op == opPause || step.op == opFence && b.noFence {
		return before, ""
	}
	return b.do(before, step, func(ctx context.Context) (string, error) {
		return b.s.ask(ctx, exploredClaim, step)
	})
}

// commit sends the commit of an attempt; its answers are "ok", "refused" and
// "changed".
func (b *bench) commit(before contents, p *proc, late bool) (contents, string) {
	deadline := time.Now().Add(claimDeadline)
	if late {
		deadline = time.Now().Add(-time.Second)
	}
	return b.do(before, named{"commit", p.org, p.takes + "|" + p.frees, p.take, late}, func(ctx context.Context) (string, error) {
		u := &unit{s: b.s, ctx: ctx, keys: b.keys[p.org]}
		if p.frees != "" {
			u.Release(exploredClaim, p.frees)
		}
		if p.takes != "" {
			u.Claim(exploredClaim, p.takes)
		}
		plan, err := planOf(u, p.attempt(), 1)
		if err != nil {
			return "", err
		}
		plan.spread = spreadOf(u, p.attempt())
		if p.takes != "" {
			plan.spread.takes[0] = p.take
			if p.take.outcome == claimReserved {
				plan.spread.deadline = deadline.UnixMilli()
			}
		}
		reply, err := b.s.write(ctx, plan.call())
		if err != nil {
			return "", err
		}
		_, err = plan.answer(reply)
		switch {
		case err == nil:
			return "ok", nil
		case errors.Is(err, errChanged):
			return "changed", nil
		}
		return "refused", nil
	})
}

// act does what a note says, takeOff takes it off.
func (b *bench) act(before contents, org int, line string) contents {
	name, text, _ := strings.Cut(line, "=")
	if b.shared && !strings.Contains(text, "|") {
		name, text = "r"+name[1:], text[1:]
	}
	after, _ := b.do(before, named{what: "act", org: org, text: name + "=" + text}, func(ctx context.Context) (string, error) {
		return "", b.s.actOn(ctx, note{exploredOrgs[org], name, text})
	})
	return after
}

func (b *bench) takeOff(before contents, org int, line string) contents {
	name, _, _ := strings.Cut(line, "=")
	after, _ := b.do(before, named{what: "off", org: org, text: name}, func(ctx context.Context) (string, error) {
		return "", b.s.takeOff(ctx, exploredOrgs[org], []string{name})
	})
	return after
}

// replayed is what the relay makes of contents when everybody has crashed.
func (b *bench) replayed(before contents) contents {
	if b.shared {
		for org := range before.org {
			for _, line := range lines(before.org[org].notes) {
				before = b.takeOff(b.act(before, org, line), org, line)
			}
		}
		return before
	}
	after, _ := b.do(before, named{what: "replay"}, func(ctx context.Context) (string, error) {
		for _, k := range b.keys {
			for n := 1; n > 0; {
				var err error
				if n, err = b.s.replay(ctx, k, chunkSize); err != nil {
					return "", err
				}
			}
		}
		return "", nil
	})
	return after
}

// scrubbed is what scrubbing makes of contents.
func (b *bench) scrubbed(before contents) contents {
	after, _ := b.do(before, named{what: "scrub"}, func(ctx context.Context) (string, error) {
		for _, org := range exploredOrgs {
			if _, err := b.s.ScrubClaims(ctx, org); err != nil {
				return "", err
			}
		}
		b.s.strays.first = map[string]time.Time{before.claim: {}} // watched for long
		_, _, err := b.s.ScrubReserved(ctx)
		return "", err
	})
	return after
}

// mutate puts a fault into scripts.
func (b *bench) mutate(right, wrong string, scripts ...*script) {
	for _, sc := range scripts {
		if !strings.Contains(sc.body, right) {
			b.t.Fatalf("the script does not say %q any more", right)
		}
		body := strings.Replace(sc.body, right, wrong, 1)
		sum := sha1.Sum([]byte(body))
		*sc = script{body: body, sha: hex.EncodeToString(sum[:])}
	}
}

// mutateCommit is mutate for the script of commits, which has two names.
func (b *bench) mutateCommit(right, wrong string) {
	b.mutate(right, wrong, &b.s.scripts.commit, &b.s.scripts.release)
}
