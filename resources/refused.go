package resources

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Refused is a sign-in that was refused, for administrators (BR-112). Refusals are
// settings, found by "connection" and "user".
type Refused struct {
	ID         string    `json:"-"`
	At         time.Time `json:"at"`
	Connection string    `json:"connection,omitempty"` // id
	User       string    `json:"user,omitempty"`       // id, when one was found
	Subject    string    `json:"subject,omitempty"`
	Email      string    `json:"email,omitempty"`
	Code       Code      `json:"code"`
	Reason     string    `json:"reason"` // a sentence: what was wrong, and the remedy
	From       string    `json:"from,omitempty"`
}

// How long refusals are kept, how many in an hour, and what is kept of texts that
// strangers chose, in bytes.
const (
	refusedKept    = 30 * 24 * time.Hour
	refusedMost    = 500
	refusedText    = 320
	refusedReason  = 600
	refusedAddress = 64
)

// harmless is a text of strangers as administrators may see it: short, and without
// what cannot be shown.
func harmless(text string, most int) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, clip(text, most))
}

func (r *Refused) place() place {
	p := place{Noun: nounRefused}
	if r.Connection != "" {
		p.Attrs = append(p.Attrs, attrOf("connection", r.Connection))
	}
	if r.User != "" {
		p.Attrs = append(p.Attrs, attrOf("user", r.User))
	}
	return p
}

// refusedIn reads a refusal from its record; nil when it is another setting.
func refusedIn(rec *Record) (*Refused, error) {
	if rec == nil || nounOf(rec) != nounRefused {
		return nil, nil
	}
	var r Refused
	if err := json.Unmarshal(rec.Profile, &r); err != nil {
		return nil, fmt.Errorf("decode refusal %s: %w", rec.ID, err)
	}
	r.ID = rec.ID
	return &r, nil
}

// NoteRefused keeps a refusal for the organization's administrators, thirty days
// and at most 500 an hour: a flood leaves no more, and a line in the log. Time and
// id are filled in.
func (d *Directory) NoteRefused(ctx context.Context, org OrgID, r Refused) error {
	now := d.now()
	hour := now.UTC().Truncate(time.Hour)
	n, err := d.vault.Count(ctx, org, "refused", hour.Format("2006010215"), hour.Add(time.Hour))
	if err != nil {
		return fmt.Errorf("count refusals: %w", err)
	}
	if n > refusedMost {
		if n == refusedMost+1 {
			d.log.WarnContext(ctx, "more sign-ins are refused than are noted", "org", org, "noted", refusedMost, "code", r.Code)
		}
		return nil
	}
	r.At = instant(now)
	r.Subject, r.Email = harmless(r.Subject, refusedText), harmless(r.Email, refusedText)
	r.Reason, r.From = harmless(r.Reason, refusedReason), harmless(r.From, refusedAddress)
	_, err = d.store.Update(ctx, org, func(_ context.Context, tx Tx) error {
		id, err := d.newID(KindSetting, now)
		if err != nil {
			return err
		}
		if _, err := r.place().put(tx, nil, id, string(r.Code), &r, now); err != nil {
			return err
		}
		tx.Expire(KindSetting, id, r.At.Add(refusedKept))
		e := Event{Type: "sign_in.refused", Kind: KindSetting, ID: id, Actor: actorSystem, Rule: string(r.Code)}
		if r.User != "" {
			e.Kind, e.ID = KindUser, r.User
		} else if r.Connection != "" {
			e.ID = r.Connection
		}
		tx.Event(e)
		return nil
	})
	if err != nil {
		return fmt.Errorf("note a refused sign-in: %w", err)
	}
	return nil
}

// Refusals lists refused sign-ins, newest first; connection (an id) and user narrow
// when not empty.
func (d *Directory) Refusals(ctx context.Context, c Caller, connection, user, after string, limit int) (list []*Refused, next string, err error) {
	if err := c.mayAdmin(AreaOrg, false); err != nil {
		return nil, "", err
	}
	where := []Cond{*nounRefused.all()}
	if connection != "" {
		where = append(where, *nounRefused.with(attrOf("connection", connection)))
	}
	if user != "" {
		where = append(where, *nounRefused.with(attrOf("user", user)))
	}
	list, next, err = listSettings(ctx, d, c.Org, where, after, limit, refusedIn)
	if err != nil {
		return nil, "", fmt.Errorf("refusals: %w", err)
	}
	now := d.now()
	kept := list[:0]
	for _, r := range list {
		if now.Before(r.At.Add(refusedKept)) { // what is to be swept is not shown
			kept = append(kept, r)
		}
	}
	return kept, next, nil
}
