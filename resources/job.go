package resources

import (
	"encoding/json"
	"time"
)

// JobState is where a job is in its life.
type JobState string

// The states of a job.
const (
	JobQueued    JobState = "queued"
	JobRunning   JobState = "running"
	JobDone      JobState = "done" // perhaps with errors of single items
	JobFailed    JobState = "failed"
	JobCancelled JobState = "cancelled"
)

// Job is long work in pieces (BR-264): each step does a bounded piece and
// commits what came of it with the progress, under the worker's lease. Jobs are
// settings, found by "state" and "type".
type Job struct {
	ID       string          `json:"-"`
	Type     JobType         `json:"type"`
	State    JobState        `json:"state"`
	Created  time.Time       `json:"created"`
	By       string          `json:"by,omitempty"`  // token id of who asked
	For      string          `json:"for,omitempty"` // id of the user that the caller stood for
	Started  time.Time       `json:"started,omitzero"`
	Ended    time.Time       `json:"ended,omitzero"`
	Total    int             `json:"total"` // -1 while unknown
	Done     int             `json:"done"`  // items that were worked on, those that failed included
	Failed   int             `json:"failed"`
	Params   json.RawMessage `json:"params,omitempty"` // what to do, by type
	Cursor   string          `json:"cursor,omitempty"` // where the next step begins
	Result   json.RawMessage `json:"result,omitempty"` // what came of it, by type
	Fault    string          `json:"fault,omitempty"`  // of state failed: a sentence
	Errors   int             `json:"errors,omitempty"` // rows of errors kept, in pieces of noun rows
	Pieces   int             `json:"pieces,omitempty"` // of errors
	Inputs   int             `json:"inputs,omitempty"` // pieces of what it works on, see inputOf
	CancelAt time.Time       `json:"cancelAt,omitzero"`
	Subjects []string        `json:"subjects,omitempty"` // ids or SKUs it is about; jobs are found by them
	Sole     string          `json:"sole,omitempty"`     // not empty: of those of its type with this text only one may be under way

	faults []JobError // of the step that runs, not yet stored
}

// JobType says what a job does.
type JobType string

// The job types.
const (
	JobApplyTemplate   JobType = "template-apply"
	JobPreviewTemplate JobType = "template-preview"
	JobSettleGroup     JobType = "group-settle" // the members of a group whose template changed
	JobReport          JobType = "billing-report"
	JobImportNumbers   JobType = "number-import"
	JobRetry           JobType = "licence-retry"
	JobRelease         JobType = "held-revocation" // of a hold that was decided
	JobResettle        JobType = "resettle"        // everybody a change of the plan touches
)

// JobError is one line of a job's list of errors.
type JobError struct {
	Item   string `json:"item"` // id, number or line
	Code   Code   `json:"code"`
	Detail string `json:"detail"`
}
