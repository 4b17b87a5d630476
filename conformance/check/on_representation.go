package check

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
)

func representationChecks() []Check {
	return []Check{
		c("represent/schemas", "a resource lists its base schema and only what its type has", "R-1 R-2", representSchemas),
		c("represent/schemas-extension", "schemas lists an extension when there are values of it, and not twice", "R-2 R-5 L-12", representExtension, noEnterprise),
		c("represent/schemas-unknown", "an unknown URN in schemas is not echoed", "R-2 L-13 ENT-09", representUnknownURN),
		c("represent/names-case", "attribute names of a body are read in any case", "R-3 L-3", representNamesCase),
		c("represent/names-spelling", "attribute names are answered as the schema spells them", "R-3 ENT-33", representSpelling),
		c("represent/boolean", "booleans leave as JSON booleans", "R-7 ENT-14", representBoolean),
		c("represent/date-time", "dates of meta carry date, time and zone", "R-9 R-26", representDates),
		c("represent/binary", "x509Certificates come back as they were sent", "R-10", representBinary, userHas("x509Certificates")),
		c("represent/utf8", "names in many scripts, emoji too, come back as they were sent", "R-16 S-12", representUTF8),
		c("represent/escapes", "escaped and plain JSON mean the same", "R-16", representEscapes),
		c("represent/unassigned", "an unassigned attribute is absent, null or empty, never a made-up text", "R-6", representUnassigned),
		c("represent/primary-single", "two primary values are refused, or one of them remains", "R-13 L-31", representPrimaries),
		c("represent/primary-two-values", "two addresses of which one is primary come back so", "R-13", representPrimary),
		c("represent/no-repeated-value", "the same type and value twice is kept once or refused", "R-14", representRepeated),
		c("represent/many-values", "a hundred values of one attribute come back", "R-14 L-32", representMany),
		c("represent/sub-attribute-order", "the order of sub-attributes says nothing", "R-12", representSubOrder),
		c("represent/canonical-as-sent", "addresses come back as they were sent, capitals too", "R-15 R-20", representAsSent),
		c("represent/complex-all", "every sub-attribute of name comes back", "R-12", representName),
		c("represent/addresses", "every sub-attribute of an address comes back", "R-12 R-34", representAddress, userHas("addresses")),
		c("represent/country-name", "a country written out is stored (identity providers send names)", "R-34", representCountry, userHas("addresses.country")),
		c("represent/phones-photos", "telephone numbers, instant messaging addresses and photos come back", "R-12", representPhones),
		c("represent/roles-entitlements", "roles and entitlements come back", "OKT-18 ENT-21", representRoles, userHas("roles", "entitlements")),
		c("represent/json-in-text", "JSON inside a text stays a text", "L-30 ENT-20", representJSONText, userHas("roles")),
		c("represent/locale", "preferredLanguage, locale and timezone come back", "R-12", representLocale),
		c("represent/accept-scim", "Accept: application/scim+json is answered so", "R-17", representAccept(mediaType, mediaType)),
		c("represent/accept-json", "Accept: application/json is answered with JSON", "R-17 L-26", representAccept("application/json", "application/json", mediaType)),
		c("represent/accept-any", "Accept: */* is answered with application/scim+json", "R-17", representAccept("*/*", mediaType, "application/json")),
		c("represent/accept-none", "without Accept the answer is application/scim+json", "R-17", representAccept("", mediaType)),
		c("represent/accept-list", "a list of media types with qualities is understood", "R-17 OKT-01", representAccept("text/html;q=0.9, application/scim+json;q=0.8, */*;q=0.1", mediaType, "application/json")),
		c("represent/reference", "$ref of members and groups leads to the resource", "R-11 R-36", representRef, noGroups),
		c("represent/password-never", "a password sent is never in an answer", "R-21 R-32 OKT-03 OKT-08", representPassword),
		c("represent/long-text", "a text of 300 characters is stored whole or refused", "S-12 R-53", representLong),
	}
}

