//go:build knownbad

package knownbad_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// root is the module, seen from this package.
const root = "../.."

// leastChanges is how many there are at least.
const leastChanges = 12

// change is one file of testdata. Its comment has the fields; each replacement is
// a pair of files, "<path>:was" and "<path>:is".
type change struct {
	why, pkg, run string
	seed          string // of package chaos; "" for any
	pieces        []piece
}

type piece struct{ path, was, is string }

// brokenScript is what Redis and the embedded store say of a script that is no Lua.
var brokenScript = regexp.MustCompile(`Error (compiling|running) script|user_script:`)

// TestKnownBad demands that each change is noticed. That the tests are green without
// it is for the ordinary run to show.
func TestKnownBad(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < leastChanges {
		t.Errorf("there are %d changes, at least %d are wanted", len(files), leastChanges)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			c := readChange(t, file)
			overlay := c.lay(t)
			cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-vet=off", "-failfast", "-ldflags=-w", "-overlay", overlay, "-run", c.run, c.pkg)
			cmd.Dir = root
			// For the processes that package chaos builds; one seed of each fault is enough.
			cmd.Env = append(os.Environ(), "USHER_CHAOS_OVERLAY="+overlay, "USHER_CHAOS=1", "USHER_SEED="+c.seed)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			switch {
			case err == nil:
				t.Errorf("%s\nand nothing of %s %s notices:\n%s", c.why, c.pkg, c.run, out)
			case !errors.As(err, &exit):
				t.Fatal(err)
			case !strings.Contains(string(out), "--- FAIL"):
				t.Errorf("the tests were not run, or did not fail by themselves:\n%s", out)
			case brokenScript.Match(out):
				t.Errorf("the script cannot run, so that the tests do not tell whether they notice the change:\n%s", out)
			}
		})
	}
}

func readChange(t *testing.T, file string) change {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var c change
	for line := range strings.Lines(string(archive.Comment)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch name {
		case "why":
			c.why = value
		case "package":
			c.pkg = value
		case "run":
			c.run = value
		case "seed":
			c.seed = value
		case "":
		default:
			t.Fatalf("%s: the field %q is unknown", file, name)
		}
	}
	for i := 0; i+1 < len(archive.Files); i += 2 {
		path, was := strings.CutSuffix(archive.Files[i].Name, ":was")
		if !was || archive.Files[i+1].Name != path+":is" {
			t.Fatalf("%s: %s is not followed by what stands instead", file, archive.Files[i].Name)
		}
		c.pieces = append(c.pieces, piece{path, string(archive.Files[i].Data), string(archive.Files[i+1].Data)})
	}
	if c.why == "" || c.pkg == "" || c.run == "" || len(c.pieces) == 0 || len(archive.Files)%2 != 0 {
		t.Fatalf("%s: why, package, run and pairs of pieces are needed", file)
	}
	return c
}

// lay writes the changed files and the list of what they replace.
func (c change) lay(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	replace := map[string]string{}
	for _, p := range c.pieces {
		real, err := filepath.Abs(filepath.Join(root, p.path))
		if err != nil {
			t.Fatal(err)
		}
		from := real
		if earlier, ok := replace[real]; ok {
			from = earlier
		}
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), p.was); n != 1 {
			t.Fatalf("the piece to replace stands %d times in %s:\n%s", n, p.path, p.was)
		}
		to := filepath.Join(dir, strings.ReplaceAll(p.path, "/", "_"))
		if err := os.WriteFile(to, []byte(strings.Replace(string(text), p.was, p.is, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[real] = to
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, list, 0o600); err != nil {
		t.Fatal(err)
	}
	return overlay
}
