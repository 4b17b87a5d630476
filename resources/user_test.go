package resources_test

import (
	"testing"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// TestIdentity: which address is the identity e-mail (BR-002).
func TestIdentity(t *testing.T) {
	tests := map[string]struct{ doc, identity, key string }{
		"primary wins":          {`{"userName":"u","emails":[{"value":"w@a.test","type":"work"},{"value":"H@a.test","type":"home","primary":true}]}`, "H@a.test", "h@a.test"},
		"else work":             {`{"userName":"u","emails":[{"value":"h@a.test","type":"home"},{"value":"w@a.test","type":"WORK"}]}`, "w@a.test", "w@a.test"},
		"else first":            {`{"userName":"u","emails":[{"value":"a@a.test"},{"value":"b@a.test"}]}`, "a@a.test", "a@a.test"},
		"else userName":         {`{"userName":"U@a.test"}`, "U@a.test", "u@a.test"},
		"userName no address":   {`{"userName":"3f0c9a52"}`, "", ""},
		"userName half address": {`{"userName":"a@b"}`, "", ""},
		"empty value skipped":   {`{"userName":"u","emails":[{"type":"work","primary":true},{"value":"b@a.test"}]}`, "b@a.test", "b@a.test"},
		"cannot be keyed":       {`{"userName":"u","emails":[{"value":"a + b@gmail.com"}]}`, "a + b@gmail.com", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			doc, err := jsontree.Parse([]byte(tt.doc), jsontree.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			u := resources.UserOf(&doc)
			if u.Identity != tt.identity || u.IdentityKey != tt.key {
				t.Errorf("identity %q, key %q; want %q, %q", u.Identity, u.IdentityKey, tt.identity, tt.key)
			}
		})
	}
}

// TestInactive: only an explicit false deactivates.
func TestInactive(t *testing.T) {
	for in, want := range map[string]bool{`{"active":false}`: true, `{"active":true}`: false, `{}`: false} {
		doc, err := jsontree.Parse([]byte(in), jsontree.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if got := resources.UserOf(&doc).Inactive; got != want {
			t.Errorf("%s: inactive %v, want %v", in, got, want)
		}
	}
}
