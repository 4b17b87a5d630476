package resources

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// How long a request of many steps is remembered, and how long another run of
// it waits for the first to write down how it began. The first has less time
// for that than its lead lasts.
const (
	journalKept  = 10 * time.Minute
	journalLead  = 10 * time.Second
	journalStart = 5 * time.Second
	journalPause = 20 * time.Millisecond
	journalTries = 100
)

const journalPurpose = "bulk"

// Journal is what is remembered of a request of many steps, so that sending it
// again after its answer was lost creates nothing twice: which id each
// step creates, and which steps were done. Not safe for concurrent use.
type Journal struct {
	// IDs are the ids of what the steps create; "" for a step that creates
	// nothing.
	IDs []string
	// Again tells that the request was begun before, within ten minutes.
	Again bool

	key string
	now journalEntry // as it is to be stored at the end
	was journalEntry // as it was found
}

// journalEntry is a journal as the vault keeps it.
type journalEntry struct {
	Began   int64          `json:"began"`             // milliseconds
	Written int64          `json:"written,omitempty"` // the same, when it was last stored
	Seed    []byte         `json:"seed"`              // the ids are made from it
	Ended   bool           `json:"ended,omitempty"`
	Done    []byte         `json:"done,omitempty"` // a bit for each step that was done
	Fresh   map[int]string `json:"fresh,omitempty"`
}

func (e *journalEntry) done(step int) bool {
	return step/8 < len(e.Done) && e.Done[step/8]&(1<<(step%8)) != 0
}

// Step is one step of a request: whether it creates a resource, and of which
// kind.
type Step struct {
	Creates bool
	Kind    Kind
}

// Begin opens the journal of a request. request names it among all requests of
// the caller's token, as a hash. A request that was seen before has the same
// ids, except for resources that have been deleted since: ids are never given
// twice.
func (d *Directory) Begin(ctx context.Context, c Caller, request [sha256.Size]byte, steps []Step) (*Journal, error) {
	mac := hmac.New(sha256.New, request[:])
	mac.Write([]byte(c.Token))
	j := &Journal{key: hex.EncodeToString(mac.Sum(nil)), IDs: make([]string, len(steps))}
	if err := d.openJournal(ctx, c.Org, j); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	began := time.UnixMilli(j.was.Began)
	var ids []string // that must be there still
	for i, s := range steps {
		if !s.Creates {
			continue
		}
		id, ok := j.was.Fresh[i]
		if !ok {
			var err error
			if id, err = NewID(s.Kind, began, stepBits(j.was.Seed, i)); err != nil {
				return nil, fmt.Errorf("make an id: %w", err)
			}
		}
		if j.IDs[i] = id; j.Done(i) {
			ids = append(ids, id)
		}
	}
	return j, d.renewGone(ctx, c.Org, j, steps, ids)
}

// stepBits are the bits of the id that a step creates.
func stepBits(seed []byte, step int) io.Reader {
	mac := hmac.New(sha256.New, seed)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(step)))
	return bytes.NewReader(mac.Sum(nil))
}

// openJournal finds how the request began, or begins it. Of many at once one
// writes the beginning and the others wait for it.
func (d *Directory) openJournal(ctx context.Context, org OrgID, j *Journal) error {
	for range journalTries {
		raw, err := d.vault.Peek(ctx, org, journalPurpose, j.key)
		if err != nil {
			return err
		}
		if raw != nil {
			if err := json.Unmarshal(raw, &j.was); err != nil {
				return fmt.Errorf("decode: %w", err)
			}
			j.Again, j.now = true, j.was
			if j.was.Ended {
				return nil
			}
			return d.vault.Put(ctx, org, journalPurpose+"-shared", j.key, []byte{1}, d.now().Add(journalKept))
		}
		if first, err := d.startJournal(ctx, org, j); first || err != nil {
			return err
		}
		pause := time.NewTimer(journalPause)
		select {
		case <-ctx.Done():
			pause.Stop()
			return ctx.Err()
		case <-pause.C:
		}
	}
	return fmt.Errorf("the same request does not get on: %w", ErrUnavailable)
}

// startJournal begins the request unless another run has just begun it. A client
// that goes away must not leave a beginning without its end.
func (d *Directory) startJournal(ctx context.Context, org OrgID, j *Journal) (first bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), journalStart)
	defer cancel()
	now := d.now()
	first, err = d.vault.Add(ctx, org, journalPurpose+"-lead", j.key, now.Add(journalLead))
	if err != nil || !first {
		return false, err
	}
	j.was = journalEntry{Began: now.UnixMilli(), Seed: make([]byte, sha256.Size)}
	if _, err := io.ReadFull(d.random, j.was.Seed); err != nil {
		return true, fmt.Errorf("make a seed: %w", err)
	}
	j.now = j.was
	return true, d.putJournal(ctx, org, j)
}

