package chaos_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// places are made for all tests together and removed at the end.
type places struct {
	dir   string
	mu    sync.Mutex
	built map[string]string // by what they were built from: paths of binaries
}

var shared = &places{built: map[string]string{}}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "usher-chaos-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	shared.dir = dir
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// once builds a binary the first time somebody wants it.
func (p *places) once(t testing.TB, name string, make func(path string) error) string {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	path := filepath.Join(p.dir, name)
	if p.built[name] == "" {
		if err := make(path); err != nil {
			t.Fatalf("build %s: %v", name, err)
		}
		p.built[name] = path
	}
	return path
}

const root = "../.." // of the module

func goBuild(dir, to string, flags ...string) error {
	args := append([]string{"build", "-o", to}, flags...)
	cmd := exec.Command("go", append(args, "./cmd/usher")...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// usher is the binary of this source, with the race detector when the long run
// asks for it. A change for the worse that must be noticed (package knownbad)
// comes as an overlay.
func usher(t testing.TB) string {
	t.Helper()
	flags := raceFlags()
	if overlay := os.Getenv("USHER_CHAOS_OVERLAY"); overlay != "" {
		flags = append(flags, "-overlay", overlay)
	}
	return shared.once(t, "usher", func(path string) error { return goBuild(root, path, flags...) })
}

func raceFlags() []string {
	if os.Getenv("USHER_CHAOS_RACE") != "" {
		return []string{"-race"}
	}
	return nil
}

// clockUsher is this source with a clock that a file sets. usher takes its clock
// in one place, where main wires its parts: a copy of those files, laid over the
// source for this build, has another one there. Nothing of it is in usher itself.
func clockUsher(t testing.TB) string {
	t.Helper()
	return shared.once(t, "usher-clock", func(path string) error {
		files, err := filepath.Glob(filepath.Join(root, "cmd/usher/*.go"))
		if err != nil {
			return err
		}
		dir, err := filepath.Abs(filepath.Join(root, "cmd/usher"))
		if err != nil {
			return err
		}
		replace := map[string]string{}
		lay := func(name string, text []byte) error {
			to := filepath.Join(shared.dir, "clock-"+name)
			replace[filepath.Join(dir, name)] = to
			return os.WriteFile(to, text, 0o600)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				return err
			}
			if strings.HasSuffix(f, "_test.go") || !bytes.Contains(text, []byte("time.Now")) {
				continue
			}
			text = append(bytes.ReplaceAll(text, []byte("time.Now"), []byte("offNow")), "\nvar _ time.Duration // whatever else is left of the import\n"...)
			if err := lay(filepath.Base(f), text); err != nil {
				return err
			}
		}
		clock, err := os.ReadFile("testdata/clock.go.txt")
		if err != nil {
			return err
		}
		if err := lay("clock.go", clock); err != nil {
			return err
		}
		overlay, err := json.Marshal(map[string]any{"Replace": replace})
		if err != nil {
			return err
		}
		file := filepath.Join(shared.dir, "overlay.json")
		if err := os.WriteFile(file, overlay, 0o600); err != nil {
			return err
		}
		return goBuild(root, path, append(raceFlags(), "-overlay", file)...)
	})
}

// earlier is the commit whose binary is run beside this one: the last before the
// store learned durability, clusters and a journal.
const earlier = "2246256"

// earlierUsher is built from the history of the repository.
func earlierUsher(t testing.TB) string {
	t.Helper()
	return shared.once(t, "usher-"+earlier, func(path string) error {
		dir := filepath.Join(shared.dir, "source-"+earlier)
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
		tar := filepath.Join(shared.dir, earlier+".tar")
		for _, c := range [][]string{{"git", "-C", root, "archive", "-o", tar, earlier}, {"tar", "-xf", tar, "-C", dir}} {
			if out, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil {
				return fmt.Errorf("%s: %w\n%s", c[0], err, out)
			}
		}
		return goBuild(dir, path)
	})
}
