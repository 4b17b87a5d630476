package check

import (
	"net/http"
	"strings"
)

func etagChecks() []Check {
	row := func(id, title, sources string, run func(*session), needs ...need) Check {
		return c("etag/"+id, title, sources, run, append(needs, noETag)...)
	}
	return []Check{
		row("header", "ETag equals meta.version on create, read and replace", "R-29 R-127", etagHeader),
		row("form", "a version is an entity tag, weak or strong", "R-29", etagForm),
		row("changes", "a change changes the version", "R-127", etagChanges),
		row("stays", "what changes nothing keeps the version", "R-127 R-94", etagStays),
		row("none-match", "If-None-Match with the version is 304 without a body", "R-127", etagNoneMatch),
		row("none-match-old", "If-None-Match with an old version is 200", "R-127", etagNoneMatchOld),
		row("match-put", "PUT with a wrong If-Match is 412 and changes nothing", "R-127", etagMatch(http.MethodPut)),
		row("match-patch", "PATCH with a wrong If-Match is 412 and changes nothing", "R-127", etagMatch(http.MethodPatch)),
		row("match-delete", "DELETE with a wrong If-Match is 412 and deletes nothing", "R-127", etagMatch(http.MethodDelete)),
		row("match-right", "a write with the right If-Match succeeds", "R-127", etagRight),
		row("match-any", "If-Match: * succeeds for what exists", "R-127", etagAny),
		row("lost-update", "of two writes with the same version the second is 412", "R-127", etagLostUpdate),
		row("group-members", "a change of members changes the version of the group", "R-127 R-36", etagMembers, noGroups),
		row("list", "meta.version in a list is that of the resource", "R-29", etagList),
	}
}

func (s *session) conditional(method string, r *resource, name, tag string, body any) *answer {
	return s.send(request{method: method, path: r.path(), header: map[string]string{name: tag}, body: body})
}

func (s *session) version(r *resource) string {
	tag := find(s.read(r), "meta.version").Text
	s.wantThat(tag != "", "meta.version is missing")
	return tag
}

func etagHeader(s *session) {
	a := s.post("/Users", s.person())
	s.wantStatus(a, http.StatusCreated)
	u := &resource{endpoint: "/Users", id: a.value.GetString("id"), value: a.value}
	for _, a := range []*answer{a, s.get(u.path()), s.put(u.path(), s.again(u, obj{"displayName": "New"}))} {
		s.wantThat(a.header.Get("ETag") != "", "there is no ETag")
		s.wantAt(&a.value, "meta.version", a.header.Get("ETag"))
	}
}

func etagForm(s *session) {
	tag := strings.TrimPrefix(s.version(s.user()), "W/")
	s.wantThat(len(tag) > 2 && strings.HasPrefix(tag, `"`) && strings.HasSuffix(tag, `"`), "the version is %q", tag)
}

func etagChanges(s *session) {
	u := s.user()
	before := s.version(u)
	s.modify(u, replace("displayName", "New"))
	s.wantThat(s.version(u) != before || !s.ok(), "the version is still %s", before)
}

func etagStays(s *session) {
	u := s.user(obj{"displayName": "Amélie"})
	before := s.version(u)
	s.modify(u, replace("displayName", "Amélie"))
	s.wantAt(s.read(u), "meta.version", before)
}

func etagNoneMatch(s *session) {
	u := s.user()
	a := s.conditional(http.MethodGet, u, "If-None-Match", s.version(u), nil)
	s.wantStatus(a, http.StatusNotModified)
	s.wantThat(len(a.raw) == 0, "304 has a body")
}

func etagNoneMatchOld(s *session) {
	u := s.user()
	old := s.version(u)
	s.modify(u, replace("displayName", "New"))
	a := s.conditional(http.MethodGet, u, "If-None-Match", old, nil)
	s.wantStatus(a, http.StatusOK)
	s.wantAt(&a.value, "displayName", "New")
}

// etagMatch writes with a version that was never given.
func etagMatch(method string) func(*session) {
	return func(s *session) {
		u := s.user()
		var body any
		switch method {
		case http.MethodPut:
			body = s.again(u, obj{"displayName": "New"})
		case http.MethodPatch:
			body = patchOp(replace("displayName", "New"))
		}
		s.wantUntouched(u, func() {
			s.wantError(s.conditional(method, u, "If-Match", `W/"never-given"`, body), http.StatusPreconditionFailed)
		})
	}
}

func etagRight(s *session) {
	u := s.user()
	a := s.conditional(http.MethodPatch, u, "If-Match", s.version(u), patchOp(replace("displayName", "New")))
	s.wantStatus(a, http.StatusOK, http.StatusNoContent)
	s.wantStored(u, obj{"displayName": "New"})
	s.wantStatus(s.conditional(http.MethodDelete, u, "If-Match", s.version(u), nil), http.StatusNoContent)
	s.wantGone(u)
}

func etagAny(s *session) {
	u := s.user()
	a := s.conditional(http.MethodPatch, u, "If-Match", "*", patchOp(replace("displayName", "New")))
	s.wantStatus(a, http.StatusOK, http.StatusNoContent)
	s.wantStored(u, obj{"displayName": "New"})
}

func etagLostUpdate(s *session) {
	u := s.user()
	tag := s.version(u)
	s.wantStatus(s.conditional(http.MethodPatch, u, "If-Match", tag, patchOp(replace("displayName", "first"))), http.StatusOK, http.StatusNoContent)
	s.wantError(s.conditional(http.MethodPatch, u, "If-Match", tag, patchOp(replace("displayName", "second"))), http.StatusPreconditionFailed)
	s.wantStored(u, obj{"displayName": "first"})
}

func etagMembers(s *session) {
	g := s.group()
	before := s.version(g)
	s.modify(g, add("members", refs(s.user())))
	s.wantThat(s.version(g) != before || !s.ok(), "the version is still %s", before)
	s.wantError(s.conditional(http.MethodPatch, g, "If-Match", before, patchOp(replace("externalId", "x"))), http.StatusPreconditionFailed)
}

func etagList(s *session) {
	u := s.user()
	s.wantAt(s.find("/Users", eq("id", u.id)).at("Resources[0]"), "meta.version", s.version(u))
}
