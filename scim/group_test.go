package scim_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim"
)

// a group shows its members, the user its groups, the deletion of
// the user both.
func TestGroupLife(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		u := h.ask("POST", "/Users", userBody("m@acme.example", `,"displayName":"Amélie \"A\" Roux"`)).want(201).str("id")
		inner := h.group("Inner")
		r := h.ask("POST", "/Groups", groupBody("Outer", u, inner, u)).want(201)
		g := r.str("id")
		base := publicURL + "/orgs/acme/scim/v2"
		members := map[string]string{}
		for i := range r.list("members") {
			members[r.str("members", i, "value")] = r.str("members", i, "type") + " " + r.str("members", i, "$ref")
			if r.at("members", i, "display") != nil {
				t.Errorf("a name that nobody asked for: %v", r.at("members", i))
			}
		}
		if len(members) != 2 || members[u] != "User "+base+"/Users/"+u || members[inner] != "Group "+base+"/Groups/"+inner {
			t.Errorf("members %v", members)
		}
		if r.Header().Get("ETag") != r.str("meta", "version") || r.str("meta", "created") != r.str("meta", "lastModified") {
			t.Errorf("meta %v, ETag %s", r.at("meta"), r.Header().Get("ETag"))
		}
		get := h.ask("GET", "/Groups/"+g, "").want(200)
		if get.Body.String() != r.Body.String() {
			t.Errorf("GET differs from POST\n%s\n%s", get.Body, r.Body)
		}
		names := h.ask("GET", "/Groups/"+g+"?attributes=members.display,members.value", "").want(200) // returned on request
		for i := range names.list("members") {
			members[names.str("members", i, "value")] = names.str("members", i, "display")
		}
		if members[u] != `Amélie "A" Roux` || members[inner] != "Inner" {
			t.Errorf("names %v", members)
		}
		user := h.ask("GET", "/Users/"+u, "").want(200)
		if user.str("groups", 0, "value") != g || user.str("groups", 0, "$ref") != base+"/Groups/"+g || user.str("groups", 0, "display") != "Outer" || user.str("groups", 0, "type") != "direct" {
			t.Errorf("groups %v", user.at("groups"))
		}
		for _, ref := range []string{user.str("groups", 0, "$ref"), r.str("members", 0, "$ref"), r.Header().Get("Location")} {
			h.askAs(h.token["acme"], "GET", strings.TrimPrefix(ref, publicURL), "").want(200)
		}
		list := h.ask("GET", "/Groups?filter=displayName+eq+%22outer%22", "").want(200)
		if !strings.Contains(list.Body.String(), get.Body.String()) {
			t.Errorf("the list differs from GET\n%s\n%s", list.Body, get.Body)
		}
		h.ask("DELETE", "/Users/"+u, "").want(204)
		if got := h.memberIDs(g); !slices.Equal(got, []string{inner}) {
			t.Errorf("members after the deletion: %v", got)
		}
	})
}

// R-86, OKT-15: PUT of a group replaces the membership; without members it is
// cleared.
func TestReplaceGroup(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		a, b := h.user("a"), h.user("b")
		g := h.group("Team", a)
		r := h.ask("PUT", "/Groups/"+g, groupBody("Crew", b)).want(200)
		if r.str("displayName") != "Crew" || !slices.Equal(h.memberIDs(g), []string{b}) {
			t.Errorf("after PUT: %s", r.Body)
		}
		same := h.ask("PUT", "/Groups/"+g, groupBody("Crew", b)).want(200)
		if same.Body.String() != r.Body.String() {
			t.Errorf("a PUT of the same changed something\n%s\n%s", r.Body, same.Body)
		}
		h.ask("PUT", "/Groups/"+g, `{"schemas":["`+groupURN+`"],"displayName":"Crew"}`).want(200)
		if got := h.memberIDs(g); len(got) != 0 {
			t.Errorf("members after PUT without members: %v", got)
		}
		h.ask("PUT", "/Groups/"+g, `{"schemas":["`+groupURN+`"],"members":[]}`).fails(400, "invalidValue")
		h.group("Other")
		h.ask("PUT", "/Groups/"+g, groupBody("OTHER")).fails(409, "uniqueness")
	})
}

