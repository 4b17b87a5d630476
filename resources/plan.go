package resources

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Plan is everything that decides who may have what in one organization:
// settings, subscriptions, templates, locations, held revocations. It is one
// record, read seldom and remembered; every commit that depends on it says so
// (Tx.Seen), so that nobody is decided by an old one. It never changes: a change
// makes another one.
type Plan struct {
	Settings      Settings       `json:"settings"`
	Subscriptions []Subscription `json:"subscriptions,omitempty"`
	Templates     []Template     `json:"templates,omitempty"`
	Locations     []Location     `json:"locations,omitempty"`
	Holds         []Hold         `json:"holds,omitempty"`
	Domains       []Domain       `json:"domains,omitempty"`

	rec    *Record              // as stored; nil when there is none yet
	org    *Template            // the template of type ORG, or nil
	groups map[string]*Template // templates of type GROUP by group id
	places map[string]*Location // locations by what people call them, see locationKeys
	proven map[string]bool      // verified domains, see verifies
}

// What one organization can have (security S11).
const (
	maxSubscriptions = 200
	maxTemplates     = 2000
	maxLocations     = 1000
	maxDomains       = 100
)

// Settings are an organization's settings (domain.md §6.1). Zero values are the
// defaults; what is on by default has a name that says what turns it off.
type Settings struct {
	Language               string `json:"language,omitempty"`                 // en or fr; "" is en
	TimeZone               string `json:"timeZone,omitempty"`                 // of billing, IANA; "" is UTC
	BillingMonths          int    `json:"billingMonths,omitempty"`            // 1, 2, 3 or 12; 0 is 2 (BR-175)
	ReleaseSeatsOnInactive bool   `json:"releaseSeatsOnDeactivate,omitempty"` // BR-150
	GuardUsers             int    `json:"guardUsers,omitempty"`               // BR-165: more users than this …; 0 is 10
	GuardPercent           int    `json:"guardPercent,omitempty"`             // … and more than this share of a SKU's holders; 0 is 20
	GuardOff               bool   `json:"guardOff,omitempty"`
	PhoneNumbersAsWish     bool   `json:"phoneNumbersAsWish,omitempty"` // BR-199
	AutoNumber             bool   `json:"autoNumber,omitempty"`         // calling users without a wish get the next free number of their location
	AutoExtension          bool   `json:"autoExtension,omitempty"`      // calling users without a wish get the recommended extension (BR-194), temporary when they have no number (BR-193)
	DefaultLocation        string `json:"defaultLocation,omitempty"`    // id; for calling users without one
	ExtensionLength        int    `json:"extensionLength,omitempty"`    // 2 to 10; 0 is 4; locations may have their own
	QuarantineHours        int    `json:"quarantineHours,omitempty"`    // released numbers rest this long (BR-200); 0: not at all
	SiteURL                string `json:"siteUrl,omitempty"`            // shown in SCIM

	// Activation, mails, sign-in.
	ManualMails       bool   `json:"manualActivationEmails,omitempty"` // nothing is sent by itself (BR-084)
	Reminders         string `json:"reminders,omitempty"`              // days after the activation mail: "" is 3,7; off is none (BR-090)
	NoSelfResend      bool   `json:"noSelfServiceResend,omitempty"`    // BR-111
	ExportLinks       bool   `json:"exportActivationLinks,omitempty"`  // BR-088
	HideCode          bool   `json:"hideCode,omitempty"`               // mails have a link and no code (BR-102)
	NoLicenceMails    bool   `json:"noLicenceEmails,omitempty"`        // E-15
	NoDigest          bool   `json:"noDigest,omitempty"`               // E-16
	PasswordsOff      bool   `json:"passwordsOff,omitempty"`           // everybody signs in at the provider
	PasswordLength    int    `json:"passwordLength,omitempty"`         // at least; 0 is 8, up to 64 (BR-104, security P1)
	PasswordBlocklist bool   `json:"passwordBlocklist,omitempty"`      // common ones are refused (security P1)
	SessionIdle       int    `json:"sessionIdleMinutes,omitempty"`     // 5 to 1440; 0 is 30 (security O10)
	SessionHours      int    `json:"sessionHours,omitempty"`           // 1 to 720; 0 is 12 (security O10)
	AppURL            string `json:"appUrl,omitempty"`                 // where people go after signing in
	ReturnURLs        string `json:"returnUrls,omitempty"`             // more addresses they may be sent to, separated by spaces: origin and beginning of the path
	HandOff           bool   `json:"handOff,omitempty"`                // a signed statement of who it is goes with them
	DownloadURL       string `json:"downloadUrl,omitempty"`            // of the app (BR-108)
	WebAppURL         string `json:"webAppUrl,omitempty"`              // BR-108
	ResourcesURL      string `json:"resourcesUrl,omitempty"`           // help (BR-100)
	VoicemailURL      string `json:"voicemailUrl,omitempty"`           // BR-100
	SupportURL        string `json:"supportUrl,omitempty"`             // contact: https: or mailto:
}

