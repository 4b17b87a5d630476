package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// Most commands of administrators are one request each: they are told as data
// here, and verb.command makes the command.

// verb is a command that makes one request, or reads a list page by page.
type verb struct {
	use            string // name and arguments: "show SLUG ID"; the last may be repeated: "SKU..."
	short, example string
	long           string
	method, path   string                           // {slug} in the path is the argument SLUG
	query, body    []param                          // flags
	fixed          map[string]any                   // members of the body that no flag sets
	args           map[string]string                // members of the body that are arguments, by name
	cols           []column                         // of the table for people
	tall           bool                             // the table has a row for each column, because there are too many to stand beside each other
	rows           string                           // member of the answer that has the rows; "" is the answer itself
	list           bool                             // the answer is a page of a list
	job            string                           // member of the answer that is a job to wait for; "." is the answer itself
	ask            string                           // what cannot be undone, to be confirmed
	here           bool                             // the confirmation is asked for here alone, the server wants none
	warn           func(sent map[string]any) string // what of the body is to be confirmed, or ""
	input          string                           // argument that names a file with the body, and
	media          string                           // its media type
	raw            bool                             // the answer goes to stdout as it is
	said           string                           // what to say when the answer is empty: "deleted"
}

// param is a flag that becomes a parameter or a member of the body.
type param struct {
	flag, name string
	kind       byte // 's' text, 'i' number, 'b' yes or no, 'l' list, 't' time, 'n' text of which "" takes the value away, 'f' a file with the text
	usage      string
	need       bool
}

// column is one of a table: a path of members, joined by dots.
type column struct{ head, path string }

// newNoun makes a command for a noun out of its verbs.
func newNoun(p *program, name, short string, aliases []string, verbs ...verb) *cobra.Command {
	v := &orgVerb{program: p}
	cmd := nounCommand(name, short)
	cmd.Aliases = aliases
	addAPIFlags(cmd, &v.api)
	for i := range verbs {
		cmd.AddCommand(verbs[i].command(v))
	}
	return cmd
}

// names are the arguments of a verb, in order, in lower case.
func (s *verb) names() (names []string, many bool) {
	for _, w := range strings.Fields(s.use)[1:] {
		w, rest, _ := strings.Cut(w, "...")
		many = rest == "" && strings.HasSuffix(s.use, "...")
		names = append(names, strings.ToLower(w))
	}
	return names, many
}

func (s *verb) command(v *orgVerb) *cobra.Command {
	names, many := s.names()
	cmd := &cobra.Command{Use: s.use, Short: s.short, Long: s.long, Example: s.example, Args: wants(names...)}
	if cmd.Long == "" {
		cmd.Long = s.short + "."
	}
	if many {
		cmd.Args = wantsAtLeast(names...)
	}
	o := &verbOptions{limit: 50, wait: true}
	f := cmd.Flags()
	for _, p := range slices.Concat(s.query, s.body) {
		switch p.kind {
		case 'i':
			f.Int(p.flag, 0, p.usage)
		case 'b':
			f.Bool(p.flag, false, p.usage)
		case 'l':
			f.StringSlice(p.flag, nil, p.usage)
		default:
			f.String(p.flag, "", p.usage)
		}
	}
	if s.list {
		f.IntVar(&o.limit, "limit", o.limit, "how many to show at most; 0 shows all")
	}
	if s.job != "" {
		f.BoolVar(&o.wait, "wait", true, "wait for the job and show its progress; --wait=false returns at once")
	}
	if s.ask != "" || s.warn != nil {
		f.BoolVar(&o.yes, "yes", false, "do not ask for confirmation")
	}
	if !s.raw {
		addOutputFlag(cmd, &v.output)
	}
	cmd.RunE = action(func(ctx context.Context, cmd *cobra.Command, args []string) error {
		if err := badOutput(v.output); err != nil && !s.raw {
			return err
		}
		c, err := v.connect(&v.api)
		if err != nil {
			return err
		}
		r := &verbRun{s: s, orgVerb: v, client: c, verbOptions: *o, cmd: cmd}
		if err := r.take(names, args); err != nil {
			return err
		}
		return r.run(ctx)
	})
	return cmd
}

func wantsAtLeast(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		return wants(names...)(cmd, args[:min(len(args), len(names))])
	}
}

