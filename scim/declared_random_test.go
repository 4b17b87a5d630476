package scim_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"
)

// declaredAttr is an attribute of a random schema.
type declaredAttr struct {
	Name        string         `json:"name"`
	Type        string         `json:"type"`
	MultiValued bool           `json:"multiValued"`
	CaseExact   bool           `json:"caseExact"`
	Returned    string         `json:"returned"`
	Mutability  string         `json:"mutability"`
	Uniqueness  string         `json:"uniqueness"`
	Subs        []declaredAttr `json:"subAttributes,omitempty"`
}

// shown reports whether answers have the attribute by themselves.
func (a *declaredAttr) shown() bool { return a.Returned == "default" || a.Returned == "always" }

// readable reports whether it can be asked for at all.
func (a *declaredAttr) readable() bool { return a.Returned != "never" }

// declaredWorld is a random declaration with what the model believes to be stored.
type declaredWorld struct {
	h        *house
	t        *rapid.T
	token    string
	base     string
	custom   bool // a type of its own, else an extension of User
	attrs    []declaredAttr
	docs     map[string]map[string]any // by id: the attributes of the schema
	names    map[string]string         // userName by id
	sequence int
}

const modelURN = "urn:example:model:2.0:Thing"

func genAttr(t *rapid.T, name string, sub bool) declaredAttr {
	kinds := []string{"string", "string", "reference", "boolean", "integer", "decimal", "dateTime", "binary"}
	if !sub {
		kinds = append(kinds, "complex", "complex")
	}
	a := declaredAttr{
		Name: name, Type: rapid.SampledFrom(kinds).Draw(t, "type"), MultiValued: rapid.Bool().Draw(t, "many"), CaseExact: rapid.Bool().Draw(t, "exact"),
		Returned:   rapid.SampledFrom([]string{"default", "default", "default", "always", "request", "never"}).Draw(t, "returned"),
		Mutability: rapid.SampledFrom([]string{"readWrite", "readWrite", "immutable"}).Draw(t, "mutability"), Uniqueness: "none",
	}
	switch {
	case sub:
		a.Mutability, a.MultiValued = "readWrite", false
	case a.Type == "complex":
		a.Mutability = "readWrite"
		for i := range rapid.IntRange(1, 3).Draw(t, "subs") {
			a.Subs = append(a.Subs, genAttr(t, fmt.Sprintf("sub%c", 'A'+i), true))
		}
	case !a.MultiValued && (a.Type == "string" || a.Type == "integer") && rapid.IntRange(0, 3).Draw(t, "unique") == 0:
		a.Uniqueness = "server"
	}
	return a
}

