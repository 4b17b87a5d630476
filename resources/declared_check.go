package resources

import (
	"regexp"
	"slices"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
)

var (
	// RFC 8141 with the characters that paths and filters can have.
	urnForm       = regexp.MustCompile(`^[uU][rR][nN]:[a-zA-Z0-9][a-zA-Z0-9-]{0,31}:([a-zA-Z0-9._-]+:)*[a-zA-Z0-9._-]*[a-zA-Z0-9]$`)
	attributeForm = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9$_-]*$`)
	endpointForm  = regexp.MustCompile(`^/[a-zA-Z0-9$_-]+$`)
)

const (
	standardURNs = "urn:ietf:params:scim:"
	coreUserURN  = standardURNs + "schemas:core:2.0:User"
	coreGroupURN = standardURNs + "schemas:core:2.0:Group"
)

// check looks at the parts of a declaration together.
func (p *declaredParser) check(d *Declared) {
	for i := range d.Schemas {
		s, path := &d.Schemas[i], at("schemas", i)
		p.checkSchema(path, s)
		for j := range i {
			if jsontree.EqualName(d.Schemas[j].ID, s.ID) {
				p.fault(path+".id", "The schema %s is declared twice; declare it once.", quoted(s.ID))
			}
			if hides(s, &d.Schemas[j]) || hides(&d.Schemas[j], s) {
				p.fault(path+".id", "One of the schemas %s and %s has the id of an attribute of the other, so that paths would be ambiguous; rename it.", quoted(s.ID), quoted(d.Schemas[j].ID))
			}
		}
	}
	for i := range d.Types {
		t, path := &d.Types[i], at("resourceTypes", i)
		if builtinType(t.Name) {
			p.checkBuiltin(path, t)
		} else {
			p.checkType(path, d, t)
		}
		for j := range i {
			if jsontree.EqualName(d.Types[j].Name, t.Name) {
				p.fault(path+".name", "The resource type %s is declared twice; declare it once.", quoted(t.Name))
			}
			if t.Endpoint != "" && jsontree.EqualName(d.Types[j].Endpoint, t.Endpoint) {
				p.fault(path+".endpoint", "Another resource type has the endpoint %s; choose another one.", quoted(t.Endpoint))
			}
			if t.Schema != "" && jsontree.EqualName(d.Types[j].Schema, t.Schema) {
				p.fault(path+".schema", "The schema %s is the core of %s already; a schema is the core of one resource type only.", quoted(t.Schema), quoted(d.Types[j].Name))
			}
		}
		p.checkExtensions(path, d, t)
	}
}

// hides reports whether the id of inner is also the path of an attribute of s.
func hides(s, inner *SchemaDef) bool {
	rest, ok := strings.CutPrefix(jsontree.LowerName(inner.ID), jsontree.LowerName(s.ID)+":")
	return ok && attributeOf(s.Attributes, rest) != nil
}

func builtinType(name string) bool {
	return jsontree.EqualName(name, "User") || jsontree.EqualName(name, "Group")
}

func (p *declaredParser) checkSchema(path string, s *SchemaDef) {
	switch {
	case s.ID == "":
		p.fault(path+".id", "A schema needs an id, a URN such as urn:example:params:scim:schemas:extension:badge:2.0:User.")
	case !urnForm.MatchString(s.ID):
		p.fault(path+".id", "%s is not a URN; write urn:, a namespace, a colon and a name, for example urn:example:schemas:badge.", quoted(s.ID))
	case OwnURN(s.ID):
		p.fault(path+".id", "%s lies in the namespace of usher's own extensions; use a URN of your own, for example urn:example:schemas:badge.", quoted(s.ID))
	case len(s.ID) >= len(standardURNs) && jsontree.EqualName(s.ID[:len(standardURNs)], standardURNs) && !customNamespace(s.ID):
		p.fault(path+".id", "%s lies in the namespace of the SCIM standard; use a URN of your own, for example urn:example:schemas:badge.", quoted(s.ID))
	}
	if len(s.Attributes) == 0 {
		p.fault(path+".attributes", "A schema needs at least one attribute.")
	}
	p.checkNames(path+".attributes", s.Attributes, false)
	for i := range s.Attributes {
		p.checkAttribute(at(path+".attributes", i), nil, &s.Attributes[i])
	}
}

// customNamespace reports whether a URN is of the form that providers' editors
// of attributes demand for extensions (urn:ietf:params:scim:schemas:extension:…)
// and that no standard has taken.
func customNamespace(id string) bool {
	rest, ok := strings.CutPrefix(jsontree.LowerName(id), standardURNs+"schemas:extension:")
	return ok && !strings.HasPrefix(rest, "enterprise:")
}

func (p *declaredParser) checkNames(path string, list []AttributeDef, sub bool) {
	for i := range list {
		name := list[i].Name
		switch {
		case !attributeForm.MatchString(name) && (!sub || name != "$ref"): // the standard itself has sub-attributes $ref
			p.fault(at(path, i)+".name", "%s is not a name of an attribute; use a letter and then letters, digits, $, - and _ (RFC 7643 §2.1).", quoted(name))
		case slices.ContainsFunc(list[:i], func(a AttributeDef) bool { return jsontree.EqualName(a.Name, name) }):
			p.fault(at(path, i)+".name", "The attribute %s is there twice; names are compared without case.", quoted(name))
		}
	}
}

// checkAttribute checks one attribute and its sub-attributes; parent is nil for
// those of the schema.
func (p *declaredParser) checkAttribute(path string, parent, a *AttributeDef) {
	if parent == nil && jsontree.EqualName(a.Name, "schemas") {
		p.fault(path+".name", "Identity providers send the member schemas in the objects of extensions, where it means nothing; choose another name.")
	}
	unique, _ := Indexed(parent, a)
	switch {
	case a.Type == "complex" && parent != nil:
		p.fault(path+".type", "A sub-attribute is not complex (RFC 7643 §2.3.8); use a simple type.")
	case a.Type == "complex" && len(a.SubAttributes) == 0:
		p.fault(path+".subAttributes", "A complex attribute needs sub-attributes.")
	case a.Type != "complex" && len(a.SubAttributes) > 0:
		p.fault(path+".subAttributes", "Only complex attributes have sub-attributes; set type to complex or remove them.")
	case unique && !slices.Contains([]string{"string", "reference", "integer", "binary"}, a.Type):
		p.fault(path+".uniqueness", "Values of the type %s cannot be unique; only string, reference, integer and binary can. Set uniqueness to none.", a.Type)
	}
	switch {
	case a.Mutability == "writeOnly" && a.Returned != "never":
		p.fault(path+".returned", "An attribute that is writeOnly is never returned (RFC 7643 §7); set returned to never or leave it out.")
	case a.Mutability == "readOnly" && a.Required:
		p.fault(path+".required", "Nobody can send an attribute that is readOnly, so it cannot be required; change one of the two.")
	case parent != nil && parent.Mutability == "readOnly" && a.Required:
		p.fault(path+".required", "Nobody can send parts of an attribute that is readOnly, so they cannot be required; set required to false.")
	}
	if len(a.ReferenceTypes) > 0 && a.Type != "reference" {
		p.fault(path+".referenceTypes", "Only attributes of the type reference have referenceTypes; remove them.")
	}
	p.checkNames(path+".subAttributes", a.SubAttributes, true)
	for i := range a.SubAttributes {
		p.checkAttribute(at(path+".subAttributes", i), a, &a.SubAttributes[i])
	}
}

// checkBuiltin checks what is declared of User or Group and leaves nothing but
// the extensions.
func (p *declaredParser) checkBuiltin(path string, t *TypeDef) {
	name, endpoint, core := "User", "/Users", coreUserURN
	if jsontree.EqualName(t.Name, "Group") {
		name, endpoint, core = "Group", "/Groups", coreGroupURN
	}
	t.Name = name
	if t.Endpoint != "" && t.Endpoint != endpoint {
		p.fault(path+".endpoint", "The endpoint of %s is %s and cannot be changed; leave it out.", t.Name, endpoint)
	}
	if t.Schema != "" && !jsontree.EqualName(t.Schema, core) {
		p.fault(path+".schema", "The core schema of %s cannot be changed; leave it out and add extensions.", t.Name)
	}
	t.Endpoint, t.Schema, t.Description = "", "", ""
}

// takenEndpoints are addresses below the base URL that mean something already.
func takenEndpoints() []string {
	return []string{"/Users", "/Groups", "/Me", "/Bulk", "/Schemas", "/ResourceTypes", "/ServiceProviderConfig", "/oauth", "/v2"}
}

// topNames are attributes that every resource has, or that usher treats as a
// secret: no core schema can give them another meaning.
func topNames() []string { return []string{"id", "externalId", "meta", "schemas", "password"} }

func (p *declaredParser) checkType(path string, d *Declared, t *TypeDef) {
	if !attributeForm.MatchString(t.Name) {
		p.fault(path+".name", "%s is not a name of a resource type; use a letter and then letters, digits, $, - and _.", quoted(t.Name))
	}
	for _, taken := range []string{"Schema", "ResourceType", "ServiceProviderConfig", "Me", "Bulk"} {
		if jsontree.EqualName(t.Name, taken) {
			p.fault(path+".name", "%s means something in SCIM already; choose another name.", quoted(t.Name))
		}
	}
	switch {
	case !endpointForm.MatchString(t.Endpoint):
		p.fault(path+".endpoint", "%s is not an endpoint; write a slash and letters, digits, $, - and _, for example /Devices.", quoted(t.Endpoint))
	case slices.ContainsFunc(takenEndpoints(), func(e string) bool { return jsontree.EqualName(e, t.Endpoint) }):
		p.fault(path+".endpoint", "The endpoint %s means something in SCIM already; choose another one.", quoted(t.Endpoint))
	}
	core := d.Schema(t.Schema)
	if core == nil {
		p.fault(path+".schema", "The schema %s is not declared in this document; add it to schemas.", quoted(t.Schema))
		return
	}
	t.Schema = core.ID
	for i := range core.Attributes {
		if name := core.Attributes[i].Name; slices.ContainsFunc(topNames(), func(n string) bool { return jsontree.EqualName(n, name) }) {
			p.fault(path+".schema", "Its schema has an attribute %s, which no core schema can declare: every resource has it, or it is a secret. Rename it.", quoted(name))
		}
	}
}

func (p *declaredParser) checkExtensions(path string, d *Declared, t *TypeDef) {
	for i := range t.SchemaExtensions {
		e, where := &t.SchemaExtensions[i], at(path+".schemaExtensions", i)+".schema"
		s := d.Schema(e.Schema)
		switch {
		case s == nil:
			p.fault(where, "The schema %s is not declared in this document; add it to schemas.", quoted(e.Schema))
			continue
		case slices.ContainsFunc(t.SchemaExtensions[:i], func(x ExtensionDef) bool { return jsontree.EqualName(x.Schema, e.Schema) }):
			p.fault(where, "The schema %s extends %s twice; name it once.", quoted(e.Schema), t.Name)
		case slices.ContainsFunc(d.Types, func(x TypeDef) bool { return jsontree.EqualName(x.Schema, e.Schema) }):
			p.fault(where, "The schema %s is the core of a resource type and cannot be an extension too; declare another one.", quoted(e.Schema))
		}
		e.Schema = s.ID
	}
}
