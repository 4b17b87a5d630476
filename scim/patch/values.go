package patch

import (
	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/scim/schema"
)

// removeGiven removes the values named in the operation (L-6): a value goes
// when it has every sub-attribute of one of the given ones. Given values with
// the same sub-attributes are looked up together, so that long lists cost no
// more than their length.
func (l *list) removeGiven() {
	shapes := map[string]*shape{}
	for k := range l.value.Items {
		want := &l.value.Items[k]
		subs := l.present(want)
		var id []byte
		for _, sub := range subs {
			id = append(append(id, sub.Lower...), '.')
		}
		sh := shapes[string(id)]
		if sh == nil {
			sh = &shape{subs: subs, simple: want.Kind != jsontree.Object, keys: map[string]struct{}{}}
			shapes[string(id)] = sh
		}
		if key, ok := sh.key(l.attr, nil, want); ok {
			sh.keys[string(key)] = struct{}{}
		}
	}
	n := 0
	var buf []byte
	for i := range l.items {
		gone := false
		for _, sh := range shapes {
			key, ok := sh.key(l.attr, buf[:0], &l.items[i])
			buf = key
			if _, gone = sh.keys[string(key)]; gone && ok {
				break
			}
			gone = false
		}
		if !gone {
			l.items[n] = l.items[i]
			n++
		}
	}
	l.items = l.items[:n]
}

// present lists the sub-attributes a value has, in the order of the schema.
func (l *list) present(v *jsontree.Value) []*schema.Attr {
	var subs []*schema.Attr
	for _, sub := range l.attr.Subs {
		if !v.Get(sub.Name).Empty() {
			subs = append(subs, sub)
		}
	}
	return subs
}

// shape is a set of values that have the same sub-attributes.
type shape struct {
	simple bool
	subs   []*schema.Attr
	keys   map[string]struct{}
}

// key writes what the shape compares of a value; ok is false when the value
// has no such thing.
func (sh *shape) key(a *schema.Attr, dst []byte, v *jsontree.Value) (key []byte, ok bool) {
	if sh.simple {
		return a.AppendFolded(dst, v), v.Kind != jsontree.Object
	}
	for _, sub := range sh.subs {
		m := v.Get(sub.Name)
		if m.Empty() {
			return dst, false
		}
		dst = append(sub.AppendFolded(dst, m), ',')
	}
	return dst, len(sh.subs) > 0
}

// add appends the given values. A value that is there already, or has
// the type and value of one that is, is merged into it.
func (l *list) add(given []jsontree.Value) error {
	known := make(map[string]int, len(l.items)+len(given))
	var key []byte
	for i := range l.items {
		key = l.attr.AppendKey(key[:0], &l.items[i])
		if _, there := known[string(key)]; !there {
			known[string(key)] = i
		}
	}
	for i := range given {
		v := &given[i]
		key = l.attr.AppendKey(key[:0], v)
		at, there := known[string(key)]
		if !there {
			at = len(l.items)
			known[string(key)] = at
			l.items = append(l.items, v.Clone())
		} else if v.Kind == jsontree.Object {
			for k := range v.Items {
				if sub := l.attr.Sub(v.Items[k].Name); sub != nil {
					if err := l.put(&l.items[at], sub, &v.Items[k]); err != nil {
						return err
					}
				}
			}
		}
		if isPrimary(v) {
			l.touched = append(l.touched, at)
		}
	}
	return nil
}
