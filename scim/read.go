package scim

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/usher-scim/usher/resources"
)

// get answers GET and HEAD of one resource.
func (c *call) get(ctx context.Context) error {
	v, err := c.view()
	if err != nil {
		return err
	}
	rec, err := c.read(ctx, c.caller, c.typ(), c.id)
	if err != nil {
		return err
	}
	return c.showIfNew(ctx, v, rec)
}

// showIfNew answers with one resource, unless the client has this version or
// wants another one.
func (c *call) showIfNew(ctx context.Context, v *view, rec *resources.Record) error {
	tag := tagOf(rec)
	if p := conditionsOf(c.r.Header); p.any() {
		if len(p.match) > 0 && !matches(p.match, tag) {
			return p.allow(rec)
		}
		if p.unchanged(tag) {
			c.w.Header()["Etag"] = []string{tag}
			c.w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	return c.show(ctx, http.StatusOK, v, rec)
}

// show answers with one resource. The record was read before the
// members: should they change in between, the version shown is the older one,
// which makes a later If-Match fail rather than overwrite.
func (c *call) show(ctx context.Context, status int, v *view, rec *resources.Record) error {
	c.w.Header()["Etag"] = []string{tagOf(rec)}
	if c.head() || c.part && (c.quiet || rec.Size > memberChunk) {
		c.contentType()
		c.w.WriteHeader(status)
		return nil
	}
	o := c.newStream(status)
	if err := o.resource(ctx, v, rec); err != nil {
		return err
	}
	o.end()
	return nil
}

// list answers GET and HEAD of a collection.
func (c *call) list(ctx context.Context) error {
	p, err := c.params()
	if err != nil {
		return err
	}
	only, err := c.projection(c.typ(), &p)
	if err != nil {
		return err
	}
	q, start, err := c.query(c.typ(), &c.caller, &p, &only)
	if err != nil {
		return err
	}
	var walk *cursor
	if p.cursor.has {
		if walk, err = c.cursor(ctx, c.typ().Name, &p); err != nil {
			return err
		}
		walk.turn(&q)
	}
	q.Explain = c.log.Enabled(ctx, slog.LevelDebug)
	room, ok := c.rooms.Get().(*[]byte)
	if !ok {
		room = new([]byte)
	}
	defer c.rooms.Put(room) // the records are shown by then
	q.Room = room
	page, err := c.dir.Find(ctx, c.caller, q)
	if err != nil {
		return err
	}
	c.plan = page.Plan
	v := &view{base: c.base(), caller: &c.caller, typ: c.typ(), only: only}
	head := func(dst []byte) []byte {
		if walk != nil {
			return walk.appendHead(dst, &page)
		}
		return appendListHead(dst, page.Total, start, len(page.Records))
	}
	return c.showList(ctx, len(page.Records), head, func(i int) (*view, *resources.Record) { return v, page.Records[i] })
}

// showList answers with n resources; head opens the ListResponse, at gives each
// resource and how it is shown.
func (c *call) showList(ctx context.Context, n int, head func([]byte) []byte, at func(int) (*view, *resources.Record)) error {
	if c.head() {
		c.contentType()
		c.w.WriteHeader(http.StatusOK)
		return nil
	}
	o := c.newStream(http.StatusOK)
	o.buf = head(o.buf)
	for i := range n {
		if i > 0 {
			o.buf = append(o.buf, ',')
		}
		v, rec := at(i)
		if err := o.resource(ctx, v, rec); err != nil {
			return err
		}
	}
	o.buf = append(o.buf, ']', '}')
	o.end()
	return nil
}
