package scim_test

import "testing"

// Declared types in a Bulk, in the same Bulk again, and at the root.
func TestBulkDeclared(t *testing.T) {
	onDeclared(t, func(t *testing.T, h *house) {
		body := bulkBody(
			create("d", "/Devices", deviceBody("bulk-1")),
			with("PATCH", "/Devices/bulkId:d", ops(`{"op":"add","path":"externalId","value":"x"}`)),
			create("u", "/Users", userBody("owner")),
		)
		first := h.bulk(body, 201, 200, 201)
		first.alike(t, h.bulk(body, 201, 200, 201))
		d := first.made(0)
		if r := h.ask("GET", "/Devices/"+d, "").want(200); r.str("externalId") != "x" {
			t.Error(r.Body)
		}
		if _, total := h.rootList(""); total != 2 {
			t.Errorf("%d resources at the root, want 2", total)
		}
		if r := h.ask("POST", "/.search", searchBody(`"filter":"externalId eq \"x\" or userName eq \"owner\""`)).want(200); r.num("totalResults") != 2 || r.str("Resources", 1, "id") != d {
			t.Error(r.Body)
		}
		h.bulk(bulkBody(with("DELETE", "/Devices/"+d, "")), 204)
		if fresh := h.bulk(body, 201, 200, 201).made(0); fresh == d {
			t.Error("an id was given twice")
		}
	})
}
