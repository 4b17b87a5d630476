package resources

import (
	"context"
	"time"
)

// Domain is a mail domain of an organization (domain.md §3.4, in its first form:
// pending, verified). It is part of the plan, because it decides who is verified.
type Domain struct {
	Name     string      `json:"name"`  // lower-case A-label
	Token    string      `json:"token"` // what the TXT record must say, see Record
	State    DomainState `json:"state"`
	Added    time.Time   `json:"added"`
	Verified time.Time   `json:"verified,omitzero"`
	Checked  time.Time   `json:"checked,omitzero"` // last look at DNS
	Missing  time.Time   `json:"missing,omitzero"` // since when the record was not found; zero: it is there
}

// DomainState is where a domain is in its life.
type DomainState string

// The states of a domain.
const (
	DomainPending  DomainState = "pending"
	DomainVerified DomainState = "verified"
)

// verifies reports whether a verified domain of the organization covers an
// address, given as EmailKey: exactly its domain (security E3), and not one whose
// record has been missing for too long (security E6).
func (p *Plan) verifies(key string) bool { return false }

// AddDomain adds a domain and gives the record to publish. Codes: domain_invalid,
// public_domain, invalid_value (too many).
func (d *Directory) AddDomain(ctx context.Context, c Caller, name string) (*Domain, error) {
	return nil, errUnbuilt
}

// Domains lists the domains by name.
func (d *Directory) Domains(ctx context.Context, c Caller) ([]Domain, error) { return nil, errUnbuilt }

// CheckDomain looks for the record and verifies the domain. Codes: not_found,
// domain_token_missing with what was found instead.
func (d *Directory) CheckDomain(ctx context.Context, c Caller, name string) (*Domain, error) {
	return nil, errUnbuilt
}

// RemoveDomain takes a domain away; users whom it verified are settled again.
func (d *Directory) RemoveDomain(ctx context.Context, c Caller, name string) error { return errUnbuilt }