// Subscription is the purchase of units of one SKU (domain.md §2).
type Subscription struct {
	ID     string            `json:"id"`
	SKU    string            `json:"sku"`
	Model  SubscriptionModel `json:"model"`
	Units  int               `json:"units,omitempty"` // of model seats
	Starts time.Time         `json:"starts,omitzero"` // zero: at once
	Ends   time.Time         `json:"ends,omitzero"`   // zero: never
	Note   string            `json:"note,omitempty"`  // an order number or the like, for people

	// Gone says that the subscription was deleted while seats of it were held. It
	// goes when the last of them is free, and nobody is shown it.
	Gone bool `json:"gone,omitempty"`
}

// SubscriptionModel says how a subscription is bounded.
type SubscriptionModel string

// The models.
const (
	ModelSeats SubscriptionModel = "seats" // at most Units users
	ModelUsage SubscriptionModel = "usage" // without a bound, counted
)

// ActiveAt reports whether seats of the subscription can be held at t.
func (s *Subscription) ActiveAt(t time.Time) bool {
	return !t.Before(s.Starts) && (s.Ends.IsZero() || t.Before(s.Ends))
}

// pool is the pool of the subscription's seats. Holders are user ids.
func (s *Subscription) pool() Pool {
	p := Pool{Name: seatPool(s.ID), Limit: s.Units, Line: lineOf(s.SKU)}
	if s.Model == ModelUsage {
		p.Limit = -1
	}
	return p
}

// lineOf is the line of users who wait for a seat of a SKU, whichever
// subscription it comes from.
func lineOf(sku string) string { return "sku/" + FoldSKU(sku) }

// freePool counts the users of a product that needs no subscription.
func freePool(sku string) Pool { return Pool{Name: "free/" + FoldSKU(sku), Limit: -1} }

// TemplateType says to whom a template gives its products.
type TemplateType string

// The template types (BR-160, BR-161).
const (
	TemplateOrg   TemplateType = "org"
	TemplateGroup TemplateType = "group"
)

// Template gives products automatically (BR-160 … BR-163). There is at most one
// of type org, and at most one of type group for each group.
type Template struct {
	ID     string       `json:"id"`
	Type   TemplateType `json:"type"`
	Name   string       `json:"name,omitempty"`
	SKUs   []string     `json:"skus"`
	Groups []string     `json:"groups,omitempty"` // ids; of type group at least one
}

// Hold is a revocation that waits for an administrator (BR-165). While it is
// open, users count as if what was changed still gave them SKUs from Source:
// those in the pool "hold/<Alert>", or with Members all members of the group.
type Hold struct {
	Alert   string   `json:"alert"` // id of the alert that tells of it
	Source  Source   `json:"source"`
	SKUs    []string `json:"skus"`
	Members bool     `json:"members,omitempty"` // the template lost SKUs, not the group its members
	Decided bool     `json:"decided,omitempty"` // a job empties the pool; rejected, the hold counts until then, confirmed it has no SKUs
}

