package bench

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

const grouped = 1000 // so many users are in three groups besides

// fill loads users and groups.
func (m *meter) fill(ctx context.Context) error {
	var err error
	if m.before, err = m.usedMemory(ctx); err != nil {
		return err
	}
	progress := func(done, total int) { m.say("\rloading users %d of %d ", done, total) }
	if err := m.grow(ctx, m.Users, progress); err != nil {
		return err
	}
	if err := m.measureMemory(ctx); err != nil {
		return err
	}
	m.say("\nloading groups ")
	if m.small, err = m.group(ctx, "Small", 10); err != nil {
		return err
	}
	for i := range 3 {
		if _, err := m.group(ctx, fmt.Sprintf("Team %d", i), min(grouped, m.Users)); err != nil {
			return err
		}
	}
	m.free = max(m.Users/10, 1)
	m.size = min(500_000, m.Users-m.free)
	m.large, err = m.group(ctx, "Large", m.size)
	m.say("done\n")
	return err
}

// getUser reads random users out of n from the given one on.
func (m *meter) getUser(from, n int) load {
	return m.get("get", func(buf []byte, w, i int) []byte {
		return append(append(buf, "/Users/"...), m.users[from+pick(w, i, n)]...)
	})
}

func (m *meter) bareUser(from, n int) load {
	return m.bare("R1", func(buf []byte, w, i int) []byte {
		return append(append(buf, "/r1/"...), m.users[from+pick(w, i, n)]...)
	})
}

// equality is a filter that finds the user of a number.
type equality struct{ name, filter string }

func equalities() []equality {
	return []equality{
		{"userName eq", "userName%%20eq%%20%%22user%08d@acme.example%%22"},
		{"externalId eq", "externalId%%20eq%%20%%2200u%08d%%22"},
		{"emails.value eq", "emails.value%%20eq%%20%%22user%08d@acme.example%%22"},
	}
}

func (m *meter) find(e equality) load {
	return m.get(e.name, func(buf []byte, w, n int) []byte {
		return fmt.Appendf(append(buf, "/Users?filter="...), e.filter, pick(w, n, m.Users))
	})
}

func (m *meter) bareFind() load {
	return m.bare("R5", func(buf []byte, w, n int) []byte {
		return append(append(buf, "/r5/"...), userName(pick(w, n, m.Users))...)
	})
}

// reads measures single reads and look-ups.
func (m *meter) reads(ctx context.Context) error {
	alone, k := m.Users-m.free, min(grouped, m.Users)
	err := m.compare(ctx, Row{Work: "GET /Users/{id} ÷ R1", Gate: 0.75, Goal: 0.85}, m.getUser(alone, m.free), m.bareUser(alone, m.free))
	if err != nil {
		return err
	}
	if err := m.compare(ctx, Row{Work: "GET with groups ÷ R1", Gate: 0.60, Goal: 0.80}, m.getUser(0, k), m.bareUser(0, k)); err != nil {
		return err
	}
	for _, e := range equalities() {
		if err := m.compare(ctx, Row{Work: e.name + " ÷ R5", Gate: 0.65, Goal: 0.80}, m.find(e), m.bareFind()); err != nil {
			return err
		}
	}
	return nil
}

// page reads a hundred users from a rank on.
func (m *meter) page(rank func(w, n int) int) load {
	return m.get("list", func(buf []byte, w, n int) []byte {
		buf = append(buf, "/Users?count=100&startIndex="...)
		return strconv.AppendInt(buf, int64(rank(w, n)+1), 10)
	})
}

func (m *meter) barePage(rank func(w, n int) int) load {
	return m.bare("R4", func(buf []byte, w, n int) []byte {
		return strconv.AppendInt(append(buf, "/r4/"...), int64(rank(w, n)), 10)
	})
}

// lists measures pages of a hundred.
func (m *meter) lists(ctx context.Context) error {
	last := m.Users - 100
	random := func(w, n int) int { return pick(w, n, last) }
	if err := m.compare(ctx, Row{Work: "list of 100, random page ÷ R4", Gate: 0.80, Goal: 0.90}, m.page(random), m.barePage(random)); err != nil {
		return err
	}
	first := func(int, int) int { return 0 }
	atEnd := func(int, int) int { return last }
	err := m.slower(ctx, Row{Work: "list of 100: last ÷ first page, time", Gate: 1.3, Goal: 1.15}, m.page(atEnd), m.page(first))
	if err != nil || m.Users < 1_000_000 {
		return err
	}
	return m.flatness(ctx, m.page(random), 100_000)
}

// flatness compares pages of this organization with those of a smaller one.
func (m *meter) flatness(ctx context.Context, here load, users int) error {
	m.other.first = 60_000_000
	if err := m.organization(ctx, &m.other); err != nil {
		return err
	}
	err := m.other.grow(ctx, users, func(done, total int) { m.say("\rloading the smaller organization %d of %d ", done, total) })
	if err != nil {
		return err
	}
	there := m.getOf(&m.other, "list of the smaller", func(buf []byte, w, n int) []byte {
		buf = append(buf, "/Users?count=100&startIndex="...)
		return strconv.AppendInt(buf, int64(pick(w, n, users-100)+1), 10)
	})
	return m.slower(ctx, Row{Work: fmt.Sprintf("list of 100: %d ÷ %d users, time", m.Users, users), Gate: 1.3, Goal: 1.15}, here, there)
}

