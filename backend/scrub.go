package backend

import (
	"context"
	"strings"

	"github.com/usher-scim/usher/resources"
)

// ClaimState says what is wrong with a claim.
type ClaimState string

// What can be wrong with a claim. All but a conflict and damage are put right as
// they are found; a conflict needs a decision of the domain.
const (
	// ClaimAbsent was on the organization's list, and the claim itself was gone:
	// anybody could have taken it.
	ClaimAbsent ClaimState = "absent"
	// ClaimStale said another holder or attempt of the same organization.
	ClaimStale ClaimState = "stale"
	// ClaimOwnerless was a claim that is on no organization's list.
	ClaimOwnerless ClaimState = "ownerless"
	// ClaimConflict is one claim on the lists of two organizations.
	ClaimConflict ClaimState = "conflict"
	// ClaimDamaged is a claim or an entry of a list that says what nobody writes.
	ClaimDamaged ClaimState = "damaged"
)

// ClaimSide is who has a claim by the list of one organization.
type ClaimSide struct {
	Org             resources.OrgID
	Holder, Attempt string
}

// ClaimFault is one difference between a claim and the lists of organizations.
type ClaimFault struct {
	Claim    resources.Claim // of an ownerless one that was confirmed only the Kind is known
	Key      string          // of the claim in the store
	State    ClaimState
	Repaired bool
	// Side is the holder on the organization's list, or who an ownerless claim
	// named.
	Side ClaimSide
	// Rival is the other holder of a conflict. Of the two the older one keeps the
	// claim: see Keeps.
	Rival ClaimSide
}

// Keeps tells which of the two holders of a conflict keeps the claim: the record
// that was made first. The other is to be made inactive and reported.
func (f ClaimFault) Keeps() (keeps, loses ClaimSide) {
	if f.Rival.Holder < f.Side.Holder { // ids sort by time
		return f.Rival, f.Side
	}
	return f.Side, f.Rival
}

func sideOf(org resources.OrgID, held string) ClaimSide {
	holder, attempt := parseHeld(held)
	return ClaimSide{org, holder, attempt}
}

// ScrubClaims compares every claim on an organization's list with the claim itself
// and puts right what can be: a failover of the claim's node may have lost it, one
// of the organization's node what should have followed. It may run while others
// write; what is under way is no fault. Conflicts stay: two holders believe that
// they have the claim, and who is to lose it is not for the store to decide.
func (s *Store) ScrubClaims(ctx context.Context, org resources.OrgID) (faults []ClaimFault, err error) {
	defer s.observe("scrub", started(), &err)
	k, err := keysOf(org)
	if err != nil {
		return nil, err
	}
	for cursor := uint64(0); ; {
		pairs, next, err := s.scans.HScan(ctx, k.claims(), cursor, "", walkSize).Result()
		if err != nil {
			return faults, explain(ctx, "scrub", err)
		}
		for i := 0; i+1 < len(pairs); i += 2 {
			f, err := s.scrubEntry(ctx, k, pairs[i], pairs[i+1])
			if err != nil {
				return faults, explain(ctx, "scrub", err)
			}
			if f != nil {
				faults = append(faults, *f)
			}
		}
		if cursor = next; cursor == 0 {
			return faults, nil
		}
	}
}

// scrubEntry looks at one claim until it says what the list says.
func (s *Store) scrubEntry(ctx context.Context, k keys, field, held string) (found *ClaimFault, err error) {
	kind, key, _ := strings.Cut(field, "|")
	c := resources.Claim{Kind: resources.ClaimKind(kind), Key: key}
	for range maxRuns {
		v, err := s.ask(ctx, c, claimStep{op: opRead})
		if err != nil || v == confirmation(k.org, held) {
			return found, err
		}
		now, err := s.ask(ctx, c, claimStep{op: opLook, org: k.org})
		if err != nil || now == "" {
			return found, err
		}
		if now != held {
			held = now
			continue
		}
		state, rival, err := s.scrubStep(ctx, k, c, held, v)
		if err != nil {
			return found, err
		}
		if state != "" && found == nil {
			found = &ClaimFault{Claim: c, Key: claimKey(c), State: state, Side: sideOf(k.org, held), Rival: rival}
			found.Repaired = state != ClaimConflict && state != ClaimDamaged
		}
		if state == ClaimConflict || state == ClaimDamaged {
			found.State, found.Rival, found.Repaired = state, rival, false
			return found, nil
		}
	}
	return found, errChanged
}

// scrubStep does one thing about a claim that says v where the list says held. No
// state: it was only on its way.
func (s *Store) scrubStep(ctx context.Context, k keys, c resources.Claim, held, v string) (ClaimState, ClaimSide, error) {
	none := ClaimSide{}
	_, attempt := parseHeld(held)
	name := "c|" + claimField(c) + "|" + attempt
	text, err := answered(s.reads.HGet(ctx, k.notes(), name).Result())
	if err != nil {
		return "", none, err
	}
	if text != "" {
		if err := s.relayNotes(ctx, []note{{k.org, name, text}}); err != nil {
			return "", none, err
		}
		return "", none, nil
	}
	if v == "" {
		return ClaimAbsent, none, s.takeAgain(ctx, k, c, held)
	}
	met, ok := parseClaim(v)
	switch {
	case !ok || len(attempt) != stampSize:
		return ClaimDamaged, none, nil
	case met.org == k.org && met.attempt == attempt:
		_, err := s.ask(ctx, c, claimStep{op: opConfirm, org: k.org, value: held, attempts: attempt})
		return ClaimStale, none, err
	case met.org == k.org:
		_, err := s.resolve(ctx, c, met)
		return ClaimStale, none, err
	}
	theirs, err := s.ask(ctx, c, claimStep{op: opLook, org: met.org})
	if err != nil {
		return "", none, err
	}
	if theirs == "" { // it must not become theirs
		theirs, err = s.resolve(ctx, c, met)
	}
	if err != nil || theirs == "" {
		return ClaimAbsent, none, err
	}
	return ClaimConflict, sideOf(met.org, theirs), nil
}

// takeAgain writes a claim that is gone. The holder may give it back meanwhile:
// then it goes again.
func (s *Store) takeAgain(ctx context.Context, k keys, c resources.Claim, held string) error {
	_, attempt := parseHeld(held)
	if answer, err := s.ask(ctx, c, claimStep{op: opReserve, org: k.org, value: held}); err != nil || answer != "" {
		return err
	}
	now, err := s.ask(ctx, c, claimStep{op: opLook, org: k.org})
	if err != nil {
		return err
	}
	if now != held {
		_, err = s.resolve(ctx, c, claimValue{org: k.org, holder: sideOf(k.org, held).Holder, attempt: attempt})
		return err
	}
	_, err = s.ask(ctx, c, claimStep{op: opConfirm, org: k.org, value: held, attempts: attempt})
	return err
}
