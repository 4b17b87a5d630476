package chaos_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// bulked: usher is killed inside a Bulk, before and after any of the calls it
// makes to Redis; started again, it gets the same Bulk again.
func bulked(kills int) *scenario {
	return &scenario{
		name: "F11", title: "usher is killed inside a Bulk that is sent again",
		site: func(t testing.TB) *site { return withNodes(t, single(t), usher(t), 1) },
		strike: func(ctx context.Context, r *run, l *load) error {
			return (&bulkRun{run: r, load: l}).strike(ctx, kills)
		},
		alone: true, limits: limits{cuts: true, p99: 10e9},
	}
}

type bulkRun struct {
	*run
	load *load
	org  string // the organization's id in the store
	made int
}

// doc makes a Bulk with users, a group of them, a change of the group and of a
// user made before, and a deletion.
func (b *bulkRun) doc(ctx context.Context) (string, []string, error) {
	t := b.load.tenants[0]
	b.made++
	names := make([]string, 6)
	var ops []any
	for i := range names {
		names[i] = fmt.Sprintf("bulk-%d-%d", b.made, i)
		ops = append(ops, map[string]any{"method": "POST", "path": "/Users", "bulkId": fmt.Sprintf("u%d", i), "data": map[string]any{
			"schemas": []string{userURN}, "userName": names[i], "emails": []any{map[string]any{"value": fmt.Sprintf("%s.s%d@%s.example", names[i], b.seed, t.slug), "primary": true}},
		}})
	}
	leaver := fmt.Sprintf("leaver-%d", b.made)
	b.load.attempts[t.slug+" "+leaver] = done
	m, err := b.must(ctx, http.MethodPost, t.path("/Users"), t.token, body(map[string]any{"schemas": []string{userURN}, "userName": leaver}))
	if err != nil {
		return "", nil, err
	}
	ops = append(ops,
		map[string]any{"method": "POST", "path": "/Groups", "bulkId": "g", "data": map[string]any{
			"schemas": []string{groupURN}, "displayName": fmt.Sprintf("Bulk %d", b.made),
			"members": []any{map[string]any{"value": "bulkId:u0"}, map[string]any{"value": "bulkId:u1"}},
		}},
		map[string]any{"method": "PATCH", "path": "/Groups/bulkId:g", "data": map[string]any{"schemas": []string{patchURN}, "Operations": []any{
			map[string]any{"op": "add", "path": "members", "value": []any{map[string]any{"value": "bulkId:u2"}}},
		}}},
		map[string]any{"method": "DELETE", "path": "/Users/" + textOf(m, "id")},
	)
	for _, n := range names {
		b.load.attempts[t.slug+" "+n] = done
	}
	return body(map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:BulkRequest"}, "Operations": ops}), names, nil
}

func (b *bulkRun) send(ctx context.Context, doc string) answer {
	t := b.load.tenants[0]
	return b.run.send(ctx, 0, http.MethodPost, t.path("/Bulk"), t.token, doc)
}

// again sends a Bulk until it is done. What the killed process had just begun is
// somebody's for a few seconds more, and the answer is 503 until then.
func (b *bulkRun) again(ctx context.Context, doc string) answer {
	for end := time.Now().Add(15 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		if a := b.send(ctx, doc); a.status != http.StatusServiceUnavailable || time.Now().After(end) {
			return a
		}
	}
}

// calls counts the calls to Redis that one Bulk makes.
func (b *bulkRun) calls(ctx context.Context) (int, error) {
	doc, _, err := b.doc(ctx)
	if err != nil {
		return 0, err
	}
	var n atomic.Int64
	net := b.site.store.net()
	net.Tell(b.mark(), func() { n.Add(1) })
	defer net.Unmark()
	if a := b.send(ctx, doc); a.status != http.StatusOK {
		return 0, fmt.Errorf("the first Bulk: answer %d %s", a.status, trim(a.body))
	}
	return int(n.Load()), nil
}

// mark is a text in every call for the organization: the tag of its keys.
func (b *bulkRun) mark() string { return "{" + b.org + "}" }

func (b *bulkRun) strike(ctx context.Context, kills int) error {
	var err error
	if b.org, err = orgOf(ctx, b.site.store.redis(), b.load.tenants[0].slug); err != nil {
		return err
	}
	n, err := b.calls(ctx)
	if err != nil {
		return err
	}
	if n < 10 {
		return fmt.Errorf("a Bulk made %d calls only: they are not recognised", n)
	}
	dice := b.dice.rand()
	at := dice.Perm(2 * n)
	if kills > 0 {
		at = at[:min(kills, len(at))]
	}
	for _, k := range at {
		if err := b.killAt(ctx, k/2, k%2 == 0, dice); err != nil {
			return err
		}
		if len(b.violations()) > 0 {
			return nil // it shows; the others would only wait for what never comes
		}
	}
	b.told("%d kills at %d calls", len(at), n)
	return nil
}

// killAt kills the node at a call, before Redis gets it or after.
func (b *bulkRun) killAt(ctx context.Context, call int, after bool, dice *rand.Rand) error {
	doc, names, err := b.doc(ctx)
	if err != nil {
		return err
	}
	node, net := b.site.nodes[0], b.site.store.net()
	net.Trap(b.mark(), call, after, func() {
		if !after || dice.IntN(2) == 0 {
			node.kill()
			return
		}
		go node.kill() // somewhere around the call
	})
	first := b.send(ctx, doc)
	net.Unmark()
	if first.status != 0 && first.status != http.StatusOK && first.status != http.StatusServiceUnavailable {
		b.violation("F11: a Bulk that is interrupted is answered %d %s", first.status, trim(first.body))
	}
	node.kill() // it may have got away
	if err := node.start(); err != nil {
		return err
	}
	second := b.again(ctx, doc)
	third := b.send(ctx, doc)
	ids, again := b.ids(second), b.ids(third)
	if !maps.Equal(ids, again) {
		b.violation("F11: the same Bulk gives other ids: %v, then %v", ids, again)
	}
	if first.status == http.StatusOK {
		if was := b.ids(first); !maps.Equal(was, ids) {
			b.violation("F11: a Bulk was answered with the ids %v and later with %v", was, ids)
		}
	}
	b.there(ctx, names, ids)
	return nil
}

// ids reads the location of each operation's resource; every operation must have
// succeeded.
func (b *bulkRun) ids(a answer) map[string]string {
	out := map[string]string{}
	if a.status != http.StatusOK {
		b.violation("F11: a repeated Bulk is answered %d %s", a.status, trim(a.body))
		return out
	}
	for _, op := range listOf(jsonOf(a), "Operations") {
		status := textOf(op, "status")
		if status == "" {
			if s, err := json.Marshal(op["status"]); err == nil {
				status = string(s)
			}
		}
		if !slices.Contains([]string{"200", "201", "204"}, status) {
			text, _ := json.Marshal(op)
			b.violation("F11: an operation of a repeated Bulk failed: %.400s", text)
		}
		if id := textOf(op, "bulkId"); id != "" {
			out[id] = textOf(op, "location")
		}
	}
	return out
}

// there checks that each user of a Bulk is there once, with the id that was told.
func (b *bulkRun) there(ctx context.Context, names []string, ids map[string]string) {
	t := b.load.tenants[0]
	for i, name := range names {
		a := b.run.send(ctx, 0, http.MethodGet, t.path("/Users?filter=userName+eq+"+quoted(name)), t.token, "")
		users := listOf(jsonOf(a), "Resources")
		if len(users) != 1 || textOf(users[0], "meta", "location") != ids[fmt.Sprintf("u%d", i)] {
			b.violation("F11: %d users are called %s after a repeated Bulk, or its id is not the one that was told", len(users), name)
		}
	}
}
