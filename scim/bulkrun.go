package scim

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/schema"
)

// bulkHands is how many operations of one Bulk are in the store at once when
// their order does not matter. The two Bulks that an organization may have at
// once then do as much together as sixteen clients with single requests.
const bulkHands = 8

// run handles circles of operations in order, until too many have failed.
func (b *bulk) run(ctx context.Context, circles [][]*operation) {
	for len(circles) > 0 && (b.failing == 0 || b.errors < b.failing) {
		n := b.wave(circles)
		switch {
		case n > 1:
			b.together(ctx, circles[:n])
		case len(circles[0]) > 1 || slices.Contains(circles[0][0].needs, circles[0][0].at):
			b.circle(ctx, circles[0])
		default:
			b.one(ctx, circles[0][0])
		}
		for _, circle := range circles[:n] {
			for _, op := range circle {
				b.account(op)
			}
		}
		circles = circles[n:]
	}
}

// account counts what an operation has answered.
func (b *bulk) account(op *operation) {
	if op.status >= http.StatusBadRequest {
		b.errors++
	}
	b.size += len(op.body)
}

// wave counts how many of the next operations may be done at once: creations of
// users and groups, or deletions, that say nothing of each other and whose
// outcome cannot depend on their order.
func (b *bulk) wave(circles [][]*operation) int {
	if b.failing > 0 {
		return 1
	}
	taken := make(map[string]bool)
	for n, circle := range circles {
		op := circle[0]
		if op.method != circles[0][0].method || !op.alone() || !claim(taken, op) {
			return max(n, 1)
		}
	}
	return len(circles)
}

// alone reports whether an operation can be done beside others.
func (op *operation) alone() bool {
	if op.fault != nil || len(op.needs) > 0 || op.query != "" {
		return false
	}
	kind := op.route.typ.Kind
	switch op.method {
	case http.MethodPost: // what else declared attributes claim is not looked for
		return (kind == resources.KindUser || kind == resources.KindGroup) && !claimsMore(op.route.typ)
	case http.MethodDelete: // other deletions change versions: a user's groups, a group's members
		return op.version == ""
	}
	return false
}

// claimsMore reports whether extensions of a type have values that no two
// resources may share.
func claimsMore(t *schema.Type) bool {
	unique := func(a *schema.Attr) bool { return a.Unique }
	for _, x := range t.Extensions {
		for _, a := range x.Attrs {
			if a.Unique || slices.ContainsFunc(a.Subs, unique) {
				return true
			}
		}
	}
	return false
}

// claim notes the names an operation wants, or its id, and reports whether all
// were free.
func claim(taken map[string]bool, op *operation) bool {
	wants := []string{op.id}
	if op.method == http.MethodPost {
		wants = wants[:0]
		if op.route.typ.Kind == resources.KindGroup {
			wants = append(wants, string(resources.FoldText(op.data.GetString("displayName"))))
		} else {
			u := resources.UserOf(op.data)
			wants = append(wants, string(resources.FoldName(u.UserName)), string(resources.FoldText(u.Identity)), u.IdentityKey)
		}
	}
	if slices.ContainsFunc(wants, func(w string) bool { return taken[w] }) {
		return false
	}
	for _, w := range wants {
		taken[w] = w != ""
	}
	return true
}

// together handles operations at once.
func (b *bulk) together(ctx context.Context, circles [][]*operation) {
	var wg sync.WaitGroup
	next := make(chan *operation, len(circles))
	for _, circle := range circles {
		next <- circle[0]
	}
	close(next)
	for range min(bulkHands, len(circles)) {
		wg.Go(func() {
			for op := range next {
				b.one(ctx, op)
			}
		})
	}
	wg.Wait()
}

// one handles one operation.
func (b *bulk) one(ctx context.Context, op *operation) {
	act := op.act
	if b.journal != nil && b.journal.Done(op.at) && op.method == http.MethodPost {
		act = b.showing(op) // an earlier run has created it
	}
	b.do(ctx, op, act)
	if op.method == http.MethodDelete && op.status == http.StatusNotFound && op.fault == nil {
		gone, err := b.dir.Gone(ctx, b.caller, b.journal, op.at)
		if err != nil {
			b.log.WarnContext(ctx, "bulk not compared with other runs", "req", b.request, "err", err)
		}
		if gone {
			op.status, op.body = http.StatusNoContent, nil // another run has deleted it
		}
	}
}

