package resources

import (
	"context"
	"time"
)

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
