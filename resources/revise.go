package resources

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
)

// revision is what an act changes about a user: its document, what decides about
// its licences beside the document, or nothing, to have it settled again.
type revision struct {
	check func(*Record) error // may refuse after seeing the record (If-Match); nil is none
	edit  Edit                // of the document; nil: it stays

	direct  []string                     // SKUs to grant directly
	dropped []string                     // SKUs to take the source direct of
	picks   map[string]string            // subscriptions by folded SKU (BR-152)
	change  func(*Plan, *Standing) error // of what else decides: origin, OrgSKUs, roles, sign-ins
	// beside asks for what belongs to the same commit, once everything is decided.
	beside    func(tx Tx, p *Plan, id string, before, after *Standing) error
	temporary *bool    // whether the extension is a temporary one (BR-193)
	unseat    string   // a subscription that has no seat for the user any more
	again     bool     // the plan, groups, seats or numbers have changed
	keep      []string // SKUs that are direct from now on if the user has them
	admin     bool     // an administrator's act: what cannot be refuses it

	// quiet: of what becomes known nothing is shown unless it is asked for, and
	// version and time of the last change stay while the document as shown does.
	quiet bool

	dry bool // nothing is committed, the end is errDry
	saw func(before, after *Standing, changed bool)

	lease *Lease // of the worker that does this
	item  *DueItem
	read  *Record // the user as somebody read it before, nil if nobody did; a run that it fails reads again
}

// decides reports whether the act has licences decided, whatever it does to the
// document.
func (r *revision) decides() bool {
	return r.again || r.unseat != "" || r.change != nil || r.beside != nil || r.temporary != nil || len(r.direct)+len(r.dropped)+len(r.picks)+len(r.keep) > 0
}

// revise is the one way to change a user. It tells what readers see now and
// whether anything was written.
func (d *Directory) revise(ctx context.Context, c Caller, id string, r revision) (*Record, bool, error) {
	if k, ok := KindOf(id); !ok || k != KindUser {
		return nil, false, notFound(KindUser)
	}
	known := d.knowledge(c, &r)
	var rec *Record
	var after User
	changed := false
	err := d.untilLearned(ctx, c.Org, known, func() error {
		cat, err := d.catalogue(ctx)
		if err != nil {
			return err
		}
		run := 0
		_, err = d.store.Update(ctx, c.Org, func(ctx context.Context, tx Tx) (err error) {
			run++
			rules := rules{caller: c, catalogue: cat, known: known}
			if rules.plan, err = d.planIn(ctx, tx, c.Org, run); err != nil {
				return err
			}
			if r.lease != nil {
				tx.Fence(*r.lease)
			}
			if r.item != nil {
				tx.Undue(*r.item)
			}
			if rec, changed, err = d.reviseIn(ctx, tx, rules, id, &r, &after); err == nil && r.dry {
				err = errDry
			}
			return err
		})
		return err
	})
	if err != nil {
		return nil, false, userRefused(err, c, &after)
	}
	return rec, changed, nil
}

// reviseIn asks for the commit of a revision. A user that a worker does not find
// any more is no fault.
func (d *Directory) reviseIn(ctx context.Context, tx Tx, rules rules, id string, r *revision, after *User) (*Record, bool, error) {
	cur, err := r.current(tx, id)
	if err != nil {
		return nil, false, err
	}
	if cur == nil {
		if r.lease != nil {
			return nil, false, nil
		}
		return nil, false, notFound(KindUser)
	}
	if r.check != nil {
		if err := r.check(cur); err != nil {
			return nil, false, err
		}
	}
	doc, next, err := editDocument(cur, r.edit)
	if err != nil {
		return nil, false, err
	}
	same := jsontree.Equal(&doc, &next)
	if same && !r.decides() {
		return cur, false, nil
	}
	before := userIn(cur, &doc)
	ch := change{id: id, before: &before, after: after, docBefore: &doc, docAfter: &next, how: r}
	if same { // also when the caller knows of fewer declared attributes: nothing is taken away
		*after = before
	} else if *after, err = rules.caller.userOf(cur, &next); err != nil {
		return nil, false, err
	}
	rec, err := d.writeUser(ctx, tx, rules, cur, ch, same)
	if err == nil && r.saw != nil {
		r.saw(&before.standing, &after.standing, rec != cur)
	}
	return rec, rec != nil && rec != cur, err
}

