package conformance_test

import (
	"slices"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// audit compares the store's indexes, links and claims with a full scan of its
// records.
func (r *run) audit(tn *tenant) {
	r.rt.Helper()
	faults, err := r.world.store.Audit(r.ctx, tn.ID, entriesOf)
	if err != nil {
		r.rt.Fatalf("audit: %v", err)
	}
	for _, f := range faults {
		r.rt.Errorf("audit of %s: %s", tn.Slug, f)
	}
}

// entriesOf says a second time under what a record must be found.
func entriesOf(rec *resources.Record) ([]resources.Entry, []resources.Claim) {
	var entries []resources.Entry
	text := func(i resources.Index, value string) {
		e := resources.Entry{Index: i, Value: i.Key(value)}
		if value != "" && !slices.Contains(entries, e) {
			entries = append(entries, e)
		}
	}
	entries = append(entries, resources.Entry{Index: resources.All(rec.Kind), Value: rec.ID})
	if modified := resources.Modified(rec.Kind); modified != resources.NoIndex {
		entries = append(entries, resources.Entry{Index: modified, Time: rec.Modified})
	}
	doc, err := jsontree.Parse(rec.Profile, jsontree.Limits{})
	if err != nil {
		return entries, nil // the audit names what then is there too much
	}
	switch rec.Kind {
	case resources.KindGroup:
		text(resources.GroupName, doc.GetString("displayName"))
		text(resources.GroupNameOrder, doc.GetString("displayName"))
		text(resources.GroupExternalID, doc.GetString("externalId"))
	case resources.KindUser:
		u := resources.UserOf(&doc)
		text(resources.UserName, u.UserName)
		text(resources.UserNameOrder, u.UserName)
		text(resources.UserDisplayOrder, u.DisplayName)
		text(resources.UserExternalID, u.ExternalID)
		for _, e := range u.Emails {
			text(resources.UserEmail, e)
		}
		if u.Inactive {
			entries = append(entries, resources.Entry{Index: resources.UserInactive, Value: rec.ID})
		}
		if u.IdentityKey != "" {
			return entries, []resources.Claim{{Kind: resources.ClaimEmail, Key: u.IdentityKey}}
		}
	}
	return entries, nil
}
