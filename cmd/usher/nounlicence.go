package main

import (
	"net/http"

	"github.com/spf13/cobra"
)

var heldColumns = []column{{"ID", "id"}, {"TYPE", "type"}, {"NAME", "name"}, {"PRODUCTS", "skus"}, {"GROUPS", "groups"}, {"HELD", "held.id"}}

func newProductCommand(p *program) *cobra.Command {
	cols := []column{{"SKU", "sku"}, {"NAME", "name"}, {"PAID", "paid"}, {"PACKAGE", "package"}, {"CAPABILITIES", "capabilities"}, {"REQUIRES", "requires"}, {"EXCLUDES", "exclusiveWith"}}
	return newNoun(p, "product", "Manage the catalogue of products of the platform", nil,
		verb{use: "list", short: "List the catalogue", method: http.MethodGet, path: "/products", rows: "items", cols: cols},
		verb{use: "show SKU", short: "Show a product", method: http.MethodGet, path: "/products/{sku}", cols: cols},
		verb{
			use: "put SKU", short: "Write a product into the catalogue", method: http.MethodPut, path: "/products/{sku}", cols: cols,
			example: "  usher product put gold --name Gold --paid --capabilities meetings,messaging",
			body: []param{
				{flag: "name", name: "name", kind: 's', need: true, usage: "its name for people"},
				{flag: "paid", name: "paid", kind: 'b', usage: "it needs a subscription"},
				{flag: "tier", name: "tier", kind: 's', usage: "tier, for people"},
				{flag: "capabilities", name: "capabilities", kind: 'l', usage: "calling, meetings, messaging"},
				{flag: "package", name: "package", kind: 'b', usage: "it is a package: a user has one at most"},
				{flag: "exclusive-with", name: "exclusiveWith", kind: 'l', usage: "SKUs that nobody has together with it"},
				{flag: "requires", name: "requires", kind: 'l', usage: "SKUs of which one is needed beside it"},
			},
		},
		verb{
			use: "delete SKU", short: "Take a product out of the catalogue", method: http.MethodDelete, path: "/products/{sku}", said: "deleted",
		},
	)
}

func newSubscriptionCommand(p *program) *cobra.Command {
	const list, one = "/orgs/{slug}/subscriptions", "/orgs/{slug}/subscriptions/{id}"
	cols := []column{{"ID", "id"}, {"SKU", "sku"}, {"MODEL", "model"}, {"UNITS", "units"}, {"USED", "used"}, {"ACTIVE", "active"}, {"STARTS", "startsAt"}, {"ENDS", "endsAt"}, {"NOTE", "note"}}
	times := []param{
		{flag: "starts", name: "startsAt", kind: 't', usage: "day or time it begins (default now)"},
		{flag: "ends", name: "endsAt", kind: 't', usage: "day or time it ends, or never"},
		{flag: "note", name: "note", kind: 's', usage: "an order number or the like"},
	}
	return newNoun(p, "subscription", "Manage what an organization has bought", nil,
		verb{use: "list SLUG", short: "List an organization's subscriptions with what is used", method: http.MethodGet, path: list, rows: "items", cols: cols},
		verb{use: "show SLUG ID", short: "Show a subscription", method: http.MethodGet, path: one, cols: cols},
		verb{
			use: "create SLUG SKU", short: "Add a subscription", method: http.MethodPost, path: list, cols: cols, args: map[string]string{"sku": "sku"},
			example: "  usher subscription create acme host --units 50\n  usher subscription create acme calling --model usage --ends 2027-12-31",
			body: append([]param{
				{flag: "units", name: "units", kind: 'i', usage: "seats"},
				{flag: "model", name: "model", kind: 's', usage: "seats (default) or usage, which has no bound"},
			}, times...),
		},
		verb{
			use: "change SLUG ID", short: "Change units, times or note of a subscription", method: http.MethodPatch, path: one, cols: cols,
			long: "Change units, times or note of a subscription. When there are fewer units than users, those who hold\ntheir seat longest keep it and the others wait.",
			body: append([]param{{flag: "units", name: "units", kind: 'i', usage: "seats"}}, times...),
		},
		verb{
			use: "delete SLUG ID", short: "End a subscription at once", method: http.MethodDelete, path: one, said: "deleted",
			ask: "Everybody who holds a seat of it loses the licence, unless another subscription has one free.",
		},
	)
}

