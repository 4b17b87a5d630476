package simulate

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// field is a single-valued text of a user that identity providers map.
type field int

const (
	userName field = iota
	externalID
	displayName
	givenName
	familyName
	formatted
	title
	locale
	mail
	mobile
	department
	employeeNumber
	otherMail // the value of the e-mail of type other
	address   // the formatted address of type work
	role      // the value of the primary role
	fieldCount
)

// fields are the texts of a user; "" means unassigned.
type fields [fieldCount]string

// user is what the simulator believes about one person.
type user struct {
	n       int    // number in the simulator, fixes the order of everything
	id      string // given by the server
	fields  fields
	active  bool
	manager string // the id that was sent
	alive   bool   // exists at the server
	boss    bool   // others report to this one, so it is not deleted
	touched bool   // since the last verification
}

// group is what the simulator believes about one group.
type group struct {
	n       int
	id      string
	name    string
	ext     string
	members map[*user]struct{}
	alive   bool
	touched bool
}

// list gives the members in the order of their numbers.
func (g *group) list() []*user {
	return slices.SortedFunc(maps.Keys(g.members), func(a, b *user) int { return a.n - b.n })
}

// after gives the members as they will be, without changing them.
func (g *group) after(add, remove []*user) []*user {
	next := &group{members: maps.Clone(g.members)}
	next.change(add, remove)
	return next.list()
}

func (g *group) change(add, remove []*user) {
	for _, u := range remove {
		delete(g.members, u)
	}
	for _, u := range add {
		g.members[u] = struct{}{}
	}
}

// gone is a name under which nothing may be found any longer.
type gone struct {
	users bool // else groups
	attr  string
	value string
}

// person is a name with its form in addresses.
type person struct{ name, ascii string }

var (
	givenNames = [...]person{
		{"Amélie", "amelie"},
		{"Bakary", "bakary"},
		{"Chloé", "chloe"},
		{"Dmitri", "dmitri"},
		{"Élodie", "elodie"},
		{"Farid", "farid"},
		{"Grażyna", "grazyna"},
		{"Hélène", "helene"},
		{"Ingrid", "ingrid"},
		{"João", "joao"},
		{"Karim", "karim"},
		{"Léa", "lea"},
		{"Mads", "mads"},
		{"Noémie", "noemie"},
		{"Óscar", "oscar"},
		{"Priya", "priya"},
		{"Quentin", "quentin"},
		{"Rasmus", "rasmus"},
		{"Siobhán", "siobhan"},
		{"たろう", "taro"},
		{"Usha", "usha"},
		{"Valérie", "valerie"},
		{"Wojciech", "wojciech"},
		{"Yasmine", "yasmine"},
		{"Zoë", "zoe"},
	}
	familyNames = [...]person{
		{"Roux", "roux"},
		{"Diallo", "diallo"},
		{"Lefèvre", "lefevre"},
		{"Ivanov", "ivanov"},
		{"Müller", "mueller"},
		{"Benali", "benali"},
		{"Kowalska", "kowalska"},
		{"Girard", "girard"},
		{"Sørensen", "soerensen"},
		{"Ferreira", "ferreira"},
		{"Haddad", "haddad"},
		{"O'Neill", "o'neill"},
		{"Jensen", "jensen"},
		{"Mercier", "mercier"},
		{"Núñez", "nunez"},
		{"Sharma", "sharma"},
		{"d’Arcy", "darcy"},
		{"山田", "yamada"},
		{"Roux-Martin", "roux-martin"},
		{"van der Berg", "vanderberg"},
	}
	departments = [...]string{"Support", "Ventes", "R&D", "Qualité \"ISO\"", "Direction", "Accueil <FR>"}
	titles      = [...]string{"Agent", "Chef d’équipe", "Directrice", "Ingénieur C:\\dev", "Stagiaire 😀"}
	locales     = [...]string{"fr-FR", "en-GB", "de-DE", "pl-PL"}
	roles       = [...]string{"Agent", "Superviseur", "Admin"}
	addresses   = [...]string{"12 rue de la Paix\n75002 Paris", "Lyon 3", "Straße 4, \"Hof\""}
	teams       = [...]string{"Support", "Ventes", "Équipe \"Nuit\"", "Standard", "R&D", "Accueil 😀", "Lille\\Nord"}
)

