package resources

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/usher-scim/usher/internal/seal"
)

// signingIn is one assertion on its way in.
type signingIn struct {
	d         *Directory
	org       *Organization
	a         *Assertion
	plan      *Plan
	key       string      // EmailKey of the address, or ""
	connected *Connection // as it is stored now; nil when it was deleted
	trial     bool        // nothing is to come of it

	keys    *seal.Keys
	visitor Visitor
	cookie  string // of the session, once it is there
}

// authLeeway is by how much clocks of the provider may be wrong about when somebody
// signed in.
const authLeeway = 2 * time.Minute

// decide gathers the facts and decides.
func (v *signingIn) decide(ctx context.Context) (signInVerdict, error) {
	for range signInTries {
		facts, err := v.gather(ctx)
		if err == nil {
			return decideSignIn(facts), nil
		}
		if !errors.Is(err, errDecideAnew) {
			return signInVerdict{}, err
		}
	}
	return signInVerdict{}, fmt.Errorf("too much changes at once: %w", ErrUnavailable)
}

// gather finds out what decides about an assertion. It looks at what is stored now;
// the commit that follows looks again at what it depends on.
func (v *signingIn) gather(ctx context.Context) (*signInFacts, error) {
	f := &signInFacts{}
	var err error
	if v.plan, err = v.d.planFor(ctx, v.org.ID); err != nil {
		return nil, err
	}
	if v.connected, err = v.d.connectionByID(ctx, v.org.ID, v.a.Connection.ID); err != nil {
		return nil, err
	}
	if f.off = !v.connected.admits(v.a, v.trial); f.off {
		return f, nil
	}
	v.demands(f)
	for _, find := range []func(context.Context, *signInFacts) error{v.subject, v.external, v.address, v.jit} {
		if err := find(ctx, f); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// admits reports whether a connection lets people in by an assertion. One that is
// off can be tried.
func (cn *Connection) admits(a *Assertion, trial bool) bool {
	return cn != nil && (trial || !cn.Off) && cn.Issuer == a.Issuer && a.Subject != ""
}

// demands checks how and when the person signed in at the provider, by what the
// token says of it (security O12).
func (v *signingIn) demands(f *signInFacts) {
	cn := v.connected
	if cn.MaxAge > 0 {
		limit := time.Duration(cn.MaxAge)*time.Second + authLeeway
		f.stale = v.a.AuthTime.IsZero() || v.d.now().Sub(v.a.AuthTime) > limit
	}
	f.weak = len(cn.ACR) > 0 && !slices.Contains(cn.ACR, v.a.ACR)
	f.shared = sharedIssuer(cn.Issuer)
}

// subject finds who has the subject of the issuer.
func (v *signingIn) subject(ctx context.Context, f *signInFacts) error {
	id, org, err := v.d.store.Holder(ctx, subjectClaim(v.a.Issuer, v.a.Subject))
	if err != nil {
		return fmt.Errorf("find who has a subject: %w", err)
	}
	switch {
	case id == "":
		return nil
	case org != v.org.ID:
		f.subject = heldElsewhere
		return nil
	}
	found, err := v.candidate(ctx, id)
	if err == nil && found != nil {
		f.subject, f.bySub = heldHere, *found
	}
	return err
}

// external finds who has the externalId that the token names.
func (v *signingIn) external(ctx context.Context, f *signInFacts) error {
	if v.connected.Claims.ExternalID == "" || v.a.ExternalID == "" {
		return nil
	}
	page, err := v.d.store.Find(ctx, v.org.ID, Query{
		Kind: KindUser, Where: &Cond{Op: CondIs, Index: UserExternalID, Value: UserExternalID.Key(v.a.ExternalID)},
		Limit: 10, NoGroups: true, Budget: v.d.budget,
	})
	if err != nil {
		return fmt.Errorf("find who has an externalId: %w", err)
	}
	for _, rec := range page.Records {
		u, err := storedUser(rec)
		if err != nil {
			return err
		}
		if u.ExternalID != v.a.ExternalID { // its beginning alone is the same
			continue
		}
		if f.external == heldHere {
			f.external = heldByMany
			return nil
		}
		found, err := v.candidate(ctx, rec.ID)
		if err != nil {
			return err
		}
		if found != nil {
			f.external, f.byExt = heldHere, *found
		}
	}
	return nil
}

// address finds who has the e-mail address that the token names.
func (v *signingIn) address(ctx context.Context, f *signInFacts) error {
	key, ok := EmailKey(v.a.Email)
	if !ok {
		return nil
	}
	v.key, f.flag = key, v.a.Verified
	f.address, f.covered = addressFree, v.plan.verifies(key)
	var err error
	if f.enforced, err = v.enforcedElsewhere(ctx, key); err != nil {
		return err
	}
	id, org, err := v.d.store.Holder(ctx, Claim{ClaimEmail, key})
	switch {
	case err != nil:
		return fmt.Errorf("find who has an address: %w", err)
	case id == "":
		return nil
	case org != v.org.ID:
		f.address = addressElsewhere
		return nil
	}
	found, err := v.candidate(ctx, id)
	if err == nil && found != nil {
		f.address, f.byMail = addressHere, *found
	}
	return err
}

// enforcedElsewhere reports whether people with addresses of the domain must come in
// by another connection of the organization.
func (v *signingIn) enforcedElsewhere(ctx context.Context, key string) (bool, error) {
	if key == "" {
		return false, nil
	}
	org, cn, err := v.d.enforcedAt(ctx, key)
	return cn != nil && org == v.org.ID && cn.ID != v.connected.ID, err
}

// candidate looks at a user whom the assertion may mean; nil when it has just been
// deleted.
func (v *signingIn) candidate(ctx context.Context, id string) (*candidate, error) {
	recs, err := v.d.store.Many(ctx, v.org.ID, []string{id, accessID(id)})
	if err != nil {
		return nil, fmt.Errorf("read who signs in: %w", err)
	}
	if recs[0] == nil {
		return nil, nil
	}
	u, err := storedUser(recs[0])
	if err != nil {
		return nil, err
	}
	a, err := accessOf(recs[1], id)
	if err != nil {
		return nil, err
	}
	link := a.linkTo(v.a.Issuer)
	out := &candidate{
		id: id, inactive: u.Inactive, exempt: u.standing.administers(),
		linked: link != nil && link.Subject != v.a.Subject,
	}
	out.enforced, err = v.enforcedElsewhere(ctx, u.IdentityKey)
	return out, err
}

// linkTo finds the link to an issuer; nil when there is none.
func (a *access) linkTo(issuer string) *Link {
	for i := range a.Links {
		if a.Links[i].Issuer == issuer {
			return &a.Links[i]
		}
	}
	return nil
}

// jit finds out whether a user may be created at its first sign-in (BR-118). It
// asks only when nobody else is meant.
func (v *signingIn) jit(ctx context.Context, f *signInFacts) error {
	if f.subject != heldByNobody || f.external != heldByNobody || f.address != addressFree || !f.covered {
		return nil
	}
	f.jit = jitOff
	if v.connected.JIT == "off" {
		return nil
	}
	name, err := v.d.store.Named(ctx, v.org.ID, UserName, UserName.Key(v.a.Email))
	if err != nil {
		return fmt.Errorf("find who has a userName: %w", err)
	}
	if name != "" { // by the same person, in another browser, meanwhile?
		holder, _, err := v.d.store.Holder(ctx, Claim{ClaimEmail, v.key})
		if err != nil {
			return fmt.Errorf("find who has an address: %w", err)
		}
		if holder != "" {
			return errDecideAnew
		}
		f.named = true
	}
	provisioned, err := v.d.provisioned(ctx, v.org.ID)
	switch {
	case err != nil:
		return err
	case !provisioned:
		f.jit = jitOn
		return nil
	case v.connected.JIT == "":
		return nil
	}
	gone, err := v.d.departed(ctx, v.org.ID, v.key)
	if err != nil {
		return err
	}
	if f.jit = jitOn; gone {
		f.jit = jitDeparted
	}
	return nil
}
