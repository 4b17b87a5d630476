package conformance_test

import (
	"maps"
	"slices"

	"pgregory.net/rapid"
)

func (r *run) create(group bool) {
	tn := r.drawTenant()
	res := &resource{group: group}
	var body object
	var faults []fault
	path := "/Users"
	if group {
		body, path = groupBody(r.rt, r.pools), "/Groups"
		res.members = map[string]bool{}
		if chance(r.rt, "with members", 3) {
			var refs []any
			for _, id := range r.drawMembers(tn, nil) {
				refs = append(refs, object{"value": id})
				res.members[id] = true
				if !tn.exists(id) {
					faults = []fault{{400, "invalidValue"}}
				}
			}
			body["members"] = refs
		}
	} else {
		body = userBody(r.rt, r.pools)
	}
	doc, wrong := settled(body, group)
	faults = append(faults, wrong...)
	if doc != nil {
		faults = append(faults, conflicts(r.tenants, tn, nil, group, doc)...)
	}
	resp, got := r.send(tn, "POST", path, body)
	if len(faults) > 0 {
		r.refused(resp, got, faults)
		return
	}
	if resp.Status != 201 {
		r.rt.Fatalf("want 201, got %d", resp.Status)
	}
	res.id, res.doc = text(got, "id"), doc
	tn.living = append(tn.living, res)
	if want := tn.Client.BaseURL + res.path(); resp.Header.Get("Location") != want {
		r.rt.Fatalf("Location %q, want %q", resp.Header.Get("Location"), want)
	}
	tn.moved(group)
	r.shown(tn, res, resp, got, false)
	r.sample(tn, res)
}

// written finishes a PUT or PATCH: what came back must be what the model made
// of it.
func (r *run) written(tn *tenant, res *resource, resp reply, got object, doc object, members map[string]bool) {
	r.rt.Helper()
	if resp.Status != 200 {
		r.rt.Fatalf("want 200, got %d", resp.Status)
	}
	moved := !same(res.doc, doc) || !maps.Equal(res.members, members)
	etag := res.etag
	res.doc, res.members = doc, members
	tn.moved(res.group)
	r.shown(tn, res, resp, got, moved)
	if moved == (etag == res.etag) {
		r.rt.Fatalf("changed is %v, the version was %s and is %s", moved, etag, res.etag)
	}
	r.sample(tn, res)
}

func (r *run) put(group bool) {
	tn, res := r.drawTarget(group)
	r.refresh(tn, res)
	headers, faults := r.precondition(res)
	var body object
	var members map[string]bool
	if group {
		body, members = groupBody(r.rt, r.pools), map[string]bool{}
		if rapid.Bool().Draw(r.rt, "with members") {
			var refs []any
			for _, id := range r.drawMembers(tn, res) {
				refs = append(refs, object{"value": id})
				members[id] = true
				if !tn.exists(id) {
					faults = append(faults, fault{400, "invalidValue"})
				}
			}
			body["members"] = refs
		}
	} else {
		body = userBody(r.rt, r.pools)
	}
	doc, wrong := settled(body, group)
	faults = append(faults, wrong...)
	if doc != nil {
		doc = replaced(res.doc, doc)
		faults = append(faults, conflicts(r.tenants, tn, res, group, doc)...)
	}
	resp, got := r.send(tn, "PUT", res.path(), body, headers...)
	if len(faults) > 0 {
		r.refused(resp, got, faults)
		r.sample(tn, res)
		return
	}
	r.written(tn, res, resp, got, doc, members)
}

