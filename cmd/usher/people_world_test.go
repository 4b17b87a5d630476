package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/internal/dextest"
	"github.com/usher-scim/usher/resources"
)

// town is a server with everything that people meet: a provider where they sign
// in, a DNS server, and an inbox for the mails.
type town struct {
	*testing.T
	*node
	dex    *dextest.Provider
	other  *second
	names  *nameServer
	tokens map[string]string // of the identity provider, by organization
	folks  int               // made so far
}

// dexPassword is everybody's at the provider.
const dexPassword = "correct horse"

// openTown starts a server on a store and prepares the organization acme with a
// verified domain, seats of gold, and a connection to a provider that knows the
// people.
func openTown(t *testing.T, redis string, people ...dextest.User) *town {
	t.Helper()
	w := &town{T: t, dex: dextest.Reserve(t), names: startNameServer(t), tokens: map[string]string{}}
	w.other = w.reserve()
	env := map[string]string{"USHER_OUTBOUND_ALLOW": strings.TrimSuffix(w.dex.URL, "/dex") + "," + w.other.server.URL, "USHER_DNS_RESOLVER": w.names.address}
	args := []string{}
	if redis != "" {
		args = append(args, "--redis", redis)
	}
	w.node = start(t, env, args...)
	w.usher("product", "put", "gold", "--name", "Gold", "--paid", "--capabilities", "meetings")
	w.found("acme", "Acme SA")
	w.verify("acme", "acme.example")
	w.connect(people)
	return w
}

// found makes an organization with seats and a token for its identity provider.
func (w *town) found(slug, name string) {
	w.Helper()
	w.usher("org", "create", slug, "--name", name)
	w.usher("subscription", "create", slug, "gold", "--units", "50")
	w.tokens[slug] = strings.TrimSpace(w.usher("token", "create", slug, "--scopes", "scim"))
}

// verify proves a mail domain, by a record in DNS.
func (w *town) verify(slug, domain string) {
	w.Helper()
	var shown struct {
		State  string
		Record struct{ Name, Value string }
	}
	w.shown(&shown, "domain", "add", slug, domain)
	w.names.set(func() { w.names.texts[shown.Record.Name+"."] = [][]string{{shown.Record.Value}} })
	if w.shown(&shown, "domain", "verify", slug, domain); shown.State != "verified" {
		w.Fatalf("the domain is %s", shown.State)
	}
}

// connection is what the API shows of one.
type connection struct {
	Register struct{ RedirectURI, PostLogoutRedirectURI, BackChannelLogoutURI string }
}

// connect makes the connection corp as an administrator would; before the provider
// runs, the administrator is told that it does not.
func (w *town) connect(people []dextest.User) {
	w.Helper()
	redirect := w.root() + "/sso/acme/corp/callback"
	args := []string{"sso", "add", "acme", "corp", "--label", "Acme ID", "--issuer", w.dex.URL, "--client-id", "usher", "--client-secret-file", file(w.T, "s3cret-of-acme\n")}
	env := map[string]string{"USHER_API_URL": w.APIURL, "USHER_API_TOKEN": w.APIToken}
	if got := wantCode(w.T, exitUsage, env, args...); !strings.Contains(got.stderr, "discovery document cannot be had") {
		w.Errorf("a provider that does not run: %s", got.stderr)
	}
	w.dex.Start(w, []dextest.Client{{ID: "usher", Secret: "s3cret-of-acme", Redirects: []string{redirect}}}, people)
	var cn connection
	if w.shown(&cn, args...); cn.Register.RedirectURI != redirect || cn.Register.PostLogoutRedirectURI != w.root()+"/signin" {
		w.Errorf("the connection is %+v", cn)
	}
}

// usher runs a command of an administrator and gives what it says.
func (w *town) usher(args ...string) string {
	w.Helper()
	return wantCode(w.T, exitOK, map[string]string{"USHER_API_URL": w.APIURL, "USHER_API_TOKEN": w.APIToken}, args...).stdout
}

// shown runs a command and reads the JSON that it shows.
func (w *town) shown(out any, args ...string) {
	w.Helper()
	text := w.usher(append(args, "--output", "json")...)
	if err := json.Unmarshal([]byte(text), out); err != nil {
		w.Fatalf("usher %s: %v\n%s", strings.Join(args, " "), err, text)
	}
}

// items runs a command that shows a list.
func items[T any](w *town, args ...string) []T {
	w.Helper()
	var all struct{ Items, Checks []T }
	w.shown(&all, args...)
	return append(all.Items, all.Checks...)
}

// scim sends a request of the identity provider of an organization.
func (w *town) scim(slug, method, path, body string, want int) string {
	w.Helper()
	req, err := http.NewRequestWithContext(w.Context(), method, w.root()+"/orgs/"+slug+"/scim/v2"+path, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+w.tokens[slug])
	req.Header.Set("Content-Type", "application/scim+json")
	resp, err := browser().Do(req)
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != want {
		w.Fatalf("%s %s: status %d, want %d: %s (%v)", method, path, resp.StatusCode, want, text, err)
	}
	return string(text)
}

// newcomer is a user as an identity provider pushes it.
type newcomer struct {
	address, given, family string
	language               string
	skus                   []string
	suppressed             bool
}

func (n *newcomer) document() string {
	type object = map[string]any
	doc := object{
		"schemas":  []string{"urn:ietf:params:scim:schemas:core:2.0:User", resources.LicenceUserURN, resources.LifecycleURN},
		"userName": n.address, "externalId": "x-" + n.address, "displayName": n.given + " " + n.family,
		"name":   object{"givenName": n.given, "familyName": n.family},
		"emails": []object{{"value": n.address, "primary": true, "type": "work"}},
	}
	if n.language != "" {
		doc["preferredLanguage"] = n.language
	}
	if len(n.skus) > 0 {
		doc[resources.LicenceUserURN] = object{"licenses": n.skus}
	}
	if n.suppressed {
		doc[resources.LifecycleURN] = object{"suppressActivationEmail": true}
	}
	text, err := json.Marshal(doc)
	if err != nil {
		panic(err) // it holds texts alone
	}
	return string(text)
}

