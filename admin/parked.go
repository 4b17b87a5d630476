package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-scim/usher/resources"
)

const parkedPath = orgPath + "/parked-work"

// Parked is a piece of work that failed too often and waits for somebody to look.
type Parked struct {
	Item  string    `json:"item" example:"u06f7k2m9s3c4d5e6g7h0" doc:"A letter and an id: u a user to settle again, s a product whose seats are handed on, j a job …"`
	Since time.Time `json:"since"`
	Tries int       `json:"tries" example:"12"`
	Cause string    `json:"cause,omitempty" doc:"The last error; for platform operators only."`
}

type (
	listParked struct {
		OrgPath
		Limit int `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many to return at most."`
	}
	retryParked struct {
		OrgPath
		Item string `path:"item" maxLength:"100"`
	}
)

func (d *door) registerParked(api huma.API) {
	inside(d, api, resources.AreaLicences, operation("list-parked-work", http.MethodGet, parkedPath, "List work that failed too often, oldest first", 200), d.listParked)
	inside(d, api, resources.AreaLicences, operation("retry-parked-work", http.MethodPost, parkedPath+"/{item}/retry", "Try a piece of parked work again", 204), d.retryParked)
}

func (d *door) listParked(ctx context.Context, in *listParked) (*listOut[Parked], error) {
	all, err := d.directory.Parked(ctx, in.caller, in.Limit)
	if err != nil {
		return nil, err
	}
	return listed(all, "", func(p resources.ParkedItem) Parked {
		return Parked{Item: p.Item, Since: p.Since, Tries: p.Tries, Cause: p.Cause}
	}), nil
}

func (d *door) retryParked(ctx context.Context, in *retryParked) (*nothing, error) {
	return nil, d.directory.Unpark(ctx, in.caller, in.Item)
}
