package resources

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// alertKept is how long an alert is kept after it was closed.
const alertKept = 365 * 24 * time.Hour

// sweepAlert removes an alert that was closed long ago.
func (d *Directory) sweepAlert(ctx context.Context, l Lease, item DueItem, id string) error {
	_, err := d.store.Update(ctx, l.Org, func(_ context.Context, tx Tx) error {
		tx.Fence(l)
		tx.Undue(item)
		rec, a, err := readAlert(tx, id)
		if err != nil || a == nil || a.State == AlertOpen {
			return err
		}
		if at := a.Decided.Add(alertKept); d.now().Before(at) {
			tx.Due(item.Item, at)
			return nil
		}
		tx.Delete(rec, placeOf(rec).entries(id))
		return nil
	})
	if err != nil {
		return fmt.Errorf("remove alert %s: %w", id, err)
	}
	return nil
}

// place is where an alert stands in the indexes. Of most kinds an open one keeps
// others about the same subject away.
func (a *Alert) place() place {
	p := place{Noun: nounAlert, Attrs: []string{attrOf("state", string(a.State)), attrOf("kind", string(a.Kind))}}
	if a.State == AlertOpen && a.Kind != AlertHeldRevocation {
		p.Key = attrOf(string(a.Kind), a.Subject)
	}
	return p
}

// alertIn reads an alert from its record; nil when it is another setting.
func alertIn(rec *Record) (*Alert, error) {
	if rec == nil || nounOf(rec) != nounAlert {
		return nil, nil
	}
	var a Alert
	if err := json.Unmarshal(rec.Profile, &a); err != nil {
		return nil, fmt.Errorf("decode alert %s: %w", rec.ID, err)
	}
	a.ID = rec.ID
	return &a, nil
}

// openAlert asks for a new alert, with an id unless it has one.
func (d *Directory) openAlert(tx Tx, c Caller, a *Alert) error {
	now := d.now()
	a.State, a.Created = AlertOpen, instant(now)
	if a.ID == "" {
		var err error
		if a.ID, err = d.newID(KindSetting, now); err != nil {
			return err
		}
	}
	if _, err := a.place().put(tx, nil, a.ID, string(a.Kind), a, now); err != nil {
		return err
	}
	tx.Due(digestAsked, now)
	tx.Event(Event{Type: "alert.opened", Kind: KindSetting, ID: a.ID, Version: 1, Actor: c.Token, Request: c.Request, Rule: string(a.Kind)})
	return nil
}

// alertOn keeps the one open alert about a subject up to date: change gets it, or
// a new one, and reports whether anything must be written. With a count of 0 an
// alert is done, and none is made. l, when not nil, fences the commit.
func (d *Directory) alertOn(ctx context.Context, l *Lease, org OrgID, kind AlertKind, subject string, change func(*Alert) bool) error {
	key := nounAlert.key(attrOf(string(kind), subject))
	const tries = 3
	var err error
	for range tries {
		_, err = d.store.Update(ctx, org, func(ctx context.Context, tx Tx) error {
			if l != nil {
				tx.Fence(*l)
			}
			id, err := d.store.Named(ctx, org, SettingKey, key)
			if err != nil {
				return err
			}
			if id == "" {
				a := &Alert{Kind: kind, Subject: subject}
				if !change(a) || a.Count == 0 {
					return nil
				}
				return d.openAlert(tx, Caller{Token: "system"}, a)
			}
			rec, a, err := readAlert(tx, id)
			if err != nil || a == nil || a.State != AlertOpen || !change(a) {
				return err
			}
			if a.Count == 0 {
				a.State, a.Decided = AlertDone, instant(d.now())
			}
			return d.putAlert(tx, Caller{Token: "system"}, rec, a)
		})
		if r, ok := errors.AsType[*Refusal](err); !ok || r.Reason != RefusedName {
			break // else another one has just opened it
		}
	}
	if err != nil {
		return fmt.Errorf("note an alert: %w", err)
	}
	return nil
}

// readAlert reads an alert for change; nil when there is none.
func readAlert(tx Tx, id string) (*Record, *Alert, error) {
	rec, err := tx.Read(KindSetting, id)
	if err != nil {
		return nil, nil, err
	}
	a, err := alertIn(rec)
	return rec, a, err
}

// putAlert asks for a changed alert to be stored.
func (d *Directory) putAlert(tx Tx, c Caller, rec *Record, a *Alert) error {
	stored, err := a.place().put(tx, rec, a.ID, string(a.Kind), a, d.now())
	if err != nil {
		return err
	}
	if a.State != AlertOpen {
		tx.Due("h"+a.ID, a.Decided.Add(alertKept))
		tx.Event(Event{Type: "alert.closed", Kind: KindSetting, ID: a.ID, Version: stored.Version, Actor: c.Token, Request: c.Request, Rule: string(a.Kind)})
	}
	return nil
}

// noteWaiting keeps the alert up to date that says how many users wait for a
// product; it ends with the last of them.
func (d *Directory) noteWaiting(ctx context.Context, l Lease, sku string) error {
	_, waiting, err := d.store.Counts(ctx, l.Org, nil, []string{lineOf(sku)})
	if err != nil {
		return fmt.Errorf("count who waits: %w", err)
	}
	n := waiting[0]
	return d.alertOn(ctx, &l, l.Org, AlertNoSeats, FoldSKU(sku), func(a *Alert) bool {
		if a.Count == n {
			return false
		}
		if a.Count, a.SKUs = n, []string{FoldSKU(sku)}; n > 0 {
			a.Detail = fmt.Sprintf("%d users wait for a seat of %s; add units to a subscription, or free seats.", n, FoldSKU(sku))
		}
		return true
	})
}

