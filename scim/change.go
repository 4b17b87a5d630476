package scim

import (
	"context"
	"net/http"

	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/patch"
)

// post answers POST to a collection (R-50…R-54).
func (c *call) post(ctx context.Context) error {
	v, err := c.view()
	if err != nil {
		return err
	}
	doc, err := c.document()
	if err != nil {
		return err
	}
	rec, err := c.create(ctx, c.caller, c.typ(), &doc)
	if err != nil {
		return err
	}
	return c.showNew(ctx, v, rec)
}

// showNew answers with a resource that was created.
func (c *call) showNew(ctx context.Context, v *view, rec *resources.Record) error {
	c.w.Header()["Location"] = []string{string(v.appendLocation(nil, rec))}
	return c.show(ctx, http.StatusCreated, v, rec)
}

// put answers PUT (R-82…R-87).
func (c *call) put(ctx context.Context) error {
	v, err := c.view()
	if err != nil {
		return err
	}
	doc, err := c.document()
	if err != nil {
		return err
	}
	rec, err := c.replace(ctx, c.caller, c.typ(), c.id, &doc, conditionsOf(c.r.Header))
	if err != nil {
		return err
	}
	return c.show(ctx, http.StatusOK, v, rec)
}

// patch answers PATCH (R-88…R-108).
func (c *call) patch(ctx context.Context) error {
	v, err := c.view()
	if err != nil {
		return err
	}
	body, err := c.document()
	if err != nil {
		return err
	}
	p, err := c.patches.Parse(c.typ(), &body, patch.Options{Profile: string(c.caller.Profile), Self: c.id})
	if err != nil {
		return err
	}
	rec, err := c.modify(ctx, c.caller, c.typ(), c.id, p, conditionsOf(c.r.Header))
	if err != nil {
		return err
	}
	if rec != nil {
		return c.show(ctx, http.StatusOK, v, rec)
	}
	return c.showGroup(ctx, v)
}

// showGroup answers a PATCH of a group: 200 with the group, or 204 for Entra
// (L-20) and when there are more members than one would want back (design §3),
// but always 200 when the client says which attributes it wants.
func (c *call) showGroup(ctx context.Context, v *view) error {
	if c.caller.Profile == resources.ProfileEntra && !v.only.named {
		c.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	rec, err := c.dir.Get(ctx, c.caller, resources.KindGroup, c.id)
	if err != nil {
		return err
	}
	if rec.Size > memberChunk && !v.only.noMembers && !v.only.named {
		c.w.Header()["Etag"] = []string{tagOf(rec)}
		c.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return c.show(ctx, http.StatusOK, v, rec)
}

// delete answers DELETE.
func (c *call) delete(ctx context.Context) error {
	if err := c.drain(); err != nil {
		return err
	}
	if err := c.remove(ctx, c.caller, c.typ(), c.id, conditionsOf(c.r.Header)); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