func representSchemas(s *session) {
	v := s.read(s.user())
	t := s.known.typeNamed("User")
	for _, urn := range find(v, "schemas").Items {
		known := urn.Text == userURN
		for i := 0; t != nil && i < len(t.extensions); i++ {
			known = known || strings.EqualFold(t.extensions[i].urn, urn.Text)
		}
		s.wantThat(known, "schemas holds %q, which the resource type does not have", urn.Text)
	}
	s.wantAt(v, "schemas", contains{userURN})
}

func representExtension(s *session) {
	u := s.user(obj{"schemas": list{userURN}, enterpriseURN: obj{"department": "Support"}})
	s.wantStored(u, obj{"schemas": contains{userURN, enterpriseURN}, enterpriseURN + ":department": "Support"})
	seen := map[string]bool{}
	for _, urn := range find(s.read(u), "schemas").Items {
		s.wantThat(!seen[urn.Text], "%s is listed twice", urn.Text)
		seen[urn.Text] = true
	}
}

func representUnknownURN(s *session) {
	a := s.post("/Users", s.person(obj{"schemas": list{userURN, "urn:example:unknown:2.0:Thing"}}))
	if a.status == http.StatusBadRequest {
		s.note("refused, which RFC 7643 permits")
		s.wantError(a, http.StatusBadRequest)
		return
	}
	s.wantStatus(a, http.StatusCreated)
	for _, urn := range a.at("schemas").Items {
		s.wantThat(urn.Text != "urn:example:unknown:2.0:Thing", "an unknown URN is echoed")
	}
}

func representNamesCase(s *session) {
	name := s.email()
	u := s.create("/Users", `{"SCHEMAS":["`+userURN+`"],"USERNAME":"`+name+`","DisplayName":"Amélie","NAME":{"FAMILYNAME":"Roux"}}`)
	s.wantStored(u, obj{"userName": name, "displayName": "Amélie", "name.familyName": "Roux"})
}

func representSpelling(s *session) {
	u := s.create("/Users", `{"schemas":["`+userURN+`"],"username":"`+s.email()+`","displayname":"Amélie"}`)
	all := names(s.read(u))
	for _, name := range [...]string{"userName", "displayName"} {
		found := false
		for _, n := range all {
			found = found || n == name
		}
		s.wantThat(found, "%s is not among %v", name, all)
	}
}

func representBoolean(s *session) {
	u := s.user()
	v := s.read(u)
	s.wantThat(find(v, "active").IsBool(), "active is %s", text(find(v, "active")))
	s.wantThat(find(v, "emails[0].primary").IsBool(), "emails.primary is %s", text(find(v, "emails[0].primary")))
}

func representDates(s *session) {
	v := s.read(s.user())
	created, modified := s.wantTime(v, "meta.created"), s.wantTime(v, "meta.lastModified")
	s.wantThat(!modified.Before(created), "lastModified is before created")
	age := s.Now().Sub(created)
	s.wantThat(age < time.Hour && age > -time.Hour, "meta.created is %s away from the clock here", age)
}

func representBinary(s *session) {
	der := base64.StdEncoding.EncodeToString([]byte("\x30\x82\x01\x0a not quite a certificate"))
	a := s.post("/Users", s.person(obj{"x509Certificates": list{obj{"value": der}}}))
	if a.status == http.StatusBadRequest {
		s.skip(NotCompatible, "a value of x509Certificates that is no certificate")
	}
	s.wantStatus(a, http.StatusCreated)
	s.wantAt(&s.get("/Users/"+a.value.GetString("id")).value, "x509Certificates[0].value", der)
}

func representUTF8(s *session) {
	for _, name := range [...]string{"Siobhán O'Neill", "王小明", "Ἀλέξανδρος", "محمد", "🦊 Renard", "a\"b\\c/d", "tab\there"} {
		s.wantStored(s.user(obj{"displayName": name}), obj{"displayName": name})
	}
}

