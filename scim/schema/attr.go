package schema

import (
	"fmt"
	"slices"

	elimity "github.com/elimity-com/scim/schema"

	"github.com/usher-scim/usher/internal/jsontree"
)

// DataType is the type of an attribute's values (RFC 7643 §2.3).
type DataType uint8

// The data types.
const (
	TypeString DataType = iota + 1
	TypeBoolean
	TypeInteger
	TypeDecimal
	TypeDateTime
	TypeBinary
	TypeReference
	TypeComplex
)

var dataTypes = [...]string{
	TypeString: "string", TypeBoolean: "boolean", TypeInteger: "integer",
	TypeDecimal: "decimal", TypeDateTime: "dateTime", TypeBinary: "binary",
	TypeReference: "reference", TypeComplex: "complex",
}

// String gives the keyword of RFC 7643 §7.
func (d DataType) String() string { return keyword(dataTypes[:], uint8(d)) }

// Mutability says who may change an attribute (RFC 7643 §2.2).
type Mutability uint8

// The mutabilities.
const (
	ReadWrite Mutability = iota + 1
	ReadOnly
	Immutable
	WriteOnly
)

var mutabilities = [...]string{ReadWrite: "readWrite", ReadOnly: "readOnly", Immutable: "immutable", WriteOnly: "writeOnly"}

// String gives the keyword of RFC 7643 §7.
func (m Mutability) String() string { return keyword(mutabilities[:], uint8(m)) }

// Returned says when an attribute is part of an answer.
type Returned uint8

// The values of returned.
const (
	Default Returned = iota + 1
	Always
	Never
	Request
)

var returneds = [...]string{Default: "default", Always: "always", Never: "never", Request: "request"}

// String gives the keyword of RFC 7643 §7.
func (r Returned) String() string { return keyword(returneds[:], uint8(r)) }

// Uniqueness says how far a value is unique (RFC 7643 §2.2).
type Uniqueness uint8

// The values of uniqueness.
const (
	None Uniqueness = iota + 1
	Server
	Global
)

var uniquenesses = [...]string{None: "none", Server: "server", Global: "global"}

// String gives the keyword of RFC 7643 §7.
func (u Uniqueness) String() string { return keyword(uniquenesses[:], uint8(u)) }

func keyword(words []string, i uint8) string {
	if int(i) < len(words) && words[i] != "" {
		return words[i]
	}
	return "unknown"
}

// find gives the position of a keyword, or an error naming the attribute.
func find[T ~uint8](words []string, word, attr, what string) (T, error) {
	for i, w := range words {
		if w != "" && w == word {
			return T(i), nil
		}
	}
	return 0, fmt.Errorf("attribute %q: unknown %s %q", attr, what, word)
}

// Attr is one attribute or sub-attribute, compiled from elimity's
// schema.CoreAttribute. It never changes after NewRegistry and may be used by
// many goroutines.
type Attr struct {
	Name, Lower                string // as spelled in the schema; in ASCII lower case
	URN                        string // the schema it belongs to; "" for common attributes
	Type                       DataType
	Multi, CaseExact, Required bool
	Mutability                 Mutability
	Returned                   Returned
	Uniqueness                 Uniqueness
	Canonical                  []string // suggested values (canonicalValues); not enforced
	RefTypes                   []string
	Description                string
	Parent                     *Attr // nil for top-level attributes
	Subs                       []*Attr
	Core                       elimity.CoreAttribute // for ValidateSingular

	// Of declared attributes and of those of usher's extensions: the path under
	// which values are indexed, and which of the two indexes they stand in, see
	// resources.Indexed and resources.FactPath.
	Key            string
	Unique, Listed bool

	// Own: of an extension of usher's. Fixed: one value for all resources of an organization, which is not stored
	// with them. Counted: made when it is asked for, and unknown otherwise. Apart: it
	// is stored, but not in the document, see resources.ShownApart.
	Own, Fixed, Counted, Apart bool

	path      string
	value     *Attr   // the sub-attribute "value", or nil
	primary   *Attr   // the boolean sub-attribute "primary", or nil
	required  []*Attr // required sub-attributes that a client may write
	immutable []*Attr // immutable sub-attributes
	label     bool    // a sub-attribute that only describes its siblings
	name      bool    // userName, and displayName of a group: see nameLike
	short     bool    // stands in an ordered index: at most MaxName bytes
}

