package admin_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
)

// Who may do what (BR-060, domain.md §6.1): for each scope the operations beyond
// reading. Operators may do everything.
var (
	readers   = []string{"admin", "admin:users", "admin:licences", "admin:locations", "admin:read"}
	mayChange = map[string][]string{
		"admin:users": {
			"create-user", "create-users", "change-user", "deactivate-user", "reactivate-user", "delete-user",
			"create-group", "change-group", "delete-group", "change-group-members", "put-group-licences",
			"send-activation", "send-activation-mails",
			"end-user-session", "end-user-sessions", "remove-user-link", "remove-user-links",
		},
		"admin:licences": {
			"change-user-licences", "return-user-to-automatic-licensing", "create-licence-template", "put-licence-template", "delete-licence-template",
			"preview-licence-template", "apply-licence-template", "retry-licences", "confirm-alert", "reject-alert", "finish-alert",
			"dismiss-alert", "create-billing-report", "delete-billing-report", "retry-parked-work",
		},
		"admin:locations": {
			"change-user-calling", "create-location", "change-location", "delete-location", "add-numbers", "import-numbers", "activate-number",
			"move-number", "hold-number", "release-number", "delete-number",
		},
	}
	ofFullAdmins = []string{
		"change-settings", "grant-role", "revoke-role", "change-org", "create-token", "rotate-token", "revoke-token",
		"create-connection", "change-connection", "delete-connection", "discover-connection", "test-connection",
		"add-domain", "verify-domain", "remove-domain",
		"export-activation-links",
	}
	ofOperators = []string{
		"list-orgs", "create-org", "delete-org", "put-product", "delete-product", "create-subscription", "change-subscription", "delete-subscription",
		"list-clients", "create-client", "delete-client", "add-client-secret", "revoke-client-secret", "get-declaration", "put-declaration",
		"put-schema", "delete-schema", "put-resource-type", "delete-resource-type", "put-extension", "delete-extension",
	}
	// These only look, although they are sent as POST; of a job it is said who may
	// cancel it when it is known what it does.
	lookers = []string{"validate-numbers", "suggest-extension", "cancel-job"}
)

// allowed says what a scope may do, in words of its own.
func allowed(scope string, o described) bool {
	switch {
	case scope == "platform":
		return true
	case slices.Contains(ofOperators, o.id):
		return false
	case o.method == "GET" || slices.Contains(lookers, o.id):
		return true
	case slices.Contains(ofFullAdmins, o.id):
		return scope == "admin"
	case scope == "admin":
		return true
	}
	return slices.Contains(mayChange[scope], o.id)
}

// TestRights asks every operation with every scope: it is refused with 403 if,
// and only if, the scope does not allow it.
func TestRights(t *testing.T) {
	h := open(t, "")
	h.org("acme")
	h.letExport("acme")
	tokens := map[string]string{"platform": h.api}
	for _, scope := range readers {
		tokens[scope] = h.token("acme", scope)
	}
	known := make(map[string]bool)
	for _, o := range openAPI(h).operations() {
		known[o.id] = true
		for _, scope := range slices.Sorted(maps.Keys(tokens)) {
			w := h.by(tokens[scope], o.method, h.address(o, "acme"), h.body(o), mediaOf(o)...)
			want := allowed(scope, o)
			switch {
			case want && (w.Code == 401 || w.Code == 403 || w.Code >= 500), !want && w.Code != 403:
				t.Errorf("%s by %s: %d, may: %v: %s", o, scope, w.Code, want, w.Body)
			}
			if o.id == "delete-org" {
				break // once is enough
			}
		}
	}
	for _, list := range append(slices.Collect(maps.Values(mayChange)), ofFullAdmins, ofOperators, lookers) {
		for _, id := range list {
			if !known[id] {
				t.Errorf("there is no operation %s", id)
			}
		}
	}
}

// TestOtherOrganizations: for a token of another organization, whatever its
// scope, there is no such organization, and its things are not in its own.
func TestOtherOrganizations(t *testing.T) {
	h := open(t, "")
	base := h.org("acme")
	h.org("evil")
	token := h.token("evil", "admin")
	user := h.user(base, "zoe", "")
	group := h.want(201, "POST", base+"/groups", `{"displayName":"Sales"}`)["id"].(string)
	place := h.want(201, "POST", base+"/locations", `{"name":"Paris","country":"FR"}`)["id"].(string)
	h.want(207, "POST", base+"/numbers", `{"location":"`+place+`","numbers":["+33142685300"]}`)
	number := items(h.want(200, "GET", base+"/numbers", ""))[0]["id"].(string)
	template := h.want(201, "POST", base+"/licence-templates", `{"type":"org","skus":["basic"]}`)["id"].(string)
	sub := h.subscribe(base, "host", 1)
	for _, o := range openAPI(h).operations() {
		if !strings.Contains(o.path, "{org}") {
			continue
		}
		w := h.by(token, o.method, h.address(o, "acme"), h.body(o), mediaOf(o)...)
		if w.Code != 404 && (w.Code != 403 || !slices.Contains(ofOperators, o.id)) {
			t.Errorf("%s of another organization: %d %s", o, w.Code, w.Body)
		}
		if strings.Contains(w.Body.String(), "acme") {
			t.Errorf("%s tells of the other organization: %s", o, w.Body)
		}
		for name, id := range map[string]string{"users": user, "groups": group, "locations": place, "numbers": number, "licence-templates": template, "subscriptions": sub} {
			if !strings.Contains(o.path, "/"+name+"/{id}") || slices.Contains(ofOperators, o.id) {
				continue
			}
			own := strings.ReplaceAll(strings.ReplaceAll(o.path, "{org}", "evil"), "{id}", id)
			if w := h.by(token, o.method, own+"?confirm=true", h.body(o)); w.Code != 404 && w.Code != 422 {
				t.Errorf("%s on a thing of another organization: %d %s", o, w.Code, w.Body)
			}
		}
	}
	if got := h.want(200, "GET", base+"/users/"+user, ""); got["version"] != 1.0 {
		t.Errorf("the user was changed: %v", got)
	}
}

// address is the path of an operation with names for its parameters.
func (h *house) address(o described, slug string) string {
	path := strings.ReplaceAll(o.path, "{org}", slug)
	for part := range strings.SplitSeq(o.path, "/") {
		switch part {
		case "{role}":
			path = strings.ReplaceAll(path, part, "read_only")
		case "{domain}":
			path = strings.ReplaceAll(path, part, "nothing.example")
		case "{sku}":
			path = strings.ReplaceAll(path, part, "gadget")
		case "{id}", "{user}", "{secret}", "{schema}", "{type}", "{item}":
			path = strings.ReplaceAll(path, part, "00000000000000000000")
		}
	}
	if o.id == "delete-org" {
		path += "?confirm=" + slug
	}
	return path
}

// body is the example of an operation's body.
func (h *house) body(o described) string {
	for media, m := range object(object(o.spec["requestBody"])["content"]) {
		if media == "text/csv" {
			return object(m)["example"].(string)
		}
		text, err := json.Marshal(object(m)["example"])
		if err != nil {
			h.Fatal(err)
		}
		return string(text)
	}
	return ""
}

func mediaOf(o described) []string {
	if object(object(object(o.spec["requestBody"])["content"])["text/csv"]) != nil {
		return []string{"Content-Type: text/csv"}
	}
	return nil
}
