package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-scim/usher/resources"
)

const mailsPath = orgPath + "/mails"

// Mail is one message to one person, and what became of it.
type Mail struct {
	ID       string    `json:"id" example:"06f7k2m9s3c4d5e6g7h5" doc:"Part of the Message-ID."`
	Template string    `json:"template" enum:"activate,reminder,again,reset,licences,digest,new-address,old-address,job-done,access-changed"`
	User     string    `json:"user,omitempty" doc:"Id of who gets it."`
	To       string    `json:"to" example:"zoe@acme.example"`
	Language string    `json:"language,omitempty" enum:"en,fr" doc:"Left out until it is rendered."`
	Trigger  string    `json:"trigger" enum:"auto,manual,bulk,reminder,self,system,export"`
	Job      string    `json:"job,omitempty" doc:"Id of the job that sends it, or that it tells of."`
	By       string    `json:"by,omitempty" doc:"Id of the token, or the user, that asked for it."`
	State    string    `json:"state" enum:"queued,sent,failed,cancelled,exported" doc:"failed: the mail server refused it for good. cancelled: there was no reason any more. exported: the link was handed to an administrator."`
	Created  time.Time `json:"created"`
	Sent     time.Time `json:"sent,omitzero"`
	Tries    int       `json:"tries" doc:"Answers of the mail server so far."`
	Answer   string    `json:"answer,omitempty" example:"550 5.1.1 no such mailbox" doc:"The last one, or why it was cancelled."`
	Number   int       `json:"number,omitempty" doc:"Of reminders: which one."`
}

// MailPath is embedded in the input of operations on one mail.
type MailPath struct {
	OrgPath
	ID string `path:"id" maxLength:"40" doc:"The mail's id."`
}

// Bulk says how the activation mail is sent to everybody who has not come yet.
type Bulk struct {
	DryRun bool `json:"dryRun,omitempty" doc:"Only count who would get it."`
}

// BulkSent is how many users the activation mail goes to, and the job.
type BulkSent struct {
	Users int  `json:"users" example:"120" doc:"Who has not signed in yet and is active."`
	Job   *Job `json:"job,omitempty"`
}

// ActivationLink is an activation link for an administrator to hand out.
type ActivationLink struct {
	User     string    `json:"user"`
	UserName string    `json:"userName"`
	Email    string    `json:"email"`
	URL      string    `json:"url" example:"https://id.example.com/activate?t=…" doc:"Who has the link can come in as the user."`
	Path     string    `json:"path" example:"/activate?t=…" doc:"The same from the server's root."`
	Code     string    `json:"code,omitempty" example:"042917"`
	Expires  time.Time `json:"expires"`
}

type (
	listMails struct {
		OrgPath
		Paged
		User  string `query:"user" maxLength:"40" doc:"Id of who gets it."`
		State string `query:"state" enum:"queued,sent,failed,cancelled,exported"`
	}
	listUserMails struct {
		UserPath
		Paged
		State string `query:"state" enum:"queued,sent,failed,cancelled,exported"`
	}
	sendBulk struct {
		OrgPath
		Confirm bool `query:"confirm" doc:"It cannot be undone; links that the users have stop working."`
		Body    *Bulk
	}
	bulkOut struct {
		Status   int
		Location string `header:"Location" doc:"Where the job is."`
		Body     BulkSent
	}
	mailOut struct {
		Location string `header:"Location" doc:"Where the mail is in the log."`
		Body     Mail
	}
	exportLinks struct {
		OrgPath
		Paged
	}
)

