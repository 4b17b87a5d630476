package usher_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

const module = "github.com/usher-scim/usher/"

// pure lists what resources may import beside the standard library: packages
// without I/O.
var pure = []string{
	"github.com/scim2/filter-parser/v2",
	"golang.org/x/text/",
	"golang.org/x/net/idna",
	"golang.org/x/net/publicsuffix",
	"github.com/nyaruka/phonenumbers",
	module + "internal/jsontree",
	module + "internal/jwk",
	module + "internal/password",
	module + "internal/seal",
}

// inputOutput lists the packages of the standard library that resources must
// not import.
var inputOutput = []string{"net", "net/http", "os", "os/exec", "syscall"}

// TestRooms guards the arrows between rooms: a room imports resources and
// leaves, never another room; resources does no I/O; only cmd sees all.
func TestRooms(t *testing.T) {
	faults, files, err := wrongArrows(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	if files == 0 {
		t.Fatal("no Go file was read")
	}
	for _, f := range faults {
		t.Error(f)
	}
}

// TestRoomsSeesWrongArrows plants one wrong arrow of each sort.
func TestRoomsSeesWrongArrows(t *testing.T) {
	planted := map[string]string{
		"scim/a.go":              module + "backend",
		"scim/filter/a.go":       module + "admin",
		"backend/a.go":           module + "scim/schema",
		"resources/a.go":         module + "backend",
		"resources/b.go":         "net/http",
		"resources/c.go":         "github.com/redis/go-redis/v9",
		"internal/jsontree/a.go": module + "resources",
		"attic/a.go":             module + "resources",
	}
	tree := fstest.MapFS{
		"scim/good.go":    {Data: []byte("package p\nimport _ \"" + module + "resources\"\nimport _ \"" + module + "scim/schema\"\n")},
		"cmd/usher/ok.go": {Data: []byte("package p\nimport _ \"" + module + "backend\"\n")},
		"scim/ok_test.go": {Data: []byte("package p\nimport _ \"" + module + "backend\"\n")},
	}
	for name, imported := range planted {
		tree[name] = &fstest.MapFile{Data: []byte("package p\nimport _ \"" + imported + "\"\n")}
	}
	faults, _, err := wrongArrows(tree)
	if err != nil {
		t.Fatal(err)
	}
	if len(faults) != len(planted) {
		t.Errorf("%d faults for %d planted: %q", len(faults), len(planted), faults)
	}
	for name := range planted {
		if !slices.ContainsFunc(faults, func(f string) bool { return strings.HasPrefix(f, name+" ") }) {
			t.Errorf("the wrong arrow of %s was not seen", name)
		}
	}
}

// wrongArrows reads the imports of every Go file that is not a test.
func wrongArrows(tree fs.FS) (faults []string, files int, err error) {
	err = fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "tools" || name != "." && strings.HasPrefix(name, ".")):
			return fs.SkipDir
		case d.IsDir(), !strings.HasSuffix(name, ".go"), strings.HasSuffix(name, "_test.go"):
			return nil
		}
		data, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, data, parser.ImportsOnly)
		if err != nil {
			return err
		}
		files++
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if why := wrongArrow(path.Dir(name), imported); why != "" {
				faults = append(faults, fmt.Sprintf("%s imports %s: %s", name, imported, why))
			}
		}
		return nil
	})
	return faults, files, err
}

func wrongArrow(dir, imported string) string {
	room, _, _ := strings.Cut(dir, "/")
	target, ours := strings.CutPrefix(imported, module)
	target, _, _ = strings.Cut(target, "/")
	switch room {
	case "cmd":
		return ""
	case "resources":
		if slices.Contains(inputOutput, imported) {
			return "the domain does no I/O"
		}
		standard := !strings.Contains(strings.SplitN(imported, "/", 2)[0], ".")
		if !standard && !slices.ContainsFunc(pure, func(p string) bool { return strings.HasPrefix(imported+"/", strings.TrimSuffix(p, "/")+"/") }) {
			return "the domain imports the standard library and pure libraries only"
		}
	case "internal":
		if ours && target != "internal" {
			return "a leaf knows no room"
		}
	case "scim", "admin", "sso", "jobs", "notify", "backend", "conformance":
		if ours && target != room && target != "resources" && target != "internal" {
			return "a room imports resources and leaves, never another room"
		}
	default:
		return "this folder is no room of the house"
	}
	return ""
}
