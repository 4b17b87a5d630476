package conformance

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
)

// matcher compares answers with expectations and keeps what they capture.
type matcher struct {
	vars   map[string]string // known so far; not written
	set    map[string]string // captured by this exchange
	faults []string
}

func (m *matcher) fault(path, format string, args ...any) {
	m.faults = append(m.faults, path+": "+fmt.Sprintf(format, args...))
}

// matches tries an element without keeping faults; captures stay when it fits.
func (m *matcher) matches(want, got *jsontree.Value) bool {
	try := &matcher{vars: m.vars, set: map[string]string{}}
	try.value("", want, got)
	if len(try.faults) > 0 {
		return false
	}
	maps.Copy(m.set, try.set)
	return true
}

func (m *matcher) value(path string, want, got *jsontree.Value) {
	if want.Kind == jsontree.String && strings.HasPrefix(want.Text, "$") {
		m.special(path, want.Text, got)
		return
	}
	if got == nil {
		m.fault(path, "want %s, got nothing", show(want))
		return
	}
	switch {
	case want.Kind == jsontree.Object && got.Kind == jsontree.Object:
		m.object(path, want, got)
	case want.Kind == jsontree.Array && got.Kind == jsontree.Array:
		m.array(path, want, got)
	case want.Kind != got.Kind || !jsontree.Equal(want, got):
		m.fault(path, "want %s, got %s", show(want), show(got))
	}
}

func (m *matcher) object(path string, want, got *jsontree.Value) {
	only := false
	for i := range want.Items {
		w := &want.Items[i]
		if w.Name == "$only" {
			only = w.Kind == jsontree.True
			continue
		}
		m.value(path+"."+w.Name, w, member(got, w.Name))
	}
	if !only {
		return
	}
	for i := range got.Items {
		if member(want, got.Items[i].Name) == nil {
			m.fault(path+"."+got.Items[i].Name, "must not be there, got %s", show(&got.Items[i]))
		}
	}
}

// member finds a member by its name in exactly this spelling.
func member(v *jsontree.Value, name string) *jsontree.Value {
	for i := range v.Items {
		if v.Items[i].Name == name {
			return &v.Items[i]
		}
	}
	return nil
}

func (m *matcher) array(path string, want, got *jsontree.Value) {
	keyword := ""
	if len(want.Items) > 0 && want.Items[0].Kind == jsontree.String {
		keyword = want.Items[0].Text
	}
	switch keyword {
	case "$contains":
		m.pick(path, want.Items[1:], got.Items)
	case "$unordered":
		if len(got.Items) != len(want.Items)-1 {
			m.fault(path, "want %d elements, got %d: %s", len(want.Items)-1, len(got.Items), show(got))
			return
		}
		m.pick(path, want.Items[1:], got.Items)
	case "$lacks":
		for i := range want.Items[1:] {
			for j := range got.Items {
				if m.matches(&want.Items[1+i], &got.Items[j]) {
					m.fault(path, "must have no element like %s, got %s", show(&want.Items[1+i]), show(&got.Items[j]))
				}
			}
		}
	case "$len":
		if len(want.Items) != 2 || want.Items[1].Text != strconv.Itoa(len(got.Items)) {
			m.fault(path, "want length %s, got %d", show(&want.Items[len(want.Items)-1]), len(got.Items))
		}
	default:
		if len(got.Items) != len(want.Items) {
			m.fault(path, "want %d elements, got %d: %s", len(want.Items), len(got.Items), show(got))
			return
		}
		for i := range want.Items {
			m.value(path+"["+strconv.Itoa(i)+"]", &want.Items[i], &got.Items[i])
		}
	}
}

// pick finds for each expectation an element of its own.
func (m *matcher) pick(path string, want, got []jsontree.Value) {
	taken := make([]bool, len(got))
	for i := range want {
		found := false
		for j := range got {
			if !taken[j] && m.matches(&want[i], &got[j]) {
				taken[j], found = true, true
				break
			}
		}
		if !found {
			list := jsontree.Arr(got...)
			m.fault(path, "no element like %s in %s", show(&want[i]), show(&list))
		}
	}
}

