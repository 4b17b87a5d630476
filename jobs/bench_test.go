package jobs

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/usher-scim/usher/internal/redistest"
	"github.com/usher-scim/usher/resources"
)

// BenchmarkRunner is the rate of items each of which reads a user and its groups
// and writes the user again, on a real server: the target is 5000 a second.
func BenchmarkRunner(b *testing.B) {
	w := newWorld(b, redistest.Start(b))
	const org = resources.OrgID("bench")
	w.org(org)
	profile := []byte(`{"userName":"somebody@example.com","name":{"givenName":"Some","familyName":"Body"},"active":true}`)
	items := make([]string, 0, 250)
	ctx := context.Background()
	for made := 0; made < b.N; made += len(items) {
		items = items[:0]
		_, err := w.store.Update(ctx, org, func(_ context.Context, tx resources.Tx) error {
			for range min(cap(items), b.N-made) {
				id, err := resources.NewID(resources.KindUser, time.Now(), rand.Reader)
				if err != nil {
					return err
				}
				tx.Put(nil, &resources.Record{Kind: resources.KindUser, ID: id, Version: 1, Profile: profile}, nil,
					[]resources.Entry{{Index: resources.UserAll, Value: id}})
				tx.Due("u"+id, time.Now())
				items = append(items, "u"+id)
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	r := w.runner()
	r.Log = slog.New(slog.DiscardHandler)
	r.Work = func(ctx context.Context, l resources.Lease, item resources.DueItem) error {
		_, err := w.store.Update(ctx, l.Org, func(_ context.Context, tx resources.Tx) error {
			id := item.Item[1:]
			rec, err := tx.Read(resources.KindUser, id)
			if err != nil || rec == nil {
				return errors.Join(err, errors.New("no such user"))
			}
			if _, err := tx.GroupsOf(id); err != nil {
				return err
			}
			next := *rec
			next.Version++
			all := []resources.Entry{{Index: resources.UserAll, Value: id}}
			tx.Put(rec, &next, all, all)
			tx.Event(resources.Event{Type: "user.updated", Kind: resources.KindUser, ID: id})
			tx.Undue(item)
			tx.Fence(l)
			return nil
		})
		return err
	}
	b.ResetTimer()
	stop := w.start(r)
	w.empty(10*time.Minute, org)
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "items/s")
	stop()
}
