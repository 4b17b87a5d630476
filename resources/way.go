package resources

import "context"

// Way is how somebody with an address signs in.
type Way struct {
	Slug       string
	Connection string // name of the connection; "" is by password
	Forced     bool   // the password is refused (BR-115)
}

// WayOf says how somebody with the address signs in. It tells nothing about
// whether there is such a user: what it says follows from the domain alone.
func (d *Directory) WayOf(ctx context.Context, address string) (Way, error) {
	return Way{}, errUnbuilt
}
