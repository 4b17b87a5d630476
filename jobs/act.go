package jobs

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/usher-scim/usher/resources"
)

const (
	actTime    = time.Minute // of one act; then it counts as failed
	loggedEach = 10          // failures of a turn that the log is told of
)

// panicked is a panic of an act, as an error.
type panicked struct{ value any }

func (p panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// work does one item and sees to what comes of it.
func (t *turn) work(item resources.DueItem) {
	began := t.Now()
	t.Observe.Waited(max(began.Sub(time.UnixMicro(item.At)), 0))
	came := Done
	if err := t.act(item); err != nil {
		came = t.failed(item, err)
	}
	t.over(item, came)
	t.Observe.Item(sortOf(item.Item), came, t.Now().Sub(began))
}

// sortOf is the letter that an item begins with.
func sortOf(item string) string { return item[:min(len(item), 1)] }

// act runs the act, for a bounded time; a panic is an error.
func (t *turn) act(item resources.DueItem) (err error) {
	ctx, cancel := context.WithTimeout(t.ctx, actTime)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			err = panicked{v}
			t.Log.ErrorContext(ctx, "an act panicked", "organization", t.org, "item", item.Item, "panic", v, "stack", string(debug.Stack()))
		}
	}()
	return t.Work(ctx, t.lease, item)
}

// failed postpones or parks an item whose act failed. While the store does not
// answer, no item is to blame: then the turn ends and the items stay as they
// are. Unless the store takes the postponing: then the trouble is the item's,
// but it is never parked for it.
func (t *turn) failed(item resources.DueItem, err error) Outcome {
	switch {
	case errors.Is(err, resources.ErrFenced):
		t.lost()
		return Dropped
	case t.ctx.Err() != nil: // cut: what the act says is of that
		return Dropped
	}
	away := errors.Is(err, resources.ErrUnavailable)
	came := Postponed
	now := t.Now()
	wait := t.dice.wait(item.Tries)
	var moved bool
	var fault error
	if item.Tries+1 >= maxTries && !away {
		came = Parked
		moved, fault = t.Queue.Park(t.ctx, t.lease, item, err.Error(), now)
	} else {
		moved, fault = t.Queue.Postpone(t.ctx, t.lease, item, now.Add(wait))
	}
	switch {
	case errors.Is(fault, resources.ErrFenced):
		t.lost()
		return Dropped
	case fault != nil && t.ctx.Err() != nil:
		return Dropped
	case fault != nil:
		t.troubled(errors.Join(err, fault))
		return Dropped
	case !moved: // asked for anew meanwhile: it comes again at once
		came = Postponed
	case came == Parked:
		t.Log.ErrorContext(t.ctx, "work failed too often and is parked", "organization", t.org, "item", item.Item, "tries", item.Tries+1, "err", err)
		if t.Parked != nil {
			t.Parked(t.ctx, t.org, item.Item, err.Error())
		}
		return came
	}
	t.tell(item, wait, err)
	return came
}

// tell logs a failure, unless the turn had many: one fault of a rule can fail a
// hundred thousand items.
func (t *turn) tell(item resources.DueItem, wait time.Duration, err error) {
	t.mu.Lock()
	t.logged++
	n := t.logged
	t.mu.Unlock()
	if n <= loggedEach {
		t.Log.WarnContext(t.ctx, "work failed, will be repeated", "organization", t.org, "item", item.Item, "tries", item.Tries+1, "pause", wait.String(), "err", err)
	}
	if n == loggedEach {
		t.Log.WarnContext(t.ctx, "more failures of this turn are not logged", "organization", t.org)
	}
}
