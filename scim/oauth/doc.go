// Package oauth is the authorization server of usher's SCIM clients: the token
// endpoint of each organization (RFC 6749 §4.4, client credentials) and its
// metadata (RFC 8414).
//
// A request to the token endpoint is read strictly (form.go: one form, no
// parameter twice, one way to authenticate), limited by client and address,
// and becomes a resources.Grant; whether the client gets a token, and which,
// Directory.ClientToken decides. What is wrong with a proof is never told.
package oauth
