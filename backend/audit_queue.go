package backend

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"
)

// queue checks that tries are of items on the list, and that every parked item
// has its cause and every cause its item.
func (a *audit) queue(ctx context.Context) error {
	k := a.f.keys
	has := func(list, item string) (bool, error) {
		err := a.f.client.ZScore(ctx, list, item).Err()
		if errors.Is(err, redis.Nil) {
			return false, nil
		}
		return err == nil, explain(ctx, "audit", err)
	}
	var failed error
	each := func(hash, list, fault string) error {
		return a.hash(ctx, hash, func(item, _ string) {
			there, err := has(list, item)
			failed = errors.Join(failed, err)
			if err == nil && !there {
				a.fault(fault, item)
			}
		})
	}
	err := errors.Join(
		each(k.tries(), k.due(), "there are tries of the item %s, which is not on the list"),
		each(k.causes(), k.parked(), "there is a cause of the item %s, which is not parked"),
	)
	if err = errors.Join(err, failed); err != nil {
		return err
	}
	parked, err := a.f.client.ZRange(ctx, k.parked(), 0, -1).Result()
	if err != nil {
		return explain(ctx, "audit", err)
	}
	for _, item := range parked {
		there, err := a.f.client.HExists(ctx, k.causes(), item).Result()
		if err != nil {
			return explain(ctx, "audit", err)
		}
		if !there {
			a.fault("the parked item %s has no cause", item)
		}
	}
	return nil
}
