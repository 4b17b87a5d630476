package resources

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"
)

// How long a verified or refused credential is remembered in the process. It
// bounds how long a revoked token can still work on other nodes (five seconds
// are promised) and how much a flood of bad tokens costs the store.
const (
	tokenFresh   = 3 * time.Second
	refusalFresh = time.Second
	tokenCached  = 10_000 // entries of each sort; past it that sort starts anew
	lookups      = 16     // of unknown credentials at once, in the whole process
)

// tokenCache remembers credentials by the hash of their text. Refused ones are
// kept apart, so that a flood of them washes out none that works (security T3).
// The zero value is ready for use.
type tokenCache struct {
	mu      sync.RWMutex
	good    map[[32]byte]cachedToken
	refused map[[32]byte]cachedToken
	epoch   uint64 // how often everything was forgotten

	// asking holds a place for each look-up of a credential that has not worked
	// lately; those that have never queue behind guesses. enter makes it.
	asking chan struct{}
}

type cachedToken struct {
	caller  Caller
	err     *Error    // a refusal
	expires time.Time // when the token itself does
	until   time.Time // when to look at the store again
}

// get finds what is known of a credential. What was then read from the store
// is put with the epoch that get gave.
func (tc *tokenCache) get(key [32]byte, now time.Time) (e cachedToken, epoch uint64, ok bool) {
	tc.mu.RLock()
	e, ok = tc.good[key]
	if !ok {
		e, ok = tc.refused[key]
	}
	epoch = tc.epoch
	tc.mu.RUnlock()
	return e, epoch, ok && now.Before(e.until)
}

// put remembers what was read, unless everything was forgotten meanwhile: a
// token revoked between reading and putting must not come back.
func (tc *tokenCache) put(key [32]byte, e cachedToken, epoch uint64) {
	tc.mu.Lock()
	defer tc.mu.Unlock()
	if tc.epoch != epoch {
		return
	}
	to, from := &tc.good, tc.refused
	if e.err != nil {
		to, from = &tc.refused, tc.good
	}
	delete(from, key)
	if *to == nil || len(*to) >= tokenCached {
		*to = make(map[[32]byte]cachedToken)
	}
	(*to)[key] = e
}

// enter waits for one of the few places for looking up unknown credentials;
// leave gives it back.
func (tc *tokenCache) enter(ctx context.Context) (leave func(), err error) {
	tc.mu.Lock()
	if tc.asking == nil {
		tc.asking = make(chan struct{}, lookups)
	}
	places := tc.asking
	tc.mu.Unlock()
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("look up a token: %w", ctx.Err())
	}
}

// learn remembers what became of a credential, and gives it back.
func (tc *tokenCache) learn(key [32]byte, epoch uint64, now time.Time, caller Caller, expires time.Time, err error) (Caller, error) {
	if e, ok := errors.AsType[*Error](err); ok {
		tc.put(key, cachedToken{err: e, until: now.Add(refusalFresh)}, epoch)
		return Caller{}, e
	}
	if err != nil {
		return Caller{}, err
	}
	tc.put(key, cachedToken{caller: caller, expires: expires, until: now.Add(tokenFresh)}, epoch)
	return caller, nil
}

// forget makes every credential be looked up again.
func (tc *tokenCache) forget() {
	tc.mu.Lock()
	tc.good, tc.refused = nil, nil
	tc.epoch++
	tc.mu.Unlock()
}

func refused(detail string) *Error {
	return &Error{Code: CodeUnauthenticated, Detail: detail}
}

// Authenticate turns a bearer token into a Caller. Anything wrong with it is
// CodeUnauthenticated with one and the same detail, so that nothing is learned
// from trying; a suspended organization is CodeOrgSuspended.
func (d *Directory) Authenticate(ctx context.Context, token string) (Caller, error) {
	now := d.now()
	key := sha256.Sum256([]byte(token))
	e, epoch, ok := d.tokens.get(key, now)
	if ok {
		if e.err != nil {
			return Caller{}, e.err
		}
		if now.Before(e.expires) {
			return e.caller, nil
		}
	}
	if e.until.IsZero() || e.err != nil { // nobody knows it, or it has not worked lately
		leave, err := d.tokens.enter(ctx)
		if err != nil {
			return Caller{}, err
		}
		defer leave()
	}
	caller, expires, err := d.verify(ctx, token, now)
	return d.tokens.learn(key, epoch, now, caller, expires, err)
}

