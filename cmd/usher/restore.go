package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/resources"
)

// restoreCommand is one run of "usher restore".
type restoreCommand struct {
	*program
	file     string
	orgs     []string
	identity string
	resume   bool
	discard  bool
	check    bool
	store    *backend.Store
}

func newRestoreCommand(p *program) *cobra.Command {
	r := &restoreCommand{program: p}
	cmd := &cobra.Command{
		Use: "restore FILE", Short: "Write the organizations of a backup into a store", Args: wants("file"),
		Long: "Write the organizations of a backup into a store of any kind. The file is checked as a whole\n" +
			"before anything is written. An organization that is in the store already is refused; one\n" +
			"that is being restored can be seen once all of it is there.",
		Example: "  usher restore usher.jsonl --redis redis+cluster://10.0.0.5:6379,10.0.0.6:6379\n" +
			"  usher restore usher.jsonl.age --identity-file key.txt --org acme",
	}
	flags := cmd.Flags()
	addStoreFlags(flags)
	flags.StringSliceVar(&r.orgs, "org", nil, "organization to restore, by its slug; may be repeated (default: all in the file)")
	flags.StringVar(&r.identity, "identity-file", "", "file with the age identity that opens an encrypted backup")
	flags.BoolVar(&r.resume, "resume", false, "go on with a restoration of this file that was interrupted")
	flags.BoolVar(&r.discard, "discard", false, "erase what an interrupted restoration of this file has left, and restore nothing")
	flags.BoolVar(&r.check, "check", false, "only check the file; no store is needed")
	cmd.RunE = action(func(ctx context.Context, cmd *cobra.Command, args []string) error {
		r.file = args[0]
		contents, err := r.contents()
		if err != nil || r.check {
			return err
		}
		if r.store, err = p.openForWork(ctx, cmd.Flags(), toFill); err != nil {
			return err
		}
		return errors.Join(r.run(ctx, contents), r.store.Close())
	})
	return cmd
}

// open opens the file, and what is encrypted in it.
func (r *restoreCommand) open() (io.Reader, func() error, error) {
	file, err := os.Open(r.file)
	if err != nil {
		return nil, nil, &failure{exit: exitNotFound, what: "cannot read the backup", why: err}
	}
	const magic = "age-encryption.org/"
	in := bufio.NewReader(file)
	head, err := in.Peek(len(magic))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, errors.Join(&failure{exit: exitFailure, what: "cannot read the backup", why: err}, file.Close())
	}
	if string(head) != magic {
		return in, file.Close, nil
	}
	if r.identity == "" {
		return nil, nil, errors.Join(usageFailure("the backup is encrypted", "give the file with the age identity that opens it by --identity-file"), file.Close())
	}
	clear, err := r.decrypt(in)
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	return clear, file.Close, nil
}

func (r *restoreCommand) decrypt(in io.Reader) (io.Reader, error) {
	file, err := os.Open(r.identity)
	if err != nil {
		return nil, &failure{exit: exitUsage, what: "cannot read --identity-file", why: err}
	}
	keys, err := age.ParseIdentities(file)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, &failure{exit: exitUsage, what: "--identity-file", why: err, todo: "it must be a file as age-keygen writes it"}
	}
	clear, err := age.Decrypt(in, keys...)
	if err != nil {
		return nil, &failure{exit: exitForbidden, what: "cannot open the backup", why: err, todo: "give the identity that belongs to one of its recipients"}
	}
	return clear, nil
}

// contents checks the whole file and says what is in it.
func (r *restoreCommand) contents() (*backend.BackupContents, error) {
	in, shut, err := r.open()
	if err != nil {
		return nil, err
	}
	contents, err := backend.ReadBackup(in)
	if err = errors.Join(err, shut()); err != nil {
		return nil, &failure{exit: exitFailure, what: "cannot restore " + r.file, why: err}
	}
	for _, slug := range r.orgs {
		if !slices.ContainsFunc(contents.Orgs, func(o backend.BackupOrg) bool { return o.Slug == slug }) {
			return nil, &failure{exit: exitNotFound, why: fmt.Errorf("the organization %s is not in the file %s", slug, r.file), todo: "name one that is; the begin lines of the file show them"}
		}
	}
	fmt.Fprintf(r.stderr, "backup %s of %s, %d organizations, %d lines in all: the file is sound\n", contents.Header.ID, contents.Header.Time.Format(time.RFC3339), len(contents.Orgs), contents.Lines)
	return contents, nil
}

func (r *restoreCommand) run(ctx context.Context, contents *backend.BackupContents) error {
	if r.discard {
		dropped, err := r.store.DropRestored(ctx, contents, r.orgs)
		for _, o := range dropped {
			fmt.Fprintf(r.stderr, "erased what was restored of %s\n", plain(o.Slug))
		}
		if err == nil && len(dropped) == 0 {
			fmt.Fprintln(r.stderr, "nothing was erased: no restoration of this file is unfinished here")
		}
		return r.explain(err)
	}
	in, shut, err := r.open()
	if err != nil {
		return err
	}
	began := time.Now()
	line := &progressLine{program: r.program, verb: "restoring"}
	restored, err := r.store.Restore(ctx, in, contents, backend.RestoreConfig{
		Placed: resources.Placement, Only: r.orgs, Resume: r.resume, Told: line.told,
	})
	line.end()
	if err = errors.Join(err, shut()); err != nil {
		return r.explain(err)
	}
	users := 0
	for _, o := range restored {
		users += o.Counts["user"]
		fmt.Fprintf(r.stderr, "restored %s as of %s\n", plain(o.Slug), o.Time.Format(time.RFC3339))
	}
	fmt.Fprintf(r.stderr, "%d organizations, %d lines of users, in %s\n", len(restored), users, time.Since(began).Round(10*time.Millisecond))
	fmt.Fprintln(r.stderr, "note: what was sealed with secret_key opens only where usher runs with the same secret_key (see docs/operations.md)")
	return nil
}

// explain gives the exit code of a restoration that failed.
func (r *restoreCommand) explain(err error) error {
	if u, ok := errors.AsType[*backend.Unrestorable](err); ok {
		reasons := make([]error, len(u.Reasons))
		for i, reason := range u.Reasons {
			reasons[i] = errors.New(reason)
		}
		todo := ""
		if u.Occupied {
			todo = "restore into an empty store, or name by --org the organizations that are missing here (the platform is there as soon as anything is)"
		}
		return &failure{exit: exitConflict, what: "the backup cannot be restored here", why: indented{errors.Join(reasons...)}, todo: todo}
	}
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(r.stderr, "the restoration was interrupted; go on with it by --resume, or drop it by --discard")
		return err
	}
	return storeFailure("the restoration was interrupted", fmt.Errorf("%w; go on with it by --resume, or drop it by --discard", err))
}
