package resources

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestStates: where a user is in its life, first match wins (domain.md §3.1).
func TestStates(t *testing.T) {
	in := &Login{First: 1}
	for name, tt := range map[string]struct {
		s                Standing
		inactive, proven bool
		want             string
	}{
		"new":                              {Standing{}, false, false, StateNotVerified},
		"proven":                           {Standing{}, false, true, StateVerified},
		"came in":                          {Standing{Login: in}, false, true, StateActive},
		"came in, has another address now": {Standing{Login: in}, false, false, StateActive},
		"deactivated":                      {Standing{Login: in}, true, true, StateInactive},
		"never came in, deactivated":       {Standing{}, true, true, StateInactive},
		"a login without a sign-in":        {Standing{Login: &Login{}}, false, false, StateNotVerified},
	} {
		if got := tt.s.stateOf(tt.inactive, tt.proven); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

// TestProves: an address is proven by itself or by its domain, and proves no other.
func TestProves(t *testing.T) {
	for name, tt := range map[string]struct {
		s    Standing
		key  string
		want bool
	}{
		"nothing proven":   {Standing{}, "a@a.test", false},
		"no address":       {Standing{}, "", false},
		"no address, home": {Standing{Covered: true}, "", false},
		"this one":         {Standing{Proven: "a@a.test"}, "a@a.test", true},
		"another one":      {Standing{Proven: "a@a.test"}, "b@a.test", false},
		"its domain":       {Standing{Covered: true}, "b@a.test", true},
	} {
		if got := tt.s.proves(tt.key); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestSignIn: the first sign-in activates, once (BR-107, BR-113), and ends what was
// prepared (security H1); later ones are told to the hour.
func TestSignIn(t *testing.T) {
	at := time.UnixMilli(1_800_000_000_000)
	var s Standing
	s.signIn(MethodSSO, at)
	first := Login{First: at.UnixMilli(), Last: at.UnixMilli(), Activated: at.UnixMilli(), Method: MethodSSO}
	if diff := cmp.Diff(&first, s.Login); diff != "" || s.Epoch != 1 {
		t.Errorf("epoch %d, (-want +got):\n%s", s.Epoch, diff)
	}
	before := s
	s.signIn(MethodPassword, at.Add(time.Hour))
	if diff := cmp.Diff(&first, s.Login); diff != "" || s.Epoch != 1 {
		t.Errorf("an hour later: epoch %d, (-want +got):\n%s", s.Epoch, diff)
	}
	s.signIn(MethodPassword, at.Add(time.Hour+time.Millisecond))
	later := first
	later.Last = at.Add(time.Hour + time.Millisecond).UnixMilli()
	if diff := cmp.Diff(&later, s.Login); diff != "" {
		t.Errorf("more than an hour later (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(&first, before.Login); diff != "" {
		t.Errorf("the standing before has changed:\n%s", diff)
	}
}

// TestLifecycleShown: what SCIM shows of a life (domain.md §5.4).
func TestLifecycleShown(t *testing.T) {
	for name, tt := range map[string]struct {
		s        Standing
		verified bool
		want     string
		apart    string // on request only
	}{
		"new":      {Standing{State: StateNotVerified}, false, `,"state":"not_verified","emailVerified":false,"invitePending":true`, `{}`},
		"verified": {Standing{State: StateVerified, Covered: true}, true, `,"state":"verified","emailVerified":true,"invitePending":true`, `{}`},
		"active": {
			Standing{State: StateActive, Login: &Login{First: 1000, Last: 3000, Activated: 2000, Method: MethodPassword}, Mails: &Mails{Decided: 1, Last: 500, Count: 2}}, true,
			`,"state":"active","emailVerified":true,"invitePending":false,"activationMethod":"password"`,
			`{"firstSignInAt":"1970-01-01T00:00:01.000Z","lastSignInAt":"1970-01-01T00:00:03.000Z","activatedAt":"1970-01-01T00:00:02.000Z",` +
				`"activationEmailLastSentAt":"1970-01-01T00:00:00.500Z","activationEmailCount":2}`,
		},
		"inactive, was active":     {Standing{State: StateInactive, Login: &Login{First: 1000}}, false, `,"state":"inactive","emailVerified":false,"invitePending":false`, `{"firstSignInAt":"1970-01-01T00:00:01.000Z"}`},
		"a mail that was not sent": {Standing{State: StateNotVerified, Mails: &Mails{Decided: 1}}, false, `,"state":"not_verified","emailVerified":false,"invitePending":true`, `{}`},
	} {
		if diff := cmp.Diff(tt.want, string(tt.s.lifecycleBlock(tt.verified))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		apart := ShownApart(&Record{Standing: tt.s.append(nil, nil)})
		if diff := cmp.Diff(tt.apart, string(apart.Append(nil))); diff != "" {
			t.Errorf("%s: apart (-want +got):\n%s", name, diff)
		}
	}
}

// FuzzCookie: no text of a cookie panics, and what is taken apart is what was put
// together.
func FuzzCookie(f *testing.F) {
	f.Add("")
	f.Add("01hq3k5m7n9p1r3t5v0b01hq3k5m7n9p1r3t5v0dsecret")
	f.Add("01hq3k5m7n9p1r3t5v0b01hq3k5m7n9p1r3t5v0d")
	f.Fuzz(func(t *testing.T, text string) {
		org, id, secret, ok := splitCookie(text)
		if !ok {
			return
		}
		if kind, good := KindOf(id); string(org)+id+secret != text || secret == "" || !good || kind != KindSetting {
			t.Errorf("%q is %q %q %q", text, org, id, secret)
		}
	})
}
