package resources

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Way is how somebody with an address signs in.
type Way struct {
	Slug       string
	Connection string // name of the connection; "" is by password
	Forced     bool   // the password is refused (BR-115); else whoever likes may have one beside the connection
}

// ClaimEnforced is the kind of claims on domains whose people must sign in by a
// connection (BR-115); the key is the domain, the holder the connection. It makes
// where an address belongs follow from its domain alone.
const ClaimEnforced ClaimKind = "sd"

func enforcedClaim(domain string) Claim { return Claim{ClaimEnforced, domain} }

// enforcedHeld are the claims of a stored connection.
func enforcedHeld(rec *Record) (claims []HeldClaim) {
	cn, err := connectionIn(rec)
	if err != nil || cn == nil {
		return nil // the caller reports what the record is found to hold
	}
	for _, name := range cn.Enforced {
		claims = append(claims, HeldClaim{enforcedClaim(name), rec.ID})
	}
	return claims
}

// moveEnforced takes the claims of domains that a connection is enforced for from
// now on, and gives back those that it is not any more.
func moveEnforced(tx Tx, id string, had, has []string) {
	for _, name := range had {
		if !slices.Contains(has, name) {
			tx.Release(enforcedClaim(name), id)
		}
	}
	for _, name := range has {
		if !slices.Contains(had, name) {
			tx.Claim(enforcedClaim(name), id)
		}
	}
}

// domainEnforced is the refusal of a domain that another connection has.
func domainEnforced(r *Refusal, org OrgID) error {
	whose := "another connection of your organization; take it off there first"
	if r.HolderOrg != org {
		whose = "another organization that has verified it too; ask the operator of usher"
	}
	return &Error{Code: CodeDomainEnforced, Field: "enforced", Detail: "The domain " + quoted(r.Claim.Key) + " is enforced by " + whose + "."}
}

// untilFree repeats an act that is refused because another organization enforces a
// domain that is not its own any more: the domain is taken off there.
func (d *Directory) untilFree(ctx context.Context, org OrgID, act func() error) error {
	for range maxEnforced + 1 {
		err := act()
		r, ok := errors.AsType[*Refusal](err)
		if !ok || r.Reason != RefusedClaim || r.Claim.Kind != ClaimEnforced {
			return err
		}
		if r.HolderOrg == org {
			return domainEnforced(r, org)
		}
		freed, err := d.unenforce(ctx, r)
		if err != nil {
			return err
		}
		if !freed {
			return domainEnforced(r, org)
		}
	}
	return fmt.Errorf("domains change too quickly: %w", ErrUnavailable)
}

// unenforce takes a domain off the connection that has it, unless its organization
// has it verified.
func (d *Directory) unenforce(ctx context.Context, r *Refusal) (freed bool, err error) {
	_, err = d.store.Update(ctx, r.HolderOrg, func(ctx context.Context, tx Tx) error {
		const anew = 2
		freed = false
		p, err := d.planIn(ctx, tx, r.HolderOrg, anew)
		if err != nil || p.verifies("x@"+r.Claim.Key) {
			return err
		}
		freed = true
		rec, cn, err := readConnection(tx, r.Holder)
		if HasCode(err, CodeNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		next := cn.clone()
		next.Enforced = slices.DeleteFunc(next.Enforced, func(name string) bool { return name == r.Claim.Key })
		return d.putConnection(tx, system(), rec, cn, &next)
	})
	if err != nil {
		return false, fmt.Errorf("free a domain: %w", err)
	}
	return freed, nil
}

// WayOf says how somebody with the address signs in. It tells nothing about
// whether there is such a user: what it says follows from the domain alone. A
// domain that is not verified any more, a connection that is off and an
// organization that is suspended do not count.
func (d *Directory) WayOf(ctx context.Context, address string) (Way, error) {
	key, ok := EmailKey(address)
	if !ok {
		return Way{}, nil
	}
	org, cn, err := d.enforcedAt(ctx, key)
	if err != nil || cn == nil {
		return Way{}, err
	}
	o, err := d.orgByID(ctx, org)
	if err != nil || o.serves() != nil {
		return Way{}, err
	}
	return Way{Slug: o.Slug, Connection: cn.Name, Forced: true}, nil
}

// enforcedAt is the connection by which people with addresses of a domain must
// sign in, by an EmailKey; nil when there is none.
func (d *Directory) enforcedAt(ctx context.Context, key string) (OrgID, *Connection, error) {
	_, domain, ok := strings.Cut(key, "@")
	if !ok {
		return "", nil, nil
	}
	id, org, err := d.store.Holder(ctx, enforcedClaim(domain))
	if err != nil || id == "" {
		return "", nil, wrapped("find who enforces a domain", err)
	}
	p, err := d.planFor(ctx, org)
	if err != nil || !p.verifies(key) {
		return "", nil, err
	}
	cn, err := d.connectionByID(ctx, org, id)
	if err != nil || cn == nil || cn.Off {
		return "", nil, err
	}
	return org, cn, nil
}

// wrapped says what failed; nil stays nil.
func wrapped(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// wayInto is how a user of an organization signs in, which is known by then: by the
// connection that is enforced for the domain of its address, else by the oldest one
// that is on (BR-103), else by password. A password is refused where the connection
// is enforced and where the organization has switched passwords off; but nothing is
// forced upon active full administrators, who must be able to repair a connection
// that lets nobody in (BR-115).
func (d *Directory) wayInto(ctx context.Context, o *Organization, key string, s *Standing) (Way, error) {
	way := Way{Slug: o.Slug}
	org, cn, err := d.enforcedAt(ctx, key)
	if err != nil {
		return way, err
	}
	if cn != nil && org == o.ID {
		way.Connection, way.Forced = cn.Name, !s.administers()
		return way, nil
	}
	p, err := d.planFor(ctx, o.ID)
	if err != nil {
		return way, err
	}
	way.Forced = p.Settings.PasswordsOff && !s.administers()
	all, err := d.connectionsOf(ctx, o.ID)
	if err != nil {
		return way, err
	}
	all = slices.DeleteFunc(all, func(cn *Connection) bool { return cn.Off })
	if len(all) > 0 {
		way.Connection = slices.MinFunc(all, func(a, b *Connection) int { return a.Created.Compare(b.Created) }).Name
	}
	return way, nil
}
