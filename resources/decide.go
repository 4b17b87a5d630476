package resources

import (
	"cmp"
	"slices"
	"time"
)

// question is everything that decides who has which licence. The answer depends
// on nothing else.
type question struct {
	catalogue *Catalogue
	plan      *Plan
	known     *knowledge
	now       int64 // milliseconds since 1970
	inactive  bool
	before    *Standing  // the zero standing at creation
	wish      wishes     // of the document
	writer    SourceType // who writes the package in this act; "" when nobody does
	direct    []string   // SKUs granted in this act, see Standing.Licences for the others
	dropped   []string   // SKUs whose direct source this act takes
	picks     map[string]string
	groups    []string // templated groups that the user is in, by id
	holds     []*Hold  // open holds that count for the user (BR-165)
	calling   callingAnswer
}

// callingAnswer is what is known about calling when licences are decided: why
// calling products cannot be held, or "".
type callingAnswer struct {
	issue     Code
	attribute string
	detail    string
}

// verdict is the answer to a question.
type verdict struct {
	licences []Assignment // in the order of SKUs
	kept     []Assignment // of inactive users: what they would ask for
	issues   []Issue
	faults   []fault // why each failed assignment failed
	pack     string  // SKU of the package that is held
	calling  bool    // a calling product is held
}

// fault is a sentence about a failed assignment.
type fault struct{ sku, detail string }

// want is one product that something asks for.
type want struct {
	sku     string   // as the catalogue spells it
	product *Product // nil when the catalogue does not have it
	sources []Source
	asked   int64
	order   int         // among those asked for at once
	had     *Assignment // until now, or nil
	seat    string      // id of the subscription it takes or keeps a seat of
	issue   Code
	detail  string
}

// holds reports whether the user has it now.
func (w *want) held() bool { return w.had != nil && w.had.Status == Assigned }

func (w *want) callingProduct() bool {
	return w.product != nil && slices.Contains(w.product.Capabilities, CapabilityCalling)
}

// fallback reports whether only the organization's template asks for it.
func (w *want) fallback() bool { return w.sources[0].Type == SourceOrgTemplate }

// decide answers a question (BR-150 … BR-154, BR-160 … BR-167, BR-176).
func decide(q *question) verdict {
	wants := q.gather()
	var v verdict
	live := make([]*want, 0, len(wants))
	for _, w := range wants {
		switch {
		case q.inactive && (!w.held() || q.plan.Settings.ReleaseSeatsOnInactive):
			v.kept = append(v.kept, w.assignment(q.now, Failed))
		case q.static(w):
			live = append(live, w)
		}
	}
	q.resolve(live)
	for _, w := range wants {
		if slices.ContainsFunc(v.kept, func(a Assignment) bool { return a.SKU == w.sku }) {
			continue
		}
		if q.inactive && w.issue != "" { // no seat any more, and none before the user is active
			v.kept = append(v.kept, w.assignment(q.now, Failed))
			continue
		}
		v.add(q, w)
	}
	q.stray(&v)
	return v
}

// add puts a decided product into the verdict.
func (v *verdict) add(q *question, w *want) {
	if w.issue != "" {
		v.licences = append(v.licences, w.assignment(q.now, Failed))
		v.faults = append(v.faults, fault{w.sku, w.detail})
		attribute := "licenses"
		if w.sources[0].Ref == packageRef {
			attribute = "package"
		}
		if w.issue == q.calling.issue && q.calling.attribute != "" {
			return // told by calling itself
		}
		v.issues = append(v.issues, Issue{Code: w.issue, Attribute: attribute, Detail: w.detail, Since: q.now})
		return
	}
	v.licences = append(v.licences, w.assignment(q.now, Assigned))
	if w.product.Package {
		v.pack = w.sku
	}
	v.calling = v.calling || w.callingProduct()
}

// assignment is what becomes of a want.
func (w *want) assignment(now int64, status AssignmentStatus) Assignment {
	a := Assignment{SKU: w.sku, Status: status, Subscription: w.seat, Asked: w.asked, Since: now, Sources: w.sources, Issue: w.issue}
	if status == Failed {
		a.Subscription = ""
	}
	if w.had != nil && w.had.Status == status && w.had.Issue == a.Issue && w.had.Since > 0 {
		a.Since = w.had.Since
	}
	return a
}

// static decides what does not depend on other products, and reports whether
// anything is left to decide.
func (q *question) static(w *want) bool {
	switch {
	case w.product == nil:
		w.fail(CodeSKUUnknown, "The product "+quoted(w.sku)+" is not in the catalogue any more; ask for another.")
	case w.product.Paid && !q.subscribed(w.sku):
		w.fail(CodeNotSubscribed, "Your organization has no running subscription to "+w.sku+"; subscribe, or choose another.")
	case w.callingProduct() && q.calling.issue != "":
		w.fail(q.calling.issue, q.calling.detail)
	}
	return w.issue == ""
}