// current is the user that a run begins with.
func (r *revision) current(tx Tx, id string) (*Record, error) {
	if rec := r.read; rec != nil {
		r.read = nil
		tx.Seen(KindUser, id, rec)
		return rec, nil
	}
	return tx.Read(KindUser, id)
}

// writeUser asks for the commit of a changed user. With same the document is what
// it was, and nothing is written when all that is decided is, too.
func (d *Directory) writeUser(ctx context.Context, tx Tx, rules rules, cur *Record, ch change, same bool) (*Record, error) {
	before, after := ch.before, ch.after
	if before.UserName != after.UserName || before.Identity != after.Identity {
		if err := rules.caller.Policy.check(after); err != nil {
			return nil, err
		}
	}
	c := &rules.caller
	if err := errors.Join(after.check(), c.checkAddresses(before, after), c.checkReach(before, after), c.checkOwner(before, ch.docBefore, ch.docAfter)); err != nil {
		return nil, err
	}
	ch.now = d.now().UnixMilli()
	rec := *cur
	rec.Version, rec.Modified, rec.Display = cur.Version+1, max(ch.now, cur.Modified), after.display()
	ch.rec = &rec
	notes := events{Tx: tx}
	if err := d.settle(ctx, &notes, rules, ch); err != nil {
		return nil, err
	}
	settled := len(notes.list)
	if ch.how != nil && ch.how.beside != nil {
		if err := ch.how.beside(&notes, rules.plan, cur.ID, &before.standing, &after.standing); err != nil {
			return nil, err
		}
	}
	if same && bytes.Equal(rec.Standing, cur.Standing) && bytes.Equal(rec.Profile, cur.Profile) {
		notes.list = notes.list[settled:]
		notes.pass() // what happened beside the user did happen
		return cur, nil
	}
	if err := checkSize(cur, &rec); err != nil {
		return nil, err
	}
	if same && ch.how != nil && ch.how.quiet && bytes.Equal(rec.Profile, cur.Profile) {
		rec.Version, rec.Modified = cur.Version, cur.Modified
		notes.tell(rec.Version)
	}
	notes.pass()
	tx.Put(cur, &rec, before.entries(cur.ID, cur.Modified), after.entries(cur.ID, rec.Modified))
	return &rec, nil
}

// events holds events back until it is known that there is something to tell.
type events struct {
	Tx
	list []Event
}

// Event notes an event.
func (e *events) Event(ev Event) { e.list = append(e.list, ev) }

// tell makes what was noted tell a version: no event tells one that never was (V8).
func (e *events) tell(version uint64) {
	for i := range e.list {
		if e.list[i].Version > 0 {
			e.list[i].Version = version
		}
	}
}

// pass appends what was noted.
func (e *events) pass() {
	for _, ev := range e.list {
		e.Tx.Event(ev)
	}
}

// knowledge is what an act begins with: what this node saw last. Who has to
// refuse what cannot be granted looks for itself.
func (d *Directory) knowledge(c Caller, r *revision) *knowledge {
	k := &knowledge{}
	if c.strictness() == lenient && (r == nil || !r.admin) {
		k.full = d.full.seed(c.Org)
	}
	if r != nil && r.unseat != "" {
		k.lost = map[string]bool{seatPool(r.unseat): true}
	}
	return k
}

// untilLearned repeats an act that is refused for reasons to learn from.
func (d *Directory) untilLearned(ctx context.Context, org OrgID, k *knowledge, act func() error) error {
	for {
		err := d.byWhatIs(ctx, org, act)
		if err == nil || !k.learn(err) {
			d.full.note(org, k)
			return err
		}
	}
}

// seatRefused turns refusals of pools into the errors of the rules behind them;
// nil when it is about something else.
func seatRefused(r *Refusal) error {
	switch {
	case r.Reason == RefusedFew && r.Pool == adminPool:
		return &Error{Code: CodeLastAdmin, Detail: "The last active full administrator of the organization cannot be removed or deactivated; give somebody else the role first."}
	case r.Reason == RefusedName && r.Index == UserKey && strings.HasPrefix(r.Value, extensionKeys):
		return &Error{Code: CodeExtensionInUse, Field: CallingURN + ":extension", Detail: "The extension is already used at the location, by the user with id " + r.Holder + "; choose another."}
	case r.Reason == RefusedFull || r.Reason == RefusedNotFull:
		return fmt.Errorf("seats change too quickly: %w: %w", ErrUnavailable, errors.New(r.Error()))
	}
	return nil
}
