package check

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
)

// The extensions and the entitlement schema that some of these checks are about.
const (
	licenceURN     = "urn:ietf:params:scim:schemas:extension:UsherLicense:2.0:User"
	lifecycleURN   = "urn:ietf:params:scim:schemas:extension:UsherLifecycle:2.0:User"
	entitlementURN = "urn:okta:scim:schemas:core:1.0:Entitlement"
)

// extensionChecks are about what a server adds to resources in extensions, and
// about what it lets users be given.
func extensionChecks() []Check {
	decided := func(k *announced) Reason { return missing(len(decidedFields(k)) == 0, NoSuchKind) }
	licences := extends(licenceURN)
	return []Check{
		c("extension/echo", "a PUT of what GET shows, extensions and all, changes nothing", "R-24 R-51 L-21", extensionEcho),
		c("extension/echo-patch", "a PATCH of what GET shows, extensions and all, changes nothing", "R-24 R-94 L-21", extensionEchoPatch, noPatch),
		c("extension/read-only-path", "a PATCH that names what is readOnly is 400 mutability", "R-105", extensionReadOnlyPath, noPatch, decided),
		c("extension/projection", "an extension can be asked for, and left out, whole and by attribute", "R-77 R-79", extensionProjection),
		c("extension/left-out", "a PUT without an extension leaves it as it is", "BR-163 L-22", extensionLeftOut, licences),
		c("extension/cleared", "a PUT with an extension that is null clears it", "R-6 R-86", extensionCleared, licences),
		c("extension/unknown-licence", "a licence that does not exist is 400 and leaves no trace", "BR-154", extensionUnknown, licences),
		c("extension/licences-found", "users are found by the licences they shall have, in any case", "BR-154 R-63", extensionFound, licences, noFilter),
		c("extension/lifecycle", "the state of a user follows active and is found", "R-63", extensionLifecycle, extends(lifecycleURN), noFilter),
		c("entitlement/list", "entitlements are listed and read one by one", "OKT-18", entitlementList, noEntitlements),
		c("entitlement/filter", "entitlements are found by id and name", "OKT-18 R-63", entitlementFilter, noEntitlements, noFilter),
		c("entitlement/read-only", "entitlements cannot be written", "OKT-18 R-51", entitlementReadOnly, noEntitlements),
	}
}

// extends is the need of an extension of User.
func extends(urn string) need {
	return func(k *announced) Reason {
		t := k.typeNamed("User")
		if t != nil && slices.ContainsFunc(t.extensions, func(e extension) bool { return strings.EqualFold(e.urn, urn) }) {
			return ""
		}
		return NoAttribute + Reason(urn)
	}
}

func noEntitlements(k *announced) Reason { return missing(k.entitlements() == nil, NoEntitlements) }

// entitlements is the type that lists what users can be given, when it can only
// be read; nil when there is none.
func (k *announced) entitlements() *resourceType {
	for i := range k.made {
		if strings.EqualFold(k.made[i].schema, entitlementURN) {
			return &k.made[i]
		}
	}
	return nil
}

// onlyRead reports whether a client can write nothing of a type.
func (k *announced) onlyRead(t *resourceType) bool {
	v := k.schema(t.schema)
	if v == nil || len(find(v, "attributes").Items) == 0 {
		return false
	}
	written := func(urn string) bool {
		s := k.schema(urn)
		return s == nil || slices.ContainsFunc(find(s, "attributes").Items, func(a jsontree.Value) bool { return a.GetString("mutability") != "readOnly" })
	}
	return !written(t.schema) && !slices.ContainsFunc(t.extensions, func(e extension) bool { return written(e.urn) })
}

// decidedFields are the simple texts of the extensions of User that only the
// server writes.
func decidedFields(k *announced) []field {
	t := k.typeNamed("User")
	if t == nil {
		return nil
	}
	var out []field
	for _, e := range t.extensions {
		out = append(out, fieldsOf(k, e.urn, e.urn, func(a *jsontree.Value) bool {
			return a.GetString("mutability") == "readOnly" && a.GetString("type") == "string" && find(a, "multiValued").Kind != jsontree.True
		})...)
	}
	return out
}

// dressed makes a user with a value in every writable attribute of every
// extension.
func (s *session) dressed() *resource {
	body := s.person()
	if t := s.known.typeNamed("User"); t != nil {
		for _, e := range t.extensions {
			for _, f := range fieldsOf(s.known, e.urn, e.urn, writable) {
				set(body, f, s.value(f, 0))
			}
		}
	}
	return s.create("/Users", body)
}

// raw is a value as it is sent.
func raw(v *jsontree.Value) json.RawMessage { return v.Append(nil) }

func extensionEcho(s *session) {
	r := s.dressed()
	before := s.get(r.path())
	s.wantStatus(before, http.StatusOK)
	after := s.put(r.path(), raw(&before.value))
	s.wantStatus(after, http.StatusOK)
	s.wantSame("what was put back and what came of it differ", &before.value, s.read(r))
}

func extensionEchoPatch(s *session) {
	r := s.dressed()
	before := s.read(r)
	shown := before.Clone()
	for _, name := range []string{"id", "meta", "schemas", "groups"} {
		shown.Delete(name)
	}
	s.modify(r, add("", raw(&shown)))
	s.wantSame("what was sent back and what came of it differ", before, s.read(r))
}

func extensionReadOnlyPath(s *session) {
	r := s.user()
	s.wantUntouched(r, func() {
		for _, f := range decidedFields(s.known) {
			s.wantError(s.patch(r.path(), replace(f.full(), s.name())), http.StatusBadRequest, "mutability")
		}
	})
}

