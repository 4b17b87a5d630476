package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-scim/usher/resources"
)

const (
	orgsPath = "/api/v1/orgs"
	orgPath  = orgsPath + "/{org}"

	importNumbersID = "import-numbers"

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

// right is what the caller of an operation must be allowed.
type right struct {
	area   resources.Area
	change bool // beyond reading
	inside bool // one organization: the caller is one that acts on it
}

// anyArea is the area of operations that everybody may ask who may read; what
// they may do there is for the Directory to say.
const anyArea resources.Area = 0

// needs notes what an operation takes: to read an area, or of the platform's to
// change it, whatever the operation does. It is asked before anything is read of
// the body, and again by the act itself.
func (d *door) needs(area resources.Area, op huma.Operation) huma.Operation {
	r := right{area: area, change: area == resources.AreaPlatform || op.Method != http.MethodGet && area != anyArea}
	d.rights[op.Method+" "+op.Path] = r
	var may []string
	for _, s := range append([]resources.Scope{resources.ScopePlatform}, resources.AdminScopes()...) {
		if (resources.Caller{Scopes: []resources.Scope{s}}).May(r.area, r.change) == nil {
			may = append(may, string(s))
		}
	}
	op.Description = "Scopes: " + strings.Join(may, ", ") + "."
	return op
}

// checkRights refuses operations of which nobody said what they take.
func (d *door) checkRights(api *huma.OpenAPI) error {
	var faults []error
	for _, item := range api.Paths {
		for _, op := range operationsOf(item) {
			if _, ok := d.rights[op.Method+" "+op.Path]; !ok {
				faults = append(faults, fmt.Errorf("admin: operation %s takes no right", op.OperationID))
			}
		}
	}
	return errors.Join(faults...)
}

// operationsOf are the operations of a path.
func operationsOf(item *huma.PathItem) []*huma.Operation {
	all := []*huma.Operation{item.Get, item.Put, item.Post, item.Patch, item.Delete}
	return slices.DeleteFunc(all, func(op *huma.Operation) bool { return op == nil })
}

// inside adds an operation inside one organization, whose path begins with
// orgPath. Its caller is one that acts on the organization.
func inside[I, O any](d *door, api huma.API, area resources.Area, op huma.Operation, act func(context.Context, *I) (*O, error)) {
	op = d.needs(area, op)
	name := op.Method + " " + op.Path
	r := d.rights[name]
	r.inside = true
	d.rights[name] = r
	op.Errors = append(op.Errors, http.StatusNotFound)
	register(api, op, act)
}

// ofPlatform reports whether an operation inside an organization is also one on
// the operators' own, named by resources.PlatformSlug: billing reports over all
// organizations and the jobs that make them.
func ofPlatform(pattern string) bool {
	_, path, _ := strings.Cut(pattern, " ")
	return strings.HasPrefix(path, reportsPath) || strings.HasPrefix(path, jobsPath)
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
	d.registerDomains(api)
	d.registerMails(api)
	d.registerConnections(api)
	d.registerAccess(api)
}

func (d *door) registerWork(api huma.API) {
	d.registerReports(api)
	d.registerJobs(api)
	d.registerAlerts(api)
	d.registerParked(api)
}
