package chaos_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// load is the clients of a run and what they know together.
type load struct {
	*run
	tenants []*tenant
	twice   float64 // share of writes that are sent twice at once (F19)
	aborts  float64 // share of writes whose client gives up waiting

	mu       sync.Mutex
	gens     map[string]int                // of names that were worn out
	holders  map[string]string             // who is known to have a name
	homes    map[string]*tenant            // where the holder of an address is
	taken    map[*tenant][]string          // who is known to have a seat
	asked    map[*tenant]map[string]string // userName to the register it stands for
	attempts map[string]outcome            // of userNames: the best that is known
	guests   []*guest
	keys     map[string]bool
}

func newLoad(r *run, list []*tenant) *load {
	l := &load{
		run: r, tenants: list, gens: map[string]int{}, holders: map[string]string{}, homes: map[string]*tenant{},
		taken: map[*tenant][]string{}, asked: map[*tenant]map[string]string{}, attempts: map[string]outcome{}, keys: map[string]bool{},
	}
	for _, t := range list {
		l.asked[t] = map[string]string{}
		for i := range registers {
			l.attempts[t.slug+" register-"+strconv.Itoa(i)] = done
		}
		for i := range joiners {
			l.attempts[t.slug+" joiner-"+strconv.Itoa(i)] = done
		}
		for i := range bosses {
			l.attempts[t.slug+" boss-"+strconv.Itoa(i)] = done
		}
	}
	return l
}

// client is one of those who play.
type client struct {
	*load
	n     int
	dice  *rand.Rand
	count int // of names that are its own
}

const pause = 8 * time.Millisecond // between two requests of a client, on average

// play runs clients until stop is closed.
func (l *load) play(ctx context.Context, clients int, stop <-chan struct{}) {
	var all sync.WaitGroup
	for n := range clients {
		c := &client{load: l, n: n, dice: rand.New(rand.NewPCG(l.seed, uint64(n)))}
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(pause/2 + rand.N(pause)):
				}
				c.act(ctx)
			}
		})
	}
	for n, t := range l.tenants {
		all.Go(func() { l.host(ctx, t, n, stop) })
	}
	all.Wait()
}

// act does one operation.
func (c *client) act(ctx context.Context) {
	t := c.tenants[c.dice.IntN(len(c.tenants))]
	switch p := c.dice.IntN(100); {
	case p < 4:
		c.claimPhone(ctx, t)
	case p < 7:
		c.freePhone(ctx, t)
	case p < 18:
		c.claimName(ctx, t)
	case p < 26:
		c.freeName(ctx, t)
	case p < 36:
		c.lookName(ctx, t)
	case p < 46:
		c.claimMail(ctx, t)
	case p < 51:
		c.freeMail(ctx)
	case p < 53:
		c.lookMail(ctx, t)
	case p < 60:
		c.takeSeat(ctx, t)
	case p < 66:
		c.giveSeat(ctx, t)
	case p < 69:
		c.countSeats(ctx, t)
	case p < 78:
		c.swap(ctx, t)
	case p < 91:
		c.join(ctx, t)
	case p < 94:
		c.list(ctx, t)
	case p < 96:
		c.rule(ctx, t)
	case p < 97:
		c.rulers(ctx, t)
	default:
		c.read(ctx, t)
	}
}

// slot gives the key of one of a few names, of a new generation when the old one
// is worn out.
func (c *client) slot(kind string, n int) string {
	base := kind + ":" + strconv.Itoa(c.dice.IntN(n))
	c.mu.Lock()
	defer c.mu.Unlock()
	key := base + "." + strconv.Itoa(c.gens[base])
	if c.h.worn(key) {
		c.gens[base]++
		key = base + "." + strconv.Itoa(c.gens[base])
	}
	c.keys[key] = true
	return key
}

// write sends a request that changes something and notes what it did to a key.
// With twice it may go out two times, with aborts it may be given up.
func (c *client) write(ctx context.Context, e event, method, path, token, payload string, out func(answer) string, refusals []int, headers ...string) {
	c.mu.Lock()
	c.keys[e.key] = true
	c.mu.Unlock()
	copies := 1
	if c.dice.Float64() < c.twice {
		copies = 2
	}
	gone := c.dice.Float64() < c.aborts
	after := time.Duration(c.dice.IntN(4000)) * time.Microsecond
	var all sync.WaitGroup
	for range copies {
		all.Go(func() {
			ctx := ctx
			if gone {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(context.WithValue(ctx, abort{}, true), after)
				defer cancel()
			}
			e := e
			e.client, e.call = c.n, c.h.now()
			a := c.send(ctx, c.n, method, path, token, payload, headers...)
			if e.result = a.outcome(refusals...); e.result == 0 {
				return
			}
			if e.result == done && out != nil {
				e.out = out(a)
			}
			c.h.note(e)
		})
	}
	all.Wait()
}

