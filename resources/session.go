package resources

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Session is one browser in which somebody is signed in. Sessions are settings,
// found by their user. Whether one works is decided at each look: the user must be
// there, active, and of the same epoch (Standing.Epoch), so that what ends
// somebody's access ends all sessions in the same commit (security O10).
type Session struct {
	ID         string       `json:"-"`
	User       string       `json:"user"`
	Secret     []byte       `json:"secret"` // SHA-256 of the secret in the cookie
	Epoch      int          `json:"epoch"`
	Method     SignInMethod `json:"method"`
	Connection string       `json:"connection,omitempty"` // id, of method sso
	Issuer     string       `json:"issuer,omitempty"`
	Subject    string       `json:"subject,omitempty"`
	SID        string       `json:"sid,omitempty"`     // the provider's name of its session
	IDToken    []byte       `json:"idToken,omitempty"` // sealed, as a hint when signing out at the provider
	Began      time.Time    `json:"began"`
	Seen       time.Time    `json:"seen"` // last use, exact to five minutes
	Ends       time.Time    `json:"ends"` // at the latest
	Agent      string       `json:"agent,omitempty"`
	From       string       `json:"from,omitempty"` // address
}

// Visitor is who asks at the people's door, for limits and for lists of sessions.
type Visitor struct {
	Address string // of the network
	Agent   string // User-Agent
}

// SignedIn is a session and whose it is.
type SignedIn struct {
	Session Session
	Person  Person
	Caller  Caller // who acts: the user on itself, and with roles on the organization
}

// OriginConsole is how users come in through pages, see Caller.Origin.
const OriginConsole = "CONSOLE"

// The limits of a session when the settings say nothing, and how exact its last
// use is known (security O10).
const (
	sessionIdle  = 30 * time.Minute
	sessionHours = 12 * time.Hour
	sessionSeen  = 5 * time.Minute
	sessionsKept = 50  // of one user; the oldest go
	agentKept    = 200 // bytes of a User-Agent
)

// limits are how long a session lives unused, and at all.
func (s *Settings) limits() (idle, absolute time.Duration) {
	idle, absolute = sessionIdle, sessionHours
	if s.SessionIdle > 0 {
		idle = time.Duration(s.SessionIdle) * time.Minute
	}
	if s.SessionHours > 0 {
		absolute = time.Duration(s.SessionHours) * time.Hour
	}
	return idle, absolute
}

// lives reports whether the session can be used at a time, as far as it alone
// decides. Settings that have become shorter count at once.
func (s *Session) lives(now time.Time, settings *Settings) bool {
	idle, absolute := settings.limits()
	return now.Before(s.Ends) && now.Before(s.Began.Add(absolute)) && now.Before(s.Seen.Add(idle))
}

// place is where a session stands in the indexes: with its user, and with what a
// provider names when it ends one.
func (s *Session) place() place {
	p := place{Noun: nounSession, Attrs: []string{attrOf("user", s.User)}}
	if s.Connection != "" {
		p.Attrs = append(p.Attrs, attrOf("connection", s.Connection))
	}
	if s.Issuer != "" {
		p.Attrs = append(p.Attrs, atSubject(s.Issuer, s.Subject))
		if s.SID != "" {
			p.Attrs = append(p.Attrs, atSID(s.Issuer, s.SID))
		}
	}
	return p
}

func atSubject(issuer, subject string) string {
	return attrOf("sub", hashSecret(issuer+"\x00"+subject))
}

func atSID(issuer, sid string) string { return attrOf("sid", hashSecret(issuer+"\x00"+sid)) }

// sessionIn reads a session from its record; nil when it is another setting.
func sessionIn(rec *Record) (*Session, error) {
	if rec == nil || nounOf(rec) != nounSession {
		return nil, nil
	}
	var s Session
	if err := json.Unmarshal(rec.Profile, &s); err != nil {
		return nil, fmt.Errorf("decode session %s: %w", rec.ID, err)
	}
	s.ID = rec.ID
	return &s, nil
}

// splitCookie takes the text of a cookie apart without trusting any of it: the
// organization, the session, the secret.
func splitCookie(text string) (org OrgID, id, secret string, ok bool) {
	if len(text) < 2*idLength+1 || len(text) > 160 {
		return "", "", "", false
	}
	first, id, secret := text[:idLength], text[idLength:2*idLength], text[2*idLength:]
	kind, okOrg := KindOf(first)
	of, okID := KindOf(id)
	return OrgID(first), id, secret, okOrg && kind == KindOrg && okID && of == KindSetting
}

// signedOut is the one refusal of every cookie that lets nobody in.
func signedOut() *Error { return refused("You are not signed in, or not any more; sign in again.") }

// sessionFor reads the session of a cookie; nil when there is none, or the secret
// is another.
func (d *Directory) sessionFor(ctx context.Context, cookie string) (OrgID, *Session, error) {
	org, id, secret, ok := splitCookie(cookie)
	if !ok {
		return "", nil, nil
	}
	rec, err := d.settingByID(ctx, org, id)
	if err != nil {
		return "", nil, err
	}
	s, err := sessionIn(rec)
	if err != nil || s == nil {
		return "", nil, err
	}
	sum := sha256.Sum256([]byte(secret))
	if subtle.ConstantTimeCompare(sum[:], s.Secret) != 1 {
		return "", nil, nil
	}
	return org, s, nil
}

