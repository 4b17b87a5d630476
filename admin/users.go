package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-scim/usher/resources"
)

const usersPath = orgPath + "/users"

// User is a user of an organization.
type User struct {
	ID                string    `json:"id" example:"06f7k2m9s3c4d5e6g7h0"`
	UserName          string    `json:"userName" example:"zoe@acme.example"`
	ExternalID        string    `json:"externalId,omitempty"`
	Name              *Name     `json:"name,omitempty"`
	DisplayName       string    `json:"displayName,omitempty" example:"Zoé Martin"`
	NickName          string    `json:"nickName,omitempty"`
	Title             string    `json:"title,omitempty" example:"Engineer"`
	UserType          string    `json:"userType,omitempty"`
	PreferredLanguage string    `json:"preferredLanguage,omitempty" example:"fr-FR"`
	Locale            string    `json:"locale,omitempty" example:"fr-FR"`
	TimeZone          string    `json:"timezone,omitempty" example:"Europe/Paris"`
	Emails            []Contact `json:"emails"`
	PhoneNumbers      []Contact `json:"phoneNumbers,omitempty"`
	Active            bool      `json:"active" example:"true"`

	State    string        `json:"state" example:"not_verified" doc:"Where the user is in its life (domain.md §3.1)."`
	Verified bool          `json:"emailVerified" doc:"Whether the e-mail address is known to reach the user."`
	SignIns  *SignIns      `json:"signIns,omitempty" doc:"Of who has come in."`
	Mailed   *Mailed       `json:"activationEmails,omitempty" doc:"Activation mails and reminders that were sent."`
	Source   string        `json:"source" example:"API" doc:"How the user came: SCIM, API, CSV, CONSOLE …"`
	Managed  bool          `json:"managedByIdp" doc:"Whether an identity provider owns the profile (BR-071)."`
	Roles    []string      `json:"roles" doc:"As an administrator."`
	Licences []UserLicence `json:"licences" doc:"Effective ones; /licences tells why."`
	Package  string        `json:"package,omitempty" example:"calling" doc:"The package that is held."`
	Origin   string        `json:"licensingOrigin" enum:"automatic,explicit"`
	Calling  *Calling      `json:"calling,omitempty"`
	Issues   []Issue       `json:"issues" doc:"Why something is not as it was asked for."`
	Groups   []Ref         `json:"groups,omitempty" doc:"Direct memberships; of one user only."`
	Created  time.Time     `json:"created"`
	Modified time.Time     `json:"modified"`
	Version  uint64        `json:"version" example:"3" doc:"Of the ETag."`
}

// Name is a person's name, as in SCIM.
type Name struct {
	Formatted  string `json:"formatted,omitempty" maxLength:"500"`
	GivenName  string `json:"givenName,omitempty" maxLength:"200" example:"Zoé"`
	MiddleName string `json:"middleName,omitempty" maxLength:"200"`
	FamilyName string `json:"familyName,omitempty" maxLength:"200" example:"Martin"`
	Prefix     string `json:"honorificPrefix,omitempty" maxLength:"60"`
	Suffix     string `json:"honorificSuffix,omitempty" maxLength:"60"`
}

// Contact is an e-mail address or a telephone number of a profile.
type Contact struct {
	Value   string `json:"value" maxLength:"320" example:"zoe@acme.example"`
	Type    string `json:"type,omitempty" maxLength:"40" example:"work"`
	Primary bool   `json:"primary,omitempty"`
}

// UserLicence is one product of one user.
type UserLicence struct {
	SKU          string   `json:"sku" example:"calling"`
	Status       string   `json:"status" enum:"assigned,reserved,error"`
	Issue        string   `json:"issue,omitempty" example:"no_seats_available" doc:"Why it is not assigned."`
	Sources      []string `json:"sources" example:"direct" doc:"Why the user shall have it: direct, scim, group:<id>, org_template:<id> …"`
	Subscription string   `json:"subscription,omitempty" doc:"Id of the one whose seat it takes."`
	Since        string   `json:"since,omitempty" format:"date-time"`
}

