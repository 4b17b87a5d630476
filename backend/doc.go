// Package backend keeps usher's state in Redis: a server when a URL is given,
// else one inside the process (miniredis), in memory.
//
// # Flow
//
// [Open] connects and checks the server. A write is a unit of work:
// [Store.Update] runs the caller's closure over a unit, which notes what it
// reads and collects what it asks for; a plan spells that out; one script,
// scripts/commit.lua, compares what was seen, decides links, pools and lines,
// appends the events and writes. The script knows no rule of the domain. Each
// attempt has a name (the stamp), which the script remembers for one to two
// minutes, so that an attempt whose reply was lost is sent again and applied
// once. When something that was seen has changed, the closure runs again.
//
// Reads are single commands, pipelines or small scripts. [Store.Find] answers
// by rank where an index holds the matches side by side in the wanted order,
// and otherwise gathers ids, looks at records, orders and cuts out the page.
// [Store.Sweep] and [Store.Erase] clean in pieces; [Store.Fsck] compares every
// index, link, claim, pool and line with the records.
// Work that is due stands in a list of each organization, written by the commit;
// queue.go and bell.go are how workers find it and share it (resources.Queue). One
// goroutine of the Store rings for what commits made due.
//
// [Store.Backup] writes what is true about an organization to a file, as it was at
// one moment; [Store.Restore] reads it and derives the rest. For this all scripts
// that change what is true begin with scripts/guard.lua. True are the records
// (u g t o r s), gm, gv, mk, ev, du, dt, dp, dc, vt, xp, of sp those that
// resources.Holdings calls others', and tl and tr of groups that were disbanded.
// Left behind are at, lz, bl, br, bk, rs, in, ab, and tl and tr of all other
// groups; everything else is derived.
//
// # Keys
//
// Every key but the claims carries the organization's tag, so that an
// organization stands in one slot. Letters before the tag:
//
//	u g t o  <l>:{org}:<id>  string  a record: user, group, token, organization (codec.go)
//	r s                              the same: resource of a declared type, setting
//	uc un uz … <code>:{org}          an index, see resources.Index.Code; by shape:
//	                         hash    Unique: value to id. Equal: value to ids, 20 bytes each, in a row
//	                         zset    Text: score 0, "value\0id". Time: score ms, id. Member: score 0, id
//	gm  gm:{org}:<group>     zset    ids of a group's members, score 0: the truth about membership
//	ug  ug:{org}:<id>        string  ids of the groups of a member, 20 bytes each, in a row: derived from
//	                                 gm in the same commit; readers leave out groups that gd does not
//	                                 know. A string, so that a page reads it in the MGET of the records
//	mk  mk:{org}             hash    group to the setting of the change of its membership that is made
//	                                 in many commits, while it is under way
//	gv  gv:{org}             hash    group to "<count of membership changes>:<ms of the last>"
//	gd  gd:{org}             hash    group to its display text; has every group that exists
//	ev  ev:{org}             stream  the events, one field "e" of compact JSON; ids are commit numbers
//	sp  sp:{org}:<pool>      set     holders of a pool
//	ln  ln:{org}:<line>      zset    a line in front of pools: score ms since when, holder
//	pl  pl:{org}             set     the keys of the pools and lines that are not empty
//	cl  cl:{org}             hash    the organization's claims: "<kind>|<key>" to "<holder>|<attempt>"
//	xp  xp:{org}             zset    what expires: score ms, the key of the thing
//	tl  tl:{org}             zset    deleted groups whose members' side is not cleared yet; score 1: they
//	                                 become due as it is
//	tr  tr:{org}:<group>     zset    the members such a group had
//	du  du:{org}             zset    what is due: score microseconds, the item
//	dt  dt:{org}             hash    item to "<score> <tries>": how often it failed, while it has this score
//	dp  dp:{org}             zset    parked items: score ms since when;   dc:{org} hash item to "<tries> <cause>"
//	lz  lz:{org}             string  the lease: "L1", 25 bytes of token, 13 digits of its end in ms, the worker
//	bl  bl:{platform}        stream  bells, field "o" is an organization; one group of consumers, workers
//	br  br:{platform}        hash    organization to its message that nobody has taken yet
//	at  at:{org}:0|1         hash    attempts of even and odd minutes to their commits; "m" is the minute
//	vt  vt:{org}:<purpose>:<hash of key>  string  a secret: 13 digits of expiry in ms, value
//	wt  wt:{…}               string  written and deleted by one script, so that WAIT has a write to wait for
//	bk  bk:{org}             hash    a backup that runs: field "" is its mark, all others what was written
//	                                 since it began (scripts/guard.lua)
//	rs  rs:{org}             string  the backup that this organization is being restored from
//	er  er:{org}             string  of an organization that was erased: the ms up to which its commits are
//	                                 gone, for an hour (watch.go)
//	em  em:{<hash of key>}   string  a claim: "C|<org>|<holder>|<attempt>"; the one kind of key in a slot
//	                                 of its own. The letters are the resources.ClaimKind. While it is
//	                                 only reserved: "P|<org>|<holder>|<attempt>|<kind>|<key>"
//	in  in:{org}             hash    what is still to be done about claims after a commit: "c|" or
//	                                 "r|<kind>|<key>|<attempt>", to be confirmed or given back. To "<holder>|",
//	                                 for r nothing, and earlier attempts, 12 bytes each, in a row
//	ab  ab:{org}             hash    attempts that must not be committed any more, to the ms when that
//	                                 may be forgotten
//
// Claims are taken in the commit on a single server, and by the protocol of
// claim.go on a cluster, where relay.go does in the background what commits noted
// and scrub.go compares claims with lists. Both ways read what the other wrote.
//
// Nothing depends on the server letting keys expire. Nothing typed by a user
// stands inside braces, and nothing of a customer in the name of a key.
package backend
