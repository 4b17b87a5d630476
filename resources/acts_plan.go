package resources

import (
	"context"
	"io"
	"time"
)

// Operate gives the caller that acts on the organization with the slug: a
// platform operator on any, with the scopes platform and admin there; everybody
// else on their own only; another one is not_found.
func (d *Directory) Operate(ctx context.Context, c Caller, slug string) (Caller, error) {
	return c, errUnbuilt
}

// Products lists the catalogue.
func (d *Directory) Products(ctx context.Context, c Caller) ([]Product, error) {
	return nil, errUnbuilt
}

// PutProduct writes a product of the catalogue, new or in place of the one with
// its SKU; created tells which.
func (d *Directory) PutProduct(ctx context.Context, c Caller, p Product) (created bool, err error) {
	return false, errUnbuilt
}

// DeleteProduct takes a product out of the catalogue; product_in_use while an
// organization subscribes to it or a product refers to it.
func (d *Directory) DeleteProduct(ctx context.Context, c Caller, sku string) error {
	return errUnbuilt
}

// Subscriptions lists an organization's subscriptions, with what is used.
func (d *Directory) Subscriptions(ctx context.Context, c Caller) ([]SubscriptionUsage, error) {
	return nil, errUnbuilt
}

// CreateSubscription adds a subscription (platform operator); its id is given.
func (d *Directory) CreateSubscription(ctx context.Context, c Caller, s Subscription) (Subscription, error) {
	return s, errUnbuilt
}

// SubscriptionChange is what to change; nil fields stay.
type SubscriptionChange struct {
	Units  *int
	Starts *time.Time
	Ends   *time.Time // zero: never
	Note   *string
}

// UpdateSubscription changes a subscription. Fewer units than are used are
// possible: the oldest assignments keep their seats (domain.md §3.7).
func (d *Directory) UpdateSubscription(ctx context.Context, c Caller, id string, change SubscriptionChange) (Subscription, error) {
	return Subscription{}, errUnbuilt
}

// DeleteSubscription ends a subscription at once; confirm must be true when
// seats of it are used (BR-260).
func (d *Directory) DeleteSubscription(ctx context.Context, c Caller, id string, confirm bool) error {
	return errUnbuilt
}

// Templates lists templates.
func (d *Directory) Templates(ctx context.Context, c Caller) ([]Template, error) {
	return nil, errUnbuilt
}

// PutTemplate writes a template: id "" makes a new one. held is the alert when
// taking products away waits for an administrator (BR-165); jobs follow members.
func (d *Directory) PutTemplate(ctx context.Context, c Caller, t Template) (out Template, held *Alert, err error) {
	return t, nil, errUnbuilt
}

// DeleteTemplate removes a template; see PutTemplate.
func (d *Directory) DeleteTemplate(ctx context.Context, c Caller, id string) (held *Alert, err error) {
	return nil, errUnbuilt
}

// ApplyTemplate starts a job that gives the organization's template to users
// there are, or with dry only counts what would change. preserve keeps what
// the template gave before and does not any more.
func (d *Directory) ApplyTemplate(ctx context.Context, c Caller, id string, dry, preserve bool) (*Job, error) {
	return nil, errUnbuilt
}

// Settings reads an organization's settings.
func (d *Directory) Settings(ctx context.Context, c Caller) (Settings, uint64, error) {
	return Settings{}, 0, errUnbuilt
}

// ChangeSettings changes settings; fn gets what is set and changes it.
func (d *Directory) ChangeSettings(ctx context.Context, c Caller, fn func(*Settings, uint64) error) (Settings, uint64, error) {
	return Settings{}, 0, errUnbuilt
}

// GroupLicensing tells of a group's template and its progress.
type GroupLicensing struct {
	Template *Template
	Members  int
	Assigned int // members that hold every product of the template
	Failed   int
	Job      *Job // the last one that followed a change, or nil
}

// GroupLicensing counts; it costs a walk over the members when the group has a
// template.
func (d *Directory) GroupLicensing(ctx context.Context, c Caller, group string) (*GroupLicensing, error) {
	return nil, errUnbuilt
}

// RetryLicences makes everybody whose assignment of a SKU failed ("" is any) be
// settled again, as a job.
func (d *Directory) RetryLicences(ctx context.Context, c Caller, sku string) (*Job, error) {
	return nil, errUnbuilt
}

// Alerts lists alerts, newest first.
func (d *Directory) Alerts(ctx context.Context, c Caller, state AlertState, kind AlertKind, after string, limit int) (alerts []*Alert, next string, err error) {
	return nil, "", errUnbuilt
}

