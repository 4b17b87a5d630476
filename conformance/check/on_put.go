package check

import (
	"net/http"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
)

func putChecks() []Check {
	return []Check{
		c("put/replaces", "PUT is 200 with the whole resource, which can be read back", "R-82 OKT-05 CYB-05", putReplaces),
		c("put/clears", "attributes left out of a PUT are cleared, or kept as a whole", "R-86", putClears, userHas("title", "nickName")),
		c("put/null-clears", "null in a PUT clears", "R-86 R-6", putNull, userHas("title")),
		c("put/own-answer", "a resource can be put back as it was read", "L-21 R-84 OKT-05", putEcho),
		c("put/unknown", "PUT to an unknown id is 404 and makes nothing", "R-83", putUnknown("/Users")),
		c("put/unknown-group", "PUT to an unknown group is 404 and makes nothing", "R-83 AUT-04", putUnknown("/Groups"), noGroups),
		c("put/without-user-name", "PUT without userName is 400 and changes nothing", "R-85 R-90", putNameless),
		c("put/wrong-type", "PUT with a value of a wrong type is 400 and changes nothing", "R-53 R-90", putWrongType),
		c("put/conflict", "PUT with a userName somebody else has is 409 uniqueness", "R-87 R-90", putConflict),
		c("put/rename", "PUT renames, the new userName is found and the old one is not", "R-82 R-31", putRename),
		c("put/without-active", "PUT without active does not suspend anybody", "L-22 OKT-05 R-86", putWithoutActive),
		c("put/deactivate", "PUT with active false suspends, and true again resumes", "OKT-07 OLG-04 R-40", putDeactivate),
		c("put/list-replaced", "a multi-valued attribute is replaced as a whole", "R-82", putList),
		c("put/extension", "an extension is replaced by a PUT", "R-82 R-5", putExtension, noEnterprise),
		c("put/extension-schemas", "an extension in a PUT needs no URN in schemas", "L-12 OLG-02", putExtensionOnly, noEnterprise),
		c("put/group-members", "PUT of a group replaces its members", "OKT-15 R-82", putMembers, noGroups),
		c("put/group-without-members", "PUT of a group with an empty list empties it", "OKT-15 R-86", putNoMembers, noGroups),
		c("put/group-conflict", "PUT with the displayName of another group is 409 (or permitted)", "R-87", putGroupConflict, noGroups),
		c("put/same-again", "the same PUT twice ends in the same state", "R-82", putTwice),
		c("put/password", "password in a PUT is not shown", "R-32 OKT-08", putPassword),
		c("put/location", "meta.location and id stay through a PUT", "R-23 R-26", putLocation),
	}
}

// again is a new body for a user under the same userName and address.
func (s *session) again(u *resource, more ...obj) obj {
	same := obj{"userName": u.value.GetString("userName"), "emails": list{obj{"value": find(&u.value, "emails[0].value").Text, "type": "work", "primary": true}}}
	return s.person(append([]obj{same}, more...)...)
}

func putReplaces(s *session) {
	u := s.user(obj{"displayName": "Before"})
	now := s.replace(u, s.again(u, obj{"displayName": "After", "name": obj{"familyName": "Martin"}}))
	s.wantAll(now, obj{"displayName": "After", "name.familyName": "Martin", "active": true})
}

func putClears(s *session) {
	u := s.user(obj{"title": "Engineer", "nickName": "Mel"})
	now := s.replace(u, s.again(u))
	title, nick := unassigned(find(now, "title")), unassigned(find(now, "nickName"))
	s.wantThat(title == nick, "one attribute was cleared and another kept")
	if !title {
		s.note("attributes left out are kept")
	}
}

func putNull(s *session) {
	u := s.user(obj{"title": "Engineer"})
	s.wantAt(s.replace(u, s.again(u, obj{"title": nil})), "title", nil)
}

func putEcho(s *session) {
	u := s.user(obj{"displayName": "Amélie"})
	before := s.read(u)
	a := s.put(u.path(), string(before.Append(nil)))
	s.wantStatus(a, http.StatusOK)
	after := s.read(u).Clone()
	for _, v := range []*jsontree.Value{before, &after} { // lastModified and version may move
		v.Delete("meta")
	}
	s.wantSame("putting a resource back has changed it", before, &after)
}

func putUnknown(endpoint string) func(*session) {
	return func(s *session) {
		body := s.person()
		if endpoint == "/Groups" {
			body = s.crew()
		}
		s.wantError(s.put(endpoint+"/9c1f6a52-0000-4b6a-9a40-5c2e8f71ffff", body), http.StatusNotFound)
		if endpoint == "/Users" {
			s.wantFound(endpoint, eq("userName", body["userName"].(string)))
		}
	}
}

