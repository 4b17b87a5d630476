package scim

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	scimerrors "github.com/elimity-com/scim/errors"

	"github.com/usher-scim/usher/internal/jsontree"
)

// operation is one operation of a Bulk: first what was asked, then what became
// of it.
type operation struct {
	at      int // place in the request
	method  string
	bulkID  string
	hasID   bool   // a bulkId was sent
	version string // If-Match
	path    string
	data    *jsontree.Value
	fault   error // why it cannot be done, known before it is tried

	route *route
	act   *act
	id    string // of the resource it is about; "" for POST
	query string
	newID string // what a POST creates
	needs []int  // operations that it refers to

	circular bool // it stands in a circle, which looks after its needs

	status   int // 0: not handled
	location string
	tag      string
	body     []byte
}

// creates reports whether the operation makes a resource that others may refer
// to.
func (op *operation) creates() bool { return op.method == http.MethodPost && op.route != nil }

// read takes the request apart and gives its hash. Only what is wrong with the
// Bulk itself is an error; faults of an operation are kept with it.
func (b *bulk) read() (hash [sha256.Size]byte, err error) {
	if err := b.bodyKind(); err != nil {
		return hash, err
	}
	raw, err := b.body()
	if err != nil {
		return hash, err
	}
	limits := jsontree.BodyLimits()
	limits.Depth += 3 // the data of an operation may be as deep as a body
	doc, err := jsontree.Parse(raw, limits)
	if err != nil {
		return hash, invalid(scimerrors.ScimTypeInvalidSyntax, "The body is not valid JSON: %s.", err)
	}
	if !names(doc.Get("schemas"), bulkRequest) {
		return hash, invalid(scimerrors.ScimTypeInvalidSyntax, "schemas: a Bulk names %q; add it to the array schemas.", bulkRequest)
	}
	if f := doc.Get("failOnErrors"); f != nil && f.Kind != jsontree.Null {
		n, err := strconv.Atoi(f.Text)
		if f.Kind != jsontree.Number || err != nil || n < 1 {
			return hash, invalid(scimerrors.ScimTypeInvalidValue, "failOnErrors must be a whole number of at least 1; leave it out to have every operation handled.")
		}
		b.failing = n
	}
	list := doc.Get("Operations")
	if list == nil || list.Kind != jsontree.Array || len(list.Items) == 0 {
		return hash, invalid(scimerrors.ScimTypeInvalidSyntax, "Operations must be an array with at least one operation.")
	}
	if n := len(list.Items); n > bulkMost {
		return hash, problem{
			status: http.StatusRequestEntityTooLarge, code: "payload_too_large",
			detail: fmt.Sprintf("The Bulk has %d operations and may have at most %d; split it.", n, bulkMost),
		}
	}
	b.ops = make([]operation, len(list.Items))
	for i := range list.Items {
		b.ops[i] = operationOf(i, &list.Items[i])
	}
	b.distinct()
	return sha256.Sum256(raw), nil
}

// names reports whether the array schemas of a message has a URN.
func names(schemas *jsontree.Value, urn string) bool {
	if schemas == nil || schemas.Kind != jsontree.Array {
		return false
	}
	for i := range schemas.Items {
		if s := &schemas.Items[i]; s.Kind == jsontree.String && jsontree.EqualName(s.Text, urn) {
			return true
		}
	}
	return false
}

// operationOf reads one operation.
func operationOf(at int, v *jsontree.Value) (op operation) {
	op.at = at
	if v.Kind != jsontree.Object {
		op.fault = invalid(scimerrors.ScimTypeInvalidSyntax, "Each element of Operations must be an object.")
		return op
	}
	for _, text := range [...]struct {
		name string
		to   *string
	}{{"method", &op.method}, {"path", &op.path}, {"bulkId", &op.bulkID}, {"version", &op.version}} {
		m := v.Get(text.name)
		switch {
		case m == nil || m.Kind == jsontree.Null:
		case m.Kind == jsontree.String:
			*text.to = m.Text
			op.hasID = op.hasID || text.to == &op.bulkID
		default:
			op.fault = invalid(scimerrors.ScimTypeInvalidSyntax, "%s must be a string.", text.name)
		}
	}
	op.method = strings.ToUpper(op.method)
	op.data = v.Get("data")
	if op.fault == nil {
		op.fault = op.check()
	}
	return op
}

// check says what is missing or cannot be.
func (op *operation) check() error {
	switch op.method {
	case "":
		return invalid(scimerrors.ScimTypeInvalidSyntax, "method is missing; it is POST, PUT, PATCH or DELETE.")
	case http.MethodPost:
		if op.bulkID == "" {
			return invalid(scimerrors.ScimTypeInvalidValue, "bulkId is missing; a POST in a Bulk needs one (RFC 7644 section 3.7).")
		}
	case http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return invalid(scimerrors.ScimTypeInvalidValue, "The method of an operation is POST, PUT, PATCH or DELETE.")
	}
	switch {
	case op.path == "":
		return invalid(scimerrors.ScimTypeInvalidSyntax, "path is missing; it is the address of a collection or a resource, such as /Users.")
	case op.method != http.MethodDelete && (op.data == nil || op.data.Kind == jsontree.Null):
		return invalid(scimerrors.ScimTypeInvalidSyntax, "data is missing; it is the body of the same request outside a Bulk.")
	}
	return nil
}

// distinct refuses a bulkId that a POST before has already.
func (b *bulk) distinct() {
	seen := make(map[string]bool)
	for i := range b.ops {
		op := &b.ops[i]
		if op.method != http.MethodPost || op.bulkID == "" {
			continue
		}
		if seen[op.bulkID] && op.fault == nil {
			op.fault = invalid(scimerrors.ScimTypeInvalidValue, "bulkId: another POST of this Bulk has the same one before; each needs its own.")
		}
		seen[op.bulkID] = true
	}
}

// aim finds what an operation is about, by the same route table and with the
// same refusals as a single request.
func (b *bulk) aim(op *operation) {
	if op.fault != nil {
		return
	}
	found, id, query, err := b.address(op.path)
	if err != nil {
		op.fault = err
		return
	}
	if found.typ == nil || found.act(http.MethodPost) != nil && found.act(http.MethodPost).op != "create" {
		op.fault = invalid(scimerrors.ScimTypeInvalidValue, "path: the operations of a Bulk create, replace, modify and delete resources; send this one as a request of its own.")
		return
	}
	act := found.act(op.method)
	if act == nil {
		op.fault = notAllowed(found)
		return
	}
	op.route, op.act, op.id, op.query = found, act, id, query
}

// address reads a path: relative to the service, beginning with its version, or
// an absolute URL of this service.
func (b *bulk) address(path string) (found *route, id, query string, err error) {
	rest, own := strings.CutPrefix(path, b.base())
	u, err := url.Parse(rest)
	if err != nil || u.Host != "" || u.Scheme != "" {
		return nil, "", "", notHere("")
	}
	var buf [maxSegments]string
	segs, ok := segments(buf[:], u)
	if ok && !own && len(segs) > 0 && strings.EqualFold(segs[0], "v2") {
		segs = segs[1:]
	}
	if ok {
		found, id = b.world.match(segs)
	}
	if found == nil {
		return nil, "", "", notHere("")
	}
	return found, id, u.RawQuery, nil
}
