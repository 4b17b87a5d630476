// Package issuer is a tiny OpenID provider for demonstrations and tests, never
// for production: whoever reaches it signs in as whom they like, without a
// password.
//
// A Provider is an http.Handler. It publishes discovery and keys, shows a page
// with its users (or, when it is told to, believes login_hint), gives a code for
// the chosen one, and exchanges it at the token endpoint for an ID token and an
// access token for UserInfo, with PKCE and every usual way in which a client
// proves itself. Keys rotate and are withdrawn; logout tokens are made and sent.
//
// Faults makes it lie: what a hostile provider can do is data, set at any time.
package issuer
