package bench

import (
	"bufio"
	"context"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/internal/redistest"
)

// newMeter is a loaded site with its references, on a real Redis of its own.
func newMeter(tb testing.TB, users int) *meter {
	tb.Helper()
	ctx := context.Background()
	url := redistest.Start(tb)
	s, err := open(ctx, url, users)
	if s != nil {
		tb.Cleanup(s.close)
	}
	if err != nil {
		tb.Fatal(err)
	}
	m := &meter{Config: Config{Users: users, Rounds: 1}.withDefaults(), site: s, report: &Report{}}
	if err := m.fill(ctx); err != nil {
		tb.Fatal(err)
	}
	if err := s.references(ctx, url); err != nil {
		tb.Fatal(err)
	}
	return m
}

// BenchmarkDoor drives usher over HTTP and a real Redis, one connection for
// every processor, and the references beside it.
func BenchmarkDoor(b *testing.B) {
	m := newMeter(b, 10_000)
	for _, l := range m.everything() {
		b.Run(strings.ReplaceAll(l.name, " ", "-"), func(b *testing.B) {
			var workers atomic.Int64
			b.ReportAllocs()
			b.SetParallelism(8)
			mine, redis := ownCPU(b), m.redisCPU(b)
			b.RunParallel(func(pb *testing.PB) {
				conn, err := net.Dial("tcp", l.addr)
				if err != nil {
					b.Error(err)
					return
				}
				defer conn.Close()
				c := client{conn: conn, r: bufio.NewReaderSize(conn, 64<<10)}
				w := int(workers.Add(1))
				var buf []byte
				for n := 0; pb.Next(); n++ {
					buf = l.request(buf[:0], w, n)
					if status, err := c.do(buf); err != nil || status != l.want {
						b.Errorf("%d, %v: %s", status, err, c.body.Bytes())
						return
					}
				}
			})
			b.ReportMetric(float64(ownCPU(b)-mine)/float64(b.N), "cpu-ns/op")
			b.ReportMetric(float64(m.redisCPU(b)-redis)/float64(b.N), "redis-ns/op")
		})
	}
}

// ownCPU is the processor time of this process: usher, the references and the
// client. It moves less than the clock when others use the machine.
func ownCPU(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// redisCPU is the processor time of Redis.
func (m *meter) redisCPU(b *testing.B) time.Duration {
	var total float64
	for _, name := range []string{"used_cpu_user", "used_cpu_sys"} {
		text, err := m.info(context.Background(), "cpu", name)
		if err != nil {
			b.Fatal(err)
		}
		seconds, err := strconv.ParseFloat(text, 64)
		if err != nil {
			b.Fatal(err)
		}
		total += seconds
	}
	return time.Duration(total * 1e9)
}

// TestBench runs the whole measurement at a size that only shows that it
// works; what it measures there means nothing.
func TestBench(t *testing.T) {
	redistest.Start(t) // skips where there is no redis-server
	report, err := Run(t.Context(), Config{Users: 1500, Rounds: 1, Round: 20_000_000, Conns: 4})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Rows) < 15 || report.Redis == "" {
		t.Errorf("the report has %d rows: %+v", len(report.Rows), report)
	}
	measured := map[string]int{"template given to all": 0, "template on a group": 0, "GET /Licenses": 0, "POST /Users with a seat": 0, "POST /Users waiting": 0}
	for _, row := range report.Rows {
		if row.Value <= 0 {
			t.Errorf("%s measured %v", row.Work, row.Value)
		}
		for work := range measured {
			if strings.HasPrefix(row.Work, work) && row.Gate > 0 {
				measured[work]++
			}
		}
	}
	for work, rows := range measured {
		if rows != 1 {
			t.Errorf("%d rows with a gate are about %q, want one", rows, work)
		}
	}
	var text strings.Builder
	if err := report.WriteTable(&text); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(text.String()), "\n")
	if last := lines[len(lines)-1]; !strings.Contains(last, " passed, ") || !strings.HasSuffix(last, " failed") {
		t.Errorf("the last line is %q", last)
	}
}

// TestScale runs the measurement of large directories at a size that only shows
// that it works.
func TestScale(t *testing.T) {
	redistest.Start(t) // skips where there is no redis-server
	report, err := RunScale(t.Context(), ScaleConfig{
		Users: 1200, Groups: 20, Members: 800, Orgs: 5, Mix: 300 * time.Millisecond, Rounds: 1, Round: 20 * time.Millisecond, Conns: 4,
	})
	if err != nil {
		t.Fatal(err)
	}
	measured := map[string]int{
		"memory per user": 0, "memory per membership": 0, "list of 100": 0, "member PATCH": 0, "GET of a group of 800": 0,
		"longest single command": 0, "group of 800: ": 0, "5 organizations on 3 primaries": 0,
	}
	for _, row := range report.Rows {
		for work := range measured {
			if strings.HasPrefix(row.Work, work) {
				measured[work]++
			}
		}
		if strings.HasSuffix(row.Work, "without error") && row.Value != 1 {
			t.Errorf("%s: %v", row.Work, row.Value)
		}
	}
	want := map[string]int{
		"memory per user": 1, "memory per membership": 1, "list of 100": 2, "member PATCH": 1, "GET of a group of 800": 2,
		"longest single command": 1, "group of 800: ": 12, "5 organizations on 3 primaries": 2,
	}
	if diff := cmp.Diff(want, measured); diff != "" {
		t.Errorf("rows by what they are about, -want +got\n%s", diff)
	}
}

// TestGates: which rows count as passed.
func TestGates(t *testing.T) {
	r := Report{Rows: []Row{
		{Value: 0.8, Gate: 0.75}, {Value: 0.7, Gate: 0.75}, {Value: 2, Gate: 3, AtMost: true}, {Value: 4, Gate: 3, AtMost: true}, {Value: 9},
	}}
	if passed, failed := r.Count(); passed != 2 || failed != 2 {
		t.Errorf("%d passed, %d failed; want 2 and 2", passed, failed)
	}
	if got := median([]float64{5, 1, 3}); got != 3 {
		t.Errorf("the median of three is %v", got)
	}
	if got := median([]float64{4, 1}); got != 2.5 {
		t.Errorf("the median of two is %v", got)
	}
}
