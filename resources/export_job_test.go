package resources

import "context"

// FailItems commits a step of a job in which n items fail.
func (d *Directory) FailItems(ctx context.Context, l Lease, item DueItem, j *Job, n int) error {
	for range n {
		j.fail("item", CodeInvalidValue, "It is wrong; correct it.")
		j.Done++
	}
	return d.commitStep(ctx, l, item, j)
}
