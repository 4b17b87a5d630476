// Package journal keeps records in files so that they survive the process, and
// the machine's power: a snapshot, and after it every record since.
//
// # Flow
//
// [Lock] takes a directory for this process. [Open] reads what is there, hands
// every record to its caller in order, and goes on where the last journal ends.
// [Journal.Append] queues a record and [Journal.Wait] returns when it is on
// disk: one goroutine writes what has queued up as one frame and syncs once,
// however many wait. [Journal.Snapshot] begins a generation: records go to a new
// journal at once, the caller writes the snapshot beside, and
// [Snapshot.Commit] puts it in the place of all that came before.
//
// # Files
//
//	snapshot-0000000012   what all records before generation 12 amount to
//	journal-0000000012    the records of generation 12
//	*.new                 a snapshot that was not finished; removed when opened
//	lock                  held by the process that has the directory
//
// Each file begins with a line: the format of this package, the caller's format,
// kind, generation, a salt, the number of the first record, a checksum. Frames
// follow: 4 bytes of length, 4 of checksum (CRC-32C over salt, length, number and
// payload), 8 of the number of the frame's first record, all little-endian, and
// the payload: records, each behind its length. The salt makes it impossible that
// what somebody stores is taken for a frame. The last frame of a snapshot says
// how many there are.
//
// # What is believed
//
// A frame is written only when the one before it is synced, so a crash can leave
// no more than the end of the last journal in pieces. Those are cut off, with a
// report: nobody was told that they are kept. Anything else that does not fit (a
// bad frame before a good one, a missing file or record) is an error that names
// file and byte, and nothing is changed on disk.
//
// When writing or syncing fails, nothing more is written behind it: what has
// reached the disk is unknown. All who wait get the error, and so does every
// later record, until a snapshot of everything in memory is committed.
package journal
