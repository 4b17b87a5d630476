package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/usher-scim/usher/cmd/usher/bench"
)

// newBenchCommand measures usher against bare handlers in one run.
func newBenchCommand(p *program) *cobra.Command {
	var c bench.Config
	var jsonFile string
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure usher against bare handlers over the same Redis",
		Long: "Starts a redis-server of its own (or uses the one given), loads users, and lets\n" +
			"one client drive usher and bare handlers in turn. Prints ratios with their\n" +
			"targets; exits with 1 when one is missed.",
		Example: "  usher bench --users 100000\n  usher bench --users 1000000 --json report.json",
		Args:    wants(),
	}
	cmd.RunE = action(func(ctx context.Context, _ *cobra.Command, _ []string) error {
		if c.Redis == "" {
			c.Redis = p.env["USHER_REDIS_URL"]
		}
		if p.progress {
			c.Progress = p.stderr
		}
		return runBench(ctx, c, jsonFile, p.stdout)
	})
	cmd.Flags().StringVar(&c.Redis, "redis", "", "URL of an empty Redis to use; without it a redis-server is started on loopback")
	cmd.Flags().IntVar(&c.Users, "users", 100_000, "users to load")
	cmd.Flags().IntVar(&c.Rounds, "rounds", 5, "alternating rounds of every pair")
	cmd.Flags().IntVar(&c.Conns, "conns", 16, "connections of the client")
	cmd.Flags().DurationVar(&c.Round, "round", 0, "length of one side of a round (default 1s)")
	cmd.Flags().StringVar(&jsonFile, "json", "", "also write the report to this file")
	return cmd
}

func runBench(ctx context.Context, c bench.Config, jsonFile string, out io.Writer) error {
	report, err := bench.Run(ctx, c)
	if err != nil {
		return &failure{exit: exitFailure, why: err}
	}
	if jsonFile != "" {
		file, err := os.Create(jsonFile)
		if err != nil {
			return &failure{exit: exitFailure, why: fmt.Errorf("write the report: %w", err)}
		}
		if err := errors.Join(report.WriteJSON(file), file.Close()); err != nil {
			return &failure{exit: exitFailure, why: fmt.Errorf("write the report: %w", err)}
		}
	}
	if err := report.WriteTable(out); err != nil {
		return &failure{exit: exitFailure, why: err}
	}
	if _, missed := report.Count(); missed > 0 {
		return &failure{exit: exitFailure, why: fmt.Errorf("%d targets were missed", missed)}
	}
	return nil
}
