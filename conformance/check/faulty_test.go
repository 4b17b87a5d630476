package check

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// faulty is a small SCIM server that can be told to lose things the way known
// servers do. It does what the checks of losses and of the engine need and no
// more. Its users and groups are held as the JSON they are shown as.
type faulty struct {
	fault  string // the part of a loss check's id behind the slash; "" for none
	cursor bool   // pages by cursor too
	noBulk bool
	token  string

	mu      sync.Mutex
	last    int
	all     map[string]obj      // by address: "/Users/007"
	former  map[string][]string // names a resource once had
	dropped int
	refuse  int // DELETEs are refused
	busy    int // answers 429 still to give
	seen    []string
}

func (f *faulty) start(t *testing.T) string {
	t.Helper()
	f.all, f.former = map[string]obj{}, map[string][]string{}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return server.URL + "/scim/v2"
}

// ServeHTTP answers one request.
func (f *faulty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/scim/v2")
	f.seen = append(f.seen, r.Method+" "+path)
	var in obj
	_ = json.NewDecoder(r.Body).Decode(&in) // none is fine
	status, out := http.StatusNotFound, any(problem(http.StatusNotFound, ""))
	switch {
	case f.token != "" && r.Header.Get("Authorization") != "Bearer "+f.token:
		status, out = http.StatusUnauthorized, problem(http.StatusUnauthorized, "")
	case f.busy > 0:
		f.busy--
		w.Header().Set("Retry-After", "1")
		status, out = http.StatusTooManyRequests, problem(http.StatusTooManyRequests, "")
	case path == "/ServiceProviderConfig":
		status, out = http.StatusOK, obj{"patch": obj{"supported": true}, "bulk": obj{"supported": !f.noBulk}, "filter": obj{"supported": true}, "pagination": obj{"cursor": f.cursor}}
	case path == "/ResourceTypes":
		status, out = http.StatusOK, obj{"Resources": list{obj{"name": "User", "endpoint": "/Users", "schema": userURN}, obj{"name": "Group", "endpoint": "/Groups", "schema": groupURN}}}
	case path == "/Bulk":
		status, out = http.StatusOK, f.bulk(in)
	case r.Method == http.MethodPost:
		status, out = f.post(path, in)
	case path == "/Users" || path == "/Groups":
		status, out = http.StatusOK, f.page(path, r)
	case f.all[path] != nil:
		status, out = f.one(r.Method, path, in)
	}
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	if out != nil {
		_ = json.NewEncoder(w).Encode(out) // the client has gone
	}
}

func problem(status int, scimType string) obj {
	return obj{"schemas": list{messageURN + "Error"}, "status": strconv.Itoa(status), "scimType": scimType, "detail": "no"}
}

func nameOf(r obj) string {
	if name, ok := r["userName"].(string); ok {
		return name
	}
	name, _ := r["displayName"].(string)
	return name
}

func (f *faulty) post(path string, in obj) (int, any) {
	for _, r := range f.all {
		if nameOf(r) == nameOf(in) {
			return http.StatusConflict, problem(http.StatusConflict, "uniqueness")
		}
	}
	f.last++
	in["id"] = fmt.Sprintf("%03d", f.last)
	f.all[path+"/"+in["id"].(string)] = in
	return http.StatusCreated, f.shown(in)
}

// shown adds the groups of a user.
func (f *faulty) shown(r obj) obj {
	out := maps.Clone(r)
	if _, ok := r["userName"]; ok {
		groups := list{}
		for _, g := range f.all {
			if has(g, r["id"]) {
				groups = append(groups, obj{"value": g["id"]})
			}
		}
		out["groups"] = groups
	}
	return out
}

func members(g obj) list {
	in, _ := g["members"].(list)
	return in
}

func has(g obj, id any) bool {
	return slices.ContainsFunc(members(g), func(m any) bool { return m.(obj)["value"] == id })
}

func (f *faulty) one(method, path string, in obj) (int, any) {
	r := f.all[path]
	switch method {
	case http.MethodDelete:
		if f.refuse > 0 {
			return http.StatusForbidden, problem(http.StatusForbidden, "")
		}
		delete(f.all, path)
		f.dropped++
		for _, g := range f.all {
			f.without(g, r["id"])
		}
		return http.StatusNoContent, nil
	case http.MethodPut:
		f.rename(r, nameOf(in))
		in["id"] = r["id"]
		f.all[path] = in
	case http.MethodPatch:
		for _, o := range in["Operations"].(list) {
			f.apply(r, o.(obj))
		}
	}
	return http.StatusOK, f.shown(f.all[path])
}

func (f *faulty) rename(r obj, name string) {
	if old := nameOf(r); old != name {
		f.former[r["id"].(string)] = append(f.former[r["id"].(string)], old)
	}
}

