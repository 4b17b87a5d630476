package resources

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// The bounds of an import (security S11).
const (
	importBytes = 1 << 20
	importLines = 50_000
	importCell  = 200 // bytes of one cell
)

// importRow is one line of an import, as it was written.
type importRow struct {
	Line     int    `json:"l"`
	Number   string `json:"n"`
	Location string `json:"p,omitempty"`
	State    string `json:"s,omitempty"`
}

// readNumbersCSV reads a list of numbers: the first line names the columns
// number, location and optionally state, in any order and case; others are left
// alone. Cells are separated by commas, semicolons or tabs, as the first line has
// them. Codes: invalid_value with the line at fault, too_many_rows.
func readNumbersCSV(file io.Reader) ([]importRow, error) {
	raw, err := io.ReadAll(io.LimitReader(file, importBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read the file: %w", err)
	}
	switch {
	case len(raw) > importBytes:
		return nil, &Error{Code: CodeTooManyRows, Field: "file", Detail: "The file is larger than 1 MiB; split it."}
	case !utf8.Valid(raw) || bytes.IndexByte(raw, 0) >= 0:
		return nil, invalidField("file", "The file is not text in UTF-8; save it as CSV in UTF-8.")
	}
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	r := csv.NewReader(bytes.NewReader(raw))
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = separatorOf(raw), -1, true
	r.TrimLeadingSpace = r.Comma != '\t' // it would trim empty cells away as well
	header, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, invalidField("file", "The file is empty; its first line names the columns: number,location,state.")
	}
	if err != nil {
		return nil, badCSV(err)
	}
	columns, err := columnsOf(header)
	if err != nil {
		return nil, err
	}
	return readNumberLines(r, columns)
}

// separatorOf finds what separates the cells of the first line. Between quotes
// nothing does.
func separatorOf(raw []byte) rune {
	head, _, _ := bytes.Cut(raw, []byte{'\n'})
	best, most := ',', 0
	for _, sep := range []rune{',', ';', '\t'} {
		if n := strings.Count(string(head), string(sep)); n > most {
			best, most = sep, n
		}
	}
	return best
}

// columnsOf finds the columns by their names: where number, location and state
// stand, -1 for none.
func columnsOf(header []string) ([3]int, error) {
	out := [3]int{-1, -1, -1}
	names := [3]string{"number", "location", "state"}
	for i, cell := range header {
		for j, name := range names {
			if !strings.EqualFold(strings.TrimSpace(cell), name) {
				continue
			}
			if out[j] >= 0 {
				return out, invalidField("file", "The first line has the column %s twice; keep one.", name)
			}
			out[j] = i
		}
	}
	for j, name := range names[:2] {
		if out[j] < 0 {
			return out, invalidField("file", "The first line does not name the column %s; it must name number and location, and may name state.", name)
		}
	}
	return out, nil
}

// readNumberLines reads what follows the header. Lines without anything are left out.
func readNumberLines(r *csv.Reader, columns [3]int) ([]importRow, error) {
	var out []importRow
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, badCSV(err)
		}
		line, _ := r.FieldPos(0)
		var row [3]string
		for j, at := range columns {
			if at < 0 || at >= len(cells) {
				continue
			}
			row[j] = strings.TrimSpace(cells[at])
			if len(row[j]) > importCell {
				return nil, invalidField("file", "Line %d has a cell of more than %d bytes; correct it.", line, importCell)
			}
		}
		if row == [3]string{} {
			continue
		}
		if len(out) == importLines {
			return nil, &Error{Code: CodeTooManyRows, Field: "file", Detail: fmt.Sprintf("The file has more than %d lines; split it.", importLines)}
		}
		// Spreadsheets write an apostrophe before what must stay text.
		out = append(out, importRow{Line: line, Number: strings.TrimPrefix(row[0], "'"), Location: row[1], State: row[2]})
	}
}

func badCSV(err error) error {
	if p, ok := errors.AsType[*csv.ParseError](err); ok {
		return invalidField("file", "Line %d cannot be read: %s; correct it.", p.Line, strings.TrimPrefix(p.Err.Error(), "csv: "))
	}
	return fmt.Errorf("read the file: %w", err)
}
