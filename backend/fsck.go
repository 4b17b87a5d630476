package backend

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/usher-scim/usher/resources"
)

// FsckConfig says how Fsck checks.
type FsckConfig struct {
	// Placed tells where a record must be found: resources.Placement. Nil: only
	// that what indexes and claims name exists is checked.
	Placed resources.Placed
	// Expires tells when a record may be swept: resources.Expiry. Nil: that
	// expiries are complete is not checked.
	Expires func(*resources.Record) (time.Time, bool)
	// Versions checks that the events of each resource tell its versions one by
	// one (security V8).
	Versions bool
	// Deep walks every index both ways whatever its size, and looks through all
	// keys of the store for what nothing names.
	Deep bool
	// Repair writes derived data anew where it differs. Truth (records,
	// memberships, events, what is due) is never changed.
	Repair bool
	// Gentle works for half of the time at most, so that others get theirs.
	Gentle bool
	// Pause is how long a difference must last to count. Zero: it is looked at
	// again at once.
	Pause time.Duration
	// Found is told of each finding as soon as it is sure, from one goroutine at a
	// time. Nil: findings are only counted.
	Found func(Finding)
	// Progress is told now and then how many records were checked, of how many.
	// Nil: nobody is told.
	Progress func(org resources.OrgID, done, total int)
}

// FsckReport sums up a check.
type FsckReport struct {
	Orgs     int `json:"organizations"` // checked to the end
	Records  int `json:"records"`       // that were compared; a repair compares them again
	Findings int `json:"findings"`      // differences found
	Repaired int `json:"repaired"`      // of them, those that were repaired
	Left     int `json:"left"`          // of them, those that are there still
	Restless int `json:"restless"`      // places that changed faster than they could be looked at again
}

func (r *FsckReport) add(o FsckReport) {
	r.Orgs += o.Orgs
	r.Records += o.Records
	r.Findings += o.Findings
	r.Repaired += o.Repaired
	r.Left += o.Left
	r.Restless += o.Restless
}

// fsckRounds bounds how often a repair looks again at what it may have laid bare.
const fsckRounds = 5

// Fsck compares everything that is derived in an organization (indexes, names,
// both directions of links, pools, lines, claims, expiries, the books of what is
// due) with its records, and the stream with itself and with the records. It runs
// beside writers: a difference counts only when it is there at one moment, with
// everything that it follows from as it was seen. Memory is bounded by a chunk of
// records for each of two workers, about 60 bytes for each of at most three
// million resources of the stream at a time (Versions), and 16 bytes for each
// claim when their number does not agree.
//
// When ctx ends it returns what it has counted so far, with ctx's error.
func (s *Store) Fsck(ctx context.Context, org resources.OrgID, cfg FsckConfig) (report FsckReport, err error) {
	defer s.observe("fsck", started(), &err)
	k, err := keysOf(org)
	if err != nil {
		return report, err
	}
	c := newCheck(s, k, cfg)
	for {
		c.begin()
		if err = c.all(ctx); err != nil {
			break
		}
		if !cfg.Repair || c.fixed == 0 || c.round == fsckRounds {
			c.report.Orgs = 1
			break
		}
	}
	c.report.Left = c.left
	if cfg.Repair {
		// What was repaired must be told even when the caller wants no more.
		err = errors.Join(err, c.tell(context.WithoutCancel(ctx)))
	}
	return c.report, err
}

// FsckAll checks organizations one after the other, and with FsckConfig.Deep all
// keys of the store that are of none of them.
func (s *Store) FsckAll(ctx context.Context, orgs []resources.OrgID, cfg FsckConfig) (report FsckReport, err error) {
	for _, org := range orgs {
		part, err := s.Fsck(ctx, org, cfg)
		report.add(part)
		if err != nil {
			return report, fmt.Errorf("organization %s: %w", org, err)
		}
	}
	if cfg.Deep && len(orgs) > 0 {
		part, err := s.keysLeft(ctx, orgs, cfg)
		report.add(part)
		return report, err
	}
	return report, nil
}

// FsckOrgs lists the organizations that there are, with the platform's own first.
// It goes by every list that names them.
func (s *Store) FsckOrgs(ctx context.Context) ([]resources.OrgID, error) {
	k, err := keysOf(resources.PlatformOrg)
	if err != nil {
		return nil, err
	}
	orgs := []resources.OrgID{resources.PlatformOrg}
	seen := map[string]bool{}
	add := func(id string) {
		if _, err := keysOf(resources.OrgID(id)); err == nil && !seen[id] {
			seen[id] = true
			orgs = append(orgs, resources.OrgID(id))
		}
	}
	c := newCheck(s, k, FsckConfig{})
	c.begin()
	if err := c.types(ctx); err != nil {
		return nil, err
	}
	for _, i := range resources.Indexes() {
		if i.Kind() != resources.KindOrg {
			continue
		}
		err := c.scanIndex(ctx, i, func(field, value string) error {
			if i.Shape() == resources.Unique {
				field = value
			}
			add(field)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("list the organizations: %w", err)
		}
	}
	return orgs, nil
}

// all checks everything once.
func (c *check) all(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		c.types, c.begun, c.records, c.indexes, c.rows, c.names, c.trash,
		c.heldClaims, c.places, c.queue, c.expiry, c.stream,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}