func putNameless(s *session) {
	u := s.user()
	body := s.again(u)
	delete(body, "userName")
	s.wantUntouched(u, func() { s.wantError(s.put(u.path(), body), http.StatusBadRequest, "invalidValue", "invalidSyntax") })
}

func putWrongType(s *session) {
	u := s.user()
	s.wantUntouched(u, func() {
		s.wantError(s.put(u.path(), s.again(u, obj{"name": "text", "displayName": "New"})), http.StatusBadRequest, "invalidValue", "invalidSyntax")
	})
}

func putConflict(s *session) {
	u, other := s.user(), s.user()
	s.wantUntouched(u, func() {
		a := s.put(u.path(), s.again(u, obj{"userName": strings.ToUpper(other.value.GetString("userName")), "displayName": "New"}))
		s.wantError(a, http.StatusConflict, "uniqueness")
	})
}

func putRename(s *session) {
	u := s.user()
	old, name := u.value.GetString("userName"), s.email()
	s.wantAt(s.replace(u, s.again(u, obj{"userName": name})), "userName", name)
	s.wantFound("/Users", eq("userName", name), u)
	s.wantFound("/Users", eq("userName", old))
}

func putWithoutActive(s *session) {
	u := s.user()
	body := s.again(u)
	delete(body, "active")
	s.wantThat(find(s.replace(u, body), "active").Kind != jsontree.False, "a PUT that does not mention active has suspended the user")
}

func putDeactivate(s *session) {
	u := s.user()
	s.wantAt(s.replace(u, s.again(u, obj{"active": false})), "active", false)
	s.wantAt(s.replace(u, s.again(u, obj{"active": true})), "active", true)
}

func putList(s *session) {
	u := s.user()
	emails := list{obj{"value": s.email(), "type": "home"}, obj{"value": s.email(), "type": "other"}}
	s.wantAt(s.replace(u, s.again(u, obj{"emails": emails})), "emails", emails)
}

func putExtension(s *session) {
	u := s.user(obj{enterpriseURN: obj{"department": "Support", "costCenter": "CC-1"}})
	now := s.replace(u, s.again(u, obj{enterpriseURN: obj{"department": "Sales", "costCenter": nil}}))
	s.wantAt(now, enterpriseURN, obj{"department": "Sales", "costCenter": nil})
}

func putExtensionOnly(s *session) {
	u := s.user()
	now := s.replace(u, s.again(u, obj{enterpriseURN: obj{"department": "Sales"}, "schemas": list{userURN}}))
	s.wantAll(now, obj{"schemas": contains{enterpriseURN}, enterpriseURN + ":department": "Sales"})
}

func putMembers(s *session) {
	a, b := s.user(), s.user()
	g := s.group(a)
	s.wantStatus(s.put(g.path(), s.crew(obj{"members": refs(b)})), http.StatusOK)
	s.wantMembers(g, b)
	s.wantInGroups(a)
}

func putNoMembers(s *session) {
	a := s.user()
	g := s.group(a)
	s.wantStatus(s.put(g.path(), s.crew(obj{"members": list{}})), http.StatusOK)
	s.wantMembers(g)
	s.wantInGroups(a)
}

func putGroupConflict(s *session) {
	g, other := s.group(), s.group()
	a := s.put(g.path(), s.crew(obj{"displayName": other.value.GetString("displayName")}))
	if a.status != http.StatusOK {
		s.wantError(a, http.StatusConflict, "uniqueness")
	}
	s.note("answered with %d", a.status)
}

func putTwice(s *session) {
	u := s.user()
	body := s.again(u, obj{"displayName": "After"})
	first, second := s.replace(u, body).Clone(), s.replace(u, body).Clone()
	first.Delete("meta")
	second.Delete("meta")
	s.wantSame("the same PUT twice ends in different states", &first, &second)
}

func putPassword(s *session) {
	u := s.user()
	secret := "Kx7-" + s.name()
	a := s.put(u.path(), s.again(u, obj{"password": secret}))
	s.wantStatus(a, http.StatusOK)
	s.wantThat(!strings.Contains(string(a.raw), secret), "the password is in the answer")
}

func putLocation(s *session) {
	u := s.user()
	s.wantAll(s.replace(u, s.again(u)), obj{"id": u.id, "meta.location": find(&u.value, "meta.location").Text})
}
