package issuer

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// codeLife is how long a code can be exchanged.
const codeLife = time.Minute

// grant is what somebody agreed to.
type grant struct {
	user      *User
	client    *Client
	redirect  string
	challenge string
	nonce     string
	sid       string
	scopes    []string
	at        time.Time
	token     string // the access token
}

// page is the list of users. Each is a button, so that a keyboard and a reader
// of screens are all that is needed.
var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Sign in</title>
<style>body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:10vh auto;padding:0 1rem;color-scheme:light dark}
button{display:block;width:100%;text-align:start;font:inherit;padding:.75rem 1rem;margin:.5rem 0}</style></head>
<body><main><h1>Sign in</h1>
<p>This provider is for demonstrations and tests. Choose who you are; nobody asks for a password.</p>
<form method="post">{{range .Users}}
<button name="user" value="{{.Subject}}">{{if .Name}}{{.Name}}{{else}}{{.Subject}}{{end}}{{with .Email}} – {{.}}{{end}}</button>{{end}}
</form></main></body></html>
`))

// authorize shows the page, or believes the hint.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	g, q := p.asks(w, r)
	if g == nil {
		return
	}
	if u := p.user(q.Get("login_hint")); u != nil && p.cfg.Believe {
		p.grant(w, r, g, u)
		return
	}
	if q.Get("prompt") == "none" {
		p.back(w, r, g, url.Values{"error": {"login_required"}})
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	w.Header().Set("Referrer-Policy", "no-referrer")
	_ = page.Execute(w, p.cfg) // the browser may have gone
}

// chosen takes who was chosen on the page.
func (p *Provider) chosen(w http.ResponseWriter, r *http.Request) {
	g, _ := p.asks(w, r)
	if g == nil {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	u := p.user(r.PostFormValue("user"))
	if u == nil {
		http.Error(w, "There is no such user here.", http.StatusBadRequest)
		return
	}
	p.grant(w, r, g, u)
}

// asks reads an authorization request. What is wrong with it is answered; then
// the grant is nil.
func (p *Provider) asks(w http.ResponseWriter, r *http.Request) (*grant, url.Values) {
	q := r.URL.Query()
	c := p.client(q.Get("client_id"))
	redirect := q.Get("redirect_uri")
	if c == nil || redirect == "" || len(c.Redirects) > 0 && !slices.Contains(c.Redirects, redirect) {
		http.Error(w, "The client or its redirect_uri is not known here.", http.StatusBadRequest)
		return nil, nil
	}
	g := &grant{client: c, redirect: redirect, challenge: q.Get("code_challenge"), nonce: q.Get("nonce"), scopes: strings.Fields(q.Get("scope"))}
	if deny := p.lies().Deny; deny != "" {
		p.back(w, r, g, url.Values{"error": {deny}, "error_description": {"<script>not for you</script>"}})
		return nil, nil
	}
	if q.Get("response_type") != "code" || !slices.Contains(g.scopes, "openid") || g.challenge == "" || q.Get("code_challenge_method") != "S256" {
		p.back(w, r, g, url.Values{"error": {"invalid_request"}, "error_description": {"It takes response_type=code, scope=openid and PKCE with S256."}})
		return nil, nil
	}
	return g, q
}

// grant gives a code for a user.
func (p *Provider) grant(w http.ResponseWriter, r *http.Request, g *grant, u *User) {
	names := make([]string, 3)
	for i := range names {
		var err error
		if names[i], err = p.name(); err != nil {
			http.Error(w, "There is no randomness.", http.StatusInternalServerError)
			return
		}
	}
	g.user, g.sid, g.token, g.at = u, names[1], names[2], p.cfg.Now()
	p.mu.Lock()
	for code, old := range p.grants {
		if g.at.Sub(old.at) > codeLife {
			delete(p.grants, code)
		}
	}
	p.grants[names[0]] = g
	p.mu.Unlock()
	p.back(w, r, g, url.Values{"code": {names[0]}})
}

// back sends the browser to the client.
func (p *Provider) back(w http.ResponseWriter, r *http.Request, g *grant, v url.Values) {
	if state := r.URL.Query().Get("state"); state != "" {
		v.Set("state", state)
	}
	if iss := p.lies().Iss; iss == nil {
		v.Set("iss", p.cfg.URL)
	} else if *iss != "" {
		v.Set("iss", *iss)
	}
	target := g.redirect + "?"
	if strings.Contains(g.redirect, "?") {
		target = g.redirect + "&"
	}
	w.Header().Set("Location", target+v.Encode())
	w.WriteHeader(http.StatusSeeOther)
}

// end signs somebody out, for what there is to sign out from, and sends the
// browser back (OpenID Connect RP-Initiated Logout 1.0).
func (p *Provider) end(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	c, back := p.client(q.Get("client_id")), q.Get("post_logout_redirect_uri")
	if c == nil || back == "" || len(c.PostLogout) > 0 && !slices.Contains(c.PostLogout, back) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("You are signed out.\n")) // the browser may have gone
		return
	}
	if state := q.Get("state"); state != "" {
		back += "?" + url.Values{"state": {state}}.Encode()
	}
	w.Header().Set("Location", back)
	w.WriteHeader(http.StatusSeeOther)
}
