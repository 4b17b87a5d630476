package resources

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/idna"
	"pgregory.net/rapid"

	"github.com/usher-scim/usher/internal/jsontree"
)

func parsed(t *testing.T, text string) *jsontree.Value {
	t.Helper()
	if text == "" {
		return nil
	}
	v, err := jsontree.Parse([]byte(text), jsontree.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return &v
}

// askings notes what settle asks of a unit of work, in words.
type askings struct {
	Tx
	claims   []string
	events   []Event
	pressing bool
}

func (w *askings) Claim(c Claim, holder string) {
	w.claims = append(w.claims, fmt.Sprintf("claim %s %s for %s", c.Kind, c.Key, holder))
}

func (w *askings) Release(c Claim, holder string) {
	w.claims = append(w.claims, fmt.Sprintf("release %s %s of %s", c.Kind, c.Key, holder))
}

func (w *askings) Read(Kind, string) (*Record, error) { return nil, nil }

func (w *askings) Pressing() { w.pressing = true }

func (w *askings) Event(e Event) { w.events = append(w.events, e) }

// settledID is the user that is settled.
const settledID = "01hq3k5m7n9p1r3t5v08"

// TestSettle: the consequences of every kind of change of a user (BR-001,
// BR-002, BR-005, BR-006, BR-240, BR-242, BR-261).
func TestSettle(t *testing.T) {
	const (
		plain   = `{"userName":"u","externalId":"x7","active":true}`
		mail    = `{"userName":"u","emails":[{"value":"A@a.test"}]}`
		mailed  = `{"userName":"u","emails":[{"value":"a@A.test","type":"home"}]}`
		other   = `{"userName":"u","emails":[{"value":"b@a.test"}],"active":false}`
		invalid = `{"userName":"u","emails":[{"value":"a + b@a.test"}]}`
	)
	tests := map[string]struct {
		before, after string
		claims        []string
		events        []Event
		standing      string
	}{
		"created without an address": {
			"", plain, nil,
			[]Event{{Type: "user.created", Version: 3}},
			`{"state":"not_verified","issues":["missing_email"]}`,
		},
		"created with one": {
			"", mail,
			[]string{"claim em a@a.test for " + settledID},
			[]Event{{Type: "user.created", Version: 3}},
			`{"state":"not_verified"}`,
		},
		"created with one that cannot be keyed": {
			"", invalid, nil,
			[]Event{{Type: "user.created", Version: 3}},
			`{"state":"not_verified","issues":["email_invalid"]}`,
		},
		"the same address spelled otherwise": {
			mail, mailed, nil,
			[]Event{{Type: "user.updated", Version: 3, Changed: []string{"emails"}}},
			`{"state":"not_verified"}`,
		},
		"another address, deactivated": {
			mail, other,
			[]string{"release em a@a.test of " + settledID, "claim em b@a.test for " + settledID},
			[]Event{{Type: "user.updated", Version: 3, Changed: []string{"emails", "active"}}, {Type: "user.deactivated", Version: 3}},
			`{"state":"inactive"}`,
		},
		"reactivated, address gone": {
			other, plain,
			[]string{"release em b@a.test of " + settledID},
			[]Event{{Type: "user.updated", Version: 3, Changed: []string{"externalId", "active", "emails"}}, {Type: "user.reactivated", Version: 3}},
			`{"state":"not_verified","issues":["missing_email"]}`,
		},
		"an address that becomes one": {
			invalid, mail,
			[]string{"claim em a@a.test for " + settledID},
			[]Event{{Type: "user.updated", Version: 3, Changed: []string{"emails"}}},
			`{"state":"not_verified"}`,
		},
		"deleted": {
			mail, "",
			[]string{"release em a@a.test of " + settledID},
			[]Event{{Type: "user.deleted", Names: []string{"u", ""}}},
			"",
		},
		"deleted without an address": {
			plain, "", nil,
			[]Event{{Type: "user.deleted", Names: []string{"u", "x7"}}},
			"",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			ch := change{id: settledID, docBefore: parsed(t, tt.before), docAfter: parsed(t, tt.after)}
			if ch.docBefore != nil {
				u := UserOf(ch.docBefore)
				ch.before = &u
			}
			if ch.docAfter != nil {
				u := UserOf(ch.docAfter)
				ch.after, ch.rec = &u, &Record{ID: settledID, Version: 3}
			}
			var got askings
			p, err := parsePlan(nil)
			if err != nil {
				t.Fatal(err)
			}
			r := rules{Caller{Token: "t", Request: "r"}, p, newCatalogue(builtinProducts()), &knowledge{}}
			if err := (&Directory{}).settle(t.Context(), &got, r, ch); err != nil {
				t.Fatal(err)
			}
			for i := range tt.events {
				e := &tt.events[i]
				e.Kind, e.ID, e.Actor, e.Request = KindUser, settledID, "t", "r"
			}
			if diff := cmp.Diff(tt.claims, got.claims); diff != "" {
				t.Errorf("claims (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.events, got.events); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if want := strings.Contains(name, "deactivated"); got.pressing != want {
				t.Errorf("the commit may run when memory is short: %v, want %v", got.pressing, want)
			}
			standing := ""
			if ch.rec != nil {
				standing = outline(StandingOf(ch.rec))
			}
			if standing != tt.standing {
				t.Errorf("standing %s, want %s", standing, tt.standing)
			}
		})
	}
}

// outline is a standing with the codes of its issues alone.
func outline(s Standing) string {
	out := `{"state":"` + s.State + `"`
	for i, issue := range s.Issues {
		if i == 0 {
			out += `,"issues":[`
		} else {
			out += ","
		}
		out += `"` + string(issue.Code) + `"`
	}
	if len(s.Issues) > 0 {
		out += "]"
	}
	return out + "}"
}

// TestChangedNames: top-level names, order and spelling of members aside, the
// id never (BR-261).
func TestChangedNames(t *testing.T) {
	tests := map[string]struct {
		before, after string
		want          []string
	}{
		"nothing":             {`{"id":"1","a":{"x":1,"y":2}}`, `{"a":{"Y":2,"X":1}}`, nil},
		"value":               {`{"a":1,"b":2}`, `{"a":1,"b":3}`, []string{"b"}},
		"added":               {`{"a":1}`, `{"b":2,"a":1}`, []string{"b"}},
		"gone":                {`{"a":1,"b":2}`, `{"b":2}`, []string{"a"}},
		"inside":              {`{"name":{"givenName":"A"}}`, `{"name":{"givenName":"B"}}`, []string{"name"}},
		"order of an array":   {`{"a":[1,2]}`, `{"a":[2,1]}`, []string{"a"}},
		"gone comes last":     {`{"a":1,"b":1,"c":1}`, `{"c":2,"b":2}`, []string{"c", "b", "a"}},
		"the id is no change": {`{"id":"1"}`, `{"id":"2"}`, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := changedNames(parsed(t, tt.before), parsed(t, tt.after)); !slices.Equal(got, tt.want) {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

// TestNamePolicy: relaxed takes any userName, email only the identity address
// (BR-004).
func TestNamePolicy(t *testing.T) {
	tests := map[string]struct {
		doc   string
		email bool // whether the policy email accepts it
	}{
		"no address at all":    {`{"userName":"jane"}`, false},
		"name is the address":  {`{"userName":"jane@a.test"}`, true},
		"same mailbox":         {`{"userName":"Jane@a.test","emails":[{"value":"jane@A.TEST."}]}`, true},
		"another mailbox":      {`{"userName":"jane@a.test","emails":[{"value":"j@a.test"}]}`, false},
		"not the primary one":  {`{"userName":"jane@a.test","emails":[{"value":"jane@a.test"},{"value":"j@a.test","primary":true}]}`, false},
		"name is no address":   {`{"userName":"jane","emails":[{"value":"jane@a.test"}]}`, false},
		"neither can be keyed": {`{"userName":"a b@a.test","emails":[{"value":"a b@a.test"}]}`, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			u := UserOf(parsed(t, tt.doc))
			if err := NameRelaxed.check(&u); err != nil {
				t.Errorf("relaxed: %v", err)
			}
			if err := NamePolicy("").check(&u); err != nil {
				t.Errorf("no policy: %v", err)
			}
			if err := NameEmail.check(&u); HasCode(err, CodeUserNameNotEmail) == tt.email || (err == nil) != tt.email {
				t.Errorf("email: %v, accepts is %v", err, tt.email)
			}
		})
	}
}

// TestWithID: the id stands behind schemas, which come first, wherever they
// were; everything else keeps its order.
func TestWithID(t *testing.T) {
	tests := map[string]struct{ in, want string }{
		"schemas first":     {`{"schemas":["u"],"a":1}`, `{"schemas":["u"],"id":"7","a":1}`},
		"schemas later":     {`{"b":"x","schemas":["u"],"a":{"c":[]}}`, `{"schemas":["u"],"id":"7","b":"x","a":{"c":[]}}`},
		"no schemas":        {`{"b":1,"a":2}`, `{"id":"7","b":1,"a":2}`},
		"its own id":        {`{"a":1,"ID":"no","schemas":[]}`, `{"schemas":[],"id":"7","a":1}`},
		"nothing else":      {`{}`, `{"id":"7"}`},
		"names are escaped": {`{"a\"b":true}`, `{"id":"7","a\"b":true}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			doc := parsed(t, tt.in)
			before := doc.Clone()
			if got := string(withID(doc, "7")); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
			if !jsontree.Equal(&before, doc) {
				t.Error("the document was changed")
			}
		})
	}
}

// TestTokenCacheForgets: what was read before a revocation is not remembered
// after it (security T1).
func TestTokenCacheForgets(t *testing.T) {
	var tc tokenCache
	now := time.Unix(0, 0)
	key, entry := [32]byte{1}, cachedToken{until: now.Add(time.Hour)}
	_, epoch, ok := tc.get(key, now)
	if ok {
		t.Fatal("an empty cache knows a token")
	}
	tc.put(key, entry, epoch)
	if _, _, ok = tc.get(key, now); !ok {
		t.Error("a token was not remembered")
	}
	tc.forget()
	tc.put(key, entry, epoch)
	if _, _, ok = tc.get(key, now); ok {
		t.Error("what was read before the revocation came back")
	}
	_, epoch, _ = tc.get(key, now)
	tc.put(key, entry, epoch)
	if _, _, ok = tc.get(key, now.Add(time.Hour)); ok {
		t.Error("an entry outlived its time")
	}
}

// TestPlainDomain: the short way over IDNA gives what the long way gives.
func TestPlainDomain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		domain := rapid.OneOf(
			rapid.StringMatching(`[a-zA-Z0-9.-]{1,12}`),
			rapid.StringMatching(`(xn--)?[a-z0-9-]{0,4}(\.[A-Z0-9a-z-]{0,66}){1,3}`),
		).Draw(t, "domain")
		if !plainDomain(domain) {
			return
		}
		if got, err := idna.Lookup.ToASCII(domain); err != nil || !strings.EqualFold(got, domain) {
			t.Fatalf("%q is plain, but IDNA makes it %q, %v", domain, got, err)
		}
	})
	for domain, want := range map[string]bool{
		"acme.example": true, "A-b.C9": true, "xn--a.b": false, "a..b": false, "-a.b": false, "a-.b": false, "a.b-": false,
		"": false, "a.": false, ".a": false, "é.fr": false, strings.Repeat("a", 64) + ".b": false, strings.Repeat("a", 63) + ".b": true,
	} {
		if got := plainDomain(domain); got != want {
			t.Errorf("plainDomain(%q) = %v", domain, got)
		}
	}
}

func BenchmarkKindOf(b *testing.B) {
	for b.Loop() {
		if _, ok := KindOf("01hq3k5m7n9p1r3t5v08"); !ok {
			b.Fatal("refused")
		}
	}
}

// BenchmarkCreate is what the domain does to a user before the store gets it.
func BenchmarkCreate(b *testing.B) {
	doc, err := jsontree.Parse([]byte(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"amelie.roux@acme.example",`+
		`"externalId":"aroux","displayName":"Amélie Roux","active":true,"name":{"givenName":"Amélie","familyName":"Roux"},`+
		`"emails":[{"value":"amelie.roux@acme.example","type":"work","primary":true},{"value":"amelie@roux.example","type":"home"}]}`), jsontree.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("UserOf", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			UserOf(&doc)
		}
	})
	u := UserOf(&doc)
	b.Run("entries", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			u.entries("01hq3k5m7n9p1r3t5v08", 1)
		}
	})
	s, cat := Standing{State: StateNotVerified}, newCatalogue(builtinProducts())
	b.Run("shown", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			shown(&doc, "01hq3k5m7n9p1r3t5v08", s.blocks(cat, false))
		}
	})
	b.Run("standing", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.append(nil, nil)
		}
	})
}
