package main

import (
	"net/http"

	"github.com/spf13/cobra"
)

func newLocationCommand(p *program) *cobra.Command {
	const list, one = "/orgs/{slug}/locations", "/orgs/{slug}/locations/{id}"
	cols := []column{{"ID", "id"}, {"NAME", "name"}, {"COUNTRY", "country"}, {"TIME ZONE", "timeZone"}, {"EXTENSIONS", "extensionLength"}, {"EXTERNAL ID", "externalId"}}
	about := []param{
		{flag: "country", name: "country", kind: 's', usage: "two letters; how national numbers are read"},
		{flag: "time-zone", name: "timeZone", kind: 's', usage: "for example Europe/Paris"},
		{flag: "language", name: "language", kind: 's', usage: "en or fr"},
		{flag: "address", name: "address", kind: 's', usage: "postal address"},
		{flag: "external-id", name: "externalId", kind: 's', usage: "id in another system"},
		{flag: "extension-length", name: "extensionLength", kind: 'i', usage: "digits of recommended extensions"},
		{flag: "routing-prefix", name: "routingPrefix", kind: 's', usage: "dialled before extensions from other locations"},
		{flag: "main-number", name: "mainNumber", kind: 's', usage: "number of the location"},
	}
	return newNoun(p, "location", "Manage the places that own numbers and extensions", nil,
		verb{use: "list SLUG", short: "List locations", method: http.MethodGet, path: list, rows: "items", cols: cols},
		verb{use: "show SLUG ID", short: "Show a location", method: http.MethodGet, path: one, cols: cols},
		verb{
			use: "create SLUG NAME", short: "Add a location", method: http.MethodPost, path: list, cols: cols, args: map[string]string{"name": "name"}, body: about,
			example: "  usher location create acme Paris --country FR --time-zone Europe/Paris",
		},
		verb{
			use: "change SLUG ID", short: "Change a location", method: http.MethodPatch, path: one, cols: cols,
			body: append([]param{{flag: "name", name: "name", kind: 's', usage: "its name"}}, about...),
		},
		verb{use: "delete SLUG ID", short: "Remove a location without users and numbers", method: http.MethodDelete, path: one, said: "deleted", here: true, ask: "The location is removed."},
	)
}

func newNumberCommand(p *program) *cobra.Command {
	const list, one = "/orgs/{slug}/numbers", "/orgs/{slug}/numbers/{id}"
	cols := []column{{"ID", "id"}, {"NUMBER", "e164"}, {"LOCATION", "location"}, {"STATE", "state"}, {"USER", "assignee"}, {"TYPE", "type"}, {"REGION", "region"}, {"UNTIL", "until"}}
	rows := []column{{"ROW", "row"}, {"GIVEN", "text"}, {"NUMBER", "e164"}, {"TYPE", "type"}, {"REGION", "region"}, {"CODE", "code"}, {"WHAT IS WRONG", "detail"}}
	numbers := map[string]string{"location": "location", "numbers": "number..."}
	return newNoun(p, "number", "Manage the inventory of telephone numbers", nil,
		verb{
			use: "list SLUG", short: "List numbers", method: http.MethodGet, path: list, list: true, cols: cols,
			example: "  usher number list acme --location 06f7k2m9s3c4d5e6g7h5 --state available",
			query: []param{
				{flag: "location", name: "location", kind: 's', usage: "id of the location"},
				{flag: "state", name: "state", kind: 's', usage: "inactive, available, reserved or assigned"},
				{flag: "search", name: "q", kind: 's', usage: "digits that the number contains"},
			},
		},
		verb{use: "show SLUG ID", short: "Show a number, by id or in E.164", method: http.MethodGet, path: one, cols: cols},
		verb{
			use: "add SLUG LOCATION NUMBER...", short: "Add numbers; each succeeds or fails by itself", method: http.MethodPost, path: list, args: numbers, rows: "items", cols: rows,
			example: "  usher number add acme Paris \"01 42 68 53 00\" +33142685301",
			body:    []param{{flag: "inactive", name: "inactive", kind: 'b', usage: "they must be activated before anybody gets one"}},
		},
		verb{
			use: "validate SLUG LOCATION NUMBER...", short: "Read numbers without storing anything", method: http.MethodPost, path: list + "/validate", args: numbers, rows: "items", cols: rows,
		},
		verb{
			use: "import SLUG FILE", short: "Add numbers from CSV with the columns number, location and perhaps state; - is stdin", method: http.MethodPost, path: list + "/import",
			input: "file", media: "text/csv", job: ".", cols: jobColumns, example: "  usher number import acme numbers.csv --dry-run",
			query: []param{{flag: "dry-run", name: "dryRun", kind: 'b', usage: "only tell what would happen"}},
		},
		verb{use: "activate SLUG ID", short: "Make an inactive number available", method: http.MethodPost, path: one + "/activate", cols: cols},
		verb{
			use: "move SLUG ID LOCATION", short: "Move an unassigned number to another location", method: http.MethodPost, path: one + "/move", cols: cols,
			args: map[string]string{"location": "location"},
		},
		verb{
			use: "hold SLUG ID", short: "Reserve an available number for 15 minutes", method: http.MethodPost, path: one + "/hold", cols: cols,
			body: []param{{flag: "holder", name: "holder", kind: 's', usage: "for whom"}},
		},
		verb{use: "release SLUG ID", short: "End a reservation, or the rest of a number after its release", method: http.MethodPost, path: one + "/release", cols: cols},
		verb{use: "delete SLUG ID", short: "Remove an unassigned number", method: http.MethodDelete, path: one, said: "deleted", here: true, ask: "The number leaves the inventory."},
	)
}

func newExtensionCommand(p *program) *cobra.Command {
	return newNoun(p, "extension", "Find extensions", nil,
		verb{
			use: "suggest SLUG LOCATION", short: "Recommend an extension", method: http.MethodPost, path: "/orgs/{slug}/extensions/suggest",
			args: map[string]string{"location": "location"}, cols: []column{{"EXTENSION", "extension"}, {"TAKEN", "taken"}, {"BY", "holder"}},
			body:    []param{{flag: "number", name: "number", kind: 's', usage: "number whose last digits are wanted"}},
			example: "  usher extension suggest acme Paris --number +33634333211",
		},
	)
}
