package main

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/usher-scim/usher/internal/issuer"
	"github.com/usher-scim/usher/resources"
)

// second is an OpenID provider that signs people out, too, which Dex does not.
type second struct {
	*issuer.Provider
	server *httptest.Server
}

// reserve starts a server for the provider, which begins to work with begin.
func (w *town) reserve() *second {
	w.Helper()
	s := &second{}
	s.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { s.ServeHTTP(rw, r) }))
	w.Cleanup(s.server.Close)
	return s
}

// begin makes the provider with its one user, and its client as the connection says.
func (s *second) begin(w *town, redirect, logout, back string) {
	w.Helper()
	yes := true
	var err error
	s.Provider, err = issuer.New(issuer.Config{
		URL: s.server.URL, Alg: "ES256", Now: time.Now, Rand: rand.Reader, HTTP: browser(),
		Users: []issuer.User{{Subject: "s-gil", Email: "gil@hooli.example", Verified: &yes, Name: "Gil Berto"}},
		Clients: []issuer.Client{{
			ID: "usher", Secret: "s3cret-of-hooli", Redirects: []string{redirect}, LogoutURI: logout, PostLogout: []string{back},
		}},
	})
	if err != nil {
		w.Fatal(err)
	}
}

// leaving is an organization without provisioning: its people come by themselves
// (BR-118), and leave here and at the provider, whoever says so first.
func (w *town) leaving(in context.Context) {
	const slug = "hooli"
	at := w.root() + "/sso/hooli/own"
	w.other.begin(w, at+"/callback", at+"/logout", w.root()+"/signin")
	w.usher("org", "create", slug, "--name", "Hooli")
	w.verify(slug, "hooli.example")
	var cn connection
	w.shown(&cn, "sso", "add", slug, "own", "--issuer", w.other.server.URL, "--client-id", "usher", "--client-secret-file", file(w.T, "s3cret-of-hooli"), "--logout", "--enforce", "hooli.example")
	if r := cn.Register; r.RedirectURI != at+"/callback" || r.BackChannelLogoutURI != at+"/logout" || r.PostLogoutRedirectURI != w.root()+"/signin" {
		w.Errorf("the connection is %+v", cn)
	}
	p := w.person(in, "leaving", "en")
	enter := func() jar {
		p.goes(w.root() + "/signin")
		p.types("#address", "gil@hooli.example")
		p.submits()
		p.reach(w.other.server.URL + "/authorize")
		p.presses("button[name=user]")
		p.at("/me", "gil@hooli.example", "Hooli")
		return p.cookies()
	}
	session := enter()
	users := items[struct{ ID, State, Source string }](w, "user", "list", slug)
	if len(users) != 1 || users[0].State != resources.StateActive {
		w.Fatalf("the users are %+v", users)
	}

	// Out at the provider and back (OpenID Connect RP-Initiated Logout 1.0).
	asked := w.other.Asked("/end")
	p.presses("form[action='/signout'] button")
	p.at("/signin", "Sign in")
	if n := w.other.Asked("/end") - asked; n != 1 {
		w.Errorf("the provider was told %d times", n)
	}
	w.outOf(slug, session)

	// The provider says so (OpenID Connect Back-Channel Logout 1.0), once.
	session = enter()
	token, err := w.other.LogoutToken("usher", "s-gil", "", issuer.Lie{})
	if err != nil {
		w.Fatal(err)
	}
	for i, want := range []int{http.StatusOK, http.StatusBadRequest} {
		if got, err := w.other.SendLogout(w.Context(), "usher", token); got != want || err != nil {
			w.Errorf("%d: the logout token is answered %d, %v", i, got, err)
		}
	}
	w.outOf(slug, session)

	// The administrator says so.
	session = enter()
	if text := w.usher("session", "list", slug, users[0].ID); !strings.Contains(text, "sso") || !strings.Contains(text, "127.0.0.1") {
		w.Errorf("the sessions are\n%s", text)
	}
	w.usher("session", "revoke", slug, users[0].ID)
	w.outOf(slug, session)
}
