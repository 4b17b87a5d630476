package resources

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
)

// How mails are sent. Nothing here is ever parked for the sake of a mail server:
// who is away for hours finds what was queued when it is back (BR-262).
const (
	mailTime      = 40 * time.Second // of one attempt; shorter than an act may take
	mailNote      = 10 * time.Second // to note what became of it
	mailAttempt   = time.Minute      // after which an attempt is over, whatever became of who made it
	mailPause     = time.Minute      // before the second attempt; each further one waits twice as long …
	mailLongest   = 15 * time.Minute // … but not longer
	mailTries     = 480              // five days; then the mail has failed
	mailUnsent    = 10 * time.Minute // until the next look while there is nothing to send with
	mailSuspended = time.Hour        // the same of an organization that is suspended
	mailAnswer    = 300              // bytes of a server's answer that are kept
)

// errMailOver says that somebody else has dealt with a mail.
var errMailOver = errors.New("the mail is not queued any more")

// workDecided makes the mail that was decided on for a user, the due item
// a<user>: once, however often the work is done, because the mail's id follows
// from the decision (BR-080).
func (d *Directory) workDecided(ctx context.Context, l Lease, item DueItem, user string) error {
	if k, ok := KindOf(user); !ok || k != KindUser {
		return d.drop(ctx, l, item)
	}
	_, err := d.store.Update(ctx, l.Org, func(_ context.Context, tx Tx) error {
		tx.Fence(l)
		tx.Undue(item)
		rec, err := tx.Read(KindUser, user)
		if err != nil || rec == nil {
			return err
		}
		s := StandingOf(rec)
		if s.Mails == nil || s.Mails.Decided <= 0 {
			return nil
		}
		id, err := mailID(time.UnixMilli(s.Mails.Decided), "decided", user)
		if err != nil {
			return err
		}
		if was, err := tx.Read(KindSetting, id); err != nil || was != nil {
			return err
		}
		doc, err := jsontree.Parse(rec.Profile, jsontree.Limits{})
		if err != nil {
			return fmt.Errorf("stored document of %s: %w", user, err)
		}
		u := UserOf(&doc)
		return d.queueMail(tx, &Mail{
			ID: id, Template: MailActivate, User: user, To: u.Identity, Trigger: TriggerAuto, Purpose: PurposeActivate,
		})
	})
	if mailWaiting(err) { // somebody was quicker: one is enough
		return d.drop(ctx, l, item)
	}
	if err != nil {
		return fmt.Errorf("queue the activation mail of %s: %w", user, err)
	}
	return nil
}

// posting is one attempt to send a mail.
type posting struct {
	d    *Directory
	l    Lease
	item DueItem
	m    *Mail
	plan *Plan
	org  *Organization
	cat  *Catalogue

	gone     bool // there is no such user any more
	user     User
	doc      jsontree.Value
	standing Standing
}

// workMail sends a mail, the due item m<mail>, and nobody else does meanwhile.
// Should the worker die between sending and the commit, the same message, with the
// same id and the same link, is sent again.
func (d *Directory) workMail(ctx context.Context, l Lease, item DueItem, id string) error {
	rec, err := d.settingByID(ctx, l.Org, id)
	if err != nil {
		return err
	}
	m, err := mailIn(rec)
	if err != nil {
		return err
	}
	if m == nil || m.State != MailQueued {
		return d.drop(ctx, l, item)
	}
	now := d.now()
	if d.send == nil {
		return d.laterMail(ctx, l, item, now.Add(mailUnsent))
	}
	if until := d.outage.over(now, id); until.After(now) {
		return d.laterMail(ctx, l, item, until)
	}
	p := &posting{d: d, l: l, item: item, m: m}
	if err := p.read(ctx); err != nil {
		return fmt.Errorf("read what mail %s is about: %w", id, err)
	}
	if p.org.serves() != nil {
		return d.laterMail(ctx, l, item, now.Add(mailSuspended))
	}
	if why := p.moot(); why.text != "" {
		return p.cancel(ctx, why)
	}
	letter, err := p.letter(ctx)
	if refusal, ok := errors.AsType[*Error](err); ok { // the user has changed since, or has a later mail
		return p.cancel(ctx, mootness{text: refusal.Detail, anew: refusal.Code == CodeUserInactive})
	}
	if err != nil {
		return fmt.Errorf("make the letter of mail %s: %w", id, err)
	}
	return p.attempt(ctx, letter)
}

