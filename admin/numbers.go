package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-scim/usher/resources"
)

const numbersPath = orgPath + "/numbers"

// Number is a telephone number in the inventory of a location.
type Number struct {
	ID       string    `json:"id" example:"06f7k2m9s3c4d5e6g7h5"`
	E164     string    `json:"e164" example:"+33142685300"`
	Location string    `json:"location" doc:"Id of the location."`
	State    string    `json:"state" enum:"inactive,available,reserved,assigned"`
	Assignee string    `json:"assignee,omitempty" doc:"Id of the user."`
	Holder   string    `json:"holder,omitempty" doc:"Of a reservation."`
	Until    time.Time `json:"until,omitzero" doc:"Of a reservation, or of rest after release."`
	Type     string    `json:"type,omitempty" example:"fixed"`
	Region   string    `json:"region,omitempty" example:"FR"`
	Created  time.Time `json:"created"`
}

// Numbers is a page of numbers.
type Numbers struct {
	Items     []Number `json:"items"`
	Next      string   `json:"next,omitempty" doc:"Send it as cursor to read on; left out at the end."`
	Available int      `json:"available" example:"7" doc:"How many of the location can be assigned; 0: all are taken (BR-192)."`
}

// NewNumbers asks for numbers.
type NewNumbers struct {
	Location string   `json:"location" minLength:"1" maxLength:"200" doc:"Id of the location."`
	Numbers  []string `json:"numbers" minItems:"1" maxItems:"1000" example:"+33142685300" doc:"E.164, or as they are written in the location's country."`
	Inactive bool     `json:"inactive,omitempty" doc:"They must be activated before anybody gets them."`
}

// SomeNumbers are numbers to look at.
type SomeNumbers struct {
	Location string   `json:"location" minLength:"1" maxLength:"200" doc:"Id of the location."`
	Numbers  []string `json:"numbers" minItems:"1" maxItems:"1000" example:"01 42 68 53 00"`
}

// NumberRow is what became, or would become, of one number.
type NumberRow struct {
	Row    int    `json:"row" example:"1"`
	Text   string `json:"text" example:"01 42 68 53 00" doc:"As it was given."`
	E164   string `json:"e164,omitempty" example:"+33142685300"`
	Type   string `json:"type,omitempty" example:"fixed"`
	Region string `json:"region,omitempty" example:"FR"`
	Code   string `json:"code,omitempty" doc:"What is wrong; left out when all is well."`
	Detail string `json:"detail,omitempty"`
}

// NumberRows is what became of a list of numbers. Those that are good stay.
type NumberRows struct {
	Succeeded int         `json:"succeeded" example:"1"`
	Failed    int         `json:"failed" example:"0"`
	Items     []NumberRow `json:"items"`
}

// NumberPath is embedded in the input of operations on one number.
type NumberPath struct {
	OrgPath
	ID string `path:"id" maxLength:"40" doc:"The number's id, or the number in E.164."`
}

type (
	listNumbers struct {
		OrgPath
		Paged
		Location string `query:"location" maxLength:"40" doc:"Id of the location."`
		State    string `query:"state" enum:"inactive,available,reserved,assigned"`
		Search   string `query:"q" maxLength:"20" example:"4268" doc:"Digits that the number contains."`
	}
	numbersOut struct{ Body Numbers }
	addNumbers struct {
		OrgPath
		Body NewNumbers
	}
	validateNumbers struct {
		OrgPath
		Body SomeNumbers
	}
	deleteNumber struct {
		NumberPath
		Conditional
	}
)

func (d *door) registerNumbers(api huma.API) {
	const one = numbersPath + "/{id}"
	inside(d, api, resources.AreaPlaces, operation("list-numbers", http.MethodGet, numbersPath, "List numbers of the inventory (BR-191)", 200), d.listNumbers)
	inside(d, api, resources.AreaPlaces, operation("add-numbers", http.MethodPost, numbersPath, "Add up to 1000 numbers; each row succeeds or fails by itself", 207), d.addNumbers)
	inside(d, api, anyArea, operation("validate-numbers", http.MethodPost, numbersPath+"/validate", "Read numbers without storing anything", 200), d.validateNumbers)
	large := operation(importNumbersID, http.MethodPost, numbersPath+"/import", "Add numbers from CSV, as a job", 202, 409)
	large.MaxBodyBytes = importLimit
	inside(d, api, resources.AreaPlaces, large, d.importNumbers)
	inside(d, api, resources.AreaPlaces, operation("get-number", http.MethodGet, one, "Read a number", 200), d.getNumber)
	inside(d, api, resources.AreaPlaces, operation("delete-number", http.MethodDelete, one, "Remove an unassigned number", 204, 409, 412), d.deleteNumber)
	d.registerNumberActs(api)
}

func wireNumber(n *resources.Number) Number {
	return Number{
		ID: n.ID, E164: n.E164, Location: n.Location, State: string(n.State), Assignee: n.Assignee, Holder: n.Holder,
		Until: n.Until, Type: n.Type, Region: n.Region, Created: n.Created,
	}
}

// numberAnswer shows a number after an act.
func numberAnswer(n *resources.Number, err error) (*one[Number], error) {
	if err != nil {
		return nil, err
	}
	tag, err := tagOf(*n)
	return &one[Number]{ETag: tag, Body: wireNumber(n)}, err
}

func (d *door) listNumbers(ctx context.Context, in *listNumbers) (*numbersOut, error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	all, next, available, err := d.directory.Numbers(ctx, in.caller, resources.NumberQuery{
		Location: in.Location, State: resources.NumberState(in.State), Search: in.Search, After: after, Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	page := listed(all, next, wireNumber).Body
	return &numbersOut{Body: Numbers{Items: page.Items, Next: page.Next, Available: available}}, nil
}

func (d *door) getNumber(ctx context.Context, in *NumberPath) (*one[Number], error) {
	return numberAnswer(d.directory.Number(ctx, in.caller, in.ID))
}

func (d *door) addNumbers(ctx context.Context, in *addNumbers) (*plain[NumberRows], error) {
	return numberRows(d.directory.AddNumbers(ctx, in.caller, in.Body.Location, in.Body.Numbers, in.Body.Inactive))
}

func (d *door) validateNumbers(ctx context.Context, in *validateNumbers) (*plain[NumberRows], error) {
	return numberRows(d.directory.ValidateNumbers(ctx, in.caller, in.Body.Location, in.Body.Numbers))
}

func numberRows(rows []resources.NumberRow, err error) (*plain[NumberRows], error) {
	if err != nil {
		return nil, err
	}
	out := &plain[NumberRows]{Body: NumberRows{Items: make([]NumberRow, 0, len(rows))}}
	for i, r := range rows {
		out.Body.Items = append(out.Body.Items, NumberRow{Row: i + 1, Text: r.Text, E164: r.E164, Type: r.Type, Region: r.Region, Code: string(r.Code), Detail: r.Detail})
		if r.Code == "" {
			out.Body.Succeeded++
		} else {
			out.Body.Failed++
		}
	}
	return out, nil
}

func (d *door) deleteNumber(ctx context.Context, in *deleteNumber) (*nothing, error) {
	c := in.caller
	c.Seen = in.seen()
	return nil, d.directory.DeleteNumber(ctx, c, in.ID)
}
