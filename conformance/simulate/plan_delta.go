package simulate

import "slices"

// crowd sorts the users for a cycle; nobody has two parts in it.
type crowd struct {
	joiners, movers, leavers, returners, deleted []*user
	staying                                      []*user // can be members after the cycle
}

// nextCycle plans a cycle of changes: joiners, movers and leavers, people who
// come back, groups that change. What it does depends on what was decided
// before and on the seed, never on time.
func (s *Simulator) nextCycle() plan {
	c := s.cast()
	var early, people, founded, members, managers, leaving []act
	for _, u := range c.joiners {
		people = append(people, s.joiner(u))
	}
	for _, u := range c.movers {
		people = append(people, act{verb: updateUser, user: u, fields: s.moved(u), again: s.chance(0.2), form: s.rng.IntN(1 << 16)})
		if s.d.passwords && s.chance(0.2) {
			leaving = append(leaving, act{verb: setPassword, user: u})
		}
	}
	for _, u := range c.returners {
		people = append(people, act{verb: switchActive, user: u, active: true, again: s.chance(0.2), form: s.rng.IntN(1 << 16)})
	}
	for _, g := range s.liveGroups() {
		if s.chance(s.cfg.Trouble) {
			early = append(early, s.tooEarly(g))
		}
		founded, members = s.groupChange(founded, members, g, &c)
	}
	if s.d.managers {
		bosses := s.bosses()
		for _, u := range c.staying {
			if !u.boss && s.chance(0.05) {
				managers = append(managers, s.reports(u, bosses))
			}
			if u.manager != "" && s.chance(0.02) {
				managers = append(managers, act{verb: setManager, user: u, form: s.rng.IntN(1 << 16)})
			}
		}
		managers = onePerUser(managers)
	}
	for _, u := range c.leavers {
		leaving = append(leaving, act{verb: switchActive, user: u, again: s.chance(0.2), form: s.rng.IntN(1 << 16)})
	}
	for _, u := range c.deleted {
		leaving = append(leaving, act{verb: deleteUser, user: u})
	}
	s.shuffle(people)
	s.shuffle(members)
	s.shuffle(leaving)
	return plan{early, people, founded, members, managers, leaving}
}

// cast decides who does what.
func (s *Simulator) cast() crowd {
	var c crowd
	var active, inactive, gone []*user
	for _, u := range s.users {
		switch {
		case u.alive && u.active:
			active = append(active, u)
		case u.alive:
			inactive = append(inactive, u)
		case u.id != "":
			gone = append(gone, u)
		}
	}
	part := s.cfg.Users/20 + 1
	shuffled := func(list []*user) []*user {
		s.rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		return list
	}
	take := func(from *[]*user, n int) []*user {
		n = min(n, len(*from))
		out := (*from)[:n]
		*from = (*from)[n:]
		return out
	}
	active, inactive, gone = shuffled(active), shuffled(inactive), shuffled(gone)
	if len(active)+len(inactive) < s.cfg.Users+s.cfg.Users/5+1 {
		for range part {
			c.joiners = append(c.joiners, s.newcomer(&gone))
		}
	}
	c.movers = take(&active, 2*part)
	c.returners = take(&inactive, len(inactive)/3)
	for _, u := range take(&active, part) {
		switch {
		case !s.d.deletesAtOnce || u.boss:
			c.leavers = append(c.leavers, u)
		default:
			c.deleted = append(c.deleted, u)
		}
	}
	if s.d.deletes {
		for _, u := range take(&inactive, (len(inactive)+1)/2) {
			if !u.boss {
				c.deleted = append(c.deleted, u)
			}
		}
	}
	c.staying = slices.Concat(active, c.movers, c.joiners, c.returners)
	return c
}

// newcomer is somebody new, or somebody who was deleted and comes back under
// the same name.
func (s *Simulator) newcomer(gone *[]*user) *user {
	if len(*gone) == 0 || !s.chance(0.3) {
		return s.newUser(s.newFields(len(s.users)))
	}
	u := (*gone)[0]
	*gone = (*gone)[1:]
	u.active, u.manager = true, ""
	return u
}

// groupChange plans what happens to a group: most often members, sometimes
// the name, rarely its end and a new one.
func (s *Simulator) groupChange(founded, members []act, g *group, c *crowd) (f, m []act) {
	switch roll := s.rng.Float64(); {
	case roll < 0.05 && !s.licenses(g):
		fresh := s.founded(s.newGroup())
		in := s.someOf(c.staying, nil, 5)
		if s.d.createsWithMembers {
			fresh.add = in
		} else {
			members = s.pushes(members, fresh.group, in, nil)
		}
		return append(founded, act{verb: deleteGroup, group: g}, fresh), members
	case roll < 0.2:
		return append(founded, act{verb: renameGroup, group: g, name: s.groupName(g.n), again: s.chance(0.3)}), members
	case roll < 0.3:
		return founded, members
	}
	var stay []*user
	for _, u := range g.list() {
		if !slices.Contains(c.deleted, u) {
			stay = append(stay, u)
		}
	}
	s.rng.Shuffle(len(stay), func(i, j int) { stay[i], stay[j] = stay[j], stay[i] })
	remove := stay[:min(len(stay), s.rng.IntN(4))]
	if s.chance(0.03) {
		remove = stay // an empty group (OKT-14)
	}
	return founded, s.pushes(members, g, s.someOf(c.staying, g, 1+s.rng.IntN(5)), remove)
}

// someOf draws people who are not members of the group yet.
func (s *Simulator) someOf(list []*user, g *group, n int) []*user {
	if g != nil && len(g.members) > 2*s.cfg.Users/max(s.cfg.Groups, 1)+5 {
		return nil // groups do not grow without end
	}
	var out []*user
	for range min(n, len(list)) {
		u := pick(s.rng, list)
		if g != nil {
			if _, is := g.members[u]; is {
				continue
			}
		}
		if !slices.Contains(out, u) {
			out = append(out, u)
		}
	}
	return out
}

func (s *Simulator) liveGroups() []*group {
	var out []*group
	for _, g := range s.groups {
		if g.alive {
			out = append(out, g)
		}
	}
	return out
}

// bosses are those others may report to; they are never deleted.
func (s *Simulator) bosses() []*user {
	var out []*user
	for _, u := range s.users {
		if u.alive && (u.boss || len(out) == 0) {
			out = append(out, u)
		}
	}
	return out
}

// onePerUser keeps the first act of each user.
func onePerUser(acts []act) []act {
	seen := map[*user]bool{}
	return slices.DeleteFunc(acts, func(a act) bool {
		again := seen[a.user]
		seen[a.user] = true
		return again
	})
}
