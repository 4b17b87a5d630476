package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// jobState is a job as the REST API shows it.
type jobState struct {
	ID     string          `json:"id"`
	Type   string          `json:"type"`
	State  string          `json:"state"`
	Total  int             `json:"total"`
	Done   int             `json:"done"`
	Failed int             `json:"failed"`
	Fault  string          `json:"fault"`
	Errors int             `json:"errors"`
	Result json.RawMessage `json:"result"`
}

func (j *jobState) ended() bool {
	return j.State == "done" || j.State == "failed" || j.State == "cancelled"
}

// jobIn finds the id of the job in an answer: "." is the answer itself, anything
// else the member that has the id or the job; "" when there is none.
func jobIn(answer json.RawMessage, member string) (string, error) {
	var at any
	if err := json.Unmarshal(answer, &at); err != nil {
		return "", fmt.Errorf("read the job: %w", err)
	}
	if m, ok := at.(map[string]any); ok && member != "." {
		at = m[member]
	}
	switch x := at.(type) {
	case string:
		return x, nil
	case map[string]any:
		id, _ := x["id"].(string)
		return id, nil
	}
	return "", nil
}

const jobPoll = 200 * time.Millisecond

// await follows a job to its end and shows it. An interrupt leaves the job
// running and says so.
func (r *verbRun) await(ctx context.Context, id string) error {
	path := orgPath(r.given["slug"]) + "/jobs/" + id
	var raw json.RawMessage
	for last := ""; ; {
		var j jobState
		if err := r.call(ctx, "cannot follow the job "+id, http.MethodGet, path, nil, &raw); err != nil {
			return r.left(ctx, id, err)
		}
		if err := json.Unmarshal(raw, &j); err != nil {
			return fmt.Errorf("read the job: %w", err)
		}
		last = r.progressed(&j, last)
		if j.ended() {
			if r.progress && last != "" {
				fmt.Fprintln(r.stderr)
			}
			return errors.Join(r.print(r.output, raw, func() table { return jobTable([]json.RawMessage{raw}) }), r.judged(&j))
		}
		timer := time.NewTimer(jobPoll)
		select {
		case <-ctx.Done():
			timer.Stop()
			return r.left(ctx, id, ctx.Err())
		case <-timer.C:
		}
	}
}

// left says that a job goes on although nobody waits any more.
func (r *verbRun) left(ctx context.Context, id string, err error) error {
	if ctx.Err() != nil {
		fmt.Fprintf(r.stderr, "\nThe job %s goes on; follow it with \"usher job watch %s %s\".\n", id, r.given["slug"], id)
	}
	return err
}

// progressed draws a bar on a terminal and writes a line elsewhere when there is
// something new to say.
func (r *verbRun) progressed(j *jobState, last string) string {
	text := fmt.Sprintf("%s %s: %d", j.Type, j.State, j.Done)
	if j.Total > 0 {
		text = fmt.Sprintf("%s of %d (%d %%)", text, j.Total, 100*j.Done/j.Total)
	}
	if j.Failed > 0 {
		text += fmt.Sprintf(", %d failed", j.Failed)
	}
	if text == last {
		return last
	}
	if !r.progress {
		fmt.Fprintln(r.stderr, text)
		return text
	}
	const width = 30
	bar := strings.Repeat("·", width)
	if j.Total > 0 {
		full := min(width, width*j.Done/j.Total)
		bar = strings.Repeat("█", full) + strings.Repeat("·", width-full)
	}
	fmt.Fprintf(r.stderr, "\r\x1b[K%s %s", bar, text)
	return text
}

// judged turns the end of a job into the command's result.
func (r *verbRun) judged(j *jobState) error {
	switch {
	case j.State == "failed":
		return &failure{exit: exitFailure, what: "the job " + j.ID + " failed", why: errors.New(j.Fault)}
	case j.State == "cancelled":
		return &failure{exit: exitFailure, why: errors.New("the job " + j.ID + " was cancelled")}
	case j.Errors > 0:
		fmt.Fprintf(r.stderr, "Of %d items something is to be said; \"usher job errors %s %s\" tells.\n", j.Errors, r.given["slug"], j.ID)
	}
	return nil
}

var jobColumns = []column{{"ID", "id"}, {"TYPE", "type"}, {"STATE", "state"}, {"DONE", "done"}, {"TOTAL", "total"}, {"FAILED", "failed"}, {"CREATED", "created"}, {"ENDED", "ended"}}

func jobTable(rows []json.RawMessage) table {
	return (&verbRun{s: &verb{cols: jobColumns}}).tableOf(rows)
}
