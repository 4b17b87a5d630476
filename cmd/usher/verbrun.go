package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
)

// run makes the request and prints the answer.
func (r *verbRun) run(ctx context.Context) error {
	ask := r.s.ask
	if r.s.warn != nil {
		ask = r.s.warn(r.sent)
	}
	if ask != "" {
		if err := r.confirmed(ask); err != nil {
			return err
		}
		if !r.s.here {
			r.asked.Set("confirm", "true")
		}
	}
	switch {
	case r.s.raw:
		return r.download(ctx)
	case r.s.list:
		return r.pages(ctx)
	}
	var answer json.RawMessage
	if err := r.once(ctx, r.address(), &answer); err != nil {
		return err
	}
	if r.s.job != "" {
		id, err := jobIn(answer, r.s.job)
		if err != nil {
			return err
		}
		if id != "" && r.wait {
			return r.await(ctx, id)
		}
	}
	return r.show(answer)
}

func (r *verbRun) address() string {
	if len(r.asked) == 0 {
		return r.where
	}
	return r.where + "?" + r.asked.Encode()
}

// once makes one request.
func (r *verbRun) once(ctx context.Context, path string, out *json.RawMessage) error {
	if r.s.input != "" {
		text, err := r.readInput(r.given[r.s.input])
		if err != nil {
			return err
		}
		return r.send(ctx, r.what, r.s.method, path, r.s.media, bytes.NewReader(text), out)
	}
	var in any
	if len(r.sent) > 0 || len(r.s.body) > 0 || r.s.method == http.MethodPatch {
		in = r.sent
	}
	if in == nil && r.s.method == http.MethodPost {
		in = map[string]any{}
		if len(r.s.fixed)+len(r.s.args)+len(r.s.body) == 0 && r.s.job == "" {
			in = nil
		}
	}
	return r.call(ctx, r.what, r.s.method, path, in, out)
}

// readInput reads the file an argument names; - is stdin.
func (r *verbRun) readInput(name string) ([]byte, error) {
	const most = 2 << 20
	from := r.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, &failure{exit: exitUsage, what: "cannot read " + name, why: err, todo: "check the path"}
		}
		defer func() { _ = f.Close() }() // it was only read
		from = f
	}
	text, err := io.ReadAll(io.LimitReader(from, most+1))
	if err != nil {
		return nil, &failure{exit: exitUsage, what: "cannot read " + name, why: err}
	}
	if len(text) > most {
		return nil, &failure{exit: exitUsage, why: errors.New(name + " is larger than the server takes"), todo: "split it"}
	}
	return text, nil
}

// pages reads a list until there is enough.
func (r *verbRun) pages(ctx context.Context) error {
	const page = 200
	all := struct {
		Items []json.RawMessage `json:"items"`
		Next  string            `json:"next,omitempty"`
	}{Items: []json.RawMessage{}}
	for {
		want := page
		if r.limit > 0 {
			want = min(page, r.limit-len(all.Items))
		}
		r.asked.Set("limit", strconv.Itoa(want))
		var raw json.RawMessage
		if err := r.once(ctx, r.address(), &raw); err != nil {
			return err
		}
		var part struct {
			Items []json.RawMessage `json:"items"`
			Next  string            `json:"next"`
		}
		if err := json.Unmarshal(raw, &part); err != nil {
			return &failure{exit: exitFailure, what: r.what, why: errors.New("the answer is not what usher sends"), todo: "check --api-url"}
		}
		all.Items, all.Next = append(all.Items, part.Items...), part.Next
		if all.Next == "" || r.limit > 0 && len(all.Items) >= r.limit {
			break
		}
		r.asked.Set("cursor", all.Next)
	}
	if all.Next != "" && r.output == "table" {
		fmt.Fprintf(r.stderr, "There are more; --limit 0 shows all.\n")
	}
	out, err := json.Marshal(all)
	if err != nil {
		return fmt.Errorf("encode the list: %w", err)
	}
	return r.print(r.output, json.RawMessage(out), func() table { return r.tableOf(all.Items) })
}

// show prints an answer that is no list.
func (r *verbRun) show(answer json.RawMessage) error {
	if len(answer) == 0 {
		out := map[string]string{"state": r.s.said}
		return r.print(r.output, out, func() table { return table{rows: [][]string{{r.s.said}}} })
	}
	return r.print(r.output, answer, func() table {
		rows := []json.RawMessage{answer}
		if r.s.rows != "" {
			var members map[string]json.RawMessage
			rows = nil
			if json.Unmarshal(answer, &members) == nil && json.Unmarshal(members[r.s.rows], &rows) != nil {
				rows = []json.RawMessage{answer}
			}
		} else if bytes.HasPrefix(bytes.TrimSpace(answer), []byte{'['}) && json.Unmarshal(answer, &rows) != nil {
			rows = nil
		}
		return r.tableOf(rows)
	})
}

func (r *verbRun) tableOf(rows []json.RawMessage) table {
	var t table
	for _, c := range r.s.cols {
		t.head = append(t.head, c.head)
	}
	for _, raw := range rows {
		var row any
		if json.Unmarshal(raw, &row) != nil {
			continue
		}
		cells := make([]string, len(r.s.cols))
		for i, c := range r.s.cols {
			cells[i] = cell(row, c.path)
		}
		t.rows = append(t.rows, cells)
	}
	if r.s.tall {
		return t.turned()
	}
	return t
}

// turned has the columns of a table as rows.
func (t table) turned() table {
	var out table
	for i, head := range t.head {
		row := []string{head}
		for _, cells := range t.rows {
			row = append(row, cells[i])
		}
		out.rows = append(out.rows, row)
	}
	return out
}

// cell gives what stands at a path, lists joined by commas.
func cell(v any, path string) string {
	if list, ok := v.([]any); ok {
		parts := make([]string, 0, len(list))
		for _, x := range list {
			parts = append(parts, cell(x, path))
		}
		return strings.Join(parts, ",")
	}
	if path != "" {
		m, ok := v.(map[string]any)
		if !ok {
			return ""
		}
		head, rest, _ := strings.Cut(path, ".")
		return cell(m[head], rest)
	}
	switch x := v.(type) {
	case nil:
		return ""
	case bool:
		if x {
			return "yes"
		}
		return "no"
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	case string:
		return x
	}
	return fmt.Sprint(v)
}

// download copies an answer to stdout.
func (r *verbRun) download(ctx context.Context) error {
	resp, err := r.open(ctx, r.what, r.s.method, r.address(), "", nil)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // it was read to its end, or the error says so
	if _, err := io.Copy(r.stdout, resp.Body); err != nil {
		return &failure{exit: exitUnavailable, what: r.what, why: err, request: resp.Header.Get("X-Request-Id")}
	}
	return nil
}

// confirmed asks a person to agree to what cannot be undone.
func (r *verbRun) confirmed(ask string) error {
	if r.yes {
		return nil
	}
	if !r.interactive {
		return &failure{exit: exitUsage, what: r.what, why: errors.New("this needs a confirmation, and nobody is there to give it: " + strings.TrimRight(strings.ReplaceAll(ask, "\n", " "), ".")), todo: "add --yes to confirm"}
	}
	fmt.Fprintf(r.stderr, "%s Type yes to confirm: ", ask)
	typed, err := bufio.NewReader(r.stdin).ReadString('\n')
	if err != nil || strings.TrimSpace(typed) != "yes" {
		return &failure{exit: exitUsage, why: errors.New("not confirmed"), todo: "nothing was done"}
	}
	return nil
}
