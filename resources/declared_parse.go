package resources

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/usher-scim/usher/internal/jsontree"
)

// Bounds of a declaration.
const (
	maxDeclaration   = 256 << 10 // bytes
	maxSchemas       = 50
	maxTypes         = 20
	maxAttributes    = 200 // of a schema
	maxSubAttributes = 50  // of an attribute
	maxURN           = 200 // bytes
	maxAttributeName = 60  // bytes; also of types
	maxDescription   = 1000
	maxCanonical     = 200 // values of one attribute
	maxFaults        = 20  // told at once
)

// ParseDeclared reads a declaration: a JSON object with schemas (RFC 7643 §7)
// and resourceTypes (§6), both optional. Characteristics that are left out get
// the defaults of RFC 7643 §2.2; unknown ones are ignored. It returns every
// fault, up to twenty, each an *Error with the code invalid_value and the place
// in the document as Field.
func ParseDeclared(raw []byte) (*Declared, error) {
	if len(raw) > maxDeclaration {
		return nil, declaredFault("", fmt.Sprintf("A declaration has at most %d bytes, this one has %d; declare less.", maxDeclaration, len(raw)))
	}
	tree, err := jsontree.Parse(raw, jsontree.Limits{Depth: 16, Members: 512, Digits: 15, Values: 1 << 17})
	if err != nil {
		return nil, &Error{Code: CodeInvalidValue, Detail: "The declaration is not JSON: " + err.Error() + ".", Err: err}
	}
	p := &declaredParser{}
	if tree.Kind != jsontree.Object {
		p.fault("", `A declaration is a JSON object: {"schemas": […], "resourceTypes": […]}.`)
		return nil, p.err()
	}
	for i := range tree.Items {
		if m := &tree.Items[i]; !jsontree.EqualName(m.Name, "schemas") && !jsontree.EqualName(m.Name, "resourceTypes") && !jsontree.EqualName(m.Name, "version") {
			p.fault(m.Name, "A declaration has the members schemas and resourceTypes only; remove this one.")
		}
	}
	d := &Declared{}
	for i, v := range p.list("schemas", tree.Get("schemas"), maxSchemas) {
		d.Schemas = append(d.Schemas, p.schema(at("schemas", i), v))
	}
	for i, v := range p.list("resourceTypes", tree.Get("resourceTypes"), maxTypes) {
		d.Types = append(d.Types, p.typ(at("resourceTypes", i), v))
	}
	if p.err() == nil { // what is not even well formed would only be repeated
		p.check(d)
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	return d, nil
}

func at(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }

func declaredFault(path, detail string) *Error {
	return &Error{Code: CodeInvalidValue, Field: path, Detail: detail}
}

// declaredParser reads one declaration and collects its faults.
type declaredParser struct{ faults []error }

func (p *declaredParser) fault(path, format string, args ...any) {
	detail := format
	if len(args) > 0 {
		detail = fmt.Sprintf(format, args...)
	}
	if len(p.faults) < maxFaults {
		p.faults = append(p.faults, declaredFault(path, detail))
	}
}

func (p *declaredParser) err() error {
	if len(p.faults) == 1 {
		return p.faults[0]
	}
	return errors.Join(p.faults...)
}

// list gives the objects of an array; nothing when it is left out.
func (p *declaredParser) list(path string, v *jsontree.Value, most int) []*jsontree.Value {
	if v == nil || v.Kind == jsontree.Null {
		return nil
	}
	if v.Kind != jsontree.Array {
		p.fault(path, "This is a list of objects; write […].")
		return nil
	}
	if len(v.Items) > most {
		p.fault(path, "There are %d of them, at most %d are possible; declare fewer.", len(v.Items), most)
		return nil
	}
	out := elements(v)
	for i, e := range out {
		if e.Kind != jsontree.Object {
			p.fault(at(path, i), "This is an object; write {…}.")
			return nil
		}
	}
	return out
}

// text gives a string member, or "" when it is left out.
func (p *declaredParser) text(path string, obj *jsontree.Value, name string, most int) string {
	v := obj.Get(name)
	switch {
	case v == nil || v.Kind == jsontree.Null:
		return ""
	case v.Kind != jsontree.String:
		p.fault(path+"."+name, "This is a text; write it in quotes.")
		return ""
	case len(v.Text) > most:
		p.fault(path+"."+name, "This text has %d bytes, at most %d are possible; shorten it.", len(v.Text), most)
	}
	return v.Text
}

// flag gives a boolean member, false when it is left out.
func (p *declaredParser) flag(path string, obj *jsontree.Value, name string) bool {
	v := obj.Get(name)
	if v == nil || v.Kind == jsontree.Null {
		return false
	}
	if !v.IsBool() {
		p.fault(path+"."+name, "This is true or false, without quotes.")
	}
	return v.Kind == jsontree.True
}

// keyword gives a member that is one of a few words, the first when it is left
// out. They are keywords of the standard, so their spelling counts.
func (p *declaredParser) keyword(path string, obj *jsontree.Value, name string, words ...string) string {
	got := p.text(path, obj, name, maxDescription)
	if got == "" {
		return words[0]
	}
	if !slices.Contains(words, got) {
		p.fault(path+"."+name, "%s is not known; use %s.", quoted(got), joined(words))
	}
	return got
}

// texts gives a list of strings.
func (p *declaredParser) texts(path string, obj *jsontree.Value, name string) []string {
	v := obj.Get(name)
	if v == nil || v.Kind == jsontree.Null {
		return nil
	}
	if v.Kind != jsontree.Array || len(v.Items) > maxCanonical {
		p.fault(path+"."+name, "This is a list of at most %d texts.", maxCanonical)
		return nil
	}
	var out []string
	for i := range v.Items {
		if e := &v.Items[i]; e.Kind != jsontree.String || len(e.Text) > maxDescription {
			p.fault(at(path+"."+name, i), "This is a text of at most %d bytes.", maxDescription)
		} else {
			out = append(out, e.Text)
		}
	}
	return out
}

func (p *declaredParser) schema(path string, v *jsontree.Value) SchemaDef {
	s := SchemaDef{
		ID:          p.text(path, v, "id", maxURN),
		Name:        p.text(path, v, "name", maxDescription),
		Description: p.text(path, v, "description", maxDescription),
		Attributes:  []AttributeDef{},
	}
	for i, a := range p.list(path+".attributes", v.Get("attributes"), maxAttributes) {
		s.Attributes = append(s.Attributes, p.attribute(at(path+".attributes", i), a, true))
	}
	return s
}

// attribute reads an attribute; a sub-attribute when top is false.
func (p *declaredParser) attribute(path string, v *jsontree.Value, top bool) AttributeDef {
	a := AttributeDef{
		Name:            p.text(path, v, "name", maxAttributeName),
		Type:            p.keyword(path, v, "type", "string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"),
		MultiValued:     p.flag(path, v, "multiValued"),
		Description:     p.text(path, v, "description", maxDescription),
		Required:        p.flag(path, v, "required"),
		CaseExact:       p.flag(path, v, "caseExact"),
		CanonicalValues: p.texts(path, v, "canonicalValues"),
		Mutability:      p.keyword(path, v, "mutability", "readWrite", "readOnly", "immutable", "writeOnly"),
		Uniqueness:      p.keyword(path, v, "uniqueness", "none", "server", "global"),
		ReferenceTypes:  p.texts(path, v, "referenceTypes"),
	}
	usual := []string{"default", "always", "never", "request"}
	if a.Mutability == "writeOnly" { // what can only be written is never shown (RFC 7643 §7)
		usual = []string{"never", "default", "always", "request"}
	}
	a.Returned = p.keyword(path, v, "returned", usual...)
	switch a.Type {
	case "reference", "binary": // exact whatever is said (RFC 7643 §2.3.6, §2.3.7)
		a.CaseExact = true
	case "boolean", "decimal", "integer", "dateTime", "complex":
		a.CaseExact = false
	}
	if top {
		for i, sub := range p.list(path+".subAttributes", v.Get("subAttributes"), maxSubAttributes) {
			a.SubAttributes = append(a.SubAttributes, p.attribute(at(path+".subAttributes", i), sub, false))
		}
	} else if v.Get("subAttributes") != nil {
		p.fault(path+".subAttributes", "A sub-attribute has no sub-attributes of its own (RFC 7643 §2.3.8); make it an attribute of the schema.")
	}
	return a
}

func (p *declaredParser) typ(path string, v *jsontree.Value) TypeDef {
	t := TypeDef{
		Name:        p.text(path, v, "name", maxAttributeName),
		Endpoint:    p.text(path, v, "endpoint", maxAttributeName+1),
		Description: p.text(path, v, "description", maxDescription),
		Schema:      p.text(path, v, "schema", maxURN),
	}
	for i, e := range p.list(path+".schemaExtensions", v.Get("schemaExtensions"), maxSchemas) {
		where := at(path+".schemaExtensions", i)
		t.SchemaExtensions = append(t.SchemaExtensions, ExtensionDef{Schema: p.text(where, e, "schema", maxURN), Required: p.flag(where, e, "required")})
	}
	return t
}
