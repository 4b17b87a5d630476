package check

import (
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
)

// wantStatus states the status of an answer.
func (s *session) wantStatus(a *answer, statuses ...int) {
	switch {
	case !s.ok():
	case !slices.Contains(statuses, a.status):
		s.fail("the answer is %d, it should be %s%s", a.status, either(statuses), because(a))
	case a.broken != nil && a.status < 300:
		s.fail("the body of the answer is no JSON: %v", a.broken)
	}
}

// because adds what an error says of itself.
func because(a *answer) string {
	if detail := a.value.GetString("detail"); detail != "" {
		return fmt.Sprintf("; it says %q", detail)
	}
	return ""
}

func either(statuses []int) string {
	var out []string
	for _, n := range statuses {
		out = append(out, strconv.Itoa(n))
	}
	return strings.Join(out, " or ")
}

// wantJSON states the media type of an answer (R-17, L-26).
func (s *session) wantJSON(a *answer) {
	kind, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if s.ok() && (err != nil || kind != mediaType && (kind != "application/json" || s.is("rfc", "entra"))) {
		s.fail("Content-Type is %q, it should be %s", a.header.Get("Content-Type"), mediaType)
	}
}

// wantError states that an answer is a SCIM error with one of the
// scimTypes, if any are given.
func (s *session) wantError(a *answer, status int, scimTypes ...string) {
	s.wantErrors(a, []int{status}, scimTypes...)
}

// wantErrors is wantError where several statuses are permitted.
func (s *session) wantErrors(a *answer, statuses []int, scimTypes ...string) {
	s.wantStatus(a, statuses...)
	if !s.ok() {
		return
	}
	s.wantErrorBody(&a.value, a.status, scimTypes...)
	s.wantJSON(a)
}

// wantErrorBody states that a value is the SCIM error message of a status.
func (s *session) wantErrorBody(v *jsontree.Value, status int, scimTypes ...string) {
	s.wantAll(v, obj{"schemas": contains{messageURN + "Error"}, "status": strconv.Itoa(status)})
	if got := v.GetString("scimType"); s.ok() && len(scimTypes) > 0 && !slices.Contains(scimTypes, got) {
		s.fail("scimType is %q, it should be %s", got, strings.Join(scimTypes, " or "))
	}
}

// wantAt states the value at a path.
func (s *session) wantAt(v *jsontree.Value, path string, want any) {
	if !s.ok() {
		return
	}
	if why := same(find(v, path), want); why != "" {
		s.fail("%s: %s", path, why)
	}
}

// wantAll states the values at several paths.
func (s *session) wantAll(v *jsontree.Value, want obj) {
	for path, w := range want {
		s.wantAt(v, path, w)
	}
}

// wantSame states that two representations mean the same.
func (s *session) wantSame(what string, a, b *jsontree.Value) {
	if !s.ok() {
		return
	}
	if why := alike(a, b); why != "" {
		s.fail("%s: %s", what, why)
	}
}

// wantThat states anything else.
func (s *session) wantThat(is bool, format string, args ...any) {
	if !is {
		s.fail(format, args...)
	}
}

// wantList states that an answer is a well-formed list of exactly these
// resources, in any order.
func (s *session) wantList(a *answer, resources ...*resource) {
	s.wantStatus(a, http.StatusOK)
	s.wantAll(&a.value, obj{"schemas": contains{messageURN + "ListResponse"}, "totalResults": len(resources)})
	s.wantIDs(a, resources...)
}

// wantIDs states which resources a page holds, in any order.
func (s *session) wantIDs(a *answer, resources ...*resource) {
	got, want := ids(a), idsOf(resources)
	slices.Sort(got)
	slices.Sort(want)
	if s.ok() && !slices.Equal(got, want) {
		s.fail("the list holds %v, it should hold %v", got, want)
	}
}

// wantOrder states which resources a page holds, in this order.
func (s *session) wantOrder(a *answer, resources ...*resource) {
	s.wantStatus(a, http.StatusOK)
	if got, want := ids(a), idsOf(resources); s.ok() && !slices.Equal(got, want) {
		s.fail("the list is %v, it should be %v", got, want)
	}
}

func ids(a *answer) []string {
	out := []string{}
	for _, r := range a.at("Resources").Items {
		out = append(out, r.GetString("id"))
	}
	return out
}

func idsOf(resources []*resource) []string {
	out := []string{}
	for _, r := range resources {
		out = append(out, r.id)
	}
	return out
}

// wantTime states that a value is a dateTime with a zone and gives it.
func (s *session) wantTime(v *jsontree.Value, path string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, find(v, path).Text)
	if err != nil {
		s.fail("%s: %s should be an xsd:dateTime with a zone", path, text(find(v, path)))
	}
	return t
}

// wantGone states that nothing of a resource is left.
func (s *session) wantGone(r *resource) {
	s.wantError(s.get(r.path()), http.StatusNotFound)
}