// holdPool is the pool of users whose licences a hold keeps.
func (h *Hold) holdPool() string { return "hold/" + h.Alert }

// planID is the id of the one plan record of an organization.
const planID = "00000000000000000005"

// parsePlan compiles a stored plan; rec nil means that nothing was set yet.
func parsePlan(rec *Record) (*Plan, error) {
	p := &Plan{rec: rec}
	if rec != nil {
		if err := json.Unmarshal(rec.Profile, p); err != nil {
			return nil, fmt.Errorf("decode the plan: %w", err)
		}
	}
	p.groups = make(map[string]*Template)
	for i := range p.Templates {
		t := &p.Templates[i]
		if t.Type == TemplateOrg {
			p.org = t
		}
		for _, g := range t.Groups {
			p.groups[g] = t
		}
	}
	p.places = placesOf(p.Locations)
	p.proven = provenDomains(p.Domains)
	return p, nil
}

// clone is a copy that may be changed. Its look-ups are those of p until it is
// stored and read again.
func (p *Plan) clone() *Plan {
	out := *p
	out.Subscriptions = slices.Clone(p.Subscriptions)
	out.Templates = slices.Clone(p.Templates)
	for i := range out.Templates {
		out.Templates[i].SKUs = slices.Clone(out.Templates[i].SKUs)
		out.Templates[i].Groups = slices.Clone(out.Templates[i].Groups)
	}
	out.Locations = slices.Clone(p.Locations)
	out.Holds = slices.Clone(p.Holds)
	out.Domains = slices.Clone(p.Domains)
	return &out
}

// templateOf is the template that gives products to members of a group, or nil.
func (p *Plan) templateOf(group string) *Template { return p.groups[group] }

// location finds a location by id; nil when there is none.
func (p *Plan) location(id string) *Location {
	for i := range p.Locations {
		if p.Locations[i].ID == id {
			return &p.Locations[i]
		}
	}
	return nil
}

// zone is the time zone of billing (BR-175).
func (p *Plan) zone() *time.Location {
	if z, err := time.LoadLocation(p.Settings.TimeZone); err == nil { // "" is UTC; others were checked when they were set
		return z
	}
	return time.UTC
}

// planFresh bounds how old a plan is that is only looked at. Commits do not
// rely on it: they say which plan they saw.
const planFresh = 3 * time.Second

// planCache remembers plans by organization. The zero value is ready for use.
type planCache struct {
	mu  sync.RWMutex
	all map[OrgID]cachedPlan
}

type cachedPlan struct {
	plan  *Plan
	until time.Time
}

const plansCached = 5000

func (pc *planCache) get(org OrgID) (cachedPlan, bool) {
	pc.mu.RLock()
	defer pc.mu.RUnlock()
	c, ok := pc.all[org]
	return c, ok
}

// of is the plan that is remembered; nil: none.
func (pc *planCache) of(org OrgID) *Plan {
	c, _ := pc.get(org)
	return c.plan
}

func (pc *planCache) put(org OrgID, p *Plan, until time.Time) {
	pc.mu.Lock()
	defer pc.mu.Unlock()
	if pc.all == nil || len(pc.all) >= plansCached {
		pc.all = make(map[OrgID]cachedPlan)
	}
	pc.all[org] = cachedPlan{p, until}
}

func (pc *planCache) drop(org OrgID) {
	pc.mu.Lock()
	defer pc.mu.Unlock()
	delete(pc.all, org)
}

// rulesOf gives the plan of an organization and the catalogue, for looking at.
func (d *Directory) rulesOf(ctx context.Context, org OrgID) (*Plan, *Catalogue, error) {
	p, err := d.planFor(ctx, org)
	if err != nil {
		return nil, nil, err
	}
	cat, err := d.catalogue(ctx)
	return p, cat, err
}

// planFor gives the plan of an organization for looking at.
func (d *Directory) planFor(ctx context.Context, org OrgID) (*Plan, error) {
	if c, ok := d.plans.get(org); ok && d.now().Before(c.until) {
		return c.plan, nil
	}
	return d.loadPlan(ctx, org)
}