// push creates a user over SCIM and gives its id.
func (w *town) push(slug string, n newcomer) string {
	w.Helper()
	var made struct{ ID string }
	if err := json.Unmarshal([]byte(w.scim(slug, "POST", "/Users", n.document(), 201)), &made); err != nil {
		w.Fatal(err)
	}
	return made.ID
}

// patch replaces one value of a user over SCIM.
func (w *town) patch(slug, id, path, value string) {
	w.Helper()
	w.scim(slug, "PATCH", "/Users/"+id, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"`+path+`","value":`+value+`}]}`, 200)
}

// letter is a mail as the inbox shows it.
type letter struct {
	ID                  int
	To                  []string
	Subject, Text, HTML string
	Links               []string
	Headers             []struct{ Name, Value string }
}

// link is the address by which the letter brings somebody in.
func (l *letter) link(w *town) string {
	w.Helper()
	for _, s := range l.Links {
		if strings.HasPrefix(s, w.root()) && strings.Contains(s, "?t=") {
			return s
		}
	}
	w.Fatalf("no link in\n%s", l.Text)
	return ""
}

// letters are the mails to an address, newest first.
func (w *town) letters(address string) []letter {
	w.Helper()
	var all struct{ Messages []letter }
	w.read(w.InboxURL+"/messages?to="+url.QueryEscape(address), &all)
	return all.Messages
}

// letter waits until there are n mails to an address and gives the newest.
func (w *town) letter(address string, n int) letter {
	w.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		all := w.letters(address)
		if len(all) == n {
			var l letter
			w.read(w.InboxURL+"/messages/"+strconv.Itoa(all[0].ID), &l)
			return l
		}
		if len(all) > n || time.Now().After(end) {
			w.Fatalf("%d mails to %s, want %d\n%s", len(all), address, n, w.stderr)
		}
	}
}

// settled waits until everything that is due by now has been done: work is taken
// in turn, so that the mail to somebody who is pushed now comes last.
func (w *town) settled(slug string) {
	w.Helper()
	w.folks++
	address := "canary" + strconv.Itoa(w.folks) + "@" + slug + ".example"
	id := w.push(slug, newcomer{address: address, given: "Can", family: "Ary", skus: []string{"gold"}})
	w.letter(address, 1)
	w.scim(slug, "DELETE", "/Users/"+id, "", 204)
}

// mails are the entries of the mail log about a user.
func (w *town) mails(slug, user string) []resources.Mail {
	w.Helper()
	return items[resources.Mail](w, "mail", "list", slug, "--user", user)
}

// read reads JSON that needs no token.
func (w *town) read(address string, out any) {
	w.Helper()
	resp, body := get(w.T, address, "")
	if err := json.Unmarshal([]byte(body), out); err != nil || resp.StatusCode != http.StatusOK {
		w.Fatalf("%s: status %d: %v: %s", address, resp.StatusCode, err, body)
	}
}

// state is where a user is in its life, as SCIM, the API and the timeline tell it.
type state struct{ scim, method, api, event string }

func (w *town) state(slug, id string) state {
	w.Helper()
	var shown struct{ State string }
	w.shown(&shown, "user", "show", slug, id)
	var doc map[string]json.RawMessage
	var life struct{ State, ActivationMethod string }
	text := w.scim(slug, "GET", "/Users/"+id, "", 200)
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		w.Fatal(err)
	}
	if err := json.Unmarshal(doc[resources.LifecycleURN], &life); err != nil {
		w.Fatalf("%v: %s", err, text)
	}
	s := state{scim: life.State, method: life.ActivationMethod, api: shown.State}
	for _, e := range items[struct{ Type, Rule string }](w, "user", "timeline", slug, id) {
		if e.Type == "user.activated" {
			s.event += e.Type + " " + e.Rule + "\n"
		}
	}
	return s
}

// whole is everything that a look at a link could change.
func (w *town) whole(slug, id string) string {
	w.Helper()
	return strings.Join([]string{
		w.scim(slug, "GET", "/Users/"+id, "", 200), w.usher("user", "show", slug, id, "--output", "json"),
		w.usher("mail", "list", slug, "--user", id, "--output", "json"), w.usher("session", "list", slug, id, "--output", "json"),
		w.usher("user", "timeline", slug, id, "--output", "json"),
	}, "\n")
}

// jar keeps cookies by name. That of the standard library gives no Secure ones to
// http, not even on this machine; browsers do.
type jar map[string]string

// SetCookies keeps cookies.
func (j jar) SetCookies(_ *url.URL, cookies []*http.Cookie) {
	for _, c := range cookies {
		if j[c.Name] = c.Value; c.MaxAge < 0 {
			delete(j, c.Name)
		}
	}
}

// Cookies gives them.
func (j jar) Cookies(*url.URL) []*http.Cookie {
	var out []*http.Cookie
	for name, value := range j {
		out = append(out, &http.Cookie{Name: name, Value: value})
	}
	return out
}

// visit is a request of somebody with cookies, who follows no redirect.
func (w *town) visit(cookies jar, method, address, agent string) (reply, string) {
	w.Helper()
	req, err := http.NewRequestWithContext(w.Context(), method, address, bytes.NewReader(nil))
	if err != nil {
		w.Fatal(err)
	}
	req.Header.Set("User-Agent", agent)
	c := browser()
	c.Jar = cookies
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := c.Do(req)
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header}, string(text)
}