func (d *Directory) putJournal(ctx context.Context, org OrgID, j *Journal) error {
	j.now.Written = d.now().UnixMilli()
	raw, err := json.Marshal(&j.now)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	return d.vault.Put(ctx, org, journalPurpose, j.key, raw, d.now().Add(journalKept))
}

// renewGone gives fresh ids to the steps whose resource was created by an
// earlier run and is there no more.
func (d *Directory) renewGone(ctx context.Context, org OrgID, j *Journal, steps []Step, ids []string) error {
	there, err := d.stillThere(ctx, org, ids)
	if err != nil {
		return fmt.Errorf("look for what was created: %w", err)
	}
	j.now.Fresh = maps.Clone(j.was.Fresh)
	for i, s := range steps {
		if !s.Creates || !j.Done(i) || there[j.IDs[i]] {
			continue
		}
		// The same for every run that finds this, so that of several at once only
		// one creates.
		at := time.UnixMilli(max(j.was.Written, j.was.Began))
		bits := stepBits(append(slices.Clone(j.was.Seed), j.IDs[i]...), i)
		if j.IDs[i], err = NewID(s.Kind, at, bits); err != nil {
			return fmt.Errorf("make an id: %w", err)
		}
		j.renew(i, j.IDs[i])
	}
	return nil
}

// renew notes the id that a step has from now on.
func (j *Journal) renew(step int, id string) {
	if j.now.Fresh == nil {
		j.now.Fresh = make(map[int]string)
	}
	j.now.Fresh[step] = id
}

// Renew gives a step an id of its own for repetitions, because what it has
// created is no more.
func (d *Directory) Renew(j *Journal, step int, kind Kind) error {
	id, err := d.newID(kind, d.now())
	if err != nil {
		return err
	}
	j.renew(step, id)
	return nil
}

// stillThere tells which resources exist.
func (d *Directory) stillThere(ctx context.Context, org OrgID, ids []string) (map[string]bool, error) {
	there := make(map[string]bool, len(ids))
	if len(ids) == 0 {
		return there, nil
	}
	known, err := d.store.Exist(ctx, org, ids)
	if err != nil {
		return nil, err
	}
	for i, id := range ids {
		if there[id] = known[i]; known[i] {
			continue
		}
		if kind, ok := KindOf(id); ok && kind != KindUser && kind != KindGroup { // Exist does not know them
			rec, err := d.store.Get(ctx, org, kind, id)
			if err != nil {
				return nil, err
			}
			there[id] = rec != nil
		}
	}
	return there, nil
}

// Done reports whether an earlier run has finished and did this step, and what
// it created is there.
func (j *Journal) Done(step int) bool {
	if !j.Again || !j.was.Ended || !j.was.done(step) {
		return false
	}
	return j.now.Fresh[step] == j.was.Fresh[step]
}

// Gone reports whether a deletion that finds nothing has perhaps been done by
// another run: one that ended says so, one that was cut off or is still on its
// way may have.
func (d *Directory) Gone(ctx context.Context, c Caller, j *Journal, step int) (bool, error) {
	if j.Again && j.was.Ended {
		return j.was.done(step), nil
	}
	return d.Shared(ctx, c, j)
}

// Shared reports whether another run of the request may be on its way, or was
// cut off: what this one finds done, that one may have done.
func (d *Directory) Shared(ctx context.Context, c Caller, j *Journal) (bool, error) {
	if j.Again {
		return !j.was.Ended, nil
	}
	raw, err := d.vault.Peek(ctx, c.Org, journalPurpose+"-shared", j.key)
	if err != nil {
		return false, fmt.Errorf("look for another run: %w", err)
	}
	return raw != nil, nil
}

// End writes down which steps were done, for repetitions within ten minutes.
func (d *Directory) End(ctx context.Context, c Caller, j *Journal, done func(step int) bool) error {
	j.now.Ended, j.now.Done = true, make([]byte, (len(j.IDs)+7)/8)
	for i := range j.IDs {
		if done(i) || j.was.Ended && j.was.done(i) {
			j.now.Done[i/8] |= 1 << (i % 8)
		}
	}
	if err := d.putJournal(ctx, c.Org, j); err != nil {
		return fmt.Errorf("close journal: %w", err)
	}
	return nil
}
