package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

const groupsPath = orgPath + "/groups"

// Group is a group of users, and of groups.
type Group struct {
	ID          string    `json:"id" example:"06f7k2m9s3c4d5e6g7h1"`
	DisplayName string    `json:"displayName" example:"Sales"`
	ExternalID  string    `json:"externalId,omitempty"`
	Members     int       `json:"memberCount" example:"42" doc:"Direct members."`
	Licences    []string  `json:"licences" example:"calling" doc:"SKUs of the group's template."`
	Created     time.Time `json:"created"`
	Modified    time.Time `json:"modified"`
	Version     uint64    `json:"version" example:"3" doc:"Of the ETag: of the document, not of the membership."`
}

// NewGroup asks for a group.
type NewGroup struct {
	DisplayName string   `json:"displayName" minLength:"1" maxLength:"256" example:"Sales"`
	ExternalID  string   `json:"externalId,omitempty" maxLength:"200"`
	Members     []string `json:"members,omitempty" maxItems:"1000" doc:"Ids of users and groups."`
}

// GroupChange is a merge patch of a group.
type GroupChange struct {
	DisplayName *string       `json:"displayName,omitempty" minLength:"1" maxLength:"256" nullable:"false" example:"Sales France"`
	ExternalID  Patch[string] `json:"externalId,omitzero" maxLength:"200"`
}

// GroupLicences tells of a group's template and its progress.
type GroupLicences struct {
	SKUs     []string  `json:"skus" example:"calling"`
	Template *Template `json:"template,omitempty"`
	Members  int       `json:"memberCount" example:"42"`
	Assigned int       `json:"assignedCount" example:"40" doc:"Members that hold every product of the template."`
	Failed   int       `json:"errorCount" example:"2"`
	Job      *Job      `json:"job,omitempty" doc:"The last one that followed a change."`
	Held     *Alert    `json:"held,omitempty" doc:"With 202: the alert that waits for an administrator (BR-165)."`
}

// GroupSKUs says which products the members of a group get.
type GroupSKUs struct {
	SKUs []string `json:"skus" maxItems:"100" example:"calling" doc:"None: the group has no template of its own."`
}

// GroupPath is embedded in the input of operations on one group.
type GroupPath struct {
	OrgPath
	ID string `path:"id" maxLength:"40" doc:"The group's id."`
}

type (
	listGroups struct {
		OrgPath
		Paged
		Search string `query:"q" maxLength:"200" example:"sal" doc:"Beginning or part of the name, without case."`
	}
	createGroup struct {
		OrgPath
		Body NewGroup
	}
	changeGroup struct {
		GroupPath
		Conditional
		Body GroupChange `contentType:"application/merge-patch+json"`
	}
	deleteGroup struct {
		GroupPath
		Conditional
		Confirm bool `query:"confirm" doc:"Must be true: deleting cannot be undone (BR-260)."`
	}
	putGroupLicences struct {
		GroupPath
		Body GroupSKUs
	}
	groupLicencesOut struct {
		Status int
		Body   GroupLicences
	}
)

func (d *door) registerGroups(api huma.API) {
	const one = groupsPath + "/{id}"
	inside(d, api, resources.AreaUsers, operation("list-groups", http.MethodGet, groupsPath, "List and search groups by name", 200), d.listGroups)
	inside(d, api, resources.AreaUsers, operation("create-group", http.MethodPost, groupsPath, "Create a group", 201, 409), d.createGroup)
	inside(d, api, resources.AreaUsers, operation("get-group", http.MethodGet, one, "Read a group, without members", 200), d.getGroup)
	inside(d, api, resources.AreaUsers, operation("change-group", http.MethodPatch, one, "Rename a group", 200, 409, 412), d.changeGroup)
	inside(d, api, resources.AreaUsers, operation("delete-group", http.MethodDelete, one, "Delete a group; its members stay; 202 when taking products away is held", 204, 202, 412, 428), d.deleteGroup)
	inside(d, api, resources.AreaUsers, operation("get-group-licences", http.MethodGet, one+"/licences", "Read what a group gives its members, and how far that is", 200), d.getGroupLicences)
	inside(d, api, resources.AreaUsers, operation("put-group-licences", http.MethodPut, one+"/licences", "Say what a group gives its members (BR-161); 202 when taking products away is held", 200, 202), d.putGroupLicences)
}

func wireGroup(rec *resources.Record) (Group, error) {
	var doc struct {
		DisplayName string `json:"displayName"`
		ExternalID  string `json:"externalId"`
		Block       struct {
			Licenses []string `json:"licenses"`
		} `json:"urn:ietf:params:scim:schemas:extension:UsherLicense:2.0:Group"`
	}
	if err := json.Unmarshal(rec.Profile, &doc); err != nil {
		return Group{}, fmt.Errorf("stored document of %s: %w", rec.ID, err)
	}
	return Group{
		ID: rec.ID, DisplayName: doc.DisplayName, ExternalID: doc.ExternalID, Members: rec.Size, Licences: texts(doc.Block.Licenses),
		Created: rec.CreatedAt(), Modified: rec.LastModified(), Version: rec.Version,
	}, nil
}

func groupAnswer(rec *resources.Record, err error) (*one[Group], error) {
	if err != nil {
		return nil, err
	}
	g, err := wireGroup(rec)
	return &one[Group]{ETag: versionTag(rec.Version), Body: g}, err
}