// TestForeignMember is security S3, L-25: ids of another organization and
// unknown ids are the same error and nothing is changed.
func TestForeignMember(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		foreign := h.askAs(h.token["rival"], "POST", "/orgs/rival/scim/v2/Users", userBody("f")).want(201).str("id")
		unknown := foreign[:9] + other(foreign[9]) + foreign[10:]
		u := h.user("u")
		g := h.group("G", u)
		for _, c := range []struct{ method, path, body string }{
			{"PATCH", "/Groups/" + g, ops(`{"op":"add","path":"members","value":[{"value":"%s"}]}`)},
			{"PATCH", "/Groups/" + g, ops(`{"op":"replace","path":"displayName","value":"H"}`, `{"op":"add","path":"members","value":[{"value":"%s"}]}`)},
			{"PATCH", "/Groups/" + g, ops(`{"op":"replace","path":"members","value":[{"value":"%s"}]}`)},
			{"PUT", "/Groups/" + g, groupBody("H", "%s")},
			{"POST", "/Groups", groupBody("H", u, "%s")},
		} {
			a := h.ask(c.method, c.path, strings.Replace(c.body, "%s", foreign, 1)).fails(400, "invalidValue")
			b := h.ask(c.method, c.path, strings.Replace(c.body, "%s", unknown, 1)).fails(400, "invalidValue")
			if strings.ReplaceAll(a.Body.String(), foreign, "") != strings.ReplaceAll(b.Body.String(), unknown, "") || !strings.Contains(a.str("detail"), foreign) {
				t.Errorf("%s: %s\n%s", c.method, a.Body, b.Body)
			}
		}
		if got := h.ask("GET", "/Groups/"+g, ""); got.str("displayName") != "G" || got.str("members", 0, "value") != u || len(got.list("members")) != 1 {
			t.Errorf("the group changed: %s", got.Body)
		}
		if n := h.ask("GET", "/Groups", "").num("totalResults"); n != 1 {
			t.Errorf("%d groups", n)
		}
		for _, junk := range []string{"x", "../" + u, u + "0", ""} {
			h.ask("PATCH", "/Groups/"+g, ops(`{"op":"add","path":"members","value":[{"value":"`+junk+`"}]}`)).fails(400, "invalidValue")
		}
	})
}

// TestPatchRemoveForms is security S17: every vendor's form of removing a
// member, and forms that must not pass silently.
func TestPatchRemoveForms(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		stays, goes := h.user("stays"), h.user("goes")
		g := h.group("G")
		for name, form := range map[string]string{
			"RFC":                   `{"op":"remove","path":"members[value eq \"%s\"]"}`,
			"ENT-25 value array":    `{"op":"Remove","path":"members","value":[{"$ref":null,"value":"%s"}]}`,
			"one object":            `{"op":"remove","path":"members","value":{"value":"%s"}}`,
			"plain string":          `{"op":"remove","path":"members","value":"%s"}`,
			"plain strings":         `{"op":"remove","path":"members","value":["%s"]}`,
			"URN and case":          `{"op":"REMOVE","path":"` + groupURN + `:Members[Value eq \"%s\"]"}`,
			"by $ref":               `{"op":"remove","path":"members[$ref ew \"%s\"]"}`,
			"value filter with and": `{"op":"remove","path":"members[type eq \"User\" and value eq \"%s\"]"}`,
			"replaced by the rest":  `{"op":"replace","path":"members","value":` + memberList(stays) + `}`,
		} {
			h.ask("PATCH", "/Groups/"+g, ops(`{"op":"add","path":"members","value":`+memberList(stays, goes)+`}`)).want(200)
			if len(h.memberIDs(g)) != 2 {
				t.Fatalf("%s: no members to begin with", name)
			}
			h.ask("PATCH", "/Groups/"+g, ops(strings.Replace(form, "%s", goes, 1))).want(200)
			if got := h.memberIDs(g); !slices.Equal(got, []string{stays}) {
				t.Errorf("%s: members %v", name, got)
			}
			if r := h.ask("GET", "/Users/"+goes, ""); r.at("groups") != nil {
				t.Errorf("%s: the user still shows the group", name)
			}
		}
		for body, scimType := range map[string]string{
			`{"op":"remove"}`:                              "noTarget",
			`{"op":"remove","path":"mitglieder"}`:          "invalidPath",
			`{"op":"remove","path":"members[0]"}`:          "invalidPath",
			`{"op":"remove","path":"/members/0"}`:          "invalidPath",
			`{"op":"remove","path":"members[value eq "}`:   "invalidPath",
			`{"op":"remove","path":"members.value"}`:       "mutability",
			`{"op":"delete","path":"members"}`:             "invalidSyntax",
			`{"op":"remove","path":"displayName"}`:         "mutability",
			`{"op":"replace","path":"members","value":{}}`: "invalidValue",
		} {
			h.ask("PATCH", "/Groups/"+g, ops(body)).fails(400, scimType)
		}
		if got := h.memberIDs(g); !slices.Equal(got, []string{stays}) {
			t.Errorf("members after refused forms: %v", got)
		}
		h.ask("PATCH", "/Groups/"+g, ops(`{"op":"remove","path":"members"}`)).want(200)
		if len(h.memberIDs(g)) != 0 {
			t.Error("remove without value empties the list")
		}
	})
}

