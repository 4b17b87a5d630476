package check

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
)

// shownExchanges is how many of a failure's exchanges the text shows; JSON and
// JUnit have all that were kept.
const shownExchanges = 3

// WriteText writes a report for people: the failures with what was sent and
// received, the reasons for skips, the counts.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	for i := range r.Results {
		if f := &r.Results[i]; f.Status == Failed {
			fmt.Fprintf(&b, "FAIL %s (%s)\n     %s\n     %s\n", f.ID, strings.Join(f.Sources, " "), f.Title, f.Reason)
			for _, x := range f.Exchanges[max(0, len(f.Exchanges)-shownExchanges):] {
				b.WriteString(x.text("     | "))
			}
			b.WriteByte('\n')
		}
	}
	for _, u := range r.Leftovers {
		fmt.Fprintf(&b, "could not be deleted: %s\n", u)
	}
	for _, reason := range r.reasons() {
		fmt.Fprintf(&b, "%4d skipped: %s\n", r.skippedFor(reason), reason)
	}
	fmt.Fprintf(&b, "%d checks of %s, profile %s: %d requests in %.1f s, %d skipped\n", len(r.Results), r.URL, r.Profile, r.Requests, float64(r.Millis)/1000, r.Skipped)
	fmt.Fprintf(&b, "%d passed, %d failed\n", r.Passed, r.Failed)
	_, err := io.WriteString(w, printable(b.String()))
	return err
}

// reasons lists why checks were skipped, most frequent first.
func (r *Report) reasons() []string {
	var out []string
	for i := range r.Results {
		if f := &r.Results[i]; f.Status == Skipped && !slices.Contains(out, f.Reason) {
			out = append(out, f.Reason)
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return r.skippedFor(out[i]) > r.skippedFor(out[j]) })
	return out
}

func (r *Report) skippedFor(reason string) int {
	n := 0
	for i := range r.Results {
		if r.Results[i].Status == Skipped && r.Results[i].Reason == reason {
			n++
		}
	}
	return n
}

// text is an exchange on a few lines.
func (x *Exchange) text(indent string) string {
	var b strings.Builder
	line := func(sign, text string) {
		for part := range strings.SplitSeq(text, "\n") {
			b.WriteString(indent + sign + " " + part + "\n")
		}
	}
	line(">", x.Method+" "+x.URL)
	for _, name := range sortedNames(x.RequestHeader) {
		line(">", name+": "+x.RequestHeader[name])
	}
	if x.RequestBody != "" {
		line(">", x.RequestBody)
	}
	if x.Error != "" {
		line("<", "no answer: "+x.Error)
		return b.String()
	}
	line("<", fmt.Sprint(x.Status))
	for _, name := range sortedNames(x.ResponseHeader) {
		line("<", name+": "+x.ResponseHeader[name])
	}
	if x.ResponseBody != "" {
		line("<", x.ResponseBody)
	}
	return b.String()
}

func sortedNames(m map[string]string) []string {
	var out []string
	for name := range m {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// printable keeps what a server sent from moving the cursor.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\n' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}

// WriteJSON writes the report as one JSON object.
func (r *Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"`
	Stamp    string      `xml:"timestamp,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitMessage `xml:"failure"`
	Skipped *junitMessage `xml:"skipped"`
	Out     string        `xml:"system-out,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes the report as one JUnit test suite; the topic of a check is
// its class.
func (r *Report) WriteJUnit(w io.Writer) error {
	suite := junitSuite{
		Name: "usher check " + r.URL + " (" + r.Profile + ")", Tests: len(r.Results), Failures: r.Failed, Skipped: r.Skipped,
		Time: seconds(r.Millis), Stamp: r.Started.Format("2006-01-02T15:04:05"),
	}
	for i := range r.Results {
		f := &r.Results[i]
		topic, name, _ := strings.Cut(f.ID, "/")
		c := junitCase{Class: "scim." + topic, Name: name, Time: seconds(f.Millis), Out: printable(f.Note)}
		switch f.Status {
		case Failed:
			var b strings.Builder
			fmt.Fprintf(&b, "%s\n%s\nsources: %s\n", f.Title, f.Reason, strings.Join(f.Sources, " "))
			for _, x := range f.Exchanges {
				b.WriteString(x.text(""))
			}
			c.Failure = &junitMessage{Message: printable(f.Reason), Type: "expectation", Text: printable(b.String())}
		case Skipped:
			c.Skipped = &junitMessage{Message: f.Reason}
		case Passed:
		}
		suite.Cases = append(suite.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(suite); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func seconds(millis int64) string { return fmt.Sprintf("%.3f", float64(millis)/1000) }
