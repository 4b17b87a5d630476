package bench

import (
	"context"
	"fmt"
	"io"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// ScaleConfig says how large a directory is measured. Zero fields have defaults.
type ScaleConfig struct {
	Users    int           // in one organization; 1 000 000
	Groups   int           // of five members there; 100 000
	Members  int           // of the one large group; 500 000, and at most nine tenths of the users
	Orgs     int           // on a cluster of three primaries; 1 000. Below 0: no cluster is measured
	Mix      time.Duration // how long they are asked for; 30 s
	Rounds   int           // alternating rounds of every pair; 5
	Round    time.Duration // of one side of a round; 1 s
	Conns    int           // connections of the client; 16
	Progress io.Writer     // where progress goes; nil: nowhere
}

func (c ScaleConfig) withDefaults() ScaleConfig {
	for _, n := range []struct {
		of    *int
		usual int
	}{{&c.Users, 1_000_000}, {&c.Groups, 100_000}, {&c.Members, 500_000}, {&c.Orgs, 1000}} {
		if *n.of == 0 {
			*n.of = n.usual
		}
	}
	c.Members = min(c.Members, c.Users*9/10)
	if c.Mix <= 0 {
		c.Mix = 30 * time.Second
	}
	return c
}

// smallGroup is how many members each of the many groups has.
const smallGroup = 5

// RunScale measures what must stay the same however large a directory is, and
// what large things do to others. It starts redis-servers of its own. An error
// means that the measurement could not be made.
func RunScale(ctx context.Context, c ScaleConfig) (*Report, error) {
	c = c.withDefaults()
	start := time.Now()
	report := &Report{Users: c.Users, CPUs: runtime.NumCPU()}
	if err := scaleOne(ctx, c, report); err != nil {
		return nil, err
	}
	if c.Orgs > 0 {
		if err := scaleCluster(ctx, c, report); err != nil {
			return nil, err
		}
	}
	report.Seconds = int(math.Round(time.Since(start).Seconds()))
	return report, nil
}

// scaleOne measures one organization on one server.
func scaleOne(ctx context.Context, c ScaleConfig, report *Report) error {
	url, stop, err := startRedis(ctx)
	if err != nil {
		return err
	}
	defer stop()
	s, err := open(ctx, url, c.Users)
	if s != nil {
		s.ownRedis = true
		defer s.close()
	}
	if err != nil {
		return err
	}
	m := &meter{
		Config: Config{Users: c.Users, Rounds: c.Rounds, Round: c.Round, Conns: c.Conns, Progress: c.Progress}.withDefaults(),
		site:   s, report: report,
	}
	x := &scale{meter: m, ScaleConfig: c}
	for _, stage := range []func(context.Context) error{m.watchSlow, x.load, x.pages, x.grouped, x.members, x.streamed, m.sizes, x.upheavals} {
		if err := stage(ctx); err != nil {
			return err
		}
	}
	return nil
}

// scale carries the measurement of a large directory.
type scale struct {
	*meter
	ScaleConfig
}

// load fills the organization with users, and measures what they take.
func (x *scale) load(ctx context.Context) (err error) {
	m := x.meter
	if m.before, err = m.usedMemory(ctx); err != nil {
		return err
	}
	began := time.Now()
	err = m.grow(ctx, m.Users, func(done, total int) { m.say("\rloading users %d of %d ", done, total) })
	if err != nil {
		return err
	}
	m.say("in %s\n", time.Since(began).Round(time.Second))
	return m.measureMemory(ctx)
}

// grouped loads the groups, and measures what memberships take. Pages were compared
// before: users in groups cost more to show than those of the other organization.
func (x *scale) grouped(ctx context.Context) (err error) {
	m := x.meter
	if m.small, err = m.group(ctx, "Small", 10); err != nil {
		return err
	}
	if err := x.groups(ctx); err != nil {
		return err
	}
	before, err := m.usedMemory(ctx)
	if err != nil {
		return err
	}
	m.free, m.size = m.Users-x.Members, x.Members
	if m.large, err = m.group(ctx, "Large", m.size); err != nil {
		return err
	}
	after, err := m.usedMemory(ctx)
	m.report.Rows = append(m.report.Rows, Row{
		Work: "memory per membership of a large group", Unit: "bytes", Value: float64(after-before) / float64(m.size), Gate: 280, Goal: 180, AtMost: true,
	})
	return err
}

// groups creates the many groups.
func (x *scale) groups(ctx context.Context) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	faults := make([]error, 16)
	for w := range faults {
		wg.Go(func() {
			for faults[w] == nil && ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= x.Groups {
					return
				}
				if i%10_000 == 0 {
					x.say("\rloading groups %d of %d ", i, x.Groups)
				}
				members := make(map[string]bool, smallGroup)
				for j := range smallGroup {
					members[x.users[pick(w, i*smallGroup+j, len(x.users))]] = true
				}
				ids := make([]string, 0, smallGroup)
				for id := range members {
					ids = append(ids, id)
				}
				_, faults[w] = x.newGroup(ctx, fmt.Sprintf("Group %08d", i), ids)
			}
		})
	}
	wg.Wait()
	x.say("\n")
	for _, err := range faults {
		if err != nil {
			return fmt.Errorf("load groups: %w", err)
		}
	}
	return ctx.Err()
}

