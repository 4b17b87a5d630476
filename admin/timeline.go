package admin

import (
	"context"
	"errors"
	"time"

	"github.com/usher-scim/usher/resources"
)

// Event is one thing that happened to a resource: when, who, what, which rule.
// It never carries values of attributes.
type Event struct {
	ID       string    `json:"id" example:"1764000000000-0" doc:"Its place in the organization's stream."`
	At       time.Time `json:"at"`
	Type     string    `json:"type" example:"licence.assigned"`
	Actor    string    `json:"actor,omitempty" doc:"Id of the token, of the user who acted, or system."`
	Who      string    `json:"who,omitempty" example:"okta" doc:"Name of the connection or of the user behind the token; operator for one of the platform's; left out when it is gone."`
	Request  string    `json:"request,omitempty" doc:"Id of the request in the log."`
	Changed  []string  `json:"changed,omitempty" example:"displayName" doc:"Names of attributes."`
	SKU      string    `json:"sku,omitempty" example:"calling"`
	Rule     string    `json:"rule,omitempty" example:"BR-162" doc:"The rule that decided, or the code of an issue."`
	Source   string    `json:"source,omitempty" example:"direct" doc:"What a licence comes from."`
	Day      string    `json:"day,omitempty" doc:"Of package events, in the organization's time zone."`
	Location string    `json:"location,omitempty" doc:"Id of a location."`
	Group    string    `json:"group,omitempty" doc:"Id of the group that the user joined or left."`
	Version  uint64    `json:"version,omitempty" doc:"Of the document after the change."`
	Lost     []string  `json:"lost,omitempty" doc:"Of store.writes_lost: places of changes that the store had lost by then."`
	Count    int       `json:"count,omitempty" doc:"Of store.writes_lost: how many changes were lost at once."`
}

type askTimeline struct {
	UserPath
	Paged
}

// scanPerPage is how many events of the stream one page may cost.
const scanPerPage = 20_000

func (d *door) timeline(ctx context.Context, in *askTimeline) (*listOut[Event], error) {
	before, err := in.after()
	if err != nil {
		return nil, err
	}
	events, more, err := d.directory.Timeline(ctx, in.caller, in.ID, before, in.Limit, scanPerPage)
	if known, ok := errors.AsType[*resources.Error](err); ok && known.Field == "before" {
		return nil, badCursor()
	}
	if err != nil {
		return nil, err
	}
	return listed(events, more, wireEvent), nil
}

func wireEvent(e resources.StoredEvent) Event {
	out := Event{
		ID: e.LSN, At: e.When, Who: e.Who, Type: e.Type, Actor: e.Actor, Request: e.Request, Changed: e.Changed, SKU: e.SKU, Rule: e.Rule,
		Source: e.From, Day: e.Day, Location: e.At, Version: e.Version, Lost: e.Lost, Count: e.Count,
	}
	if e.Kind == resources.KindGroup {
		out.Group = e.ID
	}
	return out
}
