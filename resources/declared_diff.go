package resources

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
)

// loss is something that a new declaration would do to stored resources: values
// that nobody could see or change any more, or values that would be missing.
type loss struct {
	kind     Kind
	typeName string
	what     string // "the attribute … would be removed"
	verb     string // what such resources do: "have it", "lack it"
	remedy   string
	hit      func(doc *jsontree.Value) bool

	count int
	ids   []string // the first few
}

const (
	remedyRemove = "remove these values first, or leave this part of the declaration as it is"
	remedyGive   = "give them a value first, or do not make it required"
)

// holders gives the objects in a document that an attribute stands in.
type holders func(doc *jsontree.Value) []*jsontree.Value

// differ compares two declarations of one organization.
type differ struct {
	old, next *Declared
	kind      Kind
	typeName  string
	out       []*loss
}

// lossesOf lists what a new declaration could orphan. What is only added gives
// none, unless it is required of resources that are there.
func lossesOf(old, next *Declared) []*loss {
	df := &differ{old: old, next: next}
	for i := range old.Types {
		df.typ(&old.Types[i], next.Type(old.Types[i].Name))
	}
	for i := range next.Types { // of User and Group, whose resources need no declaration
		if t := &next.Types[i]; builtinType(t.Name) && old.Type(t.Name) == nil {
			df.typ(&TypeDef{Name: t.Name}, t)
		}
	}
	return df.out
}

func kindOfType(name string) Kind {
	switch {
	case jsontree.EqualName(name, "User"):
		return KindUser
	case jsontree.EqualName(name, "Group"):
		return KindGroup
	}
	return KindCustom
}

func (df *differ) lose(what, verb, remedy string, hit func(*jsontree.Value) bool) {
	df.out = append(df.out, &loss{kind: df.kind, typeName: df.typeName, what: what, verb: verb, remedy: remedy, hit: hit})
}

func always(*jsontree.Value) bool { return true }

// typ compares a resource type; next is nil when it goes.
func (df *differ) typ(old, next *TypeDef) {
	df.kind, df.typeName = kindOfType(old.Name), old.Name
	switch {
	case df.kind != KindCustom:
	case next == nil:
		df.lose("the resource type "+old.Name+" would be removed", "are there", "delete these resources first, or keep the type", always)
		return
	case !jsontree.EqualName(old.Schema, next.Schema):
		df.lose("the core schema of "+old.Name+" would be another one", "are there", "delete these resources first, or declare another resource type", always)
		return
	default:
		core := func(doc *jsontree.Value) []*jsontree.Value { return []*jsontree.Value{doc} }
		df.attributes(old.Schema+":", df.old.Schema(old.Schema).Attributes, df.next.Schema(old.Schema).Attributes, core)
	}
	if next == nil {
		next = &TypeDef{Name: old.Name}
	}
	for _, e := range old.SchemaExtensions {
		in := extension(e.Schema)
		if !next.extendedBy(e.Schema) {
			df.lose("the extension "+e.Schema+" of "+old.Name+" would be removed", "have values of it", remedyRemove, func(doc *jsontree.Value) bool {
				return slices.ContainsFunc(in(doc), func(v *jsontree.Value) bool { return len(v.Items) > 0 })
			})
			continue
		}
		df.attributes(e.Schema+":", df.old.Schema(e.Schema).Attributes, df.next.Schema(e.Schema).Attributes, in)
	}
	for _, e := range next.SchemaExtensions {
		if e.Required && !slices.ContainsFunc(old.SchemaExtensions, func(x ExtensionDef) bool { return x.Required && jsontree.EqualName(x.Schema, e.Schema) }) {
			in := extension(e.Schema)
			df.lose("the extension "+e.Schema+" of "+old.Name+" would become required", "lack it", remedyGive, func(doc *jsontree.Value) bool { return len(in(doc)) == 0 })
		}
	}
}

func (t *TypeDef) extendedBy(schema string) bool {
	return slices.ContainsFunc(t.SchemaExtensions, func(e ExtensionDef) bool { return jsontree.EqualName(e.Schema, schema) })
}

// extension finds an extension's object in a document.
func extension(schema string) holders {
	return func(doc *jsontree.Value) []*jsontree.Value {
		if v := doc.Get(schema); v != nil && v.Kind == jsontree.Object {
			return []*jsontree.Value{v}
		}
		return nil
	}
}

// attributes compares the attributes of a schema or the sub-attributes of one.
// path is what stands before their names: the id and a colon, or the path of
// the attribute and a dot.
func (df *differ) attributes(path string, old, next []AttributeDef, in holders) {
	for i := range old {
		a := &old[i]
		n := attributeOf(next, a.Name)
		has := func(doc *jsontree.Value) bool {
			return slices.ContainsFunc(in(doc), func(v *jsontree.Value) bool { return !v.Get(a.Name).Empty() })
		}
		if n == nil {
			df.lose("the attribute "+path+a.Name+" would be removed", "have it", remedyRemove, has)
			continue
		}
		if why := incompatible(a, n); why != "" {
			df.lose("the attribute "+path+a.Name+" would "+why, "have it", remedyRemove, has)
			continue
		}
		parts := func(doc *jsontree.Value) (out []*jsontree.Value) {
			for _, v := range in(doc) {
				if av := v.Get(a.Name); av != nil {
					out = append(out, elements(av)...)
				}
			}
			return out
		}
		df.attributes(path+a.Name+".", a.SubAttributes, n.SubAttributes, parts)
	}
	for i := range next {
		n := &next[i]
		if a := attributeOf(old, n.Name); n.Required && (a == nil || !a.Required) {
			df.lose("the attribute "+path+n.Name+" would become required", "lack it", remedyGive, func(doc *jsontree.Value) bool {
				return slices.ContainsFunc(in(doc), func(v *jsontree.Value) bool { return v.Get(n.Name).Empty() })
			})
		}
	}
}

