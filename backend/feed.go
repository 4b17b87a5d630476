package backend

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

// Events implements resources.Store.
func (s *Store) Events(ctx context.Context, org resources.OrgID, after string, limit int) (events []resources.StoredEvent, err error) {
	defer s.observe("events", started(), &err)
	k, err := keysOf(org)
	if err != nil {
		return nil, err
	}
	from, err := beside(after, "-", "after")
	if err != nil || limit <= 0 {
		return nil, err
	}
	msgs, err := s.reads.XRangeN(ctx, k.events(), from, "+", int64(limit)).Result()
	if err != nil {
		return nil, explain(ctx, "read events", err)
	}
	return eventsOf(msgs)
}

// EventsBack implements resources.Store.
func (s *Store) EventsBack(ctx context.Context, org resources.OrgID, before string, limit int) (events []resources.StoredEvent, err error) {
	defer s.observe("events_back", started(), &err)
	k, err := keysOf(org)
	if err != nil {
		return nil, err
	}
	to, err := beside(before, "+", "before")
	if err != nil || limit <= 0 {
		return nil, err
	}
	msgs, err := s.reads.XRevRangeN(ctx, k.events(), to, "-", int64(limit)).Result()
	if err != nil {
		return nil, explain(ctx, "read events", err)
	}
	return eventsOf(msgs)
}

// beside is the bound that leaves out the event at a place; end is the bound
// when there is no place.
func beside(place, end, field string) (string, error) {
	if place == "" {
		return end, nil
	}
	if !isLSN(place) {
		return "", &resources.Error{Code: resources.CodeInvalidValue, Field: field, Detail: "The place in the stream is not one that usher gave out; use the id of an event, or nothing for the beginning."}
	}
	return "(" + place, nil
}

func eventsOf(msgs []redis.XMessage) ([]resources.StoredEvent, error) {
	events := make([]resources.StoredEvent, len(msgs))
	for i, m := range msgs {
		text, _ := m.Values["e"].(string)
		events[i].LSN, events[i].When = m.ID, timeOfLSN(m.ID)
		if err := json.Unmarshal([]byte(text), &events[i].Event); err != nil {
			return nil, fmt.Errorf("backend: event %s: %w: %w", m.ID, errDamaged, err)
		}
	}
	return events, nil
}

// timeOfLSN is the time inside "<milliseconds>-<number>".
func timeOfLSN(lsn string) time.Time {
	ms, _, _ := strings.Cut(lsn, "-")
	n, err := strconv.ParseInt(ms, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}

// isLSN accepts "<milliseconds>-<number>".
func isLSN(v string) bool {
	ms, n, ok := strings.Cut(v, "-")
	if !ok {
		return false
	}
	_, err1 := strconv.ParseUint(ms, 10, 64)
	_, err2 := strconv.ParseUint(n, 10, 64)
	return err1 == nil && err2 == nil
}

// StreamLength counts the events in the streams of all organizations, for
// metrics.
func (s *Store) StreamLength(ctx context.Context) (total int64, err error) {
	defer s.observe("streams", started(), &err)
	k, err := keysOf(resources.PlatformOrg)
	if err != nil {
		return 0, err
	}
	orgs, err := s.scans.ZRange(ctx, k.index(resources.OrgAll), 0, -1).Result()
	if err != nil {
		return 0, explain(ctx, "read organizations", err)
	}
	for chunk := range slices.Chunk(append(orgs, string(resources.PlatformOrg)), chunkSize) {
		pipe := s.scans.Pipeline()
		counts := make([]*redis.IntCmd, 0, len(chunk))
		for _, org := range chunk {
			of, err := keysOf(resources.OrgID(org))
			if err != nil {
				return 0, err
			}
			counts = append(counts, pipe.XLen(ctx, of.events()))
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return 0, explain(ctx, "read streams", err)
		}
		for _, n := range counts {
			total += n.Val()
		}
	}
	return total, nil
}
