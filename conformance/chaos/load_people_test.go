package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// bossKey is the key of an organization's administrators.
func bossKey(t *tenant) string { return "boss:" + t.slug }

// rule makes somebody an administrator, or no longer. The last one stays (V10).
func (c *client) rule(ctx context.Context, t *tenant) {
	key := bossKey(t)
	if c.h.worn(key) {
		return
	}
	i := c.dice.IntN(len(t.bosses))
	e, method := event{key: key, what: "appoint", value: strconv.Itoa(i)}, http.MethodPut
	if c.dice.IntN(2) == 0 {
		e.what, method = "dismiss", http.MethodDelete
	}
	c.write(ctx, e, method, "/api/v1/orgs/"+t.slug+"/admins/"+t.bosses[i]+"/roles/full_admin", c.site.apiToken, "", nil, []int{http.StatusForbidden})
}

// rulers reads who is an administrator.
func (c *client) rulers(ctx context.Context, t *tenant) bool {
	e := event{client: c.n, key: bossKey(t), what: "list", result: done, call: c.h.now()}
	a := c.send(ctx, c.n, http.MethodGet, "/api/v1/orgs/"+t.slug+"/admins", c.site.apiToken, "")
	if a.status != http.StatusOK {
		return false
	}
	for _, m := range listOf(jsonOf(a), "items") {
		if i := slices.Index(t.bosses, textOf(m, "user")); i >= 0 && m["active"] == true {
			e.out += strconv.Itoa(i)
		}
	}
	// That the first one was made may be what is lost.
	if e.out = sorted(e.out); e.out == "" && !c.lost {
		c.violation("V10: an organization has no administrator")
	}
	c.h.note(e)
	return true
}

// guest is somebody who comes by a link and signs in with a password.
type guest struct {
	t          *tenant
	id, mail   string
	link       string
	cookies    []string // of sessions that were begun
	let        int      // how often the link let somebody in, as far as is known
	away, sure bool     // somebody ended the account, and that is acknowledged
}

const guestPassword = "Correct-Horse-42"

// host lets one guest after the other in, until stop is closed: two browsers use
// the link at once, and then the account may end.
func (l *load) host(ctx context.Context, t *tenant, client int, stop <-chan struct{}) {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		case <-time.After(400 * time.Millisecond):
		}
		g := &guest{t: t, mail: fmt.Sprintf("guest-%d.s%d@%s.example", n, l.seed, t.slug)}
		if !l.invite(ctx, client, g, n) {
			continue
		}
		l.mu.Lock()
		l.guests = append(l.guests, g)
		l.mu.Unlock()
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() { l.arrive(ctx, client, g) })
		}
		both.Wait()
		if n%2 == 0 {
			continue
		}
		l.mu.Lock()
		g.away = true
		l.mu.Unlock()
		method, payload := http.MethodDelete, ""
		if n%4 == 1 {
			method, payload = http.MethodPatch, patch(map[string]any{"op": "replace", "path": "active", "value": false})
		}
		a := l.send(ctx, client, method, t.path("/Users/"+g.id), t.token, payload)
		l.mu.Lock()
		g.sure = a.status == http.StatusOK || a.status == http.StatusNoContent
		l.mu.Unlock()
	}
}

// invite makes a guest and his link, as an administrator does who hands it out.
func (l *load) invite(ctx context.Context, client int, g *guest, n int) bool {
	name, at := "guest-"+strconv.Itoa(n), "/api/v1/orgs/"+g.t.slug
	l.mu.Lock()
	l.attempts[g.t.slug+" "+name] = unknown
	l.mu.Unlock()
	a := l.send(ctx, client, http.MethodPost, at+"/users", l.site.apiToken, body(map[string]any{
		"userName": name, "emails": []any{map[string]any{"value": g.mail, "primary": true}},
	}))
	if g.id = idOf(a); a.status != http.StatusCreated {
		return false
	}
	next := ""
	for {
		a = l.send(ctx, client, http.MethodPost, at+"/activation-links?limit=200&cursor="+url.QueryEscape(next), l.site.apiToken, "")
		for _, m := range listOf(jsonOf(a), "items") {
			if textOf(m, "user") == g.id {
				g.link = textOf(m, "path")
				return a.status == http.StatusOK
			}
		}
		if next = textOf(jsonOf(a), "next"); next == "" {
			return false
		}
	}
}

// arrive goes from a link to a session.
func (l *load) arrive(ctx context.Context, client int, g *guest) {
	b := &browser{load: l, client: client}
	if session := b.activate(ctx, g); session != "" {
		l.mu.Lock()
		g.cookies, g.let = append(g.cookies, session), g.let+1
		l.mu.Unlock()
	}
}

