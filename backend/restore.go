package backend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/usher-scim/usher/resources"
)

// RestoreConfig says how a file is restored.
type RestoreConfig struct {
	Placed resources.Placed
	Only   []string         // slugs; empty: all organizations in the file
	Resume bool             // go on with a restoration of this file that was interrupted
	Told   func(BackupStep) // is told of every piece; nil: nobody is
}

// Unrestorable says why a store does not take a backup, reason by reason. Nothing
// of what the reasons are about can be seen in the store.
type Unrestorable struct {
	Reasons  []string
	Occupied bool // some of it is in the store already
}

// Error lists the reasons.
func (u *Unrestorable) Error() string {
	return "the backup cannot be restored here: " + strings.Join(u.Reasons, "; ")
}

// mostReasons are listed; who has more has the wrong store.
const mostReasons = 100

// Restore writes the organizations of a file that ReadBackup found sound, which
// gave contents, into the store. Everything that follows from records is derived
// by cfg.Placed. An organization can be seen once all of it is there; until
// then it can be gone on with (Resume) or be dropped (DropRestored).
func (s *Store) Restore(ctx context.Context, file io.Reader, contents *BackupContents, cfg RestoreConfig) (restored []BackupOrg, err error) {
	defer s.observe("restore", started(), &err)
	if cfg.Told == nil {
		cfg.Told = func(BackupStep) {}
	}
	wanted, err := contents.wanted(cfg.Only)
	if err != nil {
		return nil, err
	}
	r, err := s.newRestoration(contents, cfg)
	if err != nil {
		return nil, err
	}
	if err := r.prepare(ctx, wanted); err != nil {
		return nil, err
	}
	if err := r.follow(ctx, file); err != nil {
		return r.restored, err
	}
	for _, o := range r.all {
		if err := r.mark(ctx, o.Org, "end"); err != nil {
			return r.restored, err
		}
	}
	return r.restored, nil
}

// follow writes line after line, while the next ones are read.
func (r *restoration) follow(ctx context.Context, file io.Reader) error {
	type read struct {
		org  *BackupOrg
		line *line
	}
	const ahead = 1000
	lines := make(chan read, ahead)
	group, inner := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(lines)
		again, err := readBackup(file, func(org *BackupOrg, l *line) error {
			select {
			case lines <- read{org, l}:
				return nil
			case <-inner.Done():
				return inner.Err()
			}
		})
		if err == nil && again.Header.ID != r.id {
			err = errors.New("backend: restore: the file is another one than the one that was checked")
		}
		return err
	})
	group.Go(func() error {
		for next := range lines {
			if err := r.line(inner, next.org, next.line); err != nil {
				return err
			}
		}
		return nil
	})
	return group.Wait()
}

// wanted picks organizations by slug.
func (c *BackupContents) wanted(only []string) ([]BackupOrg, error) {
	if len(only) == 0 {
		return c.Orgs, nil
	}
	var out []BackupOrg
	for _, slug := range only {
		i := slices.IndexFunc(c.Orgs, func(o BackupOrg) bool { return o.Slug == slug })
		if i < 0 {
			return nil, &Unrestorable{Reasons: []string{fmt.Sprintf("the organization %s is not in the file", slug)}}
		}
		out = append(out, c.Orgs[i])
	}
	return out, nil
}

// restoration is one run of Restore.
type restoration struct {
	s      *Store
	cfg    RestoreConfig
	id     string // of the backup
	run    string // of this restoration of it
	home   keys
	all    []BackupOrg
	wanted map[resources.OrgID]bool // that are still to be restored

	occupied bool // an organization is in the store already

	// of the organization that is being restored
	b        *batch
	homes    []*line
	claiming sync.Mutex                     // guards refused
	refused  map[resources.HeldClaim]string // claims that others have, by who is to have them here, and who has them
	sealed   bool                           // all but its records in the platform is there
	step     BackupStep
	restored []BackupOrg
}

// What is behind the backup's id in the mark of an organization, see
// scripts/restore_mark.lua.
const (
	writtenMark = "." // by the run whose name follows
	sealedMark  = "!"
	doneMark    = "+"
)

