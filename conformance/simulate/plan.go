package simulate

import "time"

// verb is what an act does.
type verb int

const (
	createUser verb = iota
	updateUser
	switchActive
	deleteUser
	setManager
	createGroup
	renameGroup
	deleteGroup
	pushMembers
	pushUnknown // a member that does not exist: must be refused
	setPassword
)

// trouble is what goes wrong with a POST.
type trouble int

const (
	noTrouble trouble = iota
	aborted           // the client gives up some time after sending
	lost              // the server has done it, the answer never arrives
	repeated          // the answer arrives, the request is sent again all the same
)

// act is one thing an identity provider does, in one or several requests. All
// that chance decides about it is decided when it is planned.
type act struct {
	verb    verb
	user    *user
	group   *group
	fields  fields // createUser, updateUser: afterwards
	name    string // renameGroup: afterwards
	active  bool
	manager *user // nil: none
	add     []*user
	remove  []*user
	full    bool // pushMembers: the whole list instead of the change
	again   bool // the same request is sent twice
	form    int  // which of several forms of the dialect
	trouble trouble
	delay   time.Duration // aborted: how long after sending
	unknown string        // pushUnknown: the id
}

// plan is what one cycle does: phases that follow each other, each a list of
// acts that may run at once.
type plan [][]act

// firstCycle plans the initial synchronisation.
func (s *Simulator) firstCycle() plan {
	var users, groups, members, managers []act
	for n := range s.cfg.Users {
		users = append(users, s.joiner(s.newUser(s.newFields(n))))
	}
	bosses := s.users[:len(s.users)/10+1]
	for _, u := range s.users[len(bosses):] {
		if s.d.managers && s.chance(0.5) {
			managers = append(managers, s.reports(u, bosses))
		}
	}
	for range s.cfg.Groups {
		a := s.founded(s.newGroup())
		var in []*user
		for _, u := range s.users {
			if s.chance(1.5/float64(s.cfg.Groups)) || s.licenses(a.group) {
				in = append(in, u)
			}
		}
		if s.d.createsWithMembers {
			a.add = in
		} else {
			members = s.pushes(members, a.group, in, nil)
		}
		groups = append(groups, a)
		if s.chance(s.cfg.Trouble) {
			members = append(members, s.tooEarly(a.group))
		}
	}
	s.shuffle(members)
	return plan{users, groups, members, managers}
}

func (s *Simulator) chance(p float64) bool { return s.rng.Float64() < p }

func (s *Simulator) shuffle(acts []act) {
	s.rng.Shuffle(len(acts), func(i, j int) { acts[i], acts[j] = acts[j], acts[i] })
}

// joiner creates a user, and founded a group, with what may go wrong.
func (s *Simulator) joiner(u *user) act {
	return s.troubled(act{verb: createUser, user: u, fields: u.fields})
}

func (s *Simulator) founded(g *group) act {
	return s.troubled(act{verb: createGroup, group: g})
}

const longestDelay = 4 * time.Millisecond

func (s *Simulator) troubled(a act) act {
	a.form = s.rng.IntN(1 << 16)
	if s.chance(s.cfg.Trouble) {
		a.trouble = aborted + trouble(s.rng.IntN(3))
		x := s.rng.Float64()
		a.delay = time.Duration(x * x * float64(longestDelay)) // more often in the middle of a commit than after it
	}
	return a
}

func (s *Simulator) reports(u *user, bosses []*user) act {
	boss := pick(s.rng, bosses)
	boss.boss = true
	return act{verb: setManager, user: u, manager: boss, form: s.rng.IntN(1 << 16), again: s.chance(0.1)}
}

func (s *Simulator) tooEarly(g *group) act {
	return act{verb: pushUnknown, group: g, unknown: s.guid()}
}

// pushes cuts a membership change into the requests that the dialect makes.
func (s *Simulator) pushes(acts []act, g *group, add, remove []*user) []act {
	if len(add)+len(remove) == 0 {
		return acts
	}
	one := func(add, remove []*user) {
		acts = append(acts, act{
			verb: pushMembers, group: g, add: add, remove: remove, form: s.rng.IntN(1 << 16),
			full: s.d.pushesAll && s.chance(0.2), again: s.chance(0.1),
		})
	}
	size := s.d.membersPerPush
	if size == 0 {
		one(add, remove)
		return acts
	}
	for len(add)+len(remove) > 0 {
		a, r := min(size, len(add)), min(size, len(remove))
		if size == 1 && a == 1 {
			r = 0
		}
		one(add[:a], remove[:r])
		add, remove = add[a:], remove[r:]
	}
	return acts
}
