package resources

import (
	"context"
)

// Templates lists templates.
func (d *Directory) Templates(ctx context.Context, c Caller) ([]Template, error) {
	return nil, errUnbuilt
}

// PutTemplate writes a template: id "" makes a new one. held is the alert when
// taking products away waits for an administrator (BR-165); jobs follow members.
func (d *Directory) PutTemplate(ctx context.Context, c Caller, t Template) (out Template, held *Alert, err error) {
	return t, nil, errUnbuilt
}

// DeleteTemplate removes a template; see PutTemplate.
func (d *Directory) DeleteTemplate(ctx context.Context, c Caller, id string) (held *Alert, err error) {
	return nil, errUnbuilt
}

// ApplyTemplate starts a job that gives the organization's template to users
// there are, or with dry only counts what would change. preserve keeps what
// the template gave before and does not any more.
func (d *Directory) ApplyTemplate(ctx context.Context, c Caller, id string, dry, preserve bool) (*Job, error) {
	return nil, errUnbuilt
}

// GroupLicensing tells of a group's template and its progress.
type GroupLicensing struct {
	Template *Template
	Members  int
	Assigned int // members that hold every product of the template
	Failed   int
	Job      *Job // the last one that followed a change, or nil
}

// GroupLicensing counts; it costs a walk over the members when the group has a
// template.
func (d *Directory) GroupLicensing(ctx context.Context, c Caller, group string) (*GroupLicensing, error) {
	return nil, errUnbuilt
}

// RetryLicences makes everybody whose assignment of a SKU failed ("" is any) be
// settled again, as a job.
func (d *Directory) RetryLicences(ctx context.Context, c Caller, sku string) (*Job, error) {
	return nil, errUnbuilt
}

// Alerts lists alerts, newest first.
func (d *Directory) Alerts(ctx context.Context, c Caller, state AlertState, kind AlertKind, after string, limit int) (alerts []*Alert, next string, err error) {
	return nil, "", errUnbuilt
}

// Alert reads one alert.
func (d *Directory) Alert(ctx context.Context, c Caller, id string) (*Alert, error) {
	return nil, errUnbuilt
}

// Decide confirms or rejects a held revocation (BR-165); request_closed when it
// was decided before. Rejected licences stay, as direct ones or, of a template,
// in the template.
func (d *Directory) Decide(ctx context.Context, c Caller, alert string, confirm bool) (*Alert, error) {
	return nil, errUnbuilt
}

// CloseAlert marks an alert as done or dismissed; held revocations are decided.
func (d *Directory) CloseAlert(ctx context.Context, c Caller, id string, to AlertState) (*Alert, error) {
	return nil, errUnbuilt
}

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