// Calling is what a user has been given to call with.
type Calling struct {
	Location  string `json:"location,omitempty" doc:"Id of the location."`
	Number    string `json:"number,omitempty" example:"+33142685300"`
	Extension string `json:"extension,omitempty" example:"5300"`
	Temporary bool   `json:"temporaryExtension,omitempty" doc:"The extension is to be completed by a number (BR-193)."`
	Status    string `json:"status" enum:"none,pending,assigned,error"`
}

// Issue is a reason why something is not as it was asked for.
type Issue struct {
	Code      string `json:"code" example:"no_seats_available"`
	Attribute string `json:"attribute,omitempty"`
	Detail    string `json:"detail,omitempty"`
	Since     string `json:"since,omitempty" format:"date-time"`
}

// Mailed tells of the mails that shall bring a user in.
type Mailed struct {
	Count     int    `json:"count" example:"2"`
	Reminders int    `json:"reminders" example:"1" doc:"How many of them were reminders (BR-090)."`
	Last      string `json:"last" format:"date-time"`
}

// Ref names another resource.
type Ref struct {
	ID      string `json:"id" example:"06f7k2m9s3c4d5e6g7h1"`
	Display string `json:"display,omitempty" example:"Sales"`
}

// UserPath is embedded in the input of operations on one user.
type UserPath struct {
	OrgPath
	ID string `path:"id" maxLength:"40" doc:"The user's id."`
}

type listUsers struct {
	OrgPath
	Paged
	Search   string `query:"q" maxLength:"200" example:"zoe" doc:"Beginning or part of a name, userName or e-mail address, without case and accents."`
	State    string `query:"state" maxLength:"40" doc:"not_verified, verified, active, inactive …; never_activated: the first two."`
	Licence  string `query:"licence" maxLength:"63" doc:"A SKU that is held or asked for."`
	Status   string `query:"status" enum:"assigned,error,reserved" doc:"Of that licence."`
	Package  string `query:"package" maxLength:"63"`
	Location string `query:"location" maxLength:"200" doc:"Id or name."`
	Source   string `query:"source" maxLength:"40" doc:"How the user came: SCIM, API …"`
	Grant    string `query:"grant" maxLength:"40" doc:"Type of a licence's source: direct, scim, group …"`
	Issue    string `query:"issue" maxLength:"60" doc:"Code of an issue."`
	Role     string `query:"role" enum:"full_admin,user_admin,licence_admin,location_admin,read_only"`
	Numbers  bool   `query:"numbers" doc:"Only those whose number is to be completed (BR-193)."`
}

func (d *door) registerUsers(api huma.API) {
	const one = usersPath + "/{id}"
	inside(d, api, resources.AreaUsers, operation("list-users", http.MethodGet, usersPath, "List and search users", 200), d.listUsers)
	inside(d, api, resources.AreaUsers, operation("get-user", http.MethodGet, one, "Read a user", 200), d.getUser)
	inside(d, api, resources.AreaUsers, operation("create-user", http.MethodPost, usersPath, "Create a user", 201, 409), d.createUser)
	inside(d, api, resources.AreaUsers, operation("create-users", http.MethodPost, usersPath+"/batch", "Create up to 25 users; each row succeeds or fails by itself", 207), d.createUsers)
	inside(d, api, resources.AreaUsers, operation("get-user-timeline", http.MethodGet, one+"/timeline", "Read what happened to a user, newest first", 200), d.timeline)
}

// profile is what a user's document says that is shown here.
type profile struct {
	UserName          string    `json:"userName"`
	ExternalID        string    `json:"externalId"`
	Name              *Name     `json:"name"`
	DisplayName       string    `json:"displayName"`
	NickName          string    `json:"nickName"`
	Title             string    `json:"title"`
	UserType          string    `json:"userType"`
	PreferredLanguage string    `json:"preferredLanguage"`
	Locale            string    `json:"locale"`
	TimeZone          string    `json:"timezone"`
	Emails            []Contact `json:"emails"`
	PhoneNumbers      []Contact `json:"phoneNumbers"`
	Active            *bool     `json:"active"`
	Life              life      `json:"urn:ietf:params:scim:schemas:extension:UsherLifecycle:2.0:User"`
}

