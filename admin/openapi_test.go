package admin_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// document is the OpenAPI document as clients read it.
type document struct {
	*testing.T
	root map[string]any
}

func openAPI(h *house) *document {
	h.Helper()
	w := h.ask("GET", "/api/openapi.json", "", "Authorization: ")
	if w.Code != 200 {
		h.Fatalf("%d %s", w.Code, w.Body)
	}
	return &document{T: h.T, root: decoded(h.T, w)}
}

// described is one operation of the document.
type described struct {
	id, method, path string
	spec             map[string]any
}

func (o described) String() string { return o.method + " " + o.path + " " + o.id }

func (d *document) operations() []described {
	var out []described
	for path, item := range object(d.root["paths"]) {
		for method, spec := range object(item) {
			s := object(spec)
			id, _ := s["operationId"].(string)
			out = append(out, described{id, strings.ToUpper(method), path, s})
		}
	}
	slices.SortFunc(out, func(a, b described) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	return out
}

func object(v any) map[string]any { m, _ := v.(map[string]any); return m }
func array(v any) []any           { l, _ := v.([]any); return l }

// TestOperationsAreStable: ids, paths and methods are what clients rely on. A
// change of the list in testdata is a change of the API.
func TestOperationsAreStable(t *testing.T) {
	d := openAPI(open(t, ""))
	var got strings.Builder
	for _, o := range d.operations() {
		fmt.Fprintln(&got, o)
	}
	const name = "testdata/operations.txt"
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		if err := os.WriteFile(t.ArtifactDir()+"/operations.txt", []byte(got.String()), 0o600); err != nil {
			t.Error(err)
		}
		t.Errorf("the operations are not those of %s:\n%s", name, got.String())
	}
}

// TestOpenAPI holds the document against the rules of OpenAPI 3.1 that clients
// and generators rely on, and every example against its schema.
func TestOpenAPI(t *testing.T) {
	h := open(t, "")
	d := openAPI(h)
	if v, _ := d.root["openapi"].(string); !strings.HasPrefix(v, "3.1.") {
		t.Errorf("openapi is %q, want 3.1", v)
	}
	if info := object(d.root["info"]); info["title"] == "" || info["version"] == "" || info["description"] == "" {
		t.Errorf("info %v", info)
	}
	d.checkRefs("#", d.root)
	ids := make(map[string]bool)
	for _, o := range d.operations() {
		if ids[o.id] || o.id == "" {
			t.Errorf("%s: the id is not unique", o)
		}
		ids[o.id] = true
		d.checkOperation(o)
	}
	text := h.ask("GET", "/api/openapi.json", "", "Authorization: ").Body.String()
	if strings.Contains(text, "$schema") || strings.Contains(text, "unpkg") || strings.Contains(text, "ErrorModel\"}") {
		t.Error("the document has huma's schema links, foreign scripts or huma's errors")
	}
	if w := h.ask("GET", "/api/docs", ""); w.Code != 404 {
		t.Errorf("/api/docs answers %d, want 404", w.Code)
	}
}

// checkRefs looks for references that lead nowhere.
func (d *document) checkRefs(at string, v any) {
	switch n := v.(type) {
	case map[string]any:
		if ref, ok := n["$ref"].(string); ok && d.resolve(ref) == nil {
			d.Errorf("%s: %s leads nowhere", at, ref)
		}
		for k, m := range n {
			d.checkRefs(at+"/"+k, m)
		}
	case []any:
		for i, m := range n {
			d.checkRefs(at+"/"+strconv.Itoa(i), m)
		}
	}
}

func (d *document) resolve(ref string) map[string]any {
	var at any = d.root
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		at = object(at)[part]
	}
	return object(at)
}