// attempt notes that a userName was asked for.
func (c *client) attempt(t *tenant, name, key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.attempts[t.slug+" "+name] = unknown
	c.asked[t][name] = key
}

func (c *client) knows(key, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.holders[key] = id
}

func (c *client) holder(key string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.holders[key]
}

func idOf(a answer) string { return textOf(jsonOf(a), "id") }

const nameSlots = 4

func nameOf(key string) string {
	return "the." + strings.ReplaceAll(key[len("name:"):], ":", "-")
}

func (c *client) claimName(ctx context.Context, t *tenant) {
	key := c.slot("name:"+t.slug, nameSlots)
	name := nameOf(key)
	c.attempt(t, name, key)
	c.write(ctx, event{key: key, what: "claim"}, http.MethodPost, t.path("/Users"), t.token,
		body(map[string]any{"schemas": []string{userURN}, "userName": name}), func(a answer) string {
			c.knows(key, idOf(a))
			return idOf(a)
		}, []int{http.StatusConflict})
}

// freeName deletes whoever has a name.
func (c *client) freeName(ctx context.Context, t *tenant) {
	key := c.slot("name:"+t.slug, nameSlots)
	c.free(ctx, t, key, c.holder(key))
}

func (c *client) free(ctx context.Context, t *tenant, key, id string) {
	if id == "" || t == nil {
		return
	}
	c.write(ctx, event{key: key, what: "free", value: id}, http.MethodDelete, t.path("/Users/"+id), t.token, "", nil, []int{http.StatusNotFound})
}

func (c *client) lookName(ctx context.Context, t *tenant) {
	c.lookAt(ctx, t, c.slot("name:"+t.slug, nameSlots))
}

// lookAt finds out who has a name.
func (c *client) lookAt(ctx context.Context, t *tenant, key string) bool {
	e := event{client: c.n, key: key, what: "look", result: done, call: c.h.now()}
	a := c.send(ctx, c.n, http.MethodGet, t.path("/Users?filter=userName+eq+"+quoted(nameOf(key))), t.token, "")
	if a.status != http.StatusOK {
		return false
	}
	users := listOf(jsonOf(a), "Resources")
	if len(users) > 1 {
		c.violation("V6: %d users have the name %s", len(users), nameOf(key))
	}
	if len(users) > 0 {
		e.out = textOf(users[0], "id")
		c.knows(key, e.out)
	}
	c.h.note(e)
	return true
}

const mailSlots = 6

func (l *load) mailOf(key string) string {
	return fmt.Sprintf("m%s.s%d@%s.example", key[len("mail:"):], l.seed, l.tenants[0].slug)
}

func (c *client) claimMail(ctx context.Context, t *tenant) {
	key := c.slot("mail", mailSlots)
	c.count++
	name := fmt.Sprintf("owner-%d-%d", c.n, c.count)
	c.attempt(t, name, key)
	c.write(ctx, event{key: key, what: "claim"}, http.MethodPost, t.path("/Users"), t.token, body(map[string]any{
		"schemas": []string{userURN}, "userName": name, "emails": []any{map[string]any{"value": c.mailOf(key), "primary": true}},
	}), func(a answer) string {
		c.knows(key, idOf(a))
		c.mu.Lock()
		defer c.mu.Unlock()
		c.homes[key+" "+idOf(a)] = t
		return idOf(a)
	}, []int{http.StatusConflict})
}

// lookMail asks one organization for an address. That it is not there says
// nothing: it may be elsewhere.
func (c *client) lookMail(ctx context.Context, t *tenant) {
	key := c.slot("mail", mailSlots)
	e := event{client: c.n, key: key, what: "look", result: done, call: c.h.now()}
	a := c.send(ctx, c.n, http.MethodGet, t.path("/Users?filter=emails.value+eq+"+quoted(c.mailOf(key))), t.token, "")
	users := listOf(jsonOf(a), "Resources")
	if a.status != http.StatusOK || len(users) == 0 {
		return
	}
	e.out = textOf(users[0], "id")
	c.knows(key, e.out)
	c.mu.Lock()
	c.homes[key+" "+e.out] = t
	c.mu.Unlock()
	c.h.note(e)
}

func (c *client) freeMail(ctx context.Context) {
	key := c.slot("mail", mailSlots)
	c.mu.Lock()
	id := c.holders[key]
	t := c.homes[key+" "+id]
	c.mu.Unlock()
	c.free(ctx, t, key, id)
}

// read asks for a page or a resource; nothing but the status is looked at.
func (c *client) read(ctx context.Context, t *tenant) {
	paths := []string{
		"/Users?count=20", "/Groups?attributes=displayName", "/Users/" + t.joiners[0], "/Users?count=10&sortBy=userName&startIndex=3",
		"/Users?filter=userName+sw+%22the.%22&count=5", "/Licenses",
	}
	c.send(ctx, c.n, http.MethodGet, t.path(paths[c.dice.IntN(len(paths))]), t.token, "")
}
