// Package jobs does the work that nobody waits for.
//
// The flow: cmd/usher makes a [Janitor] over the act that cleans
// (resources.Directory.Clean) and runs it beside the listeners. The janitor
// calls the act in bounded pieces until nothing is left, sleeps, and begins
// again; it backs off while the store does not answer and ends with its
// context. Nothing is kept in memory between two rounds, so any number of nodes
// may run one each and one that is killed loses nothing.
package jobs
