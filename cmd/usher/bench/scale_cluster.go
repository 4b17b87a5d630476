package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	primaries = 3
	slots     = 16384
	beginners = 20 // users of each organization when it begins

	atOnce   = 40 // so many organizations ask at the same time …
	eachRate = 25 // … so often a second
)

// scaleCluster measures many organizations over a cluster.
func scaleCluster(ctx context.Context, c ScaleConfig, report *Report) error {
	url, stop, err := startCluster(ctx)
	if err != nil {
		return err
	}
	defer stop()
	s, err := openAt(ctx, url, c.Orgs*beginners)
	if s != nil {
		s.ownRedis = true
		defer s.close()
	}
	if err != nil {
		return err
	}
	m := &meter{Config: Config{Progress: c.Progress}.withDefaults(), site: s, report: report}
	orgs := make([]*data, c.Orgs)
	for i := range orgs {
		if i%50 == 0 {
			m.say("\rloading organizations %d of %d ", i, c.Orgs)
		}
		orgs[i] = &data{first: i * 1000}
		if err := s.organization(ctx, orgs[i]); err != nil {
			return err
		}
		if err := orgs[i].grow(ctx, beginners, func(int, int) {}); err != nil {
			return err
		}
		if orgs[i].small, err = orgs[i].group(ctx, "Everybody", beginners/2); err != nil {
			return err
		}
	}
	m.say("\n")
	return m.mixed(ctx, orgs, c.Mix)
}

// mixed lets organizations ask as identity providers do, 40 at a time, each for
// a second before the next has its turn.
func (m *meter) mixed(ctx context.Context, orgs []*data, how time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, how+time.Minute)
	defer cancel()
	waits, faults := make([][]float64, atOnce), make([][]error, atOnce)
	end := time.Now().Add(how)
	var wg sync.WaitGroup
	for w := range atOnce {
		wg.Go(func() {
			tick := time.NewTicker(time.Second / eachRate)
			defer tick.Stop()
			for n := 0; time.Now().Before(end); n++ {
				<-tick.C
				d := orgs[(n/eachRate*atOnce+w)%len(orgs)]
				took, err := m.mix(ctx, d, w, n)
				if err != nil {
					faults[w] = append(faults[w], err)
					continue
				}
				waits[w] = append(waits[w], float64(took.Microseconds())/1000)
			}
		})
	}
	wg.Wait()
	all, wrong := slices.Sorted(slices.Values(slices.Concat(waits...))), slices.Concat(faults...)
	if len(all) == 0 {
		return errors.Join(wrong...)
	}
	if len(wrong) > 0 {
		m.say("%d requests failed; the first: %v\n", len(wrong), wrong[0])
	}
	of := fmt.Sprintf("%d organizations on %d primaries, %d × %d req/s", len(orgs), primaries, atOnce, eachRate)
	m.report.Rows = append(m.report.Rows,
		Row{Work: of + ": p99", Unit: "ms", Value: all[len(all)*99/100], Gate: 50, Goal: 20, AtMost: true, Usher: float64(len(all)) / how.Seconds()},
		Row{Work: of + ": answered without error", Unit: "ratio", Value: float64(len(all)) / float64(len(all)+len(wrong)), Gate: 1})
	return nil
}

// mix is the n-th request of a worker: seven in ten look somebody up, one each
// creates, changes, and moves a member.
func (m *meter) mix(ctx context.Context, d *data, w, n int) (time.Duration, error) {
	user := d.users[pick(w, n, len(d.users))]
	switch n % 10 {
	case 0:
		number := 100_000_000 - 1_000_000*(w+1) + n // of no loaded organization
		return m.ask(ctx, d.prefix, d.token, http.MethodPost, "/Users", userJSON(number))
	case 1:
		return m.ask(ctx, d.prefix, d.token, http.MethodPatch, "/Users/"+user, fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"title","value":"Title %d"}]}`, n))
	case 2:
		op := []string{"add", "remove"}[n/10%2]
		return m.ask(ctx, d.prefix, d.token, http.MethodPatch, "/Groups/"+d.small, fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":%q,"path":"members","value":[{"value":%q}]}]}`, op, user))
	case 3, 4, 5, 6:
		return m.ask(ctx, d.prefix, d.token, http.MethodGet, fmt.Sprintf("/Users?filter=userName%%20eq%%20%%22user%08d@acme.example%%22", d.first+n%beginners), "")
	}
	return m.ask(ctx, d.prefix, d.token, http.MethodGet, "/Users/"+user, "")
}

// startCluster starts three primaries on loopback and joins them.
func startCluster(ctx context.Context) (url string, stop func(), err error) {
	var stops []func()
	stop = func() {
		for _, s := range stops {
			s()
		}
	}
	password := rand.Text()
	nodes := make([]string, primaries)
	for i := range nodes {
		node, end, err := startPrimary(ctx, password)
		if err != nil {
			stop()
			return "", nil, err
		}
		nodes[i], stops = node, append(stops, end)
	}
	if err := join(ctx, nodes, password); err != nil {
		stop()
		return "", nil, fmt.Errorf("bench: the cluster does not form: %w", err)
	}
	return "redis+cluster://:" + password + "@" + strings.Join(nodes, ","), stop, nil
}

func startPrimary(ctx context.Context, password string) (addr string, stop func(), err error) {
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		return "", nil, errors.New("bench: redis-server is not installed; install it (Debian: apt-get install redis-server)")
	}
	dir, err := os.MkdirTemp("", "usher-bench-")
	if err != nil {
		return "", nil, err
	}
	port, err := freePort(ctx)
	bus, busErr := freePort(ctx) // by itself it is port + 10000, which may be no port
	if err = errors.Join(err, busErr); err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	out, stop, err := launch(binary, dir, fmt.Sprintf("port %d\ncluster-enabled yes\ncluster-port %d\nrequirepass %s\n", port, bus, password))
	if err != nil {
		return "", nil, err
	}
	if err := awaitRedis(ctx, fmt.Sprintf("redis://:%s@127.0.0.1:%d/0", password, port)); err != nil {
		stop()
		return "", nil, fmt.Errorf("bench: redis-server did not start: %w: %s", err, out.Bytes())
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), stop, nil
}

// join shares the slots out and waits until every node says that all is well.
func join(ctx context.Context, nodes []string, password string) error {
	clients := make([]*redis.Client, len(nodes))
	for i, node := range nodes {
		clients[i] = redis.NewClient(&redis.Options{Addr: node, Password: password, Protocol: 2, DisableIdentity: true})
		defer func() { _ = clients[i].Close() }() // nothing to lose
		if err := clients[i].ClusterAddSlotsRange(ctx, i*slots/primaries, (i+1)*slots/primaries-1).Err(); err != nil {
			return err
		}
	}
	info, err := clients[0].Do(ctx, "CLUSTER", "NODES").Text()
	if err != nil {
		return err
	}
	first := strings.Fields(info)[1] // host:port@bus
	address, bus, _ := strings.Cut(strings.Split(first, ",")[0], "@")
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if host == "" {
		host = "127.0.0.1"
	}
	for _, c := range clients[1:] {
		if err := c.Do(ctx, "CLUSTER", "MEET", host, port, bus).Err(); err != nil {
			return err
		}
	}
	for range 200 {
		well := 0
		for _, c := range clients {
			text, err := c.ClusterInfo(ctx).Result()
			if err == nil && strings.Contains(text, "cluster_state:ok") && strings.Contains(text, fmt.Sprintf("cluster_known_nodes:%d", primaries)) {
				well++
			}
		}
		if well == len(clients) {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return errors.New("the nodes do not agree after 10 s")
}
