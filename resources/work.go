package resources

import "sync/atomic"

// Work counts memberships that were read or changed. The zero value is ready
// for use, by many goroutines; a nil one counts nothing.
type Work struct{ n atomic.Int64 }

// add counts some more.
func (w *Work) add(n int) {
	if w != nil {
		w.n.Add(int64(n))
	}
}

// Done is how many memberships were read or changed so far.
func (w *Work) Done() int {
	if w == nil {
		return 0
	}
	return int(w.n.Load())
}
