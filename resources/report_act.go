package resources

import (
	"context"
	"fmt"
	"time"
)

// reportParams are the parameters of a job that makes a report.
type reportParams struct {
	Report string `json:"report"` // id
}

// CreateReport starts a billing report (BR-178). Codes: report_range_invalid,
// invalid_value, too_many, job_running for one of the same days and level.
func (d *Directory) CreateReport(ctx context.Context, c Caller, spec ReportSpec) (*Report, error) {
	if err := c.mayReport(spec.Level); err != nil {
		return nil, err
	}
	if rec, err := d.settingByID(ctx, c.Org, c.NewID); rec != nil || err != nil {
		return reportMade(rec, err)
	}
	p, err := d.planFor(ctx, c.Org)
	if err != nil {
		return nil, err
	}
	now := d.now().UTC().Truncate(time.Millisecond)
	zone, named := p.zone(), p.zone().String()
	if spec.Level == LevelPartner { // a day must be over everywhere
		zone, named = time.FixedZone("", -12*60*60), ""
	}
	if spec, err = spec.period(now.In(zone).Format(dayLayout), p.Settings.BillingMonths); err != nil {
		return nil, err
	}
	if err := d.roomForReport(ctx, c.Org); err != nil {
		return nil, err
	}
	r := &Report{
		Level: spec.Level, From: spec.From, To: spec.To, TimeZone: named, Days: daysBetween(spec.From, dayAfter(spec.To)),
		State: JobQueued, Created: now,
	}
	_, err = d.store.Update(ctx, c.Org, func(_ context.Context, tx Tx) error {
		if r.ID, _, err = d.idFor(c, KindSetting); err != nil {
			return err
		}
		j := &Job{Type: JobReport, Subjects: []string{r.ID}, Sole: attrOf(string(r.Level), r.From, r.To)}
		if err := d.startJob(tx, c, j, reportParams{Report: r.ID}); err != nil {
			return err
		}
		r.Job = j.ID
		if _, err := r.place().put(tx, nil, r.ID, string(r.Level), r, now); err != nil {
			return err
		}
		tx.Event(Event{Type: "report.created", Kind: KindSetting, ID: r.ID, Version: 1, Actor: c.Token, Request: c.Request})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("create report: %w", jobTaken(err))
	}
	return r, nil
}

// reportMade is the report that an earlier run of the same request has made.
func reportMade(rec *Record, err error) (*Report, error) {
	if err != nil {
		return nil, err
	}
	r, err := reportIn(rec)
	if err == nil && r == nil {
		err = noReport()
	}
	return r, err
}

// mayReport checks who asks for a report of which level: usher's own
// organization reports on all others, these on themselves.
func (c Caller) mayReport(level ReportLevel) error {
	switch {
	case level != LevelPartner && level != LevelOrg && level != LevelUser:
		return &Error{Code: CodeInvalidValue, Field: "level", Detail: "The level of a report is partner, customer or user."}
	case level == LevelPartner:
		return c.mayPlatform()
	case c.Org == PlatformOrg:
		return &Error{Code: CodeInvalidValue, Field: "level", Detail: "Reports over all organizations have the level partner; for one organization ask under its own path."}
	}
	return c.mayAdmin(AreaLicences, true)
}

// roomForReport refuses more reports than are kept.
func (d *Directory) roomForReport(ctx context.Context, org OrgID) error {
	page, err := d.store.Find(ctx, org, Query{Kind: KindSetting, Where: nounReport.all(), NoGroups: true, Budget: d.budget})
	if err != nil {
		return fmt.Errorf("count reports: %w", err)
	}
	if page.Total >= reportsKept {
		return &Error{Code: CodeTooMany, Detail: fmt.Sprintf("There are %d reports already; delete some that are not needed any more.", page.Total)}
	}
	return nil
}

// Reports lists reports, newest first.
func (d *Directory) Reports(ctx context.Context, c Caller, after string, limit int) (list []*Report, next string, err error) {
	if err := c.mayAdmin(AreaLicences, false); err != nil {
		return nil, "", err
	}
	list, next, err = listSettings(ctx, d, c.Org, []Cond{*nounReport.all()}, after, limit, reportIn)
	if err != nil {
		return nil, "", err
	}
	return list, next, d.reportStates(ctx, c.Org, list)
}

// reportStates fills in how far the jobs of reports are. A job that is gone ended
// long ago.
func (d *Directory) reportStates(ctx context.Context, org OrgID, list []*Report) error {
	ids := make([]string, len(list))
	for i, r := range list {
		ids[i] = r.Job
	}
	recs, err := d.store.Many(ctx, org, ids)
	if err != nil {
		return fmt.Errorf("read jobs of reports: %w", err)
	}
	for i, r := range list {
		j, err := jobIn(recs[i])
		switch {
		case err != nil:
			return err
		case r.State == JobDone:
		case j == nil:
			r.State = JobFailed
		default:
			r.State = j.State
		}
	}
	return nil
}

// Report reads one report.
func (d *Directory) Report(ctx context.Context, c Caller, id string) (*Report, error) {
	if err := c.mayAdmin(AreaLicences, false); err != nil {
		return nil, err
	}
	rec, err := d.settingByID(ctx, c.Org, id)
	if err != nil {
		return nil, err
	}
	r, err := reportIn(rec)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, noReport()
	}
	return r, d.reportStates(ctx, c.Org, []*Report{r})
}

