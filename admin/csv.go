package admin

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// flushRows is how many rows are sent together.
const flushRows = 200

// csv streams a table. Once it has begun, only cutting the answer off says that
// it is not whole.
func (d *door) csv(name string, head []string, rows func(row func(...string) error) error) *stream {
	return d.streamed("text/csv; charset=utf-8; header=present", name, func(ctx huma.Context) error {
		w := csv.NewWriter(ctx.BodyWriter())
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
func (d *door) jsonRows(name string, rows func(row func(any) error) error) *stream {
	return d.streamed("application/json", name, func(ctx huma.Context) error {
		w := ctx.BodyWriter()
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

func (d *door) streamed(mediaType, name string, write func(huma.Context) error) *stream {
	return &stream{
		Type: mediaType, Disposition: `attachment; filename="` + name + `"`,
		Body: func(ctx huma.Context) {
			ctx.SetStatus(http.StatusOK)
			if err := write(ctx); err != nil {
				d.log.ErrorContext(ctx.Context(), "download cut off", "err", err)
				panic(http.ErrAbortHandler)
			}
		},
	}
}
