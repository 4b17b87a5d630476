package resources

import (
	"strings"
	"time"
)

// apply asks the commit for what was decided: the number that the user had rests
// or is available again, the new one is assigned, the user stands in the pool of
// its location, and in the lines of what it waits for.
func (s *calling) apply() error {
	if err := s.returnNumber(); err != nil {
		return err
	}
	if s.given != nil {
		n := *s.given
		n.State, n.Assignee, n.Holder, n.Until = NumberAssigned, s.in.User, "", time.Time{}
		if err := s.d.putNumber(s.tx, s.taken, &n); err != nil {
			return err
		}
		s.event("number.assigned", n.Location)
	}
	if had := s.before; had.Extension != "" && (had.Extension != s.after.Extension || had.Location != s.after.Location) {
		s.tx.Due(itemOfLine(extensionLine(had.Location, had.Extension)), s.now())
	}
	if s.before.Location != s.after.Location {
		if s.before.Location != "" {
			s.tx.Give(placePool(s.before.Location).Name, s.in.User)
		}
		if s.after.Location != "" {
			s.tx.Take(placePool(s.after.Location), s.in.User)
		}
	}
	s.queue()
	return nil
}

// returnNumber frees the number that the user had, when it gets another one or
// none. It rests first when the organization says so (BR-200).
func (s *calling) returnNumber() error {
	if s.before.Number == "" || s.before.Number == s.after.Number {
		return nil
	}
	rec, n, err := readNumberRecord(s.tx, s.before.NumberID)
	if err != nil || n == nil || n.Assignee != s.in.User {
		return err
	}
	n.State, n.Assignee = NumberAvailable, ""
	if hours := s.p.Settings.QuarantineHours; hours > 0 {
		n.State, n.Until = NumberReserved, s.now().UTC().Add(time.Duration(hours)*time.Hour)
	}
	if err := s.d.putNumber(s.tx, rec, n); err != nil {
		return err
	}
	s.d.tellWaiting(s.tx, n)
	s.event("number.released", n.Location)
	return nil
}

func (s *calling) event(typ, location string) {
	s.tx.Event(Event{Type: typ, Kind: KindUser, ID: s.in.User, At: location, Actor: s.in.Caller.Token, Request: s.in.Caller.Request})
}

// queue moves the user from the lines it stood in to those it waits in.
func (s *calling) queue() {
	for _, w := range s.before.Waits {
		if s.after.waits(w.Line) {
			continue
		}
		s.tx.Quit(w.Line, s.in.User)
		if strings.HasPrefix(w.Line, placeLines) { // the next one, see wokenMost
			s.tx.Due(itemOfLine(w.Line), s.now())
		}
	}
	for _, w := range s.after.Waits {
		if s.before.waits(w.Line) {
			continue
		}
		s.tx.Wait(w.Line, s.in.User, w.Since)
		if s.recheck || strings.HasPrefix(w.Line, placeLines) { // that nothing was free is not part of the commit: look once more
			s.tx.Due(itemOfLine(w.Line), s.now().Add(recheck))
		}
	}
	switch {
	case len(s.after.Waits) > 0 && len(s.before.Waits) == 0:
		s.tx.Take(waitersPool, s.in.User)
	case len(s.after.Waits) == 0 && len(s.before.Waits) > 0:
		s.tx.Give(waitersPool.Name, s.in.User)
	}
}

// recheck is when who found no free number is looked at again: by then every
// commit that could have freed one unseen is over.
const recheck = 2 * time.Second
