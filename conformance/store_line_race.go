package conformance

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/usher-scim/usher/resources"
)

func lineRaceChecks() []StoreCheck {
	return []StoreCheck{
		{"line-race-in-order", "Tx.Take, BR-164", inWorld(lineRace)},
		{"line-race-nobody-waits-for-nothing", "Tx.Wait", inWorld(waitRace)},
		{"pool-race-least", "Tx.Least, BR-245", inWorld(leastRace)},
		{"pool-race-most", "Tx.Most", inWorld(mostRace)},
	}
}

// raceRounds is how often two commits meet where one of them must lose.
const raceRounds = 1000

// lineRace: a full pool, a line, newcomers and impatient waiters who all try at
// once while one place after the other is given back. Who gets one is written
// into the stream, in the order of commits: first the line, in its order.
func lineRace(w *world) error {
	const places, line, newcomers = 3, 20, 8
	p := seats(places)
	for i := range places {
		if err := w.do(takes(p, fmt.Sprintf("a%d", i))); err != nil {
			return err
		}
	}
	var want []string
	for i := range line {
		want = append(want, fmt.Sprintf("w%02d", i))
		if err := w.do(waits(want[i], int64(i), p)); err != nil {
			return err
		}
	}
	var seated atomic.Int32
	try := func(holder string) error {
		for range 100_000 {
			err := w.do(func(tx resources.Tx) { tx.Take(p, holder); tx.Event(resources.Event{Type: "seated", ID: holder}) })
			if err == nil {
				seated.Add(1)
				return w.do(gives("seats", holder))
			}
			if _, err := refused(err, full); err != nil {
				return err
			}
		}
		return fmt.Errorf("%s never got a place; %d did", holder, seated.Load())
	}
	errs := together(line+newcomers+1, func(i int) error {
		switch {
		case i == line+newcomers:
			return w.do(gives("seats", "a0"))
		case i >= line:
			return try(fmt.Sprintf("n%d", i))
		}
		return try(want[i])
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	events, err := w.Store.Events(w.ctx, w.org, "", 1000)
	if err != nil {
		return err
	}
	var got []string
	for _, e := range events {
		got = append(got, e.ID)
	}
	if len(got) != line+newcomers || !slices.Equal(got[:line], want) {
		return fmt.Errorf("places went to %v; first come %v", got, want)
	}
	return w.stand(places-1, "")
}

// waitRace: who finds no place waits, unless one has become free meanwhile. Who
// has one gives it back and seats the line, as a worker would. If anybody could
// begin to wait while a place is free, it would wait for ever.
func waitRace(w *world) error {
	const racers, places, rounds = 24, 2, 10
	p := seats(places)
	errs := together(racers, func(i int) error {
		holder := fmt.Sprintf("h%02d", i)
		for done, tries := 0, 0; done < rounds; tries++ {
			if tries > 10_000 {
				return fmt.Errorf("%s gets no place and may not wait", holder)
			}
			err := w.do(takes(p, holder))
			if err == nil {
				done++
				if err := w.seatLine(p, holder); err != nil {
					return err
				}
				continue
			}
			if _, err := refused(err, full); err != nil {
				return err
			}
			err = w.do(waits(holder, int64(i), p))
			if err == nil {
				done++
			} else if _, err := refused(err, open); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return w.stand(0, "")
}

// seatLine gives a holder's place back and seats who waits, who gives it back
// at once.
func (w *world) seatLine(p resources.Pool, holder string) error {
	for {
		if err := w.do(gives(p.Name, holder)); err != nil {
			return err
		}
		line, err := w.Store.Waiting(w.ctx, w.org, p.Line, 1)
		if err != nil || len(line) == 0 {
			return err
		}
		holder = line[0].Holder
		if err := w.do(takes(p, holder)); err != nil {
			_, err = refused(err, full)
			return err // the others have all places, and will see to the line
		}
	}
}

// duel runs two commits at once, many times; exactly one of them must win each
// time, and the other be refused for the reason.
func duel(what string, reason resources.Reason, prepare func(round int) error, fight func(round, i int) error) error {
	for round := range raceRounds {
		if err := prepare(round); err != nil {
			return err
		}
		errs := together(2, func(i int) error { return fight(round, i) })
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if _, err := refused(err, reason); err != nil {
				return err
			}
		}
		if won != 1 {
			return fmt.Errorf("round %d of %s: %d of 2 won", round, what, won)
		}
	}
	return nil
}

// leastRace: the last two leave at once.
func leastRace(w *world) error {
	return duel("leaving", resources.RefusedFew, func(int) error {
		return w.do(takes(seats(-1), "h0", "h1"))
	}, func(_, i int) error {
		return w.do(func(tx resources.Tx) {
			tx.Give("seats", fmt.Sprintf("h%d", i))
			tx.Least("seats", 1)
		})
	})
}

// mostRace: two want to be the first.
func mostRace(w *world) error {
	return duel("being first", resources.RefusedMany, func(int) error {
		return w.do(gives("seats", "h0", "h1"))
	}, func(_, i int) error {
		return w.do(func(tx resources.Tx) {
			tx.Most("seats", 0)
			tx.Take(seats(-1), fmt.Sprintf("h%d", i))
		})
	})
}
