package resources

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
)

// When reminders are sent, in days after the first activation mail (BR-090).
const (
	reminderDefault = "3,7"
	reminderOff     = "off"
	maxReminders    = 10
	lastReminder    = 60 // days
	reminderDay     = 24 * time.Hour
	reminderGap     = 12 * time.Hour // after any other mail with a link
)

// reminderDays reads the setting: days in rising order; nil for none. ok is false
// for a text that is not one.
func reminderDays(text string) (days []int, ok bool) {
	switch strings.TrimSpace(text) {
	case "":
		text = reminderDefault
	case reminderOff:
		return nil, true
	}
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 1 || n > lastReminder || len(days) > 0 && n <= days[len(days)-1] {
			return nil, false
		}
		days = append(days, n)
	}
	return days, len(days) <= maxReminders
}

// dueReminder asks for a look at the next day of the schedule that is still to
// come for a user who was sent an activation mail, inactive ones included: they may
// not stay so.
func (d *Directory) dueReminder(tx Tx, p *Plan, user string, s *Standing) {
	if s.Mails == nil || s.Mails.First == 0 || s.activated() {
		return
	}
	days, _ := reminderDays(p.Settings.Reminders)
	first, now := time.UnixMilli(s.Mails.First), d.now()
	for _, n := range days {
		if at := first.Add(time.Duration(n) * reminderDay); at.After(now) {
			tx.Due("r"+user, at)
			return
		}
	}
}

// workReminder sends the reminder of a day of the schedule to who has not come
// yet, the due item r<user>, and asks for the next. A day on which mails are
// switched off passes without one and is not made up for (BR-087), and so does one
// since which a mail was sent. Who was sent one just before is reminded half a day
// after that.
func (d *Directory) workReminder(ctx context.Context, l Lease, item DueItem, user string) error {
	if k, ok := KindOf(user); !ok || k != KindUser {
		return d.drop(ctx, l, item)
	}
	ask := func(remind bool) error {
		run := 1
		_, err := d.store.Update(ctx, l.Org, func(ctx context.Context, tx Tx) error {
			run++ // the plan is read anew: the switch counts from the moment it is moved
			p, err := d.planIn(ctx, tx, l.Org, run)
			if err != nil {
				return err
			}
			tx.Fence(l)
			tx.Undue(item)
			rec, err := tx.Read(KindUser, user)
			if err != nil || rec == nil {
				return err
			}
			return d.remind(tx, p, rec, remind)
		})
		return err
	}
	err := ask(true)
	if mailWaiting(err) { // a mail with a link is on its way
		err = ask(false)
	}
	if err != nil {
		return fmt.Errorf("remind %s: %w", user, err)
	}
	return nil
}

// remind asks for the reminder of the day that has come, unless remind is false,
// and for a look at the next.
func (d *Directory) remind(tx Tx, p *Plan, rec *Record, remind bool) error {
	s := StandingOf(rec)
	if s.Mails == nil || s.Mails.First == 0 || s.activated() {
		return nil
	}
	days, _ := reminderDays(p.Settings.Reminders)
	now := d.now()
	today := 0 // the last day of the schedule that has come
	for _, n := range days {
		if !time.UnixMilli(s.Mails.First).Add(time.Duration(n) * reminderDay).After(now) {
			today = n
		}
	}
	doc, err := jsontree.Parse(rec.Profile, jsontree.Limits{})
	if err != nil {
		return fmt.Errorf("stored document of %s: %w", rec.ID, err)
	}
	u := UserOf(&doc)
	at, last := time.UnixMilli(s.Mails.First).Add(time.Duration(today)*reminderDay), time.UnixMilli(s.Mails.Last)
	wanted := s.arrives() && s.Tier == "licensed" && !p.Settings.ManualMails && !suppressed(&doc) && u.IdentityKey != ""
	if today > 0 && remind && wanted && !last.After(at) {
		if soon := last.Add(reminderGap); now.Before(soon) {
			tx.Due("r"+rec.ID, soon)
			return nil
		}
		if err := d.queueReminder(tx, rec.ID, u.Identity, at, s.Mails.Reminders+1); err != nil {
			return err
		}
	}
	d.dueReminder(tx, p, rec.ID, &s)
	return nil
}

// queueReminder asks for the reminder of a day, once.
func (d *Directory) queueReminder(tx Tx, user, to string, at time.Time, number int) error {
	id, err := mailID(at, "reminder", user)
	if err != nil {
		return err
	}
	if was, err := tx.Read(KindSetting, id); err != nil || was != nil {
		return err
	}
	return d.queueMail(tx, &Mail{
		ID: id, Template: MailReminder, User: user, To: to, Trigger: TriggerReminder, Purpose: PurposeActivate, Number: number,
	})
}
