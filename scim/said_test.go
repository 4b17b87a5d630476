package scim_test

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// said leaves of the schemas of a resource those of what the client said.
func (r reply) said(path ...any) string {
	var out []any
	for _, urn := range r.list(path...) {
		if text, _ := urn.(string); !resources.OwnURN(text) {
			out = append(out, urn)
		}
	}
	raw, err := json.Marshal(out)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(raw)
}

// unblocked takes usher's blocks out of a JSON object.
func unblocked(raw string) string {
	doc, err := jsontree.Parse([]byte(raw), jsontree.Limits{})
	if err != nil {
		return raw
	}
	doc.Items = slices.DeleteFunc(doc.Items, func(m jsontree.Value) bool { return strings.Contains(m.Name, ":Usher") })
	return string(doc.Append(nil))
}

// withoutBlocks are names without those of usher's blocks.
func withoutBlocks(names []string) []string {
	return slices.DeleteFunc(names, resources.OwnURN)
}