// activate goes through the pages behind a link and gives the session that it
// led to, if any.
func (b *browser) activate(ctx context.Context, g *guest) string {
	if a := b.page(ctx, http.MethodGet, g.link, nil); a.leads != "/activate" {
		return ""
	}
	for _, step := range []struct {
		path, leads string
		form        url.Values
	}{
		{"/activate", "/activate/password", url.Values{"with": {"password"}}},
		{"/activate/password", "/activate/name", url.Values{"password": {guestPassword}}},
		{"/activate/name", "/activate/done", url.Values{"name": {"Guest"}}},
	} {
		if a := b.page(ctx, http.MethodPost, step.path, step.form); a.leads != step.leads {
			return ""
		}
	}
	return b.jar[sessionCookie]
}

const sessionCookie = "__Host-usher"

// browser is a client of the pages, with cookies.
type browser struct {
	*load
	client int
	jar    map[string]string
}

// byPages are statuses that pages have beside those of the other doors: what has
// been done leads on, a link that is used up is gone.
var byPages = append(slices.Clone(byRule), http.StatusSeeOther, http.StatusGone)

// page asks for a page or sends its form.
func (b *browser) page(ctx context.Context, method, path string, form url.Values) answer {
	ctx, cancel := context.WithTimeout(ctx, b.hang)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+b.pick(b.client).addr+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.violation("%v", err)
		return answer{}
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for name, value := range b.jar {
		req.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	began := time.Now()
	resp, err := b.http.Do(req)
	a := answer{sent: !errors.Is(err, syscall.ECONNREFUSED)}
	retry := ""
	if err == nil {
		a.status, a.leads, retry = resp.StatusCode, resp.Header.Get("Location"), resp.Header.Get("Retry-After")
		_ = resp.Body.Close() // headers say it all
		b.keep(resp.Cookies())
	}
	what, _, _ := strings.Cut(path, "?")
	rule := byPages
	if b.lost { // the password that was chosen on the page before, too
		rule = append(slices.Clone(rule), http.StatusUnprocessableEntity)
	}
	b.judgeBy(rule, method+" "+what, a, retry, err, time.Since(began))
	return a
}

func (b *browser) keep(cookies []*http.Cookie) {
	for _, c := range cookies {
		if b.jar == nil {
			b.jar = map[string]string{}
		}
		if b.jar[c.Name] = c.Value; c.Value == "" {
			delete(b.jar, c.Name)
		}
	}
}

// guestsAtEnd checks that a link let in one at most (V12), that those whose
// account has ended are out with all they had (V11), and that the others are in.
func (r *run) guestsAtEnd(ctx context.Context, l *load) {
	for i, g := range l.guests {
		if g.let > 1 {
			r.violation("V12: a link let in %d", g.let)
		}
		if g.away && !g.sure {
			continue // nobody knows
		}
		for _, session := range g.cookies {
			b := &browser{load: l, jar: map[string]string{sessionCookie: session}}
			switch a := b.page(ctx, http.MethodGet, "/me", nil); {
			case g.sure && a.status == http.StatusOK:
				r.violation("V11: a session goes on after its account has ended")
			case !g.away && !r.s.skewed && a.status != http.StatusOK:
				r.violation("V1: a session that was begun is gone: answer %d", a.status)
			}
		}
		if !g.sure || i%4 != 1 {
			continue // a password takes its time
		}
		b := &browser{load: l}
		b.activate(ctx, g)
		b.page(ctx, http.MethodPost, "/signin", url.Values{"address": {g.mail}, "password": {guestPassword}})
		if b.jar[sessionCookie] != "" {
			r.violation("V11: somebody signs in whose account has ended")
		}
	}
}

// events checks that a user's events tell of each of its versions, in their
// order and without a gap (V8).
func (r *run) events(ctx context.Context, t *tenant, ids []string) {
	for _, id := range ids {
		var versions []int
		for next := ""; ; {
			a := r.send(ctx, 0, http.MethodGet, "/api/v1/orgs/"+t.slug+"/users/"+id+"/timeline?limit=200&cursor="+url.QueryEscape(next), r.site.apiToken, "")
			if a.status != http.StatusOK {
				r.violation("the final reading of events fails: answer %d", a.status)
				return
			}
			for _, m := range listOf(jsonOf(a), "items") {
				if v, ok := m["version"].(float64); ok {
					versions = append(versions, int(v))
				}
			}
			if next = textOf(jsonOf(a), "next"); next == "" {
				break
			}
		}
		a := r.send(ctx, 0, http.MethodGet, "/api/v1/orgs/"+t.slug+"/users/"+id, r.site.apiToken, "")
		last, _ := jsonOf(a)["version"].(float64)
		for i, v := range slices.Compact(versions) { // the newest comes first
			if want := int(last) - i; v != want {
				r.violation("V8: events of a user tell of version %d where %d is wanted: %v", v, want, versions)
				break
			}
		}
		if len(versions) > 0 && versions[len(versions)-1] != 1 {
			r.violation("V8: the first event of a user is of version %d", versions[len(versions)-1])
		}
	}
}
