package resources

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// importParams say what a job of the type number-import does. The lines it works
// on are kept in pieces, see inputOf.
type importParams struct {
	Dry    bool `json:"dry,omitempty"`
	Pieces int  `json:"pieces"`
	Rows   int  `json:"rows"`
}

// Imported is the result of a job that imports numbers. With Dry nothing was
// stored, and Added counts what would be; numbers of other organizations, and
// those that stand in the list twice, are found only when it is done.
type Imported struct {
	Dry     bool `json:"dry,omitempty"`
	Added   int  `json:"added"`
	There   int  `json:"there"` // at their location already
	Refused int  `json:"refused"`
}

// inputOf is the owner of the pieces that a job works on.
func inputOf(job string) string { return "in" + job }

// ImportNumbers starts a job over CSV with the columns number, location (id,
// externalId or name) and optionally state (available or inactive); dry tells
// what would happen. At most 1 MiB and 50 000 lines. Lines that are good are
// stored when others are not; the job's errors tell of those. Codes:
// invalid_value, too_many_rows, too_many.
func (d *Directory) ImportNumbers(ctx context.Context, c Caller, file io.Reader, dry bool) (*Job, error) {
	if err := c.mayAdmin(AreaPlaces, true); err != nil {
		return nil, err
	}
	rows, err := readNumbersCSV(file)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, invalidField("file", "The file has no lines with numbers.")
	}
	if err := d.roomForNumbers(ctx, c.Org, len(rows)); err != nil {
		return nil, err
	}
	pieces := (len(rows) + rowsPiece - 1) / rowsPiece
	var j *Job
	_, err = d.store.Update(ctx, c.Org, func(_ context.Context, tx Tx) error {
		if j, err = earlier(tx, c, jobIn); j != nil || err != nil {
			return err
		}
		j = &Job{ID: c.NewID, Type: JobImportNumbers, Inputs: pieces}
		if err := d.startJob(tx, c, j, importParams{Dry: dry, Pieces: pieces, Rows: len(rows)}); err != nil {
			return err
		}
		for i := range pieces {
			if err := d.putRows(tx, inputOf(j.ID), i, rows[i*rowsPiece:min((i+1)*rowsPiece, len(rows))]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("start an import: %w", err)
	}
	return j, nil
}

// importStep imports one piece of the list.
func (d *Directory) importStep(ctx context.Context, l Lease, j *Job) (done bool, err error) {
	var p importParams
	if err := j.params(&p); err != nil {
		return false, err
	}
	res := Imported{Dry: p.Dry}
	if err := j.result(&res); err != nil {
		return false, err
	}
	piece := 0
	if j.Cursor != "" {
		if piece, err = strconv.Atoi(j.Cursor); err != nil {
			return false, fmt.Errorf("decode the progress of job %s: %w", j.ID, err)
		}
	}
	var rows []importRow
	there, err := d.readRows(ctx, l.Org, inputOf(j.ID), piece, &rows)
	if err != nil {
		return false, fmt.Errorf("read an import: %w", err)
	}
	if !there {
		return false, &Error{Code: CodeNotFound, Detail: "The lines of the import are gone; send the file again."}
	}
	j.Total = p.Rows
	if err := d.importPiece(ctx, l, j, rows, &res); err != nil {
		return false, err
	}
	j.Done += len(rows)
	j.Cursor = strconv.Itoa(piece + 1)
	if _, err := j.finish(res); err != nil {
		return false, err
	}
	return piece+1 >= p.Pieces, nil
}

// importPiece stores lines of an import, or with a dry run only looks.
func (d *Directory) importPiece(ctx context.Context, l Lease, j *Job, rows []importRow, res *Imported) error {
	plan, err := d.loadPlan(ctx, l.Org)
	if err != nil {
		return err
	}
	judged := make([]NumberRow, len(rows))
	before := make(map[string]int, len(rows))
	var good []*newNumber
	for i, r := range rows {
		judged[i] = NumberRow{Line: r.Line, Text: r.Number, Location: r.Location}
		a, err := r.judge(plan, &judged[i], before)
		if err != nil {
			return err
		}
		if a != nil {
			good = append(good, a)
		}
	}
	c := l.worker()
	c.Token = j.By
	for from := 0; from < len(good); from += numbersBatch {
		list := good[from:min(from+numbersBatch, len(good))]
		if res.Dry {
			err = d.compareNumbers(ctx, l.Org, plan, list)
		} else {
			err = d.storeNumbers(ctx, c, list, func(tx Tx) { tx.Fence(l) })
		}
		if err != nil {
			return err
		}
	}
	for _, a := range good {
		switch {
		case a.row.Code != "":
		case a.stored:
			res.Added++
		default:
			res.There++
		}
	}
	for i := range judged {
		if r := &judged[i]; r.Code != "" {
			res.Refused++
			j.fail("line "+strconv.Itoa(r.Line), r.Code, r.Detail)
		}
	}
	return nil
}

// judge reads one line of an import; nil when it is refused, the row says why.
func (r *importRow) judge(p *Plan, row *NumberRow, before map[string]int) (*newNumber, error) {
	state := NumberState(strings.ToLower(r.State))
	if state != "" && state != NumberAvailable && state != NumberInactive {
		row.fail(CodeInvalidValue, "The state %s is not possible; write available or inactive, or nothing.", quoted(r.State))
		return nil, nil
	}
	a, err := readRow(p, row, before)
	if a != nil {
		a.inactive = state == NumberInactive
	}
	return a, err
}
