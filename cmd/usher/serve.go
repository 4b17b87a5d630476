package main

import (
	"context"

	"github.com/spf13/cobra"
)

func newServeCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use: "serve", Short: "Run the gateway", Args: wants(),
		Long: "Run the gateway until SIGTERM or an interrupt; then finish what is in flight, at most\n" +
			"15 seconds, and exit 0. A second signal ends it at once.\n\n" +
			"Settings come from the defaults, a YAML file, USHER_* variables (secrets also from the\n" +
			"file that USHER_…_FILE names) and flags, the later winning; \"usher config show\" lists them.",
		Example: "  usher serve\n" +
			"  usher serve --listen 127.0.0.1:0 --ready-file /run/usher/ready.json\n" +
			"  USHER_REDIS_PASSWORD_FILE=/run/secrets/redis usher serve --redis redis://10.0.0.5:6379/0",
	}
	addServerFlags(cmd.Flags())
	cmd.RunE = action(func(ctx context.Context, cmd *cobra.Command, _ []string) error {
		loaded, err := p.loadConfig(cmd.Flags())
		if err != nil {
			p.warn(loaded)
			return err
		}
		issue, err := cmd.Flags().GetBool("issue-api-token")
		if err != nil {
			return err
		}
		s := &service{issue: issue, cfg: loaded, log: newLogger(p.stderr, loaded.Log.Level), out: p.stdout, drainPause: p.drainPause}
		return s.serve(ctx)
	})
	return cmd
}
