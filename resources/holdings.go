package resources

import (
	"encoding/json"
	"time"
)

// Holdings are a record's places in pools and lines, the holder being its id,
// and what it says about pools of others.
type Holdings struct {
	Pools []string         // where it holds a place
	Lines map[string]int64 // where it waits, and since when: milliseconds since 1970

	Bounds []Bound  // pools that the record bounds: a plan's subscriptions
	Others []string // pools in which no record says who is: those of a plan's open holds
}

// Bound is a pool with the time in which its places can be had.
type Bound struct {
	Pool
	From, Until time.Time // zero: at once, never
}

// holdingsOf derives the holdings of a record from it alone.
func holdingsOf(rec *Record) Holdings {
	switch {
	case rec.Kind == KindUser:
		s := StandingOf(rec)
		return s.holdings()
	case rec.Kind == KindSetting && nounOf(rec) == nounPlan:
		var p Plan
		if json.Unmarshal(rec.Profile, &p) != nil {
			return Holdings{} // the caller reports everybody in its pools
		}
		return p.holdings()
	case rec.Kind == KindSetting && nounOf(rec) == nounNumber:
		n, err := numberOf(rec)
		if err != nil {
			return Holdings{} // as above
		}
		return Holdings{Pools: []string{placePool(n.Location).Name}}
	case rec.Kind == KindSetting && nounOf(rec) == nounConnection:
		return Holdings{Pools: []string{connectionPool.Name}}
	}
	return Holdings{}
}

// holdings are the places of a user.
func (s *Standing) holdings() Holdings {
	var h Holdings
	for i := range s.Licences {
		a := &s.Licences[i]
		if pool := a.pool(); pool != "" {
			h.Pools = append(h.Pools, pool)
		} else if a.waits() {
			if h.Lines == nil {
				h.Lines = make(map[string]int64)
			}
			h.Lines[lineOf(a.SKU)] = a.Asked
		}
	}
	if c := s.Calling; c != nil {
		if c.Location != "" {
			h.Pools = append(h.Pools, placePool(c.Location).Name)
		}
		for _, w := range c.Waits {
			if h.Lines == nil {
				h.Lines = make(map[string]int64)
			}
			h.Lines[w.Line] = w.Since
		}
		if len(c.Waits) > 0 {
			h.Pools = append(h.Pools, waitersPool.Name)
		}
	}
	if s.administers() {
		h.Pools = append(h.Pools, adminPool)
	}
	return h
}

// holdings are the bounds that a plan sets.
func (p *Plan) holdings() Holdings {
	var h Holdings
	for i := range p.Subscriptions {
		s := &p.Subscriptions[i]
		h.Bounds = append(h.Bounds, Bound{s.pool(), s.Starts, s.Ends})
	}
	for i := range p.Holds {
		h.Others = append(h.Others, p.Holds[i].holdPool())
	}
	return h
}
