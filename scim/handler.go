package scim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/elimity-com/scim"
	scimerrors "github.com/elimity-com/scim/errors"
	"github.com/elimity-com/scim/optional"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/patch"
	"github.com/usher-scim/usher/scim/schema"
)

// handler is elimity's contract for one resource type. It does the same work
// as the door, by the same methods; what it cannot say (Location, 304, 204 for
// large groups) only the door does.
type handler struct {
	server *Server
	typ    *schema.Type
}

var _ scim.ResourceHandler = (*handler)(nil)

// caller authenticates the request: nobody gets a Caller any other way.
func (h *handler) caller(r *http.Request) (resources.Caller, error) {
	c, err := h.server.authenticate(r.Context(), r)
	c.Request = requestID(r.Header)
	return c, err
}

// begin is caller, and the handler with the type as the caller's organization
// has it.
func (h *handler) begin(r *http.Request) (resources.Caller, *handler, error) {
	c, err := h.caller(r)
	if err != nil {
		return c, h, err
	}
	w, err := h.server.worldOf(c)
	if err != nil {
		return c, h, err
	}
	t := w.registry.Type(h.typ.Name)
	if t == nil { // a type that another organization declared
		return c, h, notHere("")
	}
	return c, &handler{server: h.server, typ: t}, nil
}

// refuse turns an error into the library's form.
func refuse(err error) error {
	if err == nil {
		return nil
	}
	p := problemOf(err)
	return scimerrors.ScimError{ScimType: scimerrors.ScimType(p.scimType), Detail: p.Error(), Status: p.status}
}

// Create implements scim.ResourceHandler.
func (h *handler) Create(r *http.Request, attributes scim.ResourceAttributes) (scim.Resource, error) {
	c, h, err := h.begin(r)
	if err != nil {
		return scim.Resource{}, refuse(err)
	}
	doc, err := h.document(attributes)
	if err != nil {
		return scim.Resource{}, refuse(err)
	}
	rec, err := h.server.create(r.Context(), c, h.typ, &doc)
	return h.result(r, c, rec, err)
}

// Get implements scim.ResourceHandler.
func (h *handler) Get(r *http.Request, id string) (scim.Resource, error) {
	c, h, err := h.begin(r)
	if err != nil {
		return scim.Resource{}, refuse(err)
	}
	rec, err := h.server.read(r.Context(), c, h.typ, id)
	return h.result(r, c, rec, err)
}

// GetAll implements scim.ResourceHandler. The filter is read from the request
// where it has one: the library's tree does not decode literals.
func (h *handler) GetAll(r *http.Request, list scim.ListRequestParams) (scim.Page, error) {
	c, h, err := h.begin(r)
	if err != nil {
		return scim.Page{}, refuse(err)
	}
	given, err := parseParams(r.URL.RawQuery)
	if err != nil {
		return scim.Page{}, refuse(err)
	}
	p := params{
		filter:     given.filter,
		startIndex: param{text: itoa(list.StartIndex), has: true},
		count:      param{text: itoa(list.Count), has: true},
	}
	if list.FilterValidator != nil && !p.filter.has {
		p.filter = param{text: fmt.Sprint(list.FilterValidator.GetFilter()), has: true}
	}
	q, _, err := h.server.query(h.typ, &c, &p, &projection{})
	if err != nil {
		return scim.Page{}, refuse(err)
	}
	found, err := h.server.dir.Find(r.Context(), c, q)
	if err != nil {
		return scim.Page{}, refuse(err)
	}
	page := scim.Page{TotalResults: found.Total, Resources: make([]scim.Resource, 0, len(found.Records))}
	for _, rec := range found.Records {
		res, err := h.result(r, c, rec, nil)
		if err != nil {
			return scim.Page{}, err
		}
		page.Resources = append(page.Resources, res)
	}
	return page, nil
}

// Replace implements scim.ResourceHandler.
func (h *handler) Replace(r *http.Request, id string, attributes scim.ResourceAttributes) (scim.Resource, error) {
	c, h, err := h.begin(r)
	if err != nil {
		return scim.Resource{}, refuse(err)
	}
	doc, err := h.document(attributes)
	if err != nil {
		return scim.Resource{}, refuse(err)
	}
	rec, err := h.server.replace(r.Context(), c, h.typ, id, &doc, conditionsOf(r.Header))
	return h.result(r, c, rec, err)
}