// genValue makes one value as JSON decodes it; of texts those that an index
// might mix up.
func genValue(t *rapid.T, a *declaredAttr) any {
	text := []string{"a", "A", "ab", "aB", "b", "x y", "x\ty", "X Y", "é", "É", "ß", strings.Repeat("é", 2300) + "a", strings.Repeat("É", 2300) + "b"}
	switch a.Type {
	case "boolean":
		return rapid.Bool().Draw(t, "value")
	case "integer":
		return float64(rapid.IntRange(-2, 2).Draw(t, "value"))
	case "decimal":
		return float64(rapid.IntRange(-4, 4).Draw(t, "value")) / 2
	case "dateTime":
		return rapid.SampledFrom([]string{"2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "2026-01-02T00:00:00.5Z"}).Draw(t, "value")
	case "binary":
		return rapid.SampledFrom([]string{"AAEC", "//8=", "aaec"}).Draw(t, "value")
	case "complex":
		out := map[string]any{}
		for i := range a.Subs {
			if i == 0 || rapid.Bool().Draw(t, "has") {
				out[a.Subs[i].Name] = genValue(t, &a.Subs[i])
			}
		}
		return out
	}
	return rapid.SampledFrom(text).Draw(t, "value")
}

// genWhole makes the value of an attribute: of several values each once.
func genWhole(t *rapid.T, a *declaredAttr) any {
	if !a.MultiValued {
		return genValue(t, a)
	}
	var out []any
	for range rapid.IntRange(1, 3).Draw(t, "values") {
		v := genValue(t, a)
		if !slices.ContainsFunc(out, func(x any) bool { return reflect.DeepEqual(x, v) }) {
			out = append(out, v)
		}
	}
	return out
}

// same compares a value with a literal as the attribute does.
func (a *declaredAttr) same(v, lit any) bool {
	switch a.Type {
	case "string":
		if a.CaseExact {
			return v == lit
		}
		return strings.ToLower(v.(string)) == strings.ToLower(lit.(string)) //nolint:staticcheck // the model folds by itself
	case "dateTime":
		x, _ := time.Parse(time.RFC3339Nano, v.(string))
		y, _ := time.Parse(time.RFC3339Nano, lit.(string))
		return x.Equal(y)
	}
	return v == lit
}

func each(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	if v == nil {
		return nil
	}
	return []any{v}
}

// holds evaluates `attr[.sub] eq lit` on a document the slow way.
func (a *declaredAttr) holds(doc map[string]any, sub *declaredAttr, lit any) bool {
	for _, v := range each(doc[a.Name]) {
		if sub == nil {
			if a.same(v, lit) {
				return true
			}
		} else if x, ok := v.(map[string]any)[sub.Name]; ok && sub.same(x, lit) {
			return true
		}
	}
	return false
}

// visible is what an answer shows of a document by itself.
func (w *declaredWorld) visible(doc map[string]any) map[string]any {
	out := map[string]any{}
	for i := range w.attrs {
		a := &w.attrs[i]
		v, ok := doc[a.Name]
		if !ok || !a.shown() {
			continue
		}
		if a.Type != "complex" {
			out[a.Name] = v
			continue
		}
		var kept []any
		for _, e := range each(v) {
			m := map[string]any{}
			for k := range a.Subs {
				if x, ok := e.(map[string]any)[a.Subs[k].Name]; ok && a.Subs[k].shown() {
					m[a.Subs[k].Name] = x
				}
			}
			if len(m) > 0 {
				kept = append(kept, m)
			}
		}
		switch {
		case len(kept) == 0:
		case a.MultiValued:
			out[a.Name] = kept
		default:
			out[a.Name] = kept[0]
		}
	}
	return out
}

// ask sends a request and wants a status and, of errors, a scimType.
func (w *declaredWorld) ask(method, path, body string, status int, scimType string) reply {
	w.t.Helper()
	r := w.h.askAs(w.token, method, w.base+path, body)
	if got, _ := r.json["scimType"].(string); r.Code != status || got != scimType {
		w.t.Fatalf("%s %s %s: %d %s, want %d %s", method, path, body, r.Code, r.Body, status, scimType)
	}
	return r
}

func (w *declaredWorld) endpoint() string {
	if w.custom {
		return "/Things"
	}
	return "/Users"
}

// body writes a document as a request.
func (w *declaredWorld) body(name string, doc map[string]any) string {
	whole := map[string]any{"schemas": []string{modelURN}}
	if w.custom {
		maps.Copy(whole, doc)
	} else {
		whole["schemas"], whole["userName"] = []string{userURN}, name
		if len(doc) > 0 {
			whole[modelURN] = doc
		}
	}
	return string(mustJSON(whole))
}

// conflict reports whether a unique value of doc is taken by another one.
// Control characters count as spaces there.
func (w *declaredWorld) conflict(id string, doc map[string]any) bool {
	for i := range w.attrs {
		a := &w.attrs[i]
		for other, there := range w.docs {
			mine, ok := doc[a.Name]
			theirs, too := there[a.Name]
			if ok && too && a.Uniqueness == "server" && other != id && a.same(spaced(theirs), spaced(mine)) {
				return true
			}
		}
	}
	return false
}
