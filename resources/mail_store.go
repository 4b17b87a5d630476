package resources

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// mailKept is how long the mail log goes back.
const mailKept = 400 * 24 * time.Hour

// invites reports whether a mail brings somebody in: the activation mail and its
// reminders, which count as such (BR-090).
func (m *Mail) invites() bool { return m.Template == MailActivate || m.Template == MailReminder }

// place is where a mail stands in the indexes. While one that invites a user is
// queued its key keeps others away.
func (m *Mail) place() place {
	p := place{Noun: nounMail, Attrs: []string{attrOf("state", string(m.State))}}
	if m.User != "" {
		p.Attrs = append(p.Attrs, attrOf("user", m.User))
	}
	if m.State == MailQueued && m.invites() {
		p.Key = attrOf("invites", m.User)
	}
	return p
}

// put asks for a mail to be stored in place of rec, nil for a new one.
func (m *Mail) put(tx Tx, rec *Record, now time.Time) error {
	if _, err := m.place().put(tx, rec, m.ID, string(m.Template), m, now); err != nil {
		return err
	}
	tx.Expire(KindSetting, m.ID, m.Created.Add(mailKept))
	return nil
}

// mailIn reads a mail from its record; nil when it is another setting.
func mailIn(rec *Record) (*Mail, error) {
	if rec == nil || nounOf(rec) != nounMail {
		return nil, nil
	}
	var m Mail
	if err := json.Unmarshal(rec.Profile, &m); err != nil {
		return nil, fmt.Errorf("decode mail %s: %w", rec.ID, err)
	}
	m.ID = rec.ID
	return &m, nil
}

// readMail reads a mail for change; nil when there is none.
func readMail(tx Tx, id string) (*Record, *Mail, error) {
	rec, err := tx.Read(KindSetting, id)
	if err != nil {
		return nil, nil, err
	}
	m, err := mailIn(rec)
	return rec, m, err
}

// mailID is the id of the one mail that there is for a reason: whoever asks for
// it again, because a reply was lost or work was done twice, finds it.
func mailID(at time.Time, reason ...string) (string, error) {
	sum := sha256.Sum256([]byte(attrOf(reason...)))
	return NewID(KindSetting, at, bytes.NewReader(sum[:]))
}

// queueMail asks for a mail in a commit: it is stored and becomes due. Who it goes
// to is m's to say, and what it tells; its id unless it has one, the state and the
// time are filled in. Without a language that of the user is taken when the mail
// is rendered (BR-093). The commit is refused when the user has a queued mail of
// the template activate or reminder and m is another, see mailWaiting.
func (d *Directory) queueMail(tx Tx, m *Mail) error { return d.queueMailAt(tx, m, d.now()) }

// queueMailAt is queueMail for a mail that is to be sent later.
func (d *Directory) queueMailAt(tx Tx, m *Mail, due time.Time) error {
	now := d.now()
	if m.ID == "" {
		var err error
		if m.ID, err = d.newID(KindSetting, now); err != nil {
			return err
		}
	}
	m.State, m.Created = MailQueued, instant(now)
	if err := m.put(tx, nil, now); err != nil {
		return err
	}
	tx.Due("m"+m.ID, due)
	m.note(tx, "mail.queued")
	return nil
}

// note appends an event about a mail to the stream, as one of its user.
func (m *Mail) note(tx Tx, what string) {
	if m.User == "" {
		return
	}
	actor := m.By
	if actor == "" || m.State != MailQueued && m.State != MailExported {
		actor = "system"
	}
	tx.Event(Event{Type: what, Kind: KindUser, ID: m.User, Actor: actor, Rule: string(m.Template), From: string(m.Trigger)})
}

// mailWaiting reports whether a commit was refused because a mail of the same
// sort is queued for the user.
func mailWaiting(err error) bool {
	r, ok := errors.AsType[*Refusal](err)
	return ok && r.Reason == RefusedName && r.Index == SettingKey && strings.HasPrefix(r.Value, string(nounMail))
}
