// Package jwk reads sets of public keys (RFC 7517). Parse takes the text of a
// set apart strictly and keeps the keys that signatures may be checked with:
// RSA of 2048 to 8192 bits, P-256, P-384 and Ed25519 (RFC 7518 §6, RFC 8037).
// It does no I/O and relies on the standard library for every number and
// point.
package jwk
