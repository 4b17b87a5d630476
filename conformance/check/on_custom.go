package check

import (
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"net/http"
	"slices"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
)

// field is a simple attribute that the server says clients may write.
type field struct {
	urn  string // of its extension, or "" for the core schema
	path string // "department", "name.familyName"
	def  *jsontree.Value
}

// full is the path that filters, PATCH and reading use.
func (f field) full() string {
	if f.urn == "" {
		return f.path
	}
	return f.urn + ":" + f.path
}

// ground is a resource type and the fields of it that are tried.
type ground struct {
	t      resourceType
	fields []field
}

// grounds picks what to try: the core schemas, the enterprise extension, other
// extensions, or whole types of the server's own.
func grounds(k *announced, which string) []ground {
	var out []ground
	for _, t := range k.types {
		known := t.name == "User" || t.name == "Group"
		g := ground{t: t}
		if which == "core" && known || which == "type" && !known {
			g.fields = fieldsOf(k, t.schema, "", writable)
		}
		for _, e := range t.extensions {
			enterprise := strings.EqualFold(e.urn, enterpriseURN)
			if which == "enterprise" && enterprise || which == "extension" && !enterprise && known || which == "type" && !known {
				g.fields = append(g.fields, fieldsOf(k, e.urn, e.urn, writable)...)
			}
		}
		if len(g.fields) > 0 {
			out = append(out, g)
		}
	}
	return out
}

// writable picks what may be written and is read by default. userName has checks
// of its own.
func writable(a *jsontree.Value) bool {
	return a.GetString("mutability") == "readWrite" && a.GetString("returned") != "never" && a.GetString("returned") != "request" && a.GetString("name") != "userName"
}

// fieldsOf gives the simple attributes of a schema that are picked, with those
// inside single complex attributes. urn is that of the extension, or "".
func fieldsOf(k *announced, schema, urn string, pick func(*jsontree.Value) bool) []field {
	var out []field
	v := k.schema(schema)
	if v == nil {
		return nil
	}
	visit := func(path string, a *jsontree.Value) {
		if a.GetString("type") != "complex" && pick(a) {
			out = append(out, field{urn, path, a})
		}
	}
	attributes := find(v, "attributes").Items
	for i := range attributes {
		a := &attributes[i]
		visit(a.GetString("name"), a)
		if a.GetString("type") != "complex" || find(a, "multiValued").Kind == jsontree.True || a.GetString("mutability") != "readWrite" {
			continue
		}
		if r := a.GetString("returned"); r == "never" || r == "request" { // so are its parts, whatever they say
			continue
		}
		subs := find(a, "subAttributes").Items
		for j := range subs {
			if subs[j].GetString("name") != "$ref" {
				visit(a.GetString("name")+"."+subs[j].GetString("name"), &subs[j])
			}
		}
	}
	return out
}

// sample is a value for a field; turn 0 and 1 differ where the type has more
// than one value that fits.
func (s *session) sample(f field, turn int) any {
	if known := find(f.def, "canonicalValues").Items; len(known) > 0 {
		return known[min(turn, len(known)-1)].Text
	}
	switch last := f.path[strings.LastIndex(f.path, ".")+1:]; last { // texts with a meaning
	case "preferredLanguage", "locale":
		return []string{"fr-FR", "en-GB"}[turn]
	case "timezone":
		return []string{"Europe/Paris", "Europe/London"}[turn]
	case "country":
		return []string{"FR", "GB"}[turn]
	}
	unique := f.def.GetString("uniqueness") == "server" || f.def.GetString("uniqueness") == "global"
	switch typ := f.def.GetString("type"); {
	case unique && typ == "integer":
		return int(crc32.ChecksumIEEE([]byte(s.name())) >> 1) // fits 32 bits everywhere
	case unique && typ == "binary":
		return base64.StdEncoding.EncodeToString([]byte(s.name()))
	}
	switch f.def.GetString("type") {
	case "boolean":
		return turn == 0
	case "integer":
		return 4130 + turn
	case "decimal":
		return 2.5 + float64(turn)
	case "dateTime":
		return fmt.Sprintf("2026-03-2%dT19:59:26Z", turn)
	case "binary":
		return []string{"AQIDBA==", "BQYHCA=="}[turn]
	case "reference":
		return "https://example.com/" + s.name()
	}
	return s.name()
}

// value is a sample in the form the attribute takes.
func (s *session) value(f field, turn int) any {
	if find(f.def, "multiValued").Kind == jsontree.True {
		return list{s.sample(f, turn)}
	}
	return s.sample(f, turn)
}

// required picks what a client must send.
func required(a *jsontree.Value) bool {
	return find(a, "required").Kind == jsontree.True && a.GetString("mutability") != "readOnly"
}

// settable picks what a client can send at all.
func settable(a *jsontree.Value) bool { return a.GetString("mutability") != "readOnly" }

// start is the body of a new resource of a type, with all that is required.
func (s *session) start(t resourceType) obj {
	body := obj{"schemas": list{t.schema}}
	switch t.name {
	case "User":
		body = s.person()
	case "Group":
		body = s.crew()
	default:
		for _, f := range fieldsOf(s.known, t.schema, "", required) {
			set(body, f, s.value(f, 0))
		}
	}
	for _, e := range t.extensions { // also those that may be left out: their attributes are tried
		must := fieldsOf(s.known, e.urn, e.urn, required)
		if len(must) == 0 && e.required {
			first := fieldsOf(s.known, e.urn, e.urn, settable)
			must = first[:min(len(first), 1)]
		}
		for _, f := range must {
			set(body, f, s.value(f, 0))
		}
	}
	return body
}

