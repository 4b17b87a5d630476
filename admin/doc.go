// Package admin is the administrators' door: a REST API under /api/ for
// organizations and their provisioning tokens, described by the OpenAPI
// document at /api/openapi.json.
//
// The flow of a request: [New]'s handler gives it a request id and a deadline,
// bounds its body and turns the bearer token into a Caller
// (resources.Directory.Authenticate); only an API token with the scope
// platform gets further, except to the OpenAPI document, which tells nothing
// of anybody. huma decodes and validates against the same types
// that make the OpenAPI document, the operation calls one act of the Directory
// and its answer is written as JSON. Every refusal, whoever found it, leaves
// as an RFC 9457 problem with a stable code; problem.go is the only place that
// turns a resources.Code into a status.
//
// Credentials are read from the Authorization header only: never from a
// cookie and never from the query (security T6). Every answer carries
// Cache-Control: no-store and X-Request-Id.
package admin
