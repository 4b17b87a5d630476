package admin

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-scim/usher/resources"
)

// Member is a direct member of a group.
type Member struct {
	ID      string `json:"id" example:"06f7k2m9s3c4d5e6g7h0"`
	Type    string `json:"type" enum:"User,Group"`
	Display string `json:"display,omitempty" example:"Zoé Martin"`
}

// MemberChange adds and removes direct members.
type MemberChange struct {
	Add    []string `json:"add,omitempty" maxItems:"1000" doc:"Ids of users and groups."`
	Remove []string `json:"remove,omitempty" maxItems:"1000"`
}

// MemberResult tells whether anything was changed.
type MemberResult struct {
	Changed bool   `json:"changed" example:"true"`
	Held    *Alert `json:"held,omitempty" doc:"With 202: the membership is changed, but taking products away waits for an administrator (BR-165)."`
}

type (
	listMembers struct {
		GroupPath
		Paged
	}
	changeMembers struct {
		GroupPath
		Body MemberChange
	}
	membersOut struct {
		Status int
		Body   MemberResult
	}
)

func (d *door) registerMembers(api huma.API) {
	const path = groupsPath + "/{id}/members"
	inside(d, api, resources.AreaUsers, operation("list-group-members", http.MethodGet, path, "List direct members of a group", 200), d.listMembers)
	inside(d, api, resources.AreaUsers, operation("change-group-members", http.MethodPost, path, "Add and remove up to 1000 members each; what is already so is left alone; 202 when taking products away is held", 200, 202), d.changeMembers)
}

func (d *door) listMembers(ctx context.Context, in *listMembers) (*listOut[Member], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	if _, err := d.directory.Get(ctx, in.caller, resources.KindGroup, in.ID); err != nil {
		return nil, err
	}
	refs, err := d.directory.Members(ctx, in.caller, in.ID, after, in.Limit, true)
	if err != nil {
		return nil, err
	}
	next := ""
	if len(refs) == in.Limit {
		next = refs[len(refs)-1].ID
	}
	return listed(refs, next, func(m resources.MemberRef) Member {
		out := Member{ID: m.ID, Display: m.Display, Type: "User"}
		if k, ok := resources.KindOf(m.ID); ok && k == resources.KindGroup {
			out.Type = "Group"
		}
		return out
	}), nil
}

func (d *door) changeMembers(ctx context.Context, in *changeMembers) (*membersOut, error) {
	add, err := memberIDs("body.add", in.Body.Add)
	if err != nil {
		return nil, err
	}
	remove, err := memberIDs("body.remove", in.Body.Remove)
	if err != nil {
		return nil, err
	}
	for _, id := range remove {
		if slices.Contains(add, id) {
			return nil, &resources.Error{Code: resources.CodeInvalidValue, Field: "body.remove", Detail: "A member is both to be added and to be removed; name it once."}
		}
	}
	in.caller.Held = &resources.HeldBack{}
	changed, err := d.directory.EditMembers(ctx, in.caller, in.ID, resources.MemberEdit{Add: add, Remove: remove})
	if err != nil {
		return nil, err
	}
	out := &membersOut{Status: http.StatusOK, Body: MemberResult{Changed: changed}}
	if out.Body.Held = heldBack(in.caller.Held); out.Body.Held != nil {
		out.Status = http.StatusAccepted
	}
	return out, nil
}

// memberIDs checks ids of members and leaves each once.
func memberIDs(field string, ids []string) ([]string, error) {
	out := make([]string, 0, len(ids))
	seen := make(map[string]bool, len(ids))
	for _, id := range ids {
		if k, ok := resources.KindOf(id); !ok || k != resources.KindUser && k != resources.KindGroup {
			return nil, &resources.Error{Code: resources.CodeMemberUnknown, Field: field, Detail: "Members are ids of users and groups of the organization; one of those sent cannot be one."}
		}
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out, nil
}

// heldBack is the alert about products that people keep until an administrator
// decides (BR-165), of an act that has just been done; nil when there is none.
func heldBack(h *resources.HeldBack) *Alert {
	alerts := h.Alerts()
	if len(alerts) == 0 {
		return nil
	}
	out := wireAlert(alerts[len(alerts)-1])
	return &out
}
