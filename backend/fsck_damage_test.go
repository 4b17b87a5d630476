package backend_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// damage is one way to break the store: a command, the key that must be named,
// and the codes that may be told.
type damage struct {
	name  string
	key   string
	codes string // separated by spaces
	do    []any  // a command
	also  []any  // another one, or none
	heals bool

	undo, undoType []any // of what is not repaired
}

// TestFsckRepairs: whatever is derived and broken is named by its key, and
// repaired to what it was; truth is not touched. All of the indexes are broken on
// one store only: they are the many.
func TestFsckRepairs(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) { repairs(t, backend.Config{URL: url}, url != "") })
}

// TestFsckRepairsSpreadClaims: the same where claims stand in slots of their own.
func TestFsckRepairsSpreadClaims(t *testing.T) {
	repairs(t, backend.Config{URL: redistest.Start(t), SpreadClaims: true}, false)
}

// TestFsckRepairsCluster: the same on a cluster.
func TestFsckRepairsCluster(t *testing.T) {
	repairs(t, backend.Config{URL: redistest.Cluster(t, redistest.ClusterConfig{Replicas: -1}).URL}, false)
}

// repairs breaks a world; without all only what is not an index.
func repairs(t *testing.T, cfg backend.Config, all bool) {
	c := newClock()
	cfg.Now = c.now
	s := open(t, cfg)
	newFsckWorld(t, s, "other", c.now())
	w := newFsckWorld(t, s, "fscked", c.now())
	if found, _ := w.check(false); len(found) > 0 {
		t.Fatalf("a whole world: %+v", found)
	}
	before := w.dump()
	list := slices.Concat(w.linkDamage(), w.placeDamage(), w.claimDamage(), w.otherDamage())
	if all {
		list = append(list, w.indexDamage()...)
	}
	for _, d := range list {
		if w.breaks(d, before); t.Failed() {
			return // what follows would only be consequences
		}
	}
}

func (w *fsckWorld) run(cmd []any) {
	w.Helper()
	if len(cmd) == 0 {
		return
	}
	if err := w.raw.Do(w.Context(), cmd...).Err(); err != nil && !errors.Is(err, redis.Nil) {
		w.Fatalf("%v: %v", cmd, err)
	}
}

// breaks breaks something, expects that it is named and changed by nobody, and
// that repairing it leaves all as it was.
func (w *fsckWorld) breaks(d damage, before map[string]string) {
	w.Helper()
	if strings.HasSuffix(d.name, "type") {
		w.run([]any{"DEL", d.key})
	}
	w.run(d.do)
	w.run(d.also)
	broken := w.dump()
	found, report := w.check(false)
	if report.Left == 0 || len(found) == 0 {
		w.Errorf("%s: nothing found", d.name)
	}
	for _, f := range found {
		if f.Key != d.key || !slices.Contains(strings.Fields(d.codes), string(f.Code)) || f.Reason == "" || f.Org != w.org {
			w.Errorf("%s: found %+v, want %s about %s", d.name, f, d.codes, d.key)
		}
		if f.Repairable != d.heals || (!d.heals && f.Remedy == "") {
			w.Errorf("%s: repairable %v, remedy %q", d.name, f.Repairable, f.Remedy)
		}
	}
	if diff := gocmp.Diff(broken, w.dump()); diff != "" {
		w.Errorf("%s: a check changed the store:\n%s", d.name, diff)
	}
	found, report = w.check(true)
	if d.heals != (report.Left == 0) {
		w.Errorf("%s: %d left after the repair: %+v", d.name, report.Left, found)
	}
	want := before
	if !d.heals {
		want = broken
	}
	if diff := gocmp.Diff(want, w.dump()); diff != "" {
		w.Errorf("%s: the repair made another world:\n%s", d.name, diff)
	}
	w.run(d.undo)
	w.run(d.undoType)
}

const ghost = "01jimsd6k1ktha62n0n" // without its last character, which is the kind

