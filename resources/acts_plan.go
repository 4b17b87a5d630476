package resources

import (
	"context"
	"time"
)

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
