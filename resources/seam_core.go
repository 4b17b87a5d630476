package resources

import (
	"context"
	"time"
)

func (s *Standing) prove(key string) { s.Proven = key }

func (s *Standing) proves(key string) bool { return key != "" && s.Proven == key }

func (s *Standing) activated() bool { return s.Login != nil && s.Login.First > 0 }

func (s *Standing) endAccess() { s.Epoch++ }

func (s *Standing) signIn(m SignInMethod, now time.Time) {
	ms := now.UnixMilli()
	if s.Login == nil || s.Login.First == 0 {
		s.Login = &Login{First: ms, Last: ms, Activated: ms, Method: m}
		s.endAccess()
	}
}

func (d *Directory) personIn(ctx context.Context, o *Organization, rec *Record) (*Person, error) {
	u, err := storedUser(rec)
	if err != nil {
		return nil, err
	}
	p, err := d.planFor(ctx, o.ID)
	if err != nil {
		return nil, err
	}
	return &Person{ID: rec.ID, Org: o.ID, Slug: o.Slug, OrgName: o.Name, UserName: u.UserName, DisplayName: u.DisplayName, Email: u.Identity, Language: "en",
		State: u.standing.State, Settings: p.Settings, NameManaged: u.standing.Source == "" && u.DisplayName != ""}, nil
}
