package scim_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim"
)

// Every code of the domain has a status of its own on the wire, and 409 is for
// conflicts of identity only (domain.md §4.13): providers read it as "exists
// already".
func TestEveryCodeHasAStatus(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../resources/errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	identity := " email_in_use email_in_other_organization user_name_in_use display_name_in_use slug_in_use attribute_in_use schema_in_use "
	h := newHouse(t, "", scim.Config{})
	id := h.user("codes@acme.example")
	broken := &brokenStore{Store: h.store}
	h.open(broken, scim.Config{})
	seen := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, "Code") {
			return true
		}
		literal, ok := spec.Values[0].(*ast.BasicLit)
		if !ok {
			return true
		}
		code, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		seen++
		broken.get = func() error {
			return fmt.Errorf("act: %w", &resources.Error{Code: resources.Code(code), Detail: "A sentence."})
		}
		r := h.ask("GET", "/Users/"+id, "")
		if r.Code == 500 || r.Header().Get("Usher-Error-Code") != code {
			t.Errorf("%s: %d, Usher-Error-Code %q", code, r.Code, r.Header().Get("Usher-Error-Code"))
		}
		if conflict := strings.Contains(identity, " "+code+" "); (r.Code == 409) != conflict {
			t.Errorf("%s is answered with %d", code, r.Code)
		}
		return true
	})
	if seen < 40 {
		t.Errorf("only %d codes were looked at", seen)
	}
}