func (s *Store) newRestoration(contents *BackupContents, cfg RestoreConfig) (*restoration, error) {
	run, err := s.stamp()
	if err != nil {
		return nil, err
	}
	r := &restoration{s: s, cfg: cfg, id: contents.Header.ID, run: run, wanted: map[resources.OrgID]bool{}}
	r.home, err = keysOf(resources.PlatformOrg)
	return r, err
}

// prepare refuses what cannot be restored before anything is written.
func (r *restoration) prepare(ctx context.Context, wanted []BackupOrg) error {
	r.all = wanted
	var reasons []string
	if i := slices.IndexFunc(wanted, func(o BackupOrg) bool { return o.Org == resources.PlatformOrg }); i >= 0 {
		// The records of the others would stand in it by then.
		if slices.ContainsFunc(wanted, func(o BackupOrg) bool { return o.First < wanted[i].First }) {
			reasons = append(reasons, "the platform stands behind other organizations in the file: restore it first, by --org platform, and then the others by --org")
		}
	}
	for _, o := range wanted {
		reason, done, err := r.look(ctx, o)
		if err != nil {
			return err
		}
		if reason != "" && len(reasons) < mostReasons {
			reasons = append(reasons, reason)
		}
		r.wanted[o.Org] = !done
	}
	if len(reasons) > 0 {
		return &Unrestorable{Reasons: reasons, Occupied: r.occupied}
	}
	return nil
}

// look tells why an organization cannot be restored, or that it is already.
func (r *restoration) look(ctx context.Context, o BackupOrg) (reason string, done bool, err error) {
	k, err := keysOf(o.Org)
	if err != nil {
		return "", false, err
	}
	mark, err := r.s.reads.Get(ctx, k.restoring()).Result()
	if err != nil && !isNil(err) {
		return "", false, explain(ctx, "look for the organization", err)
	}
	seen, err := r.s.reads.Exists(ctx, r.home.record(resources.KindOrg, string(o.Org))).Result()
	if err != nil {
		return "", false, explain(ctx, "look for the organization", err)
	}
	state, ours := strings.CutPrefix(mark, r.id)
	switch {
	case ours && state == sealedMark && seen > 0: // only the last word about it is missing
		return "", true, r.mark(ctx, o.Org, "done")
	case ours && state == doneMark:
		return "", true, nil
	case ours && !r.cfg.Resume:
		return fmt.Sprintf("a restoration of %s from this file runs or was interrupted (go on with --resume, which ends one that runs, or drop it with --discard)", o.Slug), false, nil
	case mark != "" && !ours:
		return fmt.Sprintf("a restoration of %s from another file was interrupted (drop it with --discard and that file)", o.Slug), false, nil
	}
	if mark == "" {
		there, err := r.holds(ctx, k)
		if err != nil || there {
			r.occupied = r.occupied || there
			return fmt.Sprintf("the organization %s is in the store already (id %s)", o.Slug, o.Org), false, err
		}
	}
	if o.Org == resources.PlatformOrg {
		return "", false, nil
	}
	holder, err := r.s.reads.HGet(ctx, r.home.index(resources.OrgSlug), resources.OrgSlug.Key(o.Slug)).Result()
	if err != nil && !isNil(err) {
		return "", false, explain(ctx, "look for the slug", err)
	}
	if holder != "" && holder != string(o.Org) {
		return fmt.Sprintf("the slug %s belongs to another organization (id %s): rename one of them", o.Slug, holder), false, nil
	}
	return "", false, nil
}

// HalfRestored tells whether a restoration of the platform has begun and not ended:
// what is there then is not what was backed up, and must not be added to.
func (s *Store) HalfRestored(ctx context.Context) (bool, error) {
	home, err := keysOf(resources.PlatformOrg)
	if err != nil {
		return false, err
	}
	mark, err := s.reads.Get(ctx, home.restoring()).Result()
	if isNil(err) {
		return false, nil
	}
	return !strings.HasSuffix(mark, doneMark), explain(ctx, "look for a restoration", err)
}

// holds tells whether anything of an organization is in the store.
func (r *restoration) holds(ctx context.Context, k keys) (bool, error) {
	pipe := r.s.reads.Pipeline()
	n := pipe.Exists(ctx, r.s.truthKeys(k)...)
	homes := pipe.Exists(ctx, r.homeKeys(k.org)...)
	_, err := pipe.Exec(ctx)
	return n.Val()+homes.Val() > 0, explain(ctx, "look for the organization", err)
}

