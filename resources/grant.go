package resources

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/usher-scim/usher/internal/jwk"
)

// Claims are what a signed token says (RFC 7519 §4.1). Times that it does not
// tell are zero.
type Claims struct {
	Issuer    string
	Subject   string
	Audience  []string
	ID        string // jti
	Expires   time.Time
	NotBefore time.Time
	IssuedAt  time.Time
	App       string // appid or azp
	Tenant    string // tid
}

// Grant is what a client shows to get an access token (RFC 6749 §4.4): a secret
// or a signed assertion, never both.
type Grant struct {
	Org       string   // slug of the organization that was asked
	Client    string   // client_id
	Secret    string   // or ""
	Scopes    []Scope  // asked for; none: all that the client has
	Cert      string   // CertHash of the certificate of the request, or ""
	Audiences []string // the names of usher that an assertion may be meant for
	Request   string   // request id

	// Assertion checks the signature of the client's assertion with the client's
	// keys and gives what it says; nil when there is none (RFC 7523 §2.2).
	Assertion func(keys []jwk.Key) (Claims, error)
}

// The bounds of an assertion's times (security T2, O5).
const (
	assertionTime = 10 * time.Minute
	clockSkew     = 2 * time.Minute
	foreignTime   = 24 * time.Hour
	jtiMost       = 255
)

func badClient() *Error {
	return refused("The client is unknown or its proof is wrong, expired or used before; ask your administrator for valid credentials.")
}

// ClientToken issues an access token to a client that proved who it is. The
// token works like any other; it dies with the client, and with the secret it
// was issued for. Codes: unauthenticated, always with the same detail whatever
// was wrong with the proof; organization_suspended; forbidden with field scope.
func (d *Directory) ClientToken(ctx context.Context, g Grant) (*Token, string, error) {
	now := d.now()
	org, cl, err := d.grantee(ctx, g)
	if err != nil {
		return nil, "", err
	}
	proof, err := d.prove(ctx, org, cl, g, now)
	if err != nil {
		return nil, "", err
	}
	if err := org.serves(); err != nil {
		return nil, "", err
	}
	scopes, err := cl.narrow(g.Scopes)
	if err != nil {
		return nil, "", err
	}
	t := Token{
		Connection: cl.Connection, Name: cl.Name, Scopes: scopes, Profile: cl.Profile, Policy: cl.Policy,
		Strict: cl.Strict, Asks: cl.Asks, Client: cl.ID, Proof: proof,
	}
	self := Caller{Org: org.ID, Token: cl.ID, Request: g.Request}
	return d.issue(ctx, self, org.ID, t, cl.Lifetime, func(tx Tx, id string) error {
		return d.noteAccess(tx, cl.ID, liveToken{ID: id, Expires: now.Add(cl.Lifetime)}, now)
	})
}