func noReport() error { return &Error{Code: CodeNotFound, Detail: "There is no such report."} }

// ReportRows gives a report's rows one by one, in order; none before its job is
// done. An error of yield ends it.
func (d *Directory) ReportRows(ctx context.Context, c Caller, id string, yield func(ReportRow) error) error {
	r, err := d.Report(ctx, c, id)
	if err != nil {
		return err
	}
	for piece := range r.Pieces {
		var rows []ReportRow
		there, err := d.readRows(ctx, c.Org, id, piece, &rows)
		if err != nil {
			return fmt.Errorf("read rows of report %s: %w", id, err)
		}
		if !there {
			return noReport() // deleted meanwhile
		}
		for _, row := range rows {
			if err := yield(row); err != nil {
				return err
			}
		}
	}
	return nil
}

// DeleteReport removes a report and its rows; a job that still makes it is
// cancelled. A deletion that was cut short can be repeated.
func (d *Directory) DeleteReport(ctx context.Context, c Caller, id string) error {
	if err := c.mayAdmin(AreaLicences, true); err != nil {
		return err
	}
	r, err := d.Report(ctx, c, id)
	if err != nil {
		return err
	}
	if _, err := d.CancelJob(ctx, c, r.Job); err != nil && !HasCode(err, CodeJobEnded) && !HasCode(err, CodeNotFound) {
		return err
	}
	// From here on its job writes nothing.
	if err := d.changeReport(ctx, c, id, func(tx Tx, rec *Record, r *Report) error {
		r.Gone = true
		_, err := r.place().put(tx, rec, id, rec.Display, r, d.now())
		return err
	}); err != nil {
		return err
	}
	for first, some := 0, true; some; first += piecesAtOnce {
		if some, err = d.deletePieces(ctx, c.Org, id, first); err != nil {
			return fmt.Errorf("delete rows of report %s: %w", id, err)
		}
	}
	return d.changeReport(ctx, c, id, func(tx Tx, rec *Record, _ *Report) error {
		tx.Delete(rec, placeOf(rec).entries(id))
		tx.Event(Event{Type: "report.deleted", Kind: KindSetting, ID: id, Actor: c.Token, Request: c.Request})
		return nil
	})
}

// changeReport runs a change over a report, unless it is no more.
func (d *Directory) changeReport(ctx context.Context, c Caller, id string, fn func(tx Tx, rec *Record, r *Report) error) error {
	_, err := d.store.Update(ctx, c.Org, func(_ context.Context, tx Tx) error {
		rec, err := tx.Read(KindSetting, id)
		if err != nil {
			return err
		}
		r, err := reportIn(rec)
		if err != nil || r == nil {
			return err
		}
		return fn(tx, rec, r)
	})
	if err != nil {
		return fmt.Errorf("change report %s: %w", id, err)
	}
	return nil
}

// piecesAtOnce is how many pieces of rows one commit writes or deletes at most.
const piecesAtOnce = 20

// deletePieces removes the pieces of rows from one on, as many as one commit may,
// and reports whether there were any.
func (d *Directory) deletePieces(ctx context.Context, org OrgID, owner string, first int) (some bool, err error) {
	commit, err := d.store.Update(ctx, org, func(ctx context.Context, tx Tx) error {
		for i := range piecesAtOnce {
			if err := d.dropRows(ctx, tx, org, owner, first+i); err != nil {
				return err
			}
		}
		return nil
	})
	return commit.Changed, err
}
