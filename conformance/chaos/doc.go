// Package chaos breaks things under a running usher and looks whether anything
// was lost. It has tests only. They know usher by its processes and its doors:
// SCIM, the REST API, metrics and fsck.
//
// The flow of a run, one fault with one seed:
//
//   - A site is up (site_test.go): Redis servers of some kind (store_test.go),
//     proxies in front of them, and processes of usher (node_test.go), all real.
//     It is used for many seeds, as far as the fault leaves it usable.
//   - Four organizations are made, with tokens, subscriptions, groups and users
//     (tenant_test.go). Names are the seed's own.
//   - Clients play (load_test.go): creates, look-ups, conditional changes,
//     memberships, seats, deletions, over few names, so that they meet. Every
//     operation is noted with its beginning, its end and what is known of its
//     outcome (history_test.go). Answers must be what the fault's row of the
//     table allows: by rule, or 503 with Retry-After, in time (client_test.go).
//   - Meanwhile the fault happens and ends (fault_*_test.go). How long until
//     writes work again is measured.
//   - When all is quiet, everything is read back (check_test.go) and compared:
//     the invariants V1 to V8 and V10 to V12 of the reference, as clients see them,
//     the histories of every name, address, version, membership and pool against
//     sequential models (model_test.go), and every index against the records by
//     fsck.
//
// go test runs each of the most telling faults once. "make chaos" runs all of
// them with many seeds and prints a table. A seed is printed with what it found
// and USHER_SEED repeats it: the same operations in the same order for each
// client; how they interleave is the machine's business.
package chaos
