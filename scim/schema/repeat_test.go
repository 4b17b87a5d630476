package schema_test

import (
	"fmt"
	"strings"
	"testing"

	scimerrors "github.com/elimity-com/scim/errors"
	"pgregory.net/rapid"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/scim/schema"
)

// L-31: no array holds a type and value twice.
func TestCheckRepeated(t *testing.T) {
	r := registry(t)
	merged := []stored{
		{
			"a later display", user(`"emails":[{"value":"v","type":"work","display":"a"},{"value":"w"},{"type":"work","value":"v","display":"b"}]`),
			user(`"emails":[{"value":"v","type":"work","display":"b"},{"value":"w"}]`),
		},
		{"the mark comes later", user(`"emails":[{"value":"v"},{"value":"v","primary":true}]`), user(`"emails":[{"value":"v","primary":true}]`)},
		{"the mark stays", user(`"emails":[{"value":"v","primary":true},{"value":"v","primary":false}]`), user(`"emails":[{"value":"v","primary":true}]`)},
		{"R-20 case", user(`"emails":[{"value":"É@x","type":"WORK"},{"value":"é@X","type":"work"}]`), user(`"emails":[{"value":"é@X","type":"work"}]`)},
		{"caseExact", user(`"photos":[{"value":"http://x/A"},{"value":"http://x/a"}]`), ""},
		{"another type", user(`"emails":[{"value":"v","type":"work"},{"value":"v"},{"value":"v","type":"home"}]`), ""},
		{
			"without value", user(`"addresses":[{"type":"work","country":"FR"},{"type":"work","country":"DE"},{"country":"FR","type":"work"}]`),
			user(`"addresses":[{"type":"work","country":"FR"},{"type":"work","country":"DE"}]`),
		},
		{
			"many", user(`"emails":[` + strings.Repeat(`{"value":"a","type":"work"},{"value":"A","type":"work","primary":true},{"value":"b"},`, 9) + `{"value":"B"}]`),
			user(`"emails":[{"value":"A","type":"work","primary":true},{"value":"B"}]`),
		},
	}
	checkStored(t, r.Type("User"), schema.Options{}, merged)
	two := tree(t, user(`"emails":[{"value":"a","primary":true},{"value":"b","primary":true},{"value":"a","primary":true}]`))
	wantError(t, r.Type("User").Check(two, schema.Options{}), scimerrors.ScimTypeInvalidValue, "emails")
	checkStored(t, r.Type("User"), schema.Options{Profile: "ping"}, append(merged, stored{
		"PNG-03", user(`"emails":[{"value":"a","primary":true},{"value":"b","primary":true},{"value":"a","primary":true}]`),
		user(`"emails":[{"value":"a","primary":true},{"value":"b","primary":false}]`),
	}))
}

// A short array and the same one made long must come out alike: elements are
// compared in pairs there and by key here.
func TestMergeRepeatedWays(t *testing.T) {
	emails := registry(t).Type("User").Core.Attr("emails")
	rapid.Check(t, func(rt *rapid.T) {
		var items []string
		for range rapid.IntRange(0, 12).Draw(rt, "elements") {
			e := rapid.SampledFrom([]string{`"value":"a"`, `"value":"A"`, `"value":"ß"`, `"value":"SS"`, `"display":"a"`}).Draw(rt, "value")
			e += rapid.SampledFrom([]string{``, `,"type":"work"`, `,"type":"Work"`}).Draw(rt, "type")
			e += rapid.SampledFrom([]string{``, `,"primary":true`, `,"primary":false`}).Draw(rt, "primary")
			items = append(items, "{"+e+"}")
		}
		var rest []string
		for i := range 20 {
			rest = append(rest, fmt.Sprintf(`{"value":"other %d"}`, i))
		}
		brief := tree(t, "["+strings.Join(items, ",")+"]")
		long := tree(t, "["+strings.Join(append(items, rest...), ",")+"]")
		emails.MergeRepeated(brief)
		emails.MergeRepeated(long)
		long.Items = long.Items[:len(long.Items)-len(rest)]
		if !jsontree.Equal(brief, long) {
			rt.Fatalf("in pairs %s\nby key %s", text(brief), text(long))
		}
	})
}
