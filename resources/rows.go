package resources

import (
	"context"
	"encoding/json"
	"fmt"
)

// Long lists that belong to a job, a report or an alert are kept in pieces, each
// a record of noun rows. The owner counts its pieces, from 0.

// rowsPiece is how many rows stand in one piece at most.
const rowsPiece = 1000

// rowsKey is the key of a piece among the settings of noun rows.
func rowsKey(owner string, piece int) string { return attrOf(owner, fmt.Sprintf("%08d", piece)) }

// putRows asks for one more piece of rows, a list that encodes to less than
// 1 MiB. Piece and owner together are new.
func (d *Directory) putRows(tx Tx, owner string, piece int, rows any) error {
	now := d.now()
	id, err := d.newID(KindSetting, now)
	if err != nil {
		return err
	}
	_, err = place{Noun: nounRows, Key: rowsKey(owner, piece)}.put(tx, nil, id, "", rowsBody{Rows: rows}, now)
	return err
}

// rowsBody is a piece as it is stored.
type rowsBody struct {
	Rows any `json:"rows"`
}

// readRows reads a piece into a list; false when it is not there (any more).
func (d *Directory) readRows(ctx context.Context, org OrgID, owner string, piece int, into any) (bool, error) {
	id, err := d.store.Named(ctx, org, SettingKey, nounRows.key(rowsKey(owner, piece)))
	if err != nil || id == "" {
		return false, err
	}
	rec, err := d.store.Get(ctx, org, KindSetting, id)
	if err != nil || rec == nil {
		return false, err
	}
	body := rowsBody{Rows: into}
	if err := json.Unmarshal(rec.Profile, &body); err != nil {
		return false, fmt.Errorf("decode rows %s: %w", rec.ID, err)
	}
	return true, nil
}

// dropRows asks for a piece to be removed, if it is there.
func (d *Directory) dropRows(ctx context.Context, tx Tx, org OrgID, owner string, piece int) error {
	id, err := d.store.Named(ctx, org, SettingKey, nounRows.key(rowsKey(owner, piece)))
	if err != nil || id == "" {
		return err
	}
	rec, err := tx.Read(KindSetting, id)
	if err != nil || rec == nil {
		return err
	}
	tx.Delete(rec, placeOf(rec).entries(id))
	return nil
}
