package scim_test

import (
	"strings"
	"sync"
	"testing"
)

// conditions on reads and writes.
func TestConditions(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		id := h.user("tag@acme.example")
		r := h.ask("PATCH", "/Users/"+id, ops(`{"op":"add","path":"title","value":"a"}`)).want(200)
		tag := r.Header().Get("ETag")
		if tag != `W/"2"` {
			t.Fatalf("ETag %q", tag)
		}
		for _, c := range []struct {
			name, header, value string
			read, write         int
		}{
			{"current", "If-Match", tag, 200, 200},
			{"strong form", "If-Match", `"2"`, 200, 200},
			{"without quotes", "If-Match", `2`, 200, 200},
			{"list", "If-Match", `W/"7", ` + tag, 200, 200},
			{"anything", "If-Match", "*", 200, 200},
			{"old", "If-Match", `W/"1"`, 412, 412},
			{"prefix", "If-Match", `W/"22"`, 412, 412},
			{"empty", "If-Match", `""`, 412, 412},
			{"known", "If-None-Match", tag, 304, 412},
			{"known in a list", "If-None-Match", `"x",W/"2"`, 304, 412},
			{"any known", "If-None-Match", "*", 304, 412},
			{"other", "If-None-Match", `W/"1"`, 200, 200},
		} {
			for _, method := range []string{"GET", "HEAD"} {
				got := h.ask(method, "/Users/"+id, "", c.header, c.value)
				if got.Code != c.read || (c.read != 412 && got.Header().Get("ETag") != tag) || (c.read == 304 && (got.Body.Len() != 0 || got.Header().Get("Content-Type") != "")) {
					t.Errorf("%s %s %s: %d %v %s", method, c.header, c.name, got.Code, got.Header(), got.Body)
				}
			}
			same := ops(`{"op":"replace","path":"title","value":"a"}`)
			if got := h.ask("PATCH", "/Users/"+id, same, c.header, c.value); got.Code != c.write {
				t.Errorf("PATCH %s %s: %d %s", c.header, c.name, got.Code, got.Body)
			}
			if got := h.ask("PUT", "/Users/"+id, userBody("tag@acme.example", `,"title":"a"`), c.header, c.value); got.Code != c.write {
				t.Errorf("PUT %s %s: %d %s", c.header, c.name, got.Code, got.Body)
			}
			if c.write == 412 {
				h.ask("DELETE", "/Users/"+id, "", c.header, c.value).fails(412, "")
			}
		}
		if got := h.ask("GET", "/Users/"+id, ""); got.Header().Get("ETag") != tag {
			t.Errorf("refused writes moved the version to %s", got.Header().Get("ETag"))
		}
		h.ask("DELETE", "/Users/"+id, "", "If-Match", tag).want(204)
		h.ask("DELETE", "/Users/"+id, "", "If-Match", "*").want(404)
	})
}

// R-29, design §3: the version of a user moves with its groups and their
// names, lastModified does not; that of a group moves with its membership.
func TestVersionCoversWhatIsShown(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		u := h.user("v@acme.example")
		tags := map[string]string{}
		next := func(step, path string) reply {
			t.Helper()
			r := h.ask("GET", path, "").want(200)
			tag := r.Header().Get("ETag")
			if tag != r.str("meta", "version") || !strings.HasPrefix(tag, `W/"`) {
				t.Errorf("%s: ETag %q, meta.version %q", step, tag, r.str("meta", "version"))
			}
			if before, seen := tags[path+tag]; seen {
				t.Errorf("%s: the version is still that of %s", step, before)
			}
			tags[path+tag] = step
			list := h.ask("GET", strings.TrimSuffix(path, path[strings.LastIndex(path, "/"):]), "").want(200)
			if !strings.Contains(list.Body.String(), r.Body.String()) {
				t.Errorf("%s: the list shows another version\n%s\n%s", step, list.Body, r.Body)
			}
			return r
		}
		first := next("created", "/Users/"+u)
		g := h.group("G")
		next("group created", "/Groups/"+g)
		h.ask("PATCH", "/Groups/"+g, ops(`{"op":"add","path":"members","value":`+memberList(u)+`}`)).want(200)
		next("member added", "/Groups/"+g)
		joined := next("joined", "/Users/"+u)
		if joined.str("meta", "lastModified") != first.str("meta", "lastModified") {
			t.Errorf("lastModified moved with a membership: %v", joined.at("meta"))
		}
		h.ask("GET", "/Users/"+u, "", "If-None-Match", first.Header().Get("ETag")).want(200)
		h.ask("PATCH", "/Groups/"+g, ops(`{"op":"replace","path":"displayName","value":"H"}`)).want(200)
		next("group renamed", "/Users/"+u)
		next("renamed", "/Groups/"+g)
		h.ask("PATCH", "/Groups/"+g, ops(`{"op":"remove","path":"members"}`)).want(200)
		next("emptied", "/Groups/"+g)
		left := h.ask("GET", "/Users/"+u, "")
		if left.Header().Get("ETag") != first.Header().Get("ETag") || left.Body.String() != first.Body.String() {
			t.Errorf("after leaving the user is not as before\n%s\n%s", first.Body, left.Body)
		}
		h.ask("PATCH", "/Groups/"+g, ops(`{"op":"add","path":"members","value":`+memberList(u)+`}`), "If-Match", `W/"1.0"`).fails(412, "")
		current := h.ask("GET", "/Groups/"+g, "").Header().Get("ETag")
		h.ask("PATCH", "/Groups/"+g, ops(`{"op":"add","path":"members","value":`+memberList(u)+`}`), "If-Match", current).want(200)
		h.ask("DELETE", "/Groups/"+g, "", "If-Match", current).fails(412, "")
	})
}

