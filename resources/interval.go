package resources

import "time"

// billed is what a user holds after an act, for billing.
type billed struct {
	User, Email string
	Before      *Holding // of the standing until now
	Package     string   // SKU; "" when none is held, or the user is deleted
	Location    string   // id, or ""
	Now         time.Time

	Actor, Request string // of the events
}

// bill compares the package a user holds with the one before: it returns what
// the standing says from now on (BR-175, BR-176).
func (d *Directory) bill(_ Tx, _ *Plan, b billed) (*Holding, error) {
	if b.Package == "" {
		return nil, nil
	}
	return &Holding{SKU: b.Package, From: b.Now.Format("2006-01-02"), Location: b.Location}, nil
}
