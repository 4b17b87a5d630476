package scim_test

import (
	"encoding/json"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	elimity "github.com/elimity-com/scim"
	"github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/scim"
)

// step is one request sent to the door and to the library's server. {org}
// stands for the organization, {name} for the id an earlier step saved.
type step struct {
	method, path, body string
	save               string
	// differs is why the two may answer differently; then they must.
	differs string
}

// agreed is traffic where usher and the library must answer alike.
func agreed() []step {
	user := userBody
	return []step{
		{method: "POST", path: "/Users", save: "u", body: user("ann", `,"externalId":"x1","active":true,"title":"T","name":{"givenName":"Ann","familyName":"Lee"},
			"emails":[{"value":"ann@{org}.example","type":"work","primary":true},{"value":"a@home.example","type":"home"}],"nickName":null,"unknown":1,
			"`+enterpriseURN+`":{"department":"Ops","employeeNumber":"7"}`)},
		{method: "POST", path: "/Users", save: "v", body: user("bob", `,"active":false`)},
		{method: "POST", path: "/Users", body: user("ANN", "")},
		{method: "GET", path: "/Users/{u}"},
		{method: "GET", path: "/Users/{v}"},
		{method: "GET", path: "/Users/00000000000000000000"},
		{method: "GET", path: "/Users/nobody"},
		{method: "GET", path: "/Users"},
		{method: "GET", path: "/Users?startIndex=2&count=1"},
		{method: "GET", path: "/Users?startIndex=0"},
		{method: "GET", path: "/Users?count=-1"},
		{method: "GET", path: "/Users?count=0"},
		{method: "GET", path: "/Users?" + filterOf(`userName eq "ann"`)},
		{method: "GET", path: "/Users?" + filterOf(`name.familyName co "ee" and active eq true`)},
		{method: "GET", path: "/Users?" + filterOf(`emails[type eq "work"]`)},
		{method: "GET", path: "/Users?" + filterOf(`not (title pr)`)},
		{method: "GET", path: "/Users?" + filterOf(`nonsense eq "x"`)},
		{method: "GET", path: "/Users?" + filterOf(`userName is "x"`)},
		{method: "PUT", path: "/Users/{v}", body: user("bob", `,"title":"New","active":true`)},
		{method: "PUT", path: "/Users/{v}", body: user("ann", "")},
		{method: "PUT", path: "/Users/{v}", body: `{"schemas":["` + userURN + `"]}`},
		{method: "PUT", path: "/Users/00000000000000000000", body: user("x", "")},
		{method: "PATCH", path: "/Users/{v}", body: ops(`{"op":"replace","path":"title","value":"Newer"}`, `{"op":"Add","path":"name.givenName","value":"Bob"}`)},
		{method: "PATCH", path: "/Users/{v}", body: ops(`{"op":"replace","value":{"active":false,"nickName":"b"}}`)},
		{method: "PATCH", path: "/Users/{u}", body: ops(`{"op":"replace","path":"emails[type eq \"home\"].value","value":"b@home.example"}`)},
		{method: "PATCH", path: "/Users/{u}", body: ops(`{"op":"replace","path":"` + enterpriseURN + `:department","value":"Dev"}`)},
		{method: "PATCH", path: "/Users/{u}", body: ops(`{"op":"remove","path":"title"}`)},
		{method: "PATCH", path: "/Users/{u}", body: ops(`{"op":"replace","path":"nonsense","value":"x"}`)},
		{method: "PATCH", path: "/Users/{u}", body: ops(`{"op":"replace","path":"active","value":5}`)},
		{method: "POST", path: "/Groups", save: "g", body: `{"schemas":["` + groupURN + `"],"displayName":"G","members":[{"value":"{u}"}]}`},
		{method: "GET", path: "/Groups/{g}"},
		{method: "GET", path: "/Users/{u}"},
		{method: "PATCH", path: "/Groups/{g}", body: ops(`{"op":"add","path":"members","value":[{"value":"{v}"}]}`)},
		{method: "PATCH", path: "/Groups/{g}", body: ops(`{"op":"remove","path":"members[value eq \"{u}\"]"}`)},
		{method: "PATCH", path: "/Groups/{g}", body: ops(`{"op":"add","path":"members","value":[{"value":"00000000000000000000"}]}`)},
		{method: "PUT", path: "/Groups/{g}", body: `{"schemas":["` + groupURN + `"],"displayName":"H","members":[{"value":"{u}"},{"value":"{v}"}]}`},
		{method: "GET", path: "/Groups?" + filterOf(`displayName eq "h"`)},
		{method: "DELETE", path: "/Groups/{g}"},
		{method: "DELETE", path: "/Groups/{g}"},
		{method: "GET", path: "/ResourceTypes/User"},
		{method: "GET", path: "/ResourceTypes/Nothing"},
		{method: "GET", path: "/Nothing"},
	}
}

