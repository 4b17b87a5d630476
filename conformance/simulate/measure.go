package simulate

import (
	"maps"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"sync"
	"time"
)

// kind is what a request is for; latencies are kept for each.
type kind string

const (
	kindTest       kind = "test connection"
	kindLookUp     kind = "look up"
	kindRead       kind = "read"
	kindList       kind = "list page"
	kindRelation   kind = "check relation"
	kindCreate     kind = "create user"
	kindUpdate     kind = "update user"
	kindActive     kind = "switch active"
	kindManager    kind = "set manager"
	kindDelete     kind = "delete user"
	kindNewGroup   kind = "create group"
	kindRename     kind = "rename group"
	kindMembers    kind = "push members"
	kindDropGroup  kind = "delete group"
	kindPassword   kind = "set password"
	subBucketBits       = 5 // latencies are known to 1/32 of their value
	subBuckets          = 1 << subBucketBits
	latencyBuckets      = (40 - subBucketBits) * subBuckets
)

// latencies counts durations in buckets whose width grows with the duration,
// so that a long run costs no more memory than a short one.
type latencies struct {
	counts [latencyBuckets]uint32
	n      int
	max    time.Duration
}

func (l *latencies) add(d time.Duration) {
	l.counts[bucketOf(d)]++
	l.n++
	l.max = max(l.max, d)
}

func (l *latencies) merge(other *latencies) {
	for i, n := range &other.counts {
		l.counts[i] += n
	}
	l.n += other.n
	l.max = max(l.max, other.max)
}

// bucketOf places a duration, in microseconds: those below 32 have a bucket
// each, every further doubling has 32.
func bucketOf(d time.Duration) int {
	us := uint64(max(d, 0) / time.Microsecond)
	if us < subBuckets {
		return int(us)
	}
	shift := bits.Len64(us) - 1 - subBucketBits
	return min((shift+1)*subBuckets+int(us>>shift)-subBuckets, latencyBuckets-1)
}

// upperEnd is the longest duration of a bucket.
func upperEnd(bucket int) time.Duration {
	if bucket < subBuckets {
		return time.Duration(bucket) * time.Microsecond
	}
	shift := bucket/subBuckets - 1
	low := uint64(bucket%subBuckets+subBuckets) << shift
	return time.Duration(low+1<<shift-1) * time.Microsecond
}

// quantile gives the duration that the share q of all stays within.
func (l *latencies) quantile(q float64) time.Duration {
	if l.n == 0 {
		return 0
	}
	rank := max(int(q*float64(l.n)+0.9999999), 1)
	for i, n := range &l.counts {
		if rank -= int(n); rank <= 0 {
			return min(upperEnd(i), l.max)
		}
	}
	return l.max
}

// recorder collects what the requests of one simulator did.
type recorder struct {
	mu       sync.Mutex
	kinds    map[kind]*latencies
	statuses map[int]int
	requests int
	retries  int // requests sent again after 429, 503 or a broken connection
	aborted  int // requests given up on purpose before the answer
}

func newRecorder() *recorder {
	return &recorder{kinds: map[kind]*latencies{}, statuses: map[int]int{}}
}

func (r *recorder) answered(k kind, status int, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.kinds[k]
	if l == nil {
		l = &latencies{}
		r.kinds[k] = l
	}
	l.add(took)
	r.statuses[status]++
	r.requests++
}

func (r *recorder) again() {
	r.mu.Lock()
	r.retries++
	r.mu.Unlock()
}

func (r *recorder) gaveUp() {
	r.mu.Lock()
	r.aborted++
	r.requests++
	r.mu.Unlock()
}

func (r *recorder) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.requests
}

// merge adds another recorder, which nobody uses any longer.
func (r *recorder) merge(other *recorder) {
	for k, l := range other.kinds {
		if r.kinds[k] == nil {
			r.kinds[k] = &latencies{}
		}
		r.kinds[k].merge(l)
	}
	for status, n := range other.statuses {
		r.statuses[status] += n
	}
	r.requests += other.requests
	r.retries += other.retries
	r.aborted += other.aborted
}

// Latency is how long requests took, in milliseconds to about 3 percent; Max
// is exact.
type Latency struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50_ms"`
	P90   float64 `json:"p90_ms"`
	P99   float64 `json:"p99_ms"`
	Max   float64 `json:"max_ms"`
}

// Kind is the latency of one sort of request.
type Kind struct {
	Name string `json:"kind"`
	Latency
}

func (l *latencies) latency() Latency {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return Latency{
		Count: l.n, P50: ms(l.quantile(0.5)), P90: ms(l.quantile(0.9)), P99: ms(l.quantile(0.99)), Max: ms(l.max),
	}
}

// fill writes what was collected into a report.
func (r *recorder) fill(to *Report, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := &latencies{}
	to.Kinds = make([]Kind, 0, len(r.kinds))
	for _, k := range slices.Sorted(maps.Keys(r.kinds)) {
		all.merge(r.kinds[k])
		to.Kinds = append(to.Kinds, Kind{Name: string(k), Latency: r.kinds[k].latency()})
	}
	to.Overall = all.latency()
	to.Requests, to.Retries, to.Aborted = r.requests, r.retries, r.aborted
	to.Seconds = took.Round(time.Millisecond).Seconds()
	if took > 0 {
		to.PerSecond = math.Round(10*float64(r.requests)/took.Seconds()) / 10
	}
	to.Statuses = make(map[string]int, len(r.statuses))
	for status, n := range r.statuses {
		to.Statuses[strconv.Itoa(status)] = n
	}
}
