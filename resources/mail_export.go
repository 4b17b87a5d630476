package resources

import (
	"context"
	"fmt"
	"time"
)

// maxExport is how many links one export has at most.
const maxExport = 100

// ExportedLink is a link for one user.
type ExportedLink struct {
	User, UserName, Email string
	Path, Code            string // as in Letter
	Expires               time.Time
}

// ExportLinks makes activation links for an administrator to hand out (BR-088),
// those of up to limit users who never activated after a place. Links that these
// users had stop working. Users without an address have none. It takes a full
// administrator, because who has a link can come in as the user, administrators
// included. Codes: forbidden unless the setting allows it.
func (d *Directory) ExportLinks(ctx context.Context, c Caller, after string, limit int) (links []ExportedLink, next string, err error) {
	if err := c.mayAdmin(AreaOrg, true); err != nil {
		return nil, "", err
	}
	plan, err := d.loadPlan(ctx, c.Org)
	if err != nil {
		return nil, "", err
	}
	if !plan.Settings.ExportLinks {
		return nil, "", &Error{Code: CodeForbidden, Detail: "The organization does not allow activation links to be exported; who wants that turns on the setting exportActivationLinks."}
	}
	page, err := d.store.Find(ctx, c.Org, Query{
		Kind: KindUser, Where: neverActivated(), Keyset: true, After: after, Limit: min(max(limit, 1), maxExport), NoGroups: true, Budget: d.budget,
	})
	if err != nil {
		return nil, "", fmt.Errorf("find who has not activated: %w", err)
	}
	for _, rec := range page.Records {
		link, err := d.exportLink(ctx, c, rec.ID)
		switch {
		case HasCode(err, CodeMissingEmail) || HasCode(err, CodeUserInactive) || HasCode(err, CodeRequestClosed) || HasCode(err, CodeNotFound):
			continue
		case err != nil:
			return nil, "", fmt.Errorf("export the link of %s: %w", rec.ID, err)
		}
		links = append(links, *link)
	}
	return links, page.Next, nil
}

// exportLink makes the link of one user. That it was exported, and by whom, is
// stored before anybody has it.
func (d *Directory) exportLink(ctx context.Context, c Caller, user string) (*ExportedLink, error) {
	var m *Mail
	var out ExportedLink
	_, err := d.store.Update(ctx, c.Org, func(_ context.Context, tx Tx) error {
		rec, err := tx.Read(KindUser, user)
		if err != nil {
			return err
		}
		if rec == nil {
			return notFound(KindUser)
		}
		var u *User
		if m, u, err = invited(rec); err != nil {
			return err
		}
		now := d.now()
		if m.ID, err = d.newID(KindSetting, now); err != nil {
			return err
		}
		m.State, m.Trigger, m.By, m.Created = MailExported, TriggerExport, c.Token, instant(now)
		out = ExportedLink{User: user, UserName: u.UserName, Email: m.To}
		if err := m.put(tx, nil, now); err != nil {
			return err
		}
		m.note(tx, "mail.exported")
		return nil
	})
	if err != nil {
		return nil, err
	}
	token, code, expires, err := d.mint(ctx, Lease{Org: c.Org}, m)
	if err != nil {
		return nil, fmt.Errorf("make a link: %w", err)
	}
	out.Path, out.Code, out.Expires = m.Purpose.path(token), code, time.UnixMilli(expires).UTC()
	return &out, nil
}
