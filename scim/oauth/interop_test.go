package oauth_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/usher-scim/usher/resources"
)

// TestForeignLibrary: a client library that knows nothing of usher gets a token
// in both styles and works with it.
func TestForeignLibrary(t *testing.T) {
	h := open(t, "", nil)
	server := httptest.NewServer(h.mux)
	defer server.Close()
	cl, secret := h.client(resources.ClientSpec{Method: resources.MethodSecret})
	plain := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, plain)
	for name, style := range map[string]oauth2.AuthStyle{"header": oauth2.AuthStyleInHeader, "form": oauth2.AuthStyleInParams, "guessed": oauth2.AuthStyleAutoDetect} {
		config := clientcredentials.Config{
			ClientID: cl.ID, ClientSecret: secret.Text, TokenURL: server.URL + "/orgs/acme/oauth/token", Scopes: []string{"scim"}, AuthStyle: style,
		}
		resp, err := config.Client(ctx).Get(server.URL + "/orgs/acme/scim/v2/Users")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		resp.Body.Close()
		if resp.StatusCode != 200 {
			t.Errorf("%s: %d", name, resp.StatusCode)
		}
	}
}
