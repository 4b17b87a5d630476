package admin

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-scim/usher/resources"
)

// Trial is a test sign-in by a connection. Nobody is signed in by it, linked or
// created.
type Trial struct {
	ID         string    `json:"id" doc:"For reading it; whoever has it can take the test."`
	URL        string    `json:"url,omitempty" doc:"To be opened in a browser; left out once the test is over."`
	Connection string    `json:"connection" doc:"Id of the connection."`
	Began      time.Time `json:"began"`
	Expires    time.Time `json:"expires" doc:"Until then it can be taken and read."`
	Ended      time.Time `json:"ended,omitzero" doc:"Left out as long as nobody has come back from the provider."`
	State      string    `json:"state" enum:"waiting,passed,failed"`
	Checks     []Check   `json:"checks,omitempty" doc:"In the order in which they were made."`
	Outcome    string    `json:"outcome,omitempty" doc:"What a sign-in would lead to."`
	Subject    string    `json:"subject,omitempty" doc:"As the provider names the person; likewise the next three."`
	Email      string    `json:"email,omitempty"`
	Verified   *bool     `json:"emailVerified,omitempty"`
	ExternalID string    `json:"externalId,omitempty"`
}

// Check is one step of a test.
type Check struct {
	Name   string `json:"name" example:"discovery"`
	Passed bool   `json:"passed"`
	Detail string `json:"detail,omitempty" doc:"What was found, or what is wrong and how to correct it."`
}

// Refusal is a sign-in that was refused.
type Refusal struct {
	ID         string    `json:"id"`
	At         time.Time `json:"at"`
	Connection string    `json:"connection,omitempty" doc:"Id of the connection."`
	User       string    `json:"user,omitempty" doc:"Id of the user that was meant, when one was found."`
	Subject    string    `json:"subject,omitempty"`
	Email      string    `json:"email,omitempty"`
	Code       string    `json:"code" example:"sso_no_user"`
	Reason     string    `json:"reason" doc:"What was wrong, and what to do; the person was told less."`
	From       string    `json:"from,omitempty" example:"192.0.2.7"`
}

type (
	getTrial struct {
		ConnectionPath
		Test string `path:"test" maxLength:"100" doc:"The test's id."`
	}
	listRefusals struct {
		OrgPath
		Paged
		Connection string `query:"connection" maxLength:"40" doc:"Only those by this connection: its id."`
		User       string `query:"user" maxLength:"40" doc:"Only those of this user: its id."`
	}
)

func (d *door) registerTrials(api huma.API) {
	const tests = connectionsPath + "/{id}/test"
	inside(d, api, resources.AreaOrg, operation("test-connection", http.MethodPost, tests, "Begin a test sign-in, of a connection that is on or off", 201), d.startTrial)
	inside(d, api, resources.AreaOrg, operation("get-connection-test", http.MethodGet, connectionsPath+"/{id}/tests/{test}", "Read what became of a test sign-in", 200), d.getTrial)
	inside(d, api, resources.AreaOrg, operation("list-sign-in-refusals", http.MethodGet, orgPath+"/sign-in-refusals", "List refused sign-ins of the last thirty days, newest first", 200), d.listRefusals)
}

// wireTrial shows a test of a connection with the name.
func (d *door) wireTrial(slug, name string, t *resources.Trial) Trial {
	out := Trial{
		ID: t.ID, Connection: t.Connection, Began: t.Began, Expires: t.Expires(), Ended: t.Ended, State: "waiting", Outcome: t.Outcome,
		Subject: t.Subject, Email: t.Email, Verified: t.Verified, ExternalID: t.ExternalID,
	}
	switch {
	case t.Ended.IsZero():
		out.URL = d.publicURL + "/sso/" + url.PathEscape(slug) + "/" + url.PathEscape(name) + "/test?t=" + url.QueryEscape(t.ID)
	case t.Passed:
		out.State = "passed"
	default:
		out.State = "failed"
	}
	for _, c := range t.Checks {
		out.Checks = append(out.Checks, Check(c))
	}
	return out
}

func (d *door) startTrial(ctx context.Context, in *ConnectionPath) (*one[Trial], error) {
	cn, err := d.directory.Connection(ctx, in.caller, in.ID)
	if err != nil {
		return nil, err
	}
	t, err := d.directory.StartTrial(ctx, in.caller, cn.ID)
	if err != nil {
		return nil, err
	}
	return &one[Trial]{Location: in.at("connections", cn.ID, "tests", t.ID), Body: d.wireTrial(in.Slug, cn.Name, t)}, nil
}

func (d *door) getTrial(ctx context.Context, in *getTrial) (*plain[Trial], error) {
	cn, err := d.directory.Connection(ctx, in.caller, in.ID)
	if err != nil {
		return nil, err
	}
	t, err := d.directory.Trial(ctx, in.caller, in.Test)
	if err != nil {
		return nil, err
	}
	if t.Connection != cn.ID {
		return nil, missing("test")
	}
	return &plain[Trial]{Body: d.wireTrial(in.Slug, cn.Name, t)}, nil
}

func (d *door) listRefusals(ctx context.Context, in *listRefusals) (*listOut[Refusal], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	list, next, err := d.directory.Refusals(ctx, in.caller, in.Connection, in.User, after, in.Limit)
	if err != nil {
		return nil, err
	}
	return listed(list, next, func(r *resources.Refused) Refusal {
		return Refusal{r.ID, r.At, r.Connection, r.User, r.Subject, r.Email, string(r.Code), r.Reason, r.From}
	}), nil
}