// forgetCallers makes everything about credentials be looked up again. What
// others are decided by goes first: who asks in between must not remember what
// is no longer so.
func (d *Directory) forgetCallers() {
	d.trusts.forget()
	d.tokens.forget()
}

// badToken is the one refusal of every token that is not good.
func badToken() *Error {
	return refused("The bearer token is missing, wrong, expired or revoked; ask your administrator for a valid one.")
}

// verify checks a token against the store. Refusals are *Error values, faults
// of the store any other error.
func (d *Directory) verify(ctx context.Context, token string, now time.Time) (Caller, time.Time, error) {
	bad := badToken()
	org, id, secret, ok := splitToken(token)
	if !ok {
		return Caller{}, time.Time{}, bad
	}
	rec, err := d.store.Get(ctx, org, KindToken, id)
	if err != nil {
		return Caller{}, time.Time{}, fmt.Errorf("read token: %w", err)
	}
	if rec == nil {
		return Caller{}, time.Time{}, bad
	}
	t, err := tokenOf(rec)
	if err != nil {
		return Caller{}, time.Time{}, err
	}
	if !t.matches(secret) || !now.Before(t.Expires) {
		return Caller{}, time.Time{}, bad
	}
	caller, err := d.callerOf(ctx, org, t)
	if err != nil {
		return Caller{}, time.Time{}, err
	}
	if t.Client == "" { // of clients ClientToken notes it
		d.noteUse(ctx, org, t, now)
	}
	return caller, t.Expires, nil
}

// callerOf is whom a sound token stands for, as long as everything it depends
// on is there: its user, its client, its organization.
func (d *Directory) callerOf(ctx context.Context, org OrgID, t *Token) (Caller, error) {
	works, err := d.userWorks(ctx, org, t.User, t.Scopes)
	if err != nil {
		return Caller{}, err
	}
	if !works {
		return Caller{}, badToken()
	}
	caller := Caller{Org: org, Token: t.ID, User: t.User, Profile: t.Profile, Policy: t.Policy, Scopes: t.Scopes, Strict: t.Strict, Asks: t.Asks}
	if t.Client != "" {
		cl, err := d.clientByID(ctx, org, t.Client)
		if err != nil {
			return Caller{}, err
		}
		if cl == nil || !cl.vouches(t) {
			return Caller{}, badToken()
		}
		caller.Token, caller.Client, caller.Method, caller.Cert = cl.ID, cl.ID, cl.Method, cl.Cert
	}
	if org == PlatformOrg {
		return caller, nil
	}
	o, err := d.orgByID(ctx, org)
	if err != nil {
		return Caller{}, err
	}
	if err := o.serves(); err != nil {
		return Caller{}, err
	}
	return caller, d.atHome(ctx, &caller, o)
}

// atHome tells a caller what its organization is.
func (d *Directory) atHome(ctx context.Context, c *Caller, o *Organization) error {
	plan, err := d.planFor(ctx, o.ID)
	if err != nil {
		return err
	}
	c.Slug, c.OrgName, c.SiteURL = o.Slug, o.Name, plan.Settings.SiteURL
	c.Declared, err = d.declaredFor(ctx, o)
	return err
}

// noteUse records that a token was used, at most once an hour. A request never
// fails because this could not be written.
func (d *Directory) noteUse(ctx context.Context, org OrgID, t *Token, now time.Time) {
	hour := now.UTC().Truncate(time.Hour)
	if !t.LastUsed.Before(hour) {
		return
	}
	_, err := d.store.Update(ctx, org, func(_ context.Context, tx Tx) error {
		rec, err := tx.Read(KindToken, t.ID)
		if err != nil || rec == nil {
			return err
		}
		used, err := tokenOf(rec)
		if err != nil {
			return err
		}
		if !used.LastUsed.Before(hour) {
			return nil // somebody else was faster
		}
		used.LastUsed = hour
		next, err := used.record(now)
		if err != nil {
			return err
		}
		next.Version, next.Created = rec.Version+1, rec.Created
		tx.Put(rec, next, used.entries(), used.entries())
		return nil
	})
	if err != nil {
		d.log.WarnContext(ctx, "token use not noted", "token", t.ID, "err", err)
	}
}
