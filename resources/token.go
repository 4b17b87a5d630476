package resources

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Token is a credential of an organization: a provisioning connection's, or
// in PlatformOrg an operator's API token. Only a hash of the secret is kept.
type Token struct {
	ID         string     `json:"-"`
	Connection string     `json:"connection"` // shared by a token and those that replace it
	Name       string     `json:"name"`
	Hash       string     `json:"hash"` // hex SHA-256 of the secret
	Scopes     []Scope    `json:"scopes"`
	Profile    Profile    `json:"profile"`
	Policy     NamePolicy `json:"policy"`
	Strict     bool       `json:"strict,omitempty"` // see Caller.Strict
	Asks       bool       `json:"asks,omitempty"`   // see Caller.Asks
	User       string     `json:"user,omitempty"`   // id of the user it stands for; "": nobody
	Created    time.Time  `json:"created"`
	Expires    time.Time  `json:"expires"`
	LastUsed   time.Time  `json:"lastUsed,omitzero"` // to the hour
	Client     string     `json:"client,omitempty"`  // the OAuth client it was issued to, see ClientToken
	Proof      string     `json:"proof,omitempty"`   // the client's secret it was issued for, by id
}

// TokenSpec is what a new token shall be. Zero fields have defaults: scope
// scim, profile rfc, policy relaxed, 180 days. Scopes are those of a connection
// or those of administrators, never both.
type TokenSpec struct {
	Name     string
	Scopes   []Scope
	Profile  Profile
	Policy   NamePolicy
	Strict   bool   // what cannot be granted refuses the request (domain.md §5.6)
	Asks     bool   // entitlements of users ask for licences (domain.md §5.5)
	User     string // id of the user it stands for; its scope is me by default
	Lifetime time.Duration
}

const (
	tokenPrefix      = "ush_"
	tokenLifetime    = 180 * 24 * time.Hour // default (security T1)
	tokenMaxLifetime = 365 * 24 * time.Hour
	tokenKept        = 30 * 24 * time.Hour // in lists, after it expired
	tokensAlive      = 2                   // of one connection, so that secrets can rotate
	secretBytes      = 32
)

var secretEncoding = base32.NewEncoding(idAlphabet).WithPadding(base32.NoPadding)

// normalised fills in the defaults for a token of an organization and refuses
// what cannot be. Operators' tokens carry the scope platform and no other.
func (s TokenSpec) normalised(org OrgID) (TokenSpec, error) {
	if s.Name == "" {
		s.Name = "provisioning"
	}
	if len(s.Name) > 100 {
		return s, &Error{Code: CodeInvalidValue, Field: "name", Detail: "The name of a token is at most 100 bytes long."}
	}
	known := ConnectionScopes()
	if org == PlatformOrg {
		known = []Scope{ScopePlatform}
	}
	if s.User != "" && org != PlatformOrg {
		known = append([]Scope{ScopeMe}, known...)
	}
	if len(s.Scopes) == 0 {
		s.Scopes = known[:1]
	}
	if err := checkScopes(s.Scopes, known, org != PlatformOrg); err != nil {
		return s, err
	}
	if k, ok := KindOf(s.User); s.User != "" && (!ok || k != KindUser || org == PlatformOrg) {
		return s, userUnknown(s.User)
	}
	if s.Profile == "" {
		s.Profile = ProfileRFC
	}
	if !slices.Contains(Profiles(), s.Profile) {
		return s, &Error{Code: CodeInvalidValue, Field: "profile", Detail: fmt.Sprintf("The profile %q is not known; use %s.", clip(string(s.Profile), 40), joined(Profiles()))}
	}
	if s.Policy == "" {
		s.Policy = NameRelaxed
	}
	if s.Policy != NameRelaxed && s.Policy != NameEmail {
		return s, &Error{Code: CodeInvalidValue, Field: "policy", Detail: "The userName policy is relaxed or email."}
	}
	if s.Lifetime == 0 {
		s.Lifetime = tokenLifetime
	}
	if s.Lifetime < time.Minute || s.Lifetime > tokenMaxLifetime {
		return s, &Error{Code: CodeInvalidValue, Field: "lifetime", Detail: "A token lives between one minute and 365 days."}
	}
	return s, nil
}

