package resources

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
)

// Declared attributes of users, groups and custom resources stand in two
// indexes for each kind: unique ones in Key, texts in Attr. Which entries a
// record has is decided when it is written and kept in its standing: what was
// declared since does not matter to whoever removes them.

// keySeparator stands between the parts of a value in the indexes of declared
// attributes. No part can have it. It is baked into keys: never change it.
const keySeparator = "\x1f"

// ExternalIDPath is the path of externalId of declared types in CustomAttr.
const ExternalIDPath = "externalid"

// maxKeys bounds the declared attributes' values of one resource that stand in
// an index: the work of one commit is bounded.
const maxKeys = 500

// AttrKey is the value under which a declared attribute stands in UserKey,
// UserAttr and their kin. path is the schema's id, a colon, the attribute's
// name, and of sub-attributes a dot and their name. The rule is baked into
// keys: never change it.
func AttrKey(typeName, path string, folded Folded) string {
	return attrKeyOf(jsontree.LowerName(typeName), jsontree.LowerName(path), folded.bounded())
}

func attrKeyOf(typeName, path, value string) string {
	return typeName + keySeparator + path + keySeparator + value
}

// FoldFor brings a value of a declared attribute into the form it is compared
// in.
func FoldFor(caseExact bool, value string) Folded {
	if caseExact {
		return Folded(value)
	}
	return FoldText(value)
}

// Indexed tells where the values of a declared attribute stand: in the Key
// index of the kind, because no other resource may have them, and in its Attr
// index, by which they are found. parent is the complex attribute that leaf is
// part of, or nil. Complex attributes stand in neither.
func Indexed(parent, leaf *AttributeDef) (unique, listed bool) {
	unique = leaf.Uniqueness == "server" || leaf.Uniqueness == "global"
	hidden := leaf.Returned == "never" || parent != nil && parent.Returned == "never"
	return unique, !hidden && (leaf.Type == "string" || leaf.Type == "reference")
}

// OfType is the condition for all resources of a declared type, in order of
// creation.
func OfType(typeName string) *Cond {
	return &Cond{Op: CondIs, Index: CustomOfType, Value: jsontree.LowerName(typeName)}
}

// attrKey is one value of a declared attribute with its places in the indexes.
type attrKey struct {
	unique, listed bool
	path           string // lower-case
	value          string // folded and bounded
}

// keyLetters say in a standing where a key stands. They are stored.
func (k attrKey) letter() byte {
	switch {
	case k.unique && k.listed:
		return 'b'
	case k.unique:
		return 'k'
	}
	return 'a'
}

// declaredKeys reads the values of declared attributes out of a document that
// is to be written in place of cur; cur is nil at creation. Codes: invalid_value
// for more than maxKeys of them.
func declaredKeys(d *Declared, typeName string, cur *Record, doc *jsontree.Value) ([]attrKey, error) {
	var had []attrKey
	if cur != nil {
		had = keysIn(cur.Standing)
	}
	if d == nil && len(had) == 0 {
		return nil, nil
	}
	t := d.Type(typeName)
	if t == nil {
		t = &TypeDef{}
	}
	var g keyGatherer
	if core := d.Schema(t.Schema); core != nil {
		g.schema(core, doc)
	}
	for i := range t.SchemaExtensions {
		if s := d.Schema(t.SchemaExtensions[i].Schema); s != nil {
			g.schema(s, doc.Get(s.ID))
		}
	}
	for _, k := range had {
		if t.forgot(k, doc) {
			g.keys = append(g.keys, k)
		}
	}
	if len(g.keys) > maxKeys {
		return nil, &Error{Code: CodeInvalidValue, Detail: fmt.Sprintf("The declared attributes of the resource have more than %d values that must be found by; send fewer.", maxKeys)}
	}
	return g.keys, nil
}

// forgot reports whether a key of a stored resource is to be kept although the
// writer's declaration does not tell of it: its extension is not among those of
// the type and stays in the document. The writer may not have heard of it yet.
func (t *TypeDef) forgot(k attrKey, doc *jsontree.Value) bool {
	schema := k.path[:max(strings.LastIndexByte(k.path, ':'), 0)]
	return !jsontree.EqualName(t.Schema, schema) && !t.extendedBy(schema) && len(extension(schema)(doc)) > 0
}

// keyGatherer collects the keys of a document, each once.
type keyGatherer struct{ keys []attrKey }

func (g *keyGatherer) schema(s *SchemaDef, at *jsontree.Value) {
	if at == nil || at.Kind != jsontree.Object {
		return
	}
	for i := range s.Attributes {
		a := &s.Attributes[i]
		v := at.Get(a.Name)
		if v == nil {
			continue
		}
		path := s.ID + ":" + a.Name
		for _, e := range elements(v) {
			if a.Type != "complex" {
				g.leaf(nil, a, path, e)
				continue
			}
			for j := range a.SubAttributes {
				sub := &a.SubAttributes[j]
				if e.Kind != jsontree.Object {
					break
				}
				if sv := e.Get(sub.Name); sv != nil {
					for _, se := range elements(sv) {
						g.leaf(a, sub, path+"."+sub.Name, se)
					}
				}
			}
		}
	}
}

