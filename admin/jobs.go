package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-scim/usher/resources"
)

const jobsPath = orgPath + "/jobs"

// Job is long work in pieces (BR-264).
type Job struct {
	ID       string          `json:"id" example:"06f7k2m9s3c4d5e6g7h5"`
	Type     string          `json:"type" example:"template-apply"`
	State    string          `json:"state" enum:"queued,running,done,failed,cancelled" example:"running"`
	Total    int             `json:"total" example:"1000" doc:"-1 while it is not known."`
	Done     int             `json:"done" example:"640"`
	Failed   int             `json:"failed" example:"2" doc:"How many of those done failed; see errors.csv."`
	Created  time.Time       `json:"created"`
	Started  time.Time       `json:"started,omitzero"`
	Ended    time.Time       `json:"ended,omitzero"`
	Cancel   time.Time       `json:"cancelRequested,omitzero"`
	By       string          `json:"by,omitempty" doc:"Id of the token that asked for it."`
	Params   json.RawMessage `json:"params,omitempty" doc:"What it was asked to do, by type."`
	Result   json.RawMessage `json:"result,omitempty" doc:"What came of it, by type."`
	Fault    string          `json:"fault,omitempty" doc:"Why it failed."`
	Errors   int             `json:"errors" example:"2" doc:"Rows of errors.csv."`
	Progress float64         `json:"progress" example:"0.64" doc:"Between 0 and 1."`
}

// JobPath is embedded in the input of operations on one job.
type JobPath struct {
	OrgPath
	ID string `path:"id" maxLength:"40" doc:"The job's id."`
}

type (
	listJobs struct {
		OrgPath
		Paged
		State string `query:"state" enum:"queued,running,done,failed,cancelled"`
		Type  string `query:"type" maxLength:"40"`
	}
	stream struct {
		Type        string `header:"Content-Type"`
		Disposition string `header:"Content-Disposition"`
		Body        func(huma.Context)
	}
)

func (d *door) registerJobs(api huma.API) {
	const one = jobsPath + "/{id}"
	inside(d, api, anyArea, operation("list-jobs", http.MethodGet, jobsPath, "List jobs, newest first", 200), d.listJobs)
	inside(d, api, anyArea, operation("get-job", http.MethodGet, one, "Read a job and its progress", 200), d.getJob)
	inside(d, api, anyArea, operation("get-job-errors", http.MethodGet, one+errorsPath, "Download what failed, one line each", 200), d.jobErrors)
	inside(d, api, anyArea, operation("cancel-job", http.MethodPost, one+"/cancel", "Stop a job before its next step", 200, 409), d.cancelJob)
}

func wireJob(j *resources.Job) Job {
	out := Job{
		ID: j.ID, Type: string(j.Type), State: string(j.State), Total: j.Total, Done: j.Done, Failed: j.Failed,
		Created: j.Created, Started: j.Started, Ended: j.Ended, Cancel: j.CancelAt, By: j.By,
		Params: j.Params, Result: j.Result, Fault: j.Fault, Errors: j.Errors,
	}
	switch {
	case j.State == resources.JobDone:
		out.Progress = 1
	case j.Total > 0:
		out.Progress = min(1, float64(j.Done)/float64(j.Total))
	}
	return out
}

// job answers with a job that was started.
func (p *OrgPath) job(j *resources.Job, err error) (*jobOut, error) {
	if err != nil {
		return nil, err
	}
	return &jobOut{Location: p.at("jobs", j.ID), Body: wireJob(j)}, nil
}

func (d *door) listJobs(ctx context.Context, in *listJobs) (*listOut[Job], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	jobs, next, err := d.directory.Jobs(ctx, in.caller, resources.JobState(in.State), resources.JobType(in.Type), after, in.Limit)
	if err != nil {
		return nil, err
	}
	return listed(jobs, next, wireJob), nil
}

func (d *door) getJob(ctx context.Context, in *JobPath) (*plain[Job], error) {
	j, err := d.directory.Job(ctx, in.caller, in.ID)
	if err != nil {
		return nil, err
	}
	return &plain[Job]{Body: wireJob(j)}, nil
}

func (d *door) cancelJob(ctx context.Context, in *JobPath) (*plain[Job], error) {
	j, err := d.directory.CancelJob(ctx, in.caller, in.ID)
	if err != nil {
		return nil, err
	}
	return &plain[Job]{Body: wireJob(j)}, nil
}

func (d *door) jobErrors(ctx context.Context, in *JobPath) (*stream, error) {
	if _, err := d.directory.Job(ctx, in.caller, in.ID); err != nil {
		return nil, err
	}
	return d.csv(ctx, "job-"+in.ID+"-errors.csv", []string{"item", "code", "detail"}, func(row func(...string) error) error {
		return d.directory.JobErrors(ctx, in.caller, in.ID, func(e resources.JobError) error {
			return row(e.Item, string(e.Code), e.Detail)
		})
	}), nil
}
