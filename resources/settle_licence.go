package resources

import (
	"context"
	"slices"
	"time"
)

// licences decides which products a user has and what follows from that: seats,
// numbers, the package that is billed, issues.
func (s *settling) licences(ctx context.Context) error {
	if s.ch.after == nil {
		return s.releaseAll(ctx)
	}
	wish := wishesOf(s.ch.docAfter, s.after.Asks)
	s.ch.after.wish, s.ch.after.calls = wish, callingWishOf(s.ch.docAfter)
	was := s.wishBefore()
	if err := wish.check(s.catalogue, &was); err != nil {
		return err
	}
	if s.ch.before == nil {
		s.origin(&wish)
	}
	if s.ch.how != nil && s.ch.how.change != nil {
		if err := s.ch.how.change(s.plan, s.after); err != nil {
			return err
		}
	}
	if !s.open(&wish, &was) {
		s.stay()
		return nil
	}
	q, err := s.question(wish, &was)
	if err != nil {
		return err
	}
	calling, err := s.calling(ctx, q, &was)
	if err != nil {
		return err
	}
	v := decide(q)
	if err := s.strictness().fault(s.before, &v, s.asked(&wish, &was)); err != nil {
		return err
	}
	seating{tx: s.tx, q: q, user: s.ch.id, tired: s.known.tired()}.move(s.before.Licences, v.licences)
	s.after.Licences, s.after.Kept = v.licences, v.kept
	s.after.Tier = ""
	if tier := s.after.tier(s.catalogue); tier != "unlicensed" {
		s.after.Tier = tier
	}
	for _, i := range v.issues {
		s.after.issue(s.before, i.Code, i.Attribute, i.Detail, s.ch.now)
	}
	if err := s.applyCalling(calling, &v); err != nil {
		return err
	}
	return s.bill(v.pack)
}

// wishBefore is what the document asked for until now.
func (s *settling) wishBefore() wishes {
	if s.ch.docBefore == nil {
		return wishes{}
	}
	return wishesOf(s.ch.docBefore, s.before.Asks)
}

// origin decides how a new user comes to licences: by name, or by the
// organization's template (BR-160, BR-163).
func (s *settling) origin(wish *wishes) {
	if wish.specific() || len(s.ch.direct) > 0 {
		s.after.Origin = OriginExplicit
	} else if s.plan.org != nil {
		s.after.OrgSKUs = slices.Clone(s.plan.org.SKUs)
	}
}

// open reports whether anything that decides has changed in this act.
func (s *settling) open(wish, was *wishes) bool {
	ch := s.ch
	switch {
	case ch.before == nil:
		return wish.specific() || len(ch.direct)+len(s.after.OrgSKUs) > 0
	case ch.how != nil && ch.how.decides():
		return true
	case !wish.same(was) || ch.before.Inactive != ch.after.Inactive:
		return true
	case s.before.Calling == nil && len(s.before.Licences) == 0:
		return false
	}
	return ch.after.calls != callingWishOf(ch.docBefore) || callingNames(ch.docBefore) != callingNames(ch.docAfter)
}

// stay keeps the issues of an act that decides nothing about licences.
func (s *settling) stay() {
	for _, i := range s.before.Issues {
		if i.Code != CodeMissingEmail && i.Code != CodeEmailInvalid {
			s.after.Issues = append(s.after.Issues, i)
		}
	}
}

// strictness of the act.
func (s *settling) strictness() strictness {
	switch {
	case s.ch.how != nil && s.ch.how.admin:
		return asAnAdmin
	case s.ch.how != nil && s.ch.how.lease != nil:
		return lenient
	}
	return s.caller.strictness()
}

// asked tells which products this act asks for that were not asked for before, or
// of another subscription.
func (s *settling) asked(wish, was *wishes) func(string) bool {
	return func(sku string) bool {
		return s.ch.how != nil && s.ch.how.picks[FoldSKU(sku)] != "" || containsSKU(s.direct(), sku) || wish.names(sku) && !was.names(sku)
	}
}

// direct lists what the act grants directly.
func (s *settling) direct() []string {
	if s.ch.how == nil {
		return s.ch.direct
	}
	out := s.ch.how.direct
	for _, sku := range s.ch.how.keep {
		if find(s.before.Licences, sku) != nil || find(s.before.Kept, sku) != nil {
			out = append(slices.Clip(out), sku)
		}
	}
	return out
}

// question puts together what decides.
func (s *settling) question(wish wishes, was *wishes) (*question, error) {
	q := &question{
		catalogue: s.catalogue, plan: s.plan, known: s.known, now: s.ch.now, inactive: s.ch.after.Inactive,
		before: s.after, wish: wish, direct: s.direct(),
	}
	if wish.pack != "" && !sameSKU(wish.pack, was.pack) {
		q.writer = SourceSCIM
		if s.strictness() == asAnAdmin {
			q.writer = SourceDirect
		}
	}
	if s.ch.how != nil {
		q.dropped, q.picks = s.ch.how.dropped, s.ch.how.picks
	}
	if s.ch.before == nil { // nobody is a member of anything before being there
		return q, nil
	}
	if err := s.groups(q); err != nil {
		return nil, err
	}
	for i := range s.plan.Holds {
		h := &s.plan.Holds[i]
		if len(h.SKUs) == 0 { // confirmed, and being emptied
			continue
		}
		counts := h.Members && slices.Contains(q.groups, h.Source.Ref)
		if !h.Members {
			in, err := s.tx.Holds(h.holdPool(), s.ch.id)
			if err != nil {
				return nil, err
			}
			counts = in[0]
		}
		if counts {
			q.holds = append(q.holds, h)
		}
	}
	return q, nil
}

