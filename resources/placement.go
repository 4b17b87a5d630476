package resources

import (
	"encoding/json"

	"github.com/usher-scim/usher/internal/jsontree"
)

// Placed tells where a record stands, as [Placement] does.
type Placed func(*Record) ([]Entry, []HeldClaim, Holdings)

// HeldClaim is a claim with who has it: the record, or the user that it is about.
type HeldClaim struct {
	Claim
	Holder string
}

// Placement tells where a stored record must be found: all its index entries,
// the claims it holds, and its places in pools and lines. It is what the acts derive while they write, for
// whoever compares indexes with records. A record that cannot be read has no
// place.
func Placement(rec *Record) ([]Entry, []HeldClaim, Holdings) {
	entries, claims := placement(rec)
	return entries, claims, holdingsOf(rec)
}

func placement(rec *Record) ([]Entry, []HeldClaim) {
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
		switch at.Noun {
		case nounNumber:
			return at.entries(rec.ID), []HeldClaim{{Claim{ClaimNumber, at.Key}, rec.ID}}
		case nounAccess:
			return at.entries(rec.ID), subjectsHeld(rec)
		case nounConnection:
			return at.entries(rec.ID), enforcedHeld(rec)
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
	var claims []HeldClaim
	for _, key := range claimed(u.IdentityKey, u.standing.Moved) {
		if key != "" {
			claims = append(claims, HeldClaim{Claim{ClaimEmail, key}, rec.ID})
		}
	}
	return u.entries(rec.ID, rec.Modified), claims
}

// subjectsHeld are the claims of who an access record is about.
func subjectsHeld(rec *Record) []HeldClaim {
	var a access
	if json.Unmarshal(rec.Profile, &a) != nil {
		return nil // as above
	}
	var out []HeldClaim
	for _, l := range a.Links {
		out = append(out, HeldClaim{subjectClaim(l.Issuer, l.Subject), a.User})
	}
	return out
}