// Delete implements scim.ResourceHandler.
func (h *handler) Delete(r *http.Request, id string) error {
	c, h, err := h.begin(r)
	if err != nil {
		return refuse(err)
	}
	return refuse(h.server.remove(r.Context(), c, h.typ, id, conditionsOf(r.Header)))
}

// Patch implements scim.ResourceHandler.
func (h *handler) Patch(r *http.Request, id string, operations []scim.PatchOperation) (scim.Resource, error) {
	c, h, err := h.begin(r)
	if err != nil {
		return scim.Resource{}, refuse(err)
	}
	body, err := message(operations)
	if err != nil {
		return scim.Resource{}, refuse(err)
	}
	p, err := h.server.patches.Parse(h.typ, &body, patch.Options{Profile: string(c.Profile), Self: id})
	if err != nil {
		return scim.Resource{}, refuse(err)
	}
	rec, err := h.server.modify(r.Context(), c, h.typ, id, p, conditionsOf(r.Header))
	if err == nil && rec == nil {
		rec, err = h.server.read(r.Context(), c, h.typ, id)
	}
	return h.result(r, c, rec, err)
}

// message writes the library's operations as the body they came from.
func message(operations []scim.PatchOperation) (jsontree.Value, error) {
	ops := jsontree.Value{Kind: jsontree.Array}
	for _, o := range operations {
		op := jsontree.Obj(jsontree.Str(o.Op).As("op"))
		if o.Path != nil {
			op.Set("path", jsontree.Str(o.Path.String()))
		}
		if o.Value != nil {
			v, err := tree(o.Value)
			if err != nil {
				return v, err
			}
			op.Set("value", v)
		}
		ops.Items = append(ops.Items, op)
	}
	return jsontree.Obj(jsontree.Arr(jsontree.Str(patch.MessageURN)).As("schemas"), ops.As("Operations")), nil
}

// document writes the library's attributes as a resource; it leaves schemas
// out, which ours must name.
func (h *handler) document(attributes scim.ResourceAttributes) (jsontree.Value, error) {
	doc, err := tree(map[string]any(attributes))
	if err != nil {
		return doc, err
	}
	if doc.Get("schemas").Empty() {
		doc.Set("schemas", jsontree.Arr(jsontree.Str(h.typ.Core.URN)))
	}
	return doc, nil
}

func tree(v any) (jsontree.Value, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return jsontree.Value{}, fmt.Errorf("encode attributes: %w", err)
	}
	return jsontree.Parse(raw, jsontree.BodyLimits())
}

// result shows a record in the library's form, members included.
func (h *handler) result(r *http.Request, c resources.Caller, rec *resources.Record, err error) (scim.Resource, error) {
	if err != nil {
		return scim.Resource{}, refuse(err)
	}
	v := view{base: h.server.baseOf(c), caller: &c, typ: h.typ, only: projection{noMeta: true}}
	raw, err := v.appendOpen(nil, rec)
	if err != nil {
		return scim.Resource{}, refuse(err)
	}
	if rec.Kind == resources.KindGroup {
		if raw, err = h.server.appendMembers(r.Context(), c, &v, raw, rec.ID); err != nil {
			return scim.Resource{}, refuse(err)
		}
	}
	dec := json.NewDecoder(strings.NewReader(string(append(raw, '}'))))
	dec.UseNumber()
	var attributes scim.ResourceAttributes
	if err := dec.Decode(&attributes); err != nil {
		return scim.Resource{}, refuse(fmt.Errorf("decode %s: %w", rec.ID, err))
	}
	out := scim.Resource{ID: rec.ID, Attributes: attributes, Meta: scim.Meta{Version: tagOf(rec)}}
	out.Meta.Created, out.Meta.LastModified = new(rec.CreatedAt()), new(rec.LastModified())
	if x, ok := attributes["externalId"].(string); ok {
		out.ExternalID = optional.NewString(x)
		delete(attributes, "externalId")
	}
	delete(attributes, "id")
	delete(attributes, "schemas")
	return out, nil
}
