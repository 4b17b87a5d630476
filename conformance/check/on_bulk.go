package check

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
)

// bulk sends operations in one request.
func (s *session) bulk(ops ...obj) *answer { return s.bulkUntil(0, ops...) }

// bulkUntil is bulk with failOnErrors, unless that is 0.
func (s *session) bulkUntil(errors int, ops ...obj) *answer {
	all := list{}
	for _, o := range ops {
		all = append(all, o)
	}
	body := obj{"schemas": list{messageURN + "BulkRequest"}, "Operations": all}
	if errors > 0 {
		body["failOnErrors"] = errors
	}
	return s.post("/Bulk", body)
}

// bulkPost, bulkPut… are operations of a bulk request.
func bulkPost(endpoint, id string, data obj) obj {
	return obj{"method": "POST", "path": endpoint, "bulkId": id, "data": data}
}

func bulkPut(r *resource, data obj) obj {
	return obj{"method": "PUT", "path": r.path(), "data": data}
}

func bulkPatch(r *resource, ops ...obj) obj {
	return obj{"method": "PATCH", "path": r.path(), "data": patchOp(ops...)}
}

func bulkDelete(r *resource) obj { return obj{"method": "DELETE", "path": r.path()} }

// wantBulk states the statuses of a bulk answer, in the order of the operations.
func (s *session) wantBulk(a *answer, statuses ...int) []jsontree.Value {
	s.wantStatus(a, http.StatusOK)
	s.wantAt(&a.value, "schemas", contains{messageURN + "BulkResponse"})
	done := a.at("Operations").Items
	s.wantThat(len(done) == len(statuses), "%d operations are answered, there should be %d", len(done), len(statuses))
	for i := 0; s.ok() && i < len(done); i++ {
		s.wantThat(bulkStatus(&done[i]) == statuses[i], "operation %d is answered with %s, it should be %d: %s", i, text(find(&done[i], "status")), statuses[i], text(&done[i]))
	}
	return done
}

// bulkStatus reads the status of an operation: a text by RFC 7644 §3.7.3, an
// object with code in old drafts.
func bulkStatus(op *jsontree.Value) int {
	n, err := strconv.Atoi(op.GetString("status"))
	if err != nil {
		return 0
	}
	return n
}

// madeBy gives the resource an operation of a bulk has created.
func (s *session) madeBy(op *jsontree.Value) *resource {
	path, ok := s.local(op.GetString("location"))
	s.wantThat(ok, "location is %q, it should be an address of this server", op.GetString("location"))
	at := strings.LastIndex(path, "/")
	if !s.ok() || at < 0 {
		return &resource{}
	}
	return &resource{endpoint: path[:at], id: path[at+1:]}
}

func bulkChecks() []Check {
	row := func(id, title, sources string, run func(*session), needs ...need) Check {
		return c("bulk/"+id, title, sources, run, append(needs, noBulk)...)
	}
	return []Check{
		row("post", "POST of a user in a bulk makes it", "R-114", bulkCreate),
		row("post-several", "several POSTs make several users", "R-114", bulkCreateSeveral),
		row("post-group", "POST of a group with known members", "R-114", bulkGroup, noGroups),
		row("put", "PUT in a bulk replaces", "R-114", bulkReplace),
		row("patch", "PATCH in a bulk modifies", "R-114", bulkModify),
		row("patch-members", "PATCH in a bulk changes members", "R-114", bulkMembers, noGroups),
		row("delete", "DELETE in a bulk deletes", "R-114 R-109", bulkRemove),
		row("mixed", "all methods on both types in one bulk", "R-114", bulkMixed, noGroups),
		row("order", "operations are done in their order", "R-114", bulkInOrder),
		row("status-text", "status is a text", "R-114", bulkStatusText),
		row("bulk-id", "bulkId is echoed on POST", "R-114", bulkEchoesID),
		row("location", "location leads to the resource, for every method", "R-114", bulkLocation),
		row("method-case", "method is echoed", "R-114", bulkMethod),
		row("forward", "a bulkId of a later operation is resolved", "R-116", bulkForward, noGroups),
		row("backward", "a bulkId of an earlier operation is resolved", "R-116", bulkBackward, noGroups),
		row("circular", "two groups that name each other are both made, and linked", "R-116", bulkCircular, noGroups),
		row("self", "a PATCH names the user of the same bulk in its path", "R-116", bulkPathReference),
		row("reference-in-patch", "a bulkId in the value of a PATCH is resolved", "R-116", bulkPatchReference, noGroups),
		row("reference-manager", "a bulkId as manager is resolved", "R-116", bulkManager, noEnterprise),
		row("id-free-of-bulk-id", "no id and no value holds the word bulkId", "R-23 R-116", bulkNoTrace, noGroups),
		row("plain-json", "a bulk sent as application/json is accepted", "R-18", bulkPlainJSON),
		row("repeated", "a bulk repeated after a lost answer makes nothing twice", "R-114 RIP-03", bulkRepeated),
		row("version", "a wrong version of an operation is 412", "R-127", bulkVersion, noETag),
	}
}

