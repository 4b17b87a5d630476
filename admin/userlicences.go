package admin

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-scim/usher/resources"
)

// Licensing explains a user's licences.
type Licensing struct {
	Origin   string   `json:"licensingOrigin" enum:"automatic,explicit" doc:"explicit: came with licences named, and never gets the organization's template (BR-163)."`
	Tier     string   `json:"tier" enum:"licensed,basic,unlicensed"`
	Desired  []string `json:"desired" doc:"SKUs that the document asks for."`
	Package  string   `json:"package,omitempty" example:"calling" doc:"The package that is asked for."`
	Licences []Why    `json:"licences"`
	Refused  []Why    `json:"refused" doc:"Products that a source could give and that precedence keeps away (BR-162)."`
	Issues   []Issue  `json:"issues"`
}

// Why explains one product of one user.
type Why struct {
	UserLicence
	Name     string   `json:"name" example:"Calling"`
	Seat     string   `json:"seat,omitempty" example:"Seat of subscription 06f7k2m9s3c4d5e6g7h5." doc:"Of which subscription, or why none."`
	Reasons  []string `json:"reasons" doc:"A sentence for each source: rule, source, since when."`
	Position int      `json:"position,omitempty" example:"3" doc:"In the line of those who wait."`
	Ahead    int      `json:"ahead,omitempty" example:"3" doc:"Seats that must free before it is this user's turn."`
}

// LicenceChange grants and takes direct licences.
type LicenceChange struct {
	Add          []string          `json:"add,omitempty" maxItems:"50" example:"host"`
	Remove       []string          `json:"remove,omitempty" maxItems:"50"`
	Subscription map[string]string `json:"subscriptions,omitempty" doc:"By SKU: id of the subscription to take the seat of (BR-152)."`
	Package      Patch[string]     `json:"package,omitzero" maxLength:"63" example:"calling" doc:"null: none."`
}

type changeLicences struct {
	UserPath
	Conditional
	Body LicenceChange `contentType:"application/merge-patch+json"`
}

func (d *door) registerUserLicences(api huma.API) {
	const one = usersPath + "/{id}/licences"
	inside(d, api, resources.AreaLicences, operation("get-user-licences", http.MethodGet, one, "Explain a user's licences: sources, rules, seats, since when, and why not", 200), d.getLicences)
	inside(d, api, resources.AreaLicences, operation("change-user-licences", http.MethodPatch, one, "Grant and take direct licences; what cannot be granted refuses all (BR-150 … BR-154)", 200, 409, 412), d.changeLicences)
	inside(d, api, resources.AreaLicences, operation("return-user-to-automatic-licensing", http.MethodPost, usersPath+"/{id}/return-to-automatic-licensing",
		"Give a user the organization's template as if it had been created without licences named (BR-163)", 200), d.returnToAutomatic)
}

func wireWhy(w resources.Why) Why {
	return Why{UserLicence: wireLicence(&w.Assignment), Name: w.Name, Seat: w.Seat, Reasons: texts(w.Reasons), Position: w.Position, Ahead: w.Ahead}
}

// licensing answers with the licences of a user as they are now.
func (d *door) licensing(ctx context.Context, c resources.Caller, id string) (*one[Licensing], error) {
	l, err := d.directory.Licensing(ctx, c, id)
	if err != nil {
		return nil, err
	}
	out := Licensing{
		Origin: string(l.Origin), Tier: l.Tier, Desired: texts(l.Desired), Package: l.Package,
		Licences: listed(l.Licences, "", wireWhy).Body.Items, Refused: listed(l.Refused, "", wireWhy).Body.Items, Issues: wireIssues(l.Issues),
	}
	if out.Origin == "" {
		out.Origin = string(resources.OriginAutomatic)
	}
	return &one[Licensing]{ETag: versionTag(l.Version), Body: out}, nil
}

func (d *door) getLicences(ctx context.Context, in *UserPath) (*one[Licensing], error) {
	return d.licensing(ctx, in.caller, in.ID)
}

func (d *door) changeLicences(ctx context.Context, in *changeLicences) (*one[Licensing], error) {
	change := resources.LicenceChange{
		Add: in.Body.Add, Remove: in.Body.Remove, Subscription: in.Body.Subscription, Package: in.Body.Package.pointer(),
	}
	if _, err := d.directory.ChangeLicences(ctx, in.caller, in.ID, change, in.seenRecord()); err != nil {
		return nil, err
	}
	return d.licensing(ctx, in.caller, in.ID)
}

func (d *door) returnToAutomatic(ctx context.Context, in *UserPath) (*one[Licensing], error) {
	if _, err := d.directory.ReturnToAutomatic(ctx, in.caller, in.ID); err != nil {
		return nil, err
	}
	return d.licensing(ctx, in.caller, in.ID)
}