// Alert reads one alert.
func (d *Directory) Alert(ctx context.Context, c Caller, id string) (*Alert, error) {
	return nil, errUnbuilt
}

// Decide confirms or rejects a held revocation (BR-165); request_closed when it
// was decided before. Rejected licences stay, as direct ones or, of a template,
// in the template.
func (d *Directory) Decide(ctx context.Context, c Caller, alert string, confirm bool) (*Alert, error) {
	return nil, errUnbuilt
}

// CloseAlert marks an alert as done or dismissed; held revocations are decided.
func (d *Directory) CloseAlert(ctx context.Context, c Caller, id string, to AlertState) (*Alert, error) {
	return nil, errUnbuilt
}

// Locations lists locations by name.
func (d *Directory) Locations(ctx context.Context, c Caller) ([]Location, error) {
	return nil, errUnbuilt
}

// PutLocation writes a location: id "" makes a new one; location_in_use.
func (d *Directory) PutLocation(ctx context.Context, c Caller, l Location) (Location, error) {
	return l, errUnbuilt
}

// DeleteLocation removes an empty location; location_not_empty (BR-201).
func (d *Directory) DeleteLocation(ctx context.Context, c Caller, id string) error {
	return errUnbuilt
}

// NumberQuery is what an administrator looks for.
type NumberQuery struct {
	Location string // id
	State    NumberState
	Search   string // digits that the number contains
	After    string
	Limit    int
}

// Numbers lists numbers (BR-191). available counts those of the location that
// can be assigned: 0 means that all are taken (BR-192).
func (d *Directory) Numbers(ctx context.Context, c Caller, q NumberQuery) (list []*Number, next string, available int, err error) {
	return nil, "", 0, errUnbuilt
}

// Number reads a number by id or E.164.
func (d *Directory) Number(ctx context.Context, c Caller, idOrE164 string) (*Number, error) {
	return nil, errUnbuilt
}

// NumberRow is one line of a list of numbers and what is, or would be, made of
// it.
type NumberRow struct {
	Line     int
	Text     string // as it was given
	Location string // as it was given
	E164     string // "" when it cannot be read
	Type     string
	Region   string
	Code     Code // "" when all is well
	Detail   string
}

// ValidateNumbers reads numbers without storing anything; at most 1000.
func (d *Directory) ValidateNumbers(ctx context.Context, c Caller, location string, texts []string) ([]NumberRow, error) {
	return nil, errUnbuilt
}

// AddNumbers stores up to 1000 numbers and tells what became of each row; those
// that are good stay when others are not. Inactive numbers must be activated.
func (d *Directory) AddNumbers(ctx context.Context, c Caller, location string, texts []string, inactive bool) ([]NumberRow, error) {
	return nil, errUnbuilt
}

// ImportNumbers starts a job over CSV with the columns number, location and
// optionally state; dry tells what would happen. At most 1 MiB and 50 000 lines.
func (d *Directory) ImportNumbers(ctx context.Context, c Caller, csv io.Reader, dry bool) (*Job, error) {
	return nil, errUnbuilt
}

// ActivateNumber makes an inactive number available.
func (d *Directory) ActivateNumber(ctx context.Context, c Caller, id string) (*Number, error) {
	return nil, errUnbuilt
}

// MoveNumber moves an unassigned number to another location (BR-201).
func (d *Directory) MoveNumber(ctx context.Context, c Caller, id, location string) (*Number, error) {
	return nil, errUnbuilt
}

// HoldNumber reserves an available number for 15 minutes for a holder (a text
// of up to 64 bytes); ReleaseNumber ends that.
func (d *Directory) HoldNumber(ctx context.Context, c Caller, id, holder string) (*Number, error) {
	return nil, errUnbuilt
}

// ReleaseNumber ends a reservation, or the rest of a number after its release.
func (d *Directory) ReleaseNumber(ctx context.Context, c Caller, id string) (*Number, error) {
	return nil, errUnbuilt
}

// DeleteNumber removes an unassigned number.
func (d *Directory) DeleteNumber(ctx context.Context, c Caller, id string) error { return errUnbuilt }

// Suggestion is a recommended extension (BR-194).
type Suggestion struct {
	Extension string
	Taken     string // the recommended one when somebody has it, or ""
	Holder    string // user id
}

// SuggestExtension recommends the last digits of a number, or the next free
// extension of the location (BR-194).
func (d *Directory) SuggestExtension(ctx context.Context, c Caller, location, number string) (Suggestion, error) {
	return Suggestion{}, errUnbuilt
}