func wireUser(rec *resources.Record) (User, error) {
	var p profile
	if err := json.Unmarshal(rec.Profile, &p); err != nil {
		return User{}, fmt.Errorf("stored document of %s: %w", rec.ID, err)
	}
	s := resources.StandingOf(rec)
	out := User{
		ID: rec.ID, UserName: p.UserName, ExternalID: p.ExternalID, Name: p.Name, DisplayName: p.DisplayName, NickName: p.NickName,
		Title: p.Title, UserType: p.UserType, PreferredLanguage: p.PreferredLanguage, Locale: p.Locale, TimeZone: p.TimeZone,
		Emails: append([]Contact{}, p.Emails...), PhoneNumbers: p.PhoneNumbers, Active: p.Active == nil || *p.Active,
		State: s.State, Verified: p.Life.EmailVerified, SignIns: wireSignIns(s.Login), Source: s.Source, Roles: texts(s.Roles), Licences: []UserLicence{}, Origin: string(s.Origin), Issues: wireIssues(s.Issues),
		Created: rec.CreatedAt(), Modified: rec.LastModified(), Version: rec.Version,
	}
	if out.Source == "" {
		out.Source = sourceSCIM
	}
	out.Managed = out.Source == sourceSCIM
	if out.Origin == "" {
		out.Origin = string(resources.OriginAutomatic)
	}
	for i := range s.Licences {
		out.Licences = append(out.Licences, wireLicence(&s.Licences[i]))
	}
	if s.Package != nil {
		out.Package = s.Package.SKU
	}
	if m := s.Mails; m != nil && m.Count > 0 {
		out.Mailed = &Mailed{Count: m.Count, Reminders: m.Reminders, Last: moment(m.Last)}
	}
	if c := s.Calling; c != nil {
		out.Calling = &Calling{Location: c.Location, Number: c.Number, Extension: c.Extension, Temporary: c.Temporary, Status: c.Status}
		if c.Status == "" {
			out.Calling.Status = "none"
		}
	}
	for _, g := range rec.Groups {
		out.Groups = append(out.Groups, Ref(g))
	}
	return out, nil
}

// sourceSCIM is the provisionSource of users that an identity provider brought.
const sourceSCIM = "SCIM"

func wireLicence(a *resources.Assignment) UserLicence {
	out := UserLicence{SKU: a.SKU, Status: string(a.Status), Issue: string(a.Issue), Subscription: a.Subscription, Since: moment(a.Since), Sources: []string{}}
	for _, s := range a.Sources {
		out.Sources = append(out.Sources, s.String())
	}
	return out
}

func wireIssues(issues []resources.Issue) []Issue {
	out := make([]Issue, 0, len(issues))
	for _, i := range issues {
		out = append(out, Issue{Code: string(i.Code), Attribute: i.Attribute, Detail: i.Detail, Since: moment(i.Since)})
	}
	return out
}

// moment shows milliseconds since 1970; "" for none.
func moment(ms int64) string {
	if ms <= 0 {
		return ""
	}
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
}

func (d *door) listUsers(ctx context.Context, in *listUsers) (*listOut[User], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	page, err := d.directory.Users(ctx, in.caller, resources.UserQuery{
		Search: in.Search, State: in.State, Licence: in.Licence, Status: in.Status, Package: in.Package, Location: in.Location,
		Source: in.Source, Grant: in.Grant, Issue: in.Issue, Role: in.Role, Numbers: in.Numbers, After: after, Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	users := make([]User, 0, len(page.Records))
	for _, rec := range page.Records {
		u, err := wireUser(rec)
		if err != nil {
			return nil, err
		}
		u.Groups = nil
		users = append(users, u)
	}
	return listed(users, page.Next, func(u User) User { return u }), nil
}

// userAnswer shows a user after an act.
func userAnswer(rec *resources.Record, err error) (*one[User], error) {
	if err != nil {
		return nil, err
	}
	u, err := wireUser(rec)
	return &one[User]{ETag: versionTag(rec.Version), Body: u}, err
}

func (d *door) getUser(ctx context.Context, in *UserPath) (*one[User], error) {
	return userAnswer(d.directory.Get(ctx, in.caller, resources.KindUser, in.ID))
}
