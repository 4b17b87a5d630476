package resources

import (
	"testing"

	"github.com/usher-scim/usher/internal/jsontree"
)

// Identity providers that send a given and a family name alone are the rule:
// their people have a name in mails and pages all the same (BR-106).
func TestPeopleAreCalledByTheNameThereIs(t *testing.T) {
	for _, c := range []struct{ doc, want string }{
		{`{"displayName":"Amélie R.","name":{"formatted":"Mme Roux","givenName":"Amélie","familyName":"Roux"}}`, "Amélie R."},
		{`{"displayName":" ","name":{"formatted":"Mme Roux","givenName":"Amélie","familyName":"Roux"}}`, "Mme Roux"},
		{`{"name":{"givenName":"Amélie","familyName":"Roux"}}`, "Amélie Roux"},
		{`{"name":{"familyName":"Roux"}}`, "Roux"},
		{`{"name":"Roux"}`, ""},
		{`{"userName":"a.roux"}`, ""},
	} {
		doc, err := jsontree.Parse([]byte(c.doc), jsontree.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if got := calledBy(&doc); got != c.want {
			t.Errorf("%s: called %q, want %q", c.doc, got, c.want)
		}
	}
}
