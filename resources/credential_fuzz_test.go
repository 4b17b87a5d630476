package resources

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/usher-scim/usher/internal/seal"
)

// FuzzParseLink: whatever text comes in a link, only a well-formed one is taken
// apart, into what it is put together from (security S2).
func FuzzParseLink(f *testing.F) {
	org, user := strings.Repeat("0", 19)+"3", strings.Repeat("0", 20)
	good := org + user + strings.Repeat("v", 32)
	for _, s := range []string{good, good + "0", good[1:], user + org + good[40:], org + user + strings.Repeat("w", 32), org + user + strings.Repeat("v", 31) + "\n", strings.ToUpper(good), "", "platform", strings.Repeat("\x00", 72)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, ok := parseLink(text)
		if !ok {
			if l != (linkToken{}) {
				t.Fatalf("%q is refused and still gives %+v", text, l)
			}
			return
		}
		if l.String() != text || strings.ContainsFunc(text, func(r rune) bool { return !strings.ContainsRune(idAlphabet, r) }) {
			t.Fatalf("%q gives %+v", text, l)
		}
	})
}

// What a mail carries follows from everything that it is good for, and is found
// again after keys were exchanged.
func TestCarried(t *testing.T) {
	keysOf := func(b ...byte) *seal.Keys {
		var all [][]byte
		for _, k := range b {
			all = append(all, bytes.Repeat([]byte{k}, seal.KeySize))
		}
		keys, err := seal.New(all[0], all[1:]...)
		if err != nil {
			t.Fatal(err)
		}
		return keys
	}
	old, both, other := keysOf(1), keysOf(2, 1), keysOf(2)
	is := func() carried {
		return carried{"o", &credential{Purpose: PurposeActivate, Mail: "m", Epoch: 1, SentTo: "a@b.example"}, "u"}
	}
	c := is()
	link, code := c.link(old.Derive(c.context("link"))), c.code(old)
	c.Token, c.Code = link.hash(), c.codeHash(old, code)
	if got, ok := c.linkLike(both, c.Token); !ok || got != link || !c.codeIs(both, code, c.Code) {
		t.Error("what the older key made is not found")
	}
	if _, ok := c.linkLike(other, c.Token); ok || c.codeIs(other, code, c.Code) {
		t.Error("another key finds it")
	}
	for name, change := range map[string]func(*carried){
		"organization": func(c *carried) { c.org = "p" }, "user": func(c *carried) { c.user = "v" }, "mail": func(c *carried) { c.Mail = "n" },
		"purpose": func(c *carried) { c.Purpose = PurposeReset }, "epoch": func(c *carried) { c.Epoch = 2 }, "address": func(c *carried) { c.SentTo = "c@d.example" },
	} {
		moved := is()
		change(&moved)
		if moved.link(old.Derive(moved.context("link"))).secret == link.secret || bytes.Equal(moved.codeHash(old, code), c.Code) {
			t.Errorf("another %s has the same link or code", name)
		}
	}
	if c.codeIs(old, code, nil) {
		t.Error("a code is right where there is none")
	}
	stored, err := json.Marshal(c.credential)
	if err != nil || bytes.Contains(stored, []byte(code)) || bytes.Contains(stored, []byte(link.secret)) {
		t.Errorf("the store has the clear text: %s, %v", stored, err)
	}
}

// However mails come and are tried again, in any order, at most the latest one's
// link works, and it always does.
func TestIssueOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.UnixMilli(1_800_000_000_000)
		a := &access{User: nobodyID}
		latest := ""
		for range rapid.IntRange(1, 12).Draw(t, "mails") {
			mail := string(rune('a' + rapid.IntRange(0, 5).Draw(t, "mail")))
			now = now.Add(time.Duration(rapid.IntRange(0, 200).Draw(t, "hours")) * time.Hour)
			expires, _, err := a.issue(credential{Purpose: PurposeActivate, Mail: mail, SentTo: "x", Token: []byte(mail)}, now)
			if (err != nil) != (mail < latest) {
				t.Fatalf("mail %q after %q: %v", mail, latest, err)
			}
			if err == nil {
				latest = mail
				if left := time.UnixMilli(expires).Sub(now); left < activateFor/2 || left > activateFor {
					t.Fatalf("the link in mail %q lives %s", mail, left)
				}
			}
			c := a.credentialFor(PurposeActivate)
			if len(a.Credentials) != 1 || c.Mail != latest || len(a.Spent) > spentKept {
				t.Fatalf("%+v, latest %q", a, latest)
			}
		}
	})
}
