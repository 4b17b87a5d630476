package backend

import _ "embed" // the scripts are files

//go:embed scripts/claim_reserve.lua
var claimReserveLua string

//go:embed scripts/claim_fence.lua
var claimFenceLua string

//go:embed scripts/claim_confirm.lua
var claimConfirmLua string

//go:embed scripts/claim_release.lua
var claimReleaseLua string

//go:embed scripts/claim_done.lua
var claimDoneLua string

//go:embed scripts/claim_leave.lua
var claimLeaveLua string

//go:embed scripts/claim_swept.lua
var claimSweptLua string

// claimScripts are the scripts of the protocol by which claims in slots of their
// own are taken, see claim.go.
type claimScripts struct {
	reserve, fence, confirm, release script
	done, leave, swept               script
}

// newClaimScripts prepares them. Only a reservation may be refused when memory is
// short: all others are what makes room again, or what ends a claim begun.
func newClaimScripts(make func(body, flags string) script) claimScripts {
	const frees = " flags=allow-oom"
	return claimScripts{
		reserve: make(claimReserveLua, ""), fence: make(claimFenceLua, frees),
		confirm: make(claimConfirmLua, frees), release: make(claimReleaseLua, frees),
		done: make(claimDoneLua, frees), leave: make(claimLeaveLua, frees), swept: make(claimSweptLua, frees),
	}
}