// CreateToken makes a token for a new connection of an organization (or with
// PlatformSlug an operator's API token) and returns it with its secret text,
// which is shown this once. Codes: not_found, invalid_value.
func (d *Directory) CreateToken(ctx context.Context, c Caller, slug string, spec TokenSpec) (*Token, string, error) {
	org, err := d.manages(ctx, c, slug, true)
	if err != nil {
		return nil, "", err
	}
	if spec, err = spec.normalised(org); err != nil {
		return nil, "", err
	}
	return d.issueNew(ctx, c, org, spec)
}

// owner finds the organization whose tokens are meant; PlatformSlug means the
// operators' own.
func (d *Directory) owner(ctx context.Context, slug string) (OrgID, error) {
	if slug == PlatformSlug {
		return PlatformOrg, nil
	}
	o, err := d.orgBySlug(ctx, slug)
	if err != nil {
		return "", err
	}
	if o.State == OrgDeleting {
		return "", orgDeleting()
	}
	return o.ID, nil
}

// issueNew issues the first token of a new connection.
func (d *Directory) issueNew(ctx context.Context, c Caller, org OrgID, spec TokenSpec) (*Token, string, error) {
	connection, err := d.newID(KindToken, d.now())
	if err != nil {
		return nil, "", err
	}
	t := Token{Connection: connection, Name: spec.Name, Scopes: spec.Scopes, Profile: spec.Profile, Policy: spec.Policy, Strict: spec.Strict, Asks: spec.Asks, User: spec.User}
	return d.issue(ctx, c, org, t, spec.Lifetime, standsFor(spec.User, spec.Scopes))
}

// issue stores a token with a fresh id and secret in an organization. may, when
// not nil, decides inside the commit whether there can be one more.
func (d *Directory) issue(ctx context.Context, c Caller, org OrgID, t Token, lifetime time.Duration, may func(tx Tx, id string) error) (*Token, string, error) {
	now := d.now().UTC().Truncate(time.Millisecond)
	raw := make([]byte, secretBytes)
	if _, err := io.ReadFull(d.random, raw); err != nil {
		return nil, "", fmt.Errorf("make a secret: %w", err)
	}
	secret := secretEncoding.EncodeToString(raw)
	t.Hash = hashSecret(secret)
	t.Created, t.Expires, t.LastUsed = now, now.Add(lifetime), time.Time{}
	_, err := d.store.Update(ctx, org, func(_ context.Context, tx Tx) error {
		id, _, err := d.idFor(c, KindToken)
		if err != nil {
			return err
		}
		t.ID = id
		rec, err := t.record(now)
		if err != nil {
			return err
		}
		done, err := t.again(tx, c, rec)
		if err != nil || done {
			return err
		}
		if may != nil {
			if err := may(tx, id); err != nil {
				return err
			}
		}
		tx.Put(nil, rec, nil, t.entries())
		tx.Expire(KindToken, id, t.kept())
		tx.Event(Event{Type: "token.created", Kind: KindToken, ID: id, Version: 1, Actor: c.Token, Request: c.Request})
		return nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("create token: %w", err)
	}
	return &t, tokenPrefix + string(org) + "_" + t.ID + "_" + secret, nil
}

func (t *Token) record(now time.Time) (*Record, error) {
	body, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("encode token: %w", err)
	}
	ms := now.UnixMilli()
	return &Record{Kind: KindToken, ID: t.ID, Version: 1, Created: ms, Modified: ms, Display: clip(t.Name, 100), Profile: body}, nil
}

// entries are a token's places in the indexes. Access tokens of clients have
// none: they are many, short-lived and nobody's to manage.
func (t *Token) entries() []Entry {
	if t.Client != "" {
		return nil
	}
	return []Entry{{Index: TokenAll, Value: t.ID}}
}

// kept is until when a token's record is kept.
func (t *Token) kept() time.Time {
	if t.Client != "" {
		return t.Expires
	}
	return t.Expires.Add(tokenKept)
}

func tokenOf(rec *Record) (*Token, error) {
	var t Token
	if err := json.Unmarshal(rec.Profile, &t); err != nil {
		return nil, fmt.Errorf("decode token %s: %w", rec.ID, err)
	}
	t.ID = rec.ID
	return &t, nil
}

