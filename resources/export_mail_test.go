package resources

import "context"

// BulkStep does a step of a job that sends mails and forgets its progress.
func (d *Directory) BulkStep(ctx context.Context, l Lease, j *Job) error {
	again := *j
	_, err := d.bulkStep(ctx, l, &again)
	return err
}
