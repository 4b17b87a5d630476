// Package conformance proves things about SCIM servers and stores. Its checks
// give errors and need no test: tests run them, and so can other programs.
//
// The store checks (store.go) hold a store against the promises of
// resources.Store. The player (play.go) holds a SCIM server against recorded
// traffic of identity providers; the recordings are in exchanges/. Package check
// below this one holds any SCIM server against the RFCs, one promise at a time.
//
// The player of recorded exchanges lets an identity provider's traffic be
// written down once and sent to any SCIM server. A recording is a txtar archive
// (golang.org/x/tools/txtar): a comment, then one file per exchange, played in
// order.
//
//	Entra ID, first cycle of a fresh connection.
//	profile: entra
//	header: User-Agent: ExampleProvisioner/1.0
//
//	-- ENT-08 create Amélie --
//	POST {base}/Users
//
//	{"userName":"amelie@{domain}","active":"True"}
//
//	=> 201
//	Location: {base}/Users/{set:u1}
//
//	{"id":"{u1}","active":true,"roles":"$absent","meta":{"version":"$set e1"}}
//
// The comment is prose, but for lines that begin with "profile:" (the
// connection profile the recording is meant for) and "header:" (a header of
// every request). The name of an exchange begins with the block id of the wire
// catalogue it re-makes, if it re-makes one.
//
// The request is a request line, headers, an empty line and a body, the last two
// when there is one. The target may hold spaces, quotes and non-ASCII letters:
// the player percent-encodes what may not stand in a request line and leaves
// everything else, %-escapes included, as written. Unless the exchange says
// otherwise the player adds Authorization with the client's token, Accept:
// application/scim+json, and for a body Content-Type: application/scim+json.
// "Name: -" leaves the header out.
//
// The expectation starts with "=>" and the acceptable statuses, separated by
// "|". Header expectations and, after an empty line, a JSON value follow. Without
// a JSON value the body is not looked at; the line "(empty)" in its place asks for no
// body at all.
//
// {name} stands for a variable, anywhere: as it is in headers, escaped in JSON,
// percent-encoded in the request line. {base} is the base URL and is never
// encoded. An unknown name is an error.
//
// A header expectation is a text in which {set:name} captures a variable and *
// stands for any text; "-" alone says that the header must be absent, "= name"
// that it equals the variable, "!= name" that it differs.
//
// A JSON expectation matches in part: of an object the listed members must
// match, with names in exactly this spelling, and others may be there. Scalars
// must be equal in type and value. Arrays must have the same length and match
// element by element. These strings mean more than themselves:
//
//	"$any"          any value that is not null, "", [] or {}
//	"$absent"       the member must not be there
//	"$empty"        the member is not there, or null, or []
//	"$set name"     any such value; a string or number is kept in the variable
//	"$same name"    a string or number equal to the variable, as text
//	"$differs name" a string or number that is there and differs from it
//	"$has text"     a string that contains the text
//	"$string", "$number"   any value of the type
//	"$$…"           the text without the first $
//
// An array that begins with a keyword is not compared element by element:
// ["$contains", a, b] asks that different elements match a and b, ["$lacks", a]
// that no element matches a, ["$unordered", a, b] for the same elements in any
// order, ["$len", 3] for the length only. An object with the member "$only":
// true must not have members other than the listed ones.
//
// That a write changed nothing is said by capturing meta.lastModified and
// meta.version before it ("$set lm") and comparing after it ("$same lm").
package conformance