// grantee finds the organization and the client; the client is nil when either
// is unknown. The slug counts to the letter: it is part of the name by which
// assertions call usher.
func (d *Directory) grantee(ctx context.Context, g Grant) (*Organization, *Client, error) {
	leave, err := d.tokens.enter(ctx) // nobody has shown anything yet
	if err != nil {
		return nil, nil, err
	}
	defer leave()
	org, err := d.orgBySlug(ctx, g.Org)
	if HasCode(err, CodeNotFound) {
		return &Organization{}, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	if org.State == OrgDeleting || org.Slug != g.Org {
		return org, nil, nil
	}
	cl, err := d.clientByID(ctx, org.ID, g.Client)
	return org, cl, err
}

// prove checks a client's proof and gives the id of the secret it was, or "".
// An assertion is used up by this.
func (d *Directory) prove(ctx context.Context, org *Organization, cl *Client, g Grant, now time.Time) (string, error) {
	if g.Assertion == nil {
		id, ok := cl.secret(g.Secret, now)
		if !ok || cl == nil || cl.Method != MethodSecret || !cl.allows(g.Cert) {
			return "", badClient()
		}
		return id, nil
	}
	if cl == nil || cl.Method != MethodKey || g.Secret != "" || !cl.allows(g.Cert) {
		return "", badClient()
	}
	keys, _, err := jwk.Parse([]byte(cl.Keys))
	if err != nil {
		return "", fmt.Errorf("read the keys of client %s: %w", cl.ID, err)
	}
	claims, err := g.Assertion(keys)
	if err != nil || !claims.assert(cl.ID, g.Audiences, now) {
		return "", badClient()
	}
	// Once is once, also when something else is wrong with the request, and on a
	// node whose clock is behind that of the one that sweeps.
	first, err := d.vault.Add(ctx, org.ID, "jti", hashSecret(cl.ID+"\x00"+claims.ID), claims.Expires.Add(clockSkew))
	if err != nil {
		return "", fmt.Errorf("note an assertion: %w", err)
	}
	if !first {
		return "", badClient()
	}
	return "", nil
}

// assert reports whether claims are an assertion by which a client
// authenticates to usher now (RFC 7523 §3, security T2). Its end is taken to
// the second, so that the note of its use can end soon after it.
func (c *Claims) assert(client string, audiences []string, now time.Time) bool {
	meant := len(c.Audience) > 0
	for _, a := range c.Audience { // one that is meant for others too could be passed on by them
		meant = meant && slices.Contains(audiences, a)
	}
	return meant && c.Issuer == client && c.Subject == client &&
		c.ID != "" && len(c.ID) <= jtiMost &&
		now.Before(c.Expires) && !c.Expires.After(now.Add(assertionTime)) && c.timely(now) &&
		(c.IssuedAt.IsZero() || now.Sub(c.IssuedAt) <= assertionTime+clockSkew)
}

// timely reports whether claims are not from the future.
func (c *Claims) timely(now time.Time) bool {
	return !c.NotBefore.After(now.Add(clockSkew)) && !c.IssuedAt.After(now.Add(clockSkew))
}

// narrow gives the scopes of a token: those asked for, if what the client has
// covers all of them, or all it has.
func (cl *Client) narrow(asked []Scope) ([]Scope, error) {
	if len(asked) == 0 {
		return cl.Scopes, nil
	}
	var out []Scope
	for _, s := range asked {
		if !slices.ContainsFunc(cl.Scopes, func(has Scope) bool { return has.covers(s) }) {
			return nil, &Error{Code: CodeForbidden, Field: "scope", Detail: fmt.Sprintf("The client does not have the scope %q; it has %s.", clip(string(s), 40), joined(cl.Scopes))}
		}
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out, nil
}

// covers reports whether a scope includes another: the same one, reading what
// may be changed, and scim everything of a connection.
func (s Scope) covers(other Scope) bool {
	what, reading := strings.CutSuffix(string(other), ":read")
	switch {
	case s == other, reading && Scope(what) == s:
		return true
	case s == ScopeSCIM:
		return slices.Contains(ConnectionScopes(), other)
	case s == ScopeSCIMRead:
		return reading && slices.Contains(ConnectionScopes(), other)
	}
	return false
}

// noteAccess enters a token in the client's list of live ones, and ends the
// oldest when there are too many: a client that asks without end must not fill
// the store.
func (d *Directory) noteAccess(tx Tx, client string, t liveToken, now time.Time) error {
	rec, cl, err := readClient(tx, client)
	if err != nil {
		if HasCode(err, CodeNotFound) {
			return badClient() // deleted since it proved itself
		}
		return err
	}
	cl.Live = slices.DeleteFunc(cl.Live, func(l liveToken) bool { return !now.Before(l.Expires) })
	for len(cl.Live) >= liveMost {
		old, err := tx.Read(KindToken, cl.Live[0].ID)
		if err != nil {
			return err
		}
		if old != nil {
			tx.Delete(old, nil)
		}
		cl.Live = cl.Live[1:]
	}
	cl.Live = append(cl.Live, t)
	cl.LastUsed = now.UTC().Truncate(time.Hour)
	return cl.touch(tx, rec, now)
}
