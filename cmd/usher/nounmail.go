package main

import (
	"net/http"

	"github.com/spf13/cobra"
)

var mailColumns = []column{{"ID", "id"}, {"TEMPLATE", "template"}, {"TO", "to"}, {"STATE", "state"}, {"TRIGGER", "trigger"}, {"CREATED", "created"}, {"SENT", "sent"}, {"TRIES", "tries"}, {"ANSWER", "answer"}}

func newInviteCommand(p *program) *cobra.Command {
	return newNoun(p, "invite", "Bring in users who have not signed in yet (usher user list SLUG --state never_activated)", nil,
		verb{
			use: "send SLUG USER", short: "Send the activation mail to a user", method: http.MethodPost, path: "/orgs/{slug}/users/{user}/send-activation", cols: mailColumns,
			long: "Send the activation mail to a user, once in ten minutes. The link and the code that the user has\nstop working.",
		},
		verb{
			use: "count SLUG", short: "Count who would get the activation mail", method: http.MethodPost, path: "/orgs/{slug}/activation-mails/send",
			fixed: map[string]any{"dryRun": true}, cols: []column{{"USERS", "users"}},
		},
		verb{
			use: "bulk SLUG", short: "Send the activation mail to everybody who has not signed in yet", method: http.MethodPost, path: "/orgs/{slug}/activation-mails/send",
			job: "job", cols: jobColumns,
			ask: "Everybody who has not signed in yet gets a mail (usher invite count tells how many), and the links that\nthey have stop working.",
		},
		verb{
			use: "export SLUG", short: "Make activation links to hand out", method: http.MethodPost, path: "/orgs/{slug}/activation-links", list: true,
			long: "Make activation links for users who have not signed in yet, when the organization allows it (setting\nexportActivationLinks). Links that these users have stop working, and who has a link can come in as the\nuser.",
			cols: []column{{"USER", "user"}, {"USERNAME", "userName"}, {"E-MAIL", "email"}, {"LINK", "url"}, {"CODE", "code"}, {"EXPIRES", "expires"}},
		},
	)
}

func newMailCommand(p *program) *cobra.Command {
	const list = "/orgs/{slug}/mails"
	return newNoun(p, "mail", "See what was sent to whom, and what became of it", []string{"mails"},
		verb{
			use: "list SLUG", short: "List mails, newest first", method: http.MethodGet, path: list, list: true, cols: mailColumns,
			query: []param{
				{flag: "user", name: "user", kind: 's', usage: "id of who gets it"},
				{flag: "state", name: "state", kind: 's', usage: "queued, sent, failed, cancelled or exported"},
			},
		},
		verb{use: "show SLUG ID", short: "Show a mail", method: http.MethodGet, path: list + "/{id}", cols: mailColumns},
	)
}
