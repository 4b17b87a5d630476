package resources

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

// A report walks over all users in the order of their ids, living and deleted
// ones side by side, a bounded piece in each step. Living users are read before
// the histories: what is said of days that are over only ever moves from a
// holding into a history (see bill), so nobody is missed, and who is read twice
// is seen by days that overlap.

// How much one step looks at.
const (
	reportUsers     = 1000
	reportHistories = 500  // in one page
	reportPast      = 4000 // histories in one step
	reportPieces    = 4    // of rows in one commit
)

// reportCursor is how far a report has come.
type reportCursor struct {
	Org   OrgID  `json:"org,omitempty"`   // the last one that is done; at partner level
	User  string `json:"user,omitempty"`  // the last one that is done
	Past  string `json:"past,omitempty"`  // position before the histories of later users
	Known bool   `json:"known,omitempty"` // the job knows how much there is to do

	Tally map[string]*dayCount `json:"tally,omitempty"` // by package and location, of the organization
	Packs map[string]*dayCount `json:"packs,omitempty"` // by package, of all

	Rows, Pieces int
}

// reporting is one step of a report.
type reporting struct {
	d      *Directory
	report *Report
	cur    reportCursor
	rows   []ReportRow
	end    string // the day after the last of the period

	org  *Organization
	plan *Plan
}

// reportStep does one piece of a job that makes a billing report (BR-178).
func (d *Directory) reportStep(ctx context.Context, l Lease, j *Job) (done bool, err error) {
	var want reportParams
	if err := j.params(&want); err != nil {
		return false, err
	}
	rec, err := d.settingByID(ctx, l.Org, want.Report)
	if err != nil {
		return false, err
	}
	w := reporting{d: d}
	if w.report, err = reportIn(rec); err != nil {
		return false, err
	}
	if w.report == nil || w.report.Gone {
		return true, nil
	}
	w.end = dayAfter(w.report.To)
	if j.Cursor != "" {
		if err := json.Unmarshal([]byte(j.Cursor), &w.cur); err != nil {
			return false, fmt.Errorf("decode the cursor of job %s: %w", j.ID, err)
		}
	}
	if done, err = w.step(ctx, l.Org, j); err != nil {
		return false, err
	}
	if err := w.commit(ctx, l, done); err != nil {
		return false, err
	}
	cursor, err := json.Marshal(&w.cur)
	if err != nil {
		return false, fmt.Errorf("encode the cursor of job %s: %w", j.ID, err)
	}
	j.Cursor = string(cursor)
	if !done {
		return false, nil
	}
	return j.finish(map[string]any{"report": want.Report, "rows": w.cur.Rows})
}

// step looks at one piece of users, of one organization or of all in turn.
func (w *reporting) step(ctx context.Context, own OrgID, j *Job) (done bool, err error) {
	if w.report.Level != LevelPartner {
		if w.org, err = w.d.orgByID(ctx, own); err != nil || w.org == nil {
			return true, err
		}
		if err := w.expect(ctx, own, UserAll, j); err != nil {
			return false, err
		}
		n, done, err := w.piece(ctx)
		j.Done += n
		return done, err
	}
	if err := w.expect(ctx, PlatformOrg, OrgAll, j); err != nil {
		return false, err
	}
	for looked := 0; looked < reportUsers; {
		if w.org, err = w.d.orgAfter(ctx, w.cur.Org); err != nil || w.org == nil {
			return w.org == nil, err
		}
		n, whole := 0, true
		if w.org.State != OrgDeleting {
			if n, whole, err = w.piece(ctx); err != nil {
				return false, err
			}
		}
		if looked += n + 50; whole {
			w.cur.Org, w.cur.User, w.cur.Past, w.cur.Tally = w.org.ID, "", "", nil
			j.Done++
		}
	}
	return false, nil
}

// expect notes at the beginning how much there is to do.
func (w *reporting) expect(ctx context.Context, org OrgID, all Index, j *Job) error {
	if w.cur.Known {
		return nil
	}
	page, err := w.d.store.Find(ctx, org, Query{Kind: all.Kind(), NoGroups: true})
	if err != nil {
		return fmt.Errorf("count what to report on: %w", err)
	}
	w.cur.Known, j.Total = true, page.Total
	return nil
}

// orgAfter finds the organization behind another one; nil when that was the last.
func (d *Directory) orgAfter(ctx context.Context, id OrgID) (*Organization, error) {
	page, err := d.store.Find(ctx, PlatformOrg, after(OrgAll, string(id), 1))
	if err != nil {
		return nil, fmt.Errorf("find the next organization: %w", err)
	}
	if len(page.Records) == 0 {
		return nil, nil
	}
	return orgOf(page.Records[0])
}

// after asks for the records of an index of ids that stand behind one; "" is the
// beginning.
func after(all Index, id string, limit int) Query {
	q := Query{Kind: all.Kind(), Limit: limit, NoGroups: true}
	if id != "" {
		q.Where = &Cond{Op: CondRange, Index: all, FromID: id + "0"} // no id is longer
	}
	return q
}

