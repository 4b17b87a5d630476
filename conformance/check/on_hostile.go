package check

import (
	"net/http"
	"strings"
)

func hostileChecks() []Check {
	return []Check{
		c("hostile/duplicate-keys", "a key twice in an object is refused, or the last one counts", "S-12 R-53", hostileTwice),
		c("hostile/duplicate-keys-case", "a key in two spellings is refused, or one of them counts", "S-12 R-3", hostileSpellings),
		c("hostile/depth", "JSON nested a thousand deep is 400 and not a crash", "S-12", hostileBody(strings.Repeat(`{"a":`, 1000)+"1"+strings.Repeat("}", 1000))),
		c("hostile/depth-arrays", "arrays nested ten thousand deep are 400 and not a crash", "S-12", hostileBody(strings.Repeat("[", 10_000)+strings.Repeat("]", 10_000))),
		c("hostile/bom", "a byte order mark is skipped or 400", "S-12 R-16", hostileBOM),
		c("hostile/utf16", "a body that is not UTF-8 is 400", "R-16 S-12", hostileBody("\xff\xfe{\x00}\x00")),
		c("hostile/bad-utf8", "broken UTF-8 in a text is 400", "R-16 S-12", hostileBadUTF8),
		c("hostile/nul", "a NUL in userName is 400, or stored as it is", "S-12 R-31", hostileNUL),
		c("hostile/trailing", "text behind the JSON is 400", "S-12 R-53", hostileBody(`{"schemas":["`+userURN+`"],"userName":"x"} {}`)),
		c("hostile/large", "a body of 20 MiB is 413, or the connection ends; the server lives", "S-11 R-120", hostileLarge),
		c("hostile/number", "a number of a thousand digits is no crash", "S-12", hostileNumber),
		c("hostile/filter-long", "a filter of 5 000 characters is answered, 200 or 400", "S-13", hostileLongFilter),
		c("hostile/filter-deep", "a filter of five hundred parentheses is answered, 200 or 400", "S-13", hostileDeepFilter),
		c("hostile/filter-and-chain", "a filter of a thousand terms is answered, 200 or 400", "S-13", hostileChain),
		c("hostile/percent-nul", "%00 in a path is 404 or 400", "S-12 R-121", hostilePath("/Users/%00")),
		c("hostile/bad-percent", "a broken percent code in a path is 404 or 400", "S-12", hostilePath("/Users/x%2")),
		c("hostile/dot-dot", "%2e%2e in a path leads nowhere", "S-12 R-121", hostilePath("/Users/%2e%2e%2f%2e%2e%2fetc")),
		c("hostile/long-id", "an id of 4 000 letters is 404 or 400", "S-12", hostilePath("/Users/"+strings.Repeat("a", 4000))),
		c("hostile/quote-in-name", "a quote in userName is stored and found", "R-71 L-28", hostileName("o'neill", `say"hi"`, `back\slash`, "per%cent", "plus+plus", "a&b=c")),
		c("hostile/emoji-name", "emoji in userName are stored and found, or refused", "R-22", hostileEmoji),
		c("hostile/header-injection", "a line break in displayName reaches no header", "S-12 R-121", hostileLineBreak),
		c("hostile/operations-many", "a PATCH of a thousand operations is answered whole or refused whole", "S-11 R-90", hostileOperations),
		c("hostile/unknown-method", "a method nobody knows is 405 or 501", "R-55", hostileMethod),
		c("hostile/expression-in-value", "text that looks like code is text", "S-12", hostileCode),
		c("hostile/member-twice-removed", "removing a member twice in one request ends with it removed", "R-98 L-24", hostileRemoveTwice, noGroups, noPatch),
	}
}

// hostileBody posts a body that must be 400 with a SCIM error.
func hostileBody(body string) func(*session) {
	return func(s *session) {
		s.wantErrors(s.post("/Users", body), []int{http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType})
		s.alive()
	}
}

// alive states that the server still answers.
func (s *session) alive() { s.wantStatus(s.get("/Users", "count", "1"), http.StatusOK) }

func hostileTwice(s *session) {
	first, last := s.email(), s.email()
	a := s.post("/Users", `{"schemas":["`+userURN+`"],"userName":"`+first+`","userName":"`+last+`"}`)
	if a.status == http.StatusCreated {
		s.wantAt(&a.value, "userName", last)
		s.note("the last one counts")
		return
	}
	s.wantError(a, http.StatusBadRequest, "invalidSyntax", "invalidValue")
}

func hostileSpellings(s *session) {
	a := s.post("/Users", `{"schemas":["`+userURN+`"],"userName":"`+s.email()+`","USERNAME":"`+s.email()+`"}`)
	if a.status != http.StatusCreated {
		s.wantError(a, http.StatusBadRequest, "invalidSyntax", "invalidValue")
	}
	s.note("answered with %d", a.status)
}

func hostileBOM(s *session) {
	name := s.email()
	a := s.post("/Users", "\ufeff"+`{"schemas":["`+userURN+`"],"userName":"`+name+`"}`)
	if a.status == http.StatusCreated {
		s.wantAt(&a.value, "userName", name)
		return
	}
	s.wantError(a, http.StatusBadRequest, "invalidSyntax")
}

