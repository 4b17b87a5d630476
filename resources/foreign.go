package resources

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Foreign is a token that another issuer signed, as a door read it.
type Foreign struct {
	Org    string // slug in the address: where to look for connections that trust the issuer
	Text   string // the whole token
	Issuer string // as it claims

	// Verify checks the signature with the keys of the issuer and gives what the
	// token says. An error wrapping ErrUnavailable says that the keys cannot be
	// had now, any other that the signature is wrong.
	Verify func(ctx context.Context, t Trust) (Claims, error)
}

// trustCache remembers for a moment which connections of an organization trust
// other issuers, so that a flood of bad tokens does not reach the store. The
// zero value is ready for use.
type trustCache struct {
	mu      sync.Mutex
	entries map[string]trusted
	epoch   uint64
}

type trusted struct {
	org     *Organization // nil: unknown or being deleted
	clients []*Client
	until   time.Time
}

const (
	// trustFresh and tokenFresh together are how long a deleted connection can
	// still work on other nodes: less than the five seconds that are promised.
	trustFresh  = time.Second
	trustCached = 1000
)

func (tc *trustCache) forget() {
	tc.mu.Lock()
	tc.entries = nil
	tc.epoch++
	tc.mu.Unlock()
}

// trusting gives an organization and its connections that trust other issuers.
func (d *Directory) trusting(ctx context.Context, slug string, now time.Time) (trusted, error) {
	tc := &d.trusts
	tc.mu.Lock()
	e, ok := tc.entries[slug]
	epoch := tc.epoch
	tc.mu.Unlock()
	if ok && now.Before(e.until) {
		return e, nil
	}
	leave, err := d.tokens.enter(ctx) // nobody has shown anything yet
	if err != nil {
		return e, err
	}
	defer leave()
	e = trusted{until: now.Add(trustFresh)}
	org, err := d.orgBySlug(ctx, slug)
	if err != nil && !HasCode(err, CodeNotFound) {
		return e, err
	}
	if err == nil && org.State != OrgDeleting && org.Slug == slug {
		e.org = org
		if e.clients, err = d.clientsOf(ctx, org.ID); err != nil {
			return e, err
		}
		e.clients = slices.DeleteFunc(e.clients, func(cl *Client) bool { return cl.Method != MethodExternal })
	}
	tc.mu.Lock()
	defer tc.mu.Unlock()
	if tc.epoch != epoch {
		return e, nil // changed since it was read: good for this request only
	}
	if tc.entries == nil || len(tc.entries) >= trustCached {
		tc.entries = map[string]trusted{}
	}
	tc.entries[slug] = e
	return e, nil
}

// HasOrg reports whether an organization of this very slug is there, for doors
// that must tell where it is before anybody has shown a credential.
func (d *Directory) HasOrg(ctx context.Context, slug string) (bool, error) {
	known, err := d.trusting(ctx, slug, d.now())
	return known.org != nil, err
}

// AuthenticateForeign turns a token of another issuer into the Caller of the
// connection that trusts it. Errors are those of Authenticate. What was decided
// is remembered like tokens are, by the text and the organization together.
func (d *Directory) AuthenticateForeign(ctx context.Context, f Foreign) (Caller, error) {
	now := d.now()
	key := sha256.Sum256([]byte(f.Org + "\x00" + f.Text))
	e, epoch, ok := d.tokens.get(key, now)
	if ok {
		if e.err != nil {
			return Caller{}, e.err
		}
		if now.Before(e.expires) {
			return e.caller, nil
		}
	}
	caller, expires, err := d.verifyForeign(ctx, f, now)
	return d.tokens.learn(key, epoch, now, caller, expires, err)
}

func (d *Directory) verifyForeign(ctx context.Context, f Foreign, now time.Time) (Caller, time.Time, error) {
	known, err := d.trusting(ctx, f.Org, now)
	if err != nil {
		return Caller{}, time.Time{}, err
	}
	var away error
	for _, cl := range known.clients {
		if cl.Trust.Issuer != f.Issuer {
			continue
		}
		claims, err := f.Verify(ctx, cl.Trust)
		if errors.Is(err, ErrUnavailable) || ctx.Err() != nil {
			away = errors.Join(err, ctx.Err())
			continue
		}
		if err != nil || !claims.meet(cl.Trust, now) {
			continue
		}
		if err := known.org.serves(); err != nil {
			return Caller{}, time.Time{}, err
		}
		caller := Caller{
			Org: known.org.ID, Token: cl.ID, Client: cl.ID, Method: cl.Method, Cert: cl.Cert,
			Profile: cl.Profile, Policy: cl.Policy, Scopes: cl.Scopes, Strict: cl.Strict, Asks: cl.Asks,
		}
		if err := d.atHome(ctx, &caller, known.org); err != nil {
			return Caller{}, time.Time{}, err
		}
		d.noteClientUse(ctx, known.org.ID, cl, now)
		return caller, claims.Expires.Add(clockSkew), nil
	}
	if away != nil {
		return Caller{}, time.Time{}, fmt.Errorf("check a token of another issuer: %w", away)
	}
	return Caller{}, time.Time{}, badToken()
}

// meet reports whether claims are what a connection trusts, and of now
// (security O5; idp-wire.md §3.0 for those of Entra ID).
func (c *Claims) meet(t Trust, now time.Time) bool {
	return c.Issuer == t.Issuer && slices.Contains(c.Audience, t.Audience) && c.App == t.App &&
		(t.Tenant == "" || c.Tenant == t.Tenant) &&
		!c.Expires.IsZero() && now.Before(c.Expires.Add(clockSkew)) && !c.Expires.After(now.Add(foreignTime+clockSkew)) &&
		(c.IssuedAt.IsZero() || c.Expires.Sub(c.IssuedAt) <= foreignTime+clockSkew) && c.timely(now)
}
