package backend

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

const (
	// frozen begins the answer of a script that must wait for a backup.
	frozen = "FROZEN"

	markFor    = 60 * time.Second // how long a mark lasts that nobody prolongs
	renewAfter = 10 * time.Second
	freezeFor  = 2 * time.Second // how long nothing may change at most
	thawWait   = 3 * time.Second // how long a write waits for that
	thawPause  = 8 * time.Millisecond
	restMost   = 5 * time.Millisecond // the pause behind a chunk

	fewNotes    = 50   // notes that are read while nothing may change
	manyNotes   = 2000 // the same, once passes do not make them fewer
	enough      = 10   // passes that show that
	mostPasses  = 50   // over what changed meanwhile, before all of it is read like that
	mostFreezes = 5    // that ended before all was read
	linkChunk   = 500  // ids in one line
)

// thawed sends a call, again while a backup reads what it has not read yet: that
// takes milliseconds, and nothing was changed by then.
func (s *Store) thawed(ctx context.Context, c *call) (any, error) {
	began, pause := started(), thawPause
	for {
		reply, err := s.send(ctx, c)
		if err == nil || !redis.HasErrorPrefix(err, frozen) || started().Sub(began) > thawWait {
			return reply, err
		}
		if err := s.sleep(ctx, pause); err != nil {
			return nil, err
		}
		pause = min(2*pause, 10*thawPause)
	}
}

// BackupStep tells how far a backup or a restoration is.
type BackupStep struct {
	Org   resources.OrgID
	Slug  string
	Lines int // of the organization so far
	Users int
}

// BackupConfig says how one organization is backed up.
type BackupConfig struct {
	Org    resources.OrgID
	Slug   string
	Placed resources.Placed // the rules, see resources.Placement
	Told   func(BackupStep) // is told of every chunk; nil: nobody is
}

// BackupDone tells of one organization that was backed up.
type BackupDone struct {
	Counts map[string]int // lines by type
	LSN    string         // of the last event in it
	Passes int            // over what changed meanwhile
	Frozen time.Duration  // how long nothing could change
}

// backup is one backup of one organization.
type backup struct {
	s    *Store
	cfg  BackupConfig
	keys keys
	name string // of this attempt, in the mark
	w    *BackupWriter

	put     func(*line) error // where lines go
	others  map[string]bool   // pools of which no record tells who is in
	events  string            // the last one that was read
	renewed time.Time
	step    BackupStep
	done    BackupDone
	frozen  bool // lines are held back until the freeze has ended
	room    bytes.Buffer
}

// Backup writes everything that is true about one organization to w: as it was
// at one moment, whoever changed it meanwhile. Derived data is not written. One
// backup of an organization runs at a time.
func (s *Store) Backup(ctx context.Context, w *BackupWriter, cfg BackupConfig) (done BackupDone, err error) {
	defer s.observe("backup", started(), &err)
	k, err := keysOf(cfg.Org)
	if err != nil {
		return done, err
	}
	name, err := s.stamp()
	if err != nil {
		return done, err
	}
	if cfg.Told == nil {
		cfg.Told = func(BackupStep) {}
	}
	b := &backup{s: s, cfg: cfg, keys: k, name: name, w: w, put: w.line, others: map[string]bool{}, step: BackupStep{Org: cfg.Org, Slug: cfg.Slug}}
	if err := b.begin(ctx); err != nil {
		return done, err
	}
	defer func() {
		// Also when ctx has ended; else the mark ends by itself.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if _, e := b.mark(ctx, "end", 0); e != nil && err == nil {
			err = e
		}
	}()
	err = b.run(ctx)
	return b.done, err
}

// mark sends one word about the mark and returns the answer's number.
func (b *backup) mark(ctx context.Context, what string, length time.Duration) (int64, error) {
	c := newCall(b.s.scripts.backup.mark, 4)
	c.key(b.keys.backup())
	c.arg(what, b.name, strconv.FormatInt(length.Milliseconds(), 10))
	reply, err := b.s.write(ctx, c)
	if err != nil {
		return 0, explain(ctx, "mark the backup", err)
	}
	list, _ := reply.([]any)
	if len(list) != 2 {
		return 0, fmt.Errorf("backend: backup: the script gave an answer that is not understood: %v", reply)
	}
	n, _ := list[1].(int64)
	switch list[0] {
	case "ok":
		return n, nil
	case "lapsed":
		return 0, errLapsed
	case "running":
		return 0, fmt.Errorf("backend: backup: another backup of the organization %s is running; wait for it, or %s if it has died", b.cfg.Slug, (time.Duration(n) * time.Millisecond).Round(time.Second))
	}
	return 0, fmt.Errorf("backend: backup: the mark of the organization %s is gone: it is being erased, or the store did not answer for %s; begin again", b.cfg.Slug, markFor)
}

