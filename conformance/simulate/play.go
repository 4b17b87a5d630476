package simulate

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
)

// fault notes an answer, or the lack of one, that was not expected. The end
// of the run is none.
func (s *Simulator) fault(ctx context.Context, k kind, method, path string, got answer, err error) {
	if ctx.Err() != nil {
		return
	}
	f := Fault{Kind: string(k), Method: method, Path: path, Status: got.status, Detail: excerpt(got.body)}
	if err != nil {
		f.Detail = err.Error()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.nFaults++; len(s.faults) < mostKept {
		s.faults = append(s.faults, f)
	}
}

// differ notes that the server holds something else than it should.
func (s *Simulator) differ(d Difference) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.nDiffs++; len(s.diffs) < mostKept {
		s.diffs = append(s.diffs, d)
	}
}

func excerpt(body []byte) string {
	const most = 300
	if doc, err := jsontree.Parse(body, jsontree.Limits{Depth: 16}); err == nil {
		if detail := doc.GetString("detail"); detail != "" {
			return detail
		}
	}
	return string(body[:min(len(body), most)])
}

// send sends a prepared request and reports whether it was answered as it
// should be: with what is asked for, else with the usual success of its method.
func (s *Simulator) send(ctx context.Context, r request, want ...int) bool {
	got, err := s.c.do(ctx, r.kind, r.method, s.c.target(r.path, ""), s.d.contentType, r.body, false)
	if len(want) == 0 {
		want = []int{http.StatusOK, http.StatusNoContent}
	}
	switch {
	case err == nil && slices.Contains(want, got.status):
		return true
	case err == nil && r.method == http.MethodDelete && got.status == http.StatusNotFound && got.tries > 1:
		return true // the try whose answer was lost has done it (ENT-29)
	}
	s.fault(ctx, r.kind, r.method, r.path, got, err)
	return false
}

// read reads something and throws it away, as identity providers do that only
// want to see it answered.
func (s *Simulator) read(ctx context.Context, k kind, path string) bool {
	_, ok := s.get(ctx, k, path, false)
	return ok
}

// ask reads a JSON document.
func (s *Simulator) ask(ctx context.Context, k kind, path string) (jsontree.Value, bool) {
	got, ok := s.get(ctx, k, path, true)
	if !ok {
		return jsontree.Value{}, false
	}
	doc, err := jsontree.Parse(got.body, jsontree.Limits{Depth: 64})
	if err != nil {
		s.fault(ctx, k, http.MethodGet, path, got, fmt.Errorf("the answer is not JSON: %w", err))
		return jsontree.Value{}, false
	}
	return doc, true
}

func (s *Simulator) get(ctx context.Context, k kind, path string, keep bool) (answer, bool) {
	bare, params, found := strings.Cut(path, "?")
	if found {
		params = "?" + params
	}
	got, err := s.c.do(ctx, k, http.MethodGet, s.c.target(bare, params), "", nil, keep)
	if err == nil && got.status == http.StatusOK {
		return got, true
	}
	s.fault(ctx, k, http.MethodGet, path, got, err)
	return got, false
}

// encoded is a filter in the spelling of the dialect.
func (s *Simulator) encoded(filter string) string {
	escaped := url.QueryEscape(filter)
	if s.d.plus {
		return escaped
	}
	return strings.ReplaceAll(escaped, "+", "%20")
}

// filtered is the target of a look-up.
func (s *Simulator) filtered(resource, filter string) string {
	if s.d.relations && resource == "/Groups" { // ENT-05
		return resource + "?excludedAttributes=members&filter=" + s.encoded(filter)
	}
	return resource + "?filter=" + s.encoded(filter) + s.d.params
}

func equals(attr, value string) string {
	return string(jsontree.AppendString([]byte(attr+" eq "), value))
}

// lookUp gives the ids of what a filter on one attribute finds. ok is false
// when the server did not answer as it should.
func (s *Simulator) lookUp(ctx context.Context, k kind, resource, attr, value string) (ids []string, ok bool) {
	path := s.filtered(resource, equals(attr, value))
	doc, ok := s.ask(ctx, k, path)
	if !ok {
		return nil, false
	}
	if list := doc.Get("Resources"); list != nil {
		for i := range list.Items {
			ids = append(ids, list.Items[i].GetString("id"))
		}
	}
	if total := number(doc.Get("totalResults")); total != len(ids) {
		s.differ(Difference{
			Resource: resource, ID: equals(attr, value), Attribute: "totalResults",
			Expected: strconv.Itoa(len(ids)), Found: strconv.Itoa(total),
		})
	}
	return ids, true
}

// number reads a JSON number without a fraction; -1 stands for anything else.
func number(v *jsontree.Value) int {
	if v == nil || v.Kind != jsontree.Number {
		return -1
	}
	n, err := strconv.Atoi(v.Text)
	if err != nil {
		return -1
	}
	return n
}

// mustNotFind looks something up that is not there.
func (s *Simulator) mustNotFind(ctx context.Context, k kind, resource, attr, value string) bool {
	ids, ok := s.lookUp(ctx, k, resource, attr, value)
	if ok && len(ids) > 0 {
		s.differ(Difference{
			Resource: resource, ID: strings.Join(ids, " "), Attribute: "filter " + equals(attr, value),
			Expected: "nothing is found", Found: strconv.Itoa(len(ids)) + " found",
		})
	}
	return ok && len(ids) == 0
}

// mustFind looks something up that is there once; id may be "" when it is not
// known yet.
func (s *Simulator) mustFind(ctx context.Context, resource, attr, value, id string) (string, bool) {
	ids, ok := s.lookUp(ctx, kindLookUp, resource, attr, value)
	if !ok {
		return "", false
	}
	if len(ids) != 1 || id != "" && ids[0] != id {
		expected := id
		if id == "" {
			expected = "one resource"
		}
		s.differ(Difference{
			Resource: resource, ID: id, Attribute: "filter " + equals(attr, value),
			Expected: expected, Found: "[" + strings.Join(ids, " ") + "]",
		})
		return "", false
	}
	return ids[0], true
}

// walk reads all pages of a list. total is what the first page says; steady
// tells that all pages said the same.
func (s *Simulator) walk(ctx context.Context, k kind, resource, params string, visit func(*jsontree.Value)) (seen int, steady, ok bool) {
	const count = 100
	total := -1
	steady = true
	for start := 1; ; {
		doc, ok := s.ask(ctx, k, fmt.Sprintf("%s?startIndex=%d&count=%d%s", resource, start, count, params))
		if !ok {
			return seen, steady, false
		}
		if t := number(doc.Get("totalResults")); total < 0 {
			total = t
		} else if t != total {
			steady = false
		}
		page := doc.Get("Resources")
		if page == nil || len(page.Items) == 0 {
			break
		}
		for i := range page.Items {
			visit(&page.Items[i])
		}
		seen += len(page.Items)
		if start += len(page.Items); start > total {
			break
		}
	}
	return seen, steady && seen == total, true
}
