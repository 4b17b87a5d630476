package conformance_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/usher-scim/usher/resources"
)

// run is one random history: the model and the server side by side.
type run struct {
	rt       *rapid.T
	ctx      context.Context
	world    *world
	tenants  []*tenant
	pools    *pools
	times    []string // instants that were seen in answers
	requests int
}

// send makes one request, notes it in the history and parses the answer.
func (r *run) send(tn *tenant, method, path string, body any, headers ...string) (reply, object) {
	r.rt.Helper()
	text := ""
	if body != nil {
		text = render(body)
	}
	resp, err := tn.call(r.ctx, method, path, text, headers...)
	if err != nil {
		r.rt.Fatalf("%s %s: %v", method, path, err)
	}
	r.requests++
	shown, err := url.QueryUnescape(path)
	if err != nil {
		shown = path
	}
	r.rt.Logf("%s %s%s %v %s -> %d %.600s", method, tn.Slug, shown, headers, text, resp.Status, resp.Body)
	var out object
	if resp.Body != "" {
		if err := json.Unmarshal([]byte(resp.Body), &out); err != nil {
			r.rt.Fatalf("the answer is not JSON: %v", err)
		}
	}
	return resp, out
}

// refused checks that the answer is one of the expected refusals.
func (r *run) refused(resp reply, body object, faults []fault) {
	r.rt.Helper()
	got := fault{resp.Status, text(body, "scimType")}
	if !slices.Contains(faults, got) {
		r.rt.Fatalf("want one of %v, got %v", faults, got)
	}
	if text(body, "status") != fmt.Sprint(resp.Status) || text(body, "detail") == "" {
		r.rt.Fatalf("the error has no status or detail: %s", resp.Body)
	}
}

// shown compares a body with what the model expects of the resource and takes
// over what only the server knows. moved tells whether the last write changed
// the document (or the membership of a group).
func (r *run) shown(tn *tenant, res *resource, resp reply, body object, moved bool) {
	r.rt.Helper()
	meta, ok := body["meta"].(object)
	if !ok {
		r.rt.Fatalf("no meta in %s", resp.Body)
	}
	etag, modified := text(meta, "version"), text(meta, "lastModified")
	moved, res.touched = moved || res.touched, false
	res.known = tn.moves
	if resp.Header.Get("ETag") != etag {
		r.rt.Fatalf("ETag %q, meta.version %q (R-29)", resp.Header.Get("ETag"), etag)
	}
	switch {
	case res.modified == "": // just created
		res.created = text(meta, "created")
		if modified != res.created && len(res.members) == 0 {
			r.rt.Fatalf("created %s, lastModified %s", res.created, modified)
		}
	case moved && modified <= res.modified:
		r.rt.Fatalf("changed, but lastModified is %s after %s", modified, res.modified)
	case !moved && modified != res.modified:
		r.rt.Fatalf("not changed, but lastModified is %s after %s", modified, res.modified)
	}
	res.modified, res.etag = modified, etag
	r.times = append(r.times[max(0, len(r.times)-20):], modified)
	if want := tn.withMeta(res); !same(want, body) {
		r.rt.Fatalf("want %s\ngot  %s", render(plain(clone(want))), render(plain(clone(body))))
	}
	// A version stands for one content.
	seen := render(plain(tn.whole(res))) + modified
	if before, ok := res.seen[etag]; ok && before != seen {
		r.rt.Fatalf("version %s stood for\n%s\nand now for\n%s", etag, before, seen)
	}
	if res.seen == nil {
		res.seen = map[string]string{}
	}
	res.seen[etag] = seen
}

// sample reads the resource back after one write in three, and compares: what
// a write answered must be what is stored. The end of a history reads all.
func (r *run) sample(tn *tenant, res *resource) {
	r.rt.Helper()
	if !chance(r.rt, "read back", 3) {
		return
	}
	resp, body := r.send(tn, "GET", res.path(), nil)
	if resp.Status != 200 {
		r.rt.Fatalf("want 200, got %d", resp.Status)
	}
	r.shown(tn, res, resp, body, false)
}

// gone reads a resource that must not be there.
func (r *run) gone(tn *tenant, path string) {
	r.rt.Helper()
	resp, body := r.send(tn, "GET", path, nil)
	r.refused(resp, body, []fault{{404, ""}})
}

