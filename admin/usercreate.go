package admin

import (
	"context"
	"net/http"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// batchMost is how many users one batch may create (BR-062).
const batchMost = 25

// NewUser asks for a user. The address alone is enough.
type NewUser struct {
	Email             string    `json:"email,omitempty" maxLength:"320" example:"zoe@acme.example" doc:"The address; short for emails with one of type work."`
	UserName          string    `json:"userName,omitempty" maxLength:"320" doc:"The address when left out."`
	ExternalID        string    `json:"externalId,omitempty" maxLength:"200"`
	Name              *Name     `json:"name,omitempty"`
	DisplayName       string    `json:"displayName,omitempty" maxLength:"200" example:"Zoé Martin"`
	NickName          string    `json:"nickName,omitempty" maxLength:"200"`
	Title             string    `json:"title,omitempty" maxLength:"200"`
	UserType          string    `json:"userType,omitempty" maxLength:"100"`
	PreferredLanguage string    `json:"preferredLanguage,omitempty" maxLength:"100" example:"fr-FR"`
	Locale            string    `json:"locale,omitempty" maxLength:"100"`
	TimeZone          string    `json:"timezone,omitempty" maxLength:"60" example:"Europe/Paris"`
	Emails            []Contact `json:"emails,omitempty" maxItems:"20"`
	PhoneNumbers      []Contact `json:"phoneNumbers,omitempty" maxItems:"20"`
	Inactive          bool      `json:"inactive,omitempty" doc:"Create the user deactivated."`
	Licences          []string  `json:"licences,omitempty" maxItems:"50" example:"host" doc:"SKUs. Naming any, or a package, keeps the organization's template away (BR-163)."`
	Package           string    `json:"package,omitempty" maxLength:"63" example:"calling"`
	Location          string    `json:"location,omitempty" maxLength:"200" doc:"Id, externalId or name."`
	Number            string    `json:"number,omitempty" maxLength:"40" example:"+33142685300"`
	Extension         string    `json:"extension,omitempty" maxLength:"10" example:"5300"`
}

// NewUsers asks for several users.
type NewUsers struct {
	Users []NewUser `json:"users" minItems:"1"`
}

// Row is what became of one row of a batch.
type Row struct {
	Row     int      `json:"row" example:"1" doc:"From 1."`
	Status  int      `json:"status" example:"201" doc:"As if the row had been a request."`
	User    *User    `json:"user,omitempty"`
	Problem *Problem `json:"problem,omitempty"`
}

// Rows is what became of a batch. Rows that succeeded stay (BR-066).
type Rows struct {
	Succeeded int   `json:"succeeded" example:"1"`
	Failed    int   `json:"failed" example:"0"`
	Items     []Row `json:"items"`
}

type (
	createUser struct {
		OrgPath
		Body NewUser
	}
	createUsers struct {
		OrgPath
		Body NewUsers
	}
)

func (d *door) createUser(ctx context.Context, in *createUser) (*one[User], error) {
	c, err := in.creating(resources.KindUser)
	if err != nil {
		return nil, err
	}
	out, err := userAnswer(d.newUser(ctx, c, &in.Body))
	if err != nil {
		return nil, err
	}
	out.Location = in.at("users", out.Body.ID)
	return out, nil
}

func (d *door) createUsers(ctx context.Context, in *createUsers) (*plain[Rows], error) {
	if len(in.Body.Users) > batchMost {
		return nil, &resources.Error{Code: resources.CodeTooManyRows, Field: "body.users", Detail: "A batch has at most 25 users; send the rest in further ones."}
	}
	out := &plain[Rows]{Body: Rows{Items: make([]Row, 0, len(in.Body.Users))}}
	for i := range in.Body.Users {
		row := Row{Row: i + 1, Status: http.StatusCreated}
		c := in.caller
		var err error
		if c.NewID, err = in.newID(resources.KindUser, i); err != nil {
			return nil, err
		}
		made, err := userAnswer(d.newUser(ctx, c, &in.Body.Users[i]))
		if err == nil {
			row.User = &made.Body
			out.Body.Succeeded++
		} else {
			row.Problem = d.rowProblem(ctx, in, err)
			row.Status = row.Problem.Status
			out.Body.Failed++
		}
		out.Body.Items = append(out.Body.Items, row)
	}
	return out, nil
}

// rowProblem is the problem of one row.
func (d *door) rowProblem(ctx context.Context, in *createUsers, err error) *Problem {
	p, log := problemOf(err)
	if log {
		d.log.ErrorContext(ctx, "row of a batch failed", "req", in.caller.Request, "status", p.Status, "err", err)
	}
	p.Title, p.Request = titleOf(in.lang, p), in.caller.Request
	return p
}

// newUser creates one user with everything that its row asks for, or nothing
// (BR-197).
func (d *door) newUser(ctx context.Context, c resources.Caller, n *NewUser) (*resources.Record, error) {
	doc, err := n.document()
	if err != nil {
		return nil, err
	}
	return d.directory.CreateUser(ctx, c, doc)
}

// document is the SCIM User that a row asks for.
func (n *NewUser) document() (jsontree.Value, error) {
	doc := jsontree.Obj()
	emails, userName, err := n.names()
	if err != nil {
		return doc, err
	}
	doc.Set("schemas", jsontree.Arr(jsontree.Str(userURN)))
	setText(&doc, "userName", userName)
	setText(&doc, "externalId", n.ExternalID)
	if n.Name != nil {
		if name := n.Name.value(); len(name.Items) > 0 {
			doc.Set("name", name)
		}
	}
	setText(&doc, "displayName", n.DisplayName)
	setText(&doc, "nickName", n.NickName)
	setText(&doc, "title", n.Title)
	setText(&doc, "userType", n.UserType)
	setText(&doc, "preferredLanguage", n.PreferredLanguage)
	setText(&doc, "locale", n.Locale)
	setText(&doc, "timezone", n.TimeZone)
	setContacts(&doc, "emails", emails)
	setContacts(&doc, "phoneNumbers", n.PhoneNumbers)
	doc.Set("active", jsontree.Bool(!n.Inactive))
	n.wishes(&doc)
	return doc, nil
}

// names are a row's addresses and its userName, one of which it must have.
func (n *NewUser) names() ([]Contact, string, error) {
	emails := n.Emails
	switch {
	case n.Email != "" && len(emails) > 0:
		return nil, "", &resources.Error{Code: resources.CodeInvalidValue, Field: "email", Detail: "Send either email or emails, not both."}
	case n.Email != "":
		emails = []Contact{{Value: n.Email, Type: "work", Primary: true}}
	}
	switch {
	case n.UserName != "":
		return emails, n.UserName, nil
	case len(emails) > 0 && emails[0].Value != "":
		return emails, emails[0].Value, nil
	}
	return nil, "", &resources.Error{Code: resources.CodeInvalidValue, Field: "email", Detail: "A user needs an e-mail address, or at least a userName; send one."}
}

// wishes adds what a row asks for in usher's extensions.
func (n *NewUser) wishes(doc *jsontree.Value) {
	licences, calling := jsontree.Obj(), jsontree.Obj()
	if len(n.Licences) > 0 {
		licences.Set("licenses", textArray(n.Licences))
	}
	setText(&licences, "package", n.Package)
	setText(&calling, "location", n.Location)
	setText(&calling, "phoneNumber", n.Number)
	setText(&calling, "extension", n.Extension)
	if len(licences.Items) > 0 {
		setBlock(doc, resources.LicenceUserURN, licences)
	}
	if len(calling.Items) > 0 {
		setBlock(doc, resources.CallingURN, calling)
	}
}

// setBlock sets an extension of a document and names it among its schemas.
func setBlock(doc *jsontree.Value, urn string, block jsontree.Value) {
	if doc.Get(urn) == nil {
		schemas := doc.Get("schemas")
		if schemas == nil {
			schemas = doc.Set("schemas", jsontree.Arr())
		}
		schemas.Items = append(schemas.Items, jsontree.Str(urn))
	}
	doc.Set(urn, block)
}

const (
	userURN  = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupURN = "urn:ietf:params:scim:schemas:core:2.0:Group"
)

// setText sets a member, unless it is empty.
func setText(doc *jsontree.Value, name, text string) {
	if text != "" {
		doc.Set(name, jsontree.Str(text))
	}
}

// setContacts sets a list of addresses or numbers; an empty one takes it away.
func setContacts(doc *jsontree.Value, name string, list []Contact) {
	if len(list) == 0 {
		doc.Delete(name)
		return
	}
	all := jsontree.Arr()
	for _, c := range list {
		v := jsontree.Obj()
		v.Set("value", jsontree.Str(c.Value))
		setText(&v, "type", c.Type)
		if c.Primary {
			v.Set("primary", jsontree.Bool(true))
		}
		all.Items = append(all.Items, v)
	}
	doc.Set(name, all)
}

func (n *Name) value() jsontree.Value {
	out := jsontree.Obj()
	setText(&out, "formatted", n.Formatted)
	setText(&out, "givenName", n.GivenName)
	setText(&out, "middleName", n.MiddleName)
	setText(&out, "familyName", n.FamilyName)
	setText(&out, "honorificPrefix", n.Prefix)
	setText(&out, "honorificSuffix", n.Suffix)
	return out
}

func textArray(list []string) jsontree.Value {
	out := jsontree.Arr()
	for _, s := range list {
		out.Items = append(out.Items, jsontree.Str(s))
	}
	return out
}