// CallingChange is a change of what a user calls with; nil fields stay, "" takes
// away.
type CallingChange struct {
	Location  *string // id, externalId or name
	Number    *string
	Extension *string
	Temporary *bool
}

// ChangeCalling changes a user's location, number and extension, strictly: what
// cannot be refuses (BR-190 … BR-197).
func (d *Directory) ChangeCalling(ctx context.Context, c Caller, id string, change CallingChange, check func(*Record) error) (*Record, error) {
	return nil, errUnbuilt
}

// ReportLevel is what one row of a billing report is about.
type ReportLevel string

// The levels (BR-178).
const (
	LevelPartner ReportLevel = "partner" // a row for each organization, package and location; platform operator only
	LevelOrg     ReportLevel = "customer"
	LevelUser    ReportLevel = "user"
)

// ReportSpec asks for a billing report. Days are 2006-01-02 in the
// organization's time zone; To is the last day. Empty: the last whole period.
type ReportSpec struct {
	Level    ReportLevel
	From, To string
}

// Report is a billing report (BR-178).
type Report struct {
	ID       string      `json:"-"`
	Level    ReportLevel `json:"level"`
	From     string      `json:"from"`
	To       string      `json:"to"`
	TimeZone string      `json:"timeZone"`
	Days     int         `json:"days"` // of the period
	Job      string      `json:"job"`  // id
	State    JobState    `json:"state"`
	Created  time.Time   `json:"created"`
	Rows     int         `json:"rows"`
	UserDays int         `json:"userDays"`
	ByPack   []PackTotal `json:"byPackage,omitempty"`
}

// PackTotal is the sum of one package.
type PackTotal struct {
	Package  string  `json:"package"`
	Users    int     `json:"users"`
	UserDays int     `json:"userDays"`
	Share    float64 `json:"share"` // user-days ÷ days of the period: full-period equivalents
}

// ReportRow is one line of a report.
type ReportRow struct {
	Org      string  `json:"organization"` // slug
	Location string  `json:"location,omitempty"`
	User     string  `json:"user,omitempty"`
	Email    string  `json:"email,omitempty"`
	Package  string  `json:"package"`
	From     string  `json:"from,omitempty"` // of user level
	To       string  `json:"to,omitempty"`   // last day
	Days     int     `json:"days"`
	Users    int     `json:"users,omitempty"` // of other levels
	Share    float64 `json:"share"`           // days ÷ days of the period
}

// CreateReport starts a billing report; report_range_invalid.
func (d *Directory) CreateReport(ctx context.Context, c Caller, spec ReportSpec) (*Report, error) {
	return nil, errUnbuilt
}

// Reports lists reports, newest first.
func (d *Directory) Reports(ctx context.Context, c Caller, after string, limit int) (list []*Report, next string, err error) {
	return nil, "", errUnbuilt
}

// Report reads one report.
func (d *Directory) Report(ctx context.Context, c Caller, id string) (*Report, error) {
	return nil, errUnbuilt
}

// ReportRows gives a report's rows one by one, in order.
func (d *Directory) ReportRows(ctx context.Context, c Caller, id string, yield func(ReportRow) error) error {
	return errUnbuilt
}

// DeleteReport removes a report and its rows.
func (d *Directory) DeleteReport(ctx context.Context, c Caller, id string) error { return errUnbuilt }

// UsageNow counts who holds which package at this moment, by location.
func (d *Directory) UsageNow(ctx context.Context, c Caller) ([]ReportRow, error) {
	return nil, errUnbuilt
}

// Administrator is a user with roles.
type Administrator struct {
	User     string
	UserName string
	Email    string
	Active   bool
	Roles    []Role
}

// Administrators lists users with roles.
func (d *Directory) Administrators(ctx context.Context, c Caller) ([]Administrator, error) {
	return nil, errUnbuilt
}

// GrantRole and RevokeRole change a user's roles; last_admin (BR-245).
func (d *Directory) GrantRole(ctx context.Context, c Caller, user string, role Role) (*Administrator, error) {
	return nil, errUnbuilt
}

// RevokeRole takes a role from a user; see GrantRole.
func (d *Directory) RevokeRole(ctx context.Context, c Caller, user string, role Role) (*Administrator, error) {
	return nil, errUnbuilt
}

// Timeline reads a user's, or any resource's, events from the newest to the
// oldest: those among up to scan events before the given one. more is where to
// go on, "" at the beginning of the stream.
func (d *Directory) Timeline(ctx context.Context, c Caller, id, before string, limit, scan int) (events []StoredEvent, more string, err error) {
	return nil, "", errUnbuilt
}