func bulkCreate(s *session) {
	body := s.person()
	u := s.eachMade(s.bulk(bulkPost("/Users", "a", body)), 1)[0]
	s.wantStored(u, obj{"userName": body["userName"], "active": true})
	s.wantFound("/Users", eq("userName", body["userName"].(string)), u)
}

// eachMade takes the answer to a bulk that only creates and gives what was made.
func (s *session) eachMade(a *answer, n int) []*resource {
	statuses := make([]int, n)
	for i := range statuses {
		statuses[i] = http.StatusCreated
	}
	out := make([]*resource, n)
	done := s.wantBulk(a, statuses...)
	for i := range out {
		out[i] = &resource{}
		if i < len(done) {
			out[i] = s.madeBy(&done[i])
		}
	}
	return out
}

func bulkCreateSeveral(s *session) {
	a, b, d := s.person(), s.person(), s.person()
	all := s.eachMade(s.bulk(bulkPost("/Users", "a", a), bulkPost("/Users", "b", b), bulkPost("/Users", "c", d)), 3)
	for i, body := range []obj{a, b, d} {
		s.wantStored(all[i], obj{"userName": body["userName"]})
	}
}

func bulkGroup(s *session) {
	u := s.user()
	g := s.eachMade(s.bulk(bulkPost("/Groups", "g", s.crew(obj{"members": refs(u)}))), 1)
	s.wantMembers(g[0], u)
}

func bulkReplace(s *session) {
	u := s.user()
	s.wantBulk(s.bulk(bulkPut(u, s.again(u, obj{"displayName": "New"}))), 200)
	s.wantStored(u, obj{"displayName": "New"})
}

func bulkModify(s *session) {
	u := s.user()
	a := s.bulk(bulkPatch(u, replace("displayName", "New")))
	s.wantStatus(a, http.StatusOK)
	got := bulkStatus(a.at("Operations[0]"))
	s.wantThat(got == http.StatusOK || got == http.StatusNoContent, "the PATCH is answered with %d", got)
	s.wantStored(u, obj{"displayName": "New"})
}

func bulkMembers(s *session) {
	u, v := s.user(), s.user()
	g := s.group(u)
	s.wantStatus(s.bulk(bulkPatch(g, add("members", refs(v)), remove("members[value eq "+quote(u.id)+"]"))), http.StatusOK)
	s.wantMembers(g, v)
	s.wantInGroups(u)
}

func bulkRemove(s *session) {
	u := s.user()
	s.wantBulk(s.bulk(bulkDelete(u)), 204)
	s.wantGone(u)
}

func bulkMixed(s *session) {
	u, v, g := s.user(), s.user(), s.group()
	body := s.person()
	a := s.bulk(bulkPost("/Users", "n", body), bulkPut(u, s.again(u, obj{"displayName": "Put"})), bulkPatch(g, add("members", refs(u))), bulkDelete(v))
	s.wantStatus(a, http.StatusOK)
	s.wantFound("/Users", eq("userName", body["userName"].(string)), s.madeBy(a.at("Operations[0]")))
	s.wantStored(u, obj{"displayName": "Put"})
	s.wantMembers(g, u)
	s.wantGone(v)
}

func bulkInOrder(s *session) {
	u := s.user()
	s.wantStatus(s.bulk(bulkPatch(u, replace("displayName", "one")), bulkPatch(u, replace("displayName", "two"))), http.StatusOK)
	s.wantStored(u, obj{"displayName": "two"})
}

func bulkStatusText(s *session) {
	a := s.bulk(bulkPost("/Users", "a", s.person()), bulkDelete(&resource{endpoint: "/Users", id: "nobody"}))
	s.wantStatus(a, http.StatusOK)
	for _, op := range a.at("Operations").Items {
		s.wantThat(find(&op, "status").Kind == jsontree.String, "status is %s, it should be a text", text(find(&op, "status")))
	}
}

func bulkEchoesID(s *session) {
	a := s.bulk(bulkPost("/Users", "first-one", s.person()), bulkPost("/Users", "2", obj{"schemas": list{userURN}}))
	s.wantStatus(a, http.StatusOK)
	s.wantAll(&a.value, obj{"Operations[0].bulkId": "first-one", "Operations[1].bulkId": "2"})
}

