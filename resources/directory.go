package resources

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/usher-scim/usher/internal/password"
	"github.com/usher-scim/usher/internal/seal"
)

// Config is what a Directory needs. Every field but Queue, Budget and Declared is
// required.
type Config struct {
	Store  Store
	Vault  Vault
	Queue  Queue // without it nobody can see to parked work; everything else works
	Now    func() time.Time
	Rand   io.Reader // cryptographic randomness: ids and secrets come from it
	Log    *slog.Logger
	Budget int // records a query may look at beyond the indexes; 0 means 250 000 (security S15)

	Declared *Declared // what the operator declares for all organizations, or nil

	// Keys seals secrets of organizations and makes the links of mails. nil: a key
	// in the store does, which protects nothing from who can read the store.
	Keys *seal.Keys
	// Send gives a letter to the mail server; a *SendFault says why not. nil: mails
	// stay queued.
	Send func(ctx context.Context, l Letter) error
	// LookupTXT reads the TXT records of a name; none is no error. nil: domains
	// cannot be verified.
	LookupTXT func(ctx context.Context, name string) ([]string, error)
	// Passwords is what the hash of a password costs; zero is [password.Today].
	Passwords password.Cost
}

// Directory is every act of the domain, one method each. It is safe for
// concurrent use.
type Directory struct {
	store   Store
	vault   Vault
	queue   Queue // or nil
	now     func() time.Time
	random  io.Reader
	log     *slog.Logger
	budget  int
	tokens  tokenCache
	trusts  trustCache
	secrets secretCache

	common   *Declared // of all organizations
	declared declaredCache
	plans    planCache
	full     fullPools
	products catalogueCache

	vacancies vacancies

	seals     seals
	send      func(context.Context, Letter) error             // or nil
	lookupTXT func(context.Context, string) ([]string, error) // or nil
	hasher    *password.Hasher

	outage mailOutage
}

// New makes a Directory over a store.
func New(c Config) (*Directory, error) {
	var faults []error
	if c.Store == nil {
		faults = append(faults, errors.New("resources: Config.Store is required"))
	}
	if c.Vault == nil {
		faults = append(faults, errors.New("resources: Config.Vault is required"))
	}
	if c.Now == nil {
		faults = append(faults, errors.New("resources: Config.Now is required"))
	}
	if c.Rand == nil {
		faults = append(faults, errors.New("resources: Config.Rand is required"))
	}
	if c.Log == nil {
		faults = append(faults, errors.New("resources: Config.Log is required"))
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	if c.Budget <= 0 {
		c.Budget = 250_000
	}
	hasher, err := password.New(password.Config{Rand: c.Rand, Cost: c.Passwords})
	if err != nil {
		return nil, fmt.Errorf("resources: Config.Passwords: %w", err)
	}
	return &Directory{
		store: c.Store, vault: c.Vault, queue: c.Queue, now: c.Now, random: c.Rand, log: c.Log, budget: c.Budget, common: c.Declared,
		seals: seals{given: c.Keys}, send: c.Send, lookupTXT: c.LookupTXT, hasher: hasher,
	}, nil
}

// Ready reports whether the directory can serve: its store answers.
func (d *Directory) Ready(ctx context.Context) error { return d.store.Ping(ctx) }

// Get reads one resource with its groups. Unknown ids, and ids of another
// kind or organization, give CodeNotFound.
func (d *Directory) Get(ctx context.Context, c Caller, kind Kind, id string) (*Record, error) {
	if err := c.may(kind, false); err != nil && !c.mayReadSelf(kind, id) {
		return nil, err
	}
	if k, ok := KindOf(id); !ok || k != kind {
		return nil, notFound(kind)
	}
	rec, err := d.store.Get(ctx, c.Org, kind, id)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", kind, err)
	}
	if rec == nil {
		return nil, notFound(kind)
	}
	return rec, nil
}

// Find answers a query within the work budget (security S15).
func (d *Directory) Find(ctx context.Context, c Caller, q Query) (Page, error) {
	if err := c.may(q.Kind, false); err != nil {
		return Page{}, err
	}
	if q.Budget <= 0 || q.Budget > d.budget {
		q.Budget = d.budget
	}
	page, err := d.store.Find(ctx, c.Org, q)
	if err != nil {
		return Page{}, fmt.Errorf("find %s: %w", q.Kind, err)
	}
	return page, nil
}

func notFound(kind Kind) *Error {
	return &Error{Code: CodeNotFound, Detail: "There is no such " + kind.String() + "."}
}

// Profile names the dialect of the identity provider behind a connection. It
// switches the tolerance rules of idp-wire.md that are marked "profile".
type Profile string

// The connection profiles.
const (
	ProfileRFC       Profile = "rfc"
	ProfileEntra     Profile = "entra"
	ProfileOkta      Profile = "okta"
	ProfileOneLogin  Profile = "onelogin"
	ProfileJumpCloud Profile = "jumpcloud"
	ProfilePing      Profile = "ping"
	ProfileAuthentik Profile = "authentik"
	ProfileGeneric   Profile = "generic"
)

// Profiles lists every connection profile.
func Profiles() []Profile {
	return []Profile{
		ProfileRFC, ProfileEntra, ProfileOkta, ProfileOneLogin,
		ProfileJumpCloud, ProfilePing, ProfileAuthentik, ProfileGeneric,
	}
}

