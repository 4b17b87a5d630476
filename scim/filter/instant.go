package filter

import (
	"fmt"
	"strings"
	"time"
)

// parseInstant reads an xsd:dateTime: date, T, time, a fraction of any
// length (nanoseconds count, the rest is cut), and a zone. A missing zone is
// taken as UTC, lower-case t and z are accepted, because providers send them.
func parseInstant(s string) (time.Time, bool) {
	if len(s) < len("2006-01-02T15:04:05") || len(s) > 64 {
		return time.Time{}, false
	}
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t.UTC(), true
	}
	s = strings.ToUpper(s)
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t.UTC(), true
	}
	if t, err := time.Parse("2006-01-02T15:04:05.999999999", s); err == nil {
		return t, true
	}
	return time.Time{}, false
}

// instantKey is text that sorts by bytes as the instants sort by time.
func instantKey(t time.Time) string {
	const bias = 1 << 40 // seconds; years before 1970 stay positive
	return fmt.Sprintf("%014d%09d", t.Unix()+bias, t.Nanosecond())
}
