package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// Row is one measured line.
type Row struct {
	Work      string    `json:"work"`
	Unit      string    `json:"unit"`             // of Value: "ratio", "bytes", "ms", "/s"
	Value     float64   `json:"value"`            // the median
	Gate      float64   `json:"gate,omitempty"`   // what must hold; 0: nothing must
	Goal      float64   `json:"goal,omitempty"`   // what we want to publish
	AtMost    bool      `json:"atMost,omitempty"` // small is good
	Usher     float64   `json:"usher,omitempty"`  // requests a second, median
	Reference float64   `json:"reference,omitempty"`
	Rounds    []float64 `json:"rounds,omitempty"` // Value of every round
}

// Passed reports whether the gate holds.
func (r *Row) Passed() bool {
	switch {
	case r.Gate == 0:
		return true
	case r.AtMost:
		return r.Value <= r.Gate
	}
	return r.Value >= r.Gate
}

// Report is everything one run measured.
type Report struct {
	Users   int    `json:"users"`
	Redis   string `json:"redis"` // version
	CPUs    int    `json:"cpus"`
	Seconds int    `json:"seconds"`
	Rows    []Row  `json:"rows"`
}

// Count says how many gates hold and how many do not.
func (r *Report) Count() (passed, failed int) {
	for i := range r.Rows {
		switch {
		case r.Rows[i].Gate == 0:
		case r.Rows[i].Passed():
			passed++
		default:
			failed++
		}
	}
	return passed, failed
}

// WriteTable prints the rows for people; the last line counts the gates.
func (r *Report) WriteTable(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "work\tusher\treference\tvalue\tgate\tgoal\t")
	for i := range r.Rows {
		row := &r.Rows[i]
		sign, verdict := "≥", "ok"
		if row.AtMost {
			sign = "≤"
		}
		gate := sign + number(row.Gate)
		if row.Gate == 0 {
			gate, verdict = "", ""
		} else if !row.Passed() {
			verdict = "MISSED"
		}
		goal := ""
		if row.Goal != 0 {
			goal = sign + number(row.Goal)
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s %s\t%s\t%s\t%s\n", row.Work, rate(row.Usher), rate(row.Reference), number(row.Value), row.Unit, gate, goal, verdict)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	passed, failed := r.Count()
	_, err := fmt.Fprintf(w, "%d passed, %d failed\n", passed, failed)
	return err
}

// WriteJSON writes the report for programs.
func (r *Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

func rate(v float64) string {
	if v == 0 {
		return ""
	}
	return number(v) + "/s"
}

func number(v float64) string {
	if v >= 1000 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(v))
	if len(s)%2 == 1 {
		return s[len(s)/2]
	}
	return (s[len(s)/2-1] + s[len(s)/2]) / 2
}
