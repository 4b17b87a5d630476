package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/usher-scim/usher/backend"
)

// newDoctorCommand looks at the store as a start of the server does.
func newDoctorCommand(p *program) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use: "doctor", Short: "Examine the configured store: is it fit, and what could it lose?", Args: wants(),
		Long: "Connect to the configured store as \"usher serve\" does, and tell what usher looks at\n" +
			"before it trusts a server: permissions, version, eviction, files, replicas, memory; of a\n" +
			"cluster every primary is examined, of a data directory whether it can be written. What\n" +
			"is not well comes with what to do about it. Nothing is written to the store. Exits with\n" +
			"1 when usher would not start, 7 when there is no answer.",
		Example: "  usher doctor --config /etc/usher/usher.yaml\n  usher doctor --redis redis://10.0.0.5:6379/0 --durability replicated",
	}
	addServerFlags(cmd.Flags())
	addOutputFlag(cmd, &output)
	cmd.RunE = action(func(ctx context.Context, cmd *cobra.Command, _ []string) error {
		if err := badOutput(output); err != nil {
			return err
		}
		loaded, err := p.loadConfig(cmd.Flags())
		p.warn(loaded)
		if err != nil {
			return err
		}
		at := storeConfig(loaded, newLogger(p.stderr, loaded.Log.Level))
		checks, err := backend.Examine(ctx, at)
		if err != nil {
			return &failure{exit: exitUnavailable, what: "cannot examine the store", why: err, todo: storeRemedy(at, err)}
		}
		if err := p.print(output, checks, func() table { return checkTable(checks) }); err != nil {
			return err
		}
		failed := 0
		for _, c := range checks {
			if c.State == backend.CheckFail {
				failed++
			}
		}
		if failed > 0 {
			return &failure{exit: exitFailure, why: fmt.Errorf("failed checks: %d; usher serve would refuse this store", failed)}
		}
		return nil
	})
	return cmd
}

func checkTable(checks []backend.Check) table {
	t := table{head: []string{"STATE", "SERVER", "CHECK", "FINDING", "REMEDY"}}
	for _, c := range checks {
		t.rows = append(t.rows, []string{string(c.State), c.Server, c.Name, c.Detail, c.Remedy})
	}
	return t
}
