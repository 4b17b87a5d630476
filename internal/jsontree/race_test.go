//go:build race

package jsontree

// raceEnabled says that times mean nothing: the race detector slows the code.
const raceEnabled = true
