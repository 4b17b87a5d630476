package admin

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// UserChange is a merge patch of a user's profile. Lists are replaced whole.
type UserChange struct {
	UserName          *string           `json:"userName,omitempty" minLength:"1" maxLength:"320" nullable:"false"`
	ExternalID        Patch[string]     `json:"externalId,omitzero" maxLength:"200"`
	Name              Patch[NameChange] `json:"name,omitzero"`
	DisplayName       Patch[string]     `json:"displayName,omitzero" maxLength:"200" example:"Zoé M."`
	NickName          Patch[string]     `json:"nickName,omitzero" maxLength:"200"`
	Title             Patch[string]     `json:"title,omitzero" maxLength:"200" example:"Head of sales"`
	UserType          Patch[string]     `json:"userType,omitzero" maxLength:"100"`
	PreferredLanguage Patch[string]     `json:"preferredLanguage,omitzero" maxLength:"100"`
	Locale            Patch[string]     `json:"locale,omitzero" maxLength:"100"`
	TimeZone          Patch[string]     `json:"timezone,omitzero" maxLength:"60"`
	Emails            Patch[[]Contact]  `json:"emails,omitzero" maxItems:"20"`
	PhoneNumbers      Patch[[]Contact]  `json:"phoneNumbers,omitzero" maxItems:"20"`
}

// NameChange is a merge patch of a name.
type NameChange struct {
	Formatted  Patch[string] `json:"formatted,omitzero" maxLength:"500"`
	GivenName  Patch[string] `json:"givenName,omitzero" maxLength:"200"`
	MiddleName Patch[string] `json:"middleName,omitzero" maxLength:"200"`
	FamilyName Patch[string] `json:"familyName,omitzero" maxLength:"200"`
	Prefix     Patch[string] `json:"honorificPrefix,omitzero" maxLength:"60"`
	Suffix     Patch[string] `json:"honorificSuffix,omitzero" maxLength:"60"`
}

type (
	changeUser struct {
		UserPath
		Conditional
		Detach bool       `query:"detach" doc:"Change also what an identity provider owns: the user is detached from the directory (BR-071)."`
		Body   UserChange `contentType:"application/merge-patch+json"`
	}
	switchUser struct {
		UserPath
		Conditional
	}
	deleteUser struct {
		UserPath
		Conditional
		Confirm bool `query:"confirm" doc:"Must be true: deleting cannot be undone (BR-260)."`
	}
)

func (d *door) registerUserChanges(api huma.API) {
	const one = usersPath + "/{id}"
	inside(d, api, resources.AreaUsers, operation("change-user", http.MethodPatch, one, "Change a user's profile", 200, 409, 412), d.changeUser)
	inside(d, api, resources.AreaUsers, operation("deactivate-user", http.MethodPost, one+"/deactivate", "Deactivate a user: it cannot sign in, nothing is lost (BR-242)", 200, 412), d.deactivateUser)
	inside(d, api, resources.AreaUsers, operation("reactivate-user", http.MethodPost, one+"/reactivate", "Reactivate a user", 200, 412), d.reactivateUser)
	inside(d, api, resources.AreaUsers, operation("delete-user", http.MethodDelete, one, "Delete a user; seats, number and address are free at once (BR-240)", 204, 412, 428), d.deleteUser)
}

func (d *door) changeUser(ctx context.Context, in *changeUser) (*one[User], error) {
	c := in.caller
	c.Detach = in.Detach
	return d.editUser(ctx, c, in.ID, in.seenRecord(), in.Body.apply)
}

// editUser changes the document of a user whom check agrees to.
func (d *door) editUser(ctx context.Context, c resources.Caller, id string, check func(*resources.Record) error, edit func(*jsontree.Value)) (*one[User], error) {
	rec, _, err := d.directory.UpdateUser(ctx, c, id, func(cur *resources.Record, doc jsontree.Value) (jsontree.Value, error) {
		if check != nil {
			if err := check(cur); err != nil {
				return doc, err
			}
		}
		edit(&doc)
		return doc, nil
	})
	return userAnswer(rec, err)
}

func (d *door) deactivateUser(ctx context.Context, in *switchUser) (*one[User], error) {
	return d.editUser(ctx, in.caller, in.ID, in.seenRecord(), func(doc *jsontree.Value) { doc.Set("active", jsontree.Bool(false)) })
}

func (d *door) reactivateUser(ctx context.Context, in *switchUser) (*one[User], error) {
	return d.editUser(ctx, in.caller, in.ID, in.seenRecord(), func(doc *jsontree.Value) { doc.Set("active", jsontree.Bool(true)) })
}

func (d *door) deleteUser(ctx context.Context, in *deleteUser) (*nothing, error) {
	if !in.Confirm {
		return nil, unconfirmed("Deleting a user takes every licence, number and membership from it and cannot be undone; send confirm=true.")
	}
	return nil, d.directory.DeleteUser(ctx, in.caller, in.ID, in.seenRecord())
}

// unconfirmed is the refusal of what cannot be undone and was not confirmed
// (BR-260).
func unconfirmed(detail string) error {
	return &resources.Error{Code: resources.CodeConfirmation, Field: "query.confirm", Detail: detail}
}

// apply changes a user's document.
func (ch *UserChange) apply(doc *jsontree.Value) {
	if ch.UserName != nil {
		doc.Set("userName", jsontree.Str(*ch.UserName))
	}
	applyText(doc, "externalId", &ch.ExternalID)
	applyText(doc, "displayName", &ch.DisplayName)
	applyText(doc, "nickName", &ch.NickName)
	applyText(doc, "title", &ch.Title)
	applyText(doc, "userType", &ch.UserType)
	applyText(doc, "preferredLanguage", &ch.PreferredLanguage)
	applyText(doc, "locale", &ch.Locale)
	applyText(doc, "timezone", &ch.TimeZone)
	if ch.Emails.set {
		setContacts(doc, "emails", ch.Emails.value)
	}
	if ch.PhoneNumbers.set {
		setContacts(doc, "phoneNumbers", ch.PhoneNumbers.value)
	}
	switch n := &ch.Name.value; {
	case ch.Name.null:
		doc.Delete("name")
	case ch.Name.set:
		n.apply(doc)
	}
}

func (n *NameChange) apply(doc *jsontree.Value) {
	name := doc.Get("name")
	if name == nil {
		name = doc.Set("name", jsontree.Obj())
	}
	applyText(name, "formatted", &n.Formatted)
	applyText(name, "givenName", &n.GivenName)
	applyText(name, "middleName", &n.MiddleName)
	applyText(name, "familyName", &n.FamilyName)
	applyText(name, "honorificPrefix", &n.Prefix)
	applyText(name, "honorificSuffix", &n.Suffix)
	if len(name.Items) == 0 {
		doc.Delete("name")
	}
}

// applyText changes a member that is a text; null and "" take it away.
func applyText(doc *jsontree.Value, name string, p *Patch[string]) {
	switch {
	case p.set && p.value == "":
		doc.Delete(name)
	case p.set:
		doc.Set(name, jsontree.Str(p.value))
	}
}