func representEscapes(s *session) {
	u := s.create("/Users", `{"schemas":["`+userURN+`"],"userName":"`+s.email()+`","displayName":"Am\u00e9lie \ud83e\udd8a"}`)
	s.wantStored(u, obj{"displayName": "Amélie 🦊"})
}

func representUnassigned(s *session) {
	s.wantStored(s.user(), obj{"title": nil, "nickName": nil, "addresses": nil, "phoneNumbers": nil, enterpriseURN: nil})
}

func twoPrimaries(s *session) obj {
	return s.person(obj{"emails": list{obj{"value": s.email(), "type": "work", "primary": true}, obj{"value": s.email(), "type": "home", "primary": true}}})
}

func representPrimaries(s *session) {
	a := s.post("/Users", twoPrimaries(s))
	if a.status != http.StatusCreated {
		s.wantError(a, http.StatusBadRequest, "invalidValue", "invalidSyntax")
		s.note("refused")
		return
	}
	s.wantOnePrimary(&s.get("/Users/" + a.value.GetString("id")).value)
	s.note("accepted, one primary remains")
}

// wantOnePrimary states that at most one of the emails is primary.
func (s *session) wantOnePrimary(v *jsontree.Value) {
	primaries := 0
	for _, e := range find(v, "emails").Items {
		if find(&e, "primary").Kind == jsontree.True {
			primaries++
		}
	}
	s.wantThat(primaries <= 1, "%d values are primary: %s", primaries, text(find(v, "emails")))
}

func representPrimary(s *session) {
	emails := list{obj{"value": s.email(), "type": "work"}, obj{"value": s.email(), "type": "home", "primary": true}}
	v := s.wantStored(s.user(obj{"emails": emails}), obj{"emails": emails})
	s.wantThat(find(v, "emails[work].primary").Kind != jsontree.True, "the other value became primary too")
}

func representRepeated(s *session) {
	e := obj{"value": s.email(), "type": "work"}
	a := s.post("/Users", s.person(obj{"emails": list{e, e}}))
	if a.status != http.StatusCreated {
		s.wantError(a, http.StatusBadRequest, "invalidValue", "invalidSyntax", "uniqueness")
		return
	}
	s.wantAt(&s.get("/Users/"+a.value.GetString("id")).value, "emails", list{e})
}

func representMany(s *session) {
	values := list{}
	for range 100 {
		values = append(values, obj{"value": s.email(), "type": "other"})
	}
	a := s.post("/Users", s.person(obj{"emails": values}))
	if a.status == http.StatusBadRequest {
		s.skip(NotCompatible, "a hundred emails")
	}
	s.wantAt(&s.get("/Users/"+a.value.GetString("id")).value, "emails", values)
}

func representSubOrder(s *session) {
	email := s.email()
	u := s.create("/Users", `{"emails":[{"primary":true,"value":"`+email+`","type":"work"}],"userName":"`+email+`","schemas":["`+userURN+`"]}`)
	s.wantStored(u, obj{"emails": list{obj{"type": "work", "value": email, "primary": true}}})
}

func representAsSent(s *session) {
	value := "Amelie.ROUX." + s.name() + "@EXAMPLE.com"
	u := s.user(obj{"emails": list{obj{"value": value, "type": "work"}}})
	v := s.read(u)
	got := find(v, "emails[0].value").Text
	s.wantThat(strings.EqualFold(got, value), "the address is %q, it was %q", got, value)
	if got != value {
		s.note("canonicalised to %q", got)
	}
}

func representName(s *session) {
	name := obj{"formatted": "Dr Amélie J. Roux III", "familyName": "Roux", "givenName": "Amélie", "middleName": "Jeanne", "honorificPrefix": "Dr", "honorificSuffix": "III"}
	s.wantStored(s.user(obj{"name": name}), obj{"name": name})
}

