package resources

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Trial is a test sign-in by a connection: an administrator follows an address,
// signs in at the provider, and sees what usher makes of the answer. Nothing comes
// of it: no user, no link, no session. Trials are kept for an hour.
type Trial struct {
	ID         string    `json:"id"`         // secret enough to be followed by nobody else
	Connection string    `json:"connection"` // id
	By         string    `json:"by"`         // token id of who asked
	Began      time.Time `json:"began"`
	Ended      time.Time `json:"ended,omitzero"`    // zero: nobody has come back yet
	Passed     bool      `json:"passed"`            // every check was
	Checks     []Check   `json:"checks,omitempty"`  // in the order in which they were made; the first that fails is the last
	Outcome    string    `json:"outcome,omitempty"` // what a sign-in would have led to, in a sentence

	// What the provider says of who came back, for comparing it with users.
	Subject    string `json:"subject,omitempty"`
	Email      string `json:"email,omitempty"`
	Verified   *bool  `json:"emailVerified,omitempty"`
	ExternalID string `json:"externalId,omitempty"`
}

// Check is one step of a trial.
type Check struct {
	Name   string `json:"name"` // discovery, authorization, token, id_token, claims, user
	Passed bool   `json:"passed"`
	Detail string `json:"detail,omitempty"` // what was found, or what was wrong and the remedy
}

// trialKept is how long a trial can be followed and read.
const trialKept = time.Hour

const trialPurpose = "trial"

// StartTrial begins a test of a connection, by id or name, whether it is on or
// off. The people's door takes it up when somebody follows /sso/{org}/{name}/test
// with its id.
func (d *Directory) StartTrial(ctx context.Context, c Caller, connection string) (*Trial, error) {
	if err := c.mayAdmin(AreaOrg, true); err != nil {
		return nil, err
	}
	cn, err := d.connection(ctx, c.Org, connection)
	if err != nil {
		return nil, err
	}
	raw := make([]byte, secretBytes)
	if _, err := io.ReadFull(d.random, raw); err != nil {
		return nil, fmt.Errorf("make a secret: %w", err)
	}
	t := &Trial{ID: secretEncoding.EncodeToString(raw), Connection: cn.ID, By: c.Token, Began: instant(d.now())}
	return t, d.putTrial(ctx, c.Org, t)
}

// putTrial keeps a trial, sealed: it says who somebody is.
func (d *Directory) putTrial(ctx context.Context, org OrgID, t *Trial) error {
	keys, err := d.keys(ctx)
	if err != nil {
		return fmt.Errorf("keep a trial: %w", err)
	}
	body, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("encode a trial: %w", err)
	}
	key := hashSecret(t.ID)
	if err := d.vault.Put(ctx, org, trialPurpose, key, keys.Seal(trialContext(org, key), body), t.Began.Add(trialKept)); err != nil {
		return fmt.Errorf("keep a trial: %w", err)
	}
	return nil
}

func trialContext(org OrgID, key string) string { return string(org) + "|trial|" + key }

// trial reads a trial. Codes: not_found.
func (d *Directory) trial(ctx context.Context, org OrgID, id string) (*Trial, error) {
	none := &Error{Code: CodeNotFound, Detail: "There is no such test, or it began more than an hour ago; begin another."}
	if len(id) > 100 {
		return nil, none
	}
	key := hashSecret(id)
	sealed, err := d.vault.Peek(ctx, org, trialPurpose, key)
	if err != nil {
		return nil, fmt.Errorf("read a trial: %w", err)
	}
	if sealed == nil {
		return nil, none
	}
	keys, err := d.keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("read a trial: %w", err)
	}
	body, err := keys.Open(trialContext(org, key), sealed)
	if err != nil {
		return nil, fmt.Errorf("open a trial: %w", err)
	}
	t := &Trial{}
	if err := json.Unmarshal(body, t); err != nil {
		return nil, fmt.Errorf("decode a trial: %w", err)
	}
	return t, nil
}

// Trial reads a trial for an administrator. Codes: not_found.
func (d *Directory) Trial(ctx context.Context, c Caller, id string) (*Trial, error) {
	if err := c.mayAdmin(AreaOrg, false); err != nil {
		return nil, err
	}
	return d.trial(ctx, c.Org, id)
}

// DoorTrial finds the connection that a trial is of, for the people's door: the
// organization by its slug. It may be off. One that has ended is not_found.
func (d *Directory) DoorTrial(ctx context.Context, slug, id string) (OrgID, *Connection, error) {
	o, err := d.doorOrg(ctx, slug)
	if err != nil {
		return "", nil, err
	}
	t, err := d.trial(ctx, o.ID, id)
	if err != nil {
		return "", nil, err
	}
	if !t.Ended.IsZero() {
		return "", nil, &Error{Code: CodeNotFound, Detail: "This test is over; begin another."}
	}
	cn, err := d.connection(ctx, o.ID, t.Connection)
	return o.ID, cn, err
}

// KeepTrial keeps what became of a trial: the checks that the people's door has
// made, and, unless one failed, a last one, user, of what a sign-in with the
// assertion would lead to. It counts once. Codes: not_found.
func (d *Directory) KeepTrial(ctx context.Context, org OrgID, id string, checks []Check, a *Assertion) (*Trial, error) {
	t, err := d.trial(ctx, org, id)
	if err != nil {
		return nil, err
	}
	first, err := d.vault.Add(ctx, org, "trial-ended", hashSecret(id), t.Began.Add(trialKept))
	if err != nil {
		return nil, fmt.Errorf("end a trial: %w", err)
	}
	if !first {
		return nil, &Error{Code: CodeNotFound, Detail: "This test is over; begin another."}
	}
	t.Ended, t.Passed, t.Checks = instant(d.now()), true, checks
	for i := range t.Checks {
		t.Checks[i].Detail = harmless(t.Checks[i].Detail, refusedReason)
		t.Passed = t.Passed && t.Checks[i].Passed
	}
	if t.Passed && a != nil {
		t.Subject, t.Email, t.ExternalID, t.Verified = harmless(a.Subject, refusedText), harmless(a.Email, refusedText), harmless(a.ExternalID, refusedText), a.Verified
		outcome, err := d.TrySignIn(ctx, org, *a)
		last := Check{Name: "user", Passed: err == nil, Detail: outcome}
		if e, ok := errors.AsType[*Error](err); ok {
			last.Detail = e.Detail
		} else if err != nil {
			return nil, err
		}
		t.Checks, t.Outcome, t.Passed = append(t.Checks, last), last.Detail, last.Passed
	}
	return t, d.putTrial(ctx, org, t)
}

// Expires is until when the trial can be followed and read.
func (t *Trial) Expires() time.Time { return t.Began.Add(trialKept) }
