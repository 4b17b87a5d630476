package admin

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-scim/usher/resources"
)

const templatesPath = orgPath + "/licence-templates"

// Template gives products automatically (BR-160, BR-161).
type Template struct {
	ID     string   `json:"id" example:"06f7k2m9s3c4d5e6g7h5"`
	Type   string   `json:"type" enum:"org,group"`
	Name   string   `json:"name,omitempty" example:"Sales"`
	SKUs   []string `json:"skus" example:"calling"`
	Groups []string `json:"groups,omitempty" doc:"Ids of the groups, of type group."`
	Held   *Alert   `json:"held,omitempty" doc:"With 202: the alert that waits for an administrator, because the change takes products from many users (BR-165)."`
}

// NewTemplate says what a template shall be.
type NewTemplate struct {
	Type   string   `json:"type" enum:"org,group" doc:"org: of users without licences named; group: of the members of groups."`
	Name   string   `json:"name,omitempty" maxLength:"100" example:"Sales"`
	SKUs   []string `json:"skus" maxItems:"100" example:"calling"`
	Groups []string `json:"groups,omitempty" maxItems:"100" doc:"Ids of the groups, of type group."`
}

// TemplatePath is embedded in the input of operations on one template.
type TemplatePath struct {
	OrgPath
	ID string `path:"id" maxLength:"40" doc:"The template's id."`
}

// Application says how a template is given to users there are.
type Application struct {
	DryRun   bool `json:"dryRun,omitempty" example:"true" doc:"Only count what would change."`
	Preserve bool `json:"preserve,omitempty" doc:"Keep what the template gave before and does not any more."`
}

type (
	createTemplate struct {
		OrgPath
		Body NewTemplate
	}
	putTemplate struct {
		TemplatePath
		Conditional
		Body NewTemplate
	}
	deleteTemplate struct {
		TemplatePath
		Conditional
	}
	applyTemplate struct {
		TemplatePath
		Body *Application
	}
	templateOut struct {
		Status   int
		ETag     string `header:"ETag" doc:"For If-Match."`
		Location string `header:"Location" doc:"Where it is, when it was created."`
		Body     Template
	}
	// Held tells of a change that waits for an administrator.
	Held struct {
		Held *Alert `json:"held,omitempty" doc:"The alert that waits for an administrator (BR-165)."`
	}
	heldOut struct {
		Status int
		Body   *Held
	}
	jobOut struct {
		Location string `header:"Location" doc:"Where the job is."`
		Body     Job
	}
)

func (d *door) registerTemplates(api huma.API) {
	const one = templatesPath + "/{id}"
	inside(d, api, resources.AreaLicences, operation("list-licence-templates", http.MethodGet, templatesPath, "List licence templates", 200), d.listTemplates)
	inside(d, api, resources.AreaLicences, operation("create-licence-template", http.MethodPost, templatesPath, "Add a licence template; a job gives its products to members there are", 201, 409), d.createTemplate)
	inside(d, api, resources.AreaLicences, operation("get-licence-template", http.MethodGet, one, "Read a licence template", 200), d.getTemplate)
	inside(d, api, resources.AreaLicences, operation("put-licence-template", http.MethodPut, one, "Replace a licence template; 202 when taking products away is held", 200, 202, 409, 412), d.putTemplate)
	inside(d, api, resources.AreaLicences, operation("delete-licence-template", http.MethodDelete, one, "Remove a licence template; 202 when taking products away is held", 204, 202, 412), d.deleteTemplate)
	inside(d, api, resources.AreaLicences, operation("preview-licence-template", http.MethodPost, one+"/preview", "Count what applying the organization's template would change, as a job", 202, 409), d.previewTemplate)
	inside(d, api, resources.AreaLicences, operation("apply-licence-template", http.MethodPost, one+"/apply-existing", "Give the organization's template to users there are, as a job", 202, 409), d.applyTemplate)
}

func wireTemplate(t resources.Template) Template {
	return Template{ID: t.ID, Type: string(t.Type), Name: t.Name, SKUs: texts(t.SKUs), Groups: t.Groups}
}

func (n *NewTemplate) template(id string) resources.Template {
	return resources.Template{ID: id, Type: resources.TemplateType(n.Type), Name: n.Name, SKUs: n.SKUs, Groups: n.Groups}
}

func (d *door) listTemplates(ctx context.Context, in *OrgPath) (*listOut[Template], error) {
	all, err := d.directory.Templates(ctx, in.caller)
	if err != nil {
		return nil, err
	}
	return listed(all, "", wireTemplate), nil
}

func (d *door) getTemplate(ctx context.Context, in *TemplatePath) (*templateOut, error) {
	all, err := d.directory.Templates(ctx, in.caller)
	if err != nil {
		return nil, err
	}
	for _, t := range all {
		if t.ID == in.ID {
			return templateAnswer(t, nil, http.StatusOK)
		}
	}
	return nil, missing("licence template")
}

// templateAnswer shows a template; 202 when something of its change is held.
func templateAnswer(t resources.Template, held *resources.Alert, status int) (*templateOut, error) {
	tag, err := tagOf(t)
	if err != nil {
		return nil, err
	}
	out := &templateOut{Status: status, ETag: tag, Body: wireTemplate(t)}
	if held != nil {
		a := wireAlert(held)
		out.Status, out.Body.Held = http.StatusAccepted, &a
	}
	return out, nil
}

func (d *door) createTemplate(ctx context.Context, in *createTemplate) (*templateOut, error) {
	c, err := in.creating(resources.KindSetting)
	if err != nil {
		return nil, err
	}
	t, held, err := d.directory.PutTemplate(ctx, c, in.Body.template(""))
	if err != nil {
		return nil, err
	}
	out, err := templateAnswer(t, held, http.StatusCreated)
	if err != nil {
		return nil, err
	}
	out.Location = in.at("licence-templates", t.ID)
	return out, nil
}

func (d *door) putTemplate(ctx context.Context, in *putTemplate) (*templateOut, error) {
	c := in.caller
	c.Seen = in.seen()
	t, held, err := d.directory.PutTemplate(ctx, c, in.Body.template(in.ID))
	if err != nil {
		return nil, err
	}
	return templateAnswer(t, held, http.StatusOK)
}

func (d *door) deleteTemplate(ctx context.Context, in *deleteTemplate) (*heldOut, error) {
	c := in.caller
	c.Seen = in.seen()
	held, err := d.directory.DeleteTemplate(ctx, c, in.ID)
	return heldAnswer(held), err
}

// heldAnswer is 204, or 202 with the alert when something of a change is held.
func heldAnswer(held *resources.Alert) *heldOut {
	if held == nil {
		return nil
	}
	a := wireAlert(held)
	return &heldOut{Status: http.StatusAccepted, Body: &Held{Held: &a}}
}

func (d *door) previewTemplate(ctx context.Context, in *applyTemplate) (*jobOut, error) {
	c, err := in.creating(resources.KindSetting)
	if err != nil {
		return nil, err
	}
	preserve := in.Body != nil && in.Body.Preserve
	job, err := d.directory.ApplyTemplate(ctx, c, in.ID, true, preserve)
	return in.job(job, err)
}

func (d *door) applyTemplate(ctx context.Context, in *applyTemplate) (*jobOut, error) {
	c, err := in.creating(resources.KindSetting)
	if err != nil {
		return nil, err
	}
	b := in.Body
	if b == nil {
		b = &Application{}
	}
	job, err := d.directory.ApplyTemplate(ctx, c, in.ID, b.DryRun, b.Preserve)
	return in.job(job, err)
}
