package admin

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// flushRows is how many rows are sent together.
const flushRows = 200

// csv streams a table. Once it has begun, only cutting the answer off says that
// it is not whole.
func (d *door) csv(ctx context.Context, name string, head []string, rows func(row func(...string) error) error) *stream {
	return d.streamed(ctx, "text/csv; charset=utf-8; header=present", name, func(to io.Writer) error {
		w := csv.NewWriter(to)
		w.UseCRLF = true // RFC 4180
		if err := w.Write(head); err != nil {
			return err
		}
		n := 0
		err := rows(func(cells ...string) error {
			for i := range cells {
				cells[i] = cell(cells[i])
			}
			if n++; n%flushRows == 0 {
				w.Flush()
			}
			return w.Write(cells)
		})
		w.Flush()
		if err == nil {
			err = w.Error()
		}
		return err
	})
}

// cell makes a text safe for spreadsheets, which take one that begins with
// certain characters for a formula (security X7). The full-width forms count,
// because some programs fold them.
func cell(text string) string {
	first, _ := utf8.DecodeRuneInString(text)
	if text != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
		return "'" + text
	}
	return text
}

// jsonRows streams a JSON array under the member items.
func (d *door) jsonRows(ctx context.Context, name string, rows func(row func(any) error) error) *stream {
	return d.streamed(ctx, "application/json", name, func(w io.Writer) error {
		before := `{"items":[`
		err := rows(func(v any) error {
			text, err := json.Marshal(v)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(w, "%s%s", before, text)
			before = ",\n"
			return err
		})
		if err == nil && before != ",\n" {
			_, err = fmt.Fprint(w, before)
		}
		if err == nil {
			_, err = fmt.Fprint(w, "]}\n")
		}
		return err
	})
}

func (d *door) streamed(ctx context.Context, mediaType, name string, write func(io.Writer) error) *stream {
	return &stream{
		Type: mediaType, Disposition: `attachment; filename="` + name + `"`,
		Body: func(to huma.Context) {
			to.SetStatus(http.StatusOK)
			if err := write(to.BodyWriter()); err != nil {
				d.log.ErrorContext(ctx, "download cut off", "err", err)
				panic(http.ErrAbortHandler)
			}
		},
	}
}
