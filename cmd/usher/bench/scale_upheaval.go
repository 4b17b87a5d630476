package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// upheaval is something large that happens to the large group.
type upheaval struct {
	name         string
	method, body string
	prepare      func(context.Context) error // not measured; nil: nothing
	after        func(context.Context) error // measured: what is done in the background
}

// upheavals measures how long large changes take, and how long others wait
// meanwhile: a reader of users, and one who changes another group.
func (x *scale) upheavals(ctx context.Context) error {
	const patch = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[%s]}`
	var named strings.Builder
	kept := min(5000, x.size/2)
	for i, id := range x.users[x.size-kept : x.size] {
		if i > 0 {
			named.WriteByte(',')
		}
		named.WriteString(`{"value":"` + id + `"}`)
	}
	for _, u := range []upheaval{
		{name: "rename", method: http.MethodPatch, body: fmt.Sprintf(patch, `{"op":"replace","path":"displayName","value":"Larger"}`)},
		{name: fmt.Sprintf("replace its members by %d", kept), method: http.MethodPut, body: `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Largest","members":[` + named.String() + `]}`},
		{name: "take all members out", method: http.MethodPatch, body: fmt.Sprintf(patch, `{"op":"replace","path":"members","value":[]}`), prepare: x.fillLarge},
		{name: "delete it, and clear what it leaves", method: http.MethodDelete, prepare: x.fillLarge, after: x.swept},
	} {
		if u.prepare != nil {
			if err := u.prepare(ctx); err != nil {
				return err
			}
		}
		if err := x.upheave(ctx, u); err != nil {
			return fmt.Errorf("%s: %w", u.name, err)
		}
	}
	return nil
}

func (x *scale) upheave(ctx context.Context, u upheaval) error {
	stop := make(chan struct{})
	var waits [2][]float64
	var faults [2]error
	var wg sync.WaitGroup
	for i, ask := range []func(n int) error{
		func(n int) error { return x.once(ctx, "/Users/"+x.users[pick(1, n, x.size)]) },
		func(n int) error { return x.toggle(ctx, n) },
	} {
		wg.Go(func() { waits[i], faults[i] = probe(stop, ask) })
	}
	start := time.Now()
	err := x.send1(ctx, u.method, "/Groups/"+x.large, u.body)
	if err == nil && u.after != nil {
		err = u.after(ctx)
	}
	took := time.Since(start)
	close(stop)
	wg.Wait()
	if err = errors.Join(err, faults[0], faults[1]); err != nil {
		return err
	}
	all := slices.Sorted(slices.Values(append(waits[0], waits[1]...)))
	of := func(what string) string { return fmt.Sprintf("group of %d: %s%s", x.size, u.name, what) }
	x.report.Rows = append(x.report.Rows,
		Row{Work: of(""), Unit: "s", Value: took.Seconds(), Gate: 50, AtMost: true},
		Row{Work: of(", others meanwhile p99"), Unit: "ms", Value: all[len(all)*99/100], Gate: 50, Goal: 20, AtMost: true},
		Row{Work: of(", others meanwhile longest"), Unit: "ms", Value: all[len(all)-1], AtMost: true})
	x.say("%-60s %.2f s, others p99 %.1f ms, longest %.1f ms\n", u.name, took.Seconds(), all[len(all)*99/100], all[len(all)-1])
	return nil
}

// probe asks again and again until it is told to stop, at least once, and gives
// how long the answers took, in milliseconds.
func probe(stop <-chan struct{}, ask func(n int) error) (ms []float64, err error) {
	for n := 0; ; n++ {
		start := time.Now()
		if err := ask(n); err != nil {
			return ms, err
		}
		ms = append(ms, float64(time.Since(start).Microseconds())/1000)
		select {
		case <-stop:
			return ms, nil
		case <-time.After(time.Millisecond):
		}
	}
}

// toggle puts somebody into the small group, and takes them out again.
func (x *scale) toggle(ctx context.Context, n int) error {
	op := "add"
	if n%2 == 1 {
		op = "remove"
	}
	return x.send1(ctx, http.MethodPatch, "/Groups/"+x.small, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"`+op+`","path":"members","value":[{"value":"`+x.newcomer(0)+`"}]}]}`)
}

// swept cleans up as the janitor does.
func (x *scale) swept(ctx context.Context) error {
	for {
		n, err := x.dir.Clean(ctx)
		if n == 0 || err != nil {
			return err
		}
	}
}

// send1 sends one request with a body and demands success.
func (m *meter) send1(ctx context.Context, method, path, body string) error {
	_, err := m.ask(ctx, m.prefix, m.token, method, path, body)
	return err
}
