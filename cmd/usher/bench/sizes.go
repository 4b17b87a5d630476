package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/usher-scim/usher/resources"
)

// info reads one figure of the server's INFO.
func (m *meter) info(ctx context.Context, section, name string) (string, error) {
	text, err := m.client.Info(ctx, section).Result()
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(text) {
		if v, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(v), nil
		}
	}
	return "", fmt.Errorf("bench: the server's INFO %s has no %s", section, name)
}

func (m *meter) usedMemory(ctx context.Context) (int64, error) {
	text, err := m.info(ctx, "memory", "used_memory")
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(text, 10, 64)
}

// measureMemory adds the row of memory per user, everything included: record,
// indexes, claim, event.
func (m *meter) measureMemory(ctx context.Context) error {
	after, err := m.usedMemory(ctx)
	if err != nil {
		return err
	}
	per := float64(after-m.before) / float64(m.Users)
	m.report.Rows = append(m.report.Rows, Row{
		Work: fmt.Sprintf("memory per user (%.0f B) ÷ its JSON (%d B)", per, len(userJSON(0))),
		Unit: "ratio", Value: per / float64(len(userJSON(0))), Gate: 2.1, Goal: 1.4, AtMost: true,
	})
	if m.report.Redis, err = m.info(ctx, "server", "redis_version"); err != nil {
		return err
	}
	return nil
}

// scans measures what no index answers, and the event feed.
func (m *meter) scans(ctx context.Context) error {
	per := func(work, query string, gate, goal float64) error {
		var rates []float64
		for range m.Rounds {
			start := time.Now()
			if err := m.once(ctx, query); err != nil {
				return err
			}
			rates = append(rates, float64(m.Users)/time.Since(start).Seconds())
		}
		m.report.Rows = append(m.report.Rows, Row{Work: work, Unit: "/s", Value: median(rates), Gate: gate, Goal: goal, Rounds: rates})
		m.say("%-40s %.0f/s\n", work, median(rates))
		return nil
	}
	if err := per("co on an indexed attribute", "/Users?count=1&filter=userName%20co%20%22nobody%22", 600_000, 1_000_000); err != nil {
		return err
	}
	if err := per("scan of the rest", "/Users?count=1&filter=title%20eq%20%22nobody%22", 120_000, 200_000); err != nil {
		return err
	}
	var rates []float64
	for range m.Rounds {
		start, after, total := time.Now(), "", 0
		for {
			events, err := m.store.Events(ctx, m.caller.Org, after, 1000)
			if err != nil {
				return err
			}
			if total += len(events); len(events) < 1000 {
				break
			}
			after = events[len(events)-1].LSN
		}
		rates = append(rates, float64(total)/time.Since(start).Seconds())
	}
	m.report.Rows = append(m.report.Rows, Row{Work: "events consumed", Unit: "/s", Value: median(rates), Gate: 100_000, Goal: 300_000, Rounds: rates})
	return m.streaming(ctx)
}

// once sends one GET and reads the whole answer.
func (m *meter) once(ctx context.Context, path string) error {
	_, err := m.firstByte(ctx, path)
	return err
}

// firstByte sends one GET, reads the whole answer and tells how long its first
// byte took.
func (m *meter) firstByte(ctx context.Context, path string) (time.Duration, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+m.usherAddr+m.prefix+path, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+m.token)
	start := time.Now()
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }() // read to its end below
	if resp.StatusCode != http.StatusOK {
		text, err := io.ReadAll(io.LimitReader(resp.Body, 1000))
		return 0, errors.Join(fmt.Errorf("bench: GET %s: %s: %s", path, resp.Status, text), err)
	}
	var one [1]byte
	if _, err := io.ReadFull(resp.Body, one[:]); err != nil {
		return 0, err
	}
	took := time.Since(start)
	_, err = io.Copy(io.Discard, resp.Body)
	return took, err
}

// streaming measures the first byte of the large group.
func (m *meter) streaming(ctx context.Context) error {
	var ms []float64
	for range m.Rounds {
		took, err := m.firstByte(ctx, "/Groups/"+m.large)
		if err != nil {
			return err
		}
		ms = append(ms, float64(took.Microseconds())/1000)
	}
	m.report.Rows = append(m.report.Rows, Row{
		Work: fmt.Sprintf("GET of a group of %d: first byte", m.size), Unit: "ms", Value: median(ms), Goal: 20, AtMost: true, Rounds: ms,
	})
	return nil
}

