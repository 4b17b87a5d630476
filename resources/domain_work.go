package resources

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
)

// itemOfDomain is the item by which DNS is looked at again for a domain. A name
// that is too long for an item is there by its hash.
func itemOfDomain(name string) string {
	const most = 80
	if len(name) > most {
		return "d" + hashSecret(name)
	}
	return "d" + name
}

// workDomain looks at DNS for a domain without being asked (security E6). A look
// that gets no answer says nothing of the domain, and is made again.
func (d *Directory) workDomain(ctx context.Context, l Lease, item DueItem) error {
	p, err := d.loadPlan(ctx, l.Org)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(p.Domains, func(dm Domain) bool { return itemOfDomain(dm.Name) == item.Item })
	if at < 0 {
		return d.drop(ctx, l, item)
	}
	dm := p.Domains[at]
	found, fault := false, errors.New("this server has no way to ask DNS")
	if d.lookupTXT != nil {
		found, _, fault = d.lookForRecord(ctx, &dm)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if fault != nil {
		d.log.WarnContext(ctx, "DNS did not answer for a domain", "org", l.Org, "domain", dm.Name, "err", fault)
		return d.lookLater(ctx, l, item, &dm)
	}
	_, err = d.noteLook(ctx, l.worker(), dm, found, &l, &item)
	if HasCode(err, CodeNotFound) { // removed meanwhile
		return d.drop(ctx, l, item)
	}
	return err
}

// lookLater asks for another look after one without an answer, sooner than it
// would be asked for otherwise.
func (d *Directory) lookLater(ctx context.Context, l Lease, item DueItem, dm *Domain) error {
	_, err := d.store.Update(ctx, l.Org, func(_ context.Context, tx Tx) error {
		tx.Fence(l)
		tx.Undue(item)
		now := d.now()
		if next := dm.nextLook(now); !next.IsZero() {
			if often := now.Add(domainOften); often.Before(next) {
				next = often
			}
			tx.Due(item.Item, next)
		}
		return nil
	})
	return err
}

// noteLook commits what a look at DNS for a domain came to, with what follows:
// events, users to settle again, the next look. l and item are those of a worker,
// or nil. Codes: not_found when the domain was removed, or added anew, meanwhile.
func (d *Directory) noteLook(ctx context.Context, c Caller, dm Domain, found bool, l *Lease, item *DueItem) (*Domain, error) {
	foreseen := dm
	look := foreseen.looked(found, d.now())
	// The alert comes first: should this end here, the next look finds the same.
	var err error
	switch {
	case look.warn:
		err = d.openDomainAlert(ctx, l, c.Org, &foreseen)
	case look.back:
		err = d.closeDomainAlert(ctx, l, c.Org, dm.Name)
	}
	if err != nil {
		return nil, err
	}
	var out Domain
	err = d.changePlan(ctx, c, "", func(tx Tx, p *Plan) error {
		is := p.domain(dm.Name)
		if is == nil || is.Token != dm.Token {
			return &Error{Code: CodeNotFound, Detail: "The domain was removed meanwhile."}
		}
		if l != nil {
			tx.Fence(*l)
			tx.Undue(*item)
		}
		now := d.now()
		look := is.looked(found, now)
		out = *is
		if next := is.nextLook(now); !next.IsZero() {
			tx.Due(itemOfDomain(is.Name), next)
		}
		if look.event != "" {
			p.domainEvent(tx, c, look.event, is.Name)
		}
		if look.resettle {
			return d.resettleDomain(tx, c, is.Name)
		}
		return nil
	})
	return &out, err
}

// openDomainAlert tells administrators that the record of a verified domain is
// missing.
func (d *Directory) openDomainAlert(ctx context.Context, l *Lease, org OrgID, dm *Domain) error {
	name, value := dm.Record()
	since, until := dm.Missing.Format(time.DateOnly), dm.Missing.Add(domainGone).Format(time.DateOnly)
	detail := fmt.Sprintf("The TXT record of the domain %s has been missing since %s; publish it again before %s, else the domain verifies nobody any more: %s with the value %s.", dm.Name, since, until, name, value)
	if dm.State == DomainLost {
		detail = fmt.Sprintf("The TXT record of the domain %s has been missing since %s, and the domain verifies nobody any more; publish it again: %s with the value %s.", dm.Name, since, name, value)
	}
	days := max(1, int(dm.Checked.Sub(dm.Missing)/domainDaily))
	return d.alertOn(ctx, l, org, AlertDomain, dm.Name, func(a *Alert) bool {
		if a.Detail == detail && a.Count == days {
			return false
		}
		a.Detail, a.Count = detail, days
		return true
	})
}

// closeDomainAlert ends the alert of a missing record.
func (d *Directory) closeDomainAlert(ctx context.Context, l *Lease, org OrgID, name string) error {
	return d.alertOn(ctx, l, org, AlertDomain, name, func(a *Alert) bool {
		a.Count = 0
		return true
	})
}

// resettleDomain starts the job that settles users again with an address at a
// domain, in the commit that changes what the domain verifies.
func (d *Directory) resettleDomain(tx Tx, c Caller, name string) error {
	return d.startJob(tx, c, &Job{Type: JobResettle, Subjects: []string{name}}, resettleParams{Domain: name})
}

// domainStep settles the next users whose identity address is at a domain. No index
// has the domains of addresses, which would cost every user who is created: all
// users are walked over, and most of them only read.
func (d *Directory) domainStep(ctx context.Context, l Lease, j *Job, domain string) (done bool, err error) {
	const piece = 1000
	page, err := d.store.Find(ctx, l.Org, Query{Kind: KindUser, Keyset: true, After: j.Cursor, Limit: piece, NoGroups: true, Budget: d.budget})
	if err != nil {
		return false, fmt.Errorf("find users: %w", err)
	}
	var ids []string
	var recs []*Record
	for _, rec := range page.Records {
		doc, err := jsontree.Parse(rec.Profile, jsontree.Limits{})
		if err != nil {
			return false, fmt.Errorf("read user %s: %w", rec.ID, err)
		}
		if u := UserOf(&doc); strings.HasSuffix(u.IdentityKey, "@"+domain) {
			ids, recs = append(ids, rec.ID), append(recs, rec)
		}
	}
	if err := d.settleAll(ctx, l, j, ids, recs, settleOptions{}, nil); err != nil {
		return false, err
	}
	j.Cursor = page.Next
	return page.Next == "", nil
}