// newGroup creates a group with members that one commit can take.
func (d *data) newGroup(ctx context.Context, name string, members []string) (id string, err error) {
	err = d.named(ctx, resources.KindGroup, func(c resources.Caller) error {
		doc := jsontree.Obj(
			jsontree.Arr(jsontree.Str("urn:ietf:params:scim:schemas:core:2.0:Group")).As("schemas"),
			jsontree.Str(name).As("displayName"))
		rec, err := d.dir.CreateGroup(ctx, c, doc, members)
		if err == nil {
			id = rec.ID
		}
		return err
	})
	return id, err
}

// pages compares pages of the large organization with each other and with those
// of one that has a tenth of its users.
func (x *scale) pages(ctx context.Context) error {
	m := x.meter
	last := m.Users - 100
	at := func(rank int) load { return m.page(func(int, int) int { return rank }) }
	if err := m.slower(ctx, Row{Work: "list of 100: last ÷ first page, time", Gate: 1.3, Goal: 1.15}, at(last), at(0)); err != nil {
		return err
	}
	return m.flatness(ctx, m.page(func(w, n int) int { return pick(w, n, last) }), max(m.Users/10, 200))
}

// members compares a change of the large group with one of a small group.
func (x *scale) members(ctx context.Context) error {
	m := x.meter
	return m.slower(ctx, Row{Work: fmt.Sprintf("member PATCH: group of %d ÷ of 10, time", m.size), Gate: 3, Goal: 2}, m.member(m.large), m.member(m.small))
}

// streamed measures the large group as a reader sees it: the first byte, and what
// the process needs for it.
func (x *scale) streamed(ctx context.Context) error {
	if err := x.streaming(ctx); err != nil {
		return err
	}
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	stop, peak := make(chan struct{}), uint64(0)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				runtime.ReadMemStats(&now)
				peak = max(peak, now.HeapAlloc)
			}
		}
	})
	err := x.once(ctx, "/Groups/"+x.large)
	close(stop)
	wg.Wait()
	grown := max(0, float64(peak)-float64(before.HeapAlloc)) / (1 << 20)
	x.report.Rows = append(x.report.Rows, Row{
		Work: fmt.Sprintf("GET of a group of %d: memory while it streams", x.size), Unit: "MiB", Value: grown, Gate: 64, Goal: 32, AtMost: true,
	})
	return err
}

// fillLarge puts the members back that an upheaval took.
func (x *scale) fillLarge(ctx context.Context) error {
	return x.addMembers(ctx, x.large, x.users[:x.size])
}

// addMembers adds members in as many edits as it takes.
func (d *data) addMembers(ctx context.Context, group string, ids []string) error {
	const atOnce = 30_000 // a change names 40 000 at most
	for from := 0; from < len(ids); from += atOnce {
		edit := resources.MemberEdit{Add: ids[from:min(from+atOnce, len(ids))]}
		err := patiently(ctx, func() error {
			_, err := d.dir.EditMembers(ctx, d.caller, group, edit)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
