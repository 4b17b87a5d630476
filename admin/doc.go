// Package admin is the administrators' door: a REST API under /api/ for
// organizations and everything in them, described by the OpenAPI document at
// /api/openapi.json. docs/api.md tells its conventions.
//
// The flow of a request: [New]'s handler gives it a request id and a deadline,
// bounds its body, picks the language of its texts and turns the bearer token
// into a Caller (resources.Directory.Authenticate). An operator's token with the
// scope platform gets further, and an organization's with a scope for
// administrators; what each operation takes stands beside it, is asked before
// the body is read, and again by the act. For an operation inside an
// organization the Caller becomes one that acts on it
// (resources.Directory.Operate); for others than its own there is no such
// organization. huma decodes and validates against the same types that make the
// OpenAPI document, the operation calls one act of the Directory and its answer
// is written as JSON, or streamed as CSV. Every refusal, whoever found it, leaves
// as an RFC 9457 problem with a stable code; status.go is the only place that
// turns a resources.Code into a status.
//
// A POST with an Idempotency-Key (once.go) is done once: the ids of what it
// creates are fixed before it begins, and its answer is remembered for a day,
// sealed with the credential that it came with. Conditions (etag.go) are checked
// inside the commit of the act. describe.go completes the OpenAPI document.
//
// Credentials are read from the Authorization header only: never from a
// cookie and never from the query (security T6). Every answer carries
// Cache-Control: no-store and X-Request-Id.
package admin
