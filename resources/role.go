package resources

import "slices"

// Role is what an administrator of an organization may do (BR-060).
type Role string

// The roles.
const (
	RoleFullAdmin     Role = "full_admin"
	RoleUserAdmin     Role = "user_admin"
	RoleLicenceAdmin  Role = "licence_admin"
	RoleLocationAdmin Role = "location_admin"
	RoleReadOnly      Role = "read_only"
)

// Roles lists every role.
func Roles() []Role {
	return []Role{RoleFullAdmin, RoleUserAdmin, RoleLicenceAdmin, RoleLocationAdmin, RoleReadOnly}
}

// adminPool is the pool of active full administrators, by user id. The last one
// stays, whoever asks (BR-245).
const adminPool = "admins"

// The scopes of API tokens of an organization, one for each role.
const (
	ScopeAdmin         Scope = "admin"
	ScopeAdminUsers    Scope = "admin:users"
	ScopeAdminLicences Scope = "admin:licences"
	ScopeAdminPlaces   Scope = "admin:locations"
	ScopeAdminRead     Scope = "admin:read"
)

// AdminScopes lists the scopes of API tokens of an organization.
func AdminScopes() []Scope {
	return []Scope{ScopeAdmin, ScopeAdminUsers, ScopeAdminLicences, ScopeAdminPlaces, ScopeAdminRead}
}

// Area is a part of an organization that rights are about.
type Area uint8

// The areas.
const (
	AreaUsers    Area = iota + 1 // users, groups, their activation
	AreaLicences                 // licences of users, templates, usage, alerts, billing, jobs
	AreaPlaces                   // locations, numbers, extensions, calling of users
	AreaOrg                      // settings, administrators
	AreaPlatform                 // catalogue, subscriptions: the platform operator only
)

// areas says which areas a scope may change. Every one of them may read all of
// its organization.
var areas = map[Scope][]Area{
	ScopePlatform:      {AreaUsers, AreaLicences, AreaPlaces, AreaOrg, AreaPlatform},
	ScopeAdmin:         {AreaUsers, AreaLicences, AreaPlaces, AreaOrg},
	ScopeAdminUsers:    {AreaUsers},
	ScopeAdminLicences: {AreaLicences},
	ScopeAdminPlaces:   {AreaPlaces},
	ScopeAdminRead:     {},
}

// May refuses callers that may not read, or change, an area of their
// organization, for doors that want to know before they read a request. Every act
// asks for itself. An area that is none of those is nobody's to change.
func (c Caller) May(area Area, change bool) error { return c.mayAdmin(area, change) }

// mayAdmin refuses callers that may not read, or change, an area of their
// organization through the administrators' door (BR-060). A platform operator
// acts on an organization as a caller made by [Directory.Operate].
func (c Caller) mayAdmin(area Area, write bool) error {
	for _, s := range c.Scopes {
		may, ok := areas[s]
		if !ok {
			continue
		}
		if !write {
			return nil
		}
		if slices.Contains(may, area) {
			return nil
		}
	}
	return &Error{Code: CodeForbidden, Detail: "This token may not do this; use one of an administrator whose role allows it."}
}
