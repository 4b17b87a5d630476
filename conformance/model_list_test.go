package conformance_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"pgregory.net/rapid"
)

// question is what a list is asked for, and what the model expects of it.
type question struct {
	target       string
	matches      []object // all of them, in order
	start, count int
	order        *sorting // nil is creation order
	projection   projection
}

// drawQuestion draws filter, order, page and projection.
func (r *run) drawQuestion(tn *tenant, group bool) question {
	q := question{start: 1, count: 100, projection: projection{apply: func(b object) object { return b }}}
	for _, res := range tn.of(group) {
		if res.touched {
			r.refresh(tn, res) // only the server knows when
		}
		q.matches = append(q.matches, tn.withMeta(res))
	}
	filter, by, direction, pages := "", "", "", ""
	if rapid.IntRange(0, 4).Draw(r.rt, "filtered") > 0 {
		times := append([]string{"2020-01-01T00:00:00.000Z"}, r.times...)
		c := drawFilter(r.rt, r.pools, group, times, 2)
		filter = c.text
		q.matches = slices.DeleteFunc(q.matches, func(b object) bool { return !c.match(plain(clone(b)).(object)) })
	}
	if rapid.Bool().Draw(r.rt, "sorted") {
		s := pick(r.rt, "sortBy", sortings(group))
		q.order, by = &s, s.path
		if rapid.Bool().Draw(r.rt, "descending") {
			direction = "descending"
		}
		q.order.ordered(q.matches, direction != "")
	}
	if rapid.Bool().Draw(r.rt, "paged") {
		q.start, q.count = rapid.IntRange(-1, 6).Draw(r.rt, "startIndex"), rapid.IntRange(-1, 4).Draw(r.rt, "count")
		pages = "startIndex=" + strconv.Itoa(q.start) + "&count=" + strconv.Itoa(q.count)
		q.start, q.count = max(q.start, 1), max(q.count, 0)
	}
	if chance(r.rt, "projected", 3) {
		q.projection = drawProjection(r.rt, group)
	}
	path := map[bool]string{false: "/Users", true: "/Groups"}[group]
	q.target = path + join(query("filter", filter, "sortBy", by, "sortOrder", direction), q.projection.query, pages)
	return q
}

// list asks for a page of a filtered and sorted list and compares total, page
// and order.
func (r *run) list(group bool) {
	tn := r.drawTenant()
	r.pools.ids = r.drawIDs(tn)
	q := r.drawQuestion(tn, group)
	resp, got := r.send(tn, "GET", q.target, nil)
	if resp.Status != 200 {
		r.rt.Fatalf("want 200, got %d", resp.Status)
	}
	all := q.matches
	want := all[min(q.start-1, len(all)):min(q.start-1+q.count, len(all))]
	page := list(got["Resources"])
	if got["totalResults"] != float64(len(all)) || got["startIndex"] != float64(q.start) ||
		got["itemsPerPage"] != float64(len(want)) || len(page) != len(want) {
		r.rt.Fatalf("want totalResults %d startIndex %d itemsPerPage %d, got %v %v %v with %d resources\nwant %s",
			len(all), q.start, len(want), got["totalResults"], got["startIndex"], got["itemsPerPage"], len(page), render(ids(all)))
	}
	r.samePage(q, page, want)
}

// samePage compares the resources of a page. Those with equal keys may stand in
// any order, so each place must hold one with the right key, and none twice.
func (r *run) samePage(q question, page []any, want []object) {
	r.rt.Helper()
	seen := map[string]bool{}
	for i, e := range page {
		id := text(e.(object), "id")
		at := slices.IndexFunc(q.matches, func(b object) bool { return text(b, "id") == id })
		if at < 0 || seen[id] {
			r.rt.Fatalf("Resources[%d] (%s) does not match the filter or is there twice; want %s", i, id, render(ids(want)))
		}
		seen[id] = true
		if q.order == nil && id != text(want[i], "id") {
			r.rt.Fatalf("Resources[%d] is %s, want %s: creation order", i, id, text(want[i], "id"))
		}
		if q.order != nil {
			gotKey, gotOK := q.order.key(q.matches[at])
			wantKey, wantOK := q.order.key(want[i])
			if gotKey != wantKey || gotOK != wantOK {
				r.rt.Fatalf("Resources[%d] has the key %q, want %q", i, gotKey, wantKey)
			}
		}
		whole := q.projection.apply(q.matches[at])
		if !same(unversioned(whole), unversioned(e)) {
			r.rt.Fatalf("Resources[%d]: want %s\ngot %s", i, render(plain(clone(whole))), render(plain(clone(e))))
		}
	}
}

