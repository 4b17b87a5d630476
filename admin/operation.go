package admin

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

const (
	orgsPath = "/api/v1/orgs"
	orgPath  = orgsPath + "/{org}"

	importLimit = 1<<20 + 1 // bytes of the body of an import; one of this size is too large
)

// operation describes an operation; besides its own errors each may answer
// those of the door.
func operation(id, method, path, summary string, status int, errors ...int) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status,
		Errors: append(errors, 401, 403, 503), MaxBodyBytes: bodyLimit,
	}
}

// register adds an operation. What it returns as an error becomes a problem.
func register[I, O any](api huma.API, op huma.Operation, act func(context.Context, *I) (*O, error)) {
	huma.Register(api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := act(ctx, in)
		if err != nil {
			return nil, problem(err)
		}
		return out, nil
	})
}

// inside adds an operation inside one organization, whose path begins with
// orgPath. Its caller is one that acts on the organization.
func inside[I, O any](d *door, api huma.API, op huma.Operation, act func(context.Context, *I) (*O, error)) {
	d.inside[op.Method+" "+op.Path] = true
	op.Errors = append(op.Errors, http.StatusNotFound)
	register(api, op, act)
}

// nothing is an answer without a body.
type nothing struct{}

// registerLicensing, registerPeople and registerWork add the operations on what
// an organization may have, on who is in it, and on what is done for it.
func (d *door) registerLicensing(api huma.API) {
	d.registerSettings(api)
	d.registerProducts(api)
	d.registerSubscriptions(api)
	d.registerTemplates(api)
	d.registerLicences(api)
	d.registerLocations(api)
	d.registerNumbers(api)
}

func (d *door) registerPeople(api huma.API) {
	d.registerUsers(api)
	d.registerUserChanges(api)
	d.registerUserLicences(api)
	d.registerCalling(api)
	d.registerGroups(api)
	d.registerMembers(api)
	d.registerAdmins(api)
}

func (d *door) registerWork(api huma.API) {
	d.registerReports(api)
	d.registerJobs(api)
	d.registerAlerts(api)
	d.registerParked(api)
}