type verbOptions struct {
	limit     int
	wait, yes bool
}

// verbRun is one use of a verb.
type verbRun struct {
	s *verb
	*orgVerb
	*client
	verbOptions
	cmd *cobra.Command

	what  string // the act, for errors
	where string // path and query
	asked url.Values
	sent  map[string]any
	given map[string]string
	many  []string // what the last argument was repeated with
}

// take puts arguments and flags where the request needs them.
func (r *verbRun) take(names, args []string) error {
	r.given, r.asked, r.sent = map[string]string{}, url.Values{}, map[string]any{}
	r.where = r.s.path
	for i, n := range names {
		if args[i] == "." || args[i] == ".." { // in a path they mean another place
			return &failure{exit: exitUsage, why: fmt.Errorf("%q is no %s", args[i], strings.ToUpper(n))}
		}
		r.given[n] = args[i]
		r.where = strings.ReplaceAll(r.where, "{"+n+"}", url.PathEscape(args[i]))
	}
	r.many = args[max(len(names)-1, 0):]
	r.what = "cannot " + strings.Join(append([]string{r.cmd.Name(), r.cmd.Parent().Name()}, args[min(1, len(args)):]...), " ")
	for _, p := range r.s.query {
		v, ok, err := r.value(p)
		if err != nil {
			return err
		}
		if ok {
			r.asked.Set(p.name, fmt.Sprint(v))
		}
	}
	for member, arg := range r.s.args {
		if text, many := strings.CutSuffix(arg, "..."); many {
			r.sent[member] = r.many
		} else {
			r.sent[member] = r.given[text]
		}
	}
	maps.Copy(r.sent, r.s.fixed)
	for _, p := range r.s.body {
		v, ok, err := r.value(p)
		if err != nil {
			return err
		}
		if ok {
			setMember(r.sent, p.name, v)
		}
	}
	if len(r.s.body) > 0 && len(r.sent) == 0 && r.s.method == "PATCH" {
		return &failure{exit: exitUsage, why: errors.New("nothing to change"), todo: "see \"" + r.cmd.CommandPath() + " --help\" for what can be"}
	}
	return nil
}

// setMember puts a value at a path of members.
func setMember(to map[string]any, path string, v any) {
	head, rest, nested := strings.Cut(path, ".")
	if !nested {
		to[head] = v
		return
	}
	inner, ok := to[head].(map[string]any)
	if !ok {
		inner = map[string]any{}
		to[head] = inner
	}
	setMember(inner, rest, v)
}

// value reads a flag; ok tells whether it was given.
func (r *verbRun) value(p param) (v any, ok bool, err error) {
	f := r.cmd.Flags()
	if !f.Changed(p.flag) {
		if p.need {
			return nil, false, &failure{exit: exitUsage, why: errors.New("--" + p.flag + " is missing"), todo: p.usage}
		}
		return nil, false, nil
	}
	switch p.kind {
	case 'i':
		v, err = f.GetInt(p.flag)
	case 'b':
		v, err = f.GetBool(p.flag)
	case 'l':
		v, err = f.GetStringSlice(p.flag)
	case 't':
		v, err = r.instant(p)
	case 'f':
		v, err = r.fileText(p)
	default:
		v, err = f.GetString(p.flag)
		if p.kind == 'n' && v == "" {
			v = nil
		}
	}
	return v, true, err
}

// fileText reads the file that a flag names, for what must not stand in a command
// line; the line end behind the text does not count.
func (r *verbRun) fileText(p param) (any, error) {
	name, err := r.cmd.Flags().GetString(p.flag)
	if err != nil {
		return nil, err
	}
	text, err := r.readInput(name)
	return strings.TrimRight(string(text), "\r\n"), err
}

// instant reads a day or a time; "never" and "" take it away.
func (r *verbRun) instant(p param) (any, error) {
	text, err := r.cmd.Flags().GetString(p.flag)
	if err != nil || text == "" || text == "never" {
		return json.RawMessage("null"), err
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC().Format(time.RFC3339), nil
		}
	}
	return nil, &failure{exit: exitUsage, why: fmt.Errorf("--%s %q is no time", p.flag, text), todo: "write 2026-11-20 or 2026-11-20T09:00:00Z"}
}
