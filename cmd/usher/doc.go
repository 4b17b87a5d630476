// Command usher is the gateway and its command line.
//
// The flow of "usher serve": the configuration is loaded and checked
// (internal/config); the listeners are bound, so that port 0 has a number; the
// store is opened (backend) and the Directory made over it (resources); an
// empty store gets its first organization and tokens; the doors (scim, admin)
// and the probes are wired behind the front, which knows about proxies, request
// ids and headers; then listeners and janitor (jobs) run in one group until a
// signal, and drain: not ready first, requests in flight to their end, the
// store last. service.go holds one function for each of these steps.
//
// The other commands speak to a running server over its REST API: client.go
// sends the request, org.go and token.go say what and print the answer. Every
// failure is a [failure] with an exit code; main prints it once.
package main
