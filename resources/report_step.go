package resources

import "context"

// reportStep does one piece of a job that makes a billing report.
func (d *Directory) reportStep(context.Context, Lease, *Job) (done bool, err error) {
	return false, errUnbuilt
}