// drawTenant, drawTarget choose what the next operation is about.
func (r *run) drawTenant() *tenant { return pick(r.rt, "organization", r.tenants) }

func (r *run) drawTarget(group bool) (*tenant, *resource) {
	tn := r.drawTenant()
	of := tn.of(group)
	if len(of) == 0 {
		r.rt.Skip("nobody there")
	}
	return tn, of[rapid.IntRange(0, len(of)-1).Draw(r.rt, "target")]
}

// drawMembers draws ids for a membership; one in eight does not exist here.
func (r *run) drawMembers(tn *tenant, self *resource) []string {
	var out []string
	for range rapid.IntRange(1, 3).Draw(r.rt, "members") {
		switch {
		case chance(r.rt, "stranger", 16):
			out = append(out, r.stranger(tn))
		case len(tn.living) > 0:
			m := tn.living[rapid.IntRange(0, len(tn.living)-1).Draw(r.rt, "member")]
			if m != self && !slices.Contains(out, m.id) {
				out = append(out, m.id)
			}
		}
	}
	if out == nil {
		return []string{"00000000000000000000"}
	}
	return out
}

// malformed is a text that is no id of usher's.
const malformed = "not-an-id"

// stranger is an id that the organization does not have: one of another
// organization, one that was deleted, or none at all.
func (r *run) stranger(tn *tenant) string {
	all := append([]string{"00000000000000000000", malformed}, tn.dead...)
	for _, other := range r.tenants {
		if other != tn {
			for _, res := range other.living {
				all = append(all, res.id)
			}
		}
	}
	return all[rapid.IntRange(0, len(all)-1).Draw(r.rt, "stranger id")]
}

func (tn *tenant) exists(id string) bool { return tn.byID(id) != nil }

// precondition draws an If-Match header and tells whether it holds.
func (r *run) precondition(res *resource) (headers []string, faults []fault) {
	switch rapid.IntRange(0, 7).Draw(r.rt, "precondition") {
	case 0:
		return []string{"If-Match", res.etag}, nil
	case 1:
		return []string{"If-Match", "*"}, nil
	case 2:
		return []string{"If-Match", `W/"never"`}, []fault{{412, ""}}
	case 3:
		return []string{"If-Match", `W/"never", ` + res.etag}, nil
	}
	return nil, nil
}

// history ends with everything read once more, in lists and some of it by id,
// and with the audit of the indexes by full scan.
func (r *run) finish() {
	for _, tn := range r.tenants {
		for _, res := range tn.living {
			r.refresh(tn, res)
			r.sample(tn, res)
		}
		for _, id := range tn.dead {
			kind, _ := resources.KindOf(id)
			if path := "/" + kind.String() + "s/" + id; chance(r.rt, "look again", 3) {
				r.gone(tn, path)
			}
		}
		for _, kind := range []string{"/Users", "/Groups"} {
			resp, body := r.send(tn, "GET", kind+"?count=200", nil)
			want := tn.of(kind == "/Groups")
			if resp.Status != 200 || len(list(body["Resources"])) != len(want) {
				r.rt.Fatalf("want %d in %s, got %s", len(want), kind, resp.Body)
			}
			for i, e := range list(body["Resources"]) { // creation order
				if full := tn.withMeta(want[i]); !same(full, e) {
					r.rt.Fatalf("%s[%d]: want %s\ngot %s", kind, i, render(full), render(e))
				}
			}
		}
		r.audit(tn)
	}
}

// drawIDs are ids for filters: of the living, the dead and nobody.
func (r *run) drawIDs(tn *tenant) []string {
	out := append([]string{"00000000000000000000", malformed}, tn.dead...)
	for _, res := range tn.living {
		out = append(out, res.id)
	}
	return out
}

// query joins parameters.
func query(parts ...string) string {
	var out []string
	for i := 0; i+1 < len(parts); i += 2 {
		if parts[i+1] != "" {
			out = append(out, parts[i]+"="+url.QueryEscape(parts[i+1]))
		}
	}
	if len(out) == 0 {
		return ""
	}
	return "?" + strings.Join(out, "&")
}