func hostileBadUTF8(s *session) {
	a := s.post("/Users", `{"schemas":["`+userURN+`"],"userName":"`+s.email()+`","displayName":"`+"\xc3\x28"+`"}`)
	if a.status == http.StatusCreated {
		s.note("replaced by %s", text(a.at("displayName")))
		return
	}
	s.wantError(a, http.StatusBadRequest, "invalidSyntax", "invalidValue")
}

func hostileNUL(s *session) {
	name := s.email()
	a := s.post("/Users", `{"schemas":["`+userURN+`"],"userName":"a\u0000`+name+`"}`)
	if a.status == http.StatusCreated {
		s.wantAt(&a.value, "userName", "a\x00"+name)
		return
	}
	s.wantError(a, http.StatusBadRequest)
}

func hostileLarge(s *session) {
	probe := s.session(s.ctx, s.prefix)
	a := probe.post("/Users", s.person(obj{"displayName": strings.Repeat("x", 20<<20)}))
	if probe.ok() { // a server may also close the connection while the body is still on its way
		s.wantThat(a.status == http.StatusRequestEntityTooLarge || a.status == http.StatusBadRequest || a.status == http.StatusCreated, "the answer is %d", a.status)
		s.note("answered with %d", a.status)
	} else {
		s.note("the connection was closed")
	}
	s.made = append(s.made, probe.made...)
	s.alive()
}

func hostileNumber(s *session) {
	a := s.post("/Users", `{"schemas":["`+userURN+`"],"userName":"`+s.email()+`","active":`+strings.Repeat("9", 1000)+`}`)
	s.wantError(a, http.StatusBadRequest)
}

// wantBounded states that a filter is answered with a list or refused.
func (s *session) wantBounded(filter string) {
	a := s.find("/Users", filter, "count", "1")
	if a.status != http.StatusOK {
		s.wantErrors(a, []int{http.StatusBadRequest, http.StatusRequestURITooLong, http.StatusRequestHeaderFieldsTooLarge, http.StatusRequestEntityTooLarge})
	}
	s.note("answered with %d", a.status)
	s.alive()
}

func hostileLongFilter(s *session) { s.wantBounded(`userName eq "` + strings.Repeat("x", 5000) + `"`) }

func hostileDeepFilter(s *session) {
	s.wantBounded(strings.Repeat("(", 500) + `userName eq "x"` + strings.Repeat(")", 500))
}

func hostileChain(s *session) {
	s.wantBounded(strings.TrimSuffix(strings.Repeat(`active eq true and `, 1000), " and "))
}

func hostilePath(path string) func(*session) {
	return func(s *session) {
		s.wantStatus(s.get(path), http.StatusNotFound, http.StatusBadRequest, http.StatusRequestURITooLong)
		s.alive()
	}
}

func hostileName(parts ...string) func(*session) {
	return func(s *session) {
		for _, part := range parts {
			name := part + "-" + s.name()
			a := s.post("/Users", s.person(obj{"userName": name}))
			if a.status == http.StatusBadRequest {
				s.note("%s is refused", part)
				continue
			}
			s.wantStatus(a, http.StatusCreated)
			s.wantFound("/Users", eq("userName", name), &resource{endpoint: "/Users", id: a.value.GetString("id")})
		}
	}
}

func hostileEmoji(s *session) { hostileName("🦊")(s) }

func hostileLineBreak(s *session) {
	u := s.user(obj{"displayName": "a\r\nX-Injected: yes"})
	a := s.get(u.path())
	s.wantThat(a.header.Get("X-Injected") == "", "the line break reached a header")
	s.wantAt(&a.value, "displayName", "a\r\nX-Injected: yes")
}

func hostileOperations(s *session) {
	u := s.user()
	var all []obj
	for range 1000 {
		all = append(all, replace("displayName", "many"))
	}
	a := s.patch(u.path(), all...)
	if a.status >= http.StatusMultipleChoices {
		s.wantErrors(a, []int{http.StatusBadRequest, http.StatusRequestEntityTooLarge})
		s.wantStored(u, obj{"displayName": nil})
		return
	}
	s.wantStored(u, obj{"displayName": "many"})
}

func hostileMethod(s *session) {
	a := s.send(request{method: "BREW", path: "/Users"})
	s.wantStatus(a, http.StatusMethodNotAllowed, http.StatusNotImplemented, http.StatusBadRequest, http.StatusNotFound)
}

func hostileCode(s *session) {
	for _, text := range [...]string{"'; DROP TABLE users; --", "<script>alert(1)</script>", "${jndi:ldap://x}", "{{7*7}}", "*)(uid=*"} {
		u := s.user(obj{"displayName": text})
		s.wantStored(u, obj{"displayName": text})
		s.wantFound("/Users", eq("displayName", text)+" and "+eq("id", u.id), u)
	}
}

func hostileRemoveTwice(s *session) {
	a, b := s.user(), s.user()
	g := s.group(a, b)
	by := "members[value eq " + quote(a.id) + "]"
	answer := s.patch(g.path(), remove(by), remove(by))
	if answer.status < http.StatusMultipleChoices {
		s.wantMembers(g, b)
		return
	}
	s.wantError(answer, http.StatusBadRequest, "noTarget")
	s.wantMembers(g, a, b)
}
