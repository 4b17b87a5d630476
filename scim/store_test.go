package scim_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/usher-scim/usher/resources"
)

// countingStore counts the questions that reach the store about one
// organization's resources.
type countingStore struct {
	resources.Store
	calls atomic.Int64
}

func (s *countingStore) Update(ctx context.Context, org resources.OrgID, fn func(context.Context, resources.Tx) error) (resources.Commit, error) {
	s.calls.Add(1)
	return s.Store.Update(ctx, org, fn)
}

func (s *countingStore) Get(ctx context.Context, org resources.OrgID, kind resources.Kind, id string) (*resources.Record, error) {
	s.calls.Add(1)
	return s.Store.Get(ctx, org, kind, id)
}

func (s *countingStore) Find(ctx context.Context, org resources.OrgID, q resources.Query) (resources.Page, error) {
	s.calls.Add(1)
	return s.Store.Find(ctx, org, q)
}

func (s *countingStore) Members(ctx context.Context, org resources.OrgID, group, after string, limit int) ([]resources.MemberRef, error) {
	s.calls.Add(1)
	return s.Store.Members(ctx, org, group, after, limit)
}

func (s *countingStore) MemberIDs(ctx context.Context, org resources.OrgID, group, after string, limit int) ([]string, error) {
	s.calls.Add(1)
	return s.Store.MemberIDs(ctx, org, group, after, limit)
}

// brokenStore fails where it is told to.
type brokenStore struct {
	resources.Store
	get     func() error // before every Get of a user or group
	find    func()
	members func(after string) error
}

func (s *brokenStore) Get(ctx context.Context, org resources.OrgID, kind resources.Kind, id string) (*resources.Record, error) {
	if s.get != nil && (kind == resources.KindUser || kind == resources.KindGroup) {
		if err := s.get(); err != nil {
			return nil, err
		}
	}
	return s.Store.Get(ctx, org, kind, id)
}

func (s *brokenStore) Find(ctx context.Context, org resources.OrgID, q resources.Query) (resources.Page, error) {
	if s.find != nil {
		s.find()
	}
	return s.Store.Find(ctx, org, q)
}

func (s *brokenStore) MemberIDs(ctx context.Context, org resources.OrgID, group, after string, limit int) ([]string, error) {
	if s.members != nil {
		if err := s.members(after); err != nil {
			return nil, err
		}
	}
	return s.Store.MemberIDs(ctx, org, group, after, limit)
}

func median(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)/2]
}

// wideStore makes every group have so many members.
type wideStore struct {
	resources.Store
	members int
}

func (s *wideStore) Get(ctx context.Context, org resources.OrgID, kind resources.Kind, id string) (*resources.Record, error) {
	rec, err := s.Store.Get(ctx, org, kind, id)
	if rec != nil && kind == resources.KindGroup {
		rec.Size = s.members
	}
	return rec, err
}

func (s *wideStore) MemberIDs(_ context.Context, _ resources.OrgID, _, after string, limit int) ([]string, error) {
	next := 0
	if after != "" {
		n, err := strconv.ParseInt(after[:19], 32, 64)
		if err != nil {
			return nil, err
		}
		next = int(n) + 1
	}
	var out []string
	for ; next < s.members && len(out) < limit; next++ {
		digits := strconv.FormatInt(int64(next), 32)
		out = append(out, strings.Repeat("0", 19-len(digits))+digits+"0")
	}
	return out, nil
}
