// Package jwks keeps the key sets of issuers at hand. Keys gives the keys a
// signature may be checked with: from memory as long as they are fresh and hold
// the wanted one, otherwise fetched, at most once a minute per issuer whatever
// anybody sends (security O6). A set is fetched anew every hour, so that keys
// which the issuer withdrew die, and outlives an issuer that does not answer by
// a day. Where an issuer's keys lie is said, or found by its discovery document
// (OpenID Connect Discovery §4), whose issuer must be the same to the letter.
package jwks
