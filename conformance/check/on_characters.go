package check

import (
	"net/http"
	"strings"
	"unicode"

	"github.com/usher-scim/usher/internal/jsontree"
)

// characterChecks hold every announced attribute against its characteristics
// (RFC 7643 §2.2, §7).
func characterChecks() []Check {
	is := func(name string, values ...string) func(*jsontree.Value) bool {
		return func(a *jsontree.Value) bool {
			for _, v := range values {
				if find(a, name).Text == v {
					return true
				}
			}
			return false
		}
	}
	never := func(a *jsontree.Value) bool { return is("returned", "never")(a) || is("mutability", "writeOnly")(a) }
	settable := func(a *jsontree.Value) bool {
		return a.GetString("mutability") != "readOnly" && a.GetString("name") != "id"
	}
	row := func(id, title, sources string, run func(*session, ground, field), pick func(*jsontree.Value) bool) Check {
		return c("character/"+id, title, sources, func(s *session) {
			for _, g := range picked(s.known, pick) {
				for _, f := range g.fields {
					run(s, g, f)
				}
			}
		}, func(k *announced) Reason { return missing(len(picked(k, pick)) == 0, NoSuchKind) })
	}
	return []Check{
		row("required", "what is required must be there, in POST and PUT", "R-48 R-53 R-85", characterRequired, func(a *jsontree.Value) bool { return required(a) && find(a, "multiValued").Kind != jsontree.True }),
		row("required-removed", "what is required cannot be removed by PATCH", "R-48 R-97", characterKept, func(a *jsontree.Value) bool { return required(a) && writable(a) }),
		row("immutable", "what is immutable is set once and never changed", "R-48 R-84 R-105", characterImmutable, is("mutability", "immutable")),
		row("read-only", "what is readOnly is ignored in POST", "R-48 R-51 R-105", characterReadOnly, func(a *jsontree.Value) bool { return is("mutability", "readOnly")(a) && a.GetString("name") != "id" }),
		row("never", "what is returned never, or writeOnly, is in no answer", "R-21 R-48", characterNever, never),
		row("request", "what is returned on request comes only when asked for", "R-21 R-48", characterRequest, func(a *jsontree.Value) bool { return is("returned", "request")(a) && settable(a) }),
		row("always", "what is returned always cannot be left out", "R-21 R-78", characterAlways, func(a *jsontree.Value) bool { return is("returned", "always")(a) && settable(a) }),
		row("unique", "what is unique is 409 the second time", "R-48 R-52", characterUnique, func(a *jsontree.Value) bool { return is("uniqueness", "server", "global")(a) && settable(a) }),
		row("case", "texts compare with case where caseExact says so, and without elsewhere", "R-20 R-48", characterCase, func(a *jsontree.Value) bool {
			return writable(a) && is("type", "string")(a) && len(find(a, "canonicalValues").Items) == 0 && find(a, "multiValued").Kind != jsontree.True && a.GetString("name") != "value"
		}),
		c("character/multi-valued", "every multi-valued complex attribute is written, read, found, and taken away value by value", "R-48 R-68 R-96 R-102", characterMulti, noPatch, noFilter),
	}
}

// picked is every resource type with those of its attributes that are picked.
func picked(k *announced, pick func(*jsontree.Value) bool) []ground {
	var out []ground
	for _, t := range k.types {
		g := ground{t: t, fields: fieldsOf(k, t.schema, "", pick)}
		for _, e := range t.extensions {
			g.fields = append(g.fields, fieldsOf(k, e.urn, e.urn, pick)...)
		}
		if len(g.fields) > 0 {
			out = append(out, g)
		}
	}
	return out
}

// holding makes a resource with a value of a field.
func (s *session) holding(g ground, f field) (*resource, any) {
	body, v := s.start(g.t), s.value(f, 0)
	set(body, f, v)
	return s.create(g.t.endpoint, body), v
}

func characterRequired(s *session, g ground, f field) {
	if strings.Contains(f.path, ".") { // required only where its parent is there
		return
	}
	r := s.create(g.t.endpoint, s.start(g.t))
	body := s.start(g.t)
	delete(body, f.path)
	if f.urn != "" && !s.without(body, f) {
		return
	}
	s.wantError(s.post(g.t.endpoint, body), http.StatusBadRequest, "invalidValue", "invalidSyntax")
	s.wantUntouched(r, func() {
		s.wantError(s.put(r.path(), body), http.StatusBadRequest, "invalidValue", "invalidSyntax")
	})
}

// without writes the extension of a field into a body, with everything but the
// field; an extension that has nothing else cannot be sent without it.
func (s *session) without(body obj, f field) bool {
	others := false
	for _, other := range fieldsOf(s.known, f.urn, f.urn, writable) {
		if other.path != f.path {
			set(body, other, s.value(other, 0))
			others = true
		}
	}
	if others {
		delete(body[f.urn].(obj), f.path)
	}
	return others
}

func characterKept(s *session, g ground, f field) {
	if strings.Contains(f.path, ".") || f.urn != "" {
		return
	}
	r, _ := s.holding(g, f)
	s.wantUntouched(r, func() {
		s.wantError(s.patch(r.path(), remove(f.full())), http.StatusBadRequest, "mutability", "invalidValue")
	})
}

