package resources

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// NoteEndpoints compares the endpoints that discovery names now with those that
// were confirmed when a connection was saved. Other hosts raise an alert, which
// ends when they are the same again or an administrator saves the connection with
// the new ones (security O7).
func (d *Directory) NoteEndpoints(ctx context.Context, org OrgID, cn *Connection, now Endpoints) error {
	if cn.Endpoints == (Endpoints{}) {
		return nil // nobody has confirmed any
	}
	was, is := cn.Endpoints.hosts(), now.hosts()
	foreign := slices.DeleteFunc(slices.Clone(is), func(host string) bool { return slices.Contains(was, host) })
	err := d.alertOn(ctx, nil, org, AlertEndpoints, cn.ID, func(a *Alert) bool {
		detail := fmt.Sprintf("The provider of the connection %s names endpoints at other hosts than when it was saved: %s instead of %s. Ask the provider whether that is meant, and save the connection again to confirm it.",
			quoted(cn.Name), strings.Join(is, ", "), strings.Join(was, ", "))
		if len(foreign) == 0 {
			detail = a.Detail
		}
		if a.Count == len(foreign) && a.Detail == detail {
			return false
		}
		a.Count, a.Detail = len(foreign), detail
		return true
	})
	if err != nil {
		return fmt.Errorf("note the endpoints of connection %s: %w", cn.ID, err)
	}
	return nil
}

// hosts are the hosts of endpoints, each once, in order.
func (e *Endpoints) hosts() []string {
	var out []string
	for _, text := range []string{e.Authorization, e.Token, e.JWKS, e.UserInfo, e.EndSession} {
		if u, err := url.Parse(text); err == nil && u.Host != "" {
			out = append(out, strings.ToLower(u.Host))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