// elements gives the values of an attribute, whether it has one or many.
func elements(v *jsontree.Value) []*jsontree.Value {
	if v.Kind != jsontree.Array {
		return []*jsontree.Value{v}
	}
	out := make([]*jsontree.Value, len(v.Items))
	for i := range v.Items {
		out[i] = &v.Items[i]
	}
	return out
}

func (g *keyGatherer) leaf(parent, a *AttributeDef, path string, v *jsontree.Value) {
	unique, listed := Indexed(parent, a)
	if !unique && !listed || len(g.keys) > maxKeys {
		return
	}
	var folded Folded
	switch v.Kind {
	case jsontree.String:
		folded = FoldFor(a.CaseExact, v.Text)
	case jsontree.Number:
		folded = wholeNumber(v.Text)
	default:
		return
	}
	k := attrKey{unique: unique, listed: listed, path: jsontree.LowerName(path), value: folded.bounded()}
	if !slices.Contains(g.keys, k) {
		g.keys = append(g.keys, k)
	}
}

// wholeNumber gives equal integers one form, however they are written.
func wholeNumber(text string) Folded {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return Folded(strconv.FormatInt(n, 10)) // exact beyond what a float64 holds
	}
	const exact = 1 << 53
	if f, err := strconv.ParseFloat(text, 64); err == nil && f == math.Trunc(f) && math.Abs(f) <= exact {
		return Folded(strconv.FormatInt(int64(f), 10))
	}
	return Folded(text)
}

// appendKeys writes keys as a member of a standing, without the comma before
// it; nothing when there are none.
func appendKeys(dst []byte, keys []attrKey) []byte {
	dst = append(dst, `"keys":[`...)
	for i, k := range keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = jsontree.AppendString(dst, string(k.letter())+k.path+"\n"+k.value)
	}
	return append(dst, ']')
}

// keysIn reads the keys out of a standing.
func keysIn(standing []byte) []attrKey {
	if !bytes.Contains(standing, []byte(`"keys":[`)) {
		return nil
	}
	var s struct {
		Keys []string `json:"keys"`
	}
	if json.Unmarshal(standing, &s) != nil {
		return nil // whoever compares finds entries that the record does not say
	}
	out := make([]attrKey, 0, len(s.Keys))
	for _, text := range s.Keys {
		head, value, ok := strings.Cut(text, "\n")
		if !ok || head == "" {
			continue
		}
		k := attrKey{path: head[1:], value: value}
		k.unique, k.listed = head[0] != 'a', head[0] != 'k'
		out = append(out, k)
	}
	return out
}

// keyEntries adds the keys' entries in the indexes of a type's kind.
func keyEntries(out []Entry, kind Kind, typeName string, keys []attrKey) []Entry {
	if len(keys) == 0 {
		return out
	}
	key, attr := keyIndexes(kind)
	typeName = jsontree.LowerName(typeName)
	for _, k := range keys {
		value := attrKeyOf(typeName, k.path, k.value)
		if k.unique {
			out = append(out, Entry{Index: key, Value: value})
		}
		if k.listed {
			out = append(out, Entry{Index: attr, Value: value})
		}
	}
	return out
}

// keyIndexes are the two indexes for declared attributes of a kind.
func keyIndexes(k Kind) (unique, listed Index) {
	switch k {
	case KindUser:
		return UserKey, UserAttr
	case KindGroup:
		return GroupKey, GroupAttr
	}
	return CustomKey, CustomAttr
}

// attributeTaken turns a refusal because of a unique declared attribute into
// its error; nil when it is about something else.
func attributeTaken(r *Refusal, c Caller) error {
	if r.Reason != RefusedName || r.Index != UserKey && r.Index != GroupKey && r.Index != CustomKey {
		return nil
	}
	parts := strings.SplitN(r.Value, keySeparator, 3)
	if len(parts) != 3 {
		return nil
	}
	path := c.Declared.spelled(parts[1])
	name := path[strings.LastIndexByte(path, ':')+1:]
	kind := "resource"
	if t := c.Declared.Type(parts[0]); t != nil {
		kind = t.Name
	}
	return &Error{Code: CodeAttributeInUse, Field: path, Detail: "The value of " + name + " is already in use in your organization, by the " + kind + " with id " + r.Holder + "; it must be unique (" + path + ")."}
}

// spelled gives a path as it was declared.
func (d *Declared) spelled(path string) string {
	if d == nil {
		return path
	}
	for i := range d.Schemas {
		s := &d.Schemas[i]
		rest, ok := strings.CutPrefix(path, jsontree.LowerName(s.ID)+":")
		if !ok {
			continue
		}
		name, subName, _ := strings.Cut(rest, ".")
		a := attributeOf(s.Attributes, name)
		if a == nil {
			continue
		}
		if sub := attributeOf(a.SubAttributes, subName); sub != nil {
			return s.ID + ":" + a.Name + "." + sub.Name
		}
		return s.ID + ":" + a.Name
	}
	return path
}

// attributeOf finds an attribute by name, without case; nil when there is
// none.
func attributeOf(list []AttributeDef, name string) *AttributeDef {
	for i := range list {
		if jsontree.EqualName(list[i].Name, name) {
			return &list[i]
		}
	}
	return nil
}
