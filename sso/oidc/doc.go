// Package oidc is the relying party: it speaks OpenID Connect with the providers
// of organizations, and believes nothing that it has not checked.
//
// A sign-in is two calls. Start keeps a flow for ten minutes in the vault under
// the hash of its state, and gives the address at the provider and the value of a
// cookie, which is the key that the flow is sealed with; nonce and PKCE verifier
// follow from both, so that neither the store nor the browser alone is worth
// anything. Finish reads the callback: the state is taken, once, and must be this
// browser's, this connection's and this issuer's before anything is sent to
// anybody; then the code is exchanged, and the ID token is checked: by go-oidc with
// the keys of internal/jwks, and by a list of our own of what go-oidc leaves out
// (security §0 items 8 to 10, O3 to O9). Each check has a name; a Fault says which
// one failed, for administrators, and is sso_failed for everybody else. What comes
// out is a resources.Assertion; whether anybody is let in by it is not decided
// here.
//
// Endpoints are those that an administrator confirmed. Discovery is looked at
// once an hour: other paths are followed, other hosts are not, and are told of.
// Every request goes through the guarded client of internal/outbound.
//
// ServeLogout takes logout tokens, LogoutURL leads to the provider's own way out,
// HandOff makes the signed note by which an application learns who signed in.
package oidc
