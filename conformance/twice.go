package conformance

import (
	"context"
	"time"

	"github.com/usher-scim/usher/resources"
)

// Twice returns a store that runs every closure once in vain before it runs
// it in earnest. Code that keeps something from one run of a closure to the
// next, or acts on the outside, fails on it.
func Twice(s resources.Store) resources.Store { return twice{s} }

type twice struct{ resources.Store }

// Update runs fn over reads that are real and writes that go nowhere, then
// hands it on.
func (t twice) Update(ctx context.Context, org resources.OrgID, fn func(context.Context, resources.Tx) error) (resources.Commit, error) {
	runs := 0
	return t.Store.Update(ctx, org, func(ctx context.Context, tx resources.Tx) error {
		if runs++; runs == 1 {
			// What the vain run says does not count: it may have met a state that
			// a real first run would not have been committed on.
			_ = fn(ctx, vain{tx})
		}
		return fn(ctx, tx)
	})
}

// vain is a unit of work whose writes are lost.
type vain struct{ resources.Tx }

// Put does nothing, and so do the others.
func (vain) Put(_, _ *resources.Record, _, _ []resources.Entry) {}

// Delete does nothing.
func (vain) Delete(*resources.Record, []resources.Entry) {}

// Link does nothing.
func (vain) Link(string, ...string) {}

// Unlink does nothing.
func (vain) Unlink(string, ...string) {}

// Mark does nothing.
func (vain) Mark(string, string) {}

// Unmark does nothing.
func (vain) Unmark(string, string) {}

// Within does nothing.
func (vain) Within(string, string) {}

// Claim does nothing.
func (vain) Claim(resources.Claim, string) {}

// Release does nothing.
func (vain) Release(resources.Claim, string) {}

// Take does nothing.
func (vain) Take(resources.Pool, string) {}

// Give does nothing.
func (vain) Give(string, string) {}

// Wait does nothing.
func (vain) Wait(string, string, int64, ...resources.Pool) {}

// Quit does nothing.
func (vain) Quit(string, string) {}

// Least does nothing.
func (vain) Least(string, int) {}

// Most does nothing.
func (vain) Most(string, int) {}

// Pressing does nothing.
func (vain) Pressing() {}

// Due does nothing.
func (vain) Due(string, time.Time) {}

// Undue does nothing.
func (vain) Undue(resources.DueItem) {}

// Fence does nothing.
func (vain) Fence(resources.Lease) {}

// Disband does nothing.
func (vain) Disband(string) {}

// Expire does nothing.
func (vain) Expire(resources.Kind, string, time.Time) {}

// Event does nothing.
func (vain) Event(resources.Event) {}
