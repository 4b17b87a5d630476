package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-scim/usher/resources"
)

const locationsPath = orgPath + "/locations"

// Location is a place that owns numbers and extensions.
type Location struct {
	ID              string    `json:"id" example:"06f7k2m9s3c4d5e6g7h5"`
	Name            string    `json:"name" example:"Paris"`
	ExternalID      string    `json:"externalId,omitempty"`
	Address         string    `json:"address,omitempty" example:"1 rue de la Paix, 75002 Paris"`
	Country         string    `json:"country,omitempty" example:"FR" doc:"ISO 3166: how national numbers are read."`
	TimeZone        string    `json:"timeZone,omitempty" example:"Europe/Paris"`
	Language        string    `json:"language,omitempty" example:"fr"`
	ExtensionLength int       `json:"extensionLength,omitempty" example:"4" doc:"That of the settings when left out."`
	RoutingPrefix   string    `json:"routingPrefix,omitempty" example:"81"`
	MainNumber      string    `json:"mainNumber,omitempty" example:"+33142685300"`
	Created         time.Time `json:"created"`
}

// NewLocation says what a location shall be.
type NewLocation struct {
	Name            string `json:"name" minLength:"1" maxLength:"200" example:"Paris"`
	ExternalID      string `json:"externalId,omitempty" maxLength:"200"`
	Address         string `json:"address,omitempty" maxLength:"500"`
	Country         string `json:"country,omitempty" maxLength:"2" example:"FR"`
	TimeZone        string `json:"timeZone,omitempty" maxLength:"60" example:"Europe/Paris"`
	Language        string `json:"language,omitempty" maxLength:"40" example:"fr"`
	ExtensionLength int    `json:"extensionLength,omitempty" minimum:"0" maximum:"10" example:"4"`
	RoutingPrefix   string `json:"routingPrefix,omitempty" maxLength:"10"`
	MainNumber      string `json:"mainNumber,omitempty" maxLength:"40"`
}

// LocationChange is a merge patch of a location.
type LocationChange struct {
	Name            *string       `json:"name,omitempty" minLength:"1" maxLength:"200" nullable:"false" example:"Paris-Opéra"`
	ExternalID      Patch[string] `json:"externalId,omitzero" maxLength:"200"`
	Address         Patch[string] `json:"address,omitzero" maxLength:"500"`
	Country         Patch[string] `json:"country,omitzero" maxLength:"2" example:"FR"`
	TimeZone        Patch[string] `json:"timeZone,omitzero" maxLength:"60"`
	Language        Patch[string] `json:"language,omitzero" maxLength:"40"`
	ExtensionLength Patch[int]    `json:"extensionLength,omitzero"`
	RoutingPrefix   Patch[string] `json:"routingPrefix,omitzero" maxLength:"10"`
	MainNumber      Patch[string] `json:"mainNumber,omitzero" maxLength:"40"`
}

// LocationPath is embedded in the input of operations on one location.
type LocationPath struct {
	OrgPath
	ID string `path:"id" maxLength:"40" doc:"The location's id."`
}

type (
	createLocation struct {
		OrgPath
		Body NewLocation
	}
	changeLocation struct {
		LocationPath
		Conditional
		Body LocationChange `contentType:"application/merge-patch+json"`
	}
	deleteLocation struct {
		LocationPath
		Conditional
	}
)

func (d *door) registerLocations(api huma.API) {
	const one = locationsPath + "/{id}"
	inside(d, api, resources.AreaPlaces, operation("list-locations", http.MethodGet, locationsPath, "List locations by name", 200), d.listLocations)
	inside(d, api, resources.AreaPlaces, operation("create-location", http.MethodPost, locationsPath, "Add a location", 201, 409), d.createLocation)
	inside(d, api, resources.AreaPlaces, operation("get-location", http.MethodGet, one, "Read a location", 200), d.getLocation)
	inside(d, api, resources.AreaPlaces, operation("change-location", http.MethodPatch, one, "Change a location", 200, 409, 412), d.changeLocation)
	inside(d, api, resources.AreaPlaces, operation("delete-location", http.MethodDelete, one, "Remove a location without users and numbers (BR-201)", 204, 409, 412), d.deleteLocation)
}

