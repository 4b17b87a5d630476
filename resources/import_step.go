package resources

import "context"

// importStep does one piece of a job that imports numbers.
func (d *Directory) importStep(context.Context, Lease, *Job) (done bool, err error) {
	return false, errUnbuilt
}
