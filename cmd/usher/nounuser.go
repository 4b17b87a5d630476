package main

import (
	"net/http"

	"github.com/spf13/cobra"
)

const (
	userList = "/orgs/{slug}/users"
	userOne  = userList + "/{id}"
)

var userColumns = []column{
	{"ID", "id"},
	{"USERNAME", "userName"},
	{"NAME", "displayName"},
	{"STATE", "state"},
	{"LICENCES", "licences.sku"},
	{"STATUS", "licences.status"},
	{"ISSUES", "issues.code"},
}

var callingFlags = []param{
	{flag: "location", name: "location", kind: 'n', usage: "location, by id, external id or name; \"\" takes it away"},
	{flag: "number", name: "number", kind: 'n', usage: "telephone number; \"\" takes it away"},
	{flag: "extension", name: "extension", kind: 'n', usage: "extension, 2 to 10 digits; \"\" takes it away"},
}

func newUserCommand(p *program) *cobra.Command {
	whyColumns := []column{{"SKU", "sku"}, {"STATUS", "status"}, {"ISSUE", "issue"}, {"SOURCES", "sources"}, {"SINCE", "since"}, {"IN LINE", "position"}, {"SEAT", "seat"}, {"WHY", "reasons"}}
	return newNoun(p, "user", "See and change the users of an organization", nil,
		verb{
			use: "list SLUG", short: "List and search users", method: http.MethodGet, path: userList, list: true, cols: userColumns,
			example: "  usher user list acme --search zoe\n  usher user list acme --licence calling --status error --limit 0",
			query: []param{
				{flag: "search", name: "q", kind: 's', usage: "beginning or part of a name, userName or e-mail address"},
				{flag: "state", name: "state", kind: 's', usage: "not_verified, verified, active, inactive or never_activated"},
				{flag: "licence", name: "licence", kind: 's', usage: "SKU that they hold or asked for"},
				{flag: "status", name: "status", kind: 's', usage: "of that licence: assigned or error"},
				{flag: "package", name: "package", kind: 's', usage: "package that they hold"},
				{flag: "location", name: "location", kind: 's', usage: "location they are at, by id or name"},
				{flag: "source", name: "source", kind: 's', usage: "how they came: SCIM, API, CSV"},
				{flag: "grant", name: "grant", kind: 's', usage: "where a licence of theirs comes from: direct, scim, group, org_template"},
				{flag: "issue", name: "issue", kind: 's', usage: "code of an issue they have, for example no_seats_available"},
				{flag: "role", name: "role", kind: 's', usage: "role they have as administrators"},
				{flag: "numbers", name: "numbers", kind: 'b', usage: "only those with a temporary extension, whose number is to be completed"},
			},
		},
		verb{use: "show SLUG ID", short: "Show a user", method: http.MethodGet, path: userOne, cols: userColumns},
		verb{
			use: "create SLUG EMAIL", short: "Create a user", method: http.MethodPost, path: userList, cols: userColumns,
			args:    map[string]string{"email": "email"},
			example: "  usher user create acme zoe@acme.example --given Zoé --family Martin --package calling --location Paris --extension 4711",
			body: append([]param{
				{flag: "given", name: "name.givenName", kind: 's', usage: "given name"},
				{flag: "family", name: "name.familyName", kind: 's', usage: "family name"},
				{flag: "display-name", name: "displayName", kind: 's', usage: "name that others see"},
				{flag: "external-id", name: "externalId", kind: 's', usage: "id in another system"},
				{flag: "licences", name: "licences", kind: 'l', usage: "SKUs to grant; with them the organization's template is left out"},
				{flag: "package", name: "package", kind: 's', usage: "package to grant"},
				{flag: "inactive", name: "inactive", kind: 'b', usage: "create it without access and seats"},
			}, callingFlags...),
		},
		verb{
			use: "licences SLUG ID", short: "Tell which licences a user has and why, and why not", method: http.MethodGet, path: userOne + "/licences",
			rows: "licences", cols: whyColumns, example: "  usher user licences acme 06f7k2m9s3c4d5e6g7h0",
		},
		verb{
			use: "grant SLUG ID SKU...", short: "Grant licences to a user", method: http.MethodPatch, path: userOne + "/licences",
			args: map[string]string{"add": "sku..."}, rows: "licences", cols: whyColumns,
		},
		verb{
			use: "revoke SLUG ID SKU...", short: "Take directly granted licences from a user", method: http.MethodPatch, path: userOne + "/licences",
			args: map[string]string{"remove": "sku..."}, rows: "licences", cols: whyColumns,
			long: "Take directly granted licences from a user. A licence that has another source, such as a group,\nstays.",
		},
		verb{
			use: "package SLUG ID", short: "Change a user's package", method: http.MethodPatch, path: userOne + "/licences", rows: "licences", cols: whyColumns,
			body: []param{{flag: "set", name: "package", kind: 'n', need: true, usage: "SKU of the package; \"\" takes it away"}},
		},
		verb{
			use: "automatic SLUG ID", short: "Give the organization's template to a user who came with licences named", method: http.MethodPost,
			path: userOne + "/return-to-automatic-licensing", cols: userColumns,
		},
		verb{
			use: "calling SLUG ID", short: "Show what a user calls with, wished and given", method: http.MethodGet, path: userOne + "/calling",
			cols: []column{{"LOCATION", "effective.location"}, {"NUMBER", "effective.number"}, {"EXTENSION", "effective.extension"}, {"TEMPORARY", "effective.temporaryExtension"}, {"STATUS", "effective.status"}, {"ISSUES", "issues.code"}},
		},
		verb{
			use: "set-calling SLUG ID", short: "Change a user's location, number and extension", method: http.MethodPatch, path: userOne + "/calling",
			cols: []column{{"LOCATION", "effective.location"}, {"NUMBER", "effective.number"}, {"EXTENSION", "effective.extension"}, {"TEMPORARY", "effective.temporaryExtension"}, {"STATUS", "effective.status"}},
			body: append([]param{{flag: "temporary", name: "temporaryExtension", kind: 'b', usage: "the extension is to be completed by a number"}}, callingFlags...),
		},
		verb{use: "deactivate SLUG ID", short: "Take a user's access; licences and data stay", method: http.MethodPost, path: userOne + "/deactivate", cols: userColumns},
		verb{use: "reactivate SLUG ID", short: "Give a user access again", method: http.MethodPost, path: userOne + "/reactivate", cols: userColumns},
		verb{
			use: "delete SLUG ID", short: "Delete a user", method: http.MethodDelete, path: userOne, said: "deleted",
			ask: "The user cannot sign in any more, loses every licence and leaves every group; this cannot be undone.",
		},
		verb{
			use: "timeline SLUG ID", short: "Tell what happened to a user, newest first", method: http.MethodGet, path: userOne + "/timeline", list: true,
			cols: []column{{"AT", "at"}, {"WHAT", "type"}, {"BY", "actor"}, {"CHANGED", "changed"}, {"SKU", "sku"}, {"RULE", "rule"}, {"SOURCE", "source"}, {"GROUP", "group"}},
		},
	)
}

