package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/resources"
)

// backupCommand is one run of "usher backup".
type backupCommand struct {
	*program
	orgs       []string
	out        string
	recipients []string
	keysFile   string
	resume     bool

	store  *backend.Store
	began  time.Time
	users  int
	lines  int
	orgsN  int
	frozen time.Duration
}

// partialSuffix is behind the name of a file that is not complete.
const partialSuffix = ".partial"

func newBackupCommand(p *program) *cobra.Command {
	b := &backupCommand{program: p}
	cmd := &cobra.Command{
		Use: "backup", Short: "Write organizations to a file, while usher serves", Args: wants(),
		Long: "Write organizations to a file of JSON lines, each as it was at one moment, while usher\n" +
			"serves. It works on the store itself, as \"usher serve\" finds it; a data directory must not\n" +
			"be in use. What the file holds is secret: encrypt it, or keep it as you keep the store.",
		Example: "  usher backup --redis redis://10.0.0.5:6379/0 --out usher.jsonl\n" +
			"  usher backup --org acme --encrypt-to age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
	}
	flags := cmd.Flags()
	addStoreFlags(flags)
	flags.StringSliceVar(&b.orgs, "org", nil, "organization to write, by its slug; may be repeated (default: all, and the platform)")
	flags.StringVar(&b.out, "out", "", "file to write, or - for the standard output (default usher-<time>.jsonl)")
	flags.StringSliceVar(&b.recipients, "encrypt-to", nil, "age recipient to encrypt the file to; may be repeated")
	flags.StringVar(&b.keysFile, "recipients-file", "", "file with age recipients, one in each line")
	flags.BoolVar(&b.resume, "resume", false, "go on with an interrupted file behind its last complete organization")
	cmd.RunE = action(func(ctx context.Context, cmd *cobra.Command, _ []string) error {
		store, err := p.openForWork(ctx, cmd.Flags(), toRead)
		if err != nil {
			return err
		}
		b.store, b.began = store, time.Now()
		return errors.Join(b.run(ctx), store.Close())
	})
	return cmd
}

func (b *backupCommand) run(ctx context.Context) error {
	to, err := b.encryption()
	if err != nil {
		return err
	}
	orgs, err := b.wanted(ctx)
	if err != nil {
		return err
	}
	if b.out == "-" {
		if b.resume {
			return usageFailure("--resume goes on with a file, and --out is the standard output", "name a file")
		}
		return b.write(ctx, b.stdout, to, nil, orgs)
	}
	if b.out == "" {
		b.out = "usher-" + b.began.UTC().Format("20060102T150405Z") + ".jsonl"
		if len(to) > 0 {
			b.out += ".age"
		}
	}
	return b.toFile(ctx, to, orgs)
}

// encryption reads the recipients; none means that the file is not encrypted.
func (b *backupCommand) encryption() ([]age.Recipient, error) {
	texts := slices.Clone(b.recipients)
	if b.keysFile != "" {
		text, err := os.ReadFile(b.keysFile)
		if err != nil {
			return nil, &failure{exit: exitUsage, what: "cannot read --recipients-file", why: err}
		}
		texts = append(texts, string(text))
	}
	if len(texts) == 0 {
		return nil, nil
	}
	if b.resume {
		return nil, usageFailure("an encrypted file cannot be gone on with: only who has the key can read what is in it", "begin again without --resume")
	}
	to, err := age.ParseRecipients(strings.NewReader(strings.Join(texts, "\n")))
	if err != nil {
		return nil, &failure{exit: exitUsage, what: "--encrypt-to and --recipients-file", why: err, todo: "give recipients as age-keygen prints them (age1…)"}
	}
	return to, nil
}

func usageFailure(why, todo string) error {
	return &failure{exit: exitUsage, why: errors.New(why), todo: todo}
}

// wanted lists what to write: the platform and every organization that is not
// being deleted, or those that were named.
func (b *backupCommand) wanted(ctx context.Context) ([]backend.BackupConfig, error) {
	all := []backend.BackupConfig{{Org: resources.PlatformOrg, Slug: resources.PlatformSlug}}
	// Not page by page: when one is deleted, those behind it move up.
	ids, err := b.store.FsckOrgs(ctx)
	if err != nil {
		return nil, storeFailure("cannot list the organizations", err)
	}
	for _, id := range ids {
		if id == resources.PlatformOrg {
			continue
		}
		rec, err := b.store.Get(ctx, resources.PlatformOrg, resources.KindOrg, string(id))
		if err != nil {
			return nil, storeFailure("cannot list the organizations", err)
		}
		if rec == nil {
			continue // it is gone
		}
		o, err := resources.OrganizationIn(rec)
		if err != nil {
			return nil, storeFailure("cannot list the organizations", err)
		}
		c := backend.BackupConfig{Org: o.ID, Slug: o.Slug}
		if o.State == resources.OrgDeleting {
			c.Org = "" // it goes away
		}
		all = append(all, c)
	}
	for _, slug := range b.orgs {
		if !slices.ContainsFunc(all, func(c backend.BackupConfig) bool { return c.Slug == slug && c.Org != "" }) {
			return nil, &failure{exit: exitNotFound, why: fmt.Errorf("there is no organization %q", slug), todo: "\"usher org list\" shows them; platform stands for usher itself"}
		}
	}
	var out []backend.BackupConfig
	for _, c := range all { // each once, and the platform first: it is restored before all others
		switch {
		case len(b.orgs) > 0 && !slices.Contains(b.orgs, c.Slug):
		case c.Org == "":
			fmt.Fprintf(b.stderr, "%s is being deleted and is left out\n", plain(c.Slug))
		default:
			out = append(out, c)
		}
	}
	return out, nil
}

