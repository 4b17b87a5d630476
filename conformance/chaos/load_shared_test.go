package chaos_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
)

// takeSeat makes a user who asks for a seat, over a connection that is refused
// when there is none.
func (c *client) takeSeat(ctx context.Context, t *tenant) {
	key := "seat:" + t.slug
	if c.h.worn(key) {
		return
	}
	c.count++
	name := fmt.Sprintf("seated-%d-%d", c.n, c.count)
	c.attempt(t, name, key)
	c.write(ctx, event{key: key, what: "take"}, http.MethodPost, t.path("/Users"), t.strict, body(map[string]any{
		"schemas": []string{userURN, licenceURN}, "userName": name, licenceURN: map[string]any{"licenses": []string{byAsking}},
	}), func(a answer) string {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.taken[t] = append(c.taken[t], idOf(a))
		return idOf(a)
	}, []int{http.StatusForbidden})
}

// giveSeat deletes somebody who has one.
func (c *client) giveSeat(ctx context.Context, t *tenant) {
	key := "seat:" + t.slug
	c.mu.Lock()
	list := c.taken[t]
	id := ""
	if len(list) > 0 {
		at := c.dice.IntN(len(list))
		id = list[at]
		if c.dice.IntN(4) > 0 { // sometimes somebody else deletes the same user again
			c.taken[t] = slices.Delete(slices.Clone(list), at, at+1)
		}
	}
	c.mu.Unlock()
	if id == "" || c.h.worn(key) {
		return
	}
	c.write(ctx, event{key: key, what: "give", value: id}, http.MethodDelete, t.path("/Users/"+id), t.token, "", nil, []int{http.StatusNotFound})
}

// countSeats asks how many seats are used.
func (c *client) countSeats(ctx context.Context, t *tenant) bool {
	e := event{client: c.n, key: "seat:" + t.slug, what: "count", result: done, call: c.h.now()}
	a := c.send(ctx, c.n, http.MethodGet, t.path("/Licenses/"+byAsking), t.token, "")
	if a.status != http.StatusOK {
		return false
	}
	licence, _ := jsonOf(a)[seatsURN].(map[string]any)
	used, _ := licence["seatsUsed"].(float64)
	if used > seats {
		c.violation("V3: %v of %d seats of %s are used", used, seats, byAsking)
	}
	e.out = strconv.Itoa(int(used))
	c.h.note(e)
	return true
}

// swap reads a user and changes it on the condition that nobody else has.
func (c *client) swap(ctx context.Context, t *tenant) {
	i := c.dice.IntN(len(t.registers))
	key := "ver:" + t.slug + ":" + strconv.Itoa(i)
	if c.h.worn(key) {
		return
	}
	etag := c.see(ctx, t, key, t.registers[i])
	if etag == "" {
		return
	}
	c.count++
	nick := fmt.Sprintf("%d-%d", c.n, c.count)
	method, payload := http.MethodPatch, patch(map[string]any{"op": "replace", "path": "nickName", "value": nick})
	if c.dice.IntN(3) == 0 {
		method, payload = http.MethodPut, body(map[string]any{"schemas": []string{userURN}, "userName": "register-" + strconv.Itoa(i), "nickName": nick})
	}
	c.write(ctx, event{key: key, what: "swap", value: etag}, method, t.path("/Users/"+t.registers[i]), t.token, payload,
		func(a answer) string { return a.etag }, []int{http.StatusPreconditionFailed}, "If-Match", etag)
}

// see reads a user's version.
func (c *client) see(ctx context.Context, t *tenant, key, id string) string {
	e := event{client: c.n, key: key, what: "see", result: done, call: c.h.now()}
	a := c.send(ctx, c.n, http.MethodGet, t.path("/Users/"+id), t.token, "")
	if a.status == http.StatusNotFound && !c.lost {
		c.violation("V1: a user that nobody deleted is gone")
	}
	if a.status != http.StatusOK {
		return ""
	}
	e.out = a.etag
	c.mu.Lock()
	c.keys[key] = true
	c.mu.Unlock()
	c.h.note(e)
	return a.etag
}

func memberKey(t *tenant, group, user int) string {
	return fmt.Sprintf("mem:%s:%d:%d", t.slug, group, user)
}

// join adds somebody to a group, or takes him out.
func (c *client) join(ctx context.Context, t *tenant) {
	g, u := c.dice.IntN(len(t.groups)), c.dice.IntN(len(t.joiners))
	key := memberKey(t, g, u)
	if c.h.worn(key) {
		return
	}
	id, path := t.joiners[u], t.path("/Groups/"+t.groups[g])
	if c.dice.IntN(2) == 0 {
		c.write(ctx, event{key: key, what: "join"}, http.MethodPatch, path, t.token,
			patch(map[string]any{"op": "add", "path": "members", "value": []any{map[string]any{"value": id}}}), nil, nil)
		return
	}
	c.write(ctx, event{key: key, what: "part"}, http.MethodPatch, path, t.token,
		patch(map[string]any{"op": "remove", "path": `members[value eq "` + id + `"]`}), nil, nil)
}

func (c *client) list(ctx context.Context, t *tenant) {
	c.listAt(ctx, t, c.dice.IntN(len(t.groups)))
}

// listAt reads who is in a group.
func (c *client) listAt(ctx context.Context, t *tenant, g int) bool {
	began := c.h.now()
	a := c.send(ctx, c.n, http.MethodGet, t.path("/Groups/"+t.groups[g]), t.token, "")
	if a.status != http.StatusOK {
		return false
	}
	in := map[string]bool{}
	for _, m := range listOf(jsonOf(a), "members") {
		in[textOf(m, "value")] = true
	}
	for u, id := range t.joiners {
		key := memberKey(t, g, u)
		c.mu.Lock()
		c.keys[key] = true
		c.mu.Unlock()
		c.h.note(event{client: c.n, key: key, what: "list", out: strconv.FormatBool(in[id]), result: done, call: began})
	}
	return true
}

// claimPhone makes a user who asks for a telephone number, over a connection that
// is refused when somebody has it.
func (c *client) claimPhone(ctx context.Context, t *tenant) {
	i := c.dice.IntN(len(t.phones))
	key := phoneKey(t, i)
	if c.h.worn(key) {
		return
	}
	c.count++
	name := fmt.Sprintf("caller-%d-%d", c.n, c.count)
	c.attempt(t, name, key)
	c.write(ctx, event{key: key, what: "claim"}, http.MethodPost, t.path("/Users"), t.strict, body(map[string]any{
		"schemas": []string{userURN, licenceURN, callingURN}, "userName": name, "name": map[string]any{"givenName": "Ida", "familyName": "Blum"},
		licenceURN: map[string]any{"licenses": []string{"calling"}}, callingURN: map[string]any{"location": "Paris", "phoneNumber": t.phones[i]},
	}), func(a answer) string {
		c.knows(key, idOf(a))
		return idOf(a)
	}, []int{http.StatusBadRequest})
}

// freePhone deletes whoever has a number.
func (c *client) freePhone(ctx context.Context, t *tenant) {
	key := phoneKey(t, c.dice.IntN(len(t.phones)))
	if !c.h.worn(key) {
		c.free(ctx, t, key, c.holder(key))
	}
}

func phoneKey(t *tenant, i int) string { return "num:" + t.slug + ":" + strconv.Itoa(i) }
