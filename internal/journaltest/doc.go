// Package journaltest has a disk in memory for tests of journals: it loses power,
// runs full and fails when it is told to.
//
// [New] makes one, and it is handed to a journal as its journal.Disk. What was not
// synced is kept apart, so that [Disk.PowerCut] can drop it: what files hold as
// well as which files there are.
package journaltest
