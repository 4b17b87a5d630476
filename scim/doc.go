// Package scim is the door for identity providers: SCIM 2.0 (RFC 7643, 7644)
// under /orgs/{org}/scim/v2/.
//
// The flow of a request, all in [Server.ServeHTTP]:
//
//	request id ─▶ who asks ─▶ rate ─▶ route ─▶ organization ─▶ method ─▶ Accept ─▶ act
//
// A bearer token is turned into a resources.Caller (credential.go); the
// organization comes from it alone, and the one in the path must be the same
// (security S1). The route table (route.go) is made from the registry of
// resource types, so that a new type is served, validated, discovered and tested
// without another line. What an organization declares makes a world of its own
// (world.go): registry, routes, discovery; all others share one. The act reads
// the query and the body within limits (query.go, negotiate.go), calls the write
// or read itself (write.go, read.go), and shows the result.
//
// What is stored is the final JSON of a resource but for what other resources
// decide. Showing one copies those bytes and adds groups and meta (render.go);
// only a projection that goes into the document decodes it, or a type with
// attributes that are not shown to everybody. Members are read and
// written in chunks (stream.go), so that a group of any size is shown in
// constant memory; when reading fails in the middle the connection is cut, and
// nobody takes a part for the whole. A PATCH of members reads neither document
// nor membership before it commits, and afterwards the members only of a group
// that has at most a thousand of them.
//
// A version (condition.go) covers everything an answer shows: of a user the
// document and the groups, of a group the document and the membership. Writes
// compare If-Match inside the commit's closure, with the record they change.
//
// Every error becomes an answer in one place (problem.go): a SCIM error with the
// stable code of domain.md §4.13 in the header Usher-Error-Code and in front of
// the detail. What is not known there is a 500 with a neutral sentence, and the
// cause stays in the log.
//
// A Bulk (bulk.go) makes each of its operations a call of its own, through the
// same act as a single request. Searches by POST (search.go) fill the same
// parameters as a query; at the root every type is asked in turn. /Me (me.go) is
// another address of the user that a token stands for.
//
// The registry's handlers (handler.go) offer the same reads and writes as
// elimity's scim.ResourceHandler. Tests run the library's own server over them
// and compare its answers with the door's.
//
// Of the sub-packages oauth is a small door of its own, the token endpoint;
// credential.go checks what it issues. The others know no HTTP: schema judges
// values, filter reads filters and paths, patch applies PATCH.
package scim
