package oidc_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// tokenOf gets an ID token past usher.
func tokenOf(t *testing.T, w *world, at *place) string {
	t.Helper()
	form := url.Values{"grant_type": {"authorization_code"}, "redirect_uri": {w.Callback(slug, at.conn.Name)}}
	const verifier = "a verifier that everybody knows, of forty-three characters"
	q := url.Values{
		"response_type": {"code"}, "client_id": {"usher"}, "redirect_uri": form["redirect_uri"], "scope": {"openid"}, "nonce": {"n"},
		"login_hint": {at.cfg.Users[0].Subject}, "code_challenge_method": {"S256"}, "code_challenge": {challenge(verifier)},
	}
	values := walk(t, at.conn.Endpoints.Authorization+"?"+q.Encode())
	form.Set("code", values.Get("code"))
	form.Set("code_verifier", verifier)
	req := httptest.NewRequest(http.MethodPost, at.conn.Endpoints.Token, strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth("usher", url.QueryEscape(secret))
	rec := httptest.NewRecorder()
	at.ServeHTTP(rec, req)
	var got struct {
		ID string `json:"id_token"`
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || got.ID == "" {
		t.Fatalf("%d %s %v", rec.Code, rec.Body, err)
	}
	return got.ID
}

// challenge is that of a verifier (RFC 7636 §4.2).
func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
