package check

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
)

// obj and list are JSON as checks write it down.
type (
	obj  = map[string]any
	list = []any
)

// with gives an object with further members; later ones win.
func with(base obj, more ...obj) obj {
	out := obj{}
	for _, o := range append([]obj{base}, more...) {
		maps.Copy(out, o)
	}
	return out
}

// find follows a path through a value: names separated by dots (or by the colon
// behind a schema URN), [work] for the element of that type, [0] for one by
// position. What is not there is a value of kind Absent.
func find(v *jsontree.Value, path string) *jsontree.Value {
	for path != "" && v != nil {
		if key, rest, ok := element(path); ok {
			v, path = pick(v, key), rest
			continue
		}
		end := len(path)
		for end > 0 && v.Get(path[:end]) == nil {
			end = strings.LastIndexAny(path[:end], ".:[")
		}
		if end <= 0 {
			return &jsontree.Value{}
		}
		v = v.Get(path[:end])
		path = strings.TrimLeft(path[end:], ".:")
	}
	if v == nil {
		return &jsontree.Value{}
	}
	return v
}

func element(path string) (key, rest string, ok bool) {
	if !strings.HasPrefix(path, "[") {
		return "", path, false
	}
	key, rest, ok = strings.Cut(path[1:], "]")
	return key, strings.TrimLeft(rest, "."), ok
}

func pick(v *jsontree.Value, key string) *jsontree.Value {
	at, err := strconv.Atoi(key)
	for i := range v.Items {
		if err == nil && i == at || err != nil && v.Items[i].GetString("type") == key {
			return &v.Items[i]
		}
	}
	return nil
}

// unassigned reports whether SCIM takes v for having no value; an object whose
// members are all unassigned has none either.
func unassigned(v *jsontree.Value) bool {
	if v.Kind != jsontree.Object {
		return v.Empty()
	}
	for i := range v.Items {
		if !unassigned(&v.Items[i]) {
			return false
		}
	}
	return true
}

// contains is a wanted array of which other elements may stand beside.
type contains list

// anything is wanted where any value will do.
type anything struct{}

// same tells how got differs from what is wanted, or "". Objects must have the
// members wanted and may have more; arrays must hold the same elements in any
// order; nil wants no value.
func same(got *jsontree.Value, want any) string {
	switch w := want.(type) {
	case nil:
		return unless(unassigned(got), "%s should have no value", got)
	case anything:
		return unless(!unassigned(got), "%s should have a value", got)
	case bool:
		return unless(got.Kind == jsontree.Bool(w).Kind, "%s should be the boolean %t", got, w)
	case string:
		return unless(got.Kind == jsontree.String && got.Text == w, "%s should be %q", got, w)
	case int:
		n, err := strconv.Atoi(got.Text)
		return unless(got.Kind == jsontree.Number && err == nil && n == w, "%s should be the number %d", got, w)
	case float64:
		n, err := strconv.ParseFloat(got.Text, 64)
		return unless(got.Kind == jsontree.Number && err == nil && n == w, "%s should be the number %g", got, w)
	case obj:
		if got.Kind != jsontree.Object {
			return fmt.Sprintf("%s should be an object", text(got))
		}
		for name, v := range w {
			if why := same(find(got, name), v); why != "" {
				return name + ": " + why
			}
		}
		return ""
	case list:
		if got.Kind != jsontree.Array && len(w) > 0 || len(got.Items) != len(w) {
			return fmt.Sprintf("%s should hold %d values: %s", text(got), len(w), written(want))
		}
		return within(got, w)
	case contains:
		return within(got, list(w))
	}
	return fmt.Sprintf("a %T cannot be compared", want)
}

// within finds an element of its own for each one wanted.
func within(got *jsontree.Value, want list) string {
	taken := make([]bool, len(got.Items))
next:
	for _, w := range want {
		for i := range got.Items {
			if !taken[i] && same(&got.Items[i], w) == "" {
				taken[i] = true
				continue next
			}
		}
		return fmt.Sprintf("%s lacks %s", text(got), written(w))
	}
	return ""
}

func unless(ok bool, format string, got *jsontree.Value, args ...any) string {
	if ok {
		return ""
	}
	return fmt.Sprintf(format, append([]any{text(got)}, args...)...)
}

// text is a value as messages show it.
func text(v *jsontree.Value) string {
	if v.Kind == jsontree.Absent {
		return "nothing"
	}
	out := string(v.Append(nil))
	if len(out) > 300 {
		out = strings.ToValidUTF8(out[:300], "") + "…"
	}
	return out
}

func written(want any) string {
	out, err := json.Marshal(want)
	if err != nil {
		return fmt.Sprint(want)
	}
	return string(out)
}

// alike tells where two values differ in meaning, or "": unassigned members are
// as good as absent, and the order of elements says nothing.
func alike(a, b *jsontree.Value) string {
	switch {
	case unassigned(a) && unassigned(b):
		return ""
	case a.Kind != b.Kind:
		return text(a) + " against " + text(b)
	case a.Kind == jsontree.Object:
		for _, name := range append(names(a), names(b)...) {
			if why := alike(find1(a, name), find1(b, name)); why != "" {
				return name + ": " + why
			}
		}
		return ""
	case a.Kind == jsontree.Array:
		return alikeElements(a, b)
	case a.Text != b.Text:
		return text(a) + " against " + text(b)
	}
	return ""
}

func alikeElements(a, b *jsontree.Value) string {
	taken := make([]bool, len(b.Items))
next:
	for i := range a.Items {
		for j := range b.Items {
			if !taken[j] && alike(&a.Items[i], &b.Items[j]) == "" {
				taken[j] = true
				continue next
			}
		}
		return text(a) + " against " + text(b)
	}
	if len(a.Items) != len(b.Items) {
		return text(a) + " against " + text(b)
	}
	return ""
}

// find1 gives a member by its name as it is, dots and all.
func find1(v *jsontree.Value, name string) *jsontree.Value {
	if m := v.Get(name); m != nil {
		return m
	}
	return &jsontree.Value{}
}
