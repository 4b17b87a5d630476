package sso_test

import (
	"testing"

	"github.com/usher-scim/usher/resources"
)

// TestHintStaysHome: who has followed a link is named to the provider of its own
// organization, and to no other that a page may lead the browser to.
func TestHintStaysHome(t *testing.T) {
	onBoth(t, func(w *world) {
		w.connect()
		ctx := w.Context()
		if _, err := w.directory.CreateOrg(ctx, platform(), "other", "Other"); err != nil {
			w.Fatal(err)
		}
		other, err := w.directory.Operate(ctx, platform(), "other")
		if err != nil {
			w.Fatal(err)
		}
		if _, err := w.directory.CreateConnection(ctx, other, resources.ConnectionSpec{ClientSecret: "s3cret", Connection: resources.Connection{
			Name: "corp", Issuer: w.issuer, ClientID: "usher", Method: resources.ProofBasic,
			Endpoints: resources.Endpoints{Authorization: w.issuer + "/authorize", Token: w.issuer + "/token", JWKS: w.issuer + "/keys"},
		}}); err != nil {
			w.Fatal(err)
		}
		_, l := w.invite("alice@corp.example", "Alice Martin", "en")
		b := w.browser()
		b.get(l.Path).want(w, 200, "/activate")
		b.follow = false
		hint := func(org string) string {
			to := b.get("/sso/"+org+"/corp/start").want(w, 303, "/sso/"+org+"/corp/start").Header.Get("Location")
			return mustURL(w, to).Query().Get("login_hint")
		}
		if got := hint("other"); got != "" {
			w.Errorf("another organization's provider is told %q", got)
		}
		if got := hint("acme"); got != "alice@corp.example" {
			w.Errorf("the own provider is told %q", got)
		}
	})
}
