package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/elimity-com/scim"
	"github.com/elimity-com/scim/optional"
	elimity "github.com/elimity-com/scim/schema"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// Declared gives the resource types of an organization: the built-in ones with
// the extensions declared for them, then the declared types in order (RFC 7643
// §6, §7, R-46…R-48), and by name what kind of record holds each. d must be
// what resources.ParseDeclared accepts; the error names what is not.
func Declared(d *resources.Declared) ([]scim.ResourceType, map[string]resources.Kind, error) {
	types := Builtin()
	kinds := map[string]resources.Kind{"User": resources.KindUser, "Group": resources.KindGroup}
	if d == nil {
		return types, kinds, nil
	}
	for i := range types {
		def := d.Type(types[i].Name)
		if def == nil {
			continue
		}
		more, err := extensions(d, def)
		if err != nil {
			return nil, nil, err
		}
		types[i].SchemaExtensions = append(slices.Clip(types[i].SchemaExtensions), more...)
	}
	for i := range d.Types {
		def := &d.Types[i]
		if jsontree.EqualName(def.Name, "User") || jsontree.EqualName(def.Name, "Group") {
			continue
		}
		rt, err := declaredType(d, def)
		if err != nil {
			return nil, nil, err
		}
		types = append(types, rt)
		kinds[rt.Name] = resources.KindCustom
	}
	return types, kinds, nil
}

func declaredType(d *resources.Declared, def *resources.TypeDef) (scim.ResourceType, error) {
	core, err := declaredSchema(d, def, def.Schema)
	if err != nil {
		return scim.ResourceType{}, err
	}
	more, err := extensions(d, def)
	return scim.ResourceType{
		ID: optional.NewString(def.Name), Name: def.Name, Endpoint: def.Endpoint,
		Description: optional.NewString(def.Description), Schema: core, SchemaExtensions: more,
	}, err
}

func extensions(d *resources.Declared, def *resources.TypeDef) ([]scim.SchemaExtension, error) {
	out := make([]scim.SchemaExtension, 0, len(def.SchemaExtensions))
	for _, x := range def.SchemaExtensions {
		s, err := declaredSchema(d, def, x.Schema)
		if err != nil {
			return nil, err
		}
		out = append(out, scim.SchemaExtension{Schema: s, Required: x.Required})
	}
	return out, nil
}

func declaredSchema(d *resources.Declared, def *resources.TypeDef, id string) (elimity.Schema, error) {
	s := d.Schema(id)
	if s == nil {
		return elimity.Schema{}, fmt.Errorf("resource type %q: the schema %q is not declared", def.Name, id)
	}
	attrs := make([]elimity.CoreAttribute, 0, len(s.Attributes)) // no spare capacity, see userSchema
	for i := range s.Attributes {
		a, err := declaredAttribute(&s.Attributes[i])
		if err != nil {
			return elimity.Schema{}, fmt.Errorf("schema %q: %w", id, err)
		}
		attrs = append(attrs, a)
	}
	return elimity.Schema{ID: s.ID, Name: optional.NewString(s.Name), Description: optional.NewString(s.Description), Attributes: attrs}, nil
}

// goodName reports whether the library's constructors take an attribute name
// of anything else they panic.
func goodName(s string) bool {
	for i := 0; i < len(s); i++ {
		letter := s[i]|0x20 >= 'a' && s[i]|0x20 <= 'z'
		if !letter && (i == 0 || strings.IndexByte("0123456789$-_", s[i]) < 0) {
			return false
		}
	}
	return s != ""
}

func declaredAttribute(def *resources.AttributeDef) (elimity.CoreAttribute, error) {
	if !goodName(def.Name) {
		return elimity.CoreAttribute{}, fmt.Errorf("attribute %q: a name is a letter and then letters, digits, $, - and _ (R-4)", def.Name)
	}
	if def.Type != TypeComplex.String() {
		p, err := simple(def)
		if err != nil {
			return elimity.CoreAttribute{}, err
		}
		return elimity.SimpleCoreAttribute(p), nil
	}
	c, err := characteristicsOf(def)
	if err != nil {
		return elimity.CoreAttribute{}, err
	}
	params := elimity.ComplexParams{
		Name: def.Name, Description: optional.NewString(def.Description), MultiValued: def.MultiValued, Required: def.Required,
		Mutability: c.mutability, Returned: c.returned, Uniqueness: c.uniqueness,
	}
	for i := range def.SubAttributes {
		sub := &def.SubAttributes[i]
		for k := range i { // the library panics
			if jsontree.EqualName(def.SubAttributes[k].Name, sub.Name) {
				return elimity.CoreAttribute{}, fmt.Errorf("attribute %q: two sub-attributes are called %q", def.Name, sub.Name)
			}
		}
		p, err := simple(sub)
		if err != nil {
			return elimity.CoreAttribute{}, fmt.Errorf("attribute %q: %w", def.Name, err)
		}
		params.SubAttributes = append(params.SubAttributes, p)
	}
	return elimity.ComplexCoreAttribute(params), nil
}

