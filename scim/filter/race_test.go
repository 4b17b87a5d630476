//go:build race

package filter

// slower is by how much the race detector may slow the parser down.
const slower = 5