func (d *Directory) loadPlan(ctx context.Context, org OrgID) (*Plan, error) {
	rec, err := d.store.Get(ctx, org, KindSetting, planID)
	if err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	p, err := parsePlan(rec)
	if err != nil {
		return nil, err
	}
	d.plans.put(org, p, d.now().Add(planFresh))
	return p, nil
}

// planIn gives the plan to a unit of work whose commit then depends on it. run
// counts the runs of the closure from 1: the first takes what is remembered,
// later ones read anew, because it may be the plan that has changed. What is
// remembered is at most planFresh old: a refusal is no commit that would notice.
func (d *Directory) planIn(ctx context.Context, tx Tx, org OrgID, run int) (*Plan, error) {
	c, ok := d.plans.get(org)
	p := c.plan
	if !ok || run > 1 || !d.now().Before(c.until) {
		var err error
		if p, err = d.loadPlan(ctx, org); err != nil {
			return nil, err
		}
	}
	tx.Seen(KindSetting, planID, p.rec)
	return p, nil
}

// byWhatIs runs act, and once more when it is refused while the plan or the
// catalogue is not what act may have remembered: another process has changed it
// less than planFresh ago, and a refusal is no commit that would notice.
func (d *Directory) byWhatIs(ctx context.Context, org OrgID, act func() error) error {
	was, cat := d.plans.of(org), d.products.get(d.now())
	err := act()
	if _, ruled := errors.AsType[*Error](err); !ruled {
		return err
	}
	p, failed := d.loadPlan(ctx, org)
	if failed != nil {
		return err
	}
	now, failed := d.loadCatalogue(ctx)
	if failed != nil || (was == nil || sameCommit(was.rec, p.rec)) && (cat == nil || cat.stamp == now.stamp) {
		return err
	}
	return act()
}

// sameCommit reports whether two readings of a record are of one commit.
func sameCommit(a, b *Record) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Version == b.Version && a.Stamp == b.Stamp
}

// changePlan changes the plan of an organization in one commit; fn gets a copy
// to change and may ask for more in the same commit. It may run several times.
// With errSame from fn nothing is written, and that is no error. event "" appends
// none: fn has told what there is to tell, if anything.
func (d *Directory) changePlan(ctx context.Context, c Caller, event string, fn func(tx Tx, p *Plan) error) error {
	const anew = 2 // what is refused must not be refused by an old plan
	_, err := d.store.Update(ctx, c.Org, func(ctx context.Context, tx Tx) error {
		cur, err := d.planIn(ctx, tx, c.Org, anew)
		if err != nil {
			return err
		}
		next := cur.clone()
		if err := fn(tx, next); err != nil {
			return err
		}
		return d.putPlan(tx, c, cur, next, event)
	})
	if errors.Is(err, errSame) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("change the plan: %w", err)
	}
	if _, err = d.loadPlan(ctx, c.Org); err != nil {
		d.plans.drop(c.Org) // the change stands; whoever asks next reads it
	}
	return nil
}

// putPlan asks for a plan to be stored in place of another.
func (d *Directory) putPlan(tx Tx, c Caller, cur, next *Plan, event string) error {
	body, err := json.Marshal(next)
	if err != nil {
		return fmt.Errorf("encode the plan: %w", err)
	}
	now := d.now().UnixMilli()
	rec := &Record{Kind: KindSetting, ID: planID, Version: 1, Created: now, Modified: now, Profile: body, Standing: nounPlan.standing()}
	var had []Entry
	if cur.rec != nil {
		rec.Version, rec.Created = cur.rec.Version+1, cur.rec.Created
		had = nounPlan.entries(planID)
	}
	if err := checkSize(cur.rec, rec); err != nil {
		return err
	}
	tx.Put(cur.rec, rec, had, nounPlan.entries(planID))
	if event != "" {
		tx.Event(Event{Type: event, Kind: KindSetting, ID: planID, Version: rec.Version, Actor: c.Token, Request: c.Request})
	}
	return nil
}
