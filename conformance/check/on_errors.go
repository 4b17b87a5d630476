package check

import (
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

func errorChecks() []Check {
	return []Check{
		c("error/shape", "an error has its schema, status as text, a detail, and the SCIM media type", "R-118 OKT-17", errorShape),
		c("error/media-type", "an error is application/scim+json", "R-118 ENT-33", errorMediaType),
		c("error/json-accept", "an error obeys Accept: application/json as answers do", "R-118 R-17 OLG-03", errorAsJSON),
		c("error/scim-types", "scimType of errors is one of the known keywords", "R-119", errorTypes),
		c("error/no-internals", "errors tell nothing of files, stacks, databases", "R-121 S-19", errorInternals),
		c("error/same-not-found", "an id that never was and one that is gone are told the same", "R-121", errorSame),
		c("error/method", "405 names what is allowed", "R-55", errorMethod),
		c("error/bad-path", "an address that cannot be read is a SCIM error", "R-118", errorPath),
		c("error/other-version", "another version of the protocol is refused", "R-126", errorVersion),
	}
}

func errorShape(s *session) {
	a := s.get("/Users/010101001010101011001010101011")
	s.wantError(a, http.StatusNotFound)
	s.wantAll(&a.value, obj{"schemas": list{messageURN + "Error"}, "detail": anything{}})
}

func errorMediaType(s *session) {
	for _, a := range []*answer{s.get("/Users/nobody"), s.find("/Users", "nonsense"), s.post("/Users", "{")} {
		s.wantJSON(a)
	}
}

func errorAsJSON(s *session) {
	a := s.send(request{method: http.MethodGet, path: "/Users/nobody", header: map[string]string{"Accept": "application/json"}})
	s.wantStatus(a, http.StatusNotFound)
	s.wantThat(strings.Contains(a.header.Get("Content-Type"), "json"), "Content-Type is %q", a.header.Get("Content-Type"))
	s.wantErrorBody(&a.value, http.StatusNotFound)
}

func errorTypes(s *session) {
	u := s.user()
	known := regexp.MustCompile(`^(|invalidFilter|tooMany|uniqueness|mutability|invalidSyntax|invalidPath|noTarget|invalidValue|invalidVers|sensitive|invalidCursor|expiredCursor|invalidCount)$`)
	for _, a := range []*answer{
		s.find("/Users", "nonsense"), s.post("/Users", "{"), s.patch(u.path(), obj{"op": "remove"}), s.patch(u.path(), replace("name..x", 1)),
		s.post("/Users", s.person(obj{"userName": u.value.GetString("userName")})), s.patch(u.path(), replace("id", "x")),
	} {
		s.wantThat(a.status >= 400, "the answer is %d, it should be an error", a.status)
		s.wantThat(known.MatchString(a.value.GetString("scimType")), "scimType is %q", a.value.GetString("scimType"))
	}
}

func errorInternals(s *session) {
	leak := regexp.MustCompile(`(?i)\.(go|java|py|cs|rb|js|php):\d+|goroutine \d|stack ?trace|exception in|sqlstate|at [a-z.]+\([A-Za-z]+\.java|traceback|dial tcp|redis:`)
	u := s.user()
	for _, a := range []*answer{
		s.get("/Users/%00"), s.find("/Users", "(((("), s.post("/Users", "\x00"), s.patch(u.path(), replace("emails[[", 1)), s.get("/Users/" + strings.Repeat("x", 2000)),
	} {
		s.wantThat(!leak.Match(a.raw), "the error tells internals: %s", s.show(a.raw))
	}
}

func errorSame(s *session) {
	u := s.user()
	s.wantStatus(s.delete(u.path()), http.StatusNoContent)
	gone, never := s.get(u.path()), s.get("/Users/"+flip(u.id))
	s.wantError(gone, http.StatusNotFound)
	s.wantError(never, http.StatusNotFound)
	detail := func(a *answer) string { return strings.ReplaceAll(a.value.GetString("detail"), u.id, flip(u.id)) }
	s.wantThat(detail(gone) == detail(never), "they are told %q and %q", detail(gone), detail(never))
}

// flip makes another id of the same shape.
func flip(id string) string {
	if id == "" {
		return id
	}
	first := byte('0')
	if id[0] == '0' {
		first = '1'
	}
	return string(first) + id[1:]
}

func errorMethod(s *session) {
	a := s.send(request{method: http.MethodPut, path: "/Users", body: s.person()})
	s.wantErrors(a, []int{http.StatusMethodNotAllowed, http.StatusNotFound, http.StatusNotImplemented})
	if a.status == http.StatusMethodNotAllowed {
		s.wantThat(strings.Contains(a.header.Get("Allow"), http.MethodGet), "Allow is %q", a.header.Get("Allow"))
	}
}

func errorPath(s *session) {
	for _, path := range [...]string{"/Users/a/b/c", "/Users/%2e%2e/Groups", "/NoSuchThing"} {
		a := s.get(path)
		s.wantStatus(a, http.StatusNotFound, http.StatusBadRequest)
	}
}

func errorVersion(s *session) {
	if !strings.HasSuffix(s.base, "/v2") {
		s.skip(NotCompatible, "a version in the address")
		return
	}
	a := s.get(strings.TrimSuffix(s.base, "/v2") + "/v9/Users")
	s.wantThat(a.status >= 400 && a.status < 500, "the answer is %d", a.status)
	s.note("answered with %d", a.status)
}

func authChecks() []Check {
	return []Check{
		c("auth/none", "without a token the answer is 401 with WWW-Authenticate", "R-122 R-120", authNone),
		c("auth/wrong", "a wrong token is 401 with a SCIM error, status as text", "R-122 OKT-17", authWrong),
		c("auth/in-query", "a token in the query is no token", "S-3 R-125", authQuery),
		c("auth/other-scheme", "a token under another scheme is no token", "R-122", authScheme),
		c("auth/empty", "an empty token is 401", "R-122", authEmpty),
		c("auth/writes", "writes without a token are 401 and make nothing", "R-122 R-123", authWrites),
		c("auth/not-echoed", "no answer holds the token", "R-121 S-19", authEcho),
		c("auth/scheme-case", "the scheme Bearer is read in any case", "R-122", authSchemeCase),
	}
}

func (s *session) as(authorization, method, path string, body any) *answer {
	return s.send(request{method: method, path: path, body: body, header: map[string]string{"Authorization": authorization}})
}

func (s *session) want401(a *answer) {
	s.wantError(a, http.StatusUnauthorized)
	s.wantThat(a.header.Get("WWW-Authenticate") != "", "there is no WWW-Authenticate")
}

func authNone(s *session)  { s.want401(s.as("", http.MethodGet, "/Users", nil)) }
func authWrong(s *session) { s.want401(s.as("Bearer not-a-token", http.MethodGet, "/Users", nil)) }
func authEmpty(s *session) { s.want401(s.as("Bearer ", http.MethodGet, "/Users", nil)) }
func authScheme(s *session) {
	s.want401(s.as("Token not-a-token", http.MethodGet, "/Users", nil))
}

// authQuery is tried on the machine itself only: elsewhere the token would stand
// in the logs of proxies.
func authQuery(s *session) {
	u, err := url.Parse(s.base)
	if err != nil || u.Hostname() != "localhost" && !net.ParseIP(u.Hostname()).IsLoopback() {
		s.skip(NotSafe)
	}
	a := s.send(request{method: http.MethodGet, path: "/Users", params: []string{"access_token", s.Token}, header: map[string]string{"Authorization": ""}})
	s.want401(a)
}

func authWrites(s *session) {
	u := s.user()
	body := s.person()
	s.wantUntouched(u, func() {
		s.want401(s.as("", http.MethodPost, "/Users", body))
		s.want401(s.as("", http.MethodPut, u.path(), s.again(u, obj{"displayName": "x"})))
		s.want401(s.as("", http.MethodPatch, u.path(), patchOp(replace("displayName", "x"))))
		s.want401(s.as("", http.MethodDelete, u.path(), nil))
	})
	s.wantFound("/Users", eq("userName", body["userName"].(string)))
}

func authEcho(s *session) {
	if len(s.Token) < 8 {
		return
	}
	for _, a := range []*answer{s.get("/Users", "count", "1"), s.get("/ServiceProviderConfig"), s.get("/Users/nobody")} {
		s.wantThat(!strings.Contains(string(a.raw), s.Token), "the answer holds the token")
	}
}

func authSchemeCase(s *session) {
	s.wantStatus(s.as("bearer "+s.Token, http.MethodGet, "/Users?count=1", nil), http.StatusOK)
}
