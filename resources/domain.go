package resources

import (
	"slices"
	"strings"
	"time"
)

// Domain is a mail domain of an organization (domain.md §3.4, in its first form:
// pending, verified, lost). It is part of the plan, because it decides who is
// verified. Several organizations may verify the same one; each has a token of its
// own.
type Domain struct {
	Name     string      `json:"name"`  // lower-case A-label
	Token    string      `json:"token"` // what the TXT record must say, see Record
	State    DomainState `json:"state"`
	Added    time.Time   `json:"added"`
	Verified time.Time   `json:"verified,omitzero"`
	Checked  time.Time   `json:"checked,omitzero"` // last look at DNS that got an answer
	Missing  time.Time   `json:"missing,omitzero"` // since when the record was not found; zero: it is there, or never was
}

// DomainState is where a domain is in its life.
type DomainState string

// The states of a domain.
const (
	DomainPending  DomainState = "pending"
	DomainVerified DomainState = "verified"
	DomainLost     DomainState = "lost" // was verified, and its record has been missing for too long: it verifies nobody (security E6)
)

// What stands in DNS (domain.md §3.4, security E3).
const (
	challengeLabel = "_usher-challenge."
	challengeText  = "usher-domain-verification="
)

// Record is the TXT record that proves the domain: its name and its value. A
// record of the same value at the domain itself does as well.
func (dm *Domain) Record() (name, value string) {
	return challengeLabel + dm.Name, challengeText + dm.Token
}

// When DNS is looked at, and how long a record may be missing (security E6).
const (
	domainSoon    = 10 * time.Minute // between two looks for a new domain, for the first day
	domainOften   = time.Hour        // and then, until domainEnough has passed
	domainDaily   = 24 * time.Hour   // once it was verified
	domainEnough  = 8 * domainDaily  // after this nobody looks unless asked to
	domainWarning = 3 * domainDaily
	domainGone    = 14 * domainDaily
)

// nextLook is when to look at DNS next without being asked; zero: never.
func (dm *Domain) nextLook(now time.Time) time.Time {
	age := now.Sub(dm.Added)
	switch {
	case dm.State != DomainPending:
		return now.Add(domainDaily)
	case age < domainDaily:
		return now.Add(domainSoon)
	case age < domainEnough:
		return now.Add(domainOften)
	}
	return time.Time{}
}

// domainLook is what a look at DNS came to.
type domainLook struct {
	event    string // to tell, or ""
	resettle bool   // others are verified now than before
	warn     bool   // administrators must know that the record is missing
	back     bool   // the record is there again
}

// looked notes a look at DNS that got an answer. One that got none says nothing of
// the domain.
func (dm *Domain) looked(found bool, now time.Time) domainLook {
	before := *dm
	dm.Checked = instant(now)
	back := found && !before.Missing.IsZero()
	switch {
	case found:
		dm.Missing = time.Time{}
		if dm.State == DomainVerified {
			return domainLook{back: back}
		}
		dm.State, dm.Verified = DomainVerified, dm.Checked
		return domainLook{event: "domain.verified", resettle: true, back: back}
	case dm.State != DomainVerified:
		return domainLook{}
	case dm.Missing.IsZero():
		dm.Missing = dm.Checked
		return domainLook{}
	case dm.Checked.Sub(dm.Missing) >= domainGone:
		dm.State = DomainLost
		return domainLook{event: "domain.lost", resettle: true, warn: true}
	}
	mark := dm.Missing.Add(domainWarning)
	return domainLook{warn: before.Checked.Before(mark) && !dm.Checked.Before(mark)}
}

// domain finds a domain by its A-label; nil when there is none.
func (p *Plan) domain(name string) *Domain {
	at := slices.IndexFunc(p.Domains, func(dm Domain) bool { return dm.Name == name })
	if at < 0 {
		return nil
	}
	return &p.Domains[at]
}

// provenDomains makes the look-up of verified domains; nil when there is none.
func provenDomains(all []Domain) map[string]bool {
	var out map[string]bool
	for i := range all {
		if all[i].State != DomainVerified {
			continue
		}
		if out == nil {
			out = make(map[string]bool, len(all))
		}
		out[all[i].Name] = true
	}
	return out
}

// verifies reports whether a verified domain of the organization covers an
// address, given as EmailKey: exactly its domain (security E3), and not one whose
// record has been missing for too long (security E6).
func (p *Plan) verifies(key string) bool {
	if len(p.proven) == 0 {
		return false
	}
	_, domain, ok := strings.Cut(key, "@") // an EmailKey has one
	return ok && p.proven[domain]
}