// Sub returns the sub-attribute of that name, compared without ASCII case, or
// nil.
func (a *Attr) Sub(name string) *Attr { return lookup(a.Subs, name) }

// Path is the attribute's full name as a client writes it: "name.givenName",
// with the URN in front for extension attributes:
// "urn:…:enterprise:2.0:User:manager.value".
func (a *Attr) Path() string { return a.path }

// Hidden reports whether the attribute is in no answer, whatever the client
// asks for: it is never returned, or writeOnly.
func (a *Attr) Hidden() bool { return a.Returned == Never || a.Mutability == WriteOnly }

// unseen reports whether a client may have written what is in no answer unless
// it is asked for.
func (a *Attr) unseen() bool {
	return a.Hidden() || (a.Returned == Request && a.Mutability != ReadOnly)
}

// veiled reports whether the attribute, or a sub-attribute, is unseen.
func (a *Attr) veiled() bool { return a.unseen() || slices.ContainsFunc(a.Subs, (*Attr).unseen) }

// compile turns an attribute of the library into ours.
func compile(core elimity.CoreAttribute, urn, prefix string, parent *Attr) (*Attr, error) {
	a := &Attr{
		Name: core.Name(), Lower: jsontree.LowerName(core.Name()), URN: urn,
		Multi: core.MultiValued(), CaseExact: core.CaseExact(), Required: core.Required(),
		Canonical: core.CanonicalValues(), Description: core.Description(),
		Parent: parent, Core: core,
	}
	a.path = prefix + a.Name
	for _, r := range core.ReferenceTypes() {
		a.RefTypes = append(a.RefTypes, string(r))
	}
	var errs [4]error
	a.Type, errs[0] = find[DataType](dataTypes[:], core.AttributeType(), a.path, "type")
	a.Mutability, errs[1] = find[Mutability](mutabilities[:], core.Mutability(), a.path, "mutability")
	a.Returned, errs[2] = find[Returned](returneds[:], core.Returned(), a.path, "returned")
	a.Uniqueness, errs[3] = find[Uniqueness](uniquenesses[:], core.Uniqueness(), a.path, "uniqueness")
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	if err := a.compileSubs(); err != nil {
		return nil, err
	}
	// What is declared stands in no index that is ordered by the whole value.
	builtin := parent == nil && (urn == UserURN || urn == GroupURN)
	a.name = builtin && a.Required && a.Type == TypeString && !a.Multi
	a.short = builtin && a.Lower == "displayname"
	return a, nil
}

func (a *Attr) compileSubs() error {
	for _, c := range a.Core.SubAttributes() {
		sub, err := compile(c, a.URN, a.path+".", a)
		if err != nil {
			return err
		}
		if lookup(a.Subs, sub.Name) != nil {
			return fmt.Errorf("attribute %q: two sub-attributes are called %q", a.path, sub.Name)
		}
		a.Subs = append(a.Subs, sub)
	}
	if a.Type == TypeComplex && len(a.Subs) == 0 {
		return fmt.Errorf("attribute %q: a complex attribute needs sub-attributes", a.path)
	}
	a.value = a.Sub("value")
	if p := a.Sub("primary"); p != nil && p.Type == TypeBoolean {
		a.primary = p
	}
	a.required = writableRequired(a.Subs)
	a.immutable = immutables(a.Subs)
	for _, sub := range a.Subs {
		switch sub.Lower {
		case "type", "primary", "display":
			sub.label = sub != a.value
		case "$ref":
			sub.label = a.value != nil
		}
	}
	return nil
}

// writableRequired lists what a document must have.
func writableRequired(attrs []*Attr) []*Attr {
	var out []*Attr
	for _, a := range attrs {
		if a.Required && a.Mutability != ReadOnly {
			out = append(out, a)
		}
	}
	return out
}
