package resources

import (
	"context"
)

// Administrator is a user with roles.
type Administrator struct {
	User     string
	UserName string
	Email    string
	Active   bool
	Roles    []Role
}

// Administrators lists users with roles.
func (d *Directory) Administrators(ctx context.Context, c Caller) ([]Administrator, error) {
	return nil, errUnbuilt
}

// GrantRole and RevokeRole change a user's roles; last_admin (BR-245).
func (d *Directory) GrantRole(ctx context.Context, c Caller, user string, role Role) (*Administrator, error) {
	return nil, errUnbuilt
}

// RevokeRole takes a role from a user; see GrantRole.
func (d *Directory) RevokeRole(ctx context.Context, c Caller, user string, role Role) (*Administrator, error) {
	return nil, errUnbuilt
}

// Timeline reads a user's, or any resource's, events from the newest to the
// oldest: those among up to scan events before the given one. more is where to
// go on, "" at the beginning of the stream.
func (d *Directory) Timeline(ctx context.Context, c Caller, id, before string, limit, scan int) (events []StoredEvent, more string, err error) {
	return nil, "", errUnbuilt
}