func bulkLocation(s *session) {
	u, v := s.user(), s.user()
	a := s.bulk(bulkPut(u, s.again(u)), bulkPatch(u, replace("displayName", "x")), bulkDelete(v))
	s.wantStatus(a, http.StatusOK)
	for i, r := range []*resource{u, u, v} {
		got := s.madeBy(a.at("Operations[" + strconv.Itoa(i) + "]"))
		s.wantThat(!s.ok() || got.id == r.id, "the location of operation %d leads to %s, it should lead to %s", i, got.id, r.id)
	}
}

func bulkMethod(s *session) {
	u := s.user()
	a := s.bulk(bulkPut(u, s.again(u)), bulkPatch(u, replace("displayName", "x")), bulkPost("/Users", "q", s.person()), bulkDelete(u))
	for i, method := range [...]string{"PUT", "PATCH", "POST", "DELETE"} {
		got := a.at("Operations[" + strconv.Itoa(i) + "].method").Text
		s.wantThat(strings.EqualFold(got, method), "the method of operation %d is %q, it should be %s", i, got, method)
	}
}

func named(id string) list { return list{obj{"value": "bulkId:" + id}} }

func bulkForward(s *session) {
	made := s.eachMade(s.bulk(bulkPost("/Groups", "g", s.crew(obj{"members": named("u")})), bulkPost("/Users", "u", s.person())), 2)
	s.wantMembers(made[0], made[1])
}

func bulkBackward(s *session) {
	made := s.eachMade(s.bulk(bulkPost("/Users", "u", s.person()), bulkPost("/Groups", "g", s.crew(obj{"members": named("u")}))), 2)
	s.wantMembers(made[1], made[0])
}

func bulkCircular(s *session) {
	a := s.bulk(bulkPost("/Groups", "one", s.crew(obj{"members": named("two")})), bulkPost("/Groups", "two", s.crew(obj{"members": named("one")})))
	made := s.eachMade(a, 2)
	s.wantMembers(made[0], made[1])
	s.wantMembers(made[1], made[0])
}

func bulkPathReference(s *session) {
	body := s.person()
	a := s.bulk(bulkPost("/Users", "u", body), obj{"method": "PATCH", "path": "/Users/bulkId:u", "data": patchOp(replace("displayName", "New"))})
	s.wantStatus(a, http.StatusOK)
	s.wantStored(s.madeBy(a.at("Operations[0]")), obj{"displayName": "New"})
}

func bulkPatchReference(s *session) {
	g := s.group()
	a := s.bulk(bulkPost("/Users", "u", s.person()), bulkPatch(g, add("members", named("u"))))
	s.wantStatus(a, http.StatusOK)
	s.wantMembers(g, s.madeBy(a.at("Operations[0]")))
}

func bulkManager(s *session) {
	report := s.person(obj{enterpriseURN: obj{"manager": obj{"value": "bulkId:boss"}}})
	made := s.eachMade(s.bulk(bulkPost("/Users", "boss", s.person()), bulkPost("/Users", "u", report)), 2)
	s.wantStored(made[1], obj{enterpriseURN + ":manager.value": made[0].id})
}

func bulkNoTrace(s *session) {
	made := s.eachMade(s.bulk(bulkPost("/Users", "u", s.person()), bulkPost("/Groups", "g", s.crew(obj{"members": named("u")}))), 2)
	for _, r := range made {
		s.wantThat(!strings.Contains(string(s.get(r.path()).raw), "bulkId"), "the resource %s holds a bulkId", r.path())
	}
}

func bulkPlainJSON(s *session) {
	body := s.person()
	a := s.send(request{
		method: http.MethodPost, path: "/Bulk", header: map[string]string{"Content-Type": "application/json"},
		body: obj{"schemas": list{messageURN + "BulkRequest"}, "Operations": list{bulkPost("/Users", "a", body)}},
	})
	s.wantStored(s.eachMade(a, 1)[0], obj{"userName": body["userName"]})
}

func bulkRepeated(s *session) {
	body := s.person()
	first := s.eachMade(s.bulk(bulkPost("/Users", "a", body)), 1)[0]
	again := s.bulk(bulkPost("/Users", "a", body))
	s.wantStatus(again, http.StatusOK)
	s.note("the second time it is answered with %s", text(again.at("Operations[0].status")))
	s.wantFound("/Users", eq("userName", body["userName"].(string)), first)
}

func bulkVersion(s *session) {
	u := s.user()
	s.wantUntouched(u, func() {
		change := bulkPatch(u, replace("displayName", "New"))
		change["version"] = `W/"not-this-one"`
		s.wantBulk(s.bulk(change), 412)
	})
}
