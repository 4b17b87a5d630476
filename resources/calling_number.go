package resources

import (
	"fmt"
	"hash/fnv"
	"slices"
	"time"
)

// drawn is what one unit of work has given away, and to whom: what it reads does
// not show it yet.
type drawn struct {
	tx         Tx
	numbers    map[string]string // ids
	extensions map[string]string // values of UserKey
}

// drawnIn gives what a unit of work has given away so far, and counts the units.
func (k *knowledge) drawnIn(tx Tx) *drawn {
	if k.drawn == nil || k.drawn.tx != tx {
		k.drawn = &drawn{tx: tx, numbers: make(map[string]string), extensions: make(map[string]string)}
		k.units++
	}
	return k.drawn
}

// other reports whether a unit of work gave something to somebody else.
func other(given map[string]string, what, user string) bool {
	to, ok := given[what]
	return ok && to != user
}

// number decides on the number: the one that is asked for, or one that usher
// chooses (AutoNumber).
func (s *calling) number() error {
	text := s.in.Wish.Number
	if text == "" {
		return s.anyNumber()
	}
	r, err := readNumber(text, s.country())
	if err != nil {
		return s.issueOf(CodeNumberUnknown, "phoneNumber", err)
	}
	rec, n, err := readNumberRecord(s.tx, numberID(r.E164))
	if err != nil {
		return err
	}
	if n == nil {
		s.issue(CodeNumberUnknown, "phoneNumber", "The number %s is not in the inventory; add it to the location %s, or choose another one.", r.E164, quoted(s.place.Name))
		s.waitIn(numberLine(r.E164))
		return nil
	}
	now := n.at(s.now())
	if code, why := s.refused(&now); code != "" {
		s.issue(code, "phoneNumber", "The number %s %s; choose another one.", r.E164, why)
		s.waitIn(numberLine(r.E164))
		return nil
	}
	s.take(rec, &now)
	return nil
}

func (s *calling) now() time.Time { return time.UnixMilli(s.in.Now) }

// refused tells why the user cannot have a number; "" when it can.
func (s *calling) refused(n *Number) (Code, string) {
	switch {
	case n.Location != s.place.ID:
		other := n.Location
		if l := s.p.location(n.Location); l != nil {
			other = l.Name
		}
		return CodeNumberPlace, fmt.Sprintf("is at the location %s, the user at %s", quoted(other), quoted(s.place.Name))
	case n.State == NumberInactive:
		return CodeNumberUnknown, "is not active yet"
	case n.State == NumberAssigned && n.Assignee != s.in.User, other(s.k.drawnIn(s.tx).numbers, n.ID, s.in.User):
		return CodeNumberInUse, "is assigned to somebody else"
	case n.State == NumberReserved && n.Holder == "":
		return CodeNumberInUse, "was given up lately and rests until " + n.Until.UTC().Format(time.RFC3339)
	case n.State == NumberReserved && !s.holds(n.Holder):
		return CodeNumberInUse, "is held for somebody else until " + n.Until.UTC().Format(time.RFC3339)
	}
	return "", ""
}

// holds reports whether a reservation is the user's: it names the user, or the
// administrator who writes.
func (s *calling) holds(holder string) bool {
	return holder == s.in.User || holder == tokenHolder+s.in.Caller.Token || s.in.Name != "" && FoldText(holder) == FoldText(s.in.Name)
}

// take gives the user a number.
func (s *calling) take(rec *Record, n *Number) {
	s.after.Number, s.after.NumberID = n.E164, n.ID
	s.k.drawnIn(s.tx).numbers[n.ID] = s.in.User
	if n.State != NumberAssigned {
		s.given, s.taken = n, rec
	}
}

// anyNumber decides for who asks for no number. One that usher chose stays, and
// one that was asked for until now when usher would choose one anyway.
func (s *calling) anyNumber() error {
	auto := s.p.Settings.AutoNumber
	if s.before.Number != "" && s.before.Location == s.place.ID && (auto || s.before.Chosen) {
		rec, n, err := readNumberRecord(s.tx, s.before.NumberID)
		if err != nil {
			return err
		}
		if n != nil && n.State == NumberAssigned && n.Assignee == s.in.User && n.Location == s.place.ID {
			s.after.Chosen = true
			s.take(rec, n)
			return nil
		}
	}
	if !auto {
		return nil
	}
	return s.nextNumber()
}

// nextNumber chooses the first free number of the location. When the unit of
// work runs again others choose at the same time, and it is one of the next.
func (s *calling) nextNumber() error {
	const few, most = 16, 64
	s.k.drawnIn(s.tx)
	from := 0
	if s.k.units > 1 {
		from = s.spread(few * min(s.k.units, 8))
	}
	for at, looks := from, 0; looks < most; looks++ {
		page, err := s.d.store.Find(s.ctx, s.in.Caller.Org, Query{
			Kind: KindSetting, Where: nounNumber.with(atPlaceIn(s.place.ID, NumberAvailable)), Offset: at, Limit: few, NoGroups: true, Budget: s.d.budget,
		})
		if err != nil {
			return fmt.Errorf("find a free number: %w", err)
		}
		for _, found := range page.Records {
			rec, n, err := readNumberRecord(s.tx, found.ID) // as it is now, and the commit depends on it
			if err != nil {
				return err
			}
			if n == nil || n.State != NumberAvailable {
				continue
			}
			if code, _ := s.refused(n); code == "" {
				s.after.Chosen = true
				s.take(rec, n)
				return nil
			}
		}
		if at += few; at >= page.Total {
			if from == 0 {
				break
			}
			at, from = 0, 0 // those before where it began
		}
	}
	s.waitIn(placeLine(s.place.ID))
	return nil
}

// spread is a number below n that differs from user to user and from run to run.
func (s *calling) spread(n int) int {
	h := fnv.New32a()
	_, _ = fmt.Fprint(h, s.in.User, s.k.units) // a hash never fails to be written
	return int(h.Sum32() % uint32(n))
}

// waitIn puts the user into a line; who stands in it keeps the place.
func (s *calling) waitIn(line string) {
	if s.after.waits(line) {
		return
	}
	w := Wait{Line: line, Since: s.in.Now}
	for _, was := range s.before.Waits {
		if was.Line == line {
			w = was
		}
	}
	s.after.Waits = append(s.after.Waits, w)
}

// waits reports whether the user stands in a line.
func (c *Calling) waits(line string) bool {
	return slices.ContainsFunc(c.Waits, func(w Wait) bool { return w.Line == line })
}