// truthKeys are the keys of an organization's lists: all that it has hangs on one
// of them.
func (s *Store) truthKeys(k keys) []string {
	out := []string{k.events(), k.claims(), k.expiry(), k.trashList(), k.places(), k.due(), k.parked()}
	for _, kind := range resources.Kinds() {
		if i := resources.All(kind); i != resources.NoIndex {
			out = append(out, k.index(i))
		}
	}
	return out
}

// homeKeys are the keys of an organization's records in the platform; never none,
// as commands want it.
func (r *restoration) homeKeys(org resources.OrgID) []string {
	out := []string{r.home.record(resources.KindOrg, string(org))}
	for _, id := range resources.HomeRecords(org) {
		if kind, ok := known(id); ok {
			out = append(out, r.home.record(kind, id))
		}
	}
	return out
}

// mark sends one word about the mark of a restoration.
func (r *restoration) mark(ctx context.Context, org resources.OrgID, what string) error {
	k, err := keysOf(org)
	if err != nil {
		return err
	}
	c := newCall(r.s.scripts.backup.restoreMark, 20)
	c.key(k.restoring())
	c.key(r.s.truthKeys(k)...)
	resume := "0"
	if r.cfg.Resume {
		resume = "1"
	}
	c.arg(what, r.id, r.run, resume)
	reply, err := r.s.write(ctx, c)
	switch {
	case err != nil:
		return explain(ctx, "mark the restoration", err)
	case reply == "ok":
		return nil
	case reply == "sealed":
		return errSealed
	case what != "begin":
		return errRestoreLost
	}
	return &Unrestorable{Reasons: []string{fmt.Sprintf("somebody else began to write the organization %s", org)}}
}

// line restores one line.
func (r *restoration) line(ctx context.Context, org *BackupOrg, l *line) error {
	if !r.wanted[org.Org] {
		return nil
	}
	switch {
	case l.T == lineBegin:
		k, err := keysOf(org.Org)
		if err != nil {
			return err
		}
		r.b, r.homes, r.refused = newBatch(r, k), nil, map[resources.HeldClaim]string{}
		r.step = BackupStep{Org: org.Org, Slug: org.Slug}
		err = r.mark(ctx, org.Org, "begin")
		if r.sealed = err == errSealed; r.sealed { //nolint:errorlint // it is never wrapped
			return nil
		}
		return err
	case l.T == lineEnd:
		return r.end(ctx, org)
	case l.Home:
		r.homes = append(r.homes, l)
		return nil
	case r.sealed:
		return nil
	}
	r.step.Lines++
	if l.T == kindWords[resources.KindUser] {
		r.step.Users++
	}
	return r.b.add(ctx, l)
}

// end makes the organization visible, unless others have claims of it.
func (r *restoration) end(ctx context.Context, org *BackupOrg) error {
	if err := r.b.flush(ctx); err != nil {
		return err
	}
	if len(r.refused) > 0 {
		return r.giveUp(ctx, org)
	}
	if err := r.mark(ctx, org.Org, "seal"); err != nil {
		return err
	}
	for _, l := range r.homes { // the organization's own is the last
		if err := r.visible(ctx, org, l); err != nil {
			return err
		}
	}
	r.restored = append(r.restored, *org)
	return r.mark(ctx, org.Org, "done")
}

// visible writes one of the organization's records in the platform.
func (r *restoration) visible(ctx context.Context, org *BackupOrg, l *line) error {
	b := newBatch(r, r.home)
	b.mark, b.strict = "", true // it is not the platform that is restored
	if of, is := resources.HomeOf(l.record()); !is || of != org.Org {
		return fmt.Errorf("backend: restore: the record %s is not about the organization %s", l.ID, org.Org)
	}
	err := firstDone(
		func() error { return b.add(ctx, l) },
		func() error { return b.flush(ctx) },
	)
	if errors.Is(err, errNameTaken) {
		return &Unrestorable{Reasons: []string{fmt.Sprintf("another organization took the slug %s meanwhile: rename it, and go on with --resume", org.Slug)}}
	}
	return err
}