// sizes adds the longest command the server needs when it has the processor to
// itself: one client does everything once more, among it the largest membership
// changes there are. What else runs on the machine can stop any command half
// way; a long one is long in every round.
func (m *meter) sizes(ctx context.Context) error {
	longest := map[string]float64{} // by sort of command: the shortest of the longest of each round
	for round := range m.Rounds {
		if err := m.client.Do(ctx, "SLOWLOG", "RESET").Err(); err != nil {
			return err
		}
		if err := m.alone(ctx); err != nil {
			return err
		}
		slow, err := m.client.SlowLogGet(ctx, -1).Result()
		if err != nil {
			return err
		}
		now := map[string]float64{}
		for _, s := range slow {
			if len(s.Args) >= 3 && !strings.EqualFold(s.Args[0], "slowlog") {
				name := strings.ToUpper(s.Args[0]) + " " + s.Args[1][:min(8, len(s.Args[1]))]
				now[name] = max(now[name], float64(s.Duration.Microseconds())/1000)
			}
		}
		if round == 0 {
			longest = now
		}
		for name := range longest {
			longest[name] = min(longest[name], now[name])
		}
	}
	row := Row{Work: "longest single command", Unit: "ms", Value: 0.1, Gate: 3, Goal: 2, AtMost: true}
	for name, ms := range longest {
		if ms > row.Value {
			row.Value, row.Work = ms, "longest single command ("+name+")"
		}
	}
	m.report.Rows = append(m.report.Rows, row)
	m.say("%-40s %.2f ms\n", row.Work, row.Value)
	return nil
}

// alone does everything once, over one connection.
func (m *meter) alone(ctx context.Context) error {
	for _, l := range m.everything() {
		m.say("\ralone: %-40s ", l.name)
		if l.addr == m.refAddr {
			continue
		}
		if _, err := drive(ctx, l, 1, m.Round/5); err != nil {
			return err
		}
	}
	most := m.users[:min(2000, m.size)]
	for _, edit := range []resources.MemberEdit{{Replace: true, Add: most}, {Replace: true}, {Add: most[:min(10, len(most))]}} {
		if _, err := m.dir.EditMembers(ctx, m.caller, m.small, edit); err != nil {
			return err
		}
	}
	gone, err := m.group(ctx, "Gone", len(most))
	if err != nil {
		return err
	}
	if err := m.dir.DeleteGroup(ctx, m.caller, gone, nil); err != nil {
		return err
	}
	for n := 1; n > 0 && err == nil; {
		n, err = m.dir.Clean(ctx)
	}
	return err
}

// watchSlow makes the server remember its slow commands. A server that was
// given to us may refuse: then the row is not measured.
func (m *meter) watchSlow(ctx context.Context) error {
	for name, value := range map[string]string{"slowlog-log-slower-than": "100", "slowlog-max-len": "4096"} {
		if err := m.client.ConfigSet(ctx, name, value).Err(); err != nil {
			return fmt.Errorf("bench: the server does not let its slow log be set: %w", err)
		}
	}
	return m.client.Do(ctx, "SLOWLOG", "RESET").Err()
}

// embedded measures the embedded store at the size it is made for.
func (m *meter) embedded(ctx context.Context) error {
	const users = 20_000
	s, err := open(ctx, "", users)
	if s != nil {
		defer s.close()
	}
	if err != nil {
		return err
	}
	if err := s.grow(ctx, users, func(done, total int) { m.say("\rloading the embedded store %d of %d ", done, total) }); err != nil {
		return err
	}
	s.ownRedis = true // the embedded store ends too
	e := &meter{Config: m.Config, site: s, report: m.report}
	var ms []float64
	for i := range 100 {
		start := time.Now()
		if err := e.once(ctx, fmt.Sprintf("/Users?count=100&startIndex=%d", 1+pick(0, i, users-100))); err != nil {
			return err
		}
		ms = append(ms, float64(time.Since(start).Microseconds())/1000)
	}
	m.report.Rows = append(m.report.Rows, Row{Work: "embedded, 20 000 users: page of 100", Unit: "ms", Value: median(ms), Gate: 6, AtMost: true})
	ms = nil
	for i := range 200 {
		start := time.Now()
		if _, err := s.create(ctx, users+i); err != nil {
			return err
		}
		ms = append(ms, float64(time.Since(start).Microseconds())/1000)
	}
	m.report.Rows = append(m.report.Rows, Row{Work: "embedded, 20 000 users: create, on disk", Unit: "ms", Value: median(ms), Gate: 1, AtMost: true})
	return nil
}
