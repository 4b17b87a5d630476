package backend

import (
	"bytes"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usher-scim/usher/resources"
)

const someStamp = "0123456789ab"

func TestCodecReadsBack(t *testing.T) {
	c := newCodec()
	for name, r := range map[string]resources.Record{
		"empty":       {Profile: []byte{}},
		"small":       {Version: 7, Created: 1, Modified: 2, Display: "Ada", Profile: []byte(`{"a":1}`), Standing: []byte(`{}`)},
		"binary":      {Version: maxNumber, Created: maxNumber, Modified: maxNumber, Profile: []byte("\x00\xff\n{")},
		"boilerplate": {Profile: []byte(dictionary1), Standing: []byte(dictionary1[:500])},
		"long":        {Display: strings.Repeat("é", 60), Profile: []byte(strings.Repeat("abc1", 50_000)), Standing: []byte(strings.Repeat("x", 70_000))},
	} {
		r.Kind, r.ID, r.Stamp = resources.KindUser, strings.Repeat("0", 20), someStamp
		raw, err := c.encode(&r, someStamp)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := c.decode(r.Kind, r.ID, string(raw))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(&r, got); diff != "" {
			t.Errorf("%s: (-stored +read)\n%s", name, diff)
		}
		if len(r.Profile) > 400 && len(raw) > len(r.Profile)+len(r.Standing) {
			t.Errorf("%s: %d bytes became %d", name, len(r.Profile)+len(r.Standing), len(raw))
		}
	}
}

// TestCodecFormatStays: what an earlier usher wrote is read by a later one.
// Never change the bytes here; add others for a new format.
func TestCodecFormatStays(t *testing.T) {
	plain := "10" + "0000000000007" + someStamp + "1700000000000" + "1700000000001" + "0003" + "00000002" + "\n" + "Ada" + `{"a":1}` + `{}`
	got, err := newCodec().decode(resources.KindUser, "id", plain)
	if err != nil {
		t.Fatal(err)
	}
	want := &resources.Record{
		ID: "id", Version: 7, Stamp: someStamp, Created: 1700000000000, Modified: 1700000000001,
		Display: "Ada", Profile: []byte(`{"a":1}`), Standing: []byte(`{}`),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestCodecNamesDamage(t *testing.T) {
	c := newCodec()
	r := resources.Record{ID: "x", Version: 1, Display: "Ada", Profile: []byte(strings.Repeat(`{"userName":"ada"}`, 30)), Standing: []byte("{}")}
	raw, err := c.encode(&r, someStamp)
	if err != nil {
		t.Fatal(err)
	}
	if raw[1] != bodyS2Two {
		t.Fatal("the record is not packed: the test shows nothing")
	}
	change := func(at int, b byte) string {
		bad := bytes.Clone(raw)
		bad[at] = b
		return string(bad)
	}
	for name, bad := range map[string]string{
		"nothing":           "",
		"a torn header":     string(raw[:headerSize-1]),
		"a torn body":       string(raw[:len(raw)-3]),
		"another format":    change(0, '9'),
		"another encoding":  change(1, '7'),
		"a bad version":     change(5, 'x'),
		"a bad length":      change(54, '9'),
		"a long standing":   change(57, '9'),
		"a huge body":       string(raw[:headerSize+3]) + "\xff\xff\xff\xff\xff\xff\xff\x7f",
		"a newline missing": change(headerSize-1, ' '),
	} {
		if got, err := c.decode(0, "x", bad); !errors.Is(err, errDamaged) {
			t.Errorf("%s: got %v, %v; want an error about damage", name, got, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	c := newCodec()
	for _, n := range []int{0, 10, 1000} {
		raw, err := c.encode(&resources.Record{Version: 1, Display: "d", Profile: bytes.Repeat([]byte("p"), n), Standing: []byte("s")}, someStamp)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(raw))
	}
	f.Fuzz(func(t *testing.T, raw string) {
		r, err := c.decode(resources.KindUser, "id", raw)
		if err != nil {
			return
		}
		if len(r.Display) > maxDisplay {
			return // read, though never written
		}
		again, err := c.encode(r, r.Stamp)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		back, err := c.decode(resources.KindUser, "id", string(again))
		if err != nil || !bytes.Equal(back.Profile, r.Profile) || back.Version != r.Version {
			t.Fatalf("read %+v, written and read again %+v, %v", r, back, err)
		}
	})
}

// TestKnownAgrees holds the fast reading of ids against the domain's.
func TestKnownAgrees(t *testing.T) {
	ids := []string{"", "short", strings.Repeat("0", 20), strings.Repeat("v", 20), strings.Repeat("w", 20), strings.Repeat("0", 19) + "A", strings.Repeat("é", 10)}
	for kind := range resources.Kind(8) {
		for range 50 {
			id, err := resources.NewID(kind, time.Now(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
	}
	for _, id := range ids {
		kind, ok := resources.KindOf(id)
		got, good := known(id)
		if want := ok && slices.Contains(resources.Kinds(), kind); good != want || (good && got != kind) {
			t.Errorf("known(%q) gives %d, %v; KindOf %d, %v", id, got, good, kind, ok)
		}
	}
}