// L-24, L-20, R-91, design §3: what a PATCH of a group answers.
func TestPatchGroupAnswers(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		u := h.user("u")
		g := h.group("G")
		add := ops(`{"op":"add","path":"members","value":` + memberList(u) + `}`)
		r := h.ask("PATCH", "/Groups/"+g, add).want(200)
		if r.str("members", 0, "value") != u || r.Header().Get("ETag") == "" || r.Header().Get("ETag") != r.str("meta", "version") {
			t.Errorf("200: %s", r.Body)
		}
		again := h.ask("PATCH", "/Groups/"+g, add).want(200)
		if again.Body.String() != r.Body.String() {
			t.Errorf("adding who is there changed something (L-24)\n%s\n%s", r.Body, again.Body)
		}
		entra := h.newToken("acme", resources.TokenSpec{Profile: resources.ProfileEntra})
		target := "/orgs/acme/scim/v2/Groups/" + g
		if r := h.askAs(entra, "PATCH", target, add).want(204); r.Body.Len() != 0 {
			t.Errorf("204 with a body: %s", r.Body)
		}
		if r := h.askAs(entra, "PATCH", target+"?attributes=displayName", add).want(200); r.str("displayName") != "G" || r.at("members") != nil {
			t.Errorf("attributes ask for 200: %s", r.Body)
		}
		h.ask("PATCH", "/Groups/"+g[:9]+other(g[9])+g[10:], add).fails(404, "")
		h.ask("PATCH", "/Groups/"+g[:9]+other(g[9])+g[10:], ops(`{"op":"remove","path":"members[type eq \"User\"]"}`)).fails(404, "")
	})
}

// manyMembers creates n users and puts them into a group, by the door.
func (h *house) manyMembers(group string, n int) []string {
	h.t.Helper()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = h.user(fmt.Sprintf("member%06d", i))
	}
	slices.Sort(ids) // members are shown in the order of their ids
	for piece := range slices.Chunk(ids, 5000) {
		r := h.ask("PATCH", "/Groups/"+group, ops(`{"op":"add","path":"members","value":`+memberList(piece...)+`}`))
		if r.Code != 200 && r.Code != 204 {
			h.t.Fatalf("add members: %d %s\n%s", r.Code, r.Body, lastError(h.log.String()))
		}
	}
	return ids
}

// lastError is the last line about a failed request.
func lastError(log string) string {
	last := ""
	for line := range strings.Lines(log) {
		if strings.Contains(line, `"level":"ERROR"`) {
			last = line
		}
	}
	return last
}

