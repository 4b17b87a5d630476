package resources

import (
	"context"
	"time"
)

// Refused is a sign-in that was refused, for administrators (BR-112).
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

// NoteRefused keeps a refusal for the organization's administrators, thirty days
// and at most 500 an hour.
func (d *Directory) NoteRefused(ctx context.Context, org OrgID, r Refused) error { return errUnbuilt }

// Refusals lists refused sign-ins, newest first.
func (d *Directory) Refusals(ctx context.Context, c Caller, after string, limit int) ([]*Refused, string, error) {
	return nil, "", errUnbuilt
}
