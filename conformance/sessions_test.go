package conformance_test

import (
	"embed"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-scim/usher/conformance"
	"github.com/usher-scim/usher/resources"
)

//go:embed exchanges/*.txtar
var exchanges embed.FS

// archives lists the recorded sessions by name.
func archives(t *testing.T) map[string][]byte {
	t.Helper()
	files, err := exchanges.ReadDir("exchanges")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, f := range files {
		data, err := exchanges.ReadFile(path.Join("exchanges", f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(f.Name(), ".txtar")] = data
	}
	return out
}

// TestSessions replays what identity providers send, each session on its own
// organization of one shared server per store, in order. An exchange can be
// asked for by its block id, those before it are played silently:
//
//	go test ./conformance -run 'TestSessions/.*/ENT-11'
func TestSessions(t *testing.T) {
	for store, url := range stores(t) {
		replayAll(t, store, url)
	}
}

func replayAll(t *testing.T, store, url string) {
	w := newWorld(t, url, time.Now)
	for name, data := range archives(t) {
		t.Run(store+"-"+name, func(t *testing.T) {
			t.Parallel()
			rec, err := conformance.ParseRecording(data)
			if err != nil {
				t.Fatal(err)
			}
			o := w.mustOrg(t, resources.Profile(rec.Profile))
			player, err := conformance.NewPlayer(o.Client, data, map[string]string{"domain": o.Domain})
			if err != nil {
				t.Fatal(err)
			}
			for i, x := range rec.Exchanges {
				t.Run(x.Name, func(t *testing.T) {
					if err := player.Play(t.Context(), i); err != nil {
						t.Error(err)
					}
				})
			}
		})
	}
}

// TestSessionsWhole plays every recording by the one call that other programs
// use.
func TestSessionsWhole(t *testing.T) {
	w := newWorld(t, "", time.Now)
	for name, data := range archives(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec, err := conformance.ParseRecording(data)
			if err != nil {
				t.Fatal(err)
			}
			o := w.mustOrg(t, resources.Profile(rec.Profile))
			if err := conformance.Play(t.Context(), o.Client, name, data, map[string]string{"domain": o.Domain}); err != nil {
				t.Error(err)
			}
		})
	}
}

// blocks are the ids of the wire catalogue (idp-wire.md).
func blocks() []string {
	var out []string
	for _, family := range []struct {
		id   string
		last int
	}{
		{"ENT", 33},
		{"OKT", 18},
		{"OLG", 5},
		{"JCL", 3},
		{"GWS", 1},
		{"GCI", 1},
		{"PNG", 3},
		{"SPT", 3},
		{"RIP", 3},
		{"CYB", 13},
		{"AUT", 4},
		{"KCK", 1},
	} {
		for i := 1; i <= family.last; i++ {
			out = append(out, fmt.Sprintf("%s-%02d", family.id, i))
		}
	}
	return out
}

// TestCatalogueIsPlayed fails when a block of the catalogue is in no
// recording, or a recording names a block that is not in the catalogue.
func TestCatalogueIsPlayed(t *testing.T) {
	block := regexp.MustCompile(`^[A-Z]{3}-[0-9]{2}`)
	played := map[string]bool{}
	for name, data := range archives(t) {
		rec, err := conformance.ParseRecording(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !slices.Contains(resources.Profiles(), resources.Profile(rec.Profile)) {
			t.Errorf("%s: the profile %q does not exist", name, rec.Profile)
		}
		for _, x := range rec.Exchanges {
			if id := block.FindString(x.Name); id != "" {
				played[id] = true
			}
		}
	}
	for _, id := range blocks() {
		if !played[id] {
			t.Errorf("the block %s is in no recording", id)
		}
		delete(played, id)
	}
	for id := range played {
		t.Errorf("the block %s is not in the catalogue", id)
	}
}
