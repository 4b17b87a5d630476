package conformance

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/tools/txtar"
)

// Recording is a parsed archive of exchanges.
type Recording struct {
	Title     string // the first line of the comment
	Profile   string // the connection profile it is meant for, or ""
	Header    http.Header
	Exchanges []Exchange
}

// Exchange is one request and what must come back. Variables are not yet
// filled in.
type Exchange struct {
	Name   string
	Method string
	Target string
	Header http.Header // a value "-" leaves the header out
	Body   string

	Statuses   []int
	WantHeader []HeaderWant
	WantBody   string // a JSON expectation, "" when the body does not matter
}

// HeaderWant is the expectation of one header.
type HeaderWant struct{ Name, Want string }

// noBody in place of a JSON expectation asks for an empty body.
const noBody = "(empty)"

// ParseRecording reads an archive. The error names the exchange at fault.
func ParseRecording(data []byte) (*Recording, error) {
	archive := txtar.Parse(data)
	rec := &Recording{Header: http.Header{}}
	for line := range strings.Lines(string(archive.Comment)) {
		line = strings.TrimSpace(line)
		key, value, _ := strings.Cut(line, ":")
		switch {
		case key == "profile":
			rec.Profile = strings.TrimSpace(value)
		case key == "header":
			name, text, ok := strings.Cut(value, ":")
			if !ok {
				return nil, fmt.Errorf("comment: %q is not a header line", line)
			}
			rec.Header.Set(strings.TrimSpace(name), strings.TrimSpace(text))
		case rec.Title == "":
			rec.Title = line
		}
	}
	if len(archive.Files) == 0 {
		return nil, fmt.Errorf("the archive has no exchanges: each starts with a line like %q", "-- name --")
	}
	seen := map[string]bool{}
	for _, f := range archive.Files {
		if seen[f.Name] {
			return nil, fmt.Errorf("exchange %q: the name is used twice", f.Name)
		}
		seen[f.Name] = true
		x, err := parseExchange(f.Name, f.Data)
		if err != nil {
			return nil, fmt.Errorf("exchange %q: %w", f.Name, err)
		}
		rec.Exchanges = append(rec.Exchanges, x)
	}
	return rec, nil
}

func parseExchange(name string, data []byte) (Exchange, error) {
	x := Exchange{Name: name, Header: http.Header{}}
	data = append([]byte("\n"), data...)
	at := bytes.Index(data, []byte("\n=>"))
	if at < 0 {
		return x, fmt.Errorf("there is no expectation: a line that starts with %q", "=> 200")
	}
	line, headers, body := message(string(data[:at]))
	var ok bool
	if x.Method, x.Target, ok = strings.Cut(line, " "); !ok {
		return x, fmt.Errorf("%q is not a request line like %q", line, "GET {base}/Users")
	}
	x.Target, x.Body = strings.TrimSpace(x.Target), body
	for _, h := range headers {
		key, value, ok := strings.Cut(h, ":")
		if !ok {
			return x, fmt.Errorf("%q is not a header", h)
		}
		x.Header.Set(strings.TrimSpace(key), strings.TrimSpace(value))
	}
	return x, x.parseWant(string(data[at+3:]))
}

func (x *Exchange) parseWant(text string) error {
	line, headers, body := message(text)
	for s := range strings.SplitSeq(line, "|") {
		code, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil || code < 100 || code > 599 {
			return fmt.Errorf("%q is not a status", strings.TrimSpace(s))
		}
		x.Statuses = append(x.Statuses, code)
	}
	for _, h := range headers {
		key, value, ok := strings.Cut(h, ":")
		if !ok {
			return fmt.Errorf("%q is not a header expectation", h)
		}
		x.WantHeader = append(x.WantHeader, HeaderWant{Name: strings.TrimSpace(key), Want: strings.TrimSpace(value)})
	}
	x.WantBody = body
	return nil
}

// message splits a start line, headers and a body.
func message(text string) (line string, headers []string, body string) {
	head, body, _ := strings.Cut(strings.TrimLeft(text, "\r\n"), "\n\n")
	lines := strings.Split(strings.TrimSpace(head), "\n")
	return strings.TrimSpace(lines[0]), lines[1:], strings.TrimSpace(body)
}

var variable = regexp.MustCompile(`\{([A-Za-z][A-Za-z0-9_]*)\}`)

// fill puts variables in, each passed through encode.
func fill(text string, vars map[string]string, encode func(string) string) (string, error) {
	var missing error
	out := variable.ReplaceAllStringFunc(text, func(m string) string {
		name := m[1 : len(m)-1]
		value, ok := vars[name]
		if !ok {
			missing = fmt.Errorf("the variable %s has no value: no exchange before has set it", m)
			return m
		}
		if name == "base" {
			return value
		}
		return encode(value)
	})
	return out, missing
}
