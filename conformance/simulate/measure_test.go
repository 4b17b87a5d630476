package simulate

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestBuckets: a duration lies in its bucket, whose end is less than a 32nd
// above it.
func TestBuckets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "d"))
		end := upperEnd(bucketOf(d))
		if us := d.Truncate(time.Microsecond); end < us || float64(end) > float64(us)*(1+1.0/32) {
			t.Fatalf("%s is in the bucket that ends at %s", d, end)
		}
	})
}

// TestQuantile: of 1 to 1000 ms the quantiles are known.
func TestQuantile(t *testing.T) {
	var a, b latencies
	for i := 1; i <= 1000; i++ {
		l := &a
		if i%2 == 0 {
			l = &b
		}
		l.add(time.Duration(i) * time.Millisecond)
	}
	a.merge(&b)
	got := a.latency()
	for _, c := range []struct{ got, want float64 }{{got.P50, 500}, {got.P90, 900}, {got.P99, 990}} {
		if c.got < c.want || c.got > c.want*1.032 {
			t.Errorf("got %.1f ms, want %.1f", c.got, c.want)
		}
	}
	if got.Max != 1000 || got.Count != 1000 {
		t.Errorf("max %.1f ms of %d", got.Max, got.Count)
	}
	if empty := (&latencies{}).latency(); empty != (Latency{}) {
		t.Errorf("nothing has %v", empty)
	}
}