// indexDamage breaks every index in every way.
func (w *fsckWorld) indexDamage() (out []damage) {
	for _, i := range resources.Indexes() {
		a, b := w.two(i.Kind())
		key := w.key(i.Code(), "")
		nobody := ghost + string("0123456789abcdefghijklmnopqrstuv"[i.Kind()])
		add := func(name, codes string, cmd ...any) {
			out = append(out, damage{name: i.Code() + " " + name, key: key, codes: codes, do: cmd, heals: true})
		}
		add("gone", "index_missing", "DEL", key)
		add("wrong type", "wrong_type", "SET", key, "x")
		switch i.Shape() {
		case resources.Unique:
			value := i.Code() + a.Display
			add("missing", "index_missing", "HDEL", key, value)
			add("of nobody", "name_stale", "HSET", key, value, nobody)
			add("of another", "name_stale", "HSET", key, value, b.ID)
			add("no id", "name_stale", "HSET", key, value, "rubbish")
			add("extra", "index_extra", "HSET", key, "strange", a.ID)
			add("extra of nobody", "index_extra", "HSET", key, "strange", nobody)
		case resources.Equal:
			row := w.raw.HGet(context.Background(), key, "both").Val()
			add("missing", "index_missing", "HSET", key, "both", strings.Replace(row, a.ID, "", 1))
			add("extra in row", "index_extra", "HSET", key, "both", row+nobody)
			add("extra first in row", "index_extra", "HSET", key, "both", nobody+row)
			add("twice in row", "row_damaged", "HSET", key, "both", row+b.ID)
			add("cut off", "row_damaged index_missing", "HSET", key, "both", row[:len(row)-3])
			add("extra", "index_extra", "HSET", key, "strange", a.ID)
			add("extra empty", "row_damaged", "HSET", key, "strange", "")
		case resources.Text:
			entry := i.Code() + a.Display + "\x00" + a.ID
			add("missing", "index_missing", "ZREM", key, entry)
			add("score", "index_score", "ZADD", key, "5", entry)
			add("extra", "index_extra", "ZADD", key, "0", "strange\x00"+a.ID)
			add("extra of nobody", "index_extra", "ZADD", key, "0", "strange\x00"+nobody)
			add("rubbish", "index_extra", "ZADD", key, "0", "rubbish")
		default:
			add("missing", "index_missing", "ZREM", key, a.ID)
			add("score", "index_score", "ZADD", key, "5", a.ID)
			add("of nobody", "index_extra", "ZADD", key, "0", nobody)
			add("rubbish", "index_extra", "ZADD", key, "0", "rubbish")
		}
	}
	return out
}

// two are two living records of a kind.
func (w *fsckWorld) two(kind resources.Kind) (a, b *resources.Record) {
	letter := string("ugtors"[kind])
	return w.recs[letter+"1"], w.recs[letter+"2"]
}

