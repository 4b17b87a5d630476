package main

import (
	"net/http"

	"github.com/spf13/cobra"
)

func newDomainCommand(p *program) *cobra.Command {
	const list, one = "/orgs/{slug}/domains", "/orgs/{slug}/domains/{domain}"
	cols := []column{{"DOMAIN", "name"}, {"STATE", "state"}, {"TXT RECORD AT", "record.name"}, {"VALUE", "record.value"}, {"CHECKED", "checkedAt"}, {"MISSING SINCE", "missingSince"}}
	return newNoun(p, "domain", "Verify the mail domains of an organization", nil,
		verb{
			use: "add SLUG DOMAIN", short: "Add a mail domain and show the DNS record to publish", method: http.MethodPost, path: list, args: map[string]string{"name": "domain"}, cols: cols,
			long:    "Add a mail domain and show the DNS record to publish. usher looks for it by itself, every ten minutes on\nthe first day and hourly for a week; \"verify\" looks at once. Added again, a domain is shown as it is.",
			example: "  usher domain add acme acme.example",
		},
		verb{use: "list SLUG", short: "List mail domains", method: http.MethodGet, path: list, rows: "items", cols: cols},
		verb{use: "show SLUG DOMAIN", short: "Show a mail domain and its DNS record", method: http.MethodGet, path: one, cols: cols},
		verb{use: "verify SLUG DOMAIN", short: "Look for the DNS record and verify the domain", method: http.MethodPost, path: one + "/verify", cols: cols},
		verb{
			use: "remove SLUG DOMAIN", short: "Remove a mail domain", method: http.MethodDelete, path: one, said: "removed",
			ask: "Addresses at the domain are verified no more unless their users proved them, and it gets another record when it is added again.",
		},
	)
}