func (m *matcher) special(path, text string, got *jsontree.Value) {
	word, arg, _ := strings.Cut(text, " ")
	if strings.HasPrefix(text, "$$") {
		if got == nil || got.Kind != jsontree.String || got.Text != text[1:] {
			m.fault(path, "want %q, got %s", text[1:], show(got))
		}
		return
	}
	scalar := got != nil && (got.Kind == jsontree.String || got.Kind == jsontree.Number)
	var ok bool
	switch word {
	case "$absent":
		ok = got == nil
	case "$empty":
		ok = got.Empty()
	case "$any":
		ok = filled(got)
	case "$string":
		ok = got != nil && got.Kind == jsontree.String
	case "$number":
		ok = got != nil && got.Kind == jsontree.Number
	case "$has":
		ok = got != nil && got.Kind == jsontree.String && strings.Contains(got.Text, arg)
	case "$set":
		if ok = scalar && got.Text != ""; ok {
			m.set[arg] = got.Text
		}
	case "$same":
		ok = scalar && m.known(path, arg) && got.Text == m.vars[arg]
	case "$differs":
		ok = scalar && m.known(path, arg) && got.Text != m.vars[arg]
	default:
		m.fault(path, "the expectation %q is not known", text)
		return
	}
	if !ok {
		m.fault(path, "want %s%s, got %s", text, m.was(word, arg), show(got))
	}
}

func (m *matcher) known(path, name string) bool {
	_, ok := m.vars[name]
	if !ok {
		m.fault(path, "the variable {%s} has no value", name)
	}
	return ok
}

// was tells what a compared variable holds.
func (m *matcher) was(word, name string) string {
	if word == "$same" || word == "$differs" {
		return fmt.Sprintf(" (%q)", m.vars[name])
	}
	return ""
}

func filled(v *jsontree.Value) bool {
	if v.Empty() {
		return false
	}
	return (v.Kind != jsontree.String || v.Text != "") && (v.Kind != jsontree.Object || len(v.Items) > 0)
}

func show(v *jsontree.Value) string {
	if v == nil {
		return "nothing"
	}
	return shortened(string(v.Append(nil)), 300)
}

// shortened cuts long text for messages.
func shortened(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + fmt.Sprintf("… (%d bytes)", len(s))
}

var capture = regexp.MustCompile(`\{set:([A-Za-z][A-Za-z0-9_]*)\}|\*`)

// header compares one header. want has its variables filled in.
func (m *matcher) header(name, want, got string, present bool) {
	path := "header " + name
	op, arg, _ := strings.Cut(want, " ")
	switch {
	case want == "-":
		if present {
			m.fault(path, "must be absent, got %q", got)
		}
		return
	case !present:
		m.fault(path, "want %q, got nothing", want)
		return
	case op == "=" || op == "!=":
		if m.known(path, arg) && (got == m.vars[arg]) != (op == "=") {
			m.fault(path, "want %s %q, got %q", op, m.vars[arg], got)
		}
		return
	}
	form, names, err := headerForm(want)
	if err != nil {
		m.fault(path, "%v", err)
		return
	}
	found := form.FindStringSubmatch(got)
	if found == nil {
		m.fault(path, "want %q, got %q", want, got)
		return
	}
	for i, name := range names {
		m.set[name] = found[i+1]
	}
}

// headerForm turns a header expectation into a regular expression; it is the
// recording's text, never the server's.
func headerForm(want string) (*regexp.Regexp, []string, error) {
	var form strings.Builder
	var names []string
	form.WriteString(`^`)
	last := 0
	for _, at := range capture.FindAllStringSubmatchIndex(want, -1) {
		form.WriteString(regexp.QuoteMeta(want[last:at[0]]))
		if at[2] >= 0 {
			names = append(names, want[at[2]:at[3]])
			form.WriteString(`(.+)`)
		} else {
			form.WriteString(`.*`)
		}
		last = at[1]
	}
	form.WriteString(regexp.QuoteMeta(want[last:]) + `$`)
	out, err := regexp.Compile(form.String())
	return out, names, errors.Join(err)
}
