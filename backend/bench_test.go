package backend_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

const benchOrg = resources.OrgID("bench")

// enterprise makes a full enterprise user of about 1.2 KB, the test data of
// redis.md §0.
func enterprise(t testing.TB, i int) (*resources.Record, []resources.Entry) {
	t.Helper()
	r := rand.New(rand.NewPCG(uint64(i), 1))
	word := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = "abcdefghijklmnopqrstuvwxyz"[r.IntN(26)]
		}
		return string(b)
	}
	u := newRecord(t, resources.KindUser, "")
	given, family := strings.ToUpper(word(1))+word(5), strings.ToUpper(word(1))+word(7)
	name := strings.ToLower(given+"."+family) + strconv.Itoa(i) + "@example.com"
	home := word(9) + "@" + word(8) + ".example.net"
	external := fmt.Sprintf("%08x-%04x-%04x-%012x", r.Uint32(), r.Uint32()>>16, r.Uint32()>>16, r.Uint64()>>16)
	u.Display = given + " " + family
	u.Profile = fmt.Appendf(nil, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],`+
		`"id":%q,"externalId":%q,"userName":%q,"name":{"formatted":"%s %s","familyName":%q,"givenName":%q},"displayName":"%s %s",`+
		`"title":"%s %s","preferredLanguage":"en-US","locale":"en-US","timezone":"America/New_York","active":true,`+
		`"emails":[{"value":%q,"type":"work","primary":true},{"value":%q,"type":"home"}],`+
		`"addresses":[{"type":"work","streetAddress":"%d %s Street","locality":%q,"region":%q,"postalCode":"%05d","country":"US",`+
		`"formatted":"%d %s Street, %s","primary":true}],"phoneNumbers":[{"value":"+1 555 %07d","type":"work"}],`+
		`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"%06d","costCenter":%q,"organization":%q,`+
		`"division":%q,"department":%q,"manager":{"value":"%s","displayName":"%s %s"}}}`,
		u.ID, external, name, given, family, family, given, given, family, word(8), word(10), name, home,
		r.IntN(999), word(9), word(8), word(2), r.IntN(99999), r.IntN(999), word(9), word(8), r.IntN(9999999),
		r.IntN(999999), word(6), word(12), word(9), word(10), u.ID, word(7), word(9))
	return u, append(entriesOf(&resources.Record{Kind: u.Kind, ID: u.ID, Display: name, Modified: u.Modified}),
		resources.Entry{Index: resources.UserDisplayOrder, Value: resources.UserDisplayOrder.Key(u.Display)},
		resources.Entry{Index: resources.UserExternalID, Value: external},
		resources.Entry{Index: resources.UserEmail, Value: name},
		resources.Entry{Index: resources.UserEmail, Value: home})
}

// hire stores a user as the domain does: with claim and event, and with what
// else it is given.
func hire(t testing.TB, s *backend.Store, u *resources.Record, entries []resources.Entry, also ...func(resources.Tx)) {
	t.Helper()
	_, err := s.Update(context.Background(), benchOrg, func(_ context.Context, tx resources.Tx) error {
		tx.Put(nil, u, nil, entries)
		for _, fn := range also {
			fn(tx)
		}
		tx.Claim(resources.Claim{Kind: resources.ClaimEmail, Key: entries[1].Value}, u.ID)
		tx.Event(resources.Event{
			Type: "user.created", Kind: resources.KindUser, ID: u.ID, Version: 1,
			Actor: u.ID, Request: u.ID, Changed: []string{"userName", "emails", "name"},
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

type staff struct {
	s       *backend.Store
	users   []*resources.Record
	entries [][]resources.Entry
	group   *resources.Record
	url     string
}

// staffed opens a real server with users in it and a group without members.
func staffed(t testing.TB, n int) *staff {
	t.Helper()
	url := redistest.Run(t, redistest.Config{Args: []string{"--appendonly", "yes", "--appendfsync", "everysec"}}).URL
	f := &staff{s: open(t, backend.Config{URL: url}), url: url, group: newRecord(t, resources.KindGroup, "staff")}
	for i := range n {
		u, entries := enterprise(t, i)
		hire(t, f.s, u, entries)
		f.users, f.entries = append(f.users, u), append(f.entries, entries)
	}
	_, err := f.s.Update(context.Background(), benchOrg, func(_ context.Context, tx resources.Tx) error {
		tx.Put(nil, f.group, nil, entriesOf(f.group))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *staff) link(t testing.TB, ids ...string) {
	_, err := f.s.Update(context.Background(), benchOrg, func(_ context.Context, tx resources.Tx) error {
		tx.Link(f.group.ID, ids...)
		tx.Event(resources.Event{Type: "group.updated", Kind: resources.KindGroup, ID: f.group.ID, Added: ids})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func BenchmarkGet(b *testing.B) {
	f := staffed(b, 1000)
	b.Run("plain", func(b *testing.B) { f.get(b) })
	for part := range 10 {
		ids := make([]string, 100)
		for i := range ids {
			ids[i] = f.users[part*100+i].ID
		}
		f.link(b, ids...)
	}
	b.Run("with-group", func(b *testing.B) { f.get(b) })
	b.Run("reference-GET", func(b *testing.B) {
		opt, err := redis.ParseURL(f.url)
		if err != nil {
			b.Fatal(err)
		}
		opt.PoolSize = 16
		c := redis.NewClient(opt)
		defer c.Close()
		b.ReportAllocs()
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				if err := c.Get(context.Background(), "u:{bench}:"+f.users[i%1000].ID).Err(); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

func (f *staff) get(b *testing.B) {
	b.ReportAllocs()
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if rec, err := f.s.Get(context.Background(), benchOrg, resources.KindUser, f.users[i%1000].ID); rec == nil || err != nil {
				b.Error(rec, err)
			}
		}
	})
}

// BenchmarkCreate creates users: plain ones, and ones that take a seat in the
// same commit, which then depends on the plan and has one index entry more.
func BenchmarkCreate(b *testing.B) {
	b.Run("plain", func(b *testing.B) { create(b, staffed(b, 0)) })
	b.Run("seated", func(b *testing.B) {
		f := staffed(b, 0)
		plan := newRecord(b, resources.KindSetting, "plan")
		if _, err := f.s.Update(context.Background(), benchOrg, func(_ context.Context, tx resources.Tx) error {
			tx.Put(nil, plan, nil, entriesOf(plan))
			return nil
		}); err != nil {
			b.Fatal(err)
		}
		plan, err := f.s.Get(context.Background(), benchOrg, resources.KindSetting, plan.ID)
		if err != nil {
			b.Fatal(err)
		}
		pool := resources.Pool{Name: "seat/" + plan.ID, Limit: 1 << 30, Line: "sku/calling"}
		create(b, f, func(tx resources.Tx, id string) {
			tx.Seen(resources.KindSetting, plan.ID, plan)
			tx.Take(pool, id)
		})
	})
}

// create creates users that take something each, and have an index entry for it.
func create(b *testing.B, f *staff, takes ...func(tx resources.Tx, id string)) {
	users, entries := make([]*resources.Record, b.N), make([][]resources.Entry, b.N)
	for i := range users {
		users[i], entries[i] = enterprise(b, i)
		if len(takes) > 0 {
			entries[i] = append(entries[i], resources.Entry{Index: resources.UserAttr, Value: "licenses\x00calling"})
		}
	}
	next := make(chan int, b.N)
	for i := range b.N {
		next <- i
	}
	before := f.serverTime(b)
	b.ReportAllocs()
	b.SetParallelism(8)
	b.ResetTimer()
	defer func() { b.ReportMetric((f.serverTime(b)-before)*1e6/float64(b.N), "server-µs/op") }()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := <-next
			hire(b, f.s, users[i], entries[i], func(tx resources.Tx) {
				for _, fn := range takes {
					fn(tx, users[i].ID)
				}
			})
		}
	})
}

// serverTime is how long the server has worked, in seconds: what a commit costs
// there, whatever else the machine does.
func (f *staff) serverTime(b *testing.B) float64 {
	opt, err := redis.ParseURL(f.url)
	if err != nil {
		b.Fatal(err)
	}
	c := redis.NewClient(opt)
	defer c.Close()
	text, err := c.Info(context.Background(), "cpu").Result()
	if err != nil {
		b.Fatal(err)
	}
	total := 0.0
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name == "used_cpu_user_main_thread" || name == "used_cpu_sys_main_thread" {
			s, err := strconv.ParseFloat(value, 64)
			if err != nil {
				b.Fatal(err)
			}
			total += s
		}
	}
	return total
}

func BenchmarkUpdate(b *testing.B) {
	f := staffed(b, 1000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		u, entries := f.users[i%1000], f.entries[i%1000]
		_, err := f.s.Update(context.Background(), benchOrg, func(_ context.Context, tx resources.Tx) error {
			before, err := tx.Read(resources.KindUser, u.ID)
			if err != nil {
				return err
			}
			after := *before
			after.Version++
			has := append([]resources.Entry(nil), entries...)
			has[3].Time = int64(i)
			tx.Put(before, &after, entries, has)
			tx.Event(resources.Event{Type: "user.updated", Kind: resources.KindUser, ID: u.ID, Version: after.Version})
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLink(b *testing.B) {
	f := staffed(b, 1000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		_, err := f.s.Update(context.Background(), benchOrg, func(_ context.Context, tx resources.Tx) error {
			if i/1000%2 == 0 {
				tx.Link(f.group.ID, f.users[i%1000].ID)
			} else {
				tx.Unlink(f.group.ID, f.users[i%1000].ID)
			}
			tx.Event(resources.Event{Type: "group.updated", Kind: resources.KindGroup, ID: f.group.ID})
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkList100(b *testing.B) {
	f := staffed(b, 5000)
	for name, q := range map[string]resources.Query{
		"by-name":        {Sort: resources.UserNameOrder},
		"no-groups":      {NoGroups: true},
		"creation-order": {},
		"name-eq":        {Where: &resources.Cond{Op: resources.CondIs, Index: resources.UserName, Value: f.entries[7][1].Value}},
	} {
		q.Kind, q.Limit = resources.KindUser, 100
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(4)
			b.RunParallel(func(pb *testing.PB) {
				q := q
				for i := 0; pb.Next(); i++ {
					if q.Where == nil {
						q.Offset = i * 100 % 4900
					}
					if page, err := f.s.Find(context.Background(), benchOrg, q); err != nil || len(page.Records) == 0 {
						b.Error(len(page.Records), err)
					}
				}
			})
		})
	}
	b.Run("reference-ZRANGE-MGET", func(b *testing.B) { f.reference(b) })
}

// reference reads what a page of 100 needs and nothing else.
func (f *staff) reference(b *testing.B) {
	opt, err := redis.ParseURL(f.url)
	if err != nil {
		b.Fatal(err)
	}
	opt.PoolSize = 16
	c := redis.NewClient(opt)
	defer c.Close()
	ctx := context.Background()
	b.ReportAllocs()
	b.SetParallelism(4)
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			from := int64(i * 100 % 4900)
			ids, err := c.ZRange(ctx, "uc:{bench}", from, from+99).Result()
			if err != nil {
				b.Error(err)
			}
			for i := range ids {
				ids[i] = "u:{bench}:" + ids[i]
			}
			if err := c.MGet(ctx, ids...).Err(); err != nil {
				b.Error(err)
			}
		}
	})
}
