package scim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
)

const refPrefix = "bulkId:"

// isRef takes the name out of a text that is a reference and nothing else.
func isRef(text string) (name string, ok bool) {
	if len(text) <= len(refPrefix) || !jsontree.EqualName(text[:len(refPrefix)], refPrefix) {
		return "", false
	}
	return text[len(refPrefix):], true
}

// references turns what one operation says of others into ids, and notes of
// whom it speaks.
type references struct {
	op     *operation
	ops    []operation
	byName map[string]int // POSTs by their bulkId
}

// refer resolves the references of every operation.
func (b *bulk) refer() {
	r := references{ops: b.ops, byName: make(map[string]int)}
	for i := range b.ops {
		if op := &b.ops[i]; op.method == http.MethodPost && op.bulkID != "" {
			if _, taken := r.byName[op.bulkID]; !taken {
				r.byName[op.bulkID] = i
			}
		}
	}
	for i := range b.ops {
		op := &b.ops[i]
		if op.fault != nil {
			continue
		}
		r.op = op
		if name, ok := isRef(op.id); ok {
			op.id = r.resolve(name)
		}
		switch {
		case op.data == nil:
		case op.method == http.MethodPatch:
			r.message(op.data)
		default:
			r.value(op.data)
		}
		if op.fault == nil && op.route.foreign(op.id) {
			op.fault = notHere(op.route.typ.Name)
		}
	}
}

// resolve gives the id behind a name. A name that nobody has is a fault of the
// operation, as is the name of an operation that cannot be done.
func (r *references) resolve(name string) string {
	i, ok := r.byName[name]
	if !ok {
		r.op.fault = refused409("bulkId:" + clipped(name) + " is not the bulkId of any POST in this Bulk; send the operation that creates it along, or refer by id.")
		return ""
	}
	if !slices.Contains(r.op.needs, i) {
		r.op.needs = append(r.op.needs, i)
	}
	return r.ops[i].newID
}

// value resolves references anywhere in a resource, or in the value of a PATCH
// operation: texts that are one, and $refs that end with one.
func (r *references) value(v *jsontree.Value) {
	if v.Kind == jsontree.String {
		if name, ok := isRef(v.Text); ok {
			v.Text = r.resolve(name)
		} else if jsontree.EqualName(v.Name, "$ref") {
			at := strings.LastIndexByte(v.Text, '/')
			if name, ok := isRef(v.Text[at+1:]); ok {
				v.Text = v.Text[:at+1] + r.resolve(name)
			}
		}
		return
	}
	for i := range v.Items {
		r.value(&v.Items[i])
	}
}

// message resolves references in a PATCH: in values, and in the filters of
// paths.
func (r *references) message(doc *jsontree.Value) {
	list := doc.Get("Operations")
	if list == nil {
		return // the PATCH is refused for it
	}
	for i := range list.Items {
		op := &list.Items[i]
		if path := op.Get("path"); path != nil && path.Kind == jsontree.String {
			path.Text = r.filter(path.Text)
		}
		if value := op.Get("value"); value != nil {
			r.value(value)
		}
	}
}

// filter resolves references that stand alone between double quotes.
func (r *references) filter(text string) string {
	var out strings.Builder
	for {
		open := strings.IndexByte(text, '"')
		if open < 0 {
			break
		}
		length := strings.IndexByte(text[open+1:], '"')
		if length < 0 {
			break
		}
		inner := text[open+1 : open+1+length]
		if name, ok := isRef(inner); ok {
			inner = r.resolve(name)
		}
		out.WriteString(text[:open+1])
		out.WriteString(inner)
		out.WriteByte('"')
		text = text[open+length+2:]
	}
	out.WriteString(text)
	return out.String()
}

// refused409 is the answer to an operation that refers to what will not be.
func refused409(detail string) error {
	return problem{status: http.StatusConflict, scimType: "invalidValue", code: "bulk_reference", detail: detail}
}

func clipped(name string) string {
	const most = 60
	if len(name) <= most {
		return name
	}
	return strings.ToValidUTF8(name[:most], "") + "…"
}

// failedNeed names the first operation that op refers to and that has failed.
func (b *bulk) failedNeed(op *operation) error {
	for _, i := range op.needs {
		if n := &b.ops[i]; n.status == 0 || n.status >= http.StatusBadRequest {
			return refused409(fmt.Sprintf("bulkId:%s could not be created, so nothing can refer to it; see the operation with this bulkId.", clipped(n.bulkID)))
		}
	}
	return nil
}