// piece looks at the next users of an organization and tells how many living ones
// it saw, and whether these were the last. With the last the organization's rows
// are written, except at user level, where they come one by one.
func (w *reporting) piece(ctx context.Context) (n int, last bool, err error) {
	if w.plan, err = w.d.planFor(ctx, w.org.ID); err != nil {
		return 0, false, err
	}
	page, err := w.d.store.Find(ctx, w.org.ID, after(UserAll, w.cur.User, reportUsers))
	if err != nil {
		return 0, false, fmt.Errorf("read users: %w", err)
	}
	users := page.Records
	bound, last := "~", len(users) < reportUsers // behind every id
	if !last {
		bound = users[len(users)-1].ID
	}
	past, bound, err := w.past(ctx, bound)
	if err != nil {
		return 0, false, err
	}
	for len(users) > 0 || len(past) > 0 {
		var rec *Record
		var h *history
		if len(past) == 0 || len(users) > 0 && users[0].ID <= past[0].User {
			rec, users = users[0], users[1:]
		}
		if len(past) > 0 && (rec == nil || past[0].User == rec.ID) {
			h, past = past[0], past[1:]
		}
		if id := userOfBoth(rec, h); id > bound {
			break
		}
		if rec != nil {
			n++
		}
		w.count(rec, h)
	}
	w.cur.User = bound
	if last = last && bound == "~"; last && w.report.Level != LevelUser {
		w.sum()
	}
	return n, last, nil
}

func userOfBoth(rec *Record, h *history) string {
	if rec != nil {
		return rec.ID
	}
	return h.User
}

// past reads the histories of the users behind those that are done, up to bound;
// when these are too many the bound comes nearer.
func (w *reporting) past(ctx context.Context, bound string) (list []*history, nearer string, err error) {
	for {
		q := Query{Kind: KindSetting, Where: nounInterval.all(), Keyset: true, After: w.cur.Past, Limit: reportHistories, NoGroups: true}
		page, err := w.d.store.Find(ctx, w.org.ID, q)
		if err != nil {
			return nil, "", fmt.Errorf("read packages of before: %w", err)
		}
		for _, rec := range page.Records {
			h, err := historyOf(rec)
			if err != nil {
				return nil, "", err
			}
			if h.User > w.cur.User {
				list = append(list, &h)
			}
		}
		// The next step reads the last page again, for users behind the bound.
		if page.Next == "" || len(list) > 0 && list[len(list)-1].User >= bound {
			return list, bound, nil
		}
		w.cur.Past = page.Next
		if len(list) >= reportPast {
			return list, list[len(list)-1].User, nil
		}
	}
}

// commit stores the rows of a step, and with the last ones the totals, under the
// lease. A step that runs again writes the same pieces again.
func (w *reporting) commit(ctx context.Context, l Lease, done bool) error {
	rows := w.rows
	for len(rows) > 0 || done {
		finish := done && len(rows) <= reportPieces*rowsPiece
		n := min(len(rows), reportPieces*rowsPiece)
		if err := w.commitRows(ctx, l, rows[:n], finish); err != nil {
			return fmt.Errorf("store rows of report %s: %w", w.report.ID, err)
		}
		w.cur.Pieces, w.cur.Rows = w.cur.Pieces+(n+rowsPiece-1)/rowsPiece, w.cur.Rows+n
		if rows = rows[n:]; finish {
			break
		}
	}
	return nil
}

func (w *reporting) commitRows(ctx context.Context, l Lease, rows []ReportRow, finish bool) error {
	_, err := w.d.store.Update(ctx, l.Org, func(ctx context.Context, tx Tx) error {
		tx.Fence(l)
		rec, err := tx.Read(KindSetting, w.report.ID)
		if err != nil {
			return err
		}
		r, err := reportIn(rec)
		if err != nil || r == nil || r.Gone {
			return err
		}
		piece := w.cur.Pieces
		for part := range slices.Chunk(rows, rowsPiece) {
			if err := w.d.writeRows(ctx, tx, l.Org, r.ID, piece, part); err != nil {
				return err
			}
			piece++
		}
		if finish {
			r.State, r.Pieces, r.Rows = JobDone, piece, w.cur.Rows+len(rows)
			r.totals(w.cur.Packs)
		}
		_, err = r.place().put(tx, rec, r.ID, rec.Display, r, w.d.now())
		return err
	})
	return err
}

// writeRows asks for a piece of rows, in place of one that is there.
func (d *Directory) writeRows(ctx context.Context, tx Tx, org OrgID, owner string, piece int, rows any) error {
	id, err := d.store.Named(ctx, org, SettingKey, nounRows.key(rowsKey(owner, piece)))
	if err != nil {
		return err
	}
	if id == "" {
		return d.putRows(tx, owner, piece, rows)
	}
	rec, err := tx.Read(KindSetting, id)
	if err != nil || rec == nil {
		return err
	}
	_, err = place{Noun: nounRows, Key: rowsKey(owner, piece)}.put(tx, rec, id, "", rowsBody{Rows: rows}, d.now())
	return err
}
