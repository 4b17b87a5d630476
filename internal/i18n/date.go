package i18n

import (
	"fmt"
	"time"
)

const (
	nbsp  = "\u00a0"
	minus = "\u2212"
)

// Months are written out in letters and cut short in lists.
var (
	longMonths = map[string][12]string{
		English: {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
		French:  {"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"},
	}
	shortMonths = map[string][12]string{
		English: {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
		French:  {"janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."},
	}
)

// Day writes the day of a time as "20 nov. 2026", in a time zone of the IANA; one
// that is unknown counts as UTC. Parts are joined by spaces that do not break.
func (l *Localizer) Day(t time.Time, zone string) string {
	return l.day(t.In(zoneOf(zone)), shortMonths[l.lang])
}

// LongDay writes the day of a time as "20 novembre 2026".
func (l *Localizer) LongDay(t time.Time, zone string) string {
	return l.day(t.In(zoneOf(zone)), longMonths[l.lang])
}

// DateTime writes a time as "20 nov. 2026, 10:32 (UTC+1)".
func (l *Localizer) DateTime(t time.Time, zone string) string {
	t = t.In(zoneOf(zone))
	return l.day(t, shortMonths[l.lang]) + t.Format(", 15:04") + nbsp + "(" + offset(t) + ")"
}

func (l *Localizer) day(t time.Time, months [12]string) string {
	day := fmt.Sprint(t.Day())
	if l.lang == French && t.Day() == 1 {
		day = "1er"
	}
	return day + nbsp + months[t.Month()-1] + nbsp + t.Format("2006")
}

// offset names a distance from UTC: UTC, UTC+1, UTC−3:30.
func offset(t time.Time) string {
	_, seconds := t.Zone()
	if seconds == 0 {
		return "UTC"
	}
	sign := "+"
	if seconds < 0 {
		sign, seconds = minus, -seconds
	}
	hours, minutes := seconds/3600, seconds/60%60
	if minutes == 0 {
		return fmt.Sprintf("UTC%s%d", sign, hours)
	}
	return fmt.Sprintf("UTC%s%d:%02d", sign, hours, minutes)
}

// zoneOf finds a time zone. Names come from settings that were checked when they
// were stored; what the machine does not know is UTC, which the text then says.
func zoneOf(name string) *time.Location {
	if name == "Local" {
		return time.UTC // that of the machine is nobody's
	}
	at, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return at
}