// attempt gives a letter to the mail server. Should another worker be at it, who
// had the lease before, the mail is looked at again when that one must be over.
func (p *posting) attempt(ctx context.Context, letter Letter) error {
	d, until := p.d, p.d.now().Add(mailAttempt)
	mine, err := d.vault.Add(ctx, p.l.Org, "mail", p.m.ID, until)
	if err != nil {
		return fmt.Errorf("begin to send mail %s: %w", p.m.ID, err)
	}
	if !mine {
		return d.laterMail(ctx, p.l, p.item, until)
	}
	sending, cancel := context.WithTimeout(ctx, mailTime)
	err = d.send(sending, letter)
	cancel()
	// What has become of it is noted also by a worker that is being stopped.
	noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), mailNote)
	defer cancel()
	if err != nil {
		if _, err := d.vault.Take(noting, p.l.Org, "mail", p.m.ID); err != nil {
			return fmt.Errorf("note that mail %s was not sent: %w", p.m.ID, err)
		}
	}
	if err != nil && ctx.Err() != nil { // stopped: that says nothing of the mail
		return fmt.Errorf("send mail %s: %w", p.m.ID, err)
	}
	return p.over(noting, err)
}

// laterMail leaves a mail for later.
func (d *Directory) laterMail(ctx context.Context, l Lease, item DueItem, at time.Time) error {
	_, err := d.store.Update(ctx, l.Org, func(_ context.Context, tx Tx) error {
		tx.Fence(l)
		tx.Undue(item)
		tx.Due(item.Item, at)
		return nil
	})
	if err != nil {
		return fmt.Errorf("leave a mail for later: %w", err)
	}
	return nil
}

// read reads what the mail is about as it is now. The plan is read from the
// store: the switch for automatic mails counts from the moment it is moved.
func (p *posting) read(ctx context.Context) (err error) {
	if p.org, err = p.d.orgByID(ctx, p.l.Org); err != nil {
		return err
	}
	if p.plan, err = p.d.loadPlan(ctx, p.l.Org); err != nil {
		return err
	}
	if p.cat, err = p.d.catalogue(ctx); err != nil {
		return err
	}
	rec, err := p.d.store.Get(ctx, p.l.Org, KindUser, p.m.User)
	if err != nil {
		return fmt.Errorf("read user: %w", err)
	}
	if p.gone = rec == nil; p.gone {
		return nil
	}
	if p.doc, err = jsontree.Parse(rec.Profile, jsontree.Limits{}); err != nil {
		return fmt.Errorf("stored document of %s: %w", p.m.User, err)
	}
	p.user, p.standing = userIn(rec, &p.doc), StandingOf(rec)
	if p.m.invites() && p.user.IdentityKey != "" { // who is invited is written to where they are
		p.m.To = p.user.Identity
	}
	return nil
}

// over notes what became of an attempt.
func (p *posting) over(ctx context.Context, err error) error {
	m, now := p.m, p.d.now()
	fault, ok := errors.AsType[*SendFault](err)
	switch {
	case err == nil:
		p.d.outage.ended()
		m.State, m.Sent, m.Answer = MailSent, instant(now), ""
		m.Tries++
		return p.end(ctx, "mail.sent")
	case !ok:
		p.d.log.ErrorContext(ctx, "a mail could not be made or sent, will be repeated", "org", p.l.Org, "mail", m.ID, "template", m.Template, "err", err)
		fault = &SendFault{Answer: "usher could not make or send the mail; its log has the reason", Err: err}
	}
	m.Answer = clip(fault.Answer, mailAnswer)
	if ok && !fault.Permanent && fault.away() {
		p.d.log.WarnContext(ctx, "the mail server is away, mails wait", "org", p.l.Org, "mail", m.ID, "err", fault.Err)
		return p.again(ctx, p.d.outage.began(now, m.ID))
	}
	m.Tries++
	if fault.Permanent || m.Tries >= mailTries {
		m.State = MailFailed
		return p.end(ctx, "mail.failed")
	}
	return p.again(ctx, now.Add(mailWait(m.Tries)))
}

