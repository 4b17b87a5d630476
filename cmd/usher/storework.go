package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/config"
	"github.com/usher-scim/usher/internal/journal"
)

// addStoreFlags gives a command that works on the store itself the flags by which
// the server finds it.
func addStoreFlags(flags *pflag.FlagSet) {
	flags.String("config", "", "YAML file with settings, as of \"usher serve\"")
	for _, f := range serverFlags() {
		if f[0] == "redis" || f[0] == "data-dir" {
			flags.String(f[0], "", "the store, as of \"usher serve\"")
		}
	}
}

// purpose is what such a command opens the store for.
type purpose int

const (
	toFill purpose = iota // it may be made by that
	toMend                // it must be there
	toRead                // the same, and what is in it stays as it is
)

// openForWork opens the store of such a command.
func (p *program) openForWork(ctx context.Context, flags *pflag.FlagSet, why purpose) (*backend.Store, error) {
	loaded, err := p.loadConfig(flags)
	if err != nil {
		p.warn(loaded)
		return nil, err
	}
	if loaded.Redis.URL == "" && loaded.DataDir == "" {
		return nil, usageFailure("no store is named: an embedded one that is only in memory belongs to its server alone", "give --redis or --data-dir, or the server's --config")
	}
	if why != toFill {
		if err := hasData(loaded); err != nil {
			return nil, err
		}
	}
	at := storeConfig(loaded, newLogger(p.stderr, loaded.Log.Level))
	if why == toRead {
		// Also one that is not fit to be written to: what has lost its replicas is
		// what to look at, and to make a copy of.
		at.Durability, at.AllowEviction = backend.DurabilityLocal, true
	}
	return openStore(ctx, at)
}

// hasData refuses a data directory that usher has never written to: opened, it
// would become an empty store, and what is said of that would be believed of
// another one.
func hasData(cfg *config.Loaded) error {
	if cfg.Redis.URL != "" {
		return nil
	}
	there, err := journal.Has(cfg.DataDir)
	if err != nil {
		return &failure{exit: exitUnavailable, what: "cannot open the store", why: err, todo: "see that usher may read the data directory"}
	}
	if !there {
		return &failure{exit: exitNotFound, why: fmt.Errorf("there is no data of usher in the directory %s", shownPath(cfg.DataDir)), todo: "name the server's directory by --data-dir, or its Redis by --redis"}
	}
	return nil
}

// progressLine shows how far a backup or a restoration is, on a terminal.
type progressLine struct {
	*program
	verb  string
	shown time.Time
	began time.Time
}

const progressPause = 200 * time.Millisecond

func (l *progressLine) told(s backend.BackupStep) {
	now := time.Now()
	if l.began.IsZero() {
		l.began = now
	}
	if !l.progress || now.Sub(l.shown) < progressPause {
		return
	}
	l.shown = now
	rate := float64(s.Users) / max(now.Sub(l.began).Seconds(), 0.001)
	fmt.Fprintf(l.stderr, "\r%s %s … %d users, %d lines (%.0f users/s)\x1b[K", l.verb, plain(s.Slug), s.Users, s.Lines, rate)
}

// end clears the line.
func (l *progressLine) end() {
	if l.progress && !l.shown.IsZero() {
		fmt.Fprint(l.stderr, "\r\x1b[K")
	}
}
