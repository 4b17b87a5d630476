package scim

import (
	"context"
	"slices"

	scimerrors "github.com/elimity-com/scim/errors"

	"github.com/usher-scim/usher/resources"
)

// walkAll answers one page of a walk over all types (RFC 9865): one type after
// the other, each in order of creation. It goes forward only.
func (c *call) walkAll(ctx context.Context, p *params) error {
	if p.sortBy.text != "" {
		return invalid(scimerrors.ScimTypeInvalidValue, "sortBy: a walk over all types by cursor has no order of its own; leave out sortBy, or ask one type.")
	}
	walk, err := c.cursor(ctx, "", p)
	if err != nil {
		return err
	}
	shares, err := c.shares(p)
	if err != nil {
		return err
	}
	from := 0
	if walk.place.typ != "" {
		from = slices.IndexFunc(shares, func(sh *share) bool { return sh.view.typ.Name == walk.place.typ })
		if from < 0 { // the type has been removed since
			return invalid(scimTypeInvalidCursor, "The cursor stands in a resource type that is not there any more; begin again with an empty cursor.")
		}
	}
	list, total, next, err := c.stretch(ctx, shares[from:], walk)
	if err != nil {
		return err
	}
	return c.showAll(ctx, list, func(dst []byte) []byte {
		return walk.appendListHead(dst, total, len(list), next, nil)
	})
}

// stretch collects a page from the place of the walk on; next is where the one
// after it begins, nil when there is none. The total is known only when nothing
// but it is wanted.
func (c *call) stretch(ctx context.Context, shares []*share, walk *cursor) (list []found, total int, next *cursorPlace, err error) {
	if walk.count == 0 {
		_, total, err = c.inTurn(ctx, shares, 0, 0)
		return nil, total, nil, err
	}
	after := walk.place.after
	err = c.each(ctx, shares, func(sh *share) bool {
		// When the page is full, one resource tells where the walk goes on.
		sh.q.Keyset, sh.q.After, sh.q.Limit = true, after, max(walk.count-len(list), 1)
		after = ""
		return next == nil
	}, func(sh *share, page *resources.Page) {
		switch {
		case len(page.Records) == 0 && page.Next == "":
		case len(list) == walk.count: // full: this type is where it goes on
			next = &cursorPlace{typ: sh.view.typ.Name}
		default:
			for _, rec := range page.Records {
				list = append(list, found{from: sh, rec: rec})
			}
			if page.Next != "" {
				next = &cursorPlace{typ: sh.view.typ.Name, after: page.Next}
			}
		}
	})
	return list, -1, next, err
}

// showAll answers with resources of several types.
func (c *call) showAll(ctx context.Context, list []found, head func([]byte) []byte) error {
	return c.showList(ctx, len(list), head, func(i int) (*view, *resources.Record) { return &list[i].from.view, list[i].rec })
}
