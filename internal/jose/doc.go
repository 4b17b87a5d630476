// Package jose reads signed tokens: JSON Web Tokens in the compact form of JWS
// (RFC 7515, RFC 7519). Parse takes a token apart within narrow bounds and
// believes nothing; Verify checks its signature with the keys it is given,
// under asymmetric algorithms only. What the claims must say is the caller's
// business.
package jose