// simple turns a definition into the library's parameters. What the library
// does not know of a type is fixed there: references and binaries compare with
// case (RFC 7643 §2.3.6, §2.3.7), booleans, dates and binaries are not unique.
func simple(def *resources.AttributeDef) (elimity.SimpleParams, error) {
	c, err := characteristicsOf(def)
	if err != nil {
		return elimity.SimpleParams{}, err
	}
	name, about := def.Name, optional.NewString(def.Description)
	switch def.Type {
	case "string":
		return elimity.SimpleStringParams(elimity.StringParams{
			Name: name, Description: about, MultiValued: def.MultiValued, Required: def.Required, CaseExact: def.CaseExact,
			CanonicalValues: def.CanonicalValues, Mutability: c.mutability, Returned: c.returned, Uniqueness: c.uniqueness,
		}), nil
	case "reference":
		p := elimity.ReferenceParams{
			Name: name, Description: about, MultiValued: def.MultiValued, Required: def.Required,
			Mutability: c.mutability, Returned: c.returned, Uniqueness: c.uniqueness,
		}
		for _, r := range def.ReferenceTypes {
			p.ReferenceTypes = append(p.ReferenceTypes, elimity.AttributeReferenceType(r))
		}
		return elimity.SimpleReferenceParams(p), nil
	case "integer", "decimal":
		p := elimity.NumberParams{
			Name: name, Description: about, MultiValued: def.MultiValued, Required: def.Required, Type: elimity.AttributeTypeDecimal(),
			Mutability: c.mutability, Returned: c.returned, Uniqueness: c.uniqueness,
		}
		if def.Type == "integer" {
			p.Type = elimity.AttributeTypeInteger()
		}
		return elimity.SimpleNumberParams(p), nil
	case "boolean":
		return elimity.SimpleBooleanParams(elimity.BooleanParams{
			Name: name, Description: about, MultiValued: def.MultiValued, Required: def.Required, Mutability: c.mutability, Returned: c.returned,
		}), nil
	case "dateTime":
		return elimity.SimpleDateTimeParams(elimity.DateTimeParams{
			Name: name, Description: about, MultiValued: def.MultiValued, Required: def.Required, Mutability: c.mutability, Returned: c.returned,
		}), nil
	case "binary":
		return elimity.SimpleBinaryParams(elimity.BinaryParams{
			Name: name, Description: about, MultiValued: def.MultiValued, Required: def.Required, Mutability: c.mutability, Returned: c.returned,
		}), nil
	}
	return elimity.SimpleParams{}, fmt.Errorf("attribute %q: unknown type %q", def.Name, def.Type)
}

// characteristics are the keywords of a definition as the library has them.
type characteristics struct {
	mutability elimity.AttributeMutability
	returned   elimity.AttributeReturned
	uniqueness elimity.AttributeUniqueness
}

// characteristicsOf reads the keywords; what is left out has the default of
// RFC 7643 §2.2.
func characteristicsOf(def *resources.AttributeDef) (c characteristics, err error) {
	switch def.Mutability {
	case "", "readWrite":
	case "readOnly":
		c.mutability = elimity.AttributeMutabilityReadOnly()
	case "immutable":
		c.mutability = elimity.AttributeMutabilityImmutable()
	case "writeOnly":
		c.mutability = elimity.AttributeMutabilityWriteOnly()
	default:
		return c, fmt.Errorf("attribute %q: unknown mutability %q", def.Name, def.Mutability)
	}
	switch def.Returned {
	case "", "default":
	case "always":
		c.returned = elimity.AttributeReturnedAlways()
	case "never":
		c.returned = elimity.AttributeReturnedNever()
	case "request":
		c.returned = elimity.AttributeReturnedRequest()
	default:
		return c, fmt.Errorf("attribute %q: unknown value of returned %q", def.Name, def.Returned)
	}
	switch def.Uniqueness {
	case "", "none":
	case "server":
		c.uniqueness = elimity.AttributeUniquenessServer()
	case "global":
		c.uniqueness = elimity.AttributeUniquenessGlobal()
	default:
		return c, fmt.Errorf("attribute %q: unknown uniqueness %q", def.Name, def.Uniqueness)
	}
	return c, nil
}