// Session looks at the secret of a cookie. Codes: unauthenticated, whatever is
// wrong with it.
func (d *Directory) Session(ctx context.Context, cookie string) (*SignedIn, error) {
	org, s, err := d.sessionFor(ctx, cookie)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, signedOut()
	}
	plan, err := d.planFor(ctx, org)
	if err != nil {
		return nil, err
	}
	now := d.now()
	if !s.lives(now, &plan.Settings) {
		return nil, signedOut()
	}
	o, err := d.orgByID(ctx, org)
	if err != nil {
		return nil, err
	}
	rec, err := d.store.Get(ctx, org, KindUser, s.User)
	if err != nil {
		return nil, fmt.Errorf("read who is signed in: %w", err)
	}
	if o.serves() != nil || !s.letsIn(rec) {
		return nil, signedOut()
	}
	if s.Connection != "" { // who let the user in must be trusted still
		cn, err := d.connectionByID(ctx, org, s.Connection)
		if err != nil {
			return nil, err
		}
		if cn == nil || cn.Off {
			return nil, signedOut()
		}
	}
	p, err := d.personOf(ctx, o, rec)
	if err != nil {
		return nil, err
	}
	caller := p.caller()
	if err := d.atHome(ctx, &caller, o); err != nil {
		return nil, err
	}
	d.noteSeen(ctx, org, s, now, &plan.Settings)
	return &SignedIn{Session: *s, Person: *p, Caller: caller}, nil
}

// letsIn reports whether the user of a session, as it is stored, is there, active
// and of the session's epoch.
func (s *Session) letsIn(user *Record) bool {
	if user == nil {
		return false
	}
	standing := StandingOf(user)
	return standing.State == StateActive && standing.Epoch == s.Epoch
}

// caller is a person as the one who acts: on itself, and as far as its roles go.
func (p *Person) caller() Caller {
	c := Caller{Org: p.Org, Token: p.ID, User: p.ID, Origin: OriginConsole, Scopes: []Scope{ScopeMe}}
	for _, r := range p.Roles {
		c.Scopes = append(c.Scopes, r.Scope())
	}
	return c
}

// noteSeen writes down that a session is used, now and then. A look never fails
// because this could not be written.
func (d *Directory) noteSeen(ctx context.Context, org OrgID, s *Session, now time.Time, settings *Settings) {
	idle, _ := settings.limits()
	every := min(sessionSeen, idle/6)
	if now.Sub(s.Seen) < every {
		return
	}
	_, err := d.store.Update(ctx, org, func(_ context.Context, tx Tx) error {
		rec, err := tx.Read(KindSetting, s.ID)
		if err != nil {
			return err
		}
		cur, err := sessionIn(rec)
		if err != nil || cur == nil || now.Sub(cur.Seen) < every { // it has ended, or somebody else was faster
			return err
		}
		cur.Seen = instant(now)
		_, err = cur.place().put(tx, rec, s.ID, "", cur, now)
		return err
	})
	if err != nil {
		d.log.WarnContext(ctx, "session use not noted", "session", s.ID, "err", err)
	}
	s.Seen = instant(now)
}

// startSession asks for a session in the commit that signs a user in, and gives
// the text of its cookie. s is the standing as it will be; begin says how the user
// came in, and in Ends when the provider wants the session to end (zero: it does
// not say). The oldest sessions of the user go when there are too many.
func (d *Directory) startSession(ctx context.Context, tx Tx, org OrgID, user string, s *Standing, p *Plan, begin Session, v Visitor) (cookie string, err error) {
	now := instant(d.now())
	id, err := d.newID(KindSetting, now)
	if err != nil {
		return "", err
	}
	raw := make([]byte, secretBytes)
	if _, err := io.ReadFull(d.random, raw); err != nil {
		return "", fmt.Errorf("make a secret: %w", err)
	}
	secret := secretEncoding.EncodeToString(raw)
	sum := sha256.Sum256([]byte(secret))
	_, absolute := p.Settings.limits()
	ends := now.Add(absolute)
	if !begin.Ends.IsZero() && begin.Ends.Before(ends) {
		ends = instant(begin.Ends)
	}
	begin.ID, begin.User, begin.Secret, begin.Epoch = id, user, sum[:], s.Epoch
	begin.Began, begin.Seen, begin.Ends = now, now, ends
	begin.Agent, begin.From = clip(v.Agent, agentKept), clip(v.Address, 64)
	if err := d.dropOldest(ctx, tx, org, user); err != nil {
		return "", err
	}
	if _, err := begin.place().put(tx, nil, id, "", &begin, now); err != nil {
		return "", err
	}
	tx.Expire(KindSetting, id, ends)
	tx.Event(Event{Type: "user.signed_in", Kind: KindUser, ID: user, Actor: user})
	return string(org) + id + secret, nil
}
