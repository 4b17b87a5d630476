package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// table is output for people.
type table struct {
	head []string
	rows [][]string
}

func addOutputFlag(cmd *cobra.Command, to *string) {
	cmd.Flags().StringVar(to, "output", "table", "how to print: table or json (the shape of the REST API)")
}

// print writes data to stdout as asked for.
func (p *program) print(output string, data any, people func() table) error {
	switch output {
	case "json":
		enc := json.NewEncoder(p.stdout)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(data)
	case "table":
		return p.printTable(people())
	}
	return badOutput(output)
}

// badOutput is checked before anything is sent, so that no secret is made
// that cannot be shown.
func badOutput(output string) error {
	if output == "json" || output == "table" {
		return nil
	}
	return &failure{exit: exitUsage, why: fmt.Errorf("--output %q is not known", output), todo: "use table or json"}
}

func (p *program) printTable(t table) error {
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	if len(t.head) > 0 {
		fmt.Fprintln(w, strings.Join(t.head, "\t"))
	}
	for _, row := range t.rows {
		for i, cell := range row {
			row[i] = plain(cell)
		}
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}

// plain keeps names that somebody else chose from moving the cursor.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}
