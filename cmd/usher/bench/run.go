package bench

import (
	"context"
	"fmt"
	"io"
	"math"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"
)

// Config says what to measure. Zero fields have defaults.
type Config struct {
	Redis    string        // URL of a Redis; "" starts one
	Users    int           // users to load; 100 000
	Rounds   int           // alternating rounds of every pair; 5
	Round    time.Duration // of one side of a round; 1 s
	Conns    int           // connections of the client; 16
	Progress io.Writer     // where progress goes; nil: nowhere
}

func (c Config) withDefaults() Config {
	if c.Users <= 0 {
		c.Users = 100_000
	}
	if c.Rounds <= 0 {
		c.Rounds = 5
	}
	if c.Round <= 0 {
		c.Round = time.Second
	}
	if c.Conns <= 0 {
		c.Conns = 16
	}
	if c.Progress == nil {
		c.Progress = io.Discard
	}
	return c
}

// Run measures everything and returns the report. An error means that the
// measurement could not be made, not that a target was missed.
func Run(ctx context.Context, c Config) (*Report, error) {
	c = c.withDefaults()
	start := time.Now()
	url := c.Redis
	if url == "" {
		own, stop, err := startRedis(ctx)
		if err != nil {
			return nil, err
		}
		defer stop()
		url = own
	}
	s, err := open(ctx, url, c.Users)
	if s != nil {
		defer s.close()
	}
	if err != nil {
		return nil, err
	}
	s.ownRedis = c.Redis == ""
	m := &meter{Config: c, site: s, report: &Report{Users: c.Users, CPUs: runtime.NumCPU()}}
	for _, stage := range []func(context.Context) error{
		m.embedded, m.watchSlow, m.fill, // the embedded store first, while this process holds nothing else
		func(ctx context.Context) error { return s.references(ctx, url) },
		m.reads, m.lists, m.walks, m.scans, m.writes, m.members, m.sizes,
		m.oauth, m.declared, m.licences,
	} {
		if err := stage(ctx); err != nil {
			return nil, err
		}
	}
	m.report.Seconds = int(math.Round(time.Since(start).Seconds()))
	return m.report, nil
}

// meter carries one run.
type meter struct {
	Config
	*site
	report *Report
	before int64 // bytes Redis used before loading
	other  data  // a second, smaller organization; only when Users is a million or more
	titles atomic.Int64
}

func (m *meter) say(format string, args ...any) {
	fmt.Fprintf(m.Progress, format, args...)
}

// compare drives usher and a reference in turn and adds the row of their ratio.
func (m *meter) compare(ctx context.Context, row Row, usher, reference load) error {
	var ratios, ours, theirs []float64
	for round := range m.Rounds + 1 {
		m.say("\r%-40s round %d of %d ", row.Work, round, m.Rounds)
		pair := [2]load{usher, reference}
		var rates [2]float64
		for i := range pair {
			side := (i + round) % 2 // who goes first alternates
			rate, err := drive(ctx, pair[side], m.Conns, m.Round)
			if err != nil {
				return err
			}
			rates[side] = rate
		}
		if round == 0 {
			continue // warms up
		}
		ratios = append(ratios, rates[0]/rates[1])
		ours, theirs = append(ours, rates[0]), append(theirs, rates[1])
	}
	row.Unit, row.Value, row.Rounds = "ratio", median(ratios), ratios
	row.Usher, row.Reference = median(ours), median(theirs)
	m.report.Rows = append(m.report.Rows, row)
	m.say("\r%-40s %.2f\n", row.Work, row.Value)
	return nil
}

// get prepares GET requests for usher.
func (m *meter) get(name string, path func(buf []byte, worker, n int) []byte) load {
	return m.getOf(&m.data, name, path)
}

func headOf(d *data) string {
	return " HTTP/1.1\r\nHost: usher.example\r\nAuthorization: Bearer " + d.token + "\r\nAccept: application/scim+json\r\n\r\n"
}

// getOf prepares GET requests for one of usher's organizations.
func (m *meter) getOf(d *data, name string, path func(buf []byte, worker, n int) []byte) load {
	head := headOf(d)
	return load{name: name, addr: m.usherAddr, want: 200, request: func(buf []byte, w, n int) []byte {
		buf = append(append(buf, "GET "...), d.prefix...)
		return append(path(buf, w, n), head...)
	}}
}

// bare prepares GET requests for a reference, with the same headers.
func (m *meter) bare(name string, path func(buf []byte, worker, n int) []byte) load {
	head := headOf(&m.data)
	return load{name: name, addr: m.refAddr, want: 200, request: func(buf []byte, w, n int) []byte {
		buf = path(append(buf, "GET "...), w, n)
		return append(buf, head...)
	}}
}

// send prepares requests with a body.
func (m *meter) send(l load, method string, path func(buf []byte, worker, n int) []byte, body func(worker, n int) string) load {
	head := " HTTP/1.1\r\nHost: usher.example\r\nAuthorization: Bearer " + m.token + "\r\nContent-Type: application/scim+json\r\nContent-Length: "
	l.request = func(buf []byte, w, n int) []byte {
		buf = append(append(buf, method...), ' ')
		buf = append(path(buf, w, n), head...)
		text := body(w, n)
		buf = strconv.AppendInt(buf, int64(len(text)), 10)
		return append(append(buf, "\r\n\r\n"...), text...)
	}
	return l
}