func newGroupCommand(p *program) *cobra.Command {
	const list, one = "/orgs/{slug}/groups", "/orgs/{slug}/groups/{id}"
	cols := []column{{"ID", "id"}, {"NAME", "displayName"}, {"MEMBERS", "memberCount"}, {"LICENCES", "licences"}}
	progress := []column{{"PRODUCTS", "skus"}, {"MEMBERS", "memberCount"}, {"ASSIGNED", "assignedCount"}, {"FAILED", "errorCount"}, {"JOB", "job.id"}, {"STATE", "job.state"}, {"HELD", "held.id"}}
	return newNoun(p, "group", "See and change the groups of an organization and what they give", nil,
		verb{
			use: "list SLUG", short: "List and search groups", method: http.MethodGet, path: list, list: true, cols: cols,
			query: []param{{flag: "search", name: "q", kind: 's', usage: "beginning or part of the name"}},
		},
		verb{use: "show SLUG ID", short: "Show a group", method: http.MethodGet, path: one, cols: cols},
		verb{
			use: "create SLUG NAME", short: "Create a group", method: http.MethodPost, path: list, cols: cols,
			args: map[string]string{"displayName": "name"},
			body: []param{{flag: "external-id", name: "externalId", kind: 's', usage: "id in another system"}},
		},
		verb{
			use: "delete SLUG ID", short: "Delete a group; its members stay", method: http.MethodDelete, path: one, said: "deleted",
			ask: "The members lose what only this group gives them; this cannot be undone.",
		},
		verb{
			use: "members SLUG ID", short: "List the direct members of a group", method: http.MethodGet, path: one + "/members", list: true,
			cols: []column{{"ID", "id"}, {"TYPE", "type"}, {"NAME", "display"}},
		},
		verb{
			use: "add SLUG ID MEMBER...", short: "Add members to a group", method: http.MethodPost, path: one + "/members",
			args: map[string]string{"add": "member..."}, cols: []column{{"CHANGED", "changed"}},
		},
		verb{
			use: "remove SLUG ID MEMBER...", short: "Remove members from a group", method: http.MethodPost, path: one + "/members",
			args: map[string]string{"remove": "member..."}, cols: []column{{"CHANGED", "changed"}},
		},
		verb{use: "licences SLUG ID", short: "Show what a group gives its members, and how far that is", method: http.MethodGet, path: one + "/licences", cols: progress},
		verb{
			use: "set-licences SLUG ID", short: "Say which products a group gives its members", method: http.MethodPut, path: one + "/licences", cols: progress, job: "job",
			example: "  usher group set-licences acme 06f7k2m9s3c4d5e6g7h1 --skus calling,host",
			body:    []param{{flag: "skus", name: "skus", kind: 'l', need: true, usage: "SKUs; \"\" for none"}},
		},
	)
}
