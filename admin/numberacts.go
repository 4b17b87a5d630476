package admin

import (
	"bytes"
	"context"
	"mime"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-scim/usher/resources"
)

// NumberMove says where a number goes.
type NumberMove struct {
	Location string `json:"location" minLength:"1" maxLength:"200" doc:"Id of the location."`
}

// NumberHold says for whom a number is reserved.
type NumberHold struct {
	Holder string `json:"holder,omitempty" maxLength:"64" example:"zoe@acme.example" doc:"Id or userName of the user that it is for; whoever comes with this token when left out."`
}

// ExtensionWish says where an extension is looked for.
type ExtensionWish struct {
	Location string `json:"location" minLength:"1" maxLength:"200" doc:"Id of the location."`
	Number   string `json:"number,omitempty" maxLength:"40" example:"+33634333211" doc:"Its last digits are recommended (BR-194)."`
}

// ExtensionSuggestion is a recommended extension.
type ExtensionSuggestion struct {
	Extension string `json:"extension" example:"3211"`
	Taken     string `json:"taken,omitempty" doc:"The recommended one when somebody has it."`
	Holder    string `json:"holder,omitempty" doc:"Id of the user who has it."`
}

type (
	switchNumber struct {
		NumberPath
		Conditional
	}
	moveNumber struct {
		NumberPath
		Conditional
		Body NumberMove
	}
	holdNumber struct {
		NumberPath
		Conditional
		Body *NumberHold
	}
	suggestExtension struct {
		OrgPath
		Body ExtensionWish
	}
	importNumbers struct {
		OrgPath
		Type    string `header:"Content-Type" doc:"text/csv."`
		DryRun  bool   `query:"dryRun" doc:"Only tell what would happen."`
		RawBody []byte `contentType:"text/csv"`
	}
)

func (d *door) registerNumberActs(api huma.API) {
	const one = numbersPath + "/{id}"
	inside(d, api, resources.AreaPlaces, operation("activate-number", http.MethodPost, one+"/activate", "Make an inactive number available", 200, 409, 412), d.activateNumber)
	inside(d, api, resources.AreaPlaces, operation("move-number", http.MethodPost, one+"/move", "Move an unassigned number to another location (BR-201)", 200, 409, 412), d.moveNumber)
	inside(d, api, resources.AreaPlaces, operation("hold-number", http.MethodPost, one+"/hold", "Reserve an available number for 15 minutes (BR-196)", 200, 409, 412), d.holdNumber)
	inside(d, api, resources.AreaPlaces, operation("release-number", http.MethodPost, one+"/release", "End a reservation, or the rest of a number after its release", 200, 409, 412), d.releaseNumber)
	inside(d, api, anyArea, operation("suggest-extension", http.MethodPost, orgPath+"/extensions/suggest", "Recommend an extension (BR-194)", 200), d.suggestExtension)
}

// on is the caller of an act on one thing under If-Match.
func on(in *OrgPath, when *Conditional) resources.Caller {
	c := in.caller
	c.Seen = when.seen()
	return c
}

func (d *door) activateNumber(ctx context.Context, in *switchNumber) (*one[Number], error) {
	return numberAnswer(d.directory.ActivateNumber(ctx, on(&in.OrgPath, &in.Conditional), in.ID))
}

func (d *door) moveNumber(ctx context.Context, in *moveNumber) (*one[Number], error) {
	return numberAnswer(d.directory.MoveNumber(ctx, on(&in.OrgPath, &in.Conditional), in.ID, in.Body.Location))
}

func (d *door) holdNumber(ctx context.Context, in *holdNumber) (*one[Number], error) {
	holder := ""
	if in.Body != nil {
		holder = in.Body.Holder
	}
	return numberAnswer(d.directory.HoldNumber(ctx, on(&in.OrgPath, &in.Conditional), in.ID, holder))
}

func (d *door) releaseNumber(ctx context.Context, in *switchNumber) (*one[Number], error) {
	return numberAnswer(d.directory.ReleaseNumber(ctx, on(&in.OrgPath, &in.Conditional), in.ID))
}

func (d *door) suggestExtension(ctx context.Context, in *suggestExtension) (*plain[ExtensionSuggestion], error) {
	s, err := d.directory.SuggestExtension(ctx, in.caller, in.Body.Location, in.Body.Number)
	if err != nil {
		return nil, err
	}
	return &plain[ExtensionSuggestion]{Body: ExtensionSuggestion(s)}, nil
}

func (d *door) importNumbers(ctx context.Context, in *importNumbers) (*jobOut, error) {
	if media, _, err := mime.ParseMediaType(in.Type); err != nil || media != "text/csv" {
		return nil, &Problem{
			Status: http.StatusUnsupportedMediaType, Code: "unsupported_media_type",
			Detail: "Numbers are imported from CSV with the columns number, location and optionally state: send Content-Type: text/csv.",
		}
	}
	c, err := in.creating(resources.KindSetting)
	if err != nil {
		return nil, err
	}
	job, err := d.directory.ImportNumbers(ctx, c, bytes.NewReader(in.RawBody), in.DryRun)
	return in.job(job, err)
}
