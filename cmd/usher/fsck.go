package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/resources"
)

// fsckPause is how long a difference must last while others write.
const fsckPause = 25 * time.Millisecond

// newFsckCommand compares what is derived with the records, and repairs it.
func newFsckCommand(p *program) *cobra.Command {
	f := &fsck{program: p}
	cmd := &cobra.Command{
		Use: "fsck", Short: "Compare indexes, links, pools, claims and streams with the records, and repair them", Args: wants(),
		Long: "Opens the store as \"usher serve\" does and compares everything that is derived with the\n" +
			"records, beside running servers. Prints each difference with its code, key and reason;\n" +
			"with --repair what is derived is written anew. Records, memberships and events are never\n" +
			"changed. Exits with 1 when a difference is left.",
		Example: "  usher fsck --redis redis://10.0.0.5:6379/0\n  usher fsck --repair --org acme\n  usher fsck --deep --output json",
	}
	flags := cmd.Flags()
	addStoreFlags(flags)
	flags.StringVar(&f.org, "org", "", "slug or id of the only organization to check; platform is usher's own (default: all)")
	flags.BoolVar(&f.cfg.Repair, "repair", false, "write anew what is derived and differs")
	flags.BoolVar(&f.cfg.Deep, "deep", false, "walk every index both ways, and look through all keys for what nothing names")
	flags.StringVar(&f.pace, "pace", "gentle", "gentle: work half of the time, for a store in use; full: as fast as possible")
	addOutputFlag(cmd, &f.output)
	cmd.RunE = action(func(ctx context.Context, cmd *cobra.Command, _ []string) error {
		if err := f.flags(); err != nil {
			return err
		}
		why := toRead
		if f.cfg.Repair {
			why = toMend
		}
		store, err := p.openForWork(ctx, cmd.Flags(), why)
		if err != nil {
			return err
		}
		return errors.Join(f.run(ctx, store), store.Close())
	})
	return cmd
}

// fsck is one run of the command.
type fsck struct {
	*program
	cfg               backend.FsckConfig
	org, pace, output string

	slugs map[resources.OrgID]string
	shown int
	wrote error
	drawn time.Time
}

func (f *fsck) flags() error {
	if f.pace != "gentle" && f.pace != "full" {
		return &failure{exit: exitUsage, why: fmt.Errorf("--pace %q is not known", f.pace), todo: "use gentle or full"}
	}
	return badOutput(f.output)
}

// run checks the organizations one after the other.
func (f *fsck) run(ctx context.Context, store *backend.Store) error {
	f.slugs = map[resources.OrgID]string{resources.PlatformOrg: string(resources.PlatformOrg)}
	orgs, err := f.orgs(ctx, store)
	if err != nil {
		return err
	}
	cfg := f.cfg
	cfg.Placed, cfg.Expires, cfg.Versions = resources.Placement, resources.Expiry, true
	cfg.Gentle, cfg.Pause = f.pace == "gentle" && !store.Embedded(), fsckPause
	cfg.Found = f.found
	if f.progress {
		cfg.Progress = f.step
	}
	f.begin()
	report, err := store.FsckAll(ctx, orgs, cfg)
	f.clear()
	if wrote := f.end(&report); wrote != nil {
		return wrote
	}
	switch {
	case ctx.Err() != nil:
		return context.Canceled
	case errors.Is(err, resources.ErrUnavailable):
		return &failure{exit: exitUnavailable, what: "the check could not be finished", why: err, todo: "run it again when the store answers"}
	case err != nil:
		return err
	case report.Left > 0:
		return &failure{exit: exitFailure, why: fmt.Errorf("%d differences are left", report.Left), todo: f.todo()}
	}
	return nil
}

func (f *fsck) todo() string {
	if f.cfg.Repair {
		return "each of them says what to do"
	}
	return "repair what is derived with --repair; the others say what to do"
}

// orgs are the organizations to check.
func (f *fsck) orgs(ctx context.Context, store *backend.Store) ([]resources.OrgID, error) {
	all, err := store.FsckOrgs(ctx)
	if err != nil {
		return nil, &failure{exit: exitUnavailable, what: "cannot list the organizations", why: err, todo: "see that the store answers"}
	}
	for _, org := range all {
		rec, err := store.Get(ctx, resources.PlatformOrg, resources.KindOrg, string(org))
		if err == nil && rec != nil { // what is damaged is told by the check
			f.slugs[org] = resources.SlugOf(rec)
		}
	}
	if f.org == "" {
		return all, nil
	}
	for _, org := range all {
		if string(org) == f.org || f.slugs[org] == f.org {
			return []resources.OrgID{org}, nil
		}
	}
	return nil, &failure{exit: exitNotFound, why: fmt.Errorf("there is no organization %q", f.org), todo: "see usher org list"}
}

func (f *fsck) name(org resources.OrgID) string {
	if slug := f.slugs[org]; slug != "" {
		return slug
	}
	return string(org)
}

func (f *fsck) write(format string, args ...any) {
	_, err := fmt.Fprintf(f.stdout, format, args...)
	f.wrote = errors.Join(f.wrote, err)
}

// begin and end frame the findings, which are printed as they come: there may be
// more than fit into memory.
func (f *fsck) begin() {
	if f.output == "json" {
		f.write("{\"findings\": [")
	}
}

func (f *fsck) found(x backend.Finding) {
	f.clear()
	f.shown++
	if f.output == "json" {
		line, err := json.Marshal(struct {
			Slug string `json:"slug"`
			backend.Finding
		}{f.name(x.Org), x})
		f.wrote = errors.Join(f.wrote, err)
		separator := ",\n"
		if f.shown == 1 {
			separator = "\n"
		}
		f.write("%s  %s", separator, line)
		return
	}
	state := "left"
	switch {
	case x.Repaired:
		state = "repaired"
	case x.Repairable:
		state = "repairable"
	}
	f.write("%s  %s  %s  %s  %s\n", plain(f.name(x.Org)), x.Code, state, plain(x.Key), plain(x.Reason))
	if x.Remedy != "" {
		f.write("    %s\n", plain(x.Remedy))
	}
}

func (f *fsck) end(r *backend.FsckReport) error {
	if f.output == "json" {
		summary, err := json.Marshal(r)
		f.write("\n], \"summary\": %s}\n", summary)
		return errors.Join(f.wrote, err)
	}
	f.write("%d organizations, %d records: %d differences, %d repaired, %d left\n", r.Orgs, r.Records, r.Findings, r.Repaired, r.Left)
	if r.Restless > 0 {
		f.write("%d places changed too fast to be judged; they are the next check's\n", r.Restless)
	}
	return f.wrote
}

const drawPause = 200 * time.Millisecond

// step redraws the line of progress.
func (f *fsck) step(org resources.OrgID, done, total int) {
	if now := time.Now(); now.Sub(f.drawn) > drawPause {
		f.drawn = now
		fmt.Fprintf(f.stderr, "\r%s\r%s: %d of %d records", strings.Repeat(" ", 79), plain(f.name(org)), done, total)
	}
}

func (f *fsck) clear() {
	if f.progress && !f.drawn.IsZero() {
		_, _ = io.WriteString(f.stderr, "\r"+strings.Repeat(" ", 79)+"\r") // a line for eyes only
	}
}
