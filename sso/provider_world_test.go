package sso_test

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"

	"github.com/usher-scim/usher/internal/issuer"
	"github.com/usher-scim/usher/resources"
)

// startProvider starts an OpenID provider with three people, which signs in who is
// named by login_hint.
func (w *world) startProvider() {
	w.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.provider.ServeHTTP(rw, r) }))
	w.Cleanup(server.Close)
	yes, no := true, false
	var err error
	w.provider, err = issuer.New(issuer.Config{
		URL: server.URL, Alg: "ES256", Believe: true, Now: w.now, Rand: rand.Reader, HTTP: w.Client(),
		Users: []issuer.User{
			{Subject: "s-alice", Email: "alice@corp.example", Verified: &yes, Name: "Alice Martin"},
			{Subject: "s-bob", Email: "bob@other.example", Verified: &no, Name: "Bob"},
			{Subject: "s-eve", Email: "eve@nowhere.example", Verified: &yes, Name: "Eve"},
		},
		Clients: []issuer.Client{{ID: "usher", Secret: "s3cret", LogoutURI: w.URL + "/sso/acme/corp/logout"}},
	})
	if err != nil {
		w.Fatal(err)
	}
	w.issuer = server.URL
}

// txt is what DNS says of every name.
func (w *world) txt() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.records
}

// connect gives acme the domain corp.example and a connection that its people must
// sign in by.
func (w *world) connect(more ...func(*resources.ConnectionSpec)) *resources.Connection {
	w.Helper()
	ctx := w.Context()
	domain, err := w.directory.AddDomain(ctx, w.acme, "corp.example")
	if err != nil {
		w.Fatal(err)
	}
	_, value := domain.Record()
	w.mu.Lock()
	w.records = []string{value}
	w.mu.Unlock()
	if _, err := w.directory.CheckDomain(ctx, w.acme, "corp.example"); err != nil {
		w.Fatal(err)
	}
	spec := resources.ConnectionSpec{ClientSecret: "s3cret", Connection: resources.Connection{
		Name: "corp", Label: "Corp ID", Issuer: w.issuer, ClientID: "usher", Method: resources.ProofBasic, Enforced: []string{"corp.example"}, Logout: true,
		Endpoints: resources.Endpoints{
			Authorization: w.issuer + "/authorize", Token: w.issuer + "/token", JWKS: w.issuer + "/keys", UserInfo: w.issuer + "/userinfo", EndSession: w.issuer + "/end",
			IssParameter: true,
		},
	}}
	for _, m := range more {
		m(&spec)
	}
	cn, err := w.directory.CreateConnection(ctx, w.acme, spec)
	if err != nil {
		w.Fatal(err)
	}
	return cn
}