func (d *door) listGroups(ctx context.Context, in *listGroups) (*listOut[Group], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	q := resources.Query{Kind: resources.KindGroup, Sort: resources.GroupNameOrder, Keyset: true, After: after, Limit: in.Limit, NoGroups: true}
	if in.Search != "" {
		q.Where = &resources.Cond{Op: resources.CondContains, Index: resources.GroupNameOrder, Value: resources.GroupNameOrder.Key(in.Search)}
	}
	page, err := d.directory.Find(ctx, in.caller, q)
	if err != nil {
		return nil, err
	}
	groups := make([]Group, 0, len(page.Records))
	for _, rec := range page.Records {
		g, err := wireGroup(rec)
		if err != nil {
			return nil, err
		}
		groups = append(groups, g)
	}
	return listed(groups, page.Next, func(g Group) Group { return g }), nil
}

func (d *door) getGroup(ctx context.Context, in *GroupPath) (*one[Group], error) {
	return groupAnswer(d.directory.Get(ctx, in.caller, resources.KindGroup, in.ID))
}

func (d *door) createGroup(ctx context.Context, in *createGroup) (*one[Group], error) {
	c, err := in.creating(resources.KindGroup)
	if err != nil {
		return nil, err
	}
	members, err := memberIDs("body.members", in.Body.Members)
	if err != nil {
		return nil, err
	}
	doc := jsontree.Obj()
	doc.Set("schemas", jsontree.Arr(jsontree.Str(groupURN)))
	doc.Set("displayName", jsontree.Str(in.Body.DisplayName))
	setText(&doc, "externalId", in.Body.ExternalID)
	made, err := d.directory.CreateGroup(ctx, c, doc, members)
	if err != nil {
		return nil, err
	}
	out, err := groupAnswer(d.directory.Get(ctx, in.caller, resources.KindGroup, made.ID))
	if err != nil {
		return nil, err
	}
	out.Location = in.at("groups", made.ID)
	return out, nil
}

func (d *door) changeGroup(ctx context.Context, in *changeGroup) (*one[Group], error) {
	check := in.seenRecord()
	_, err := d.directory.UpdateGroup(ctx, in.caller, in.ID, func(cur *resources.Record, doc jsontree.Value) (jsontree.Value, resources.MemberEdit, error) {
		if check != nil {
			if err := check(cur); err != nil {
				return doc, resources.MemberEdit{}, err
			}
		}
		if in.Body.DisplayName != nil {
			doc.Set("displayName", jsontree.Str(*in.Body.DisplayName))
		}
		applyText(&doc, "externalId", &in.Body.ExternalID)
		return doc, resources.MemberEdit{}, nil
	})
	if err != nil {
		return nil, err
	}
	return d.getGroup(ctx, &in.GroupPath)
}

func (d *door) deleteGroup(ctx context.Context, in *deleteGroup) (*heldOut, error) {
	if !in.Confirm {
		return nil, unconfirmed("Deleting a group takes its membership and what it gives to its members, and cannot be undone; send confirm=true.")
	}
	in.caller.Held = &resources.HeldBack{}
	if err := d.directory.DeleteGroup(ctx, in.caller, in.ID, in.seenRecord()); err != nil {
		return nil, err
	}
	if held := heldBack(in.caller.Held); held != nil {
		return &heldOut{Status: http.StatusAccepted, Body: &Held{Held: held}}, nil
	}
	return nil, nil
}

func (d *door) groupLicences(ctx context.Context, c resources.Caller, id string) (*groupLicencesOut, error) {
	l, err := d.directory.GroupLicensing(ctx, c, id)
	if err != nil {
		return nil, err
	}
	out := GroupLicences{SKUs: []string{}, Members: l.Members, Assigned: l.Assigned, Failed: l.Failed}
	if l.Template != nil {
		t := wireTemplate(*l.Template)
		out.Template, out.SKUs = &t, t.SKUs
	}
	if l.Job != nil {
		j := wireJob(l.Job)
		out.Job = &j
	}
	return &groupLicencesOut{Status: http.StatusOK, Body: out}, nil
}

func (d *door) getGroupLicences(ctx context.Context, in *GroupPath) (*groupLicencesOut, error) {
	return d.groupLicences(ctx, in.caller, in.ID)
}

// putGroupLicences writes the group's own wish into its document, where an
// identity provider would write it too: the rule behind it is one.
func (d *door) putGroupLicences(ctx context.Context, in *putGroupLicences) (*groupLicencesOut, error) {
	in.caller.Held = &resources.HeldBack{}
	_, err := d.directory.UpdateGroup(ctx, in.caller, in.ID, func(_ *resources.Record, doc jsontree.Value) (jsontree.Value, resources.MemberEdit, error) {
		block := jsontree.Obj()
		if had := doc.Get(resources.LicenceGroupURN); had != nil {
			block = had.Clone()
		}
		block.Set("licenses", textArray(in.Body.SKUs))
		setBlock(&doc, resources.LicenceGroupURN, block)
		return doc, resources.MemberEdit{}, nil
	})
	if err != nil {
		return nil, err
	}
	out, err := d.groupLicences(ctx, in.caller, in.ID)
	if err != nil {
		return nil, err
	}
	if out.Body.Held = heldBack(in.caller.Held); out.Body.Held != nil {
		out.Status = http.StatusAccepted
	}
	return out, nil
}
