package admin

// For tests of what nobody outside can ask for.
var (
	Fingerprint = fingerprint
	Cell        = cell
	Matches     = matches
)
