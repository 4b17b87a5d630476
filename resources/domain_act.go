package resources

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
)

// domainTokenSize is the size of a domain's token in bytes (security E3 asks for
// 16).
const domainTokenSize = 20

// AddDomain adds a domain and gives the record to publish; one that is there
// already is given as it is. DNS is looked at by itself from then on, see
// Domain.nextLook. Codes: domain_invalid, public_domain, too_many.
func (d *Directory) AddDomain(ctx context.Context, c Caller, name string) (*Domain, error) {
	if err := c.mayAdmin(AreaOrg, true); err != nil {
		return nil, err
	}
	name, err := domainName(name)
	if err != nil {
		return nil, err
	}
	raw := make([]byte, domainTokenSize)
	if _, err := io.ReadFull(d.random, raw); err != nil {
		return nil, fmt.Errorf("make a token: %w", err)
	}
	var out Domain
	err = d.changePlan(ctx, c, "", func(tx Tx, p *Plan) error {
		if has := p.domain(name); has != nil {
			out = *has
			return errSame
		}
		if len(p.Domains) >= maxDomains {
			return &Error{Code: CodeTooMany, Detail: fmt.Sprintf("An organization has at most %d domains; remove one that is not used.", maxDomains)}
		}
		now := d.now()
		out = Domain{Name: name, Token: secretEncoding.EncodeToString(raw), State: DomainPending, Added: instant(now)}
		p.Domains = append(p.Domains, out)
		tx.Due(itemOfDomain(name), out.nextLook(now))
		p.domainEvent(tx, c, "domain.added", name)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("add a domain: %w", err)
	}
	return &out, nil
}

// domainEvent tells what happened to a domain, in the commit of the changed plan.
func (p *Plan) domainEvent(tx Tx, c Caller, event, name string) {
	tx.Event(Event{Type: event, Kind: KindSetting, ID: planID, Version: p.version() + 1, Actor: c.Token, Request: c.Request, Names: []string{name}})
}

// Domains lists the domains by name.
func (d *Directory) Domains(ctx context.Context, c Caller) ([]Domain, error) {
	if err := c.mayAdmin(AreaOrg, false); err != nil {
		return nil, err
	}
	p, err := d.loadPlan(ctx, c.Org) // who has just added one wants to see it
	if err != nil {
		return nil, err
	}
	out := slices.Clone(p.Domains)
	slices.SortFunc(out, func(a, b Domain) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

// Domain reads one domain, in whatever way its name is written. Codes: not_found.
func (d *Directory) Domain(ctx context.Context, c Caller, name string) (*Domain, error) {
	if err := c.mayAdmin(AreaOrg, false); err != nil {
		return nil, err
	}
	p, err := d.loadPlan(ctx, c.Org)
	if err != nil {
		return nil, err
	}
	return p.existing(name)
}

// existing finds a domain by what somebody wrote. Codes: not_found.
func (p *Plan) existing(name string) (*Domain, error) {
	folded, _ := foldDomain(strings.TrimSpace(name)) // "" finds none
	if dm := p.domain(folded); dm != nil {
		return dm, nil
	}
	return nil, &Error{Code: CodeNotFound, Detail: "There is no such domain; list the domains and take one of theirs."}
}

// CheckDomain looks for the record and verifies the domain. Codes: not_found,
// domain_token_missing with what was found instead, unavailable when DNS did not
// answer.
func (d *Directory) CheckDomain(ctx context.Context, c Caller, name string) (*Domain, error) {
	if err := c.mayAdmin(AreaOrg, true); err != nil {
		return nil, err
	}
	p, err := d.loadPlan(ctx, c.Org)
	if err != nil {
		return nil, err
	}
	dm, err := p.existing(name)
	if err != nil {
		return nil, err
	}
	if d.lookupTXT == nil {
		return nil, &Error{Code: CodeUnavailable, Detail: "This server cannot ask DNS, so that no domain can be verified; ask the operator of usher."}
	}
	found, seen, err := d.lookForRecord(ctx, dm)
	if err != nil {
		return nil, &Error{Code: CodeUnavailable, Detail: "DNS did not answer for " + dm.Name + ", so that nothing is known of the record; try again in a moment, and check the name servers of the domain.", Err: err}
	}
	out, err := d.noteLook(ctx, c, *dm, found, nil, nil)
	if err != nil {
		return nil, fmt.Errorf("check a domain: %w", err)
	}
	if !found {
		return nil, tokenMissing(out, seen)
	}
	return out, nil
}

// lookForRecord asks DNS for the record of a domain and tells which other texts
// there are. An error says that it is not known whether the record is there.
func (d *Directory) lookForRecord(ctx context.Context, dm *Domain) (found bool, seen []string, err error) {
	name, value := dm.Record()
	var faults []error
	for _, at := range []string{name, dm.Name} {
		texts, err := d.lookupTXT(ctx, at)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		for _, text := range texts {
			if strings.TrimSpace(text) == value {
				return true, nil, nil
			}
		}
		seen = append(seen, texts...)
	}
	return false, seen, errors.Join(faults...)
}

// tokenMissing says that the record was not found, and what was.
func tokenMissing(dm *Domain, seen []string) error {
	const most, longest = 3, 80
	name, value := dm.Record()
	detail := fmt.Sprintf("No TXT record at %s, nor at %s itself, says %s. ", name, dm.Name, value)
	ours := func(text string) bool {
		return strings.Contains(strings.ToLower(text), strings.TrimSuffix(challengeText, "="))
	}
	slices.SortStableFunc(seen, func(a, b string) int { // what was meant for usher first
		switch {
		case ours(a) && !ours(b):
			return -1
		case ours(b) && !ours(a):
			return 1
		}
		return 0
	})
	if len(seen) == 0 {
		detail += "There is none at all: publish it, and check again when the name servers have it; that can take as long as the time to live of the zone."
	} else {
		shown := make([]string, 0, most)
		for _, text := range seen[:min(len(seen), most)] {
			shown = append(shown, quoted(clip(printable(text), longest)))
		}
		detail += "Found instead: " + strings.Join(shown, ", ")
		if more := len(seen) - len(shown); more > 0 {
			detail += fmt.Sprintf(" and %d more", more)
		}
		detail += ". Publish the record beside them, and check again."
	}
	if dm.State == DomainVerified {
		detail += " The domain stays verified until " + dm.Missing.Add(domainGone).Format("2006-01-02") + "."
	}
	return &Error{Code: CodeDomainToken, Field: "name", Detail: detail}
}

// printable is a text of strangers without what cannot be shown.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}

// RemoveDomain takes a domain away; users whom it verified are settled again. A
// verified one needs Caller.Confirmed. Codes: not_found, confirmation_required.
func (d *Directory) RemoveDomain(ctx context.Context, c Caller, name string) error {
	if err := c.mayAdmin(AreaOrg, true); err != nil {
		return err
	}
	var gone Domain
	err := d.changePlan(ctx, c, "", func(tx Tx, p *Plan) error {
		dm, err := p.existing(name)
		if err != nil {
			return err
		}
		if err := c.seen(*dm); err != nil {
			return err
		}
		if dm.State == DomainVerified && !c.Confirmed {
			return &Error{Code: CodeConfirmation, Field: "confirm", Detail: "The domain " + dm.Name + " is verified: addresses at it would be verified no more unless their users proved them, and it would get another record when it is added again. Confirm to remove it."}
		}
		gone = *dm
		p.Domains = slices.DeleteFunc(p.Domains, func(dm Domain) bool { return dm.Name == gone.Name })
		p.domainEvent(tx, c, "domain.removed", gone.Name)
		if gone.State != DomainVerified {
			return nil
		}
		return d.resettleDomain(tx, c, gone.Name)
	})
	if err != nil {
		return fmt.Errorf("remove a domain: %w", err)
	}
	if gone.Missing.IsZero() {
		return nil
	}
	return d.closeDomainAlert(ctx, nil, c.Org, gone.Name)
}