func (w *fsckWorld) linkDamage() []damage {
	u1, u2, u3, g1, g2 := w.recs["u1"].ID, w.recs["u2"].ID, w.recs["u3"].ID, w.recs["g1"].ID, w.recs["g2"].ID
	row1, row2, row3 := w.key("ug", u1), w.key("ug", u2), w.key("ug", u3)
	gone := ghost + "1"
	return []damage{
		{name: "row gone", key: row1, codes: "link_missing", do: []any{"DEL", row1}, also: []any{"SET", row1, w.recs["g3"].ID}, heals: true},
		{name: "row lacks", key: row3, codes: "link_missing", do: []any{"DEL", row3}, heals: true},
		{name: "row extra", key: row3, codes: "link_extra", do: []any{"SET", row3, g2 + g1}, heals: true},
		{name: "row of nobody", key: row3, codes: "link_extra", do: []any{"SET", row3, g2 + gone}, heals: true},
		{name: "row twice", key: row3, codes: "row_damaged", do: []any{"SET", row3, g2 + g2}, heals: true},
		{name: "row rubbish", key: row3, codes: "row_damaged", do: []any{"SET", row3, g2 + "rubbish"}, heals: true},
		{name: "row wrong type", key: row3, codes: "wrong_type", do: []any{"HSET", row3, "a", "b"}, heals: true},
		{name: "name gone", key: w.key("gd", ""), codes: "group_name", do: []any{"HDEL", w.key("gd", ""), g1}, heals: true},
		{name: "name other", key: w.key("gd", ""), codes: "group_name", do: []any{"HSET", w.key("gd", ""), g1, "other"}, heals: true},
		{name: "name of nobody", key: w.key("gd", ""), codes: "group_name", do: []any{"HSET", w.key("gd", ""), gone, "x"}, heals: true},
		{name: "names wrong type", key: w.key("gd", ""), codes: "wrong_type", do: []any{"SET", w.key("gd", ""), "x"}, heals: true},
		{name: "count of nobody", key: w.key("gv", ""), codes: "group_count", do: []any{"HSET", w.key("gv", ""), gone, "1:1"}, heals: true},
		{name: "trash of nobody", key: w.key("tl", ""), codes: "trash", do: []any{"ZADD", w.key("tl", ""), "0", gone}, heals: true},
		{name: "trash of the living", key: w.key("tl", ""), codes: "trash", do: []any{"ZADD", w.key("tl", ""), "0", g1}, heals: true},
		{name: "member of nobody", key: w.key("gm", g1), codes: "member_missing", do: []any{"ZADD", w.key("gm", g1), "0", ghost + "0"}, undo: []any{"ZREM", w.key("gm", g1), ghost + "0"}},
		{name: "member of nobody with a score", key: w.key("gm", g1), codes: "member_missing", do: []any{"ZADD", w.key("gm", g1), "1", ghost + "0"}, undo: []any{"ZREM", w.key("gm", g1), ghost + "0"}},
		{name: "row2", key: row2, codes: "link_missing", do: []any{"SET", row2, w.recs["g3"].ID}, heals: true},
	}
}

func (w *fsckWorld) placeDamage() []damage {
	u1, u3 := w.recs["u1"].ID, w.recs["u3"].ID
	pool, line, list := w.key("sp", "seat/1"), w.key("ln", "sku/s"), w.key("pl", "")
	return []damage{
		{name: "pool lacks", key: pool, codes: "pool_missing", do: []any{"SREM", pool, u1}, heals: true},
		{name: "pool gone", key: pool, codes: "pool_missing", do: []any{"DEL", pool}, also: []any{"SREM", list, pool}, heals: true},
		{name: "pool extra", key: pool, codes: "pool_extra", do: []any{"SADD", pool, u3}, heals: true},
		{name: "pool rubbish", key: pool, codes: "pool_extra", do: []any{"SADD", pool, "rubbish"}, heals: true},
		{name: "pool of a wrong type", key: pool, codes: "wrong_type", do: []any{"SET", pool, "x"}, heals: true},
		{name: "line lacks", key: line, codes: "line_missing", do: []any{"DEL", line}, also: []any{"SREM", list, line}, heals: true},
		{name: "line since", key: line, codes: "line_score", do: []any{"ZADD", line, "9", u3}, heals: true},
		{name: "line extra", key: line, codes: "line_extra", do: []any{"ZADD", line, "1", u1}, heals: true},
		{name: "line rubbish", key: line, codes: "line_extra", do: []any{"ZADD", line, "1", "rubbish"}, heals: true},
		{name: "line of a wrong type", key: line, codes: "wrong_type", do: []any{"SET", line, "x"}, heals: true},
		{name: "list lacks", key: list, codes: "place_list", do: []any{"SREM", list, pool}, heals: true},
		{name: "list extra", key: list, codes: "place_list", do: []any{"SADD", list, w.key("sp", "none")}, heals: true},
		{name: "list rubbish", key: list, codes: "place_list", do: []any{"SADD", list, "rubbish"}, heals: true},
		{name: "list gone", key: list, codes: "place_list", do: []any{"SREM", list, pool, line}, heals: true},
	}
}