// TestLostUpdate is security S18: of writers that read the same version one
// wins; without conditions nothing is lost either.
func TestLostUpdate(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		id := h.user("race@acme.example")
		tag := h.ask("GET", "/Users/"+id, "").Header().Get("ETag")
		h.ask("PATCH", "/Users/"+id, ops(`{"op":"replace","path":"title","value":"1"}`), "If-Match", tag).want(200)
		h.ask("PATCH", "/Users/"+id, ops(`{"op":"replace","path":"title","value":"2"}`), "If-Match", tag).fails(412, "")
		if got := h.ask("GET", "/Users/"+id, "").str("title"); got != "1" {
			t.Errorf("title %q", got)
		}
		for round := range 20 { // now and then one writer is done before the next one has read
			mine := "mine in " + itoa(round)
			tag = h.ask("GET", "/Users/"+id, "").Header().Get("ETag")
			codes := make([]int, 8)
			var wg sync.WaitGroup
			for i := range codes {
				wg.Go(func() {
					codes[i] = h.ask("PATCH", "/Users/"+id, ops(`{"op":"replace","path":"nickName","value":"`+mine+itoa(i)+`"}`), "If-Match", tag).Code
				})
			}
			wg.Wait()
			won := 0
			for _, code := range codes {
				switch code {
				case 200:
					won++
				case 412:
				default:
					t.Errorf("status %d", code)
				}
			}
			if won != 1 {
				t.Errorf("%d writers of one version won: %v", won, codes)
			}
			paths := []string{"displayName", "title", "nickName", "userType", "locale", "timezone"}
			for _, p := range paths {
				wg.Go(func() {
					if r := h.ask("PATCH", "/Users/"+id, ops(`{"op":"replace","path":"`+p+`","value":"`+mine+`"}`)); r.Code != 200 {
						t.Errorf("%s: %d %s", p, r.Code, r.Body)
					}
				})
			}
			wg.Wait()
			r := h.ask("GET", "/Users/"+id, "")
			for _, p := range paths {
				if r.str(p) != mine {
					t.Errorf("%s was lost: %s", p, r.Body)
				}
			}
		}
	})
}

// Many adding members to one group at once lose none.
func TestConcurrentMembers(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		g := h.group("G")
		ids := make([]string, 24)
		for i := range ids {
			ids[i] = h.user("c" + itoa(i))
		}
		var wg sync.WaitGroup
		for _, id := range ids {
			wg.Go(func() {
				if r := h.ask("PATCH", "/Groups/"+g, ops(`{"op":"add","path":"members","value":`+memberList(id)+`}`)); r.Code != 200 {
					t.Errorf("add: %d %s", r.Code, r.Body)
				}
			})
		}
		wg.Wait()
		if got := h.memberIDs(g); len(got) != len(ids) {
			t.Errorf("%d members of %d", len(got), len(ids))
		}
	})
}
