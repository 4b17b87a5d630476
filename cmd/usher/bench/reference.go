package bench

import (
	"context"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

// reference answers the bare operations. It knows the key layout that package
// backend documents.
type reference struct {
	client *redis.Client
	org    string
	create recorded     // a commit of one user
	add    recorded     // a commit that adds one member
	remove recorded     // a commit that removes it
	next   atomic.Int64 // numbers of users that R3 makes
}

// eqScript is the least an equality look-up can do in one round trip.
const eqScript = `local id = redis.call('HGET', KEYS[1], ARGV[1]) if not id then return false end return redis.call('GET', ARGV[2] .. id)`

// key names the plain JSON of a user, stored for the references only: a bare
// handler serves what it finds, without unpacking anything.
func (r *reference) key(id string) string { return "bare:{" + r.org + "}:" + id }

// copyUsers stores the plain JSON of users for the references.
func (r *reference) copyUsers(ctx context.Context, d *data) error {
	const piece = 1000
	for from := 0; from < len(d.users); from += piece {
		pipe := r.client.Pipeline()
		for i := from; i < min(from+piece, len(d.users)); i++ {
			pipe.Set(ctx, r.key(d.users[i]), userJSON(d.first+i), 0)
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// forget removes what copyUsers has stored.
func (r *reference) forget(ctx context.Context, d *data) error {
	const piece = 1000
	for from := 0; from < len(d.users); from += piece {
		names := make([]string, 0, piece)
		for _, id := range d.users[from:min(from+piece, len(d.users))] {
			names = append(names, r.key(id))
		}
		if err := r.client.Unlink(ctx, names...).Err(); err != nil {
			return err
		}
	}
	return nil
}

func (r *reference) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	var err error
	switch op, rest, _ := strings.Cut(strings.TrimPrefix(req.URL.Path, "/"), "/"); op {
	case "r1":
		err = r.one(w, req, rest)
	case "r3":
		err = r.commit(w, req, r.freshUser())
	case "r4":
		err = r.page(w, req, rest)
	case "r5":
		err = r.equal(w, req, rest)
	case "r6add":
		err = r.commit(w, req, r.add.with(rest, attempt()))
	case "r6remove":
		err = r.commit(w, req, r.remove.with(rest, attempt()))
	default:
		w.WriteHeader(http.StatusNotFound)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// one is R1: one GET.
func (r *reference) one(w http.ResponseWriter, req *http.Request, id string) error {
	body, err := r.client.Get(req.Context(), r.key(id)).Bytes()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/scim+json")
	_, err = w.Write(body)
	return err
}

// page is R4: the ids of a page and their records.
func (r *reference) page(w http.ResponseWriter, req *http.Request, rank string) error {
	from, err := strconv.ParseInt(rank, 10, 64)
	if err != nil {
		return err
	}
	ids, err := r.client.ZRange(req.Context(), "uc:{"+r.org+"}", from, from+99).Result()
	if err != nil {
		return err
	}
	for i := range ids {
		ids[i] = r.key(ids[i])
	}
	values, err := r.client.MGet(req.Context(), ids...).Result()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/scim+json")
	for _, v := range values {
		if s, ok := v.(string); ok {
			if _, err := io.WriteString(w, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// equal is R5: a look-up by userName in one round trip.
func (r *reference) equal(w http.ResponseWriter, req *http.Request, name string) error {
	body, err := r.client.EvalSha(req.Context(), sha1Of(eqScript), []string{"un:{" + r.org + "}"}, name, r.key("")).Text()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/scim+json")
	_, err = io.WriteString(w, body)
	return err
}

// commit is R3 and R6: a recorded commit with other words in it. The request's
// body is read and thrown away, as nobody can do less.
func (r *reference) commit(w http.ResponseWriter, req *http.Request, args []any) error {
	if _, err := io.Copy(io.Discard, req.Body); err != nil {
		return err
	}
	if err := r.client.Do(req.Context(), args...).Err(); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// freshUser turns the recorded creation into one of a user there is not.
func (r *reference) freshUser() []any {
	n := int(r.next.Add(1))
	number := strconv.Itoa(1_000_000_000 + n)[2:]
	id := r.create.marks[markID]
	return r.create.with(id[:10]+number+id[18:], attempt(), number, claimHash(n))
}

func attempt() string { return strings.ToLower(rand.Text()[:12]) }

func claimHash(n int) string {
	key, _ := resources.EmailKey(userName(n)) // our own names are addresses
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:16])
}

func sha1Of(script string) string {
	sum := sha1.Sum([]byte(script)) //nolint:gosec // Redis names scripts by SHA-1
	return hex.EncodeToString(sum[:])
}

// recorded is a command with marks in it that are replaced by texts of the
// same length each time it is repeated.
type recorded struct {
	words []string
	marks []string
	where [][]int // for each word the marks it holds
}

// What the marks stand for, in order.
const (
	markID = iota
	markAttempt
	markNumber
	markClaim
)

// record takes a captured command; its attempt is the first argument after the
// keys.
func record(words []string, id string, more ...string) (recorded, error) {
	r := recorded{words: words}
	keys, err := strconv.Atoi(words[2])
	if err != nil {
		return r, fmt.Errorf("bench: captured command: %w", err)
	}
	r.marks = append([]string{id, words[3+keys]}, more...)
	r.where = make([][]int, len(words))
	for i, word := range words {
		for m, mark := range r.marks {
			if strings.Contains(word, mark) {
				r.where[i] = append(r.where[i], m)
			}
		}
	}
	return r, nil
}

// with makes the command with other texts in the places of the marks.
func (r *recorded) with(texts ...string) []any {
	out := make([]any, len(r.words))
	for i, word := range r.words {
		for _, m := range r.where[i] {
			word = strings.ReplaceAll(word, r.marks[m], texts[m])
		}
		out[i] = word
	}
	return out
}