func (b *backup) begin(ctx context.Context) error {
	b.renewed = started()
	_, err := b.mark(ctx, "begin", markFor)
	return err
}

// rest follows every chunk: others use the store, too.
func (b *backup) rest(ctx context.Context, began time.Time) error {
	now := started()
	b.cfg.Told(b.step)
	if now.Sub(b.renewed) > renewAfter {
		if _, err := b.mark(ctx, "renew", markFor); err != nil {
			return err
		}
		b.renewed = now
	}
	return b.s.sleep(ctx, min(now.Sub(began)/2, restMost))
}

// run reads everything, then what changed meanwhile, until little is left, and
// that while nothing changes.
func (b *backup) run(ctx context.Context) error {
	lsn, err := b.s.lastEvent(ctx, b.s.scans, b.keys)
	if err != nil {
		return err
	}
	if err := b.w.begin(b.cfg.Org, b.cfg.Slug, lsn, b.s.cfg.Now().UTC().Truncate(time.Millisecond)); err != nil {
		return err
	}
	for _, kind := range resources.Kinds() {
		if err := b.kind(ctx, kind); err != nil {
			return err
		}
	}
	for _, step := range []func(context.Context) error{b.memberships, b.trash, b.work, b.expiring, b.newEvents} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	for freezes := 0; ; freezes++ {
		if err := b.catchUp(ctx); err != nil {
			return err
		}
		ended, err := b.freeze(ctx)
		if ended || err != nil {
			return err
		}
		if freezes == mostFreezes {
			return fmt.Errorf("backend: backup: the organization %s changed too fast to be read at one moment: %w; try again when less is going on", b.cfg.Slug, resources.ErrUnavailable)
		}
	}
}

// catchUp reads what was noted until little is left.
func (b *backup) catchUp(ctx context.Context) error {
	for ; b.done.Passes < mostPasses; b.done.Passes++ {
		left, err := b.mark(ctx, "renew", markFor)
		if err != nil || left <= fewNotes || left <= manyNotes && b.done.Passes >= enough {
			return err
		}
		b.renewed = started()
		if err := b.noted(ctx, true); err != nil {
			return err
		}
		if err := b.newEvents(ctx); err != nil {
			return err
		}
	}
	return nil
}

// noted reads again what the notes say. With take they are taken off first, so
// that what changes while it is read is noted again.
func (b *backup) noted(ctx context.Context, take bool) error {
	for cursor := uint64(0); ; {
		began := started()
		pairs, next, err := b.s.scans.HScan(ctx, b.keys.backup(), cursor, "", walkSize).Result()
		if err != nil {
			return explain(ctx, "read the backup's notes", err)
		}
		notes := make([]string, 0, len(pairs)/2)
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] != "" {
				notes = append(notes, pairs[i])
			}
		}
		for chunk := range slices.Chunk(notes, chunkSize) {
			if err := b.follow(ctx, chunk, take); err != nil {
				return err
			}
		}
		if cursor = next; cursor == 0 {
			return nil
		}
		if take {
			if err := b.rest(ctx, began); err != nil {
				return err
			}
		}
	}
}

// freeze reads the rest while nothing may change. It reports false when that
// took too long: then some of it may have changed again.
func (b *backup) freeze(ctx context.Context) (ended bool, err error) {
	var held []*line
	events := b.events
	b.put, b.frozen = func(l *line) error { held = append(held, l); return nil }, true
	defer func() { b.put, b.frozen = b.w.line, false }()
	began := started()
	if _, err := b.mark(ctx, "freeze", freezeFor); err != nil {
		return false, err
	}
	err = firstDone(
		func() error { return b.noted(ctx, false) },
		func() error { return b.newEvents(ctx) },
		func() error { return b.home(ctx) },
	)
	if err != nil {
		return false, err
	}
	if _, err = b.mark(ctx, "thaw", markFor); err == errLapsed { //nolint:errorlint // it is never wrapped
		b.events = events
		return false, nil
	}
	if err != nil {
		return false, err
	}
	b.done.Frozen = started().Sub(began)
	for _, l := range held {
		if err := b.w.line(l); err != nil {
			return false, err
		}
	}
	b.done.LSN = b.events
	b.done.Counts, err = b.w.end(b.cfg.Org, b.cfg.Slug, b.events, b.s.cfg.Now().UTC().Truncate(time.Millisecond))
	return err == nil, err
}

func firstDone(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// noteOf splits a note into a key, or the letters of a list, and what it says
// about it.
func noteOf(note string) (key, of string) {
	key, of, _ = strings.Cut(note, "|")
	return key, of
}
