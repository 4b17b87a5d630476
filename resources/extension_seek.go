package resources

import (
	"context"
	"sync"
)

// seekExtension looks for a free extension of a location from first on, and past
// the last from the beginning. choose gets the free ones of a stretch, in order,
// and gives one of them or "" to go on. The result is "" when none is left.
func (d *Directory) seekExtension(ctx context.Context, org OrgID, l *Location, first string, choose func(free []string) string) (string, error) {
	for skip, n := 0, 16; ; n = min(2*n, 256) {
		list, done := extensionsFrom(first, l.Country, skip, n)
		holders, err := d.extensionHolders(ctx, org, l.ID, list)
		if err != nil {
			return "", err
		}
		free := list[:0:0]
		for _, x := range list {
			if holders[x] == "" {
				free = append(free, x)
			}
		}
		if len(free) > 0 {
			if x := choose(free); x != "" {
				return x, nil
			}
		}
		if done || skip >= seekMost {
			return "", nil
		}
		skip = skipPast(first, list[len(list)-1])
	}
}

// seekMost bounds how many extensions are looked at for one user.
const seekMost = 20_000

// skipPast is how far behind first the extension after last stands.
func skipPast(first, last string) int {
	size, from, to := 1, 0, 0
	for i := range first {
		size, from, to = size*10, from*10+int(first[i]-'0'), to*10+int(last[i]-'0')
	}
	return (to-from+size)%size + 1
}

// extensionHolders tells which of a location's extensions somebody has: the ids
// of users by extension.
func (d *Directory) extensionHolders(ctx context.Context, org OrgID, location string, list []string) (map[string]string, error) {
	if len(list) == 0 {
		return nil, nil
	}
	where := Cond{Op: CondOr, Subs: make([]Cond, len(list))}
	for i, x := range list {
		where.Subs[i] = Cond{Op: CondIs, Index: UserKey, Value: placeXT(location, x)}
	}
	page, err := d.store.Find(ctx, org, Query{Kind: KindUser, Where: &where, Limit: len(list), NoGroups: true, Budget: d.budget})
	if err != nil {
		return nil, err
	}
	out := make(map[string]string, len(page.Records))
	for _, rec := range page.Records {
		if c := StandingOf(rec).Calling; c != nil && c.Location == location {
			out[c.Extension] = rec.ID
		}
	}
	return out, nil
}

// vacancies remembers where free extensions of locations were found last, so
// that not everybody looks through those that are taken. It is only ever where
// to begin. The zero value is ready for use.
type vacancies struct {
	mu  sync.Mutex
	all map[string]string
}

const vacanciesKept = 10_000

// first is where to begin at a location: the extension found last, if it has as
// many digits as the given one.
func (v *vacancies) first(org OrgID, location, otherwise string) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if x := v.all[string(org)+location]; len(x) == len(otherwise) {
		return x
	}
	return otherwise
}

func (v *vacancies) note(org OrgID, location, extension string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.all == nil || len(v.all) >= vacanciesKept {
		v.all = make(map[string]string)
	}
	v.all[string(org)+location] = extension
}