func extensionProjection(s *session) {
	r := s.dressed()
	whole := s.read(r)
	t := s.known.typeNamed("User")
	if t == nil || len(t.extensions) == 0 {
		s.skip(NoCustom)
		return
	}
	for _, e := range t.extensions {
		block := whole.Get(e.urn)
		if block == nil {
			continue
		}
		only, without := s.get(r.path(), "attributes", e.urn), s.get(r.path(), "excludedAttributes", e.urn)
		s.wantSame(e.urn+" asked for alone", block, only.at(e.urn))
		s.wantAll(&only.value, obj{"id": r.id, "userName": nil})
		s.wantAll(&without.value, obj{"id": r.id, e.urn: nil, "userName": whole.GetString("userName")})
		for i := range block.Items {
			name := block.Items[i].Name
			one := s.get(r.path(), "attributes", e.urn+":"+name)
			s.wantSame(name+" asked for alone", &block.Items[i], one.at(e.urn).Get(name))
			s.wantThat(!s.ok() || len(one.at(e.urn).Items) == 1, "%s: more than the one attribute asked for is shown", name)
		}
	}
}

// licensed makes a user that asks for a licence there is, and gives its name.
func (s *session) licensed() (*resource, string) {
	names := find(attributeNamed(find(s.known.schema(licenceURN), "attributes"), "licenses"), "canonicalValues").Items
	if len(names) == 0 {
		s.skip(NoAttribute, licenceURN+":licenses")
		return s.user(), ""
	}
	return s.user(obj{licenceURN: obj{"licenses": list{names[0].Text}}}), names[0].Text
}

func extensionLeftOut(s *session) {
	r, sku := s.licensed()
	body := s.person()
	s.wantAll(s.replace(r, body), obj{licenceURN + ":licenses": list{sku}, "userName": body["userName"]})
}

func extensionCleared(s *session) {
	r, _ := s.licensed()
	s.wantAll(s.replace(r, s.person(obj{licenceURN: nil})), obj{licenceURN + ":licenses": nil})
}

func extensionUnknown(s *session) {
	s.wantError(s.post("/Users", s.person(obj{licenceURN: obj{"licenses": list{s.name()}}})), http.StatusBadRequest, "invalidValue")
	r, sku := s.licensed()
	s.wantUntouched(r, func() {
		s.wantError(s.patch(r.path(), add(licenceURN+":licenses", list{sku, s.name()})), http.StatusBadRequest, "invalidValue")
	})
}

func extensionFound(s *session) {
	r, sku := s.licensed()
	other := s.user()
	both := "(" + eq("id", r.id) + " or " + eq("id", other.id) + ") and "
	for _, name := range []string{sku, strings.ToUpper(sku)} {
		s.wantFound("/Users", both+eq(licenceURN+":licenses", name), r)
	}
	s.wantFound("/Users", both+"not ("+eq(licenceURN+":licenses", sku)+")", other)
	s.wantFound("/Users", both+licenceURN+":licenses pr", r)
}

func extensionLifecycle(s *session) {
	r := s.user(obj{"active": false})
	s.wantStored(r, obj{lifecycleURN + ":state": "inactive"})
	s.wantFound("/Users", eq("id", r.id)+" and "+eq(lifecycleURN+":state", "inactive"), r)
	s.modify(r, replace("active", true))
	state := s.read(r).Get(lifecycleURN).GetString("state")
	s.wantThat(!s.ok() || state != "" && state != "inactive", "the state of an active user is %q", state)
	s.wantFound("/Users", eq("id", r.id)+" and "+eq(lifecycleURN+":state", state), r)
	s.wantFound("/Users", eq("id", r.id)+" and "+eq(lifecycleURN+":state", "inactive"))
}

// entitled gives the endpoint of entitlements and those there are.
func (s *session) entitled() (string, []jsontree.Value) {
	t := s.known.entitlements()
	a := s.get(t.endpoint)
	s.wantStatus(a, http.StatusOK)
	s.wantAll(&a.value, obj{"schemas": contains{messageURN + "ListResponse"}})
	return t.endpoint, a.at("Resources").Items
}

func entitlementList(s *session) {
	endpoint, all := s.entitled()
	s.wantThat(!s.ok() || len(all) > 0, "entitlements are announced and there is none")
	for i := range all {
		e := &all[i]
		s.wantAll(e, obj{"schemas": contains{entitlementURN}, "id": anything{}, "displayName": anything{}, "meta.resourceType": s.known.entitlements().name})
		one := s.get(endpoint + "/" + e.GetString("id"))
		s.wantStatus(one, http.StatusOK)
		s.wantAll(&one.value, obj{"id": e.GetString("id"), "displayName": e.GetString("displayName")})
	}
	s.wantError(s.get(endpoint+"/"+s.name()), http.StatusNotFound)
}

func entitlementFilter(s *session) {
	endpoint, all := s.entitled()
	for i := range all {
		r := &resource{endpoint: endpoint, id: all[i].GetString("id")}
		s.wantFound(endpoint, eq("id", r.id), r)
		s.wantFound(endpoint, eq("id", r.id)+" and "+eq("displayName", all[i].GetString("displayName")), r)
	}
	s.wantFound(endpoint, eq("displayName", s.name()))
}

func entitlementReadOnly(s *session) {
	endpoint, all := s.entitled()
	refused := []int{http.StatusMethodNotAllowed, http.StatusForbidden, http.StatusNotImplemented}
	s.wantErrors(s.post(endpoint, obj{"schemas": list{entitlementURN}, "displayName": s.name()}), refused)
	for i := range all {
		path := endpoint + "/" + all[i].GetString("id")
		s.wantErrors(s.put(path, raw(&all[i])), refused)
		s.wantErrors(s.delete(path), refused)
		s.wantStatus(s.get(path), http.StatusOK)
	}
}