// Scope is a right that a token carries.
type Scope string

// The scopes. A scope without ":read" includes reading.
const (
	ScopeSCIM       Scope = "scim"
	ScopeSCIMRead   Scope = "scim:read"
	ScopeUsers      Scope = "users"
	ScopeUsersRead  Scope = "users:read"
	ScopeGroups     Scope = "groups"
	ScopeGroupsRead Scope = "groups:read"
	ScopeMe         Scope = "me"       // read the user that the token stands for
	ScopePlatform   Scope = "platform" // operate usher: organizations and tokens

	ScopeResources     Scope = "resources" // resources of declared types
	ScopeResourcesRead Scope = "resources:read"
)

// ConnectionScopes are the scopes that a token or client of an organization can
// be given; the first is the one it gets when nobody says. A token that stands
// for a user can have [ScopeMe] as well.
func ConnectionScopes() []Scope {
	return []Scope{ScopeSCIM, ScopeSCIMRead, ScopeUsers, ScopeUsersRead, ScopeGroups, ScopeGroupsRead, ScopeResources, ScopeResourcesRead}
}

// Caller is who asks: a verified credential and what it may do. Doors get it
// from [Directory.Authenticate] and pass it on; they never build one from a
// request.
type Caller struct {
	Org     OrgID   // the organization the credential belongs to
	Slug    string  // its name in URLs
	OrgName string  // its name for people, or ""
	SiteURL string  // its service site, or ""
	Token   string  // id of the token, the actor of events
	User    string  // id of the user that the credential stands for, or ""
	Profile Profile // dialect of the connection
	Policy  NamePolicy
	Scopes  []Scope
	Request string // request id, for events and logs

	// Client is the OAuth client or trusted issuer behind the credential, by id,
	// and Method how it gets its tokens; empty for tokens that an operator issued.
	Client string
	Method Method
	// Cert, when not empty, is the only client certificate that the request may
	// have come with, as CertHash gives it.
	Cert string

	// Strict says that what cannot be granted refuses the request instead of
	// becoming an issue (domain.md §5.6, strictness).
	Strict bool
	// Asks says that entitlements of users ask for licences (domain.md §5.5).
	Asks bool
	// Origin is how users come in through this caller's door, provisionSource of
	// what it creates: "" is SCIM; API, CSV, CONSOLE (domain.md §5.5).
	Origin string

	// Detach says that the caller may change what an identity provider owns: the
	// user is detached from it (BR-071).
	Detach bool

	// Confirmed says that the caller was warned of what the act does and wants it
	// all the same (code confirmation_required, BR-086).
	Confirmed bool

	// Seen, when not nil, is asked inside the commit of an act that changes one
	// thing, with that thing as it is stored by then: a *Record, a Product, a
	// Subscription, a Template, a Location, a Connection or a Number. Its error refuses the act
	// (If-Match).
	Seen func(stored any) error

	// Declared is what the organization's resources look like beyond the built-in
	// schemas; nil when nothing is declared. It never changes.
	Declared *Declared

	// NewID, when not empty, is the id of the resource that this call creates.
	// Should that resource be there already, it is the result and nothing is
	// written: an act that is repeated with the same NewID creates once.
	NewID string

	// Held, when not nil, collects what acts of this caller would have taken away
	// from many users and what waits for an administrator instead (BR-165).
	Held *HeldBack

	// Work, when not nil, counts the memberships that acts of this caller read and
	// change, so that a door can bound what many acts do together (security S16).
	Work *Work
}

// NamePolicy says what a connection accepts as userName (BR-004).
type NamePolicy string

// The userName policies.
const (
	NameRelaxed NamePolicy = "relaxed" // any non-empty string
	NameEmail   NamePolicy = "email"   // must be an address equal to the identity e-mail
)

func (c Caller) has(scopes ...Scope) bool {
	for _, have := range c.Scopes {
		if slices.Contains(scopes, have) {
			return true
		}
	}
	return false
}

// may checks the scopes for reading or writing a kind (R-123, security T1).
func (c Caller) may(kind Kind, write bool) error {
	var ok bool
	switch kind {
	case KindUser:
		ok = c.has(ScopeSCIM, ScopeUsers, ScopeAdmin, ScopeAdminUsers) || (!write && c.has(ScopeSCIMRead, ScopeUsersRead, ScopeAdminLicences, ScopeAdminPlaces, ScopeAdminRead))
	case KindGroup:
		ok = c.has(ScopeSCIM, ScopeGroups, ScopeAdmin, ScopeAdminUsers) || (!write && c.has(ScopeSCIMRead, ScopeGroupsRead, ScopeAdminLicences, ScopeAdminPlaces, ScopeAdminRead))
	case KindCustom:
		ok = c.has(ScopeSCIM, ScopeResources) || (!write && c.has(ScopeSCIMRead, ScopeResourcesRead))
	default:
		return c.mayPlatform()
	}
	if !ok {
		act := "read"
		if write {
			act = "change"
		}
		return &Error{Code: CodeForbidden, Detail: "This token may not " + act + " " + kind.String() + " resources; use one with a scope that allows it."}
	}
	return nil
}

func (c Caller) mayPlatform() error {
	if c.Org == PlatformOrg && c.has(ScopePlatform) {
		return nil
	}
	return &Error{Code: CodeForbidden, Detail: "Only an API token with the scope platform may do this."}
}
