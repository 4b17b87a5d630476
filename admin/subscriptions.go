package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-scim/usher/resources"
)

const subscriptionsPath = orgPath + "/subscriptions"

// Subscription is the purchase of units of a product.
type Subscription struct {
	ID     string    `json:"id" example:"06f7k2m9s3c4d5e6g7h5"`
	SKU    string    `json:"sku" example:"calling"`
	Model  string    `json:"model" enum:"seats,usage" doc:"Whether units bound it, or use is only counted."`
	Units  int       `json:"units,omitempty" example:"50" doc:"Of model seats."`
	Starts time.Time `json:"startsAt,omitzero"`
	Ends   time.Time `json:"endsAt,omitzero" doc:"Left out: never."`
	Note   string    `json:"note,omitempty" example:"order 4711"`
	Active bool      `json:"active" doc:"Whether its seats can be held now."`
	Used   int       `json:"used" example:"12"`
}

// NewSubscription asks for a subscription.
type NewSubscription struct {
	SKU    string    `json:"sku" minLength:"1" maxLength:"63" example:"calling"`
	Model  string    `json:"model,omitempty" enum:"seats,usage" doc:"seats when left out."`
	Units  int       `json:"units,omitempty" minimum:"0" example:"50"`
	Starts time.Time `json:"startsAt,omitzero" required:"false" doc:"At once when left out."`
	Ends   time.Time `json:"endsAt,omitzero" required:"false" doc:"Never when left out."`
	Note   string    `json:"note,omitempty" maxLength:"200" example:"order 4711"`
}

// SubscriptionChange is a merge patch of a subscription.
type SubscriptionChange struct {
	Units  *int             `json:"units,omitempty" minimum:"0" nullable:"false" example:"60" doc:"Fewer than are used are possible: the oldest assignments keep their seats."`
	Starts Patch[time.Time] `json:"startsAt,omitzero" doc:"null: at once."`
	Ends   Patch[time.Time] `json:"endsAt,omitzero" doc:"null: never."`
	Note   Patch[string]    `json:"note,omitzero" maxLength:"200"`
}

// SubscriptionPath is embedded in the input of operations on one subscription.
type SubscriptionPath struct {
	OrgPath
	ID string `path:"id" maxLength:"40" doc:"The subscription's id."`
}

type (
	createSubscription struct {
		OrgPath
		Body NewSubscription
	}
	changeSubscription struct {
		SubscriptionPath
		Conditional
		Body SubscriptionChange `contentType:"application/merge-patch+json"`
	}
	deleteSubscription struct {
		SubscriptionPath
		Conditional
		Confirm bool `query:"confirm" doc:"Must be true when seats of it are used (BR-260)."`
	}
)

func (d *door) registerSubscriptions(api huma.API) {
	const one = subscriptionsPath + "/{id}"
	inside(d, api, anyArea, operation("list-subscriptions", http.MethodGet, subscriptionsPath, "List an organization's subscriptions with what is used", 200), d.listSubscriptions)
	inside(d, api, resources.AreaPlatform, operation("create-subscription", http.MethodPost, subscriptionsPath, "Add a subscription (platform operator)", 201, 409), d.createSubscription)
	inside(d, api, anyArea, operation("get-subscription", http.MethodGet, one, "Read a subscription", 200), d.getSubscription)
	inside(d, api, resources.AreaPlatform, operation("change-subscription", http.MethodPatch, one, "Change units, times or note of a subscription (platform operator)", 200, 412), d.changeSubscription)
	inside(d, api, resources.AreaPlatform, operation("delete-subscription", http.MethodDelete, one, "End a subscription at once (platform operator)", 204, 412, 428), d.deleteSubscription)
}

func wireSubscription(s resources.SubscriptionUsage) Subscription {
	return Subscription{
		ID: s.ID, SKU: s.SKU, Model: string(s.Model), Units: s.Units, Starts: s.Starts, Ends: s.Ends, Note: s.Note,
		Active: s.Active, Used: s.Used,
	}
}

func (d *door) listSubscriptions(ctx context.Context, in *OrgPath) (*listOut[Subscription], error) {
	all, err := d.directory.Subscriptions(ctx, in.caller)
	if err != nil {
		return nil, err
	}
	return listed(all, "", wireSubscription), nil
}

// subscription answers with one subscription as it is now.
func (d *door) subscription(ctx context.Context, c resources.Caller, id string) (*one[Subscription], error) {
	all, err := d.directory.Subscriptions(ctx, c)
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if s.ID == id {
			tag, err := tagOf(s.Subscription)
			return &one[Subscription]{ETag: tag, Body: wireSubscription(s)}, err
		}
	}
	return nil, missing("subscription")
}

func (d *door) getSubscription(ctx context.Context, in *SubscriptionPath) (*one[Subscription], error) {
	return d.subscription(ctx, in.caller, in.ID)
}

func (d *door) createSubscription(ctx context.Context, in *createSubscription) (*one[Subscription], error) {
	c, err := in.creating(resources.KindSetting)
	if err != nil {
		return nil, err
	}
	b := &in.Body
	if b.Model == "" {
		b.Model = string(resources.ModelSeats)
	}
	made, err := d.directory.CreateSubscription(ctx, c, resources.Subscription{
		SKU: b.SKU, Model: resources.SubscriptionModel(b.Model), Units: b.Units, Starts: b.Starts, Ends: b.Ends, Note: b.Note,
	})
	if err != nil {
		return nil, err
	}
	out, err := d.subscription(ctx, in.caller, made.ID)
	if err != nil {
		return nil, err
	}
	out.Location = in.at("subscriptions", made.ID)
	return out, nil
}

func (d *door) changeSubscription(ctx context.Context, in *changeSubscription) (*one[Subscription], error) {
	c := in.caller
	c.Seen = in.seen()
	b := &in.Body
	change := resources.SubscriptionChange{Units: b.Units, Starts: b.Starts.pointer(), Ends: b.Ends.pointer(), Note: b.Note.pointer()}
	if _, err := d.directory.UpdateSubscription(ctx, c, in.ID, change); err != nil {
		return nil, err
	}
	return d.subscription(ctx, in.caller, in.ID)
}

func (d *door) deleteSubscription(ctx context.Context, in *deleteSubscription) (*nothing, error) {
	c := in.caller
	c.Seen = in.seen()
	return nil, d.directory.DeleteSubscription(ctx, c, in.ID, in.Confirm)
}
