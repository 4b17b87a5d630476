package filter

import (
	"errors"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/schema"
)

// reason is the sentence of a JSON syntax error, which is fit for clients.
func reason(err error) string {
	if syntax, ok := errors.AsType[*jsontree.SyntaxError](err); ok {
		return syntax.Reason
	}
	return "it cannot be read"
}

// prefix finds the registered schema URN that name starts with: the longest
// one, compared without case, never split at a dot (L-5). rest is what follows
// the colon; found is nil when no URN fits. A name that is a URN and nothing
// else gives rest "".
func prefix(t *schema.Type, name string) (found *schema.Schema, rest string) {
	try := func(s *schema.Schema) {
		n := len(s.URN)
		if len(name) < n || (len(name) > n && name[n] != ':') || (found != nil && n <= len(found.URN)) {
			return
		}
		if jsontree.EqualName(name[:n], s.URN) {
			found, rest = s, strings.TrimPrefix(name[n:], ":")
		}
	}
	try(t.Core)
	for _, x := range t.Extensions {
		try(x.Schema)
	}
	return found, rest
}

// resolve fills in the attribute that name, at byte start, stands for.
func (s *scanner) resolve(n *node, name string, start int) error {
	if s.in != nil {
		return s.resolveSub(n, name, start)
	}
	err := s.resolveIn(s.typ, n, name, start)
	for i := 0; err != nil && i < len(s.opts.Others); i++ {
		var other node
		if s.resolveIn(s.opts.Others[i], &other, name, start) == nil {
			other.src = nowhere
			*n = other
			return nil
		}
	}
	return err
}

// resolveIn resolves a name as an attribute of a type.
func (s *scanner) resolveIn(typ *schema.Type, n *node, name string, start int) error {
	rest := name
	if strings.IndexByte(name, ':') >= 0 {
		var found *schema.Schema
		if found, rest = prefix(typ, name); found == nil {
			return s.fail(start, "%s names no schema of %s", quote(name), typ.Name)
		}
		n.urn = found.URN
		if rest == "" {
			return s.fail(start, "%s is a schema, an attribute of it is expected", quote(name))
		}
	}
	first, sub, dotted := strings.Cut(rest, ".")
	if n.attr = typ.Attr(n.urn, first); n.attr == nil {
		return s.fail(start, "%s has no attribute %s; /Schemas lists them", typ.Name, quote(first))
	}
	if dotted {
		if n.sub = n.attr.Sub(sub); n.sub == nil && !simpleValue(n.attr, sub) {
			return s.fail(start, "%s has no sub-attribute %s; /Schemas lists them", quote(n.attr.Path()), quote(sub))
		}
	}
	n.src = s.sourceOf(n.attr)
	if n.src == fromCaller && s.opts.Fixed != nil {
		n.fixed = s.opts.Fixed(n.attr)
	}
	return nil
}

// resolveSub resolves a name inside brackets.
func (s *scanner) resolveSub(n *node, name string, start int) error {
	n.attr = s.in
	n.src = s.sourceOf(n.attr)
	if n.sub = n.attr.Sub(name); n.sub == nil && !simpleValue(n.attr, name) {
		return s.fail(start, "%s has no sub-attribute %s; /Schemas lists them", quote(n.attr.Path()), quote(name))
	}
	return nil
}

// simpleValue reports whether name is the "value" of a multi-valued attribute
// whose values are not complex: then it means the values themselves.
func simpleValue(a *schema.Attr, name string) bool {
	return a.Multi && a.Type != schema.TypeComplex && jsontree.EqualName(name, "value")
}

// sourceOf says where the values of a top-level attribute come from.
func (s *scanner) sourceOf(a *schema.Attr) source {
	switch a.URN {
	case "":
		switch a.Lower {
		case "id":
			return fromID
		case "meta":
			return fromMeta
		}
		return fromDocument
	case s.typ.Core.URN:
		switch {
		case a.Lower == "groups" && s.typ.Kind == resources.KindUser:
			return fromGroups
		case a.Lower == "members" && s.typ.Kind == resources.KindGroup:
			return fromMembers
		}
		return fromDocument
	}
	switch {
	case a.Fixed:
		return fromCaller
	case a.Apart:
		return fromStanding
	}
	return fromExtension
}
