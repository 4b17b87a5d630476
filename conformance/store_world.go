package conformance

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/usher-scim/usher/resources"
)

// world is a store under check with one fresh organization.
type world struct {
	StoreEnv
	ctx context.Context
	org resources.OrgID
}

func newWorld(ctx context.Context, env StoreEnv) *world {
	return &world{StoreEnv: env, ctx: ctx, org: env.Org()}
}

// inWorld makes a check's function out of one over a world.
func inWorld(fn func(*world) error) func(context.Context, StoreEnv) error {
	return func(ctx context.Context, env StoreEnv) error { return fn(newWorld(ctx, env)) }
}

// thing is a record with what it is indexed under.
type thing struct {
	rec     *resources.Record
	entries []resources.Entry
}

func (w *world) newID(kind resources.Kind) (string, error) {
	return resources.NewID(kind, w.Now(), rand.Reader)
}

// user makes a user that is not stored yet. The profile is long enough to be
// worth packing.
func (w *world) user(name string) (thing, error) {
	id, err := w.newID(resources.KindUser)
	if err != nil {
		return thing{}, err
	}
	ms := w.Now().UnixMilli()
	profile := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":%q,"userName":%q,`+
		`"emails":[{"value":"%s@example.com","type":"work","primary":true}],"active":true}`, id, name, name)
	return thing{
		rec: &resources.Record{Kind: resources.KindUser, ID: id, Version: 1, Created: ms, Modified: ms, Display: name, Profile: []byte(profile)},
		entries: []resources.Entry{
			{Index: resources.UserAll, Value: id},
			{Index: resources.UserName, Value: resources.UserName.Key(name)},
			{Index: resources.UserNameOrder, Value: resources.UserNameOrder.Key(name)},
			{Index: resources.UserModified, Time: ms},
		},
	}, nil
}

func (w *world) group(name string) (thing, error) {
	id, err := w.newID(resources.KindGroup)
	if err != nil {
		return thing{}, err
	}
	ms := w.Now().UnixMilli()
	return thing{
		rec: &resources.Record{Kind: resources.KindGroup, ID: id, Version: 1, Created: ms, Modified: ms, Display: name, Profile: fmt.Appendf(nil, `{"displayName":%q}`, name)},
		entries: []resources.Entry{
			{Index: resources.GroupAll, Value: id},
			{Index: resources.GroupName, Value: resources.GroupName.Key(name)},
			{Index: resources.GroupNameOrder, Value: resources.GroupNameOrder.Key(name)},
			{Index: resources.GroupModified, Time: ms},
		},
	}, nil
}

// update is Store.Update without the inner context.
func (w *world) update(fn func(tx resources.Tx) error) (resources.Commit, error) {
	return w.Store.Update(w.ctx, w.org, func(_ context.Context, tx resources.Tx) error { return fn(tx) })
}

// do is update for closures that cannot fail.
func (w *world) do(fn func(tx resources.Tx)) error {
	_, err := w.update(func(tx resources.Tx) error { fn(tx); return nil })
	return err
}

// create stores things in one commit.
func (w *world) create(things ...thing) error {
	return w.do(func(tx resources.Tx) {
		for _, x := range things {
			tx.Put(nil, x.rec, nil, x.entries)
		}
	})
}

// users makes and stores n users named <prefix><i>.
func (w *world) users(prefix string, n int) ([]thing, error) {
	out := make([]thing, n)
	for i := range out {
		u, err := w.user(fmt.Sprintf("%s%d", prefix, i))
		if err != nil {
			return nil, err
		}
		out[i] = u
	}
	for part := range slices.Chunk(out, 100) {
		if err := w.create(part...); err != nil {
			return nil, fmt.Errorf("create users: %w", err)
		}
	}
	return out, nil
}

// team makes and stores one group and n users outside it.
func (w *world) team(n int) (thing, []thing, error) {
	g, err := w.group("team")
	if err != nil {
		return thing{}, nil, err
	}
	if err := w.create(g); err != nil {
		return thing{}, nil, fmt.Errorf("create group: %w", err)
	}
	users, err := w.users("member", n)
	return g, users, err
}

func (w *world) get(x thing) (*resources.Record, error) {
	return w.Store.Get(w.ctx, w.org, x.rec.Kind, x.rec.ID)
}

// mustGet is get for records that must be there.
func (w *world) mustGet(x thing) (*resources.Record, error) {
	rec, err := w.get(x)
	if err == nil && rec == nil {
		err = fmt.Errorf("the %s %s is not there", x.rec.Kind, x.rec.Display)
	}
	return rec, err
}

// rewrite stores a new version of a thing under a new name.
func (w *world) rewrite(x thing, name string) (thing, error) {
	next, err := w.user(name)
	if err != nil {
		return x, err
	}
	rec := *next.rec
	rec.ID = x.rec.ID
	next.entries[0].Value = x.rec.ID
	_, err = w.update(func(tx resources.Tx) error {
		before, err := tx.Read(x.rec.Kind, x.rec.ID)
		if err != nil {
			return err
		}
		if before == nil {
			return errors.New("the record to rewrite is not there")
		}
		rec.Version, rec.Created = before.Version+1, before.Created
		tx.Put(before, &rec, x.entries, next.entries)
		return nil
	})
	return thing{&rec, next.entries}, err
}

// refused tells whether err is a refusal for the reason, and gives it.
func refused(err error, reason resources.Reason) (*resources.Refusal, error) {
	var r *resources.Refusal
	if !errors.As(err, &r) {
		return nil, saw(err, "want a refusal")
	}
	if r.Reason != reason {
		return nil, fmt.Errorf("want a refusal for reason %d: %w", reason, r)
	}
	return r, nil
}

// same compares what was stored with what is read.
func same(got, want *resources.Record) error {
	if got == nil {
		return errors.New("the record is not there")
	}
	if got.Kind != want.Kind || got.ID != want.ID || got.Version != want.Version || got.Created != want.Created ||
		got.Modified != want.Modified || got.Display != want.Display ||
		string(got.Profile) != string(want.Profile) || string(got.Standing) != string(want.Standing) {
		return fmt.Errorf("read %+v, stored %+v", got, want)
	}
	if len(got.Stamp) != 12 {
		return fmt.Errorf("the stamp is %q, want 12 characters", got.Stamp)
	}
	return nil
}

// together runs fn n times at once and gives the errors.
func together(n int, fn func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = fn(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

// members reads all members of a group in pieces.
func (w *world) members(group string, piece int) ([]string, error) {
	var ids []string
	for after := ""; ; {
		refs, err := w.Store.Members(w.ctx, w.org, group, after, piece)
		if err != nil {
			return nil, err
		}
		for _, r := range refs {
			ids = append(ids, r.ID)
			after = r.ID
		}
		if len(refs) < piece {
			return ids, nil
		}
	}
}

func idsOf(things []thing) []string {
	ids := make([]string, len(things))
	for i, x := range things {
		ids[i] = x.rec.ID
	}
	return ids
}

func sorted(ids []string) []string {
	out := slices.Clone(ids)
	slices.Sort(out)
	return out
}

func sameIDs(got, want []string) error {
	if slices.Equal(got, want) {
		return nil
	}
	return fmt.Errorf("got %d ids %s, want %d %s", len(got), firstIDs(got), len(want), firstIDs(want))
}

func firstIDs(ids []string) string {
	if len(ids) > 8 {
		return strings.Join(ids[:8], " ") + " …"
	}
	return strings.Join(ids, " ")
}
