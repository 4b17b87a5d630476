package backend

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/klauspost/compress/s2"

	"github.com/usher-scim/usher/resources"
)

// What was packed with a dictionary can be read only with the same bytes.
func TestDictionariesStay(t *testing.T) {
	for name, d := range map[string]struct{ text, want string }{
		"1": {dictionary1, "aabb8f6d3d954d35"},
		"2": {dictionary2, "e1ad8fc6c8da5151"},
	} {
		sum := sha256.Sum256([]byte(d.text))
		if got := hex.EncodeToString(sum[:8]); got != d.want {
			t.Errorf("dictionary %s has changed (%s): stored records cannot be read any more; make another one under a flag of its own", name, got)
		}
	}
}

// Records that an earlier usher packed with dictionary 1 are read, and written
// with dictionary 2 when they change.
func TestFirstDictionaryIsRead(t *testing.T) {
	c := newCodec()
	profile := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"x","userName":"` + strings.Repeat("ada", 90) + `"}`
	r := resources.Record{Kind: resources.KindUser, ID: "x", Version: 3, Stamp: someStamp, Profile: []byte(profile), Standing: []byte(`{}`)}
	now, err := c.encode(&r, someStamp)
	if err != nil || now[1] != bodyS2Two {
		t.Fatalf("encoding %q, %v", now[1], err)
	}
	then := append([]byte(nil), now[:headerSize]...)
	then[1] = bodyS2
	then = append(then, s2.MakeDict([]byte(dictionary1), nil).Encode(nil, []byte(profile+`{}`))...)
	for _, raw := range [][]byte{now, then} {
		got, err := c.decode(r.Kind, r.ID, string(raw))
		if err != nil || string(got.Profile) != profile || string(got.Standing) != `{}` {
			t.Errorf("encoding %q: %v, %v", raw[1], got, err)
		}
	}
}

// The user that usher adds most to is stored in a fifth of its size.
func TestDictionaryPays(t *testing.T) {
	added := dictionary2[strings.LastIndex(dictionary2, `,"`+resources.LicenceUserURN):]
	added, standing, _ := strings.Cut(added, `}}{`)
	r := resources.Record{Version: 1, Profile: []byte(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"01k7svb88miug1m1ttuo","userName":"camille.moreau@acme.example"` + added + `}}`), Standing: []byte(`{` + standing)}
	raw, err := newCodec().encode(&r, someStamp)
	if err != nil {
		t.Fatal(err)
	}
	if whole := len(r.Profile) + len(r.Standing); (len(raw)-headerSize)*5 > whole {
		t.Errorf("%d bytes became %d", whole, len(raw)-headerSize)
	}
}
