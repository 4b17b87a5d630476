package backend

import _ "embed" // the scripts are files

//go:embed scripts/queue_ring.lua
var queueRingLua string

//go:embed scripts/queue_bells.lua
var queueBellsLua string

//go:embed scripts/queue_heard.lua
var queueHeardLua string

//go:embed scripts/queue_lease.lua
var queueLeaseLua string

//go:embed scripts/queue_unlease.lua
var queueUnleaseLua string

//go:embed scripts/queue_due.lua
var queueDueLua string

//go:embed scripts/queue_postpone.lua
var queuePostponeLua string

//go:embed scripts/queue_park.lua
var queueParkLua string

//go:embed scripts/queue_parked.lua
var queueParkedLua string

//go:embed scripts/queue_unpark.lua
var queueUnparkLua string

// queueScripts are the scripts of resources.Queue.
type queueScripts struct {
	ring, bells, heard     script
	lease, unlease         script
	due, postpone          script
	park, parked, unparked script
}

// newQueueScripts prepares them. Those that work needs to go on may run when
// memory is short: work frees more than they take.
func newQueueScripts(make, changes func(body, flags string) script) queueScripts {
	const reads, frees = readsOnly, " flags=allow-oom"
	return queueScripts{
		ring: make(queueRingLua, ""), bells: make(queueBellsLua, frees), heard: make(queueHeardLua, frees),
		lease: make(queueLeaseLua, frees), unlease: make(queueUnleaseLua, frees),
		due: make(queueDueLua, reads), postpone: changes(queuePostponeLua, frees),
		park: changes(queueParkLua, frees), parked: make(queueParkedLua, reads), unparked: changes(queueUnparkLua, ""),
	}
}