// showing is the act that only reads what an operation has created.
func (b *bulk) showing(op *operation) *act {
	op.id = op.newID
	return &act{method: http.MethodPost, op: op.act.op, serve: func(c *call, ctx context.Context) error {
		v, err := c.view()
		if err != nil {
			return err
		}
		rec, err := c.read(ctx, c.caller, c.typ(), c.id)
		if err != nil {
			return err
		}
		return c.showNew(ctx, v, rec)
	}}
}

// circle handles creations that refer to each other: each is created without
// the members that do not exist yet, which are added afterwards. All other
// references are ids already. When one fails none of them remains: each would
// refer to something that does not exist.
func (b *bulk) circle(ctx context.Context, circle []*operation) {
	missing := make(map[string]bool)
	for _, op := range circle {
		missing[op.newID], op.circular = true, true
	}
	outside := b.outside(circle)
	later := make([][]string, len(circle))
	created := make([]bool, len(circle))
	for i, op := range circle {
		if op.fault == nil {
			op.fault = outside(op)
		}
		if op.fault == nil && op.route.typ.Kind == resources.KindGroup {
			later[i] = withhold(op.data, missing)
		}
		b.one(ctx, op)
		if created[i] = op.status < http.StatusBadRequest; !created[i] {
			b.undo(ctx, circle, created, op)
			return
		}
		delete(missing, op.newID)
	}
	for i, op := range circle {
		if len(later[i]) == 0 || b.journal.Done(op.at) { // an earlier run has linked it
			continue
		}
		if b.link(ctx, op, later[i]); op.status >= http.StatusBadRequest {
			b.undo(ctx, circle, created, op)
			return
		}
	}
}

// outside makes failedNeed for what the members of a circle need beyond it.
func (b *bulk) outside(circle []*operation) func(*operation) error {
	inside := make(map[int]bool, len(circle))
	for _, op := range circle {
		inside[op.at] = true
	}
	return func(op *operation) error {
		rest := operation{needs: slices.DeleteFunc(slices.Clone(op.needs), func(need int) bool { return inside[need] })}
		return b.failedNeed(&rest)
	}
}

// withhold takes the members that do not exist yet out of a group.
func withhold(group *jsontree.Value, missing map[string]bool) (ids []string) {
	members := group.Get("members")
	if members == nil || members.Kind != jsontree.Array {
		members = &jsontree.Value{} // one member alone is not how RFC 7643 writes it
	}
	taken := make(map[string]bool)
	members.Items = slices.DeleteFunc(slices.Clone(members.Items), func(m jsontree.Value) bool {
		id := m.GetString("value")
		if m.Kind == jsontree.String {
			id = m.Text
		}
		if missing[id] && !taken[id] {
			ids, taken[id] = append(ids, id), true
		}
		return missing[id]
	})
	return ids
}

// link adds the members that were withheld, and shows the group anew.
func (b *bulk) link(ctx context.Context, op *operation, ids []string) {
	b.do(ctx, op, &act{method: http.MethodPost, op: "modify", serve: func(c *call, ctx context.Context) error {
		if _, err := c.dir.EditMembers(ctx, c.caller, op.newID, resources.MemberEdit{Add: ids}); err != nil {
			return err
		}
		c.id = op.newID
		return b.showing(op).serve(c, ctx)
	}})
}

// undo removes what a circle has created, and says so for every operation of it
// but the one that failed. What an earlier run has created was answered as such
// and stays; so does everything when the end is open, because the store failed
// or the client went away, and another run may just be finishing it.
func (b *bulk) undo(ctx context.Context, circle []*operation, created []bool, failed *operation) {
	keep := failed.status >= http.StatusInternalServerError && b.shared(ctx)
	why := refused409("bulkId:" + clipped(failed.bulkID) + " could not be created, and the two refer to each other; see the operation with that bulkId.")
	for i, op := range circle {
		if created[i] && !keep && !b.journal.Done(op.at) {
			err := b.remove(context.WithoutCancel(ctx), b.caller, op.route.typ, op.newID, conditions{})
			if resources.HasCode(err, resources.CodeNotFound) {
				err = nil
			}
			if err = errors.Join(err, b.dir.Renew(b.journal, op.at, op.route.typ.Kind)); err != nil {
				b.log.ErrorContext(ctx, "bulk circle not undone", "req", b.request, "id", op.newID, "err", err)
			}
		}
		if op != failed {
			op.fault = why
			b.do(ctx, op, op.act)
		}
	}
}

// shared tells of other runs of this Bulk; when that cannot be known there may
// be some.
func (b *bulk) shared(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), bulkClosing)
	defer cancel()
	shared, err := b.dir.Shared(ctx, b.caller, b.journal)
	return shared || err != nil
}
