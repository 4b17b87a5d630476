package backend_test

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/resources"
)

// newRecord makes a record that is not stored; its name is its display text.
func newRecord(t testing.TB, kind resources.Kind, name string) *resources.Record {
	t.Helper()
	id, err := resources.NewID(kind, time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ms := time.Now().UnixMilli()
	return &resources.Record{
		Kind: kind, ID: id, Version: 1, Created: ms, Modified: ms, Display: name,
		Profile: []byte(`{"name":"` + name + `"}`),
	}
}

// entriesOf derives the entries of such a record.
func entriesOf(r *resources.Record) []resources.Entry {
	switch r.Kind {
	case resources.KindUser:
		return []resources.Entry{
			{Index: resources.UserAll, Value: r.ID},
			{Index: resources.UserName, Value: resources.UserName.Key(r.Display)},
			{Index: resources.UserNameOrder, Value: resources.UserNameOrder.Key(r.Display)},
			{Index: resources.UserModified, Time: r.Modified},
		}
	case resources.KindGroup:
		return []resources.Entry{
			{Index: resources.GroupAll, Value: r.ID},
			{Index: resources.GroupName, Value: resources.GroupName.Key(r.Display)},
			{Index: resources.GroupNameOrder, Value: resources.GroupNameOrder.Key(r.Display)},
			{Index: resources.GroupModified, Time: r.Modified},
		}
	}
	return []resources.Entry{{Index: resources.All(r.Kind), Value: r.ID}}
}

// auditAll compares indexes and links with records and their entries; claims
// are compared by their names. Every user has a place in the pool "seats".
func auditAll(t testing.TB, s *backend.Store, org resources.OrgID) {
	t.Helper()
	faults, err := s.Audit(context.Background(), org, func(r *resources.Record) ([]resources.Entry, []resources.HeldClaim, resources.Holdings) {
		if r.Kind != resources.KindUser {
			return entriesOf(r), nil, resources.Holdings{}
		}
		return entriesOf(r), []resources.HeldClaim{{Claim: resources.Claim{Kind: resources.ClaimEmail, Key: r.Display}, Holder: r.ID}}, resources.Holdings{Pools: []string{"seats"}}
	})
	if err != nil {
		t.Fatalf("audit: %v", err)
	}
	for _, f := range faults {
		t.Errorf("audit of %s: %s", org, f)
	}
}