func (w *fsckWorld) claimDamage() []damage {
	list := w.key("cl", "")
	field, key := "em|u1@"+string(w.org), hashed("em", "u1@"+string(w.org))
	held := w.raw.HGet(context.Background(), list, field).Val()
	return []damage{
		{name: "claim gone", key: key, codes: "claim_missing", do: []any{"DEL", key}, heals: true},
		{name: "list lacks the claim", key: key, codes: "claim_missing", do: []any{"HDEL", list, field}, heals: true},
		{name: "claim wrong type", key: key, codes: "wrong_type", do: []any{"HSET", key, "a", "b"}, undo: []any{"DEL", key}, undoType: []any{"SET", key, "C|" + string(w.org) + "|" + held}},
		{name: "claim extra", key: hashed("em", "strange"), codes: "claim_extra", do: []any{"HSET", list, "em|strange", held}, also: []any{"SET", hashed("em", "strange"), "C|" + string(w.org) + "|" + held}, heals: true},
		{name: "claim extra on the list", key: hashed("em", "strange"), codes: "claim_extra", do: []any{"HSET", list, "em|strange", held}, heals: true},
		{name: "claim of another organization", key: key, codes: "claim_conflict", do: []any{"SET", key, "C|other|" + held}, also: []any{"HSET", "cl:{other}", field, held}, undo: []any{"SET", key, "C|" + string(w.org) + "|" + held}, undoType: []any{"HDEL", "cl:{other}", field}},
	}
}

func hashed(kind, text string) string {
	sum := sha256.Sum256([]byte(text))
	return kind + ":{" + hex.EncodeToString(sum[:16]) + "}"
}

func (w *fsckWorld) otherDamage() []damage {
	xp, s2 := w.key("xp", ""), w.key("s", w.recs["s2"].ID)
	return []damage{
		{name: "expiry lacks", key: xp, codes: "expiry_missing", do: []any{"ZREM", xp, s2}, heals: true},
		{name: "expiry time", key: xp, codes: "expiry_time", do: []any{"ZADD", xp, "9", s2}, heals: true},
		{name: "expiry of nobody", key: xp, codes: "expiry_extra", do: []any{"ZADD", xp, "9", w.key("vt", "test:none")}, heals: true},
		{name: "expiry rubbish", key: xp, codes: "expiry_extra", do: []any{"ZADD", xp, "9", "rubbish"}, heals: true},
		{name: "tries", key: w.key("dt", ""), codes: "tries_extra", do: []any{"HSET", w.key("dt", ""), "x", "1 1"}, heals: true},
		{name: "cause", key: w.key("dc", ""), codes: "cause_extra", do: []any{"HSET", w.key("dc", ""), "x", "1 y"}, heals: true},
	}
}

// TestFsckUnequalLinks: a member that does not exist does not hide another one that
// names a group without being in it.
func TestFsckUnequalLinks(t *testing.T) {
	c := newClock()
	s := open(t, backend.Config{Now: c.now})
	w := newFsckWorld(t, s, "fscked", c.now())
	g1, g2, u3 := w.recs["g1"].ID, w.recs["g2"].ID, w.recs["u3"].ID
	_, err := s.Sweep(t.Context(), w.org, c.now(), 500, placedAsSaid) // rows of a deleted group are more than there are members
	if err != nil {
		t.Fatal(err)
	}
	w.run([]any{"ZADD", w.key("gm", g1), "0", ghost + "0"})
	w.run([]any{"SET", w.key("ug", u3), g2 + g1})
	found, _ := w.check(false)
	for _, code := range []backend.FindingCode{backend.FindingMemberMissing, backend.FindingLinkExtra} {
		if !slices.ContainsFunc(found, func(f backend.Finding) bool { return f.Code == code }) {
			t.Errorf("%s is not found: %+v", code, found)
		}
	}
	if _, report := w.check(true); report.Left != 1 || report.Repaired != 1 {
		t.Errorf("after the repair: %+v", report)
	}
}
