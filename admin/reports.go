package admin

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-scim/usher/resources"
)

const reportsPath = orgPath + "/billing-reports"

// Report is a billing report (BR-178).
type Report struct {
	ID       string      `json:"id" example:"06f7k2m9s3c4d5e6g7h5"`
	Level    string      `json:"level" enum:"partner,customer,user"`
	From     string      `json:"from" example:"2026-09-01"`
	To       string      `json:"to" example:"2026-10-31" doc:"The last day."`
	TimeZone string      `json:"timeZone" example:"Europe/Paris"`
	Days     int         `json:"days" example:"61"`
	State    string      `json:"state" enum:"queued,running,done,failed,cancelled"`
	Job      string      `json:"job" doc:"Id of the job that makes it."`
	Created  time.Time   `json:"created"`
	Rows     int         `json:"rows" example:"12"`
	UserDays int         `json:"userDays" example:"732"`
	ByPack   []PackTotal `json:"byPackage"`
}

// PackTotal is the sum of one package.
type PackTotal struct {
	Package  string  `json:"package" example:"calling"`
	Users    int     `json:"users" example:"12"`
	UserDays int     `json:"userDays" example:"732"`
	Share    float64 `json:"share" example:"12" doc:"User-days divided by the days of the period."`
}

// NewReport asks for a report.
type NewReport struct {
	Level string `json:"level,omitempty" enum:"partner,customer,user" example:"customer" doc:"customer when left out; partner for platform operators only."`
	From  string `json:"from,omitempty" maxLength:"10" example:"2026-09-01" doc:"First day in the organization's time zone; with to left out, the last whole period."`
	To    string `json:"to,omitempty" maxLength:"10" example:"2026-10-31" doc:"Last day."`
}

// UsageRow counts who holds a package at this moment.
type UsageRow struct {
	Location string `json:"location,omitempty" example:"Paris"`
	Package  string `json:"package" example:"calling"`
	Users    int    `json:"users" example:"12"`
}

// ReportPath is embedded in the input of operations on one report.
type ReportPath struct {
	OrgPath
	ID string `path:"id" maxLength:"40" doc:"The report's id."`
}

type (
	listReports struct {
		OrgPath
		Paged
	}
	createReport struct {
		OrgPath
		Body *NewReport
	}
	downloadReport struct {
		ReportPath
		Format string `query:"format" enum:"csv,json" default:"csv"`
	}
	reportOut struct {
		Location string `header:"Location" doc:"Where it is."`
		Body     Report
	}
)

func (d *door) registerReports(api huma.API) {
	const one = reportsPath + "/{id}"
	inside(d, api, resources.AreaLicences, operation("list-billing-reports", http.MethodGet, reportsPath, "List billing reports, newest first", 200), d.listReports)
	inside(d, api, resources.AreaLicences, operation("create-billing-report", http.MethodPost, reportsPath, "Start a billing report (BR-178)", 202, 409), d.createReport)
	inside(d, api, resources.AreaLicences, operation("get-billing-report", http.MethodGet, one, "Read a billing report and its totals", 200), d.getReport)
	inside(d, api, resources.AreaLicences, operation("download-billing-report", http.MethodGet, one+downloadPath, "Download the rows of a billing report as CSV or JSON", 200, 409), d.downloadReport)
	inside(d, api, resources.AreaLicences, operation("delete-billing-report", http.MethodDelete, one, "Remove a billing report", 204), d.deleteReport)
	inside(d, api, resources.AreaLicences, operation("get-package-usage", http.MethodGet, orgPath+"/billing-usage", "Count who holds which package at this moment, by location", 200), d.usageNow)
}

func wireReport(r *resources.Report) Report {
	out := Report{
		ID: r.ID, Level: string(r.Level), From: r.From, To: r.To, TimeZone: r.TimeZone, Days: r.Days, State: string(r.State), Job: r.Job,
		Created: r.Created, Rows: r.Rows, UserDays: r.UserDays, ByPack: []PackTotal{},
	}
	for _, p := range r.ByPack {
		out.ByPack = append(out.ByPack, PackTotal(p))
	}
	return out
}

func (d *door) listReports(ctx context.Context, in *listReports) (*listOut[Report], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	all, next, err := d.directory.Reports(ctx, in.caller, after, in.Limit)
	if err != nil {
		return nil, err
	}
	return listed(all, next, wireReport), nil
}

func (d *door) createReport(ctx context.Context, in *createReport) (*reportOut, error) {
	c, err := in.creating(resources.KindSetting)
	if err != nil {
		return nil, err
	}
	spec := resources.ReportSpec{Level: resources.LevelOrg}
	if b := in.Body; b != nil {
		spec.From, spec.To = b.From, b.To
		if b.Level != "" {
			spec.Level = resources.ReportLevel(b.Level)
		}
	}
	r, err := d.directory.CreateReport(ctx, c, spec)
	if err != nil {
		return nil, err
	}
	return &reportOut{Location: in.at("billing-reports", r.ID), Body: wireReport(r)}, nil
}

func (d *door) getReport(ctx context.Context, in *ReportPath) (*plain[Report], error) {
	r, err := d.directory.Report(ctx, in.caller, in.ID)
	if err != nil {
		return nil, err
	}
	return &plain[Report]{Body: wireReport(r)}, nil
}

func (d *door) deleteReport(ctx context.Context, in *ReportPath) (*nothing, error) {
	return nil, d.directory.DeleteReport(ctx, in.caller, in.ID)
}

var reportHead = []string{"organization", "location", "user", "email", "package", "from", "to", "days", "users", "share"}

func (d *door) downloadReport(ctx context.Context, in *downloadReport) (*stream, error) {
	r, err := d.directory.Report(ctx, in.caller, in.ID)
	if err != nil {
		return nil, err
	}
	if r.State != resources.JobDone {
		return nil, &resources.Error{Code: resources.CodeJobRunning, Detail: "The report is " + string(r.State) + "; it can be downloaded when its job " + r.Job + " is done."}
	}
	name := "billing-" + r.From + "-" + r.To + "." + in.Format
	if in.Format == "json" {
		return d.jsonRows(ctx, name, func(row func(any) error) error {
			return d.directory.ReportRows(ctx, in.caller, in.ID, func(r resources.ReportRow) error { return row(r) })
		}), nil
	}
	return d.csv(ctx, name, reportHead, func(row func(...string) error) error {
		return d.directory.ReportRows(ctx, in.caller, in.ID, func(r resources.ReportRow) error {
			return row(r.Org, r.Location, r.User, r.Email, r.Package, r.From, r.To, strconv.Itoa(r.Days), strconv.Itoa(r.Users),
				strconv.FormatFloat(r.Share, 'f', -1, 64))
		})
	}), nil
}

func (d *door) usageNow(ctx context.Context, in *OrgPath) (*listOut[UsageRow], error) {
	rows, err := d.directory.UsageNow(ctx, in.caller)
	if err != nil {
		return nil, err
	}
	return listed(rows, "", func(r resources.ReportRow) UsageRow {
		return UsageRow{Location: r.Location, Package: r.Package, Users: r.Users}
	}), nil
}