// pick draws one of a list.
func pick[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }

// newFields invents a person. The number makes names and addresses unique in
// the simulator, the tag makes them unique on the server.
func (s *Simulator) newFields(n int) fields {
	given, family := pick(s.rng, givenNames[:]), pick(s.rng, familyNames[:])
	number := strconv.Itoa(n)
	f := fields{
		externalID: "00u" + strings.ToUpper(s.tag) + number, givenName: given.name,
		locale: pick(s.rng, locales[:]), department: pick(s.rng, departments[:]), employeeNumber: "0" + number,
	}
	if s.rng.IntN(2) == 0 {
		f[title] = pick(s.rng, titles[:])
	}
	if s.rng.IntN(2) == 0 {
		f[mobile] = s.newMobile()
	}
	if s.rng.IntN(4) == 0 {
		f[role], f[address] = pick(s.rng, roles[:]), pick(s.rng, addresses[:])
	}
	s.rename(&f, family, given.ascii+"."+family.ascii+"."+number)
	return f
}

func (s *Simulator) newMobile() string { return "+336" + strconv.Itoa(10000000+s.rng.IntN(89999999)) }

// rename gives a person another family name and what follows from it.
func (s *Simulator) rename(f *fields, family person, local string) {
	f[familyName] = family.name
	f[formatted] = f[givenName] + " " + family.name
	f[displayName] = f[formatted]
	f[mail] = local + "@" + s.tag + ".example"
	f[userName] = f[mail]
	if s.d.plainNames {
		f[userName] = local + "." + s.tag
	}
}

// moved is what somebody looks like after a change in the directory behind
// the identity provider.
func (s *Simulator) moved(u *user) fields {
	f := u.fields
	switch s.rng.IntN(6) {
	case 0:
		family := pick(s.rng, familyNames[:])
		s.rename(&f, family, "m"+strconv.Itoa(s.cycle)+"."+family.ascii+"."+strconv.Itoa(u.n))
	case 1:
		f[title] = ""
		if u.fields[title] == "" || s.d.neverClears {
			f[title] = pick(s.rng, titles[:])
		}
	case 2:
		f[mobile] = ""
		if u.fields[mobile] == "" || s.d.neverClears {
			f[mobile] = s.newMobile()
		}
	case 3:
		f[displayName] = f[givenName] + " " + strings.ToUpper(f[familyName])
		f[title] = pick(s.rng, titles[:])
	case 4:
		f[otherMail], f[role], f[address] = "", "", ""
		if u.fields[otherMail] == "" {
			f[otherMail] = "other" + strconv.Itoa(s.cycle) + "." + u.fields[mail]
			f[role], f[address] = pick(s.rng, roles[:]), pick(s.rng, addresses[:])
		}
	default:
		f[department] = pick(s.rng, departments[:])
		f[mobile] = s.newMobile()
		f[employeeNumber] += "7"
		f[givenName] = pick(s.rng, givenNames[:]).name
	}
	return f
}

func (s *Simulator) newGroup() *group {
	g := &group{n: len(s.groups), members: map[*user]struct{}{}}
	g.name, g.ext = s.groupName(g.n), "g-"+s.tag+"-"+strconv.Itoa(g.n)
	s.groups = append(s.groups, g)
	return g
}

func (s *Simulator) groupName(n int) string {
	return pick(s.rng, teams[:]) + " " + s.tag + "-" + strconv.Itoa(n) + "." + strconv.Itoa(s.cycle)
}

func (s *Simulator) newUser(f fields) *user {
	u := &user{n: len(s.users), fields: f, active: true}
	s.users = append(s.users, u)
	return u
}
