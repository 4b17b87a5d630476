package chaos_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

// The models say what a register, a pool, a version and a membership can do when
// one operation comes after the other. A state is a text. Values that nobody has
// been told, because the answer was lost, are written "?"; the first who reads
// one finds out.
//
//	name, mail, num  who holds it: claim (create), free (delete), look
//	ver  the ETag of a resource: swap (If-Match), see
//	mem  whether a user is in a group: join, part, list
//	boss  who is an administrator: appoint, dismiss, list
//	seat  who has a seat of a pool with limit places: take, give, count

const hidden = "?"

// model finds the model of a key. With lazy releases, as claims over several
// slots have, a name may be refused for a while after it is free.
func model(key string, limit int, lazy bool) porcupine.Model {
	step, start := registerStep, ""
	switch kind, _, _ := strings.Cut(key, ":"); kind {
	case "mail":
		if lazy {
			step = lazyRegisterStep
		}
	case "ver":
		step, start = versionStep, hidden
	case "mem":
		step, start = memberStep, "false"
	case "boss":
		step, start = bossStep, "0"
	case "seat":
		step = func(s string, e *event) []string { return seatStep(s, e, limit) }
	}
	m := porcupine.NondeterministicModel{
		Init: func() []any { return []any{start} },
		Step: func(state, input, _ any) []any {
			s, _ := state.(string)
			e, _ := input.(*event)
			var next []any
			for _, n := range step(s, e) {
				next = append(next, n)
			}
			return next
		},
		DescribeOperation: func(input, _ any) string { return fmt.Sprintf("%+v", input) },
	}
	return m.ToModel()
}

// registerStep: a name, address or number has one holder at most (V4, V5, V6).
func registerStep(s string, e *event) []string {
	held := s == e.value || s == hidden
	switch {
	case e.what == "claim" && e.result == done:
		return when(s == "", e.out)
	case e.what == "claim" && e.result == refused:
		return when(s != "", s)
	case e.what == "claim" && s == "":
		return []string{hidden, s}
	case e.what == "free" && e.result == done:
		return when(held, "")
	case e.what == "free" && e.result == refused: // there is no such user
		return when(s != e.value, s)
	case e.what == "free" && held:
		return []string{"", s}
	case e.what == "look" && e.out == "":
		return when(s == "", s)
	case e.what == "look":
		return when(s == e.out || s == hidden, e.out)
	}
	return []string{s}
}

// lazyRegisterStep: like registerStep, but who asks for a free name may be told
// that it is not free yet.
func lazyRegisterStep(s string, e *event) []string {
	if s == "" && e.what == "claim" && e.result == refused {
		return []string{s}
	}
	return registerStep(s, e)
}

// versionStep: who changes something sees what he changes (V1, R-127).
func versionStep(s string, e *event) []string {
	switch {
	case e.what == "see":
		return when(s == e.out || s == hidden, e.out)
	case e.result == done:
		return when(s == e.value, e.out)
	case e.result == refused:
		return when(s != e.value, s)
	case s == e.value:
		return []string{hidden, s}
	}
	return []string{s}
}

// memberStep: somebody is a member from when he was added until he was removed (V1, V7).
func memberStep(s string, e *event) []string {
	if e.what == "list" {
		return when(s == e.out, s)
	}
	next := strconv.FormatBool(e.what == "join")
	if e.result == unknown {
		return []string{next, s}
	}
	return []string{next}
}

// bossStep: there is an administrator at any time; only the last one is refused to
// be dismissed (V10).
func bossStep(s string, e *event) []string {
	without := strings.ReplaceAll(s, e.value, "")
	switch {
	case e.what == "list":
		return when(s == e.out, s)
	case e.what == "appoint" && e.result == done:
		return []string{sorted(without + e.value)}
	case e.what == "appoint":
		return when(e.result == unknown, s, sorted(without+e.value))
	case without == "":
		return when(e.result != done, s)
	case e.result == done:
		return []string{without}
	}
	return when(e.result == unknown, s, without)
}

// sorted puts the letters of a text into their order.
func sorted(s string) string {
	letters := strings.Split(s, "")
	slices.Sort(letters)
	return strings.Join(letters, "")
}

// seatStep: no more holders than seats, and nobody is refused while one is free
// (V3).
func seatStep(s string, e *event, limit int) []string {
	held := strings.Fields(s)
	without := func(id string) string {
		at := slices.Index(held, id)
		if at < 0 {
			return s
		}
		return strings.Join(slices.Delete(slices.Clone(held), at, at+1), " ")
	}
	with := func(id string) string {
		all := append(slices.Clone(held), id)
		slices.Sort(all)
		return strings.Join(all, " ")
	}
	has := func(id string) bool { return slices.Contains(held, id) }
	switch {
	case e.what == "take" && e.result == done:
		return when(len(held) < limit, with(e.out))
	case e.what == "take" && e.result == refused:
		return when(len(held) >= limit, s)
	case e.what == "take" && len(held) < limit:
		return []string{with(hidden), s}
	case e.what == "give" && has(e.value):
		if e.result == unknown {
			return []string{without(e.value), s}
		}
		return when(e.result == done, without(e.value))
	case e.what == "give" && has(hidden) && e.result != refused:
		if e.result == unknown {
			return []string{without(hidden), s}
		}
		return []string{without(hidden)}
	case e.what == "give":
		return when(e.result != done, s)
	case e.what == "count":
		return when(strconv.Itoa(len(held)) == e.out, s)
	}
	return []string{s}
}

func when(ok bool, next ...string) []string {
	if !ok {
		return nil
	}
	return next
}

// checkTime is how long the checker may think about one key. What it cannot
// decide counts as wrong: a fault must not hide behind a long history.
const checkTime = 60 * time.Second

// impossible lists the keys whose history no sequence of operations explains.
func (h *history) impossible(limit int, lazy bool) []string {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var found []string
	room := make(chan struct{}, 2)
	for key, ops := range h.byKey() {
		wg.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			got := porcupine.CheckOperationsTimeout(model(key, limit, lazy), ops, checkTime)
			if got == porcupine.Ok {
				return
			}
			text := fmt.Sprintf("the history of %s is %s:", key, got)
			for _, op := range ops {
				e, _ := op.Input.(*event)
				text += "\n      " + e.text()
			}
			mu.Lock()
			defer mu.Unlock()
			found = append(found, text)
		})
	}
	wg.Wait()
	slices.Sort(found)
	return found
}

func (e *event) text() string {
	return fmt.Sprintf("%8.1f–%8.1f ms client %2d %s %s: %s %s", float64(e.call.Microseconds())/1e3, float64(e.back.Microseconds())/1e3,
		e.client, e.what, e.value, [...]string{"", "done", "refused", "unknown"}[e.result], e.out)
}
