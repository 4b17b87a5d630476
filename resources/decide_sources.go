package resources

import (
	"cmp"
	"slices"
)

// sourceOrder is the order in which sources are listed and decide (BR-162).
var sourceOrder = []SourceType{SourceDirect, SourceRegistration, SourceInvitation, SourceSCIM, SourceGroup, SourceOrgTemplate}

// lasting reports whether a source stands in the standing alone, so that nothing
// else tells of it. A package's source is told by the document.
func (s Source) lasting() bool {
	return s.Ref != packageRef && (s.Type == SourceDirect || s.Type == SourceRegistration || s.Type == SourceInvitation)
}

// gather lists the products that anything asks for, with all their sources, in
// the order of SKUs (BR-151, BR-161 … BR-163).
func (q *question) gather() []*want {
	g := gatherer{q: q}
	for _, a := range q.standing() {
		for _, s := range a.Sources {
			if s.lasting() && (s.Type != SourceDirect || !containsSKU(q.dropped, a.SKU)) {
				g.add(a.SKU, s)
			}
		}
	}
	for _, sku := range q.direct {
		g.add(sku, Source{Type: SourceDirect})
	}
	for _, sku := range q.wish.licences {
		g.add(sku, Source{Type: SourceSCIM})
	}
	for _, sku := range q.wish.entitled {
		if q.catalogue.Product(sku) != nil {
			g.add(sku, Source{Type: SourceSCIM})
		}
	}
	if q.wish.pack != "" {
		g.add(q.wish.pack, Source{Type: q.packageWriter(), Ref: packageRef})
	}
	templated := false
	for _, group := range q.groups {
		if t := q.plan.templateOf(group); t != nil {
			templated = true
			for _, sku := range t.SKUs {
				g.add(sku, Source{Type: SourceGroup, Ref: group})
			}
		}
	}
	for _, h := range q.holds {
		for _, sku := range h.SKUs {
			if had := q.had(sku); had == nil || !had.by(h.Source) {
				continue // a hold keeps what there is and gives nothing
			}
			templated = templated || h.Source.Type == SourceGroup
			g.add(sku, Source{Type: h.Source.Type, Ref: h.Source.Ref})
		}
	}
	if !templated { // who is in a templated group has none of the organization's template (BR-162)
		for _, sku := range q.before.OrgSKUs {
			g.add(sku, Source{Type: SourceOrgTemplate, Ref: q.plan.orgTemplate()})
		}
	}
	for _, w := range g.wants {
		slices.SortStableFunc(w.sources, func(a, b Source) int {
			return cmp.Or(cmp.Compare(slices.Index(sourceOrder, a.Type), slices.Index(sourceOrder, b.Type)), cmp.Compare(a.Since, b.Since))
		})
	}
	slices.SortFunc(g.wants, func(a, b *want) int { return cmp.Compare(a.sku, b.sku) })
	return g.wants
}

// by reports whether something has given the product.
func (a *Assignment) by(source Source) bool {
	return slices.ContainsFunc(a.Sources, func(s Source) bool { return s.Type == source.Type && s.Ref == source.Ref })
}

// gatherer collects sources by product.
type gatherer struct {
	q     *question
	wants []*want
}

func (g *gatherer) add(sku string, s Source) {
	p := g.q.catalogue.Product(sku)
	if p != nil {
		sku = p.SKU
	}
	var w *want
	for _, have := range g.wants {
		if sameSKU(have.sku, sku) {
			w = have
		}
	}
	if w == nil {
		w = &want{sku: sku, product: p, asked: g.q.now, order: len(g.wants), had: g.q.had(sku)}
		if w.had != nil {
			w.asked = w.had.Asked
		}
		g.wants = append(g.wants, w)
	}
	for _, have := range w.sources {
		if have.Type == s.Type && have.Ref == s.Ref {
			return
		}
	}
	if s.Since == 0 {
		s.Since = g.q.now
		if w.had != nil {
			for _, was := range w.had.Sources {
				if was.Type == s.Type && was.Ref == s.Ref && was.Since > 0 {
					s.Since = was.Since
				}
			}
		}
	}
	w.sources = append(w.sources, s)
}

// standing lists what is, and of an inactive user what would be, assigned.
func (q *question) standing() []Assignment {
	if len(q.before.Kept) == 0 {
		return q.before.Licences
	}
	return slices.Concat(q.before.Licences, q.before.Kept)
}

// had finds what there was of a SKU; nil when there was nothing.
func (q *question) had(sku string) *Assignment {
	for _, list := range [][]Assignment{q.before.Licences, q.before.Kept} {
		for i := range list {
			if sameSKU(list[i].SKU, sku) {
				return &list[i]
			}
		}
	}
	return nil
}

// packageWriter is the type of the source behind the package of the document:
// its last writer (domain.md §5.8).
func (q *question) packageWriter() SourceType {
	if q.writer != "" {
		return q.writer
	}
	if had := q.had(q.wish.pack); had != nil {
		for _, s := range had.Sources {
			if s.Ref == packageRef {
				return s.Type
			}
		}
	}
	return SourceSCIM
}

// orgTemplate is the id of the organization's template, or "".
func (p *Plan) orgTemplate() string {
	if p.org == nil {
		return ""
	}
	return p.org.ID
}

// wantsCalling reports whether anything asks for a product with calling that the
// user could have. Who has something to call with keeps it while the organization
// is between two subscriptions.
func (q *question) wantsCalling() bool {
	for _, w := range q.gather() {
		if !w.callingProduct() || q.inactive && (!w.held() || q.plan.Settings.ReleaseSeatsOnInactive) {
			continue
		}
		if !w.product.Paid || q.before.Calling != nil || q.subscribed(w.sku) {
			return true
		}
	}
	return false
}
