package resources

import "github.com/usher-scim/usher/internal/jsontree"

// Placement tells where a stored record must be found: all its index entries,
// the claims it holds, and its places in pools and lines. It is what the acts derive while they write, for
// whoever compares indexes with records. A record that cannot be read has no
// place.
func Placement(rec *Record) ([]Entry, []Claim, Holdings) {
	entries, claims := placement(rec)
	return entries, claims, holdingsOf(rec)
}

func placement(rec *Record) ([]Entry, []Claim) {
	switch rec.Kind {
	case KindToken:
		t, err := tokenOf(rec)
		if err != nil {
			return nil, nil // as below
		}
		return t.entries(), nil
	case KindOrg:
		o, err := orgOf(rec)
		if err != nil {
			return nil, nil // the caller reports every entry of the record as astray
		}
		return o.entries(), nil
	case KindSetting:
		at := placeOf(rec)
		if at.Noun == nounNumber {
			return at.entries(rec.ID), []Claim{{ClaimNumber, at.Key}}
		}
		if at.Noun == nounConnection {
			return at.entries(rec.ID), enforcedClaims(rec)
		}
		if at.Noun == nounAccess {
			return at.entries(rec.ID), subjectClaims(rec)
		}
		return at.entries(rec.ID), nil
	}
	doc, err := jsontree.Parse(rec.Profile, jsontree.Limits{})
	if err != nil {
		return nil, nil // as above
	}
	keys := keysIn(rec.Standing)
	switch rec.Kind {
	case KindGroup:
		return groupIn(rec, &doc).entries(rec.ID, max(rec.Modified, rec.LinksModified)), nil
	case KindCustom:
		return customOf(CustomType(rec), &doc, keys).entries(rec.ID, rec.Modified), nil
	}
	u := userIn(rec, &doc)
	if u.IdentityKey == "" {
		return u.entries(rec.ID, rec.Modified), nil
	}
	return u.entries(rec.ID, rec.Modified), []Claim{{ClaimEmail, u.IdentityKey}}
}
