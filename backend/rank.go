package backend

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// rankTries is how often a page is read by rank before it is read by key, which
// nothing can move but which costs its offset.
const rankTries = 4

// ranked reads the page of a span that was first placed at rank first and n long.
// Whoever writes a record that stands before the span moves it, so the entries
// and the place of the span are read in one transaction, again until they agree:
// a page must not hold what does not match, nor lack what does.
func (f *finder) ranked(ctx context.Context, sp span, first, n int) (total int, entries []string, err error) {
	for range rankTries {
		from, to := f.window(n)
		if from == to {
			return n, nil, nil
		}
		tx := f.client.TxPipeline()
		page := tx.ZRange(ctx, sp.key, int64(first+from), int64(first+to-1))
		count, before := sp.placed(ctx, tx)
		if _, err := tx.Exec(ctx); err != nil {
			return 0, nil, explain(ctx, "find", err)
		}
		first2, n2 := rankOf(before), int(count.Val())
		if first2 == first && n2 == n {
			return n, page.Val(), nil
		}
		first, n = first2, n2
	}
	from, to := f.window(n)
	if from == to {
		return n, nil, nil
	}
	entries, err = f.client.ZRangeArgs(ctx, redis.ZRangeArgs{
		Key: sp.key, Start: sp.min, Stop: sp.max, ByLex: !sp.timed(), ByScore: sp.timed(), Offset: int64(from), Count: int64(to - from),
	}).Result()
	return n, entries, explain(ctx, "find", err)
}
