package admin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-scim/usher/internal/jsontree"
)

// mergeType is the media type of a JSON Merge Patch (RFC 7396), where null takes
// a member away.
const mergeType = "application/merge-patch+json"

// mergeFormat is what huma is told instead: it looks at "json" only.
const mergeFormat = "application/merge-patch"

// decodeMerge reads a merge patch strictly: null for what cannot be taken away
// is not the same as leaving it out.
func decodeMerge(data []byte, v any) error {
	tree, err := jsontree.Parse(data, jsontree.BodyLimits())
	if err != nil {
		return err
	}
	if t := reflect.TypeOf(v).Elem(); t.Kind() == reflect.Struct {
		for f := range t.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			m := tree.Get(name)
			_, decides := reflect.PointerTo(f.Type).MethodByName("UnmarshalJSON") // like Patch
			if m != nil && m.Kind == jsontree.Null && !decides {
				return fmt.Errorf("%s cannot be null, leave it out or send a value", name)
			}
		}
	}
	return fits(json.Unmarshal(data, v))
}

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