func wireLocation(l resources.Location) Location { return Location(l) }

func (d *door) listLocations(ctx context.Context, in *OrgPath) (*listOut[Location], error) {
	all, err := d.directory.Locations(ctx, in.caller)
	if err != nil {
		return nil, err
	}
	return listed(all, "", wireLocation), nil
}

// location finds a location by id.
func (d *door) location(ctx context.Context, c resources.Caller, id string) (resources.Location, error) {
	all, err := d.directory.Locations(ctx, c)
	if err != nil {
		return resources.Location{}, err
	}
	for _, l := range all {
		if l.ID == id {
			return l, nil
		}
	}
	return resources.Location{}, missing("location")
}

func locationAnswer(l resources.Location, err error) (*one[Location], error) {
	if err != nil {
		return nil, err
	}
	tag, err := tagOf(l)
	return &one[Location]{ETag: tag, Body: wireLocation(l)}, err
}

func (d *door) getLocation(ctx context.Context, in *LocationPath) (*one[Location], error) {
	return locationAnswer(d.location(ctx, in.caller, in.ID))
}

func (d *door) createLocation(ctx context.Context, in *createLocation) (*one[Location], error) {
	c, err := in.creating(resources.KindSetting)
	if err != nil {
		return nil, err
	}
	b := &in.Body
	out, err := locationAnswer(d.directory.PutLocation(ctx, c, resources.Location{
		Name: b.Name, ExternalID: b.ExternalID, Address: b.Address, Country: b.Country, TimeZone: b.TimeZone, Language: b.Language,
		ExtensionLength: b.ExtensionLength, RoutingPrefix: b.RoutingPrefix, MainNumber: b.MainNumber,
	}))
	if err != nil {
		return nil, err
	}
	out.Location = in.at("locations", out.Body.ID)
	return out, nil
}

// changeLocation changes a location as it was read; should somebody else be
// faster it is read again, unless the request has an If-Match of its own.
func (d *door) changeLocation(ctx context.Context, in *changeLocation) (*one[Location], error) {
	const tries = 5
	var err error
	for range tries {
		var l, out resources.Location
		if l, err = d.location(ctx, in.caller, in.ID); err != nil {
			return nil, err
		}
		if seen := in.seen(); seen != nil {
			if err := seen(l); err != nil {
				return nil, err
			}
		}
		read, err := tagOf(l)
		if err != nil {
			return nil, err
		}
		c := in.caller
		c.Seen = (&Conditional{IfMatch: read}).seen()
		in.Body.apply(&l)
		if out, err = d.directory.PutLocation(ctx, c, l); !resources.HasCode(err, resources.CodeVersion) {
			return locationAnswer(out, err)
		}
	}
	return nil, err
}

func (ch *LocationChange) apply(l *resources.Location) {
	if ch.Name != nil {
		l.Name = *ch.Name
	}
	ch.ExternalID.apply(&l.ExternalID)
	ch.Address.apply(&l.Address)
	ch.Country.apply(&l.Country)
	ch.TimeZone.apply(&l.TimeZone)
	ch.Language.apply(&l.Language)
	ch.ExtensionLength.apply(&l.ExtensionLength)
	ch.RoutingPrefix.apply(&l.RoutingPrefix)
	ch.MainNumber.apply(&l.MainNumber)
}

func (d *door) deleteLocation(ctx context.Context, in *deleteLocation) (*nothing, error) {
	c := in.caller
	c.Seen = in.seen()
	return nil, d.directory.DeleteLocation(ctx, c, in.ID)
}