// mailWait is the pause after so many attempts.
func mailWait(tries int) time.Duration {
	wait := mailPause
	for ; tries > 1 && wait < mailLongest; tries-- {
		wait *= 2
	}
	return min(wait, mailLongest)
}

// away reports whether it is the server that does not work, or that refuses usher
// itself, and not this mail: it gave no answer, that it goes (421), or what would
// be final if it were about the mail.
func (f *SendFault) away() bool {
	return !strings.HasPrefix(f.Answer, "4") || strings.HasPrefix(f.Answer, "421")
}

// commit stores the mail as it is by now, unless somebody else has dealt with it.
func (p *posting) commit(ctx context.Context, more func(tx Tx) error) error {
	_, err := p.d.store.Update(ctx, p.l.Org, func(_ context.Context, tx Tx) error {
		tx.Fence(p.l)
		tx.Undue(p.item)
		return p.store(tx, more)
	})
	return p.done(ctx, err)
}

func (p *posting) store(tx Tx, more func(tx Tx) error) error {
	rec, was, err := readMail(tx, p.m.ID)
	if err != nil {
		return err
	}
	if was == nil || was.State != MailQueued {
		return errMailOver
	}
	if err := p.m.put(tx, rec, p.d.now()); err != nil {
		return err
	}
	return more(tx)
}

// done turns the end of a commit about a mail into that of the work.
func (p *posting) done(ctx context.Context, err error) error {
	if errors.Is(err, errMailOver) {
		return p.d.drop(ctx, p.l, p.item)
	}
	if err != nil {
		return fmt.Errorf("note what became of mail %s: %w", p.m.ID, err)
	}
	return nil
}

// again leaves a mail queued after an attempt that failed.
func (p *posting) again(ctx context.Context, at time.Time) error {
	return p.commit(ctx, func(tx Tx) error {
		tx.Due(p.item.Item, at)
		return nil
	})
}

// end stores a mail that was sent, or refused for good, and tells its user's
// standing in the same commit.
func (p *posting) end(ctx context.Context, event string) error {
	note := func(tx Tx) error {
		p.m.note(tx, event)
		return nil
	}
	bounced := p.standing.Mails != nil && p.standing.Mails.Bounced != ""
	if p.m.State == MailSent && !p.m.activates() && !bounced {
		return p.commit(ctx, note)
	}
	return p.withUser(ctx, p.told, note, func(tx Tx, plan *Plan, after *Standing) {
		if p.m.State == MailSent && p.m.activates() {
			p.d.dueReminder(tx, plan, p.m.User, after)
		}
	})
}

// activates reports whether a mail carries a link that brings somebody in.
func (m *Mail) activates() bool { return m.invites() || m.Template == MailAgain }

// told writes into a standing what became of a mail.
func (p *posting) told(s *Standing) {
	mails, now := s.mails(), p.d.now().UnixMilli()
	switch {
	case p.m.State == MailFailed:
		mails.Bounced, _ = EmailKey(p.m.To)
	case p.m.activates():
		mails.Last, mails.Bounced = now, ""
		mails.Count++
		if mails.First == 0 {
			mails.First = now
		}
		if p.m.Template == MailReminder {
			mails.Reminders++
		}
	default:
		mails.Bounced = ""
	}
	s.Mails = &mails
}

// withUser stores the mail in the commit of a change of its user's standing. When
// that cannot be, because the user is gone or cannot be settled, the mail is
// stored alone: what was sent was sent.
func (p *posting) withUser(ctx context.Context, change func(*Standing), note func(Tx) error, more func(Tx, *Plan, *Standing)) error {
	r := revision{lease: &p.l, item: &p.item, quiet: true}
	r.change = func(_ *Plan, s *Standing) error {
		change(s)
		return nil
	}
	r.beside = func(tx Tx, plan *Plan, _ string, _, after *Standing) error {
		if more != nil {
			more(tx, plan, after)
		}
		return p.store(tx, note)
	}
	rec, _, err := p.d.revise(ctx, p.l.worker(), p.m.User, r)
	_, refused := errors.AsType[*Error](err)
	switch {
	case refused:
		p.d.log.WarnContext(ctx, "a user is not told of a mail", "org", p.l.Org, "user", p.m.User, "mail", p.m.ID, "err", err)
		fallthrough
	case err == nil && rec == nil:
		return p.commit(ctx, note)
	}
	return p.done(ctx, err)
}
