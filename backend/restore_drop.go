package backend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/usher-scim/usher/resources"
)

// giveUp erases what was written of an organization that others stand in the way
// of.
func (r *restoration) giveUp(ctx context.Context, org *BackupOrg) error {
	u := &Unrestorable{}
	for c, holder := range r.refused {
		if len(u.Reasons) == mostReasons {
			break
		}
		u.Reasons = append(u.Reasons, fmt.Sprintf("%s: the %s is held by %s", org.Slug, claimText(c.Claim), holder))
	}
	slices.Sort(u.Reasons)
	return errors.Join(u, r.s.eraseAll(ctx, org.Org))
}

// claimText names a claim for who must find it; subjects are hidden in it.
func claimText(c resources.Claim) string {
	switch c.Kind {
	case resources.ClaimEmail:
		return "e-mail address " + c.Key
	case resources.ClaimNumber:
		return "telephone number " + c.Key
	case resources.ClaimEnforced:
		return "domain " + c.Key + ", whose people must sign in by a connection,"
	}
	return "claim " + claimKey(c)
}

// eraseAll erases everything that an organization has.
func (s *Store) eraseAll(ctx context.Context, org resources.OrgID) error {
	for {
		n, err := s.Erase(ctx, org, chunkSize)
		if err != nil || n == 0 {
			return err
		}
	}
}

// DropRestored erases what an interrupted restoration of a file has left, and
// tells of which organizations. Those that are complete already stay.
func (s *Store) DropRestored(ctx context.Context, contents *BackupContents, only []string) (dropped []BackupOrg, err error) {
	defer s.observe("drop_restored", started(), &err)
	wanted, err := contents.wanted(only)
	if err != nil {
		return nil, err
	}
	r, err := s.newRestoration(contents, RestoreConfig{Resume: true})
	if err != nil {
		return nil, err
	}
	for _, o := range wanted {
		_, done, err := r.look(ctx, o)
		if err != nil {
			return dropped, err
		}
		if done {
			if err := r.mark(ctx, o.Org, "end"); err != nil {
				return dropped, err
			}
			continue
		}
		k, err := keysOf(o.Org)
		if err != nil {
			return dropped, err
		}
		if mark, err := s.reads.Get(ctx, k.restoring()).Result(); !strings.HasPrefix(mark, r.id) {
			if err != nil && !isNil(err) {
				return dropped, explain(ctx, "look for the organization", err)
			}
			continue
		}
		// One that runs must not write behind what erases.
		if err := r.mark(ctx, o.Org, "take"); err != nil {
			return dropped, err
		}
		if err := s.eraseAll(ctx, o.Org); err != nil {
			return dropped, err
		}
		dropped = append(dropped, o)
	}
	return dropped, nil
}