func (d *door) registerMails(api huma.API) {
	inside(d, api, resources.AreaUsers, operation("list-mails", http.MethodGet, mailsPath, "List the mail log, newest first", 200), d.listMails)
	inside(d, api, resources.AreaUsers, operation("get-mail", http.MethodGet, mailsPath+"/{id}", "Read a mail of the log", 200), d.getMail)
	inside(d, api, resources.AreaUsers, operation("list-user-mails", http.MethodGet, usersPath+"/{id}/mails", "List the mails to a user, newest first", 200), d.listUserMails)
	inside(d, api, resources.AreaUsers, operation("send-activation", http.MethodPost, usersPath+"/{id}/send-activation",
		"Send the activation mail to a user, once in ten minutes (BR-084, BR-092)", 202, 403, 409, 422, 429), d.sendActivation)
	inside(d, api, resources.AreaUsers, operation("send-activation-mails", http.MethodPost, orgPath+"/activation-mails/send",
		"Send the activation mail to everybody who has not signed in yet, as a job; a dry run counts them (BR-091)", 202, 200, 409, 428), d.sendBulk)
	inside(d, api, resources.AreaOrg, operation("export-activation-links", http.MethodPost, orgPath+"/activation-links",
		"Make activation links to hand out, when the organization allows it (BR-088)", 200, 403), d.exportLinks)
}

func wireMail(m *resources.Mail) Mail {
	return Mail{
		ID: m.ID, Template: string(m.Template), User: m.User, To: m.To, Language: m.Language, Trigger: string(m.Trigger), Job: m.Job, By: m.By,
		State: string(m.State), Created: m.Created, Sent: m.Sent, Tries: m.Tries, Answer: m.Answer, Number: m.Number,
	}
}

func (d *door) mails(ctx context.Context, c resources.Caller, p *Paged, user, state string) (*listOut[Mail], error) {
	after, err := p.after()
	if err != nil {
		return nil, err
	}
	list, next, err := d.directory.Mails(ctx, c, user, resources.MailState(state), after, p.Limit)
	if err != nil {
		return nil, err
	}
	return listed(list, next, wireMail), nil
}

func (d *door) listMails(ctx context.Context, in *listMails) (*listOut[Mail], error) {
	return d.mails(ctx, in.caller, &in.Paged, in.User, in.State)
}

func (d *door) listUserMails(ctx context.Context, in *listUserMails) (*listOut[Mail], error) {
	return d.mails(ctx, in.caller, &in.Paged, in.ID, in.State)
}

func (d *door) getMail(ctx context.Context, in *MailPath) (*plain[Mail], error) {
	m, err := d.directory.Mail(ctx, in.caller, in.ID)
	if err != nil {
		return nil, err
	}
	return &plain[Mail]{Body: wireMail(m)}, nil
}

func (d *door) sendActivation(ctx context.Context, in *UserPath) (*mailOut, error) {
	c, err := in.creating(resources.KindSetting)
	if err != nil {
		return nil, err
	}
	m, err := d.directory.SendActivation(ctx, c, in.ID)
	if err != nil {
		return nil, err
	}
	return &mailOut{Location: in.at("mails", m.ID), Body: wireMail(m)}, nil
}

func (d *door) sendBulk(ctx context.Context, in *sendBulk) (*bulkOut, error) {
	c, err := in.creating(resources.KindSetting)
	if err != nil {
		return nil, err
	}
	n, j, err := d.directory.SendBulk(ctx, c, in.Body != nil && in.Body.DryRun, in.Confirm)
	if err != nil {
		return nil, err
	}
	out := &bulkOut{Status: http.StatusOK, Body: BulkSent{Users: n}}
	if j != nil {
		job := wireJob(j)
		out.Status, out.Location, out.Body.Job = http.StatusAccepted, in.at("jobs", j.ID), &job
	}
	return out, nil
}

func (d *door) exportLinks(ctx context.Context, in *exportLinks) (*listOut[ActivationLink], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	links, next, err := d.directory.ExportLinks(ctx, in.caller, after, in.Limit)
	if err != nil {
		return nil, err
	}
	return listed(links, next, func(l resources.ExportedLink) ActivationLink {
		return ActivationLink{User: l.User, UserName: l.UserName, Email: l.Email, URL: d.publicURL + l.Path, Path: l.Path, Code: l.Code, Expires: l.Expires}
	}), nil
}
