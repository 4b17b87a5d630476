//go:build !race

package filter

// slower is 1 without the race detector.
const slower = 1
