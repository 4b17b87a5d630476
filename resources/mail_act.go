package resources

import (
	"context"
	"fmt"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
)

// How much can be asked for by hand (BR-092, security X6).
const (
	mailAgain  = 10 * time.Minute // between two activation mails to one user
	mailsAHour = 1000             // of one organization, asked for one by one
)

// Mails lists the mail log, newest first; user and state narrow when not empty.
func (d *Directory) Mails(ctx context.Context, c Caller, user string, state MailState, after string, limit int) ([]*Mail, string, error) {
	if err := c.mayAdmin(AreaUsers, false); err != nil {
		return nil, "", err
	}
	where := []Cond{*nounMail.all()}
	if state != "" {
		where = append(where, *nounMail.with(attrOf("state", string(state))))
	}
	if user != "" {
		where = append(where, *nounMail.with(attrOf("user", user)))
	}
	return listSettings(ctx, d, c.Org, where, after, limit, mailIn)
}

// Mail reads one mail of the log. Codes: not_found.
func (d *Directory) Mail(ctx context.Context, c Caller, id string) (*Mail, error) {
	if err := c.mayAdmin(AreaUsers, false); err != nil {
		return nil, err
	}
	rec, err := d.settingByID(ctx, c.Org, id)
	if err != nil {
		return nil, err
	}
	m, err := mailIn(rec)
	if err == nil && m == nil {
		err = &Error{Code: CodeNotFound, Detail: "There is no such mail; mails are kept for 400 days."}
	}
	return m, err
}

// SendActivation sends the activation mail to one user (BR-084, BR-092). Codes:
// rate_limited (once in ten minutes, and while one is queued), missing_email,
// user_inactive, request_closed when the user is active already.
func (d *Directory) SendActivation(ctx context.Context, c Caller, user string) (*Mail, error) {
	if err := c.mayAdmin(AreaUsers, true); err != nil {
		return nil, err
	}
	if k, ok := KindOf(user); !ok || k != KindUser {
		return nil, notFound(KindUser)
	}
	var sent *Mail
	counted := false
	_, err := d.store.Update(ctx, c.Org, func(ctx context.Context, tx Tx) error {
		made, err := earlier(tx, c, mailIn)
		if sent = made; made != nil || err != nil {
			return err
		}
		rec, err := tx.Read(KindUser, user)
		if err != nil {
			return err
		}
		if rec == nil {
			return notFound(KindUser)
		}
		m, err := d.invitation(rec)
		if err != nil {
			return err
		}
		if !counted {
			if err := d.countMail(ctx, c.Org); err != nil {
				return err
			}
			counted = true
		}
		m.ID, m.Trigger, m.By = c.NewID, TriggerManual, c.Token
		sent = m
		return d.queueMail(tx, m)
	})
	if mailWaiting(err) {
		err = tooSoon()
	}
	if err != nil {
		return nil, fmt.Errorf("send the activation mail: %w", err)
	}
	return sent, nil
}

// tooSoon is the refusal of one more mail to a user.
func tooSoon() error {
	return &Error{Code: CodeRateLimited, Detail: "An activation mail to this user is on its way, or was sent less than ten minutes ago; look at the mail log, or wait."}
}

// countMail counts a mail that somebody asked for by hand, or for themselves.
// Codes: rate_limited.
func (d *Directory) countMail(ctx context.Context, org OrgID) error {
	n, err := d.vault.Count(ctx, org, "mails", "asked", d.now().Add(time.Hour))
	if err != nil {
		return fmt.Errorf("count mails: %w", err)
	}
	if n > mailsAHour {
		return &Error{Code: CodeRateLimited, Detail: fmt.Sprintf("More than %d mails were asked for one by one within an hour; wait, or send them in bulk.", mailsAHour)}
	}
	return nil
}

// invitation is an activation mail to a user who has yet to come, or says why
// there is none. Codes: rate_limited and those of [invited].
func (d *Directory) invitation(rec *Record) (*Mail, error) {
	m, u, err := invited(rec)
	if err != nil {
		return nil, err
	}
	if sent := u.standing.Mails; sent != nil && d.now().Before(time.UnixMilli(sent.Last).Add(mailAgain)) {
		return nil, tooSoon()
	}
	return m, nil
}

// invited is what brings a user in who has yet to come. Codes: user_inactive,
// request_closed, missing_email.
func invited(rec *Record) (*Mail, *User, error) {
	doc, err := jsontree.Parse(rec.Profile, jsontree.Limits{})
	if err != nil {
		return nil, nil, fmt.Errorf("stored document of %s: %w", rec.ID, err)
	}
	u := UserOf(&doc)
	u.standing = StandingOf(rec)
	switch {
	case u.standing.State == StateInactive:
		return nil, nil, &Error{Code: CodeUserInactive, Detail: "The user is inactive and cannot sign in; reactivate the user first."}
	case !u.standing.arrives():
		return nil, nil, &Error{Code: CodeRequestClosed, Detail: "The user is active already and needs no activation mail."}
	case u.IdentityKey == "":
		return nil, nil, &Error{Code: CodeMissingEmail, Field: "emails", Detail: "The user has no e-mail address that a mail can be sent to; add one."}
	}
	return &Mail{Template: MailActivate, User: rec.ID, To: u.Identity, Purpose: PurposeActivate}, &u, nil
}
