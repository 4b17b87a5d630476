package resources

import "context"

// CallingChange is a change of what a user calls with; nil fields stay, "" takes
// away.
type CallingChange struct {
	Location  *string // id, externalId or name
	Number    *string
	Extension *string
	Temporary *bool // the extension is only until there is a number (BR-193)
}

// ChangeCalling changes a user's location, number and extension, strictly: what
// cannot be refuses (BR-190 … BR-197).
func (d *Directory) ChangeCalling(ctx context.Context, c Caller, id string, change CallingChange, check func(*Record) error) (*Record, error) {
	return nil, errUnbuilt
}
