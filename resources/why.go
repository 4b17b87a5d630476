package resources

import (
	"context"
	"fmt"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
)

// Why explains one product of one user.
type Why struct {
	Assignment
	Name     string   // of the product
	Seat     string   // a sentence: of which subscription, or why none
	Reasons  []string // a sentence for each source: rule, source, since when
	Position int      // in the line, from 1; 0 when the user does not wait, or behind a thousand others
	Ahead    int      // seats that must free before it is this user's turn
}

// Licensing is everything about one user's licences.
type Licensing struct {
	User     string
	Version  uint64
	Origin   Origin
	Tier     string
	Desired  []string // SKUs that the identity provider or the document asks for
	Package  string   // desired
	Licences []Why
	Refused  []Why // products that a source could give and that precedence or a state keeps away (BR-162, BR-163, §3.1), with the reason
	Issues   []Issue
}

// Licensing explains a user's licences: which source, rule and seat, since when,
// and why not.
func (d *Directory) Licensing(ctx context.Context, c Caller, id string) (*Licensing, error) {
	if c.mayAdmin(AreaLicences, false) != nil {
		if err := c.may(KindUser, false); err != nil {
			return nil, err
		}
	}
	if k, ok := KindOf(id); !ok || k != KindUser {
		return nil, notFound(KindUser)
	}
	rec, err := d.store.Get(ctx, c.Org, KindUser, id)
	if err != nil {
		return nil, fmt.Errorf("read a user's licences: %w", err)
	}
	if rec == nil {
		return nil, notFound(KindUser)
	}
	doc, err := jsontree.Parse(rec.Profile, jsontree.Limits{})
	if err != nil {
		return nil, fmt.Errorf("stored document of %s: %w", id, err)
	}
	p, cat, err := d.rulesOf(ctx, c.Org)
	if err != nil {
		return nil, err
	}
	u := userIn(rec, &doc)
	s := &u.standing
	out := &Licensing{
		User: id, Version: rec.Version, Origin: s.Origin, Tier: s.Tier,
		Desired: append(u.wish.licences, u.wish.entitled...), Package: u.wish.pack, Issues: s.Issues,
	}
	if out.Origin == "" {
		out.Origin = OriginAutomatic
	}
	if out.Tier == "" {
		out.Tier = "unlicensed"
	}
	x := explaining{d: d, org: c.Org, plan: p, cat: cat, user: id}
	for i := range s.Licences {
		w := x.why(&s.Licences[i])
		if err := x.place(ctx, &w); err != nil {
			return nil, err
		}
		out.Licences = append(out.Licences, w)
	}
	out.Refused = x.refused(s)
	return out, nil
}

// explaining is what the licences of a user are explained by.
type explaining struct {
	d    *Directory
	org  OrgID
	plan *Plan
	cat  *Catalogue
	user string
}

// why explains an assignment.
func (x *explaining) why(a *Assignment) Why {
	w := Why{Assignment: *a, Name: a.SKU, Seat: x.seat(a)}
	if p := x.cat.Product(a.SKU); p != nil {
		w.Name = p.Name
	}
	for _, s := range a.Sources {
		w.Reasons = append(w.Reasons, x.reason(s))
	}
	return w
}

func (x *explaining) seat(a *Assignment) string {
	if a.Status == Failed {
		return failureText(a)
	}
	if a.Subscription == "" {
		return "The product is free; no seat is needed (BR-167)."
	}
	s := x.plan.subscription(a.Subscription)
	switch {
	case s == nil:
		return "One seat of the subscription " + a.Subscription + ", which has been deleted."
	case s.Ends.IsZero():
		return "One seat of the subscription " + s.ID + ", which does not end (BR-150)."
	}
	return "One seat of the subscription " + s.ID + ", which ends on " + day(s.Ends) + " (BR-150)."
}

// failureText is a sentence about why there is no seat.
func failureText(a *Assignment) string {
	switch a.Issue {
	case CodeNoSeats:
		return "All seats are taken; the user waits in line and is seated as soon as it is their turn (BR-164)."
	case CodeNotSubscribed:
		return "The organization has no running subscription to the product; the user waits until there is one (BR-154)."
	case CodeLicenceConflict:
		return "Another licence of the user excludes the product (BR-153, BR-176)."
	case CodePrerequisite:
		return "A licence that the product needs is missing (BR-153)."
	case CodeSKUUnknown:
		return "The catalogue does not have the product any more (BR-154)."
	case "":
		return "The user is inactive; a seat is taken on reactivation."
	}
	return "What calling needs is missing: " + string(a.Issue) + " (BR-190)."
}

// reason is a sentence about a source.
func (x *explaining) reason(s Source) string {
	since := ""
	if s.Since > 0 {
		since = " since " + day(time.UnixMilli(s.Since))
	}
	switch s.Type {
	case SourceDirect:
		if s.Ref == packageRef {
			return "An administrator chose it as the package" + since + " (BR-162)."
		}
		return "An administrator granted it" + since + " (BR-162)."
	case SourceSCIM:
		if s.Ref == packageRef {
			return "The identity provider chose it as the package" + since + " (BR-162)."
		}
		return "The identity provider asks for it" + since + " (BR-162)."
	case SourceRegistration:
		return "It came with an approved registration" + since + " (BR-142)."
	case SourceInvitation:
		return "It came with an invitation" + since + " (BR-162)."
	case SourceGroup:
		if x.plan.templateOf(s.Ref) == nil {
			return "The group " + s.Ref + " gave it" + since + ", and taking it away waits for an administrator (BR-165)."
		}
		return "The user is in the group " + s.Ref + ", whose template gives it" + since + " (BR-161)."
	case SourceOrgTemplate:
		return "The organization's template gave it" + since + " (BR-160)."
	}
	return string(s.Type) + since + "."
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// place finds the user's place in the line.
func (x *explaining) place(ctx context.Context, w *Why) error {
	if !w.waits() {
		return nil
	}
	const looked = 1000
	list, err := x.d.store.Waiting(ctx, x.org, lineOf(w.SKU), looked)
	if err != nil {
		return fmt.Errorf("read who waits: %w", err)
	}
	for i := range list {
		if list[i].Holder == x.user {
			w.Position = i + 1
		}
	}
	if w.Position == 0 {
		return nil
	}
	subs, err := x.d.subscriptionUsage(ctx, x.org, x.plan.Subscriptions)
	if err != nil {
		return err
	}
	w.Ahead = w.Position
	for _, s := range subs {
		if s.Active && sameSKU(s.SKU, w.SKU) {
			w.Ahead = max(0, w.Ahead-max(0, s.Units-s.Used))
		}
	}
	return nil
}

// refused lists what a source would give and does not.
func (x *explaining) refused(s *Standing) []Why {
	var out []Why
	add := func(sku, reason string) {
		if s.Licence(sku) == nil {
			w := x.why(&Assignment{SKU: sku, Status: Failed})
			w.Seat = reason
			out = append(out, w)
		}
	}
	for i := range s.Kept {
		w := x.why(&s.Kept[i])
		w.Seat = failureText(&Assignment{Status: Failed})
		out = append(out, w)
	}
	if s.Origin == OriginExplicit && x.plan.org != nil {
		for _, sku := range x.plan.org.SKUs {
			add(sku, "The organization's template would give it, but the user was created with licences named (BR-163).")
		}
	}
	if s.State != StateInactive {
		for _, sku := range s.OrgSKUs {
			add(sku, "The organization's template gave it, but group templates decide while the user is in a group that has one (BR-162).")
		}
	}
	return out
}
