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
	var big bench.ScaleConfig
	var scale bool
	var jsonFile string
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure usher against bare handlers over the same Redis",
		Long: "Starts a redis-server of its own (or uses the one given), loads users, and lets\n" +
			"one client drive usher and bare handlers in turn. Prints ratios with their\n" +
			"targets; exits with 1 when one is missed.\n\n" +
			"With --scale it measures what must not depend on size, and what large changes do\n" +
			"to others: a million users, 100 000 groups and a group of 500 000 in one\n" +
			"organization, and a thousand organizations on a cluster.",
		Example: "  usher bench --users 100000\n  usher bench --scale --json report.json\n  usher bench --scale --users 20000 --groups 1000 --members 10000 --orgs 50",
		Args:    wants(),
	}
	cmd.RunE = action(func(ctx context.Context, _ *cobra.Command, _ []string) error {
		if c.Redis == "" {
			c.Redis = p.env["USHER_REDIS_URL"]
		}
		if p.progress {
			c.Progress = p.stderr
		}
		if !scale {
			return runBench(jsonFile, p.stdout, func() (*bench.Report, error) { return bench.Run(ctx, c) })
		}
		if cmd.Flags().Changed("redis") {
			return &failure{exit: exitUsage, why: errors.New("--scale starts redis-servers of its own; leave --redis out")}
		}
		if cmd.Flags().Changed("users") {
			big.Users = c.Users
		}
		big.Rounds, big.Round, big.Conns, big.Progress = c.Rounds, c.Round, c.Conns, c.Progress
		return runBench(jsonFile, p.stdout, func() (*bench.Report, error) { return bench.RunScale(ctx, big) })
	})
	cmd.Flags().StringVar(&c.Redis, "redis", "", "URL of an empty Redis to use; without it a redis-server is started on loopback")
	cmd.Flags().IntVar(&c.Users, "users", 100_000, "users to load; with --scale 1000000 unless it is given")
	cmd.Flags().BoolVar(&scale, "scale", false, "measure what size must not change, see above")
	cmd.Flags().IntVar(&big.Groups, "groups", 100_000, "with --scale: groups of five members")
	cmd.Flags().IntVar(&big.Members, "members", 500_000, "with --scale: members of the large group")
	cmd.Flags().IntVar(&big.Orgs, "orgs", 1000, "with --scale: organizations on the cluster; below 0 there is no cluster")
	cmd.Flags().DurationVar(&big.Mix, "mix", 0, "with --scale: how long these are asked for (default 30s)")
	cmd.Flags().IntVar(&c.Rounds, "rounds", 5, "alternating rounds of every pair")
	cmd.Flags().IntVar(&c.Conns, "conns", 16, "connections of the client")
	cmd.Flags().DurationVar(&c.Round, "round", 0, "length of one side of a round (default 1s)")
	cmd.Flags().StringVar(&jsonFile, "json", "", "also write the report to this file")
	return cmd
}

func runBench(jsonFile string, out io.Writer, measure func() (*bench.Report, error)) error {
	report, err := measure()
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
