package check

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
)

// remember notes what a request has made.
func (s *session) remember(r *request, a *answer) {
	if r.method == http.MethodPut && a.status == http.StatusCreated { // wrong, but there it is
		s.made = append(s.made, s.base+r.path)
		return
	}
	if r.method != http.MethodPost || a.status < 200 || a.status >= 300 || strings.HasSuffix(r.path, ".search") {
		return
	}
	if strings.EqualFold(r.path, "/Bulk") {
		for _, op := range a.at("Operations").Items {
			if strings.EqualFold(op.GetString("method"), http.MethodPost) {
				s.own(op.GetString("location"))
			}
		}
		return
	}
	if id := a.value.GetString("id"); id != "" {
		path, _, _ := strings.Cut(r.path, "?")
		s.made = append(s.made, s.base+strings.TrimRight(path, "/")+"/"+url.PathEscape(id))
		return
	}
	s.own(a.header.Get("Location"))
}

// own notes something made at an address, if it is one of this server: the
// token goes nowhere else.
func (s *session) own(location string) {
	if path, ok := s.local(location); ok {
		s.made = append(s.made, s.base+path)
	}
}

// local turns an address the server gave into a path below its root. A server
// behind a proxy may name itself otherwise, so only the end of it counts.
func (s *session) local(location string) (string, bool) {
	if path, ok := strings.CutPrefix(location, s.base+"/"); ok && !strings.Contains(path, "..") {
		return "/" + path, true
	}
	u, err := url.Parse(location)
	if err != nil {
		return "", false
	}
	parts := strings.Split(strings.Trim(u.EscapedPath(), "/"), "/")
	for i, part := range parts {
		if slices.ContainsFunc(s.known.types, func(t resourceType) bool { return strings.EqualFold(t.endpoint, "/"+part) }) && i+2 == len(parts) {
			return "/" + part + "/" + parts[i+1], true
		}
	}
	return "", false
}

// cleanUp deletes what the session made, newest first, so that groups go before
// their members. What is gone already is fine.
func (s *session) cleanUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, cleanTime)
	defer cancel()
	gone := map[string]bool{}
	for _, m := range slices.Backward(s.made) {
		if gone[m] {
			continue
		}
		gone[m] = true
		r := request{method: http.MethodDelete, path: m}
		x := Exchange{Method: r.method, URL: s.address(&r)}
		a, err := s.exchange(ctx, &r, nil, &x)
		if err != nil || a.status >= 300 && a.status != http.StatusNotFound && a.status != http.StatusGone {
			s.mu.Lock()
			s.leftovers = append(s.leftovers, m)
			s.mu.Unlock()
		}
	}
	s.made = nil
}

// names gives the members of an object.
func names(v *jsontree.Value) []string {
	var out []string
	for i := range v.Items {
		out = append(out, v.Items[i].Name)
	}
	return out
}