func (d *document) checkOperation(o described) {
	d.Helper()
	if s, _ := o.spec["summary"].(string); s == "" || strings.HasSuffix(s, ".") {
		d.Errorf("%s: summary %q", o, s)
	}
	if len(array(o.spec["tags"])) != 1 {
		d.Errorf("%s: tags %v", o, o.spec["tags"])
	}
	params := make(map[string]bool)
	for _, p := range array(o.spec["parameters"]) {
		m := object(p)
		key := fmt.Sprint(m["in"], " ", m["name"])
		if params[key] || object(m["schema"]) == nil || m["in"] == "path" && m["required"] != true {
			d.Errorf("%s: parameter %s", o, key)
		}
		params[key] = true
	}
	for part := range strings.SplitSeq(o.path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok && !params["path "+strings.TrimSuffix(name, "}")] {
			d.Errorf("%s: %s is no parameter", o, part)
		}
	}
	if params["header Idempotency-Key"] != (o.method == "POST") {
		d.Errorf("%s: Idempotency-Key", o)
	}
	if body := object(o.spec["requestBody"]); body != nil {
		d.checkContent(o, "request", object(body["content"]))
		if o.method == "PATCH" && object(object(body["content"])["application/merge-patch+json"]) == nil {
			d.Errorf("%s: a PATCH without merge patch", o)
		}
	}
	d.checkAnswers(o)
}

func (d *document) checkAnswers(o described) {
	d.Helper()
	good := 0
	answers := object(o.spec["responses"])
	for status, r := range answers {
		n, err := strconv.Atoi(status)
		if err != nil || object(r)["description"] == "" {
			d.Errorf("%s: answer %s %v", o, status, r)
		}
		content := object(object(r)["content"])
		if n < 400 {
			good++
		} else if len(content) != 1 || object(content["application/problem+json"]) == nil {
			d.Errorf("%s: %d is no problem: %v", o, n, content)
		}
		d.checkContent(o, status, content)
	}
	if good == 0 {
		d.Errorf("%s: no answer but errors", o)
	}
	for _, status := range []string{"401", "403", "429", "500", "503"} {
		if answers[status] == nil {
			d.Errorf("%s: %s is not described", o, status)
		}
	}
	if strings.Contains(o.path, "{") && answers["404"] == nil && answers["201"] == nil {
		d.Errorf("%s: 404 is not described", o)
	}
}

// checkContent wants a schema and an example that satisfies it.
func (d *document) checkContent(o described, where string, content map[string]any) {
	d.Helper()
	for media, m := range content {
		schema, example := object(m)["schema"], object(m)["example"]
		if schema == nil || example == nil {
			d.Errorf("%s: %s %s has no schema or no example", o, where, media)
			continue
		}
		if fault := d.violates(object(schema), example); fault != "" {
			text, _ := json.Marshal(example)
			d.Errorf("%s: the example of %s %s: %s: %s", o, where, media, fault, text)
		}
	}
}

// violates tells what of a value stands against a schema (JSON Schema 2020-12, as
// much of it as the document uses).
func (d *document) violates(s map[string]any, v any) string {
	if ref, ok := s["$ref"].(string); ok {
		return d.violates(d.resolve(ref), v)
	}
	if want := s["type"]; want != nil && !hasType(want, v) {
		return fmt.Sprintf("%v is not of type %v", v, want)
	}
	if enum := array(s["enum"]); enum != nil && v != nil && !slices.Contains(enum, v) {
		return fmt.Sprintf("%v is none of %v", v, enum)
	}
	switch n := v.(type) {
	case map[string]any:
		for _, name := range array(s["required"]) {
			if _, ok := n[name.(string)]; !ok {
				return fmt.Sprintf("%s is missing", name)
			}
		}
		for name, m := range n {
			p := object(object(s["properties"])[name])
			if p == nil {
				if s["additionalProperties"] == false {
					return name + " is unknown"
				}
				continue
			}
			if fault := d.violates(p, m); fault != "" {
				return name + ": " + fault
			}
		}
	case []any:
		for _, m := range n {
			if fault := d.violates(object(s["items"]), m); fault != "" {
				return fault
			}
		}
	case string:
		if least, ok := s["minLength"].(float64); ok && float64(len(n)) < least {
			return n + " is too short"
		}
		if most, ok := s["maxLength"].(float64); ok && float64(len(n)) > most {
			return n + " is too long"
		}
	}
	return ""
}

func hasType(want, v any) bool {
	if list := array(want); list != nil {
		return slices.ContainsFunc(list, func(t any) bool { return hasType(t, v) })
	}
	switch n := v.(type) {
	case nil:
		return want == "null"
	case map[string]any:
		return want == "object"
	case []any:
		return want == "array"
	case string:
		return want == "string"
	case bool:
		return want == "boolean"
	case float64:
		return want == "number" || want == "integer" && n == math.Trunc(n)
	}
	return false
}
