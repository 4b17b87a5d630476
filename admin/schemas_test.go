package admin_test

import (
	"os"
	"strings"
	"testing"

	"github.com/usher-scim/usher/internal/jsontree"
)

const badgeURN = "urn:example:params:scim:schemas:extension:badge:2.0:User"

func example(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile("../docs/examples/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestDeclarations takes the examples through the API.
func TestDeclarations(t *testing.T) {
	h := open(t, "")
	const all = "/api/v1/orgs/demo/schemas"
	const device, badge = "/api/v1/orgs/demo/resource-types/Device", all + "/" + badgeURN
	const users = "/api/v1/orgs/demo/resource-types/User/extensions/" + badgeURN
	if got := h.want(200, "GET", all, ""); got["version"] != 0.0 || len(got["schemas"].([]any)) != 0 || len(got["resourceTypes"].([]any)) != 0 {
		t.Errorf("nothing declared: %v", got)
	}
	if got := h.want(200, "PUT", all, example(t, "device-type.json")); got["version"] != 1.0 {
		t.Errorf("declared: %v", got)
	}
	if got := h.want(200, "PUT", badge, example(t, "badge-extension.json")); len(got["schemas"].([]any)) != 2 {
		t.Errorf("declared: %v", got)
	}
	h.want(200, "PUT", users, "")
	got := h.want(200, "PUT", users, `{"required":true}`)
	if types := got["resourceTypes"].([]any); len(types) != 2 || got["version"] != 4.0 ||
		types[1].(map[string]any)["schemaExtensions"].([]any)[0].(map[string]any)["required"] != true {
		t.Errorf("extended: %v", got)
	}

	whole := h.ask("GET", all, "").Body.String()
	if got := h.want(200, "PUT", all, whole); got["version"] != 4.0 {
		t.Errorf("what was read, put back: %v", got)
	}
	if got := h.want(412, "PUT", all, strings.Replace(whole, `"version":4`, `"version":3`, 1)); got["code"] != "version_mismatch" {
		t.Errorf("an old version: %v", got)
	}
	h.want(422, "PUT", all, `{"version":"x"}`)
	h.want(204, "DELETE", users, "")
	h.want(404, "DELETE", users, "")
	h.want(204, "DELETE", badge, "")
	h.want(404, "DELETE", badge, "")
	h.want(204, "DELETE", device, "")
	h.want(404, "DELETE", device, "")
	h.want(200, "PUT", device, `{"endpoint":"/Devices","schema":"urn:example:params:scim:schemas:core:2.0:Device"}`)
	h.want(404, "GET", "/api/v1/orgs/nobody/schemas", "")
	h.want(404, "GET", "/api/v1/orgs/platform/schemas", "")
}

// TestDeclarationRefusals: what is wrong is told whole, with its place.
func TestDeclarationRefusals(t *testing.T) {
	h := open(t, "")
	const all = "/api/v1/orgs/demo/schemas"
	if got := h.want(422, "PUT", all, `{"schemas":[{"id":"x","attributes":[{"name":"1"}]}]}`); len(got["errors"].([]any)) != 2 ||
		!strings.Contains(got["detail"].(string), "schemas[0].attributes[0].name: ") {
		t.Errorf("two faults: %v", got)
	}
	if got := h.want(422, "PUT", all, `{"schemas":[{"id":"x","attributes":[{"name":"a"}]}]}`); got["field"] != "schemas[0].id" || got["errors"] != nil {
		t.Errorf("one fault: %v", got)
	}
	h.want(400, "PUT", all, `{`)
	h.want(413, "PUT", all, strings.Repeat(" ", 301<<10))
	h.want(413, "POST", "/api/v1/orgs", strings.Repeat(" ", 65<<10))

	h.want(200, "PUT", all, example(t, "device-type.json"))
	caller, err := h.directory.Authenticate(t.Context(), h.scim)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsontree.Parse([]byte(`{"schemas":["x"],"displayName":"L","serialNumber":"S"}`), jsontree.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	rec, err := h.directory.CreateCustom(t.Context(), caller, "Device", doc)
	if err != nil {
		t.Fatal(err)
	}
	if got := h.want(409, "DELETE", "/api/v1/orgs/demo/resource-types/Device", ""); got["code"] != "schema_in_use" || !strings.Contains(got["detail"].(string), rec.ID) {
		t.Errorf("devices are there: %v", got)
	}
}