func newLicenseCommand(p *program) *cobra.Command {
	const base = "/orgs/{slug}/licences"
	return newNoun(p, "license", "See how much of each product is used, and why somebody waits", []string{"licence", "licenses", "licences"},
		verb{
			use: "usage SLUG", short: "Show how much of each product is used, free and waited for", method: http.MethodGet, path: base, rows: "items",
			cols: []column{{"SKU", "sku"}, {"NAME", "name"}, {"TOTAL", "total"}, {"USED", "used"}, {"RESERVED", "reserved"}, {"FREE", "free"}, {"WAITING", "waiting"}},
		},
		verb{
			use: "errors SLUG", short: "List users with licences that they should have and have not", method: http.MethodGet, path: base + "/errors", list: true,
			cols:  []column{{"ID", "user.id"}, {"USERNAME", "userName"}, {"SKU", "failed.sku"}, {"ISSUE", "failed.issue"}, {"WHAT TO DO", "issues.detail"}},
			query: []param{{flag: "sku", name: "sku", kind: 's', usage: "of this product only"}},
		},
		verb{
			use: "retry SLUG", short: "Try licences again that could not be given", method: http.MethodPost, path: base + "/retry", job: ".", cols: jobColumns,
			body: []param{{flag: "sku", name: "sku", kind: 's', usage: "of this product only"}},
		},
	)
}

func newTemplateCommand(p *program) *cobra.Command {
	const list, one = "/orgs/{slug}/licence-templates", "/orgs/{slug}/licence-templates/{id}"
	what := []param{
		{flag: "type", name: "type", kind: 's', need: true, usage: "org: users who come without licences named; group: members of --groups"},
		{flag: "skus", name: "skus", kind: 'l', need: true, usage: "SKUs that it gives"},
		{flag: "groups", name: "groups", kind: 'l', usage: "ids of groups"},
		{flag: "name", name: "name", kind: 's', usage: "its name"},
	}
	return newNoun(p, "template", "Manage what users get automatically", nil,
		verb{use: "list SLUG", short: "List licence templates", method: http.MethodGet, path: list, rows: "items", cols: heldColumns},
		verb{use: "show SLUG ID", short: "Show a licence template", method: http.MethodGet, path: one, cols: heldColumns},
		verb{
			use: "create SLUG", short: "Add a licence template", method: http.MethodPost, path: list, cols: heldColumns, body: what,
			example: "  usher template create acme --type org --skus basic\n  usher template create acme --type group --groups 06f7k2m9s3c4d5e6g7h1 --skus host",
		},
		verb{
			use: "set SLUG ID", short: "Replace a licence template", method: http.MethodPut, path: one, cols: heldColumns, body: what,
			long: "Replace a licence template. Taking products from many users at once waits for an administrator:\nHELD names the alert.",
		},
		verb{
			use: "delete SLUG ID", short: "Remove a licence template", method: http.MethodDelete, path: one, said: "deleted", cols: []column{{"HELD", "held.id"}, {"WHY", "held.detail"}},
		},
		verb{
			use: "preview SLUG ID", short: "Count what applying the organization's template to users there are would change", method: http.MethodPost, path: one + "/preview", job: ".", cols: jobColumns,
			body: []param{{flag: "preserve", name: "preserve", kind: 'b', usage: "keep what the template gave before and does not any more"}},
		},
		verb{
			use: "apply SLUG ID", short: "Give the organization's template to users there are", method: http.MethodPost, path: one + "/apply-existing", job: ".", cols: jobColumns,
			body: []param{
				{flag: "dry-run", name: "dryRun", kind: 'b', usage: "only count what would change"},
				{flag: "preserve", name: "preserve", kind: 'b', usage: "keep what the template gave before and does not any more"},
			},
		},
	)
}
