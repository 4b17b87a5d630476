package scim_test

import (
	"testing"

	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim"
)

// a required extension that no answer shows is not demanded of a
// client that sends back what it was shown; it cannot be cleared nor be missing
// from what is new.
func TestDeclaredRequiredUnseen(t *testing.T) {
	const core, safe = "urn:x:vault", "urn:x:safe"
	d, err := resources.ParseDeclared([]byte(`{"schemas":[
		{"id":"` + core + `","attributes":[{"name":"label"}]},
		{"id":"` + safe + `","attributes":[{"name":"pin","mutability":"writeOnly","uniqueness":"server"},{"name":"hint"}]}],
		"resourceTypes":[{"name":"Vault","endpoint":"/Vaults","schema":"` + core + `","schemaExtensions":[{"schema":"` + safe + `","required":true}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, "", scim.Config{}).declare(d)
	body := func(more string) string { return `{"schemas":["` + core + `"],"label":"a"` + more + `}` }
	pin := `,"` + safe + `":{"pin":"1234"}`
	r := h.ask("POST", "/Vaults", body(pin)).want(201)
	id := r.str("id")
	h.ask("PUT", "/Vaults/"+id, r.Body.String()).want(200).holds("null", safe)
	h.ask("POST", "/Vaults", body(pin)).fails(409, "uniqueness") // it is kept
	h.ask("PUT", "/Vaults/"+id, body(`,"`+safe+`":null`)).fails(400, "invalidValue")
	h.ask("POST", "/Vaults", body("")).fails(400, "invalidValue")
}

// elements of which an answer shows nothing stay when a client sends back
// what it was shown, beside those it saw.
func TestDeclaredUnseenElements(t *testing.T) {
	const core = "urn:x:ring"
	d, err := resources.ParseDeclared([]byte(`{"schemas":[{"id":"` + core + `","attributes":[{"name":"label"},
		{"name":"keys","type":"complex","multiValued":true,"subAttributes":[{"name":"pin","returned":"request"},{"name":"size","type":"integer"}]}]}],
		"resourceTypes":[{"name":"Ring","endpoint":"/Rings","schema":"` + core + `"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, "", scim.Config{}).declare(d)
	r := h.ask("POST", "/Rings", `{"schemas":["`+core+`"],"label":"a","keys":[{"pin":"ab"},{"size":1,"pin":"cd"},{"size":2}]}`).want(201)
	id := r.str("id")
	shown := h.ask("GET", "/Rings/"+id, "").want(200)
	h.ask("PUT", "/Rings/"+id, shown.Body.String()).want(200)
	h.ask("GET", "/Rings/"+id+"?attributes=keys.pin,keys.size", "").want(200).holds(`[{"pin":"cd","size":1},{"size":2},{"pin":"ab"}]`, "keys")
}