func representAddress(s *session) {
	address := obj{"type": "work", "formatted": "1 rue de la Paix\n69003 Lyon", "streetAddress": "1 rue de la Paix", "locality": "Lyon", "region": "ARA", "postalCode": "69003", "country": "FR"}
	s.wantStored(s.user(obj{"addresses": list{address}}), obj{"addresses": list{address}})
}

func representCountry(s *session) {
	a := s.post("/Users", s.person(obj{"addresses": list{obj{"type": "work", "country": "France"}}}))
	if a.status == http.StatusBadRequest {
		s.note("refused, as RFC 7643 permits; Entra ID and others send names of countries")
		return
	}
	s.wantAt(&s.get("/Users/"+a.value.GetString("id")).value, "addresses[0].country", "France")
}

func representPhones(s *session) {
	want := obj{
		"phoneNumbers": list{obj{"value": "+33600000001", "type": "mobile"}, obj{"value": "tel:+33-4-00-00-00-00", "type": "work"}},
		"ims":          list{obj{"value": "amelie", "type": "skype"}},
		"photos":       list{obj{"value": "https://example.com/photo.png", "type": "photo"}},
	}
	for name := range want {
		if !s.known.has(userURN, name) {
			delete(want, name)
		}
	}
	s.wantStored(s.user(want), want)
}

func representRoles(s *session) {
	want := obj{
		"roles":        list{obj{"value": "admin", "display": "Admin", "type": "WindowsAzureActiveDirectoryRole", "primary": true}},
		"entitlements": list{obj{"value": "lic-pro", "display": "Pro licence", "type": "License"}},
	}
	s.wantStored(s.user(want), want)
}

func representJSONText(s *session) {
	value := `{"id":"18c1d7a2-0001","value":"Admin","displayName":"Admin"}`
	s.wantStored(s.user(obj{"roles": list{obj{"value": value}}}), obj{"roles": list{obj{"value": value}}})
}

func representLocale(s *session) {
	want := obj{"preferredLanguage": "fr-FR", "locale": "fr-FR", "timezone": "Europe/Paris"}
	s.wantStored(s.user(want), want)
}

func representAccept(accept string, permitted ...string) func(*session) {
	return func(s *session) {
		u := s.user()
		a := s.send(request{method: http.MethodGet, path: u.path(), header: map[string]string{"Accept": accept}})
		s.wantStatus(a, http.StatusOK)
		got, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
		s.wantThat(slices.Contains(permitted, got), "Content-Type is %q, it should be %s", got, strings.Join(permitted, " or "))
	}
}

func representRef(s *session) {
	u := s.user()
	g := s.group(u)
	for path, v := range map[string]*jsontree.Value{u.path(): find(s.read(g), "members[0]"), g.path(): find(s.read(u), "groups[0]")} {
		ref := v.GetString("$ref")
		if ref == "" {
			s.note("%s has no $ref", text(v))
			continue
		}
		at, err := url.Parse(ref)
		s.wantThat(err == nil && strings.HasSuffix(at.Path, path), "$ref is %q, it should lead to %s", ref, path)
	}
}

func representPassword(s *session) {
	secret := "Kx7-" + s.name()
	a := s.post("/Users", s.person(obj{"password": secret}))
	s.wantStatus(a, http.StatusCreated)
	id := a.value.GetString("id")
	for _, a := range []*answer{a, s.get("/Users/" + id), s.get("/Users/"+id, "attributes", "password,userName"), s.patch("/Users/"+id, replace("", obj{"password": secret}))} {
		s.wantThat(!strings.Contains(string(a.raw), secret), "the password is in the answer")
		s.wantThat(a.value.Get("password") == nil, "password is in the answer")
	}
}

func representLong(s *session) {
	long := strings.Repeat("é", 300)
	a := s.post("/Users", s.person(obj{"displayName": long}))
	if a.status != http.StatusCreated {
		s.wantErrors(a, []int{http.StatusBadRequest, http.StatusRequestEntityTooLarge})
		s.note("refused")
		return
	}
	s.wantAt(&s.get("/Users/"+a.value.GetString("id")).value, "displayName", long)
}