func characterImmutable(s *session, g ground, f field) {
	r, v := s.holding(g, f)
	s.wantStored(r, obj{f.full(): v})
	s.wantUntouched(r, func() {
		s.wantError(s.patch(r.path(), replace(f.full(), s.value(f, 1))), http.StatusBadRequest, "mutability")
		body := s.start(g.t)
		set(body, f, s.value(f, 1))
		s.wantError(s.put(r.path(), body), http.StatusBadRequest, "mutability")
	})
	bare := s.create(g.t.endpoint, s.start(g.t))
	if !required(f.def) {
		s.wantAt(s.modify(bare, add(f.full(), v)), f.full(), v)
	}
}

func characterReadOnly(s *session, g ground, f field) {
	own := find(s.read(s.create(g.t.endpoint, s.start(g.t))), f.full()).Clone()
	v := s.value(f, 0)
	if same(&own, v) == "" { // what it would be anyway
		v = s.value(f, 1)
	}
	body := s.start(g.t)
	set(body, f, v)
	r := s.create(g.t.endpoint, body)
	why := same(find(s.read(r), f.full()), v)
	s.wantThat(!s.ok() || why != "", "%s is readOnly and was taken from the client", f.full())
}

func characterNever(s *session, g ground, f field) {
	r, _ := s.holding(g, f)
	s.wantAt(&r.value, f.full(), nil)
	s.wantStored(r, obj{f.full(): nil})
	s.wantAt(&s.get(r.path(), "attributes", f.full()).value, f.full(), nil)
}

func characterRequest(s *session, g ground, f field) {
	r, v := s.holding(g, f)
	s.wantStored(r, obj{f.full(): nil})
	s.wantAt(&s.get(r.path(), "attributes", f.full()).value, f.full(), v)
}

func characterAlways(s *session, g ground, f field) {
	r, v := s.holding(g, f)
	s.wantAt(&s.get(r.path(), "attributes", "id").value, f.full(), v)
	s.wantAt(&s.get(r.path(), "excludedAttributes", f.full()).value, f.full(), v)
}

func characterUnique(s *session, g ground, f field) {
	r, v := s.holding(g, f)
	body := s.start(g.t)
	set(body, f, v)
	s.wantError(s.post(g.t.endpoint, body), http.StatusConflict, "uniqueness")
	if f.def.GetString("returned") == "never" || f.def.GetString("mutability") == "writeOnly" {
		return // a server need not tell who has a secret
	}
	if many, ok := v.(list); ok {
		v = many[0]
	}
	s.wantFound(g.t.endpoint, f.full()+" eq "+written(v), r)
}

func characterCase(s *session, g ground, f field) {
	r, v := s.holding(g, f)
	text, ok := v.(string)
	other := strings.Map(func(c rune) rune {
		if unicode.IsUpper(c) {
			return unicode.ToLower(c)
		}
		return unicode.ToUpper(c)
	}, text)
	if !ok || other == text {
		return
	}
	filter := eq("id", r.id) + " and " + eq(f.full(), other)
	if find(f.def, "caseExact").Kind == jsontree.True {
		s.wantFound(g.t.endpoint, filter)
		return
	}
	s.wantFound(g.t.endpoint, filter, r)
}

func characterMulti(s *session) {
	for _, t := range s.known.types {
		if v := s.known.schema(t.schema); v != nil {
			s.eachMulti(t, "", find(v, "attributes"))
		}
		for _, e := range t.extensions {
			if v := s.known.schema(e.urn); v != nil {
				s.eachMulti(t, e.urn, find(v, "attributes"))
			}
		}
	}
}

func (s *session) eachMulti(t resourceType, urn string, attributes *jsontree.Value) {
	for i := range attributes.Items {
		a := &attributes.Items[i]
		value := attributeNamed(find(a, "subAttributes"), "value")
		if a.GetString("type") == "complex" && find(a, "multiValued").Kind == jsontree.True && writable(a) && value != nil && value.GetString("mutability") == "readWrite" {
			s.tryMulti(t, field{urn, a.GetString("name"), value})
		}
	}
}

// tryMulti writes two values of one attribute, finds the first, and takes it
// away.
func (s *session) tryMulti(t resourceType, f field) {
	values := list{obj{"value": s.element(f, 0)}, obj{"value": s.element(f, 1)}}
	body := s.start(t)
	set(body, f, values)
	r := s.create(t.endpoint, body)
	s.wantStored(r, obj{f.full(): values})
	first := "[value eq " + written(values[0].(obj)["value"]) + "]"
	if f.def.GetString("type") != "binary" {
		s.wantFound(t.endpoint, eq("id", r.id)+" and "+f.full()+first, r)
	}
	s.wantAt(s.modify(r, remove(f.full()+first)), f.full(), values[1:])
	s.wantAt(s.modify(r, replace(f.full(), values[:1])), f.full(), values[:1])
	s.wantAt(s.modify(r, remove(f.full())), f.full(), nil)
}

// element is a value of a multi-valued attribute.
func (s *session) element(f field, turn int) any {
	if f.path == "emails" {
		return s.email()
	}
	return s.sample(f, turn)
}