func (w *want) fail(code Code, detail string) { w.issue, w.detail, w.seat = code, detail, "" }

// resolve decides products as a set (BR-153): who came first stays, who lacks a
// prerequisite or a seat counts for no other.
func (q *question) resolve(live []*want) {
	slices.SortStableFunc(live, func(a, b *want) int {
		return cmp.Or(compareBool(a.fallback(), b.fallback()), cmp.Compare(a.asked, b.asked), cmp.Compare(a.order, b.order))
	})
	lacking := q.hopeless(live)
	for {
		var accepted []*want
		for _, w := range live {
			w.issue, w.detail, w.seat = "", "", ""
			if lacking[w] {
				continue
			}
			if rival := conflicting(w, accepted); rival != nil {
				w.fail(CodeLicenceConflict, conflictDetail(w, rival))
			} else if q.seat(w) {
				accepted = append(accepted, w)
			}
		}
		at := slices.IndexFunc(accepted, func(w *want) bool { return !fulfilled(w, accepted) })
		if at < 0 {
			for _, w := range live {
				if !lacking[w] && w.issue != CodeLicenceConflict && !fulfilled(w, accepted) {
					lacking[w] = true
				}
			}
			break
		}
		lacking[accepted[at]] = true // one at a time: others may find what they need without it
	}
	for w := range lacking {
		w.fail(CodePrerequisite, prerequisiteDetail(w))
	}
}

// hopeless finds the products that need one which nothing asks for, which has no
// seat, or which is hopeless itself. They keep nobody away.
func (q *question) hopeless(live []*want) map[*want]bool {
	out := make(map[*want]bool)
	for again := true; again; {
		again = false
		for _, w := range live {
			if len(w.product.Requires) > 0 && !out[w] && !slices.ContainsFunc(live, func(o *want) bool {
				return o != w && !out[o] && containsSKU(w.product.Requires, o.sku) && q.seat(o)
			}) {
				out[w], again = true, true
			}
		}
	}
	return out
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// conflicting finds the product that keeps another from being held: excluded by
// one of the two, or a package beside it (BR-153, BR-176).
func conflicting(w *want, accepted []*want) *want {
	for _, a := range accepted {
		if w.product.Package && a.product.Package || containsSKU(w.product.Exclusive, a.sku) || containsSKU(a.product.Exclusive, w.sku) {
			return a
		}
	}
	return nil
}

// fulfilled reports whether one of a product's prerequisites is held beside it.
func fulfilled(w *want, accepted []*want) bool {
	return len(w.product.Requires) == 0 || slices.ContainsFunc(accepted, func(a *want) bool {
		return a != w && containsSKU(w.product.Requires, a.sku)
	})
}

// seat chooses the subscription to take a seat of: the one that was picked, or
// is held, else of those with free units the one that ends last (BR-152). It
// reports false when there is none (BR-164).
func (q *question) seat(w *want) bool {
	if !w.product.Paid {
		return true
	}
	subs := q.subscriptions(w.sku)
	pick := q.picks[FoldSKU(w.sku)]
	for _, s := range subs { // whoever has a seat keeps it, unless another was picked
		if s.ID == pick && !q.known.full[s.pool().Name] || pick == "" && w.held() && w.had.Subscription == s.ID && !q.known.lost[s.pool().Name] {
			w.seat = s.ID
			return true
		}
	}
	for _, s := range subs {
		if name := s.pool().Name; pick == "" && !q.known.full[name] && !q.known.lost[name] {
			w.seat = s.ID
			return true
		}
	}
	w.fail(CodeNoSeats, "No free licence for "+w.sku+"; it is given as soon as one frees.")
	return false
}

// subscriptions lists what seats of a SKU can be of now, the one that ends last
// first; of those that end alike the one that began first.
func (q *question) subscriptions(sku string) []*Subscription {
	var out []*Subscription
	at := time.UnixMilli(q.now)
	for i := range q.plan.Subscriptions {
		if s := &q.plan.Subscriptions[i]; sameSKU(s.SKU, sku) && s.ActiveAt(at) {
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b *Subscription) int {
		return cmp.Or(compareBool(!a.Ends.IsZero(), !b.Ends.IsZero()), b.Ends.Compare(a.Ends), a.Starts.Compare(b.Starts), cmp.Compare(a.ID, b.ID))
	})
	return out
}

func (q *question) subscribed(sku string) bool { return len(q.subscriptions(sku)) > 0 }

// stray notes entitlements that name nothing.
func (q *question) stray(v *verdict) {
	for _, e := range q.wish.entitled {
		if q.catalogue.Product(e) == nil {
			v.issues = append(v.issues, Issue{Code: CodeSKUUnknown, Attribute: "entitlements", Detail: "There is no licence " + quoted(e) + "; correct or remove the entitlement.", Since: q.now})
		}
	}
}
