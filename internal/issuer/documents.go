package issuer

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// discovery answers OpenID Connect Discovery 1.0 §4.
func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	lies := p.lies()
	url := strings.TrimSuffix(p.cfg.URL, "/")
	doc := map[string]any{
		"issuer": p.cfg.URL, "authorization_endpoint": url + pathAuthorize, "token_endpoint": url + pathToken, "jwks_uri": url + pathKeys,
		"userinfo_endpoint": url + pathUserInfo, "end_session_endpoint": url + pathEnd,
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{p.cfg.Alg}, "scopes_supported": []string{"openid", "email", "profile"},
		"token_endpoint_auth_methods_supported":          []string{"client_secret_basic", "client_secret_post", "private_key_jwt", "none"},
		"code_challenge_methods_supported":               []string{"S256"},
		"authorization_response_iss_parameter_supported": true, "backchannel_logout_supported": true, "backchannel_logout_session_supported": true,
	}
	padded(w, over(doc, lies.Discovery), lies.DiscoverySize)
}

// publish answers with the key set.
func (p *Provider) publish(w http.ResponseWriter, r *http.Request) {
	lies := p.lies()
	if lies.KeysDelay > 0 {
		timer := time.NewTimer(lies.KeysDelay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return
		}
	}
	if lies.KeysRedirect != "" {
		http.Redirect(w, r, lies.KeysRedirect, http.StatusFound)
		return
	}
	padded(w, p.published(), lies.KeysSize)
}

// padded answers with JSON of at least so many bytes.
func padded(w http.ResponseWriter, v any, size int) {
	text, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "the document cannot be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text) // the client may have gone, and should when there is much
	space := bytes.Repeat([]byte(" "), 64<<10)
	for n := len(text); n < size; n += len(space) {
		if _, err := w.Write(space); err != nil {
			return
		}
	}
}
