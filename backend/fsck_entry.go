package backend

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/usher-scim/usher/resources"
)

// shown is an entry as findings show it: the separator is not for terminals.
func shown(entry string) string { return strings.ReplaceAll(entry, "\x00", " ") }

// entry compares what an index has with what a record says; nil when they agree.
func (c *check) entry(ctx context.Context, l lookup, is any) (*difference, error) {
	i, key := l.e.Index, c.k.index(l.e.Index)
	text, there := is.(string)
	if there && c.agrees(l, text) {
		return nil, nil
	}
	name := field(l.e, l.x.id)
	d := &difference{
		Finding: Finding{Code: FindingIndexMissing, Key: key, Entry: shown(name), Record: l.x.id, Reason: fmt.Sprintf("index %s lacks %q", i.Code(), entryText(i.Shape(), l.e.Value, l.x.id))},
		item:    l.x.id, guards: c.head(l.x),
	}
	switch i.Shape() {
	case resources.Unique:
		d.guards = append(d.guards, guard{"field", key, name, text})
		d.fixes = []fix{{"HSET", key, []string{name, l.x.id}}}
		if !there {
			return d, nil
		}
		return d, c.otherName(ctx, l, text, d)
	case resources.Equal:
		if clean, bad := badRow(text, c.idIn(i)); bad {
			d.row(i, name, text, clean)
			return d, nil
		}
		d.guards = append(d.guards, guard{"infield", key, name, "0" + l.x.id})
		d.fixes = []fix{{"PACK", key, []string{name, l.x.id}}}
		return d, nil
	}
	want := scoreWanted(l.e)
	d.fixes = []fix{{"ZADD", key, []string{want, name}}}
	if !there {
		d.guards = append(d.guards, guard{"score", key, name, ""})
		return d, nil
	}
	d.Code, d.Reason = FindingIndexScore, fmt.Sprintf("index %s has %q at %s, the record says %s", i.Code(), entryText(i.Shape(), l.e.Value, l.x.id), text, want)
	d.guards = append(d.guards, guard{"score", key, name, text})
	return d, nil
}

// scoreWanted is the score of an entry of a sorted set.
func scoreWanted(e resources.Entry) string {
	if e.Index.Shape() == resources.Time {
		return number(e.Time)
	}
	return "0"
}

// agrees tells whether what an index has is what the record says.
func (c *check) agrees(l lookup, text string) bool {
	switch l.e.Index.Shape() {
	case resources.Unique:
		return text == l.x.id
	case resources.Equal:
		if text == l.x.id {
			return true
		}
		_, bad := badRow(text, c.idIn(l.e.Index))
		return !bad && at(text, l.x.id)
	}
	return sameScore(text, scoreWanted(l.e))
}

func sameScore(text, want string) bool {
	if text == want {
		return true
	}
	score, err := strconv.ParseFloat(text, 64)
	return err == nil && strconv.FormatFloat(score, 'f', -1, 64) == want
}

// entryText is an entry as reasons show it.
func entryText(shape resources.Shape, value, id string) string {
	switch shape {
	case resources.Member, resources.Time:
		return id
	}
	return value + " " + id
}

// row makes a difference one about ids in a row that make no sense.
func (d *difference) row(i resources.Index, value, row, clean string) {
	d.Code, d.Reason = FindingRowDamaged, fmt.Sprintf("index %s has ids of %d bytes for %q that are none, or stand there twice", i.Code(), len(row), value)
	d.guards = []guard{{"field", d.Key, value, row}}
	d.fixes = []fix{{"HSET", d.Key, []string{value, clean}}}
	if clean == "" {
		d.fixes = []fix{{"HDEL", d.Key, []string{value}}}
	}
}

// idIn tells which ids may stand in an index.
func (c *check) idIn(i resources.Index) func(string) bool {
	return func(id string) bool {
		kind, ok := known(id)
		return ok && kind == i.Kind()
	}
}

// at tells whether an id stands in a row.
func at(row, id string) bool {
	for ; len(row) >= idSize; row = row[idSize:] {
		if row[:idSize] == id {
			return true
		}
	}
	return false
}

// otherName looks at the record that has the name of another one. When it does
// not say so the name is stale, else two records have one name.
func (c *check) otherName(ctx context.Context, l lookup, other string, d *difference) error {
	d.Code = FindingNameStale
	d.Reason = fmt.Sprintf("index %s gives %q to %s, which does not say so; %s does", l.e.Index.Code(), l.e.Value, other, l.x.id)
	kind, ok := known(other)
	if !ok || kind != l.x.kind {
		return nil
	}
	list, err := c.read(ctx, []string{other}, false)
	if err != nil {
		return err
	}
	y := &list[0]
	d.guards = append(d.guards, c.k.seenHead(y.kind, y.id, y.raw))
	_, says := y.says(l.e.Index, l.e.Value)
	switch damaged := y.bad != nil; {
	case damaged:
		d.fixes = nil
		d.Reason = fmt.Sprintf("index %s gives %q to %s, which cannot be read; %s says that it has it", l.e.Index.Code(), l.e.Value, other, l.x.id)
		d.Remedy = "repair or delete the damaged record first"
	case says:
		d.fixes = nil
		d.Code = FindingNameTwice
		d.Reason = fmt.Sprintf("%s and %s both have the name %q of index %s", l.x.id, other, l.e.Value, l.e.Index.Code())
		d.Remedy = "rename or delete one of the two, by the identity provider or the SCIM API, then check again"
	}
	return nil
}
