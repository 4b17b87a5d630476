package patch

import (
	scimerrors "github.com/elimity-com/scim/errors"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim/filter"
	"github.com/usher-scim/usher/scim/schema"
)

// MessageURN is the schema every PATCH body names.
const MessageURN = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

// MaxOperations is how many operations one request may hold.
const MaxOperations = 1000

// Engine parses PATCH bodies. It may be used by many goroutines.
type Engine struct{ paths *filter.Parser }

// New makes an engine that reads paths and value filters with the parser.
func New(paths *filter.Parser) *Engine { return &Engine{paths: paths} }

// Options say for whom a body is read.
type Options struct {
	Profile string // the connection profile, see schema.Options; "" is "rfc"
	Self    string // id of the resource being patched (OKT-11)
}

// dialect is what a profile changes in PATCH.
type dialect struct {
	create       bool // L-7: an unmatched value filter makes the value
	lenient      bool // L-14: unknown attributes are ignored
	firstPrimary bool // L-31: of several primary values the first one counts
}

func dialectOf(profile string) dialect {
	switch profile {
	case "entra":
		return dialect{create: true}
	case "generic":
		return dialect{create: true, lenient: true}
	case "ping":
		return dialect{firstPrimary: true}
	}
	return dialect{}
}

type op uint8

const (
	opAdd op = iota + 1
	opRemove
	opReplace
)

func (o op) String() string {
	switch o {
	case opAdd:
		return "add"
	case opRemove:
		return "remove"
	}
	return "replace"
}

// Patch is one parsed request. It never changes and may be applied to any
// number of documents.
type Patch struct {
	typ     *schema.Type
	profile string
	dialect dialect
	edits   []edit
	members MemberEdit
	reads   bool // an edit says what only usher writes
}

// ReadsShown reports whether Apply must know what readers see: an operation says
// what only usher writes.
func (p *Patch) ReadsShown() bool { return p.reads }

// edit is one change to one attribute.
type edit struct {
	place
	path  filter.Path
	value jsontree.Value // normalised; for readOnly targets as sent
	clear bool           // an add or replace that means "no value" (L-9)
}

// drops reports whether the edit takes values away.
func (e *edit) drops() bool { return e.op == opRemove || e.clear }

// parsing is the state of one Parse.
type parsing struct {
	*Patch
	paths   *filter.Parser
	self    string
	members *schema.Attr // members of a group, or nil
	fold    memberFold
}

// Parse reads a PatchOp body for a resource type. The body is left as
// it is; strings are shared with it. Every error is an elimity ScimError of
// status 400.
func (e *Engine) Parse(t *schema.Type, body *jsontree.Value, o Options) (*Patch, error) {
	ops, err := operations(body)
	if err != nil {
		return nil, err
	}
	p := parsing{
		Patch: &Patch{typ: t, profile: o.Profile, dialect: dialectOf(o.Profile), edits: make([]edit, 0, len(ops))},
		paths: e.paths, self: o.Self,
	}
	if t.Kind == resources.KindGroup {
		p.members = t.Core.Attr("members")
	}
	for i := range ops {
		if err := p.operation(i+1, &ops[i]); err != nil {
			return nil, err
		}
	}
	p.Patch.members = p.fold.edit()
	return p.Patch, nil
}

// operations checks the envelope and gives the list of operations.
func operations(body *jsontree.Value) ([]jsontree.Value, error) {
	if body == nil || body.Kind != jsontree.Object {
		return nil, refuse(scimerrors.ScimTypeInvalidSyntax, "a PATCH body is a JSON object with schemas and Operations")
	}
	if !namesMessage(body.Get("schemas")) {
		return nil, refuse(scimerrors.ScimTypeInvalidSyntax, "schemas: a PATCH body names %q; add it to the array schemas", MessageURN)
	}
	ops := body.Get("Operations")
	switch {
	case ops == nil || ops.Kind != jsontree.Array || len(ops.Items) == 0:
		return nil, refuse(scimerrors.ScimTypeInvalidSyntax, "Operations: a PATCH body holds a non-empty array of operations")
	case len(ops.Items) > MaxOperations:
		return nil, refuse(scimerrors.ScimTypeInvalidSyntax, "Operations: %d operations are more than the %d one request may hold; split the request",
			len(ops.Items), MaxOperations)
	}
	return ops.Items, nil
}

func namesMessage(schemas *jsontree.Value) bool {
	if schemas == nil || schemas.Kind != jsontree.Array {
		return false
	}
	for i := range schemas.Items {
		if s := &schemas.Items[i]; s.Kind == jsontree.String && jsontree.EqualName(s.Text, MessageURN) {
			return true
		}
	}
	return false
}

// operation reads one operation into edits.
func (p *parsing) operation(n int, v *jsontree.Value) error {
	if v.Kind != jsontree.Object {
		return refuse(scimerrors.ScimTypeInvalidSyntax, "operation %d: an operation is an object with op, path and value", n)
	}
	at := place{n: n}
	switch verb := v.Get("op"); {
	case verb == nil || verb.Kind != jsontree.String:
		return refuse(scimerrors.ScimTypeInvalidSyntax, "operation %d: op is missing; send add, remove or replace", n)
	case jsontree.EqualName(verb.Text, "add"): // L-1
		at.op = opAdd
	case jsontree.EqualName(verb.Text, "remove"):
		at.op = opRemove
	case jsontree.EqualName(verb.Text, "replace"):
		at.op = opReplace
	default:
		return refuse(scimerrors.ScimTypeInvalidSyntax, "operation %d: the op %q is unknown; send add, remove or replace", n, clip(verb.Text))
	}
	value := v.Get("value")
	path := v.Get("path")
	if path.Empty() || (path.Kind == jsontree.String && path.Text == "") {
		return p.pathless(at, value)
	}
	if path.Kind != jsontree.String {
		return at.refuse(scimerrors.ScimTypeInvalidPath, "path is not a string; send an attribute path such as \"name.givenName\"")
	}
	at.text = path.Text
	return p.target(at, path.Text, value)
}

// pathless takes an operation without path apart: every key of the value is a
// path of its own (R-92, R-99, L-4).
func (p *parsing) pathless(at place, value *jsontree.Value) error {
	if at.op == opRemove {
		return at.refuse(scimerrors.ScimTypeNoTarget, "remove needs a path that says what to remove (R-95)")
	}
	if value == nil || value.Kind != jsontree.Object {
		return at.refuse(scimerrors.ScimTypeInvalidValue, "without a path, value is an object of attributes; send one, or add a path")
	}
	at.key = true
	for i := range value.Items {
		at.text = value.Items[i].Name
		if err := p.target(at, at.text, &value.Items[i]); err != nil {
			return err
		}
	}
	return nil
}
