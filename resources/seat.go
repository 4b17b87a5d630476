package resources

import "time"

// ItemOfSKU is the item that hands free seats of a product to who waits.
func ItemOfSKU(sku string) string { return "s" + FoldSKU(sku) }

// seating turns a decision about licences into what the commit does with pools
// and lines. Every place that was decided by knowledge is asked for under the
// condition that it is so (Tx.Take, Tx.Wait).
type seating struct {
	tx    Tx
	q     *question
	user  string
	tired bool // knowledge is not to be had: wait without conditions, a worker looks again
}

// move asks for the places of the licences after an act in place of those before.
func (s seating) move(before, after []Assignment) {
	for i := range before {
		s.leave(&before[i], find(after, before[i].SKU))
	}
	for i := range after {
		s.enter(find(before, after[i].SKU), &after[i])
	}
}

// find gives the assignment of a SKU; nil when there is none.
func find(list []Assignment, sku string) *Assignment {
	for i := range list {
		if sameSKU(list[i].SKU, sku) {
			return &list[i]
		}
	}
	return nil
}

// leave gives the place of an assignment back unless the one after has the same.
func (s seating) leave(was, is *Assignment) {
	if pool := was.pool(); pool != "" && (is == nil || is.pool() != pool) {
		s.tx.Give(pool, s.user)
		s.freed(was)
	}
	if was.waits() && (is == nil || !is.waits() && is.Subscription == "") { // who takes a seat leaves the line by that
		s.tx.Quit(lineOf(was.SKU), s.user)
		s.counted(was.SKU)
	}
}

// counted makes a worker look at a line that became longer or shorter, so that
// administrators are told how many wait.
func (s seating) counted(sku string) { s.tx.Due(ItemOfSKU(sku), time.UnixMilli(s.q.now)) }

// freed makes who waits for a seat that was given back due (BR-164).
func (s seating) freed(was *Assignment) {
	if was.Subscription == "" {
		return
	}
	for i := range s.q.plan.Subscriptions {
		if sub := &s.q.plan.Subscriptions[i]; sub.ID == was.Subscription && sub.Model != ModelUsage {
			s.tx.Due(ItemOfSKU(was.SKU), time.UnixMilli(s.q.now))
		}
	}
}

// enter takes the place of an assignment, or a place in the line.
func (s seating) enter(was, is *Assignment) {
	switch {
	case is.waits():
		if s.wait(is); was == nil || !was.waits() {
			s.counted(is.SKU)
		}
	case is.Status == Failed:
	case is.Subscription == "":
		if was == nil || was.pool() != is.pool() {
			s.tx.Take(freePool(is.SKU), s.user)
		}
	case was == nil || was.pool() != is.pool():
		for _, sub := range s.q.subscriptions(is.SKU) {
			if sub.ID == is.Subscription {
				s.tx.Take(sub.pool(), s.user)
			}
		}
	}
}

// wait takes a place in the line, on condition that there is no seat.
func (s seating) wait(is *Assignment) {
	var pools []Pool
	for _, sub := range s.q.subscriptions(is.SKU) {
		pools = append(pools, sub.pool())
	}
	if s.tired && len(pools) > 0 {
		pools = nil
		s.tx.Due(ItemOfSKU(is.SKU), time.UnixMilli(s.q.now))
	}
	s.tx.Wait(lineOf(is.SKU), s.user, is.Asked, pools...)
}