// intended is the allow-list: where usher must not answer as the library does,
// and why.
func intended() []step {
	user := userBody
	return []step{
		{method: "POST", path: "/Users", body: `{"userName":"noschemas"}`, differs: "the library ignores schemas (R-1)"},
		{method: "POST", path: "/Users", body: user("dup", `,"title":"a","title":"b"`), differs: "the library takes the last of two keys (S12)"},
		{method: "POST", path: "/Users", body: user("tail", "") + " x", differs: "the library ignores what follows the JSON (S12)"},
		{method: "POST", path: "/Users", body: user("two", `,"emails":[{"value":"a@b.example","primary":true},{"value":"c@d.example","primary":true}]`)},
		{method: "GET", path: "/Users?" + filterOf(`id eq "{u}"`), differs: "the library knows no common attributes in filters (elimity.md §2)"},
		{method: "GET", path: "/Users?" + filterOf(`userName pr and `+enterpriseURN+`:department eq "dev"`), differs: "the library checks a filter against one schema at a time"},
		{method: "GET", path: "/Users?" + filterOf(`active gt true`)},
		{method: "GET", path: "/Users?startIndex=x", differs: "the library gives no scimType"},
		{method: "GET", path: "/Users?attributes=userName", differs: "the library has no projection (R-77)"},
		{method: "PATCH", path: "/Users/{u}", body: ops(`{"op":"remove"}`), differs: "noTarget (R-95), the library says invalidValue"},
		{method: "PATCH", path: "/Users/{u}", body: `{"schemas":["` + patchURN + `"],"Operations":[]}`, differs: "invalidSyntax (R-88), the library says invalidValue"},
		{method: "PATCH", path: "/Users/{u}", body: ops(`{"op":"replace","path":"active","value":"True"}`), differs: "booleans as text (L-2)"},
		{method: "PATCH", path: "/Users/{u}", body: ops(`{"op":"replace","value":{"` + enterpriseURN + `":{"department":"QA"}}}`), differs: "nested extension without path (R-92)"},
		{method: "PATCH", path: "/Users/{u}", body: ops(`{"op":"add","path":"` + enterpriseURN + `:manager","value":"{v}"}`), differs: "a complex value as text (L-8)"},
		{method: "PUT", path: "/Users", body: user("x", ""), differs: "405 with Allow (R-55), the library says 404"},
		{method: "POST", path: "/Bulk", body: "{}", differs: "the library has no Bulk (R-113)"},
		{method: "DELETE", path: "/ServiceProviderConfig", differs: "405 (R-49), the library answers it"},
	}
}

// TestOracle sends the same requests to the door and to elimity's scim.Server
// over the same registry, each in an organization of its own.
func TestOracle(t *testing.T) {
	h := newHouse(t, "", scim.Config{})
	oracle, err := elimity.NewServer(&elimity.ServerArgs{
		ServiceProviderConfig: &elimity.ServiceProviderConfig{MaxResults: 200, SupportFiltering: true, SupportPatch: true},
		ResourceTypes:         h.ResourceTypes(),
	})
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]map[string]string{"acme": {}, "rival": {}}
	fill := func(org, s string) string {
		s = strings.ReplaceAll(s, "{org}", org)
		for name, id := range ids[org] {
			s = strings.ReplaceAll(strings.ReplaceAll(s, "{"+name+"}", id), "%7B"+name+"%7D", id)
		}
		return s
	}
	for _, st := range append(agreed(), intended()...) {
		name := st.method + " " + st.path + " " + st.body
		ours := h.ask(st.method, fill("acme", st.path), fill("acme", st.body))
		r := httptest.NewRequest(st.method, "/v2"+fill("rival", st.path), strings.NewReader(fill("rival", st.body)))
		r.Header.Set("Authorization", "Bearer "+h.token["rival"])
		w := httptest.NewRecorder()
		oracle.ServeHTTP(w, r)
		theirs := reply{ResponseRecorder: w, t: t}
		if w.Body.Len() > 0 {
			if err := json.Unmarshal(w.Body.Bytes(), &theirs.json); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if st.save != "" {
			ids["acme"][st.save], ids["rival"][st.save] = ours.want(201).str("id"), theirs.want(201).str("id")
		}
		a, b := comparable(ours, ids["acme"], "acme"), comparable(theirs, ids["rival"], "rival")
		switch equal := ours.Code == theirs.Code && reflect.DeepEqual(a, b); {
		case !equal && st.differs == "":
			t.Errorf("%s: usher %d, library %d\n%s", name, ours.Code, theirs.Code, cmp.Diff(b, a))
		case equal && st.differs != "":
			t.Errorf("%s: both agree now, so it leaves the allow-list: %s\n%s", name, st.differs, ours.Body)
		}
	}
}

// comparable takes out of an answer what must differ between two
// organizations, and what only one of the servers shows.
func comparable(r reply, ids map[string]string, org string) any {
	if r.json == nil {
		return nil
	}
	if _, isError := r.json["status"]; isError {
		return map[string]any{"status": r.json["status"], "scimType": r.json["scimType"]}
	}
	raw := string(mustJSON(r.json))
	for name, id := range ids {
		raw = strings.ReplaceAll(raw, id, "{"+name+"}")
	}
	raw = strings.ReplaceAll(raw, "@"+org+".", "@{org}.")
	raw = strings.ReplaceAll(raw, publicURL+"/orgs/"+org, "{base}")
	var v any
	if err := json.Unmarshal([]byte(raw), &v); err != nil {
		r.t.Fatal(err)
	}
	return pruned(v)
}

func mustJSON(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return raw
}

func pruned(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range []string{"meta", "schemas", "itemsPerPage", "description", "id", "since", "organizationId", "organizationName"} {
			delete(v, name)
		}
		for name := range v {
			v[name] = pruned(v[name])
		}
	case []any:
		for i := range v {
			v[i] = pruned(v[i])
		}
	}
	return v
}
