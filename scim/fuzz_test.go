package scim_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/usher-scim/usher/scim"
)

// FuzzDoor sends whatever to the door. It must answer, with SCIM JSON or
// nothing, and never with a fault of its own.
func FuzzDoor(f *testing.F) {
	for _, seed := range []struct{ method, path, query, header, body string }{
		{"GET", "/Users", filterOf(`userName eq "a"`), `W/"1"`, ""},
		{"GET", "/Users", "attributes=name.familyName,emails&sortBy=title&sortOrder=descending&startIndex=2&count=1", "*", ""},
		{"GET", "/Groups", "excludedAttributes=members&filter=members+eq+%22x%22", "", ""},
		{"GET", "/Users/%2e%2e/x", "%zz", `"`, ""},
		{"POST", "/Users", "", "application/json;q=0", userBody("fuzz", `,"emails":[{"value":"a@b.example"}]`)},
		{"POST", "/Groups", "", ",", groupBody("fuzz", "00000000000000000000")},
		{"PUT", "/Users/00000000000000000000", "", "", userBody("fuzz")},
		{"PATCH", "/Users/00000000000000000000", "", "", ops(`{"op":"replace","path":"name.givenName","value":"x"}`)},
		{"PATCH", "/Groups/00000000000000000001", "", "", ops(`{"op":"remove","path":"members[type eq \"User\"]"}`)},
		{"DELETE", "/Schemas/urn:x", "a=b&&=", "", "{"},
	} {
		f.Add(seed.method, seed.path, seed.query, seed.header, seed.body)
	}
	h := newHouse(f, "", scim.Config{})
	f.Fuzz(func(t *testing.T, method, path, query, header, body string) {
		u := &url.URL{RawQuery: query, RawPath: "/orgs/acme/scim/v2" + path}
		var err error
		if u.Path, err = url.PathUnescape(u.RawPath); err != nil {
			return // the listener refuses these
		}
		r := httptest.NewRequest("GET", "/", strings.NewReader(body))
		r.Method, r.URL = method, u
		r.Header = http.Header{
			"Authorization": {"Bearer " + h.token["acme"]}, "If-Match": {header}, "If-None-Match": {header, "x"},
			"Accept": {header, "*/*"}, "X-Request-Id": {header},
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code >= 500 && w.Code != http.StatusNotImplemented {
			t.Errorf("%s %s?%s: %d %s\n%s", method, path, query, w.Code, w.Body, lastError(h.log.String()))
		}
		if w.Body.Len() > 0 && !json.Valid(bytes.TrimSpace(w.Body.Bytes())) {
			t.Errorf("%s %s?%s: not JSON: %q", method, path, query, w.Body)
		}
	})
}