// Over 1 000 members: PATCH answers 204, GET shows all of them in order, each
// once, and projections that leave members out do not read them.
func TestLargeGroup(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		g := h.group("Large")
		ids := h.manyMembers(g, 2500)
		if got := h.memberIDs(g); !slices.Equal(got, ids) {
			t.Fatalf("%d members, want %d in order", len(got), len(ids))
		}
		h.ask("PATCH", "/Groups/"+g, ops(`{"op":"add","path":"members","value":`+memberList(ids[0])+`}`)).want(204)
		h.ask("PATCH", "/Groups/"+g+"?excludedAttributes=members", ops(`{"op":"replace","path":"displayName","value":"Huge"}`)).want(200)
		counted := &countingStore{Store: h.store}
		h.open(counted, scim.Config{})
		h.ask("GET", "/Groups/"+g, "").want(200)
		for _, query := range []string{"?excludedAttributes=members", "?attributes=displayName", "?excludedAttributes=MEMBERS,meta"} {
			counted.calls.Store(0)
			if r := h.ask("GET", "/Groups/"+g+query, "").want(200); r.at("members") != nil || r.str("displayName") != "Huge" {
				t.Errorf("%s: %.200s", query, r.Body)
			}
			if n := counted.calls.Load(); n != 1 {
				t.Errorf("GET %s: %d questions to the store, want 1", query, n)
			}
		}
		counted.calls.Store(0)
		h.ask("HEAD", "/Groups/"+g, "").want(200)
		if n := counted.calls.Load(); n != 1 {
			t.Errorf("HEAD: %d questions to the store, want 1", n)
		}
		if r := h.ask("GET", "/Groups/"+g+"?attributes=members.value", "").want(200); r.at("members", 0, "$ref") != nil || r.str("members", 2499, "value") != ids[2499] || r.at("displayName") != nil {
			t.Errorf("members.value: %.300s", r.Body)
		}
		h.ask("PATCH", "/Groups/"+g, ops(`{"op":"replace","path":"members","value":`+memberList(ids[7:2000]...)+`}`)).want(204)
		if got := h.memberIDs(g); !slices.Equal(got, ids[7:2000]) {
			t.Errorf("%d members after the full push, want %d", len(got), 1993)
		}
		h.ask("PATCH", "/Groups/"+g, ops(`{"op":"remove","path":"members[type eq \"User\"]"}`)).want(200)
		if got := h.memberIDs(g); len(got) != 0 {
			t.Errorf("%d members left", len(got))
		}
	})
}

// discard counts what is written and keeps nothing.
type discard struct {
	header http.Header
	status int
	bytes  int
	peak   uint64
}

func (d *discard) Header() http.Header { return d.header }

func (d *discard) WriteHeader(status int) { d.status = status }

func (d *discard) Write(b []byte) (int, error) {
	d.bytes += len(b)
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	d.peak = max(d.peak, m.HeapAlloc)
	return len(b), nil
}

// A group of 100 000 members is shown in constant memory: what is alive while
// it is sent does not grow with it. The membership is made up by the store, so
// that only the door is measured.
func TestStreamInConstantMemory(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	g := h.group("Endless")
	var base runtime.MemStats
	sizes := map[int]*discard{}
	for _, n := range []int{10_000, 100_000} {
		h.open(&wideStore{Store: h.store, members: n}, scim.Config{})
		r := httptest.NewRequest("GET", "/orgs/acme/scim/v2/Groups/"+g, nil)
		r.Header.Set("Authorization", "Bearer "+h.token["acme"])
		runtime.GC()
		runtime.ReadMemStats(&base)
		d := &discard{header: http.Header{}}
		h.ServeHTTP(d, r)
		d.peak -= min(d.peak, base.HeapAlloc)
		sizes[n] = d
		if d.status != 200 || d.bytes < n*100 {
			t.Fatalf("%d members: status %d, %d bytes", n, d.status, d.bytes)
		}
	}
	small, large := sizes[10_000], sizes[100_000]
	t.Logf("10 000 members: %d bytes sent, %d alive; 100 000: %d, %d", small.bytes, small.peak, large.bytes, large.peak)
	if large.bytes < 9*small.bytes || large.peak > small.peak+1<<20 {
		t.Errorf("memory grows with the group: %d bytes alive for 10 000 members, %d for 100 000", small.peak, large.peak)
	}
}

// A PATCH answers with the group as long as it has at most a thousand members,
// and knows at once when it has.
func TestLargeGroupShrinks(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	g := h.group("G")
	ids := h.manyMembers(g, 1002)
	remove := func(id string) string {
		return ops(`{"op":"remove","path":"members[value eq \"` + id + `\"]"}`)
	}
	h.ask("PATCH", "/Groups/"+g, remove(ids[0])).want(204)
	h.ask("PATCH", "/Groups/"+g, remove(ids[1])).want(200)
	h.ask("PATCH", "/Groups/"+g, ops(`{"op":"add","path":"members","value":`+memberList(ids...)+`}`)).want(204)
	h.ask("PATCH", "/Groups/"+g, ops(`{"op":"replace","path":"members","value":`+memberList(ids[:2]...)+`}`)).want(200)
}
