package resources

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// ReportLevel is what one row of a billing report is about.
type ReportLevel string

// The levels (BR-178).
const (
	LevelPartner ReportLevel = "partner"  // a row for each organization, package and location; platform operator only
	LevelOrg     ReportLevel = "customer" // a row for each package and location
	LevelUser    ReportLevel = "user"     // a row for each stretch of days of a user
)

// ReportSpec asks for a billing report. Days are 2006-01-02 in the
// organization's time zone; To is the last day. Empty: the last whole period
// (BR-175).
type ReportSpec struct {
	Level    ReportLevel
	From, To string
}

// Report is a billing report (BR-178).
type Report struct {
	ID       string      `json:"-"`
	Level    ReportLevel `json:"level"`
	From     string      `json:"from"`
	To       string      `json:"to"`                 // last day
	TimeZone string      `json:"timeZone,omitempty"` // of the days; "" at partner level: each organization's own
	Days     int         `json:"days"`               // of the period
	Job      string      `json:"job"`                // id
	State    JobState    `json:"state"`              // of the job; rows and totals are there when it is done
	Created  time.Time   `json:"created"`
	Rows     int         `json:"rows"`
	UserDays int         `json:"userDays"`
	ByPack   []PackTotal `json:"byPackage,omitempty"`

	Pieces int  `json:"pieces,omitempty"` // of rows
	Gone   bool `json:"gone,omitempty"`   // it is being deleted
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
	Org      string  `json:"organization"`       // slug
	Location string  `json:"location,omitempty"` // name, or the id of one that is gone
	User     string  `json:"user,omitempty"`     // id, at user level
	Email    string  `json:"email,omitempty"`    // of the same
	Package  string  `json:"package"`
	From     string  `json:"from,omitempty"` // of the same: first day within the period
	To       string  `json:"to,omitempty"`   // last day within the period
	Days     int     `json:"days"`           // user-days
	Users    int     `json:"users,omitempty"`
	Share    float64 `json:"share"` // days ÷ days of the period (BR-177)
}

const (
	reportYears = 5  // how far back reports go (BR-178)
	reportsKept = 50 // of one organization
)

// share is user-days as a part of a period, to six places.
func share(days, period int) float64 {
	return math.Round(float64(days)/float64(period)*1e6) / 1e6
}

// period fills in and checks the days of a report; today is the first day that
// cannot be reported on.
func (s ReportSpec) period(today string, months int) (ReportSpec, error) {
	wrong := func(field, detail string) (ReportSpec, error) {
		return s, &Error{Code: CodeReportRange, Field: field, Detail: detail}
	}
	switch {
	case s.From == "" && s.To == "":
		s.From, s.To = lastPeriod(today, months)
		return s, nil
	case s.From == "":
		return wrong("from", "The first day is missing; give from and to, or neither for the last whole period.")
	case s.To == "":
		return wrong("to", "The last day is missing; give from and to, or neither for the last whole period.")
	}
	from, err := time.Parse(dayLayout, s.From)
	if err != nil {
		return wrong("from", "The first day "+quoted(s.From)+" is not a day; write it like 2026-01-31.")
	}
	if _, err := time.Parse(dayLayout, s.To); err != nil {
		return wrong("to", "The last day "+quoted(s.To)+" is not a day; write it like 2026-01-31.")
	}
	if s.To < s.From {
		return wrong("to", "The last day "+s.To+" is before the first day "+s.From+"; exchange them.")
	}
	if s.To >= today {
		return wrong("to", "The last day "+s.To+" is not over; end with "+dayBefore(today)+" or before.")
	}
	if now, err := time.Parse(dayLayout, today); err == nil && from.Before(now.AddDate(-reportYears, 0, 0)) {
		return wrong("from", fmt.Sprintf("Reports go back %d years; begin with %s or later.", reportYears, now.AddDate(-reportYears, 0, 0).Format(dayLayout)))
	}
	return s, nil
}

// lastPeriod gives the first and last day of the last whole period of billing
// before a day. Periods are aligned to the calendar: those of two months begin in
// January, March, May and so on (BR-175).
func lastPeriod(today string, months int) (from, to string) {
	now, err := time.Parse(dayLayout, today)
	if err != nil {
		return today, today
	}
	if months < 1 || months > 12 || 12%months != 0 {
		months = 2
	}
	begin := time.Date(now.Year(), (now.Month()-1)/time.Month(months)*time.Month(months)+1, 1, 0, 0, 0, 0, time.UTC)
	return begin.AddDate(0, -months, 0).Format(dayLayout), begin.AddDate(0, 0, -1).Format(dayLayout)
}

// place is where a report stands in the indexes.
func (*Report) place() place { return place{Noun: nounReport} }

// reportIn reads a report from its record; nil when it is another setting.
func reportIn(rec *Record) (*Report, error) {
	if rec == nil || nounOf(rec) != nounReport {
		return nil, nil
	}
	var r Report
	if err := json.Unmarshal(rec.Profile, &r); err != nil {
		return nil, fmt.Errorf("decode report %s: %w", rec.ID, err)
	}
	r.ID = rec.ID
	return &r, nil
}
