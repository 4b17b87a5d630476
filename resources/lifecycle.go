package resources

import "time"

// Login is what is known of a user's sign-ins, part of the standing. Times are
// milliseconds since 1970.
type Login struct {
	First     int64        `json:"f,omitempty"` // first completed sign-in: the user is active from then on (domain.md §3.1)
	Last      int64        `json:"l,omitempty"` // last one; written again when it is more than an hour older, so that sign-ins do not move versions all the time
	Activated int64        `json:"a,omitempty"` // once (BR-107)
	Method    SignInMethod `json:"m,omitempty"` // of the activation, once
}

// Mails is what was decided and sent to activate a user, part of the standing.
// Times are milliseconds since 1970.
type Mails struct {
	Decided   int64  `json:"d,omitempty"` // when the automatic mail was decided on, sent or not: it is never decided on again (BR-080, BR-087); below 0 it was taken back before it was sent, and is decided on again when the user qualifies again
	First     int64  `json:"f,omitempty"` // when the first activation mail was sent
	Last      int64  `json:"l,omitempty"` // when the last activation mail or reminder was sent
	Count     int    `json:"n,omitempty"` // how many were
	Reminders int    `json:"r,omitempty"` // how many of them were reminders (BR-090)
	Bounced   string `json:"b,omitempty"` // the EmailKey that the mail server refused for good (BR-262)
}

// SignInMethod is how somebody signs in.
type SignInMethod string

// The methods.
const (
	MethodPassword SignInMethod = "password"
	MethodSSO      SignInMethod = "sso"
)

// lastFresh is how old the time of the last sign-in may be that readers see.
const lastFresh = time.Hour

// stateOf computes where a user is in its life, first match wins (domain.md §3.1).
// proven says whether the identity address is: by the user, by the provider, or by
// a verified domain of the organization.
func (s *Standing) stateOf(inactive, proven bool) string {
	switch {
	case inactive:
		return StateInactive
	case s.Login != nil && s.Login.First > 0:
		return StateActive
	case proven:
		return StateVerified
	}
	return StateNotVerified
}

// proves reports whether the identity address, given as EmailKey, is known to be
// the user's: it was proven, or a verified domain covers it. Another address is
// not proven by that.
func (s *Standing) proves(key string) bool {
	return key != "" && (s.Covered || s.Proven == key)
}

// prove notes that an address, given as EmailKey, was proven to be the user's: by
// a link, a code or the provider. It is for change in a revision.
func (s *Standing) prove(key string) { s.Proven = key }

// signIn notes a completed sign-in. The first one activates: everything that was
// made before it lets nobody in any more, whoever prepared it (security H1); the
// access record is cleared with clearPrepared in the same commit. It is for change
// in a revision; the session begins after it, in beside.
func (s *Standing) signIn(m SignInMethod, now time.Time) {
	ms := now.UnixMilli()
	if s.Login == nil || s.Login.First == 0 {
		s.Login = &Login{First: ms, Last: ms, Activated: ms, Method: m}
		s.endAccess()
		return
	}
	if last := time.UnixMilli(s.Login.Last); now.Sub(last) > lastFresh {
		next := *s.Login // the standing before shares it
		next.Last = ms
		s.Login = &next
	}
}

// endAccess makes all sessions, links and codes of the user worthless (security
// O10). It is for change in a revision.
func (s *Standing) endAccess() { s.Epoch++ }

// activated reports whether the user has ever signed in.
func (s *Standing) activated() bool { return s.Login != nil && s.Login.First > 0 }

// clearPrepared takes away what somebody may have prepared before the user came in
// for the first time (security H1): live links and codes, subjects of providers but
// the one that the user comes in by, and, unless it is the user's way in, the
// password.
func (a *access) clearPrepared(tx Tx, m SignInMethod, issuer, subject string) {
	a.retire()
	if m != MethodPassword {
		a.Password, a.PasswordSet = nil, 0
	}
	var kept []Link
	for _, l := range a.Links {
		if m == MethodSSO && l.Issuer == issuer && l.Subject == subject {
			kept = append(kept, l)
			continue
		}
		tx.Release(subjectClaim(l.Issuer, l.Subject), a.User)
	}
	a.Links = kept
}

// covered tells what verified domains say of the user, before anything else is
// decided: who is deactivated, or taken over from a provider, has no access from
// then on (domain.md §3.1, security O10).
func (s *settling) covered() {
	ch, after := s.ch, s.after
	after.Covered = ch.after.IdentityKey != "" && s.plan.verifies(ch.after.IdentityKey)
	if ch.before == nil {
		return
	}
	if ch.after.Inactive && !ch.before.Inactive || s.before.Source != after.Source {
		after.endAccess()
	}
	if ch.after.Inactive && !ch.before.Inactive {
		s.tx.Pressing()
	}
}

// lifecycle computes the state, once everything that decides it is there.
func (s *settling) lifecycle() {
	s.after.State = s.after.stateOf(s.ch.after.Inactive, s.after.proves(s.ch.after.IdentityKey))
}

// lifecycleEvents tell what became of a user's life (domain.md §3.1).
func (s *settling) lifecycleEvents() []Event {
	if s.ch.after == nil {
		return nil
	}
	var out []Event
	if s.ch.before != nil && s.after.proves(s.ch.after.IdentityKey) && !s.before.proves(s.ch.before.IdentityKey) {
		e := Event{Type: "user.verified"}
		if s.after.Covered {
			e.Rule = "BR-041"
		}
		out = append(out, e)
	}
	if m := s.before.Moved; m != nil && s.ch.after.IdentityKey == m.Key {
		out = append(out, Event{Type: "user.address_back", Rule: "BR-005"})
	}
	first := s.after.activated() && !s.before.activated()
	if first {
		e := Event{Type: "user.activated", Rule: "BR-107"}
		if s.after.Login.Method == MethodSSO {
			e.Rule = "BR-113"
		}
		out = append(out, e)
	}
	if s.ch.before == nil {
		return out
	}
	deactivated := s.ch.after.Inactive && !s.ch.before.Inactive
	if s.after.Epoch != s.before.Epoch && !first && !deactivated {
		out = append(out, Event{Type: "user.access_ended"})
	}
	return out
}

// onlySeen reports whether nothing has become of the user but that it signed in
// again, which the session's own event tells.
func (s *settling) onlySeen() bool {
	a, b := s.after.Login, s.before.Login
	return a != nil && b != nil && a.Last != b.Last
}
