package resources

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestReportPeriod: ranges are within five years and before today, and without
// one the last whole period is meant (BR-175, BR-178).
func TestReportPeriod(t *testing.T) {
	const today = "2026-11-20"
	tests := map[string]struct {
		from, to string
		months   int
		wantFrom string
		wantTo   string
		field    string // of report_range_invalid
		says     string
	}{
		"two months by default":          {months: 0, wantFrom: "2026-09-01", wantTo: "2026-10-31"},
		"one month":                      {months: 1, wantFrom: "2026-10-01", wantTo: "2026-10-31"},
		"three months":                   {months: 3, wantFrom: "2026-07-01", wantTo: "2026-09-30"},
		"a year":                         {months: 12, wantFrom: "2025-01-01", wantTo: "2025-12-31"},
		"yesterday alone":                {from: "2026-11-19", to: "2026-11-19", wantFrom: "2026-11-19", wantTo: "2026-11-19"},
		"five years back":                {from: "2021-11-20", to: "2021-11-20", wantFrom: "2021-11-20", wantTo: "2021-11-20"},
		"a leap day":                     {from: "2024-02-29", to: "2024-02-29", wantFrom: "2024-02-29", wantTo: "2024-02-29"},
		"today":                          {from: "2026-11-01", to: "2026-11-20", field: "to", says: "2026-11-19"},
		"the future":                     {from: "2026-11-01", to: "2027-01-01", field: "to", says: "not over"},
		"a day more than five years ago": {from: "2021-11-19", to: "2022-01-01", field: "from", says: "2021-11-20"},
		"the wrong way round":            {from: "2026-02-01", to: "2026-01-31", field: "to", says: "exchange"},
		"no last day":                    {from: "2026-02-01", field: "to", says: "missing"},
		"no first day":                   {to: "2026-02-01", field: "from", says: "missing"},
		"no day of the calendar":         {from: "2026-02-30", to: "2026-03-01", field: "from", says: "2026-02-30"},
		"a last day of no calendar":      {from: "2026-02-01", to: "2026-02-29", field: "to", says: "2026-02-29"},
		"another way to write":           {from: "1/2/2026", to: "2026-03-01", field: "from", says: "1/2/2026"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ReportSpec{From: tt.from, To: tt.to}.period(today, tt.months)
			if tt.field == "" {
				if err != nil || got.From != tt.wantFrom || got.To != tt.wantTo {
					t.Errorf("%+v, %v", got, err)
				}
				return
			}
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Code != CodeReportRange || e.Field != tt.field || !strings.Contains(e.Detail, tt.says) {
				t.Errorf("error %v, want one about %s that says %q", err, tt.field, tt.says)
			}
		})
	}
}

// TestLastPeriod: periods are aligned to the calendar, also at its turns.
func TestLastPeriod(t *testing.T) {
	tests := []struct {
		today    string
		months   int
		from, to string
	}{
		{"2026-01-01", 2, "2025-11-01", "2025-12-31"},
		{"2026-02-28", 2, "2025-11-01", "2025-12-31"},
		{"2026-03-01", 2, "2026-01-01", "2026-02-28"},
		{"2024-03-31", 1, "2024-02-01", "2024-02-29"},
		{"2026-12-31", 3, "2026-07-01", "2026-09-30"},
		{"2027-01-01", 12, "2026-01-01", "2026-12-31"},
		{"2026-05-05", 7, "2026-03-01", "2026-04-30"}, // no length of a period: as the default
	}
	for _, tt := range tests {
		if from, to := lastPeriod(tt.today, tt.months); from != tt.from || to != tt.to {
			t.Errorf("lastPeriod(%s, %d) = %s, %s; want %s, %s", tt.today, tt.months, from, to, tt.from, tt.to)
		}
	}
}

// TestBillingDay: the day is that of the organization's time zone, whatever the
// length of the day, and never before what is known (BR-175).
func TestBillingDay(t *testing.T) {
	tests := []struct {
		zone, at string
		held     Holding
		want     string
	}{
		{"Europe/Paris", "2026-03-28T23:30:00Z", Holding{}, "2026-03-29"},        // the day of 23 hours begins
		{"Europe/Paris", "2026-03-29T21:59:59Z", Holding{}, "2026-03-29"},        // and ends an hour early
		{"Europe/Paris", "2026-10-25T22:30:00Z", Holding{}, "2026-10-25"},        // the day of 25 hours
		{"Pacific/Kiritimati", "2026-12-31T10:00:00Z", Holding{}, "2027-01-01"},  // UTC+14
		{"Pacific/Pago_Pago", "2027-01-01T10:59:00Z", Holding{}, "2026-12-31"},   // UTC-11
		{"Australia/Lord_Howe", "2026-10-03T15:29:00Z", Holding{}, "2026-10-04"}, // half an hour of summer time
		{"UTC", "2026-05-01T00:00:00Z", Holding{SKU: "suite", From: "2026-05-03"}, "2026-05-03"},
		{"UTC", "2026-05-01T00:00:00Z", Holding{Until: "2026-05-03"}, "2026-05-02"},
		{"UTC", "2026-05-09T00:00:00Z", Holding{Until: "2026-05-03"}, "2026-05-09"},
	}
	for _, tt := range tests {
		zone, err := time.LoadLocation(tt.zone)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := tt.held.today(at.In(zone)); got != tt.want {
			t.Errorf("%s in %s with %+v: %s, want %s", tt.at, tt.zone, tt.held, got, tt.want)
		}
	}
}