// toFile writes under a temporary name until all is there.
func (b *backupCommand) toFile(ctx context.Context, to []age.Recipient, orgs []backend.BackupConfig) error {
	if _, err := os.Lstat(b.out); err == nil {
		return &failure{exit: exitConflict, why: fmt.Errorf("the file %s exists", b.out), todo: "choose another name with --out"}
	}
	name := b.out + partialSuffix
	mode := os.O_RDWR | os.O_CREATE | os.O_EXCL
	if b.resume {
		mode = os.O_RDWR
	}
	file, err := os.OpenFile(name, mode, 0o600)
	switch {
	case errors.Is(err, os.ErrExist) && len(to) > 0:
		return &failure{exit: exitConflict, why: fmt.Errorf("an interrupted backup is in %s, and an encrypted one cannot be gone on with", name), todo: "remove it"}
	case errors.Is(err, os.ErrExist):
		return &failure{exit: exitConflict, why: fmt.Errorf("an interrupted backup is in %s", name), todo: "go on with it by --resume, or remove it"}
	case errors.Is(err, os.ErrNotExist) && b.resume:
		return &failure{exit: exitNotFound, why: fmt.Errorf("there is no interrupted backup in %s", name), todo: "begin one without --resume"}
	case err != nil:
		return &failure{exit: exitFailure, what: "cannot write the backup", why: err}
	}
	var done *backend.BackupContents
	if b.resume {
		if done, err = resumable(file); err != nil {
			return errors.Join(&failure{exit: exitFailure, what: "cannot go on with " + name, why: err, todo: "remove it and begin again"}, file.Close())
		}
	}
	if done == nil || !done.Complete { // else only its name is missing
		err = b.write(ctx, file, to, done, orgs)
	}
	err = errors.Join(err, file.Sync(), file.Close())
	if err != nil {
		if done == nil && (len(to) > 0 || b.lines == 0) {
			return errors.Join(err, os.Remove(name)) // nothing to go on with
		}
		fmt.Fprintf(b.stderr, "what is complete of the backup stays in %s; go on with it by --resume\n", name)
		return err
	}
	if err := os.Rename(name, b.out); err != nil {
		return &failure{exit: exitFailure, what: "cannot rename the backup", why: err}
	}
	return syncDir(filepath.Dir(b.out))
}

// resumable finds out what is complete in an interrupted file, which may be all of
// it, and cuts off the rest.
func resumable(file *os.File) (*backend.BackupContents, error) {
	done, err := backend.ReadBackup(file)
	switch {
	case err == nil:
		return done, nil
	case !backend.Truncated(err):
		return nil, err
	case done.Size == 0:
		return nil, errors.New("not even the first line is complete")
	}
	if err := file.Truncate(done.Size); err != nil {
		return nil, err
	}
	_, err = file.Seek(done.Size, io.SeekStart)
	return done, err
}

func syncDir(name string) error {
	dir, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// write writes organizations to a stream and says what became of it.
func (b *backupCommand) write(ctx context.Context, out io.Writer, to []age.Recipient, done *backend.BackupContents, orgs []backend.BackupConfig) error {
	finish := func() error { return nil }
	if len(to) > 0 {
		sealed, err := age.Encrypt(out, to...)
		if err != nil {
			return fmt.Errorf("encrypt the backup: %w", err)
		}
		out, finish = sealed, sealed.Close
	}
	w, err := b.writer(out, done)
	if err != nil {
		return err
	}
	for _, c := range orgs {
		if done != nil && slices.ContainsFunc(done.Orgs, func(o backend.BackupOrg) bool { return o.Org == c.Org }) {
			continue
		}
		if err := b.one(ctx, w, c); err != nil {
			return err
		}
	}
	if done == nil && len(b.orgs) == 0 && b.lines == 0 {
		return &failure{exit: exitNotFound, why: errors.New("there is nothing in the store: no organization, and nothing of usher itself"), todo: "see that --redis names the right server and database"}
	}
	err = w.Complete()
	if err == nil {
		err = finish()
	}
	if err != nil {
		return &failure{exit: exitFailure, what: "cannot write the backup", why: err}
	}
	b.summary(w.Header.ID)
	return nil
}

func (b *backupCommand) writer(out io.Writer, done *backend.BackupContents) (*backend.BackupWriter, error) {
	if done != nil {
		return backend.ContinueBackup(out, done), nil
	}
	return b.store.NewBackup(out, thisBuild().Version)
}

// one writes one organization.
func (b *backupCommand) one(ctx context.Context, w *backend.BackupWriter, c backend.BackupConfig) error {
	line := &progressLine{program: b.program, verb: "backing up"}
	c.Placed, c.Told = resources.Placement, line.told
	done, err := b.store.Backup(ctx, w, c)
	line.end()
	if err != nil {
		return storeFailure("cannot back up "+c.Slug, err)
	}
	b.orgsN++
	for kind, n := range done.Counts {
		b.lines += n
		if kind == "user" {
			b.users += n
		}
	}
	b.frozen = max(b.frozen, done.Frozen)
	return nil
}

func (b *backupCommand) summary(id string) {
	where := b.out
	if where == "-" {
		where = "the standard output"
	}
	fmt.Fprintf(b.stderr, "backup %s: %d organizations, %d lines, %d of them of users, in %s to %s; writes were held up for %s at most\n",
		id, b.orgsN, b.lines, b.users, time.Since(b.began).Round(10*time.Millisecond), where, b.frozen.Round(100*time.Microsecond))
}
