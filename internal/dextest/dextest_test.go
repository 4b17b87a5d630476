package dextest_test

import (
	"net/url"
	"testing"

	"github.com/usher-scim/usher/internal/dextest"
)

// The provider runs, lets the right person in, and nobody else.
func TestSignIn(t *testing.T) {
	p := dextest.Reserve(t)
	const back = "http://127.0.0.1:1/callback"
	p.Start(t, []dextest.Client{{ID: "usher", Secret: "s3cret", Redirects: []string{back}}},
		[]dextest.User{{ID: "1", Email: "zoe@acme.test", Name: "Zoé", Password: "correct horse"}})
	link := p.URL + "/auth?" + url.Values{
		"client_id": {"usher"}, "redirect_uri": {back}, "response_type": {"code"}, "scope": {"openid email"}, "state": {"s"}, "nonce": {"n"},
	}.Encode()
	got, err := p.SignIn(t.Context(), link, "zoe@acme.test", "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if got.Host != "127.0.0.1:1" || got.Query().Get("code") == "" || got.Query().Get("state") != "s" {
		t.Errorf("sent back to %s", got)
	}
	if got, err := p.SignIn(t.Context(), link, "zoe@acme.test", "wrong"); err == nil {
		t.Errorf("a wrong password is let in to %s", got)
	}
}