func (r *run) patch(group bool) {
	tn, res := r.drawTarget(group)
	r.refresh(tn, res)
	headers, faults := r.precondition(res)
	var ops []patchOp
	if group {
		ops = r.groupOps(tn, res)
	} else {
		ops = userOps(r.rt, r.pools, tn.entra)
	}
	doc, members, wrong := patched(res, ops)
	if !group {
		members = nil
	}
	faults = append(faults, wrong...)
	if doc != nil {
		faults = append(faults, conflicts(r.tenants, tn, res, group, doc)...)
	}
	var sent []any
	for _, o := range ops {
		sent = append(sent, o.sent)
	}
	resp, got := r.send(tn, "PATCH", res.path(), object{"schemas": []any{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": sent}, headers...)
	if len(faults) > 0 {
		r.refused(resp, got, faults)
		r.sample(tn, res)
		return
	}
	if group && tn.entra { // L-20
		if resp.Status != 204 || resp.Body != "" {
			r.rt.Fatalf("want 204 without a body, got %d %s", resp.Status, resp.Body)
		}
		resp, got = r.send(tn, "GET", res.path(), nil)
	}
	r.written(tn, res, resp, got, doc, members)
}

// refresh makes sure that the version the model knows is the current one:
// changes of groups and deletions may have moved it. Nothing else may.
func (r *run) refresh(tn *tenant, res *resource) {
	if res.known == tn.moves {
		return
	}
	resp, body := r.send(tn, "GET", res.path(), nil)
	if resp.Status != 200 {
		r.rt.Fatalf("want 200, got %d", resp.Status)
	}
	r.shown(tn, res, resp, body, false)
}

// groupOps draws the operations of a PATCH on a group. A member that nobody knows
// stands in the last one only: an add that is taken back is no add.
func (r *run) groupOps(tn *tenant, res *resource) []patchOp {
	var out []patchOp
	n := rapid.IntRange(1, 3).Draw(r.rt, "operations")
	for i := range n {
		kind := pick(r.rt, "op", []string{"add", "add", "remove", "replace"})
		switch rapid.IntRange(0, 9).Draw(r.rt, "form") {
		case 0:
			out = append(out, setSingle("replace", "displayName", pick(r.rt, "displayName", r.pools.displayNames)))
		case 1:
			out = append(out, setSingle("add", "externalId", pick(r.rt, "externalId", r.pools.externalIDs)))
		case 2:
			out = append(out, removeAll())
		case 3:
			out = append(out, removeSingle(pick(r.rt, "attribute", []string{"externalId", "displayName"}), "displayName"))
		case 4:
			out = append(out, memberOp("remove", r.drawMembers(tn, res)[:1], true, tn.exists))
		default:
			ids := r.drawMembers(tn, res)
			if i < n-1 && kind != "remove" {
				ids = slices.DeleteFunc(ids, func(id string) bool { return !tn.exists(id) })
			}
			if len(ids) == 0 {
				ids, kind = []string{"00000000000000000000"}, "remove"
			}
			out = append(out, memberOp(kind, ids, false, tn.exists))
		}
	}
	return out
}

func (r *run) remove(group bool) {
	tn, res := r.drawTarget(group)
	r.refresh(tn, res)
	headers, faults := r.precondition(res)
	resp, got := r.send(tn, "DELETE", res.path(), nil, headers...)
	if len(faults) > 0 {
		r.refused(resp, got, faults)
		r.sample(tn, res)
		return
	}
	if resp.Status != 204 || resp.Body != "" {
		r.rt.Fatalf("want 204 without a body, got %d %s", resp.Status, resp.Body)
	}
	tn.remove(res)
	r.gone(tn, res.path())
	resp, got = r.send(tn, "DELETE", res.path(), nil)
	r.refused(resp, got, []fault{{404, ""}})
}

// read looks at one resource: plainly, conditionally or in part.
func (r *run) read(group bool) {
	tn, res := r.drawTarget(group)
	r.refresh(tn, res)
	switch rapid.IntRange(0, 2).Draw(r.rt, "way") {
	case 0:
		resp, _ := r.send(tn, "GET", res.path(), nil, "If-None-Match", res.etag)
		if resp.Status != 304 || resp.Body != "" {
			r.rt.Fatalf("want 304 without a body, got %d %s", resp.Status, resp.Body)
		}
	case 1:
		p := drawProjection(r.rt, group)
		resp, got := r.send(tn, "GET", res.path()+p.query, nil)
		if want := p.apply(tn.withMeta(res)); resp.Status != 200 || !same(want, got) {
			r.rt.Fatalf("want 200 %s\ngot %d %s", render(plain(want)), resp.Status, render(plain(got)))
		}
	default:
		id := r.stranger(tn)
		path := map[bool]string{false: "/Users/", true: "/Groups/"}[group] + id
		r.gone(tn, path)
		resp, got := r.send(tn, "PATCH", path, object{
			"schemas":    []any{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
			"Operations": []any{op("replace", "displayName", "never")},
		})
		r.refused(resp, got, []fault{{404, ""}})
	}
}