// ListTokens lists an organization's tokens, oldest first, without secrets.
func (d *Directory) ListTokens(ctx context.Context, c Caller, slug string) ([]*Token, error) {
	org, err := d.manages(ctx, c, slug, false)
	if err != nil {
		return nil, err
	}
	return d.tokensOf(ctx, org)
}

func (d *Directory) tokensOf(ctx context.Context, org OrgID) ([]*Token, error) {
	var out []*Token
	for {
		page, err := d.store.Find(ctx, org, Query{Kind: KindToken, Offset: len(out), Limit: 200, NoGroups: true, Budget: d.budget})
		if err != nil {
			return nil, fmt.Errorf("list tokens: %w", err)
		}
		for _, rec := range page.Records {
			t, err := tokenOf(rec)
			if err != nil {
				return nil, err
			}
			out = append(out, t)
		}
		if len(page.Records) == 0 || len(out) >= page.Total {
			return out, nil
		}
	}
}

// RotateToken issues a second token for the connection of an existing one, with
// the same rights and as long a life; the old one works until it is revoked or
// expires. At most two of a connection are alive at once: one more is
// too_many_tokens. Unknown ids are not_found.
func (d *Directory) RotateToken(ctx context.Context, c Caller, slug, id string) (*Token, string, error) {
	org, err := d.manages(ctx, c, slug, true)
	if err != nil {
		return nil, "", err
	}
	all, err := d.tokensOf(ctx, org)
	if err != nil {
		return nil, "", err
	}
	at := slices.IndexFunc(all, func(t *Token) bool { return t.ID == id })
	if at < 0 {
		return nil, "", notFound(KindToken)
	}
	old := all[at]
	return d.issue(ctx, c, org, *old, old.Expires.Sub(old.Created), func(tx Tx, _ string) error {
		return d.roomForToken(ctx, tx, org, old.Connection)
	})
}

// roomForToken refuses one more token of a connection that has enough. The
// connection's oldest token is read before the others are counted and written
// with the commit, so that of two rotations at once the second counts again.
func (d *Directory) roomForToken(ctx context.Context, tx Tx, org OrgID, connection string) error {
	all, err := d.tokensOf(ctx, org)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(t *Token) bool { return t.Connection == connection })
	if at < 0 {
		return notFound(KindToken)
	}
	oldest, err := tx.Read(KindToken, all[at].ID)
	if err != nil {
		return err
	}
	if oldest == nil {
		return fmt.Errorf("the connection's tokens are being revoked: %w", ErrUnavailable)
	}
	if all, err = d.tokensOf(ctx, org); err != nil {
		return err
	}
	alive := 0
	for _, t := range all {
		if t.Connection == connection && t.Expires.After(d.now()) {
			alive++
		}
	}
	if alive >= tokensAlive {
		return &Error{Code: CodeTooManyTokens, Detail: "Two tokens of this connection are alive already; revoke one before rotating again."}
	}
	next := *oldest
	next.Version++
	entries := (&Token{ID: oldest.ID}).entries()
	tx.Put(oldest, &next, entries, entries)
	return nil
}

func hashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

func (t *Token) matches(secret string) bool {
	return subtle.ConstantTimeCompare([]byte(t.Hash), []byte(hashSecret(secret))) == 1
}

// splitToken takes a token text apart without trusting any of it.
func splitToken(text string) (org OrgID, id, secret string, ok bool) {
	rest, ok := strings.CutPrefix(text, tokenPrefix)
	if !ok || len(text) > 160 {
		return "", "", "", false
	}
	parts := strings.Split(rest, "_")
	if len(parts) != 3 {
		return "", "", "", false
	}
	if k, ok := KindOf(parts[0]); (!ok || k != KindOrg) && parts[0] != string(PlatformOrg) {
		return "", "", "", false
	}
	if k, ok := KindOf(parts[1]); !ok || k != KindToken {
		return "", "", "", false
	}
	raw, err := secretEncoding.DecodeString(parts[2])
	if err != nil || len(raw) != secretBytes || secretEncoding.EncodeToString(raw) != parts[2] {
		return "", "", "", false // the decoder alone skips line ends and bytes of 0xff
	}
	return OrgID(parts[0]), parts[1], parts[2], true
}

// clip cuts a text to at most that many bytes, not inside a character.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && s[most]&0xc0 == 0x80 {
		most--
	}
	return s[:most]
}
