package resources

import "context"

// DoorOrg is an organization as the people's door sees it before anybody is signed
// in.
type DoorOrg struct {
	ID          OrgID
	Slug, Name  string
	Settings    Settings
	Connections []*Connection // those that are on, by name
}

// DoorOrg finds an organization by its slug for the people's door. One that is
// unknown, suspended or being deleted is not_found.
func (d *Directory) DoorOrg(ctx context.Context, slug string) (*DoorOrg, error) {
	o, err := d.doorOrg(ctx, slug)
	if err != nil {
		return nil, err
	}
	plan, err := d.planFor(ctx, o.ID)
	if err != nil {
		return nil, err
	}
	all, err := d.connectionsOf(ctx, o.ID)
	if err != nil {
		return nil, err
	}
	out := &DoorOrg{ID: o.ID, Slug: o.Slug, Name: o.Name, Settings: plan.Settings}
	for _, cn := range all {
		if !cn.Off {
			out.Connections = append(out.Connections, cn)
		}
	}
	return out, nil
}

// DoorSettings are the settings of an organization by its slug, for the people's
// door. Codes as DoorOrg.
func (d *Directory) DoorSettings(ctx context.Context, slug string) (*Settings, error) {
	o, err := d.doorOrg(ctx, slug)
	if err != nil {
		return nil, err
	}
	plan, err := d.planFor(ctx, o.ID)
	if err != nil {
		return nil, err
	}
	return &plan.Settings, nil
}

// SignOutAt is the connection and the ID token by which somebody signs out at the
// provider too; nil when the session did not begin there, or the connection does
// not want it.
func (d *Directory) SignOutAt(ctx context.Context, s *SignedIn) (*Connection, string, error) {
	if s.Session.Method != MethodSSO || s.Session.Connection == "" {
		return nil, "", nil
	}
	cn, err := d.connectionByID(ctx, s.Person.Org, s.Session.Connection)
	if err != nil || cn == nil || cn.Off || !cn.Logout {
		return nil, "", err
	}
	hint, err := d.SignOutHint(ctx, s.Person.Org, &s.Session)
	return cn, hint, err
}
