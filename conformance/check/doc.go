// Package check proves what a SCIM 2.0 server does, by talking to it.
//
// The flow: [Run] reads what the server announces (announce.go), picks the
// checks that were asked for and lets each one speak in a session of its own
// (session.go). A check makes fresh users and groups under a random prefix
// (build.go), sends what it is about, reads everything back and states what it
// expects (want.go). The first expectation that is not met ends the check: what
// follows sends nothing and expects nothing, so that a check is a straight list
// of sentences. Whatever a session made is deleted when it ends, also after a
// failure or an interrupt; what could not be deleted is in the report.
//
// A check that asks for something the server does not announce is skipped with
// the reason. Where the RFCs allow two answers both pass, and the result's note
// says which one was seen.
//
// The checks lie in files by topic; those that differ in data only are tables.
// Sources are numbers of the requirement list (R-…), of the catalogue of
// identity provider traffic (ENT-…, OKT-…) and its tolerance rules (L-…), and
// of the security rules (S-…).
package check
