package admin

import (
	"bytes"
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// Patch is a member of a merge patch (RFC 7396): left out, null, or a value.
type Patch[T any] struct {
	set   bool // the member is there
	null  bool
	value T
}

// UnmarshalJSON notes that the member is there.
func (p *Patch[T]) UnmarshalJSON(text []byte) error {
	p.set = true
	if p.null = bytes.Equal(text, []byte("null")); p.null {
		return nil
	}
	return json.Unmarshal(text, &p.value)
}

// Schema is that of the value, or null.
func (p Patch[T]) Schema(r huma.Registry) *huma.Schema {
	s := r.Schema(reflect.TypeFor[T](), false, "")
	s.Nullable = true
	return s
}

// apply changes what the patch speaks of; null makes it the zero value.
func (p *Patch[T]) apply(to *T) {
	if p.set {
		*to = p.value
	}
}

// pointer is the value, the zero value for null, and nil when it was left out.
func (p *Patch[T]) pointer() *T {
	if !p.set {
		return nil
	}
	v := p.value
	return &v
}
