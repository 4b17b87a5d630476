// Package jobs does the work that nobody waits for.
//
// # Cleaning
//
// cmd/usher makes a [Janitor] over the act that cleans (resources.Directory.Clean)
// and runs it beside the listeners. The janitor calls the act in bounded pieces
// until nothing is left, sleeps, and begins again; it backs off while the store
// does not answer and ends with its context. Nothing is kept in memory between two
// rounds, so any number of nodes may run one each and one that is killed loses
// nothing.
//
// # Work that is due
//
// A [Runner] does what acts left for later (resources/due.go). The flow:
//
//   - An act adds an item to its organization's list in its own commit; the store
//     then rings a bell. Every runner takes bells, as many as it has room for, and
//     begins a turn for each organization.
//   - A turn looks whether something is due, takes the lease of the organization
//     and hands items to the act (resources.Directory.WorkOn), several at a time,
//     reading the list ahead. The act takes its item off the list in the commit of
//     the work, under the lease's token: of a worker that slept over its lease
//     nothing is written any more.
//   - A turn ends after a second, so that organizations with much to do do not keep
//     others waiting; all turns of a runner share its workers evenly. It gives the
//     lease back, looks once more, rings when something is (still) due, and gives
//     the bell back. This order misses nothing: a bell that another runner put
//     aside, because this one had the lease, was rung before the last look.
//   - An item that fails is tried again after a random pause that may grow from a
//     second to five minutes, and parked after eight tries. A panic is a failure.
//     Failures of the store are nobody's: the turn ends and the runner rests.
//   - Bells may be lost, and work may be due later: the patrol looks at all lists
//     every two seconds and rings for what it finds; what is due before its next
//     round it keeps in mind.
//
// Whoever dies keeps the lease and the bells until they run out, half a minute,
// and others go on. Doing an item twice is harmless, so nothing here has to be
// exact but the token.
package jobs