// slower adds the row of how much longer one of our own requests takes than
// another.
func (m *meter) slower(ctx context.Context, row Row, slow, fast load) error {
	if err := m.compare(ctx, row, fast, slow); err != nil {
		return err
	}
	m.report.Rows[len(m.report.Rows)-1].AtMost = true
	return nil
}

// create posts users that do not exist yet.
func (m *meter) create() load {
	return m.send(load{name: "create", addr: m.usherAddr, want: 201}, "POST",
		func(buf []byte, _, _ int) []byte { return append(append(buf, m.prefix...), "/Users"...) },
		func(int, int) string { return userJSON(int(m.made.Add(1))) })
}

func (m *meter) bareCreate() load {
	return m.send(load{name: "R3", addr: m.refAddr, want: 204}, "POST",
		func(buf []byte, _, _ int) []byte { return append(buf, "/r3"...) },
		func(int, int) string { return userJSON(1) })
}

// bulk posts users that do not exist yet, a hundred in a request; two requests
// are as many as an organization may have at once.
func (m *meter) bulk() load {
	const each = 100
	return m.send(load{name: "bulk", addr: m.usherAddr, want: 200, each: each, conns: 2}, "POST",
		func(buf []byte, _, _ int) []byte { return append(append(buf, m.prefix...), "/Bulk"...) },
		func(int, int) string {
			var b strings.Builder
			b.WriteString(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[`)
			for i := range each {
				if i > 0 {
					b.WriteByte(',')
				}
				fmt.Fprintf(&b, `{"method":"POST","path":"/Users","bulkId":"%d","data":%s}`, i, userJSON(int(m.made.Add(1))))
			}
			b.WriteString(`]}`)
			return b.String()
		})
}

// patch changes the title of a random user.
func (m *meter) patch() load {
	return m.send(load{name: "patch", addr: m.usherAddr, want: 200}, "PATCH",
		func(buf []byte, w, n int) []byte {
			return append(append(append(buf, m.prefix...), "/Users/"...), m.users[pick(w, n, len(m.users))]...)
		},
		func(int, int) string {
			return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"Replace","path":"title","value":"Title ` + strconv.FormatInt(m.titles.Add(1), 10) + `"}]}`
		})
}

// writes measures creation and change.
func (m *meter) writes(ctx context.Context) error {
	if err := m.compare(ctx, Row{Work: "POST /Users ÷ R3", Gate: 0.70, Goal: 0.85}, m.create(), m.bareCreate()); err != nil {
		return err
	}
	if err := m.compare(ctx, Row{Work: "Bulk of 100 POSTs ÷ POST /Users, per operation", Gate: 0.9, Goal: 1}, m.bulk(), m.create()); err != nil {
		return err
	}
	return m.compare(ctx, Row{Work: "PATCH one attribute ÷ R3", Gate: 0.60, Goal: 0.80}, m.patch(), m.bareCreate())
}

// newcomer is the user that a connection adds to a group and removes again.
func (m *meter) newcomer(worker int) string { return m.users[m.Users-1-worker] }

// member changes the membership of a group.
func (m *meter) member(group string) load {
	return m.send(load{name: "members", addr: m.usherAddr, want: 204}, "PATCH",
		func(buf []byte, _, _ int) []byte {
			return append(append(append(buf, m.prefix...), "/Groups/"...), group...)
		},
		func(w, n int) string {
			op := `{"op":"Add","path":"members","value":[{"value":"` + m.newcomer(w) + `"}]}`
			if n%2 == 1 {
				op = `{"op":"Remove","path":"members","value":[{"value":"` + m.newcomer(w) + `"}]}`
			}
			return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + op + `]}`
		})
}

func (m *meter) bareMember() load {
	return m.send(load{name: "R6", addr: m.refAddr, want: 204}, "PATCH",
		func(buf []byte, w, n int) []byte {
			if n%2 == 1 {
				return append(append(buf, "/r6remove/"...), m.newcomer(w)...)
			}
			return append(append(buf, "/r6add/"...), m.newcomer(w)...)
		},
		func(int, int) string { return `{}` })
}

// members measures changes of one group.
func (m *meter) members(ctx context.Context) error {
	if err := m.compare(ctx, Row{Work: "member PATCH ÷ R6", Gate: 0.65, Goal: 0.80}, m.member(m.small), m.bareMember()); err != nil {
		return err
	}
	return m.slower(ctx, Row{Work: fmt.Sprintf("member PATCH: group of %d ÷ of 10, time", m.size), Gate: 3, Goal: 2}, m.member(m.large), m.member(m.small))
}

// everything is one load of every sort.
func (m *meter) everything() []load {
	loads := []load{m.getUser(m.Users-m.free, m.free), m.bareUser(m.Users-m.free, m.free)}
	loads[0].name = "get"
	withGroups := m.getUser(0, grouped)
	withGroups.name = "get with groups"
	random := func(w, n int) int { return pick(w, n, m.Users-100) }
	loads = append(loads, withGroups, m.find(equalities()[0]), m.bareFind(), m.page(random), m.barePage(random), m.create(), m.bareCreate(), m.patch(), m.member(m.small), m.bareMember())
	return loads
}
