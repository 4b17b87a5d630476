package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-scim/usher/resources"
)

const alertsPath = orgPath + "/alerts"

// Alert is something that administrators must see.
type Alert struct {
	ID      string    `json:"id" example:"06f7k2m9s3c4d5e6g7h5"`
	Kind    string    `json:"kind" example:"held_revocation"`
	State   string    `json:"state" enum:"open,done,dismissed"`
	Subject string    `json:"subject,omitempty" doc:"Id or SKU that it is about."`
	Detail  string    `json:"detail" example:"The change takes calling from 40 users."`
	Count   int       `json:"count,omitempty" example:"40" doc:"How many users it is about."`
	SKUs    []string  `json:"skus,omitempty" example:"calling"`
	Source  string    `json:"source,omitempty" example:"group:06f7k2m9s3c4d5e6g7h1" doc:"Of a held revocation: what gave the products."`
	Created time.Time `json:"created"`
	Decided time.Time `json:"decided,omitzero"`
	By      string    `json:"by,omitempty" doc:"Id of the token that decided."`
	Outcome string    `json:"outcome,omitempty" enum:"confirmed,rejected"`
	Job     string    `json:"job,omitempty" doc:"Id of the job that carries the decision out."`
}

// AlertPath is embedded in the input of operations on one alert.
type AlertPath struct {
	OrgPath
	ID string `path:"id" maxLength:"40" doc:"The alert's id."`
}

type listAlerts struct {
	OrgPath
	Paged
	State string `query:"state" enum:"open,done,dismissed"`
	Kind  string `query:"kind" maxLength:"40"`
}

func (d *door) registerAlerts(api huma.API) {
	const one = alertsPath + "/{id}"
	inside(d, api, resources.AreaLicences, operation("list-alerts", http.MethodGet, alertsPath, "List alerts, newest first", 200), d.listAlerts)
	inside(d, api, resources.AreaLicences, operation("get-alert", http.MethodGet, one, "Read an alert", 200), d.getAlert)
	inside(d, api, resources.AreaLicences, operation("confirm-alert", http.MethodPost, one+"/confirm", "Confirm a held revocation: the products are taken (BR-165)", 200, 409), d.confirmAlert)
	inside(d, api, resources.AreaLicences, operation("reject-alert", http.MethodPost, one+"/reject", "Reject a held revocation: the users keep the products (BR-165)", 200, 409), d.rejectAlert)
	inside(d, api, resources.AreaLicences, operation("finish-alert", http.MethodPost, one+"/done", "Mark an alert as done", 200, 409), d.finishAlert)
	inside(d, api, resources.AreaLicences, operation("dismiss-alert", http.MethodPost, one+"/dismiss", "Dismiss an alert", 200, 409), d.dismissAlert)
}

func wireAlert(a *resources.Alert) Alert {
	return Alert{
		ID: a.ID, Kind: string(a.Kind), State: string(a.State), Subject: a.Subject, Detail: a.Detail, Count: a.Count,
		SKUs: a.SKUs, Source: a.Source.String(), Created: a.Created, Decided: a.Decided, By: a.By, Outcome: a.Outcome, Job: a.Job,
	}
}

func (d *door) listAlerts(ctx context.Context, in *listAlerts) (*listOut[Alert], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	alerts, next, err := d.directory.Alerts(ctx, in.caller, resources.AlertState(in.State), resources.AlertKind(in.Kind), after, in.Limit)
	if err != nil {
		return nil, err
	}
	return listed(alerts, next, wireAlert), nil
}

// alert answers with an alert after an act.
func alert(a *resources.Alert, err error) (*plain[Alert], error) {
	if err != nil {
		return nil, err
	}
	return &plain[Alert]{Body: wireAlert(a)}, nil
}

func (d *door) getAlert(ctx context.Context, in *AlertPath) (*plain[Alert], error) {
	return alert(d.directory.Alert(ctx, in.caller, in.ID))
}

func (d *door) confirmAlert(ctx context.Context, in *AlertPath) (*plain[Alert], error) {
	return alert(d.directory.Decide(ctx, in.caller, in.ID, true))
}

func (d *door) rejectAlert(ctx context.Context, in *AlertPath) (*plain[Alert], error) {
	return alert(d.directory.Decide(ctx, in.caller, in.ID, false))
}

func (d *door) finishAlert(ctx context.Context, in *AlertPath) (*plain[Alert], error) {
	return alert(d.directory.CloseAlert(ctx, in.caller, in.ID, resources.AlertDone))
}

func (d *door) dismissAlert(ctx context.Context, in *AlertPath) (*plain[Alert], error) {
	return alert(d.directory.CloseAlert(ctx, in.caller, in.ID, resources.AlertDismissed))
}