func (f *faulty) without(g obj, id any) {
	if has(g, id) {
		g["members"] = slices.DeleteFunc(slices.Clone(members(g)), func(m any) bool { return m.(obj)["value"] == id })
	}
}

var byValue = regexp.MustCompile(`^members\[value eq "(.*)"\]$`)

func (f *faulty) apply(r, o obj) {
	kind, path := o["op"].(string), fmt.Sprint(o["path"])
	if kind == "Add" && f.fault == "capital-add-ignored" || f.fault == "replace-members-ignored" && kind == "replace" && path == "members" {
		return
	}
	kind = strings.ToLower(kind)
	switch value := o["value"]; {
	case byValue.MatchString(path):
		if f.fault == "one-removal-empties-group" {
			r["members"] = list{}
		}
		f.without(r, byValue.FindStringSubmatch(path)[1])
	case path == "members" && kind == "add":
		r["members"] = append(members(r), value.(list)...)
	case path == "members" && kind == "remove":
		for _, m := range value.(list) {
			f.without(r, m.(obj)["value"])
		}
	case path == "active" && f.fault != "false-stored-as-text":
		r["active"] = value == true || value == "True"
	case path == "userName":
		f.rename(r, value.(string))
		r[path] = value
	default:
		r[path] = value
	}
}

var term = regexp.MustCompile(`(\w+) (eq|sw) (?:"([^"]*)"|(true|false))`)

// matches reads comparisons joined by and.
func (f *faulty) matches(r obj, filter string) bool {
	for _, m := range term.FindAllStringSubmatch(filter, -1) {
		values := []string{fmt.Sprint(r[m[1]])}
		if m[1] == "userName" && f.fault == "old-name-still-found" {
			values = append(values, f.former[r["id"].(string)]...)
		}
		if !slices.ContainsFunc(values, func(v string) bool {
			return m[2] == "eq" && v == m[3]+m[4] || m[2] == "sw" && strings.HasPrefix(v, m[3])
		}) {
			return false
		}
	}
	return true
}

func (f *faulty) page(endpoint string, r *http.Request) obj {
	q := r.URL.Query()
	found := list{}
	for _, path := range slices.Sorted(maps.Keys(f.all)) {
		if strings.HasPrefix(path, endpoint+"/") && f.matches(f.all[path], q.Get("filter")) {
			found = append(found, f.shown(f.all[path]))
		}
	}
	total, size, from := len(found), 100, 0
	if n, err := strconv.Atoi(q.Get("count")); err == nil {
		size = n
	}
	if n, err := strconv.Atoi(q.Get("startIndex")); err == nil {
		from = n - 1
	}
	lost := f.fault == "users-lost-in-paged-walk"
	switch after := q.Get("cursor"); {
	case after != "" && lost: // the place in the list, whatever has become of the list
		from, _ = strconv.Atoi(after)
	case after != "":
		from = slices.IndexFunc(found, func(r any) bool { return r.(obj)["id"].(string) > after })
		if from < 0 {
			from = len(found)
		}
	case lost && from > 0:
		from += min(f.dropped, 1)
	}
	from = min(from, total)
	out := obj{"schemas": list{messageURN + "ListResponse"}, "totalResults": total, "startIndex": from + 1}
	page := found[from:min(from+size, total)]
	if q.Has("cursor") && from+size < total {
		out["nextCursor"] = page[len(page)-1].(obj)["id"]
		if lost {
			out["nextCursor"] = strconv.Itoa(from + size)
		}
	}
	if f.fault == "totals-capped-at-page" {
		out["totalResults"] = len(page)
	}
	out["Resources"], out["itemsPerPage"] = page, len(page)
	return out
}

// bulk makes what is posted, and links it afterwards.
func (f *faulty) bulk(in obj) obj {
	done, ids := list{}, map[string]string{}
	for _, o := range in["Operations"].(list) {
		o := o.(obj)
		path := o["path"].(string)
		if f.fault == "mutual-bulkid-refused" {
			done = append(done, obj{"method": "POST", "bulkId": o["bulkId"], "status": "409", "response": problem(409, "")})
			continue
		}
		_, made := f.post(path, o["data"].(obj))
		ids["bulkId:"+o["bulkId"].(string)] = made.(obj)["id"].(string)
		done = append(done, obj{"method": "POST", "bulkId": o["bulkId"], "status": "201", "location": path + "/" + made.(obj)["id"].(string)})
	}
	for _, g := range f.all {
		for _, m := range members(g) {
			if id := ids[fmt.Sprint(m.(obj)["value"])]; id != "" {
				m.(obj)["value"] = id
			}
		}
	}
	return obj{"schemas": list{messageURN + "BulkResponse"}, "Operations": done}
}