// unversioned leaves meta.version out: changes of other resources may have
// moved it since the model saw it.
func unversioned(body any) any {
	out := clone(body).(object)
	if meta, ok := out["meta"].(object); ok {
		delete(meta, "version")
	}
	return out
}

func ids(bodies []object) []string {
	out := make([]string, len(bodies))
	for i, b := range bodies {
		out[i] = text(b, "id")
	}
	return out
}

// join puts query strings together.
func join(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p = strings.TrimPrefix(p, "?"); p != "" {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return ""
	}
	return "?" + strings.Join(out, "&")
}

// projection is attributes or excludedAttributes (R-77…R-79).
type projection struct {
	query string
	apply func(object) object
}

func drawProjection(rt *rapid.T, group bool) projection {
	paths := [][]string{
		{"userName"},
		{"displayName"},
		{"emails"},
		{"emails", "value"},
		{"name", "familyName"},
		{"name"},
		{"groups"},
		{"groups", "value"},
		{"meta"},
		{"meta", "lastModified"},
		{enterpriseURN, "department"},
		{"active"},
		{"id"},
		{"schemas"},
		{"shoeSize"},
	}
	if group {
		paths = [][]string{{"displayName"}, {"members"}, {"members", "value"}, {"externalId"}, {"meta"}, {"id"}, {"shoeSize"}}
	}
	chosen := rapid.SliceOfNDistinct(rapid.IntRange(0, len(paths)-1), 1, 3, rapid.ID[int]).Draw(rt, "attributes")
	var names []string
	for _, i := range chosen {
		sep := "."
		if paths[i][0] == enterpriseURN {
			sep = ":"
		}
		names = append(names, strings.Join(paths[i], sep))
	}
	if rapid.Bool().Draw(rt, "excluded") {
		return projection{fmt.Sprintf("?excludedAttributes=%s", strings.Join(names, ",")), func(b object) object {
			out := clone(b).(object)
			for _, i := range chosen {
				if paths[i][0] != "id" && paths[i][0] != "schemas" {
					drop(out, paths[i])
				}
			}
			return out
		}}
	}
	return projection{fmt.Sprintf("?attributes=%s", strings.Join(names, ",")), func(b object) object {
		out := object{"id": b["id"], "schemas": b["schemas"]}
		for _, i := range chosen {
			keep(out, b, paths[i])
		}
		return out
	}}
}

// drop removes what a path names.
func drop(v any, path []string) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			drop(e, path)
		}
	case object:
		if len(path) == 1 {
			delete(v, path[0])
			return
		}
		drop(v[path[0]], path[1:])
	}
}

// keep copies what a path names into out.
func keep(out, from object, path []string) {
	v, ok := from[path[0]]
	if !ok {
		return
	}
	if len(path) == 1 {
		out[path[0]] = clone(v)
		return
	}
	switch v := v.(type) {
	case object:
		in, _ := out[path[0]].(object)
		if in == nil {
			in = object{}
		}
		keep(in, v, path[1:])
		out[path[0]] = in
	case []any:
		into := list(out[path[0]])
		if into == nil {
			into = make([]any, len(v))
		}
		for i, e := range v {
			in, _ := into[i].(object)
			if in == nil {
				in = object{}
			}
			keep(in, e.(object), path[1:])
			into[i] = in
		}
		out[path[0]] = into
	}
}
