package resources_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
)

// register notes who holds what there is one of: an act notes its holder after
// it has it, and takes the note back before giving it up. Two at once are two
// holders.
type register struct {
	mu      sync.Mutex
	holder  string
	entered int
	faults  []string
}

func (r *register) enter(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.holder != "" {
		r.faults = append(r.faults, id+" has what "+r.holder+" has")
	}
	r.holder = id
	r.entered++
}

func (r *register) leave(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.holder == id {
		r.holder = ""
	}
}

// TestNumberOnce: 50 clients want one number and one extension, create, delete
// and create again, and one reply in twenty is lost: never two holders, and who
// is created again has another id (security L2, BR-195, BR-200).
func TestNumberOnce(t *testing.T) {
	t.Run("embedded", func(t *testing.T) { numberOnce(t, newBundle(t, ""), func() {}) })
	t.Run("lost replies", func(t *testing.T) {
		underHarm(t, "number.", 20, numberOnce)
	})
}

func numberOnce(t *testing.T, b *bundle, harm func()) {
	p := newPhones(t, b, b.a)
	p.stock(p.paris, paris1)
	var numbers, extensions register
	var ids sync.Map
	var clients sync.WaitGroup
	for i := range 50 {
		clients.Go(func() {
			name := fmt.Sprint("client", i)
			for range 6 {
				harm()
				rec, err := p.CreateUser(t.Context(), p.idp, p.document(name, `"location":"Paris","phoneNumber":"+33142685301","extension":"3211"`))
				if err != nil { // it may be there, or not
					p.forget(name, err)
					continue
				}
				if _, seen := ids.LoadOrStore(rec.ID, true); seen {
					t.Errorf("the id %s came twice", rec.ID)
				}
				c := resources.StandingOf(rec).Calling
				if c.Number != "" {
					numbers.enter(rec.ID)
				}
				if c.Extension != "" {
					extensions.enter(rec.ID)
				}
				time.Sleep(time.Duration(rand.IntN(3)) * time.Millisecond)
				numbers.leave(rec.ID)
				extensions.leave(rec.ID)
				if err := p.DeleteUser(t.Context(), p.idp, rec.ID, nil); err != nil {
					p.forget(name, err)
				}
			}
		})
	}
	clients.Wait()
	for what, r := range map[string]*register{"number": &numbers, "extension": &extensions} {
		if len(r.faults) > 0 || r.entered < 2 {
			t.Errorf("the %s had %d holders: %v", what, r.entered, r.faults)
		}
	}
	p.work()
	audit(t, b)
}

// forget deletes whoever has a name, as a client does who was not told what came
// of an act.
func (p *phones) forget(name string, err error) {
	if !errors.Is(err, resources.ErrUnavailable) {
		p.t.Error(err)
		return
	}
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	for err != nil && ctx.Err() == nil {
		var id string
		if id, err = p.store.Named(ctx, p.idp.Org, resources.UserName, resources.UserName.Key(name)); err == nil && id != "" {
			if err = p.DeleteUser(ctx, p.idp, id, nil); resources.HasCode(err, resources.CodeNotFound) {
				err = nil
			}
		}
	}
	if err != nil {
		p.t.Error(err)
	}
}

// TestOneInventory: two organizations add one number at once, again and again:
// exactly one has it.
func TestOneInventory(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		p, q := newPhones(t, b, b.a), newPhones(t, b, b.b)
		for range 10 {
			var got atomic.Int64
			var owner atomic.Pointer[phones]
			var both sync.WaitGroup
			for _, o := range []*phones{p, q, p, q} {
				both.Go(func() {
					rows, err := o.AddNumbers(t.Context(), o.admin, "Paris", []string{paris2, paris1, paris3}, false)
					if err != nil {
						t.Error(err)
						return
					}
					if rows[1].Code == "" && rows[1].Detail == "" {
						got.Add(1)
						owner.Store(o)
					}
				})
			}
			both.Wait()
			if got.Load() != 1 {
				t.Fatalf("%d organizations added the number", got.Load())
			}
			o := owner.Load()
			if err := o.DeleteNumber(t.Context(), o.admin, paris1); err != nil {
				t.Fatal(err)
			}
			for _, o := range []*phones{p, q} {
				for _, e := range []string{paris2, paris3} {
					if err := o.DeleteNumber(t.Context(), o.admin, e); err != nil && !resources.HasCode(err, resources.CodeNotFound) {
						t.Fatal(err)
					}
				}
			}
		}
		audit(t, b)
	})
}

// TestAutoRace: many users at once get different numbers and extensions, as many
// as there are.
func TestAutoRace(t *testing.T) {
	onBoth(t, func(t *testing.T, b *bundle) {
		const users, stock = 60, 40
		p := newPhones(t, b, b.a)
		p.settings(func(s *resources.Settings) {
			s.AutoNumber, s.AutoExtension, s.DefaultLocation = true, true, p.paris.ID
		})
		var list []string
		for i := range stock {
			list = append(list, fmt.Sprintf("+331426853%02d", i))
		}
		p.stock(p.paris, list...)
		var mu sync.Mutex
		numbers, extensions := map[string]bool{}, map[string]bool{}
		var all sync.WaitGroup
		for i := range users {
			all.Go(func() {
				rec := p.createPatiently(fmt.Sprint("u", i))
				if rec == nil {
					return
				}
				c := resources.StandingOf(rec).Calling
				mu.Lock()
				defer mu.Unlock()
				if numbers[c.Number] && c.Number != "" || extensions[c.Extension] || c.Extension == "" || c.Temporary != (c.Number == "") {
					t.Errorf("%+v is not good", c)
				}
				numbers[c.Number], extensions[c.Extension] = true, true
			})
		}
		all.Wait()
		p.work()
		if delete(numbers, ""); len(extensions) != users {
			t.Errorf("%d numbers and %d extensions", len(numbers), len(extensions))
		}
		if _, _, available, err := p.Numbers(t.Context(), p.admin, resources.NumberQuery{}); err != nil || available != 0 {
			t.Errorf("%d numbers are left, %v", available, err)
		}
		audit(t, b)
	})
}

// createPatiently creates a user who calls, as clients do who are told to come
// again.
func (p *phones) createPatiently(name string) *resources.Record {
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	for {
		rec, err := p.CreateUser(ctx, p.idp, p.document(name, ""))
		if !errors.Is(err, resources.ErrUnavailable) || ctx.Err() != nil {
			if err != nil {
				p.t.Error(err)
			}
			return rec
		}
	}
}
