package scim_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim"
)

func spaced(v any) any {
	if text, ok := v.(string); ok {
		return strings.ReplaceAll(text, "\t", " ")
	}
	return v
}

func (w *declaredWorld) create() {
	doc := map[string]any{}
	for i := range w.attrs {
		if rapid.IntRange(0, 2).Draw(w.t, "assigned") > 0 {
			doc[w.attrs[i].Name] = genWhole(w.t, &w.attrs[i])
		}
	}
	w.sequence++
	name := fmt.Sprintf("user%d", w.sequence)
	if w.conflict("", doc) {
		w.ask("POST", w.endpoint(), w.body(name, doc), 409, "uniqueness")
		return
	}
	id := w.ask("POST", w.endpoint(), w.body(name, doc), 201, "").str("id")
	w.docs[id], w.names[id] = doc, name
}

// put replaces what a client sees; what it does not see stays unless sent.
func (w *declaredWorld) put(id string) {
	old, sent, next := w.docs[id], map[string]any{}, map[string]any{}
	refused := false
	for i := range w.attrs {
		a := &w.attrs[i]
		was, had := old[a.Name]
		if a.Type == "complex" && slices.ContainsFunc(a.Subs, func(s declaredAttr) bool { return !s.shown() }) {
			if v, ok := w.visible(old)[a.Name]; ok { // an echo
				sent[a.Name] = v
			}
			if had {
				next[a.Name] = was
			}
			continue
		}
		if rapid.Bool().Draw(w.t, "sent") {
			sent[a.Name] = genWhole(w.t, a)
			next[a.Name] = sent[a.Name]
			refused = refused || had && a.Mutability == "immutable" && !reflect.DeepEqual(was, sent[a.Name])
		} else if had && (!a.shown() || a.Mutability == "immutable") {
			next[a.Name] = was
		}
	}
	if !w.custom && len(sent) == 0 {
		next = old // an extension that is not mentioned stays
	}
	w.change("PUT", id, w.body(w.names[id], sent), next, refused)
}

// patch replaces or removes one attribute that is not complex.
func (w *declaredWorld) patch(id string) {
	a := &w.attrs[rapid.IntRange(0, len(w.attrs)-1).Draw(w.t, "attr")]
	if a.Type == "complex" {
		return
	}
	next := maps.Clone(w.docs[id])
	was, had := next[a.Name]
	op := map[string]any{"op": "remove", "path": modelURN + ":" + a.Name}
	delete(next, a.Name)
	if rapid.Bool().Draw(w.t, "replace") {
		v := genWhole(w.t, a)
		next[a.Name], op["op"], op["value"] = v, "replace", v
	}
	refused := had && a.Mutability == "immutable" && !reflect.DeepEqual(was, next[a.Name])
	w.change("PATCH", id, ops(string(mustJSON(op))), next, refused)
}

// change sends a change that should make next of the document.
func (w *declaredWorld) change(method, id, body string, next map[string]any, refused bool) {
	path := w.endpoint() + "/" + id
	switch {
	case refused:
		w.ask(method, path, body, 400, "mutability")
	case w.conflict(id, next):
		w.ask(method, path, body, 409, "uniqueness")
	default:
		w.ask(method, path, body, 200, "")
		w.docs[id] = next
	}
}

// verify reads everything back, whole and by filters.
func (w *declaredWorld) verify() {
	for id, doc := range w.docs {
		r := w.ask("GET", w.endpoint()+"/"+id, "", 200, "")
		got := maps.Clone(r.json)
		if !w.custom {
			got, _ = r.json[modelURN].(map[string]any)
		}
		for _, name := range []string{"schemas", "id", "meta"} {
			delete(got, name)
		}
		if want := decoded(w.h.t, w.visible(doc)); len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
			w.t.Fatalf("%s reads %s, want %s", id, mustJSON(got), mustJSON(want))
		}
	}
	for i := range w.attrs {
		a := &w.attrs[i]
		if a.Type != "complex" {
			w.find(a, nil)
		}
		for k := range a.Subs {
			w.find(a, &a.Subs[k])
		}
	}
}

