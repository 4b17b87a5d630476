package chaos_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// settleTime is how long freed seats may take to be handed on. A worker that was
// killed keeps its lease for half a minute.
const settleTime = 45 * time.Second

// quiet waits until nothing waits for a seat that is free.
func (r *run) quiet(ctx context.Context, l *load) error {
	began := time.Now()
	for _, t := range l.tenants {
		for {
			a := r.send(ctx, 0, http.MethodGet, t.path("/Licenses/"+byGroup), t.token, "")
			licence, _ := jsonOf(a)[seatsURN].(map[string]any)
			free, _ := licence["seatsFree"].(float64)
			waiting, _ := licence["seatsWaiting"].(float64)
			if a.status == http.StatusOK && (free == 0 || waiting == 0) && r.agreed(ctx, t) {
				break
			}
			if time.Since(began) > settleTime {
				r.violation("V3: %v seats of %s are free and %v users wait, long after all is quiet: %s", free, byGroup, waiting, r.pending(ctx, t))
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	if d := time.Since(began); d > 3*time.Second {
		r.told("seats settled after %s", d.Round(100*time.Millisecond))
	}
	return nil
}

const mostShown = 2 // impossible histories in full

// person is a user as the final reading shows it.
type person struct {
	id, name, mail string
	phone          string
	groups         []string
	assigned       bool // has byGroup
	waits          bool
}

// agreed reports whether everybody in the licensing group has a seat or waits,
// and nobody else has one.
func (r *run) agreed(ctx context.Context, t *tenant) bool {
	people, ok := r.everybody(ctx, t)
	if !ok {
		return false
	}
	for _, p := range people {
		if slices.Contains(p.groups, t.groups[len(t.groups)-1]) != (p.assigned || p.waits) {
			return false
		}
	}
	return true
}

// pending tells whose seats are not settled and what the queue says of it.
func (r *run) pending(ctx context.Context, t *tenant) string {
	text := ""
	people, _ := r.everybody(ctx, t)
	for _, p := range people {
		if in := slices.Contains(p.groups, t.groups[len(t.groups)-1]); in != (p.assigned || p.waits) {
			text += fmt.Sprintf("%s is a member: %t, has a seat: %t, waits: %t; ", p.id, in, p.assigned, p.waits)
		}
	}
	redis := r.site.store.redis()
	org, err := orgOf(ctx, redis, t.slug)
	if err != nil {
		return text + err.Error() // it may be on another server
	}
	for _, words := range [][]string{
		{"ZRANGE", "du:{" + org + "}", "0", "20", "WITHSCORES"},
		{"HGETALL", "dt:{" + org + "}"},
		{"ZRANGE", "dp:{" + org + "}", "0", "20"},
		{"GET", "lz:{" + org + "}"},
		{"TIME"},
	} {
		got, err := redis.Do(ctx, words...)
		text += fmt.Sprintf("%s: %v %v; ", words[:min(2, len(words))], got, err)
	}
	return text
}

// everybody reads all users of an organization.
func (r *run) everybody(ctx context.Context, t *tenant) (all []person, ok bool) {
	for start, total := 1, 1; start <= total; {
		a := r.send(ctx, 0, http.MethodGet, t.path("/Users?count=200&startIndex="+strconv.Itoa(start)), t.token, "")
		page := jsonOf(a)
		users := listOf(page, "Resources")
		if a.status != http.StatusOK {
			return nil, false
		}
		n, _ := page["totalResults"].(float64)
		total = int(n)
		if len(users) == 0 {
			break
		}
		start += len(users)
		for _, u := range users {
			all = append(all, personOf(u))
		}
	}
	return all, true
}

func personOf(u map[string]any) person {
	p := person{id: textOf(u, "id"), name: textOf(u, "userName")}
	for _, m := range listOf(u, "emails") {
		p.mail = textOf(m, "value")
	}
	for _, g := range listOf(u, "groups") {
		p.groups = append(p.groups, textOf(g, "value"))
	}
	p.phone = textOf(u, callingURN, "effectivePhoneNumber")
	block, _ := u[licenceURN].(map[string]any)
	for _, e := range listOf(block, "effective") {
		if textOf(e, "value") == byGroup {
			p.assigned, p.waits = textOf(e, "status") == "assigned", textOf(e, "status") == "error"
		}
	}
	return p
}

// verify reads everything and compares it with what clients were told.
func (r *run) verify(ctx context.Context, l *load) {
	c := &client{load: l, n: 99, dice: r.dice.rand()}
	mails := map[string][]string{}
	for _, t := range l.tenants {
		people, ok := r.everybody(ctx, t)
		if !ok {
			r.violation("the final reading of users fails")
			return
		}
		r.people(ctx, c, t, people)
		r.phones(t, people)
		r.membership(ctx, t, people)
		for _, p := range people {
			if p.mail != "" {
				mails[p.mail] = append(mails[p.mail], p.id)
			}
		}
		r.events(ctx, t, slices.Concat(t.registers, t.joiners[:1], t.bosses))
		if !c.rulers(ctx, t) {
			r.violation("the final reading of administrators fails")
		}
		if !c.countSeats(ctx, t) {
			r.violation("the final count of seats fails")
		}
		for g := range t.groups {
			if !c.listAt(ctx, t, g) {
				r.violation("V1: the final reading of a group fails")
			}
		}
		for i, id := range t.registers {
			c.see(ctx, t, "ver:"+t.slug+":"+strconv.Itoa(i), id)
		}
	}
	for mail, ids := range mails {
		if len(ids) > 1 {
			r.violation("V4: the address %s belongs to %s", mail, strings.Join(ids, " and "))
		}
	}
	r.finalLooks(ctx, c, mails)
	if !r.lost {
		r.guestsAtEnd(ctx, l)
	}
	wrong := r.h.impossible(seats, r.s.lazy)
	if r.lost {
		r.losses(wrong, len(l.keys))
		return
	}
	for _, text := range wrong[:min(len(wrong), mostShown)] {
		r.violation("V1–V7: %s", text)
	}
	if more := len(wrong) - mostShown; more > 0 {
		r.violation("V1–V7: %d more histories are not possible", more)
	}
}

// losses counts what was lost and holds usher's own word against it: a write that
// clients miss must be one that the log tells of.
func (r *run) losses(gone []string, all int) {
	wrong := len(gone)
	var told int
	for end := time.Now().Add(6 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		told = 0
		for _, n := range r.site.nodes {
			told += n.lost()
		}
		if told -= r.site.told; told > 0 || wrong == 0 || time.Now().After(end) {
			break
		}
	}
	r.site.told += told
	if wrong > 0 && told == 0 {
		logs := ""
		for _, n := range r.site.nodes {
			logs += "\n" + n.log()
		}
		r.violation("%d histories lost something, and no log tells of a lost write:\n%s%s", wrong, strings.Join(gone[:min(wrong, mostShown)], "\n"), logs)
	}
	if wrong+told > 0 {
		r.told("%d of %d histories lost something, usher tells of %d lost writes", wrong, all, told)
	}
}

// finalLooks ends the history of every name and address with what is there.
func (r *run) finalLooks(ctx context.Context, c *client, mails map[string][]string) {
	for _, key := range slices.Sorted(maps.Keys(c.keys)) {
		switch kind, rest, _ := strings.Cut(key, ":"); kind {
		case "name":
			slug, _, _ := strings.Cut(rest, ":")
			for _, t := range c.tenants {
				if t.slug == slug && !c.lookAt(ctx, t, key) {
					r.violation("the final look at a name fails")
				}
			}
		case "mail":
			e := event{client: c.n, key: key, what: "look", result: done, call: r.h.now()}
			if ids := mails[c.mailOf(key)]; len(ids) > 0 {
				e.out = ids[0]
			}
			r.h.note(e)
		}
	}
}

// people checks that nobody came from nowhere, that names are unique and found
// by their index, and that seats are not oversold.
func (r *run) people(ctx context.Context, c *client, t *tenant, people []person) {
	names, assigned := map[string]string{}, 0
	for _, p := range people {
		if names[p.name] != "" {
			r.violation("V6: %s and %s are both called %s", names[p.name], p.id, p.name)
		}
		names[p.name] = p.id
		if c.attempts[t.slug+" "+p.name] == 0 {
			r.violation("V2: nobody ever asked for the user %s", p.name)
		}
		if p.assigned {
			assigned++
		}
	}
	for _, p := range people[:min(len(people), 40)] {
		a := r.send(ctx, 0, http.MethodGet, t.path("/Users?filter=userName+eq+"+quoted(p.name)), t.token, "")
		if found := listOf(jsonOf(a), "Resources"); a.status == http.StatusOK && (len(found) != 1 || textOf(found[0], "id") != p.id) {
			r.violation("V6: the user %s is not found by its name", p.name)
		}
	}
	a := r.send(ctx, 0, http.MethodGet, t.path("/Licenses/"+byGroup), t.token, "")
	licence, _ := jsonOf(a)[seatsURN].(map[string]any)
	if used, _ := licence["seatsUsed"].(float64); assigned > seats || int(used) != assigned {
		r.violation("V3: %d users have %s, %v seats are used, there are %d", assigned, byGroup, used, seats)
	}
}

// phones checks that a number has one holder at most, and ends its history.
func (r *run) phones(t *tenant, people []person) {
	for i, phone := range t.phones {
		e := event{client: 99, key: phoneKey(t, i), what: "look", result: done, call: r.h.now()}
		for _, p := range people {
			if p.phone != phone {
				continue
			}
			if e.out != "" {
				r.violation("V5: %s and %s have the number %s", e.out, p.id, phone)
			}
			e.out = p.id
		}
		r.h.note(e)
	}
}

// membership checks that both sides of every membership say the same.
func (r *run) membership(ctx context.Context, t *tenant, people []person) {
	bySide := [2]map[string]bool{{}, {}}
	known := map[string]bool{}
	for _, p := range people {
		known[p.id] = true
		for _, g := range p.groups {
			bySide[0][g+" "+p.id] = true
		}
	}
	a := r.send(ctx, 0, http.MethodGet, t.path("/Groups?count=100"), t.token, "")
	for _, g := range listOf(jsonOf(a), "Resources") {
		for _, m := range listOf(g, "members") {
			pair := textOf(g, "id") + " " + textOf(m, "value")
			bySide[1][pair] = true
			if !known[textOf(m, "value")] {
				r.violation("V7: a group has a member that does not exist: %s", pair)
			}
		}
	}
	for i, side := range bySide {
		for pair := range side {
			if !bySide[1-i][pair] {
				r.violation("V7: %s is a membership on one side only (%d)", pair, i)
			}
		}
	}
}

func lower(s string) string { return strings.ToLower(s) }

func sum(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return fmt.Sprint(list)
}