// NoteParked makes an alert of work that failed too often and waits for the
// operator (see ParkedItem); a job behind it has failed. It is told by workers
// and therefore only logs what goes wrong.
func (d *Directory) NoteParked(ctx context.Context, org OrgID, item, cause string) {
	err := d.alertOn(ctx, nil, org, AlertParked, item, func(a *Alert) bool {
		a.Count++
		a.Detail = "Work on " + parkedName(item) + " failed again and again and waits; ask the operator of usher, whose log has the reason."
		return true
	})
	if id, ok := strings.CutPrefix(item, "j"); ok && err == nil {
		err = d.failJob(ctx, org, id)
	}
	if err != nil {
		d.log.ErrorContext(ctx, "parked work not noted", "org", org, "item", item, "cause", cause, "err", err)
	}
}

// parkedName says what an item is about, for people.
func parkedName(item string) string {
	if item == "" {
		return "something"
	}
	switch rest := item[1:]; item[0] {
	case 'u':
		return "the user " + rest
	case 's':
		return "who waits for " + rest
	case 'j':
		return "the job " + rest
	case 'p':
		return "the subscriptions"
	case 'd':
		return "the domain " + rest
	case 'm':
		return "the mail " + rest
	case 'a', 'r':
		return "the activation mail of the user " + rest
	case 'g':
		return "the digest"
	}
	return item
}

// failJob marks a job as failed whose step was parked.
func (d *Directory) failJob(ctx context.Context, org OrgID, id string) error {
	if k, ok := KindOf(id); !ok || k != KindSetting {
		return nil
	}
	_, err := d.store.Update(ctx, org, func(_ context.Context, tx Tx) error {
		rec, err := tx.Read(KindSetting, id)
		if err != nil {
			return err
		}
		j, err := jobIn(rec)
		if err != nil || j == nil || j.ended() {
			return err
		}
		j.Fault = jobFault
		j.end(JobFailed, d.now())
		stored, err := j.place().put(tx, rec, id, string(j.Type), j, d.now())
		if err != nil {
			return err
		}
		tx.Due("j"+id, j.Ended.Add(jobKept))
		tx.Event(Event{Type: "job.ended", Kind: KindSetting, ID: id, Version: stored.Version, Actor: "system"})
		return d.mailEnded(tx, j)
	})
	return err
}

// Alerts lists alerts, newest first; state and kind narrow when not empty.
func (d *Directory) Alerts(ctx context.Context, c Caller, state AlertState, kind AlertKind, after string, limit int) (alerts []*Alert, next string, err error) {
	if err := c.mayAdmin(AreaLicences, false); err != nil {
		return nil, "", err
	}
	where := []Cond{*nounAlert.all()}
	if state != "" {
		where = append(where, *nounAlert.with(attrOf("state", string(state))))
	}
	if kind != "" {
		where = append(where, *nounAlert.with(attrOf("kind", string(kind))))
	}
	return listSettings(ctx, d, c.Org, where, after, limit, alertIn)
}

// Alert reads one alert.
func (d *Directory) Alert(ctx context.Context, c Caller, id string) (*Alert, error) {
	if err := c.mayAdmin(AreaLicences, false); err != nil {
		return nil, err
	}
	rec, err := d.settingByID(ctx, c.Org, id)
	if err != nil {
		return nil, err
	}
	a, err := alertIn(rec)
	if err == nil && a == nil {
		err = noAlert()
	}
	return a, err
}

func noAlert() error { return &Error{Code: CodeNotFound, Detail: "There is no such alert."} }

func alertClosed(a *Alert) error {
	how := string(a.State)
	if a.Outcome != "" {
		how = a.Outcome
	}
	return &Error{Code: CodeRequestClosed, Detail: "The alert is closed already: it was " + how + " at " + a.Decided.Format(time.RFC3339) + "."}
}

// CloseAlert marks an alert as done or dismissed; held revocations are decided
// (see Decide). Codes: not_found, request_closed, invalid_value.
func (d *Directory) CloseAlert(ctx context.Context, c Caller, id string, to AlertState) (*Alert, error) {
	if err := c.mayAdmin(AreaLicences, true); err != nil {
		return nil, err
	}
	if to != AlertDone && to != AlertDismissed {
		return nil, invalidField("state", "An alert is closed as done or dismissed.")
	}
	if k, ok := KindOf(id); !ok || k != KindSetting {
		return nil, noAlert()
	}
	var result *Alert
	_, err := d.store.Update(ctx, c.Org, func(_ context.Context, tx Tx) error {
		rec, a, err := readAlert(tx, id)
		switch {
		case err != nil:
			return err
		case a == nil:
			return noAlert()
		case a.State != AlertOpen:
			return alertClosed(a)
		case a.Kind == AlertHeldRevocation:
			return invalidField("state", "Held licences are not closed, they are decided: confirm or reject the alert.")
		}
		a.State, a.Decided, a.By = to, instant(d.now()), c.Token
		result = a
		return d.putAlert(tx, c, rec, a)
	})
	if err != nil {
		return nil, fmt.Errorf("close alert: %w", err)
	}
	return result, nil
}