// groups reads the templated groups that the user is in. Groups within groups do
// not count (BR-161).
func (s *settling) groups(q *question) error {
	if len(s.plan.groups) == 0 && !slices.ContainsFunc(s.plan.Holds, func(h Hold) bool { return h.Members }) {
		return nil
	}
	groups, err := s.tx.GroupsOf(s.ch.id)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if s.plan.templateOf(g) != nil || slices.ContainsFunc(s.plan.Holds, func(h Hold) bool { return h.Members && h.Source.Ref == g }) {
			q.groups = append(q.groups, g)
		}
	}
	return nil
}

// decidedCalling is what the user gets to call with if the licences agree.
type decidedCalling struct {
	callingResult
	wants bool
}

// calling asks what the user gets to call with and tells the question about it.
func (s *settling) calling(ctx context.Context, q *question, was *wishes) (*decidedCalling, error) {
	wants := q.wantsCalling()
	if !wants && s.before.Calling == nil {
		return nil, nil
	}
	n := callingNames(s.ch.docAfter)
	in := callingCase{
		Caller: s.caller, User: s.ch.id, Name: s.ch.after.UserName, Wants: wants, Wish: s.ch.after.calls,
		Given: n.given, Family: n.family, Shown: n.shown, Before: s.before.Calling, Now: s.ch.now,
	}
	if s.ch.how != nil {
		in.Wish.Temporary = s.ch.how.temporary
	}
	in.Strict = s.strictCalling(q, was)
	out, err := s.d.settleCalling(ctx, s.tx, s.plan, s.known, in)
	if err != nil {
		return nil, err
	}
	if !out.Ready {
		q.calling = callingAnswer{issue: CodeNumberOrExtension, detail: "A number or an extension is needed."}
		if len(out.Issues) > 0 {
			q.calling = callingAnswer{out.Issues[0].Code, out.Issues[0].Attribute, out.Issues[0].Detail}
		}
	}
	return &decidedCalling{out, wants}, nil
}

// strictCalling reports whether what the user cannot get to call with refuses the
// act: when it is about calling, or asks for a product with calling (BR-198).
func (s *settling) strictCalling(q *question, was *wishes) bool {
	return s.strictness() != lenient &&
		(s.ch.docBefore == nil || s.ch.after.calls != callingWishOf(s.ch.docBefore) ||
			s.ch.how != nil && s.ch.how.temporary != nil || q.asksCalling(s.asked(&q.wish, was)))
}

// asksCalling reports whether a product with calling is among those asked for.
func (q *question) asksCalling(asked func(string) bool) bool {
	return slices.ContainsFunc(q.gather(), func(w *want) bool { return w.callingProduct() && asked(w.sku) })
}

// applyCalling gives what was decided about calling. Who has to wait for a seat
// takes nothing, and keeps what there was.
func (s *settling) applyCalling(c *decidedCalling, v *verdict) error {
	if c == nil {
		return nil
	}
	for _, i := range c.Issues {
		s.after.issue(s.before, i.Code, i.Attribute, i.Detail, s.ch.now)
	}
	if c.wants && c.Ready && !v.calling {
		pending := Calling{}
		if s.before.Calling != nil {
			pending = *s.before.Calling
		}
		pending.Status = "pending"
		s.after.Calling = &pending
		return nil
	}
	if c.Apply != nil {
		if err := c.Apply(); err != nil {
			return err
		}
	}
	s.after.Calling = c.After
	if c.After != nil {
		s.after.Calling.Place = ""
		if l := s.plan.location(c.After.Location); l != nil {
			s.after.Calling.Place = l.Name
		}
	}
	return nil
}

// bill tells billing which package the user holds, and where.
func (s *settling) bill(pack string) error {
	if pack == "" && s.before.Package == nil {
		return nil
	}
	b := billed{User: s.ch.id, Before: s.before.Package, Package: pack, Now: time.UnixMilli(s.ch.now), Actor: s.caller.Token, Request: s.caller.Request}
	if s.ch.before != nil {
		b.Email = s.ch.before.Identity
	}
	if s.ch.after != nil {
		b.Email = s.ch.after.Identity
	}
	if s.after.Calling != nil {
		b.Location = s.after.Calling.Location
	}
	var err error
	s.after.Package, err = s.d.bill(s.tx, s.plan, b)
	return err
}

// releaseAll gives back everything of a user that is deleted, and what lets it in
// (BR-240).
func (s *settling) releaseAll(ctx context.Context) error {
	q := &question{catalogue: s.catalogue, plan: s.plan, known: s.known, now: s.ch.now}
	seating{tx: s.tx, q: q, user: s.ch.id}.move(s.before.Licences, nil)
	if s.before.Calling != nil {
		out, err := s.d.settleCalling(ctx, s.tx, s.plan, s.known, callingCase{
			Caller: s.caller, User: s.ch.id, Name: s.ch.before.UserName, Before: s.before.Calling, Now: s.ch.now,
		})
		if err != nil {
			return err
		}
		if out.Apply != nil {
			if err := out.Apply(); err != nil {
				return err
			}
		}
	}
	for i := range s.plan.Holds {
		s.tx.Give(s.plan.Holds[i].holdPool(), s.ch.id)
	}
	a, err := accessIn(s.tx, s.ch.id)
	if err != nil {
		return err
	}
	a.drop(s.tx)
	return s.bill("")
}
