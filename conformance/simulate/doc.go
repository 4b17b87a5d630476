// Package simulate plays identity providers against a SCIM server, in their
// own dialects and with what goes wrong in practice, and then holds the server
// against its own idea of what must have come of it.
//
// The flow of a run: [New] makes a simulator for one SCIM root. It tests the
// connection as its dialect does, plans a first cycle (plan.go) that creates
// users, groups, memberships and managers, and then cycles of changes
// (plan_delta.go): joiners, movers, leavers, people who come back, groups that
// are pushed too early, in another order, twice. A plan is data and depends on
// the seed only; workers carry it out (perform.go, create.go), an act at a
// time, each act in the dialect's own requests (dialects.go, dialect_*.go).
// Whatever succeeded is entered into the model (model.go). After every cycle
// and at the end the server is read and compared with the model (verify.go,
// compare.go): every attribute that was set, memberships from both sides,
// look-ups, names and ids that must be gone. At the end everything is deleted.
//
// Requests are paced, measured and repeated as the server asks (client.go,
// measure.go). [RunAll] runs many simulators at once and merges their reports
// (fleet.go, report.go).
//
// Ids such as ENT-11 or OKT-12 name the recorded exchanges in
// conformance/exchanges, which hold the same forms one by one.
package simulate
