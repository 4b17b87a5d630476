package main

import (
	"net/http"

	"github.com/spf13/cobra"
)

func newJobCommand(p *program) *cobra.Command {
	const list, one = "/orgs/{slug}/jobs", "/orgs/{slug}/jobs/{id}"
	parked := []column{{"ITEM", "item"}, {"SINCE", "since"}, {"TRIES", "tries"}, {"CAUSE", "cause"}}
	return newNoun(p, "job", "Follow long work", nil,
		verb{
			use: "list SLUG", short: "List jobs, newest first", method: http.MethodGet, path: list, list: true, cols: jobColumns,
			query: []param{
				{flag: "state", name: "state", kind: 's', usage: "queued, running, done, failed or cancelled"},
				{flag: "type", name: "type", kind: 's', usage: "for example template-apply"},
			},
		},
		verb{use: "show SLUG ID", short: "Show a job", method: http.MethodGet, path: one, cols: jobColumns},
		verb{use: "watch SLUG ID", short: "Follow a job to its end", method: http.MethodGet, path: one, job: ".", cols: jobColumns},
		verb{use: "errors SLUG ID", short: "Write what failed as CSV", method: http.MethodGet, path: one + "/errors.csv", raw: true},
		verb{use: "cancel SLUG ID", short: "Stop a job before its next step", method: http.MethodPost, path: one + "/cancel", cols: jobColumns},
		verb{use: "parked SLUG", short: "List work that failed too often", method: http.MethodGet, path: "/orgs/{slug}/parked-work", rows: "items", cols: parked},
		verb{use: "unpark SLUG ITEM", short: "Try a piece of parked work again", method: http.MethodPost, path: "/orgs/{slug}/parked-work/{item}/retry", said: "due"},
	)
}

func newAlertCommand(p *program) *cobra.Command {
	const list, one = "/orgs/{slug}/alerts", "/orgs/{slug}/alerts/{id}"
	cols := []column{{"ID", "id"}, {"KIND", "kind"}, {"STATE", "state"}, {"USERS", "count"}, {"PRODUCTS", "skus"}, {"OUTCOME", "outcome"}, {"CREATED", "created"}, {"WHAT", "detail"}}
	return newNoun(p, "alert", "See and decide what waits for an administrator", nil,
		verb{
			use: "list SLUG", short: "List alerts, newest first", method: http.MethodGet, path: list, list: true, cols: cols,
			query: []param{
				{flag: "state", name: "state", kind: 's', usage: "open, done or dismissed"},
				{flag: "kind", name: "kind", kind: 's', usage: "for example held_revocation"},
			},
		},
		verb{use: "show SLUG ID", short: "Show an alert", method: http.MethodGet, path: one, cols: cols},
		verb{use: "confirm SLUG ID", short: "Confirm a held revocation: the licences are taken", method: http.MethodPost, path: one + "/confirm", cols: cols},
		verb{use: "reject SLUG ID", short: "Reject a held revocation: the users keep the licences", method: http.MethodPost, path: one + "/reject", cols: cols},
		verb{use: "done SLUG ID", short: "Mark an alert as done", method: http.MethodPost, path: one + "/done", cols: cols},
		verb{use: "dismiss SLUG ID", short: "Dismiss an alert", method: http.MethodPost, path: one + "/dismiss", cols: cols},
	)
}

func newBillingCommand(p *program) *cobra.Command {
	const list, one = "/orgs/{slug}/billing-reports", "/orgs/{slug}/billing-reports/{id}"
	cols := []column{{"ID", "id"}, {"LEVEL", "level"}, {"FROM", "from"}, {"TO", "to"}, {"STATE", "state"}, {"ROWS", "rows"}, {"USER-DAYS", "userDays"}, {"PACKAGES", "byPackage.package"}, {"USERS", "byPackage.users"}, {"SHARES", "byPackage.share"}}
	return newNoun(p, "billing", "Count packages by user and day", nil,
		verb{
			use: "now SLUG", short: "Count who holds which package at this moment", method: http.MethodGet, path: "/orgs/{slug}/billing-usage", rows: "items",
			cols: []column{{"PACKAGE", "package"}, {"LOCATION", "location"}, {"USERS", "users"}},
		},
		verb{
			use: "create SLUG", short: "Make a billing report", method: http.MethodPost, path: list, job: "job", cols: cols,
			long:    "Make a billing report over days that are past; without days over the last whole period. Reports of\nlevel partner are made for the slug platform.",
			example: "  usher billing create acme\n  usher billing create acme --level user --from 2026-09-01 --to 2026-10-31",
			body: []param{
				{flag: "level", name: "level", kind: 's', usage: "customer (default), user or partner"},
				{flag: "from", name: "from", kind: 's', usage: "first day, 2026-09-01"},
				{flag: "to", name: "to", kind: 's', usage: "last day, 2026-10-31"},
			},
		},
		verb{use: "list SLUG", short: "List billing reports, newest first", method: http.MethodGet, path: list, list: true, cols: cols},
		verb{use: "show SLUG ID", short: "Show a billing report's totals", method: http.MethodGet, path: one, cols: cols},
		verb{
			use: "download SLUG ID", short: "Write the rows of a billing report to stdout", method: http.MethodGet, path: one + "/download", raw: true,
			query: []param{{flag: "format", name: "format", kind: 's', usage: "csv (default) or json"}},
		},
		verb{use: "delete SLUG ID", short: "Remove a billing report", method: http.MethodDelete, path: one, said: "deleted", here: true, ask: "The report is removed; it can be made again."},
	)
}

func newAdminCommand(p *program) *cobra.Command {
	const list, role = "/orgs/{slug}/admins", "/orgs/{slug}/admins/{user}/roles/{role}"
	cols := []column{{"USER", "user"}, {"USERNAME", "userName"}, {"E-MAIL", "email"}, {"ACTIVE", "active"}, {"ROLES", "roles"}}
	return newNoun(p, "admin", "Manage the administrators of an organization", nil,
		verb{use: "list SLUG", short: "List administrators and their roles", method: http.MethodGet, path: list, rows: "items", cols: cols},
		verb{
			use: "grant SLUG USER ROLE", short: "Give a user a role", method: http.MethodPut, path: role, cols: cols,
			long: "Give a user a role: full_admin, user_admin, licence_admin, location_admin or read_only.",
		},
		verb{use: "revoke SLUG USER ROLE", short: "Take a role from a user; the last full administrator keeps it", method: http.MethodDelete, path: role, cols: cols, said: "revoked"},
	)
}

func newSettingsCommand(p *program) *cobra.Command {
	const path = "/orgs/{slug}/settings"
	params := append(orgParams(), peopleParams()...)
	cols := make([]column, len(params))
	for i := range params {
		cols[i] = column{params[i].flag, params[i].name}
	}
	return newNoun(p, "settings", "See and change the settings of an organization", nil,
		verb{use: "show SLUG", short: "Show settings", method: http.MethodGet, path: path, cols: cols, tall: true},
		verb{
			use: "set SLUG", short: "Change settings; \"\" gives one its default back", method: http.MethodPatch, path: path, cols: cols, tall: true,
			example: "  usher settings set acme --language fr --time-zone Europe/Paris --guard-users 25",
			warn:    warnOfSettings, body: params,
		},
	)
}