// set writes a field into a body.
func set(body obj, f field, v any) {
	at := body
	step := func(name string) {
		inner, ok := at[name].(obj)
		if !ok {
			inner = obj{}
			at[name] = inner
		}
		at = inner
	}
	if f.urn != "" {
		if urns, _ := body["schemas"].(list); !slices.Contains(urns, any(f.urn)) {
			body["schemas"] = append(urns, f.urn)
		}
		step(f.urn)
	}
	outer, name, nested := strings.Cut(f.path, ".")
	if nested {
		step(outer)
		at[name] = v
		return
	}
	at[outer] = v
}

func customChecks() []Check {
	var out []Check
	for which, what := range map[string]string{
		"core": "attribute of users and groups", "enterprise": "attribute of the enterprise extension",
		"extension": "attribute of other extensions", "type": "attribute of further resource types",
	} {
		nothing := NoCustom
		if which == "enterprise" {
			nothing = NoEnterprise
		}
		announced := func(k *announced) Reason { return missing(len(grounds(k, which)) == 0, nothing) }
		for _, v := range []struct {
			id, title, sources string
			run                func(*session, ground)
		}{
			{"write", "every writable %s is created and read back", "R-48 R-50", walkWrite},
			{"replace", "every writable %s is replaced by PUT and read back", "R-48 R-82", walkReplace},
			{"filter", "every writable %s is found by eq", "R-48 R-63", walkFilter},
			{"patch", "every writable %s is changed by PATCH and read back", "R-48 R-100", walkPatch},
			{"remove", "every optional %s is removed by PATCH", "R-48 R-96", walkRemove},
			{"project", "every %s can be asked for alone", "R-48 R-79", walkProject},
			{"wrong-type", "a value of a wrong type is refused for every %s", "R-48 R-53", walkWrongType},
		} {
			out = append(out, c("walk/"+which+"-"+v.id, fmt.Sprintf(v.title, what), v.sources, func(s *session) {
				for _, g := range grounds(s.known, which) {
					v.run(s, g)
				}
			}, announced))
		}
	}
	sortByID(out)
	return append(out, c("walk/required-extension", "a required extension that is missing is 400", "R-47", requiredExtension))
}

// full makes a resource with a value in every field of a ground.
func (s *session) full(g ground) (*resource, map[string]any) {
	body, want := s.start(g.t), map[string]any{}
	for _, f := range g.fields {
		v := s.value(f, 0)
		set(body, f, v)
		want[f.full()] = v
	}
	return s.create(g.t.endpoint, body), want
}

func walkWrite(s *session, g ground) {
	r, want := s.full(g)
	s.wantStored(r, want)
}

func walkReplace(s *session, g ground) {
	r, _ := s.full(g)
	body, want := s.start(g.t), obj{}
	for name := range body {
		if a := s.attribute(g.t.schema, name); a.GetString("mutability") == "immutable" {
			body[name] = find(&r.value, name).Text
		}
	}
	for _, f := range g.fields {
		v := s.value(f, 1)
		set(body, f, v)
		want[f.full()] = v
	}
	s.wantAll(s.replace(r, body), want)
}

func walkFilter(s *session, g ground) {
	r, want := s.full(g)
	for _, f := range g.fields {
		v := want[f.full()]
		if several, ok := v.(list); ok {
			v = several[0]
		}
		is := f.full() + " eq " + written(v)
		s.wantFound(g.t.endpoint, eq("id", r.id)+" and "+is, r)
		s.wantFound(g.t.endpoint, eq("id", r.id)+" and not ("+is+")")
	}
}

func walkPatch(s *session, g ground) {
	r := s.create(g.t.endpoint, s.start(g.t))
	for _, f := range g.fields {
		for turn := range 2 {
			v := s.value(f, turn)
			s.wantAt(s.modify(r, replace(f.full(), v)), f.full(), v)
		}
	}
}

func walkRemove(s *session, g ground) {
	r, _ := s.full(g)
	for _, f := range g.fields {
		if find(f.def, "required").Kind != jsontree.True && f.path != "displayName" {
			s.wantAt(s.modify(r, remove(f.full())), f.full(), nil)
		}
	}
}

func walkProject(s *session, g ground) {
	r, want := s.full(g)
	for _, f := range g.fields {
		a := s.get(r.path(), "attributes", f.full())
		s.wantStatus(a, http.StatusOK)
		s.wantAll(&a.value, obj{"id": r.id, f.full(): want[f.full()], "userName": nil})
	}
}

func walkWrongType(s *session, g ground) {
	r := s.create(g.t.endpoint, s.start(g.t))
	s.wantUntouched(r, func() {
		for _, f := range g.fields {
			a := s.patch(r.path(), replace(f.full(), obj{"wrong": obj{"type": 1}}))
			s.wantError(a, http.StatusBadRequest)
		}
	})
}

func requiredExtension(s *session) {
	for _, t := range s.known.types {
		for _, e := range t.extensions {
			if e.required {
				s.wantError(s.post(t.endpoint, obj{"schemas": list{t.schema}, "userName": s.email(), "displayName": s.name()}), http.StatusBadRequest)
				return
			}
		}
	}
	s.skip(NoCustom)
}
