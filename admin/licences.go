package admin

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-scim/usher/resources"
)

const licencesPath = orgPath + "/licences"

// Usage is how much of one product an organization uses.
type Usage struct {
	SKU           string         `json:"sku" example:"calling"`
	Name          string         `json:"name" example:"Calling"`
	Paid          bool           `json:"paid"`
	Package       bool           `json:"package"`
	Total         int            `json:"total" example:"50" doc:"Seats; -1 without a bound."`
	Used          int            `json:"used" example:"50"`
	Reserved      int            `json:"reserved" example:"0"`
	Free          int            `json:"free" example:"0" doc:"-1 without a bound."`
	Waiting       int            `json:"waiting" example:"10" doc:"Users that wait for a seat."`
	Subscriptions []Subscription `json:"subscriptions"`
}

// FailedLicence is a user with assignments that failed.
type FailedLicence struct {
	User     Ref           `json:"user"`
	UserName string        `json:"userName" example:"zoe@acme.example"`
	Failed   []UserLicence `json:"failed"`
	Issues   []Issue       `json:"issues"`
}

// Retry says which assignments are tried again.
type Retry struct {
	SKU string `json:"sku,omitempty" maxLength:"63" example:"calling" doc:"Any when left out."`
}

type (
	listFailed struct {
		OrgPath
		Paged
		SKU string `query:"sku" maxLength:"63" example:"calling"`
	}
	retryLicences struct {
		OrgPath
		Body *Retry
	}
)

func (d *door) registerLicences(api huma.API) {
	inside(d, api, resources.AreaLicences, operation("get-licence-usage", http.MethodGet, licencesPath, "Read how much of each product is used, free and waited for", 200), d.usage)
	inside(d, api, resources.AreaLicences, operation("list-licence-errors", http.MethodGet, licencesPath+"/errors", "List users with assignments that failed", 200), d.listFailed)
	inside(d, api, resources.AreaLicences, operation("retry-licences", http.MethodPost, licencesPath+"/retry", "Try failed assignments again, as a job", 202, 409), d.retryLicences)
}

func wireUsage(u resources.Usage) Usage {
	return Usage{
		SKU: u.SKU, Name: u.Name, Paid: u.Paid, Package: u.Package, Total: u.Total, Used: u.Used, Reserved: u.Reserved,
		Free: u.Free, Waiting: u.Waiting, Subscriptions: listed(u.Pools, "", wireSubscription).Body.Items,
	}
}

func (d *door) usage(ctx context.Context, in *OrgPath) (*listOut[Usage], error) {
	all, err := d.directory.Usage(ctx, in.caller)
	if err != nil {
		return nil, err
	}
	return listed(all, "", wireUsage), nil
}

func (d *door) listFailed(ctx context.Context, in *listFailed) (*listOut[FailedLicence], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	page, err := d.directory.Users(ctx, in.caller, resources.UserQuery{Licence: in.SKU, Status: string(resources.Failed), After: after, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := make([]FailedLicence, 0, len(page.Records))
	for _, rec := range page.Records {
		u, err := wireUser(rec)
		if err != nil {
			return nil, err
		}
		f := FailedLicence{User: Ref{ID: u.ID, Display: rec.Display}, UserName: u.UserName, Failed: []UserLicence{}, Issues: u.Issues}
		for _, l := range u.Licences {
			if l.Status == string(resources.Failed) {
				f.Failed = append(f.Failed, l)
			}
		}
		out = append(out, f)
	}
	return listed(out, page.Next, func(f FailedLicence) FailedLicence { return f }), nil
}

func (d *door) retryLicences(ctx context.Context, in *retryLicences) (*jobOut, error) {
	c, err := in.creating(resources.KindSetting)
	if err != nil {
		return nil, err
	}
	sku := ""
	if in.Body != nil {
		sku = in.Body.SKU
	}
	job, err := d.directory.RetryLicences(ctx, c, sku)
	return in.job(job, err)
}
