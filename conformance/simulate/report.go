package simulate

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Difference is something that the server holds or says, other than it should.
type Difference struct {
	Resource  string `json:"resource"`
	ID        string `json:"id,omitempty"`
	Name      string `json:"name,omitempty"`
	Attribute string `json:"attribute"`
	Expected  string `json:"expected"`
	Found     string `json:"found"`
}

// Fault is an answer that was not expected, or none.
type Fault struct {
	Kind   string `json:"kind"`
	Method string `json:"method"`
	Path   string `json:"path"`
	Status int    `json:"status,omitempty"` // 0: no answer
	Detail string `json:"detail,omitempty"`
}

// Report is what one simulator did and found.
type Report struct {
	Dialect string `json:"dialect"`
	URL     string `json:"url,omitempty"`
	Seed    uint64 `json:"seed"`
	Cycles  int    `json:"cycles"` // the first one included
	Users   int    `json:"users"`  // at the end
	Groups  int    `json:"groups"`
	Licence *Seats `json:"licence,omitempty"` // when one was asked for

	Seconds     float64        `json:"seconds"`
	Requests    int            `json:"requests"`
	PerSecond   float64        `json:"per_second"`
	Retries     int            `json:"retries"` // after 429, 503 or a broken connection
	Aborted     int            `json:"aborted"` // POSTs given up on purpose
	Overall     Latency        `json:"overall"`
	Kinds       []Kind         `json:"kinds"`
	Statuses    map[string]int `json:"statuses"`
	ErrorCount  int            `json:"error_count"`
	DiffCount   int            `json:"difference_count"`
	Errors      []Fault        `json:"errors"`      // at most 1000
	Differences []Difference   `json:"differences"` // at most 1000

	rec *recorder
}

// Good reports whether there was neither an error nor a difference.
func (r *Report) Good() bool { return r.ErrorCount == 0 && r.DiffCount == 0 }

// report is the state before everything is deleted.
func (s *Simulator) report(cycles int) *Report {
	r := &Report{Dialect: s.d.name, URL: s.c.base, Seed: s.cfg.Seed, Cycles: cycles, rec: s.c.rec}
	for _, u := range s.users {
		if u.alive {
			r.Users++
		}
	}
	r.Groups = len(s.liveGroups())
	if s.cfg.Licence != "" {
		r.Licence = &s.seated
	}
	return r
}

func (s *Simulator) findings(r *Report) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.ErrorCount, r.DiffCount = s.nFaults, s.nDiffs
	r.Errors, r.Differences = append([]Fault{}, s.faults...), append([]Difference{}, s.diffs...)
}

// Summary is what many simulators did at once, and what each found.
type Summary struct {
	Overall Latency   `json:"overall"` // of all requests
	Good    bool      `json:"good"`
	Total   Report    `json:"total"`
	Targets []*Report `json:"targets"`
}

// WriteJSON writes the summary, or the report when there is but one.
func (s *Summary) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if len(s.Targets) == 1 {
		return enc.Encode(s.Targets[0])
	}
	return enc.Encode(s)
}

// WriteText writes the summary for people.
func (s *Summary) WriteText(w io.Writer) error {
	r := &s.Total
	if len(s.Targets) == 1 {
		r = s.Targets[0]
		fmt.Fprintf(w, "dialect     %s, seed %d\n", r.Dialect, r.Seed)
	} else {
		fmt.Fprintf(w, "targets     %d, seed %d\n", len(s.Targets), r.Seed)
	}
	fmt.Fprintf(w, "cycles      %d, ending with %d users and %d groups\n", r.Cycles, r.Users, r.Groups)
	if l := r.Licence; l != nil {
		fmt.Fprintf(w, "licence     %s: %d assigned, %d waiting, %d refused\n", l.SKU, l.Assigned, l.Waiting, l.Refused)
	}
	fmt.Fprintf(w, "requests    %d in %s, %.1f a second\n", r.Requests, time.Duration(r.Seconds*float64(time.Second)).Round(time.Millisecond), r.PerSecond)
	fmt.Fprintf(w, "statuses    %s\n", statusLine(r.Statuses))
	fmt.Fprintf(w, "on purpose  %d aborted; sent again: %d\n\n", r.Aborted, r.Retries)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "KIND\tCOUNT\tP50 ms\tP90 ms\tP99 ms\tMAX ms\t")
	for _, k := range append(slices.Clone(r.Kinds), Kind{"all", r.Overall}) {
		fmt.Fprintf(t, "%s\t%d\t%.2f\t%.2f\t%.2f\t%.2f\t\n", k.Name, k.Count, k.P50, k.P90, k.P99, k.Max)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for i, one := range s.Targets {
		prefix := ""
		if len(s.Targets) > 1 {
			prefix = fmt.Sprintf("target %d (%s): ", i+1, one.Dialect)
		}
		one.writeFindings(w, prefix)
	}
	_, err := fmt.Fprintf(w, "\n%d errors, %d differences\n", r.ErrorCount, r.DiffCount)
	return err
}

func (r *Report) writeFindings(w io.Writer, prefix string) {
	for _, f := range r.Errors {
		status := fmt.Sprint(f.Status)
		if f.Status == 0 {
			status = "no answer"
		}
		fmt.Fprintf(w, "error       %s%s: %s %s: %s: %s\n", prefix, f.Kind, f.Method, printable(f.Path), status, printable(f.Detail))
	}
	for _, d := range r.Differences {
		who := strings.Join(slices.DeleteFunc([]string{d.Resource, d.ID, d.Name}, func(s string) bool { return s == "" }), " ")
		fmt.Fprintf(w, "difference  %s%s: %s: expected %q, found %q\n", prefix, printable(who), printable(d.Attribute), d.Expected, d.Found)
	}
	if r.ErrorCount > len(r.Errors) || r.DiffCount > len(r.Differences) {
		fmt.Fprintf(w, "            %sonly the first %d of a sort are shown\n", prefix, mostKept)
	}
}

// printable keeps texts of the server from moving the cursor.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}

func statusLine(statuses map[string]int) string {
	parts := make([]string, 0, len(statuses))
	for _, s := range slices.Sorted(maps.Keys(statuses)) {
		parts = append(parts, fmt.Sprintf("%s: %d", s, statuses[s]))
	}
	return strings.Join(parts, ", ")
}
