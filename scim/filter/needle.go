package filter

import (
	"strings"

	"github.com/usher-scim/usher/resources"
)

// shortNeedle is the length below which text of a literal is too common to be
// worth looking for; the name of the attribute is taken instead.
const shortNeedle = 3

// needle finds ASCII text in lower case that the lowered profile of every
// match contains, or "".
func (f *Filter) needle(n *node) string {
	switch n.op {
	case opAnd:
		left, right := f.needle(n.left), f.needle(n.right)
		if len(right) > len(left) {
			return right
		}
		return left
	case opElem:
		if n.src != fromDocument && n.src != fromExtension {
			return ""
		}
		if inner := f.needle(n.left); inner != "" {
			return inner
		}
		return `"` + n.attr.Lower + `"`
	case opOr, opNot, opNe:
		return ""
	}
	if (n.src != fromDocument && n.src != fromExtension) || (n.op == opEq && n.isNull()) {
		return ""
	}
	if n.op <= opEw && (n.how == asExact || n.how == asText) {
		if run := longestRun(n.lit.Text, n.how == asExact); len(run) >= shortNeedle {
			return strings.ToLower(run)
		}
	}
	return `"` + n.target().Lower + `"`
}

// longestRun finds the longest part of a literal that stands in the JSON text
// of any value equal to it: without characters that JSON may write otherwise
// and, when case is ignored, without those that other characters fold to, as
// the Kelvin sign does to k and ß to ss.
func longestRun(s string, exact bool) string {
	best := ""
	start := 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && steady(s[i], exact) {
			continue
		}
		if i-start > len(best) {
			best = s[start:i]
		}
		start = i + 1
	}
	return best
}

func steady(c byte, exact bool) bool {
	if c < ' ' || c >= 0x7f || strings.IndexByte(`"\/<>&`, c) >= 0 {
		return false
	}
	if exact {
		return true
	}
	if c >= 'A' && c <= 'Z' {
		c |= 0x20
	}
	return strings.IndexByte("afhijklnstwy;`", c) < 0
}

// Explain tells for debug logs what was asked and how it will be answered,
// without any value.
func (f *Filter) Explain() string {
	var b strings.Builder
	b.WriteString(f.typ.Name + ": ")
	write(&b, f.root, false, false)
	q := f.Plan()
	b.WriteString("; indexes: ")
	explain(&b, q.Where)
	if q.Match == nil {
		return b.String() + "; exact"
	}
	_, rest := f.narrowed()
	b.WriteString("; each record: ")
	write(&b, rest, false, false)
	for _, extra := range []struct {
		on   bool
		name string
	}{{q.Needle != "", "needle"}, {q.WithGroups, "groups"}, {q.WithMembers, "members"}} {
		if extra.on {
			b.WriteString(", with " + extra.name)
		}
	}
	return b.String()
}

var condNames = [...]string{
	resources.CondIs: "is", resources.CondPrefix: "prefix",
	resources.CondContains: "contains", resources.CondRange: "range", resources.CondIn: "in",
	resources.CondIDs: "ids", resources.CondGroupsOf: "groups-of", resources.CondMembersOf: "members-of",
}

func explain(b *strings.Builder, c *resources.Cond) {
	if c == nil {
		b.WriteString("none")
		return
	}
	if c.Op == resources.CondAnd || c.Op == resources.CondOr {
		b.WriteString(map[bool]string{true: "and(", false: "or("}[c.Op == resources.CondAnd])
		for i := range c.Subs {
			if i > 0 {
				b.WriteString(", ")
			}
			explain(b, &c.Subs[i])
		}
		b.WriteByte(')')
		return
	}
	b.WriteString(condNames[c.Op])
	if c.Index != resources.NoIndex {
		b.WriteString(" " + c.Index.Code())
	}
}
