package resources

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
)

// digestHour is when administrators are written to, in the time zone of the
// organization.
const digestHour = 7

// digestAsked is the item that asks for the next digest.
const digestAsked = "g?"

// maxDigests bounds how many administrators are written to.
const maxDigests = 100

// nextDigest is the next time for a digest after t.
func (p *Plan) nextDigest(t time.Time) time.Time {
	zone := p.zone()
	y, m, d := t.In(zone).Date()
	at := time.Date(y, m, d, digestHour, 0, 0, 0, zone)
	if !at.After(t) {
		at = time.Date(y, m, d+1, digestHour, 0, 0, 0, zone)
	}
	return at
}

// dueDigest asks for a digest when a user has an issue that was not there before.
func (s *settling) dueDigest() {
	if s.plan.Settings.NoDigest {
		return
	}
	for _, i := range s.after.Issues {
		if !slices.ContainsFunc(s.before.Issues, func(was Issue) bool { return was.Code == i.Code }) {
			s.tx.Due("g", s.plan.nextDigest(time.UnixMilli(s.ch.now)))
			return
		}
	}
}

// workDigest writes to the full administrators what needs somebody to look at, the
// due item g: users by the code of their issue, and open alerts (E-16). It is
// asked for by the first issue or alert and goes on day by day until there is
// none. The item g? says when.
func (d *Directory) workDigest(ctx context.Context, l Lease, item DueItem) error {
	plan, err := d.loadPlan(ctx, l.Org)
	if err != nil {
		return err
	}
	if item.Item == digestAsked {
		_, err := d.store.Update(ctx, l.Org, func(_ context.Context, tx Tx) error {
			tx.Fence(l)
			tx.Undue(item)
			if !plan.Settings.NoDigest {
				tx.Due("g", plan.nextDigest(d.now()))
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("ask for the digest: %w", err)
		}
		return nil
	}
	data, err := d.digest(ctx, l.Org)
	if err != nil {
		return fmt.Errorf("make the digest: %w", err)
	}
	if plan.Settings.NoDigest || len(data.Issues) == 0 && data.Alerts == 0 {
		return d.drop(ctx, l, item)
	}
	admins, err := d.fullAdmins(ctx, l.Org)
	if err != nil {
		return err
	}
	_, err = d.store.Update(ctx, l.Org, func(_ context.Context, tx Tx) error {
		tx.Fence(l)
		tx.Undue(item)
		next := plan.nextDigest(d.now())
		tx.Due(item.Item, next)
		for _, a := range admins {
			id, err := mailID(next.AddDate(0, 0, -1), "digest", a.id)
			if err != nil {
				return err
			}
			if was, err := tx.Read(KindSetting, id); err != nil {
				return err
			} else if was != nil { // one a day is enough
				continue
			}
			if err := d.queueMail(tx, &Mail{ID: id, Template: MailDigest, User: a.id, To: a.to, Trigger: TriggerSystem, Data: data}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("queue the digest: %w", err)
	}
	return nil
}

// digest counts users by the code of their issue, and open alerts.
func (d *Directory) digest(ctx context.Context, org OrgID) (MailData, error) {
	count := func(kind Kind, where ...Cond) (int, error) {
		page, err := d.store.Find(ctx, org, Query{Kind: kind, Where: &Cond{Op: CondAnd, Subs: where}, NoGroups: true, Budget: d.budget})
		return page.Total, err
	}
	data := MailData{Issues: make(map[string]int)}
	for _, code := range issueCodes() {
		n, err := count(KindUser, Cond{Op: CondIs, Index: UserAttr, Value: factKey(facts[LifecycleURN+":issues.code"], string(code))})
		if err != nil {
			return data, fmt.Errorf("count users with %s: %w", code, err)
		}
		if n > 0 {
			data.Issues[string(code)] = n
		}
	}
	var err error
	if data.Alerts, err = count(KindSetting, *nounAlert.with(attrOf("state", string(AlertOpen)))); err != nil {
		return data, fmt.Errorf("count alerts: %w", err)
	}
	return data, nil
}

// issueCodes lists the codes that issues of users have.
func issueCodes() []Code {
	return []Code{
		CodeMailBounced, CodeMissingEmail, CodeEmailInvalid, CodeNoSeats, CodeNotSubscribed, CodePackageRequired, CodeSKUUnknown,
		CodeLicenceConflict, CodePrerequisite, CodeLocationRequired, CodeLocationUnknown, CodeNumberOrExtension, CodeNumberUnknown,
		CodeNumberPlace, CodeNumberInUse, CodeExtensionInUse, CodeExtensionInvalid, CodeCallingName,
	}
}

// administrator is who a digest goes to.
type administrator struct{ id, to string }

// fullAdmins lists the active full administrators who can be written to.
func (d *Directory) fullAdmins(ctx context.Context, org OrgID) ([]administrator, error) {
	page, err := d.store.Find(ctx, org, Query{
		Kind: KindUser, Where: &Cond{Op: CondIs, Index: UserAttr, Value: factKey(factRole, string(RoleFullAdmin))},
		Limit: maxDigests, NoGroups: true, Budget: d.budget,
	})
	if err != nil {
		return nil, fmt.Errorf("find the administrators: %w", err)
	}
	var out []administrator
	for _, rec := range page.Records {
		doc, err := jsontree.Parse(rec.Profile, jsontree.Limits{})
		if err != nil {
			return nil, fmt.Errorf("stored document of %s: %w", rec.ID, err)
		}
		if u := UserOf(&doc); !u.Inactive && u.IdentityKey != "" {
			out = append(out, administrator{rec.ID, u.Identity})
		}
	}
	return out, nil
}
