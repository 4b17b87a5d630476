package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

const docsURL = "https://github.com/usher-scim/usher"

// newRootCommand puts the tree of commands together.
func newRootCommand(p *program) *cobra.Command {
	root := &cobra.Command{
		Use:   "usher",
		Short: "usher receives Users and Groups from identity providers by SCIM 2.0",
		Long: "usher receives Users and Groups from identity providers by SCIM 2.0 and keeps\n" +
			"them in Redis, or in memory for a first look.\n\n" +
			"Exit codes: 0 done, 1 failed, 2 wrong command line or value, 3 faults in the\n" +
			"configuration, 4 not found, 5 conflict, 6 not allowed, 7 server or store\n" +
			"unavailable, 130 interrupted.",
		Example: "  usher serve                          start with nothing configured\n" +
			"  usher org create acme                make an organization\n" +
			"  usher token create acme --name okta  make a provisioning token for it",
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.SetHelpTemplate(root.HelpTemplate() + "\nDocumentation: " + docsURL + "\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &failure{exit: exitUsage, why: err, todo: fmt.Sprintf("see \"%s --help\"", cmd.CommandPath())}
	})
	root.AddGroup(
		&cobra.Group{ID: "server", Title: "Server:"},
		&cobra.Group{ID: "prove", Title: "Proof, of any SCIM server:"},
		&cobra.Group{ID: "manage", Title: "Organizations, over the REST API:"},
		&cobra.Group{ID: "people", Title: "People, over the REST API:"},
		&cobra.Group{ID: "rights", Title: "Licences, numbers and billing, over the REST API:"})
	for group, commands := range map[string][]*cobra.Command{
		"server": {newServeCommand(p), newConfigCommand(p), newDoctorCommand(p), newHealthcheckCommand(p), newFsckCommand(p), newBackupCommand(p), newRestoreCommand(p)},
		"prove":  {newCheckCommand(p), newSimulateCommand(p), newBenchCommand(p)},
		"manage": {newOrgCommand(p), newTokenCommand(p), newClientCommand(p), newSchemaCommand(p), newResourceTypeCommand(p), newSettingsCommand(p), newAdminCommand(p)},
		"people": {newUserCommand(p), newGroupCommand(p), newDomainCommand(p), newSSOCommand(p), newSessionCommand(p), newInviteCommand(p), newMailCommand(p), newAlertCommand(p), newJobCommand(p)},
		"rights": {
			newProductCommand(p), newSubscriptionCommand(p), newLicenseCommand(p), newTemplateCommand(p),
			newLocationCommand(p), newNumberCommand(p), newExtensionCommand(p), newBillingCommand(p),
		},
		"": {newVersionCommand(p)},
	} {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	return root
}

// nounCommand is a command that only holds others.
func nounCommand(name, short string, verbs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: name, Short: short, RunE: func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		f := &failure{exit: exitUsage, why: fmt.Errorf("unknown command %q for %q", args[0], cmd.CommandPath())}
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			f.todo = "did you mean " + strings.Join(near, " or ") + "?"
		}
		return f
	}}
	cmd.SuggestionsMinimumDistance = 2
	cmd.AddCommand(verbs...)
	return cmd
}

// wants checks the number of arguments and names the missing one.
func wants(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return &failure{
				exit: exitUsage, why: errors.New("the argument " + strings.ToUpper(names[len(args)]) + " is missing"),
				todo: "see \"" + cmd.CommandPath() + " --help\"",
			}
		case len(args) > len(names):
			return &failure{
				exit: exitUsage, why: fmt.Errorf("%q is one argument too many", args[len(names)]),
				todo: "see \"" + cmd.CommandPath() + " --help\"",
			}
		case slices.Contains(args, ""):
			return &failure{exit: exitUsage, why: errors.New("an argument is empty"), todo: "see \"" + cmd.CommandPath() + " --help\""}
		}
		return nil
	}
}