// find compares eq, alone and joined, with the naive evaluation.
func (w *declaredWorld) find(a, sub *declaredAttr) {
	leaf, path := a, a.Name
	if sub != nil {
		leaf, path = sub, a.Name+"."+sub.Name
	}
	lit := genValue(w.t, leaf)
	filter := modelURN + ":" + path + " eq " + string(mustJSON(lit))
	if !a.readable() || !leaf.readable() {
		w.ask("GET", w.endpoint()+"?"+filterOf(filter), "", 400, "invalidFilter")
		return
	}
	var yes, no []string
	for id, doc := range w.docs {
		if a.holds(doc, sub, lit) {
			yes = append(yes, id)
		} else {
			no = append(no, id)
		}
	}
	for f, want := range map[string][]string{
		filter: yes, "not (" + filter + ")": no, filter + " and id pr": yes, filter + ` or externalId eq "nobody"`: yes, filter + ` and meta.created gt "2001-01-01T00:00:00Z"`: yes,
	} {
		r := w.ask("GET", w.endpoint()+"?"+filterOf(f), "", 200, "")
		var got []string
		for i := range r.list("Resources") {
			got = append(got, r.str("Resources", i, "id"))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			w.t.Fatalf("%s finds %v, want %v", f, got, want)
		}
	}
}

func decoded(t testing.TB, v any) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal(mustJSON(v), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestDeclaredModel declares at random, writes at random, and compares what is
// read and found with a model that knows neither indexes nor projections.
func TestDeclaredModel(t *testing.T) {
	for name, url := range map[string]string{"embedded": "", "redis": redistest.Start(t)} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, url, scim.Config{})
			n := 0
			rapid.Check(t, func(rt *rapid.T) {
				n++
				w := newDeclaredWorld(rt, h, fmt.Sprintf("org%d", n))
				for range rapid.IntRange(2, 5).Draw(rt, "documents") {
					w.create()
				}
				w.verify()
				for range rapid.IntRange(0, 6).Draw(rt, "changes") {
					ids := slices.Sorted(maps.Keys(w.docs))
					if len(ids) == 0 {
						break
					}
					id := rapid.SampledFrom(ids).Draw(rt, "id")
					switch rapid.IntRange(0, 4).Draw(rt, "act") {
					case 0, 1:
						w.put(id)
					case 2, 3:
						w.patch(id)
					case 4:
						w.ask("DELETE", w.endpoint()+"/"+id, "", 204, "")
						delete(w.docs, id)
					}
				}
				w.verify()
			})
		})
	}
}

func newDeclaredWorld(rt *rapid.T, h *house, slug string) *declaredWorld {
	w := &declaredWorld{
		h: h, t: rt, base: "/orgs/" + slug + "/scim/v2", custom: rapid.Bool().Draw(rt, "custom"),
		docs: map[string]map[string]any{}, names: map[string]string{},
	}
	for i := range rapid.IntRange(1, 5).Draw(rt, "attributes") {
		w.attrs = append(w.attrs, genAttr(rt, fmt.Sprintf("attr%c", 'A'+i), false))
	}
	typ := map[string]any{"name": "User", "schemaExtensions": []any{map[string]any{"schema": modelURN, "required": false}}}
	if w.custom {
		typ = map[string]any{"name": "Thing", "endpoint": "/Things", "schema": modelURN}
	}
	h.addOrg(slug, resources.TokenSpec{})
	w.token = h.token[slug]
	raw := mustJSON(map[string]any{
		"schemas":       []any{map[string]any{"id": modelURN, "attributes": w.attrs}},
		"resourceTypes": []any{typ},
	})
	if _, err := h.dir.SetDeclared(h.t.Context(), h.admin, slug, raw, nil); err != nil {
		rt.Fatalf("%s: %v", raw, err)
	}
	return w
}
