package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-scim/usher/resources"
)

// UserCalling is what a user asks for and has to call with.
type UserCalling struct {
	Wish    CallingWish `json:"desired" doc:"What the document asks for, as it was written."`
	Calling Calling     `json:"effective"`
	Issues  []Issue     `json:"issues"`
}

// CallingWish is what a document asks for.
type CallingWish struct {
	Location  string `json:"location,omitempty" example:"Paris"`
	Number    string `json:"number,omitempty" example:"+33142685300"`
	Extension string `json:"extension,omitempty" example:"5300"`
}

// CallingChange is a merge patch of what a user calls with; null takes away.
type CallingChange struct {
	Location  Patch[string] `json:"location,omitzero" maxLength:"200" example:"Paris" doc:"Id, externalId or name."`
	Number    Patch[string] `json:"number,omitzero" maxLength:"40" example:"+33142685300"`
	Extension Patch[string] `json:"extension,omitzero" maxLength:"10" example:"5300"`
	Temporary *bool         `json:"temporaryExtension,omitempty" nullable:"false" doc:"Whether the extension is to be completed by a number (BR-193)."`
}

type changeCalling struct {
	UserPath
	Conditional
	Body CallingChange `contentType:"application/merge-patch+json"`
}

func (d *door) registerCalling(api huma.API) {
	const one = usersPath + "/{id}/calling"
	inside(d, api, resources.AreaPlaces, operation("get-user-calling", http.MethodGet, one, "Read what a user calls with", 200), d.getCalling)
	inside(d, api, resources.AreaPlaces, operation("change-user-calling", http.MethodPatch, one, "Change a user's location, number and extension; what cannot be refuses all (BR-190 … BR-197)", 200, 409, 412), d.changeCalling)
}

func callingAnswer(rec *resources.Record, err error) (*one[UserCalling], error) {
	if err != nil {
		return nil, err
	}
	var doc struct {
		Block struct {
			Location    string `json:"location"`
			PhoneNumber string `json:"phoneNumber"`
			Extension   string `json:"extension"`
		} `json:"urn:ietf:params:scim:schemas:extension:UsherCalling:2.0:User"`
	}
	if err := json.Unmarshal(rec.Profile, &doc); err != nil {
		return nil, fmt.Errorf("stored document of %s: %w", rec.ID, err)
	}
	u, err := wireUser(rec)
	if err != nil {
		return nil, err
	}
	out := UserCalling{
		Wish:    CallingWish{Location: doc.Block.Location, Number: doc.Block.PhoneNumber, Extension: doc.Block.Extension},
		Calling: Calling{Status: "none"}, Issues: u.Issues,
	}
	if u.Calling != nil {
		out.Calling = *u.Calling
	}
	return &one[UserCalling]{ETag: versionTag(rec.Version), Body: out}, nil
}

func (d *door) getCalling(ctx context.Context, in *UserPath) (*one[UserCalling], error) {
	return callingAnswer(d.directory.Get(ctx, in.caller, resources.KindUser, in.ID))
}

func (d *door) changeCalling(ctx context.Context, in *changeCalling) (*one[UserCalling], error) {
	b := &in.Body
	change := resources.CallingChange{Location: b.Location.pointer(), Number: b.Number.pointer(), Extension: b.Extension.pointer(), Temporary: b.Temporary}
	return callingAnswer(d.directory.ChangeCalling(ctx, in.caller, in.ID, change, in.seenRecord()))
}