// incompatible says why stored values of an attribute would not fit any more;
// "" when they do.
func incompatible(a, n *AttributeDef) string {
	oldUnique, oldListed := Indexed(nil, a)
	unique, listed := Indexed(nil, n)
	switch {
	case a.Type != n.Type:
		return "change its type from " + a.Type + " to " + n.Type
	case a.MultiValued && !n.MultiValued:
		return "become single-valued"
	case n.MultiValued && !a.MultiValued:
		return "become multi-valued"
	case a.CaseExact != n.CaseExact:
		return "compare in another way (caseExact)"
	case unique && !oldUnique:
		return "become unique"
	case listed && !oldListed, a.Returned == "never" && n.Returned != "never":
		return "become visible"
	case n.Mutability == "readOnly" && a.Mutability != "readOnly", n.Mutability == "writeOnly" && a.Mutability != "writeOnly":
		return "become " + n.Mutability
	}
	return ""
}

// How a walk for losses is bounded.
const (
	lossPiece    = 500    // records read at a time
	lossEnough   = 20_000 // records after which it ends when something has been found
	lossExamples = 5      // ids named
	lossTold     = 3      // losses told of
)

// orphans refuses a new declaration that stored resources of the organization
// stand against. Codes: schema_in_use.
func (d *Directory) orphans(ctx context.Context, org OrgID, old, next *Declared) error {
	all := lossesOf(old, next)
	whole := true
	for _, kind := range []Kind{KindUser, KindGroup, KindCustom} {
		of := slices.DeleteFunc(slices.Clone(all), func(l *loss) bool { return l.kind != kind })
		if len(of) == 0 {
			continue
		}
		complete, err := d.walkLosses(ctx, org, kind, of)
		if err != nil {
			return err
		}
		whole = whole && complete
	}
	all = slices.DeleteFunc(all, func(l *loss) bool { return l.count == 0 })
	if len(all) == 0 {
		return nil
	}
	parts := make([]string, 0, lossTold)
	for _, l := range all[:min(len(all), lossTold)] {
		parts = append(parts, l.sentence(whole))
	}
	if more := len(all) - lossTold; more > 0 {
		parts = append(parts, fmt.Sprintf("There are %d more such changes.", more))
	}
	return &Error{Code: CodeSchemaInUse, Detail: "The change does not fit stored resources. " + strings.Join(parts, " ")}
}

// sentence tells of a loss; whole says that all resources were counted.
func (l *loss) sentence(whole bool) string {
	least, verb := "", l.verb
	if !whole {
		least = "at least "
	}
	if l.count == 1 {
		verb = map[string]string{"are there": "is there", "have it": "has it", "lack it": "lacks it", "have values of it": "has values of it"}[verb]
	}
	text := fmt.Sprintf("%s, and %s%d %s resources %s, for example %s; %s.", l.what, least, l.count, l.typeName, verb, strings.Join(l.ids, ", "), l.remedy)
	if l.count == 1 {
		text = fmt.Sprintf("%s, and %s1 %s resource %s, %s; %s.", l.what, least, l.typeName, verb, l.ids[0], l.remedy)
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// walkLosses looks at every record of a kind, piece by piece, and counts what
// would be lost. It ends early once it has found something and looked at many;
// then complete is false.
func (d *Directory) walkLosses(ctx context.Context, org OrgID, kind Kind, losses []*loss) (complete bool, err error) {
	from, looked, found := "", 0, false
	var room []byte
	for {
		page, err := d.store.Find(ctx, org, Query{
			Kind: kind, Where: &Cond{Op: CondRange, Index: All(kind), FromID: from},
			Limit: lossPiece, NoGroups: true, Room: &room, Budget: d.budget,
		})
		if err != nil {
			return false, fmt.Errorf("look for stored values: %w", err)
		}
		for _, rec := range page.Records {
			hit, err := countLosses(rec, losses)
			if err != nil {
				return false, err
			}
			found = found || hit
			from = rec.ID + "0" // no id stands between
		}
		looked += len(page.Records)
		if page.Total <= len(page.Records) { // more than that may be records deleted meanwhile
			return true, nil
		}
		if found && looked >= lossEnough {
			return false, nil
		}
	}
}

func countLosses(rec *Record, losses []*loss) (found bool, err error) {
	var doc *jsontree.Value
	for _, l := range losses {
		if rec.Kind == KindCustom && !jsontree.EqualName(CustomType(rec), l.typeName) {
			continue
		}
		if doc == nil {
			parsed, err := jsontree.Parse(rec.Profile, jsontree.Limits{})
			if err != nil {
				return false, fmt.Errorf("stored document of %s: %w", rec.ID, err)
			}
			doc = &parsed
		}
		if !l.hit(doc) {
			continue
		}
		found = true
		if l.count++; len(l.ids) < lossExamples {
			l.ids = append(l.ids, strings.Clone(rec.ID))
		}
	}
	return found, nil
}
