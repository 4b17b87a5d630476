package resources

import "time"

// AlertKind says what an alert is about.
type AlertKind string

// The kinds of alerts.
const (
	AlertHeldRevocation AlertKind = "held_revocation" // BR-165
	AlertNoSeats        AlertKind = "no_seats"        // somebody waits for a product
	AlertShortened      AlertKind = "subscription_short"
	AlertParked         AlertKind = "work_parked"
	AlertEndpoints      AlertKind = "endpoints_changed" // a provider names other hosts than when its connection was saved (security O7)
	AlertDomain         AlertKind = "domain_missing"    // the record of a verified domain is not there any more (security E6)
)

// AlertState is whether somebody has to look.
type AlertState string

// The states of an alert.
const (
	AlertOpen      AlertState = "open"
	AlertDone      AlertState = "done"
	AlertDismissed AlertState = "dismissed"
)

// Alert is something that administrators must see (domain.md §1). Alerts are
// settings, found by "state" and "kind"; of most kinds only one is open for a
// subject.
type Alert struct {
	ID      string     `json:"-"`
	Kind    AlertKind  `json:"kind"`
	State   AlertState `json:"state"`
	Subject string     `json:"subject,omitempty"` // id or SKU it is about
	Detail  string     `json:"detail"`            // a sentence
	Count   int        `json:"count,omitempty"`   // of users; of a domain: days
	SKUs    []string   `json:"skus,omitempty"`
	Source  Source     `json:"source,omitzero"` // of a held revocation
	Created time.Time  `json:"created"`
	Decided time.Time  `json:"decided,omitzero"`
	By      string     `json:"by,omitempty"`      // token id of who decided
	Outcome string     `json:"outcome,omitempty"` // confirmed or rejected
	Held    int        `json:"held,omitempty"`    // users in the list below
	Pieces  int        `json:"pieces,omitempty"`  // of the list of users whose licences a hold keeps, in noun rows
	Job     string     `json:"job,omitempty"`     // id of the job that carries the decision out
}
