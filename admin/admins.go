package admin

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-scim/usher/resources"
)

const adminsPath = orgPath + "/admins"

// Administrator is a user with roles.
type Administrator struct {
	User     string   `json:"user" example:"06f7k2m9s3c4d5e6g7h0" doc:"The user's id."`
	UserName string   `json:"userName" example:"zoe@acme.example"`
	Email    string   `json:"email,omitempty" example:"zoe@acme.example"`
	Active   bool     `json:"active" example:"true"`
	Roles    []string `json:"roles" example:"full_admin"`
}

// RolePath is embedded in the input of operations on one role of one user.
type RolePath struct {
	OrgPath
	User string `path:"user" maxLength:"40" doc:"The user's id."`
	Role string `path:"role" enum:"full_admin,user_admin,licence_admin,location_admin,read_only"`
}

func (d *door) registerAdmins(api huma.API) {
	const one = adminsPath + "/{user}/roles/{role}"
	inside(d, api, resources.AreaOrg, operation("list-admins", http.MethodGet, adminsPath, "List administrators and their roles", 200), d.listAdmins)
	inside(d, api, resources.AreaOrg, operation("grant-role", http.MethodPut, one, "Give a user a role", 200), d.grantRole)
	inside(d, api, resources.AreaOrg, operation("revoke-role", http.MethodDelete, one, "Take a role from a user; the last full administrator keeps it (BR-245)", 200), d.revokeRole)
}

func wireAdmin(a resources.Administrator) Administrator {
	return Administrator{User: a.User, UserName: a.UserName, Email: a.Email, Active: a.Active, Roles: texts(a.Roles)}
}

func (d *door) listAdmins(ctx context.Context, in *OrgPath) (*listOut[Administrator], error) {
	all, err := d.directory.Administrators(ctx, in.caller)
	if err != nil {
		return nil, err
	}
	return listed(all, "", wireAdmin), nil
}

func adminAnswer(a *resources.Administrator, err error) (*plain[Administrator], error) {
	if err != nil {
		return nil, err
	}
	return &plain[Administrator]{Body: wireAdmin(*a)}, nil
}

func (d *door) grantRole(ctx context.Context, in *RolePath) (*plain[Administrator], error) {
	return adminAnswer(d.directory.GrantRole(ctx, in.caller, in.User, resources.Role(in.Role)))
}

func (d *door) revokeRole(ctx context.Context, in *RolePath) (*plain[Administrator], error) {
	return adminAnswer(d.directory.RevokeRole(ctx, in.caller, in.User, resources.Role(in.Role)))
}
