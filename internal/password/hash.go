package password

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"
)

// ErrBusy says that too many passwords are being hashed: try again.
var ErrBusy = errors.New("password: too many hashes at once")

// ErrFormat says that a stored hash is not one this package can compare with.
var ErrFormat = errors.New("password: not an argon2id hash within the bounds")

// Cost is what one hash takes.
type Cost struct {
	Memory  uint32 // KiB
	Time    uint32 // passes
	Threads uint8
}

// Today is what new hashes cost unless Config says otherwise: 19 MiB, two passes,
// one thread (security P2).
func Today() Cost { return Cost{Memory: 19 << 10, Time: 2, Threads: 1} }

// The bounds of stored hashes: what is beyond them was not made for signing in,
// and would only cost.
const (
	maxMemory  = 256 << 10 // KiB
	maxTime    = 16
	maxThreads = 16
	maxEncoded = 256 // characters of a PHC string

	saltSize = 16
	keySize  = 32
)

// Config is what a Hasher needs.
type Config struct {
	Rand  io.Reader     // cryptographic randomness; required
	Cost  Cost          // of new hashes; zero is Today
	Slots int           // hashes at a time; 0 is twice the processors
	Wait  time.Duration // for a slot, at most; 0 is 500 ms
}

// Hasher makes and compares hashes. It is safe for concurrent use.
type Hasher struct {
	random io.Reader
	cost   Cost
	wait   time.Duration
	slots  chan struct{}
	nobody phc
	runs   atomic.Int64
}

// New makes a Hasher.
func New(c Config) (*Hasher, error) {
	if c.Rand == nil {
		return nil, errors.New("password: Config.Rand is required")
	}
	if c.Cost == (Cost{}) {
		c.Cost = Today()
	}
	if !c.Cost.sane() {
		return nil, fmt.Errorf("password: the cost %+v is out of bounds", c.Cost)
	}
	if c.Slots <= 0 {
		c.Slots = 2 * runtime.GOMAXPROCS(0)
	}
	if c.Wait <= 0 {
		c.Wait = 500 * time.Millisecond
	}
	h := &Hasher{random: c.Rand, cost: c.Cost, wait: c.Wait, slots: make(chan struct{}, c.Slots)}
	h.nobody = phc{cost: c.Cost, salt: make([]byte, saltSize), key: make([]byte, keySize)}
	for _, b := range [][]byte{h.nobody.salt, h.nobody.key} {
		if _, err := io.ReadFull(c.Rand, b); err != nil {
			return nil, fmt.Errorf("password: %w", err)
		}
	}
	return h, nil
}

// sane reports whether a cost is within the bounds (RFC 9106 §3.1 from below).
func (c Cost) sane() bool {
	return c.Time >= 1 && c.Time <= maxTime && c.Threads >= 1 && c.Threads <= maxThreads &&
		c.Memory >= 8*uint32(c.Threads) && c.Memory <= maxMemory
}

// Hash makes the PHC string of a password. The password is one that Check passed.
// Errors: ErrBusy, ctx's.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	text, ok := normal(password)
	if !ok {
		return "", errors.New("password: it is too long to be hashed")
	}
	out := phc{cost: h.cost, salt: make([]byte, saltSize), key: make([]byte, keySize)}
	if _, err := io.ReadFull(h.random, out.salt); err != nil {
		return "", fmt.Errorf("password: %w", err)
	}
	var err error
	out.key, err = h.compute(ctx, &out, text)
	if err != nil {
		return "", err
	}
	return out.String(), nil
}

// Verify compares a password with a PHC string; with "" it is that of nobody,
// which costs as much and never matches (security P3). Errors: ErrBusy, ErrFormat,
// ctx's.
func (h *Hasher) Verify(ctx context.Context, encoded, password string) (bool, error) {
	p := h.nobody
	if encoded != "" {
		var err error
		if p, err = parse(encoded); err != nil {
			return false, err
		}
	}
	text, ok := normal(password)
	if !ok {
		return false, nil // no such password was ever set, whoever asks
	}
	key, err := h.compute(ctx, &p, text)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(key, p.key) == 1 && encoded != "", nil
}

// Stale reports whether a hash was made at a lower cost than new ones are, so that
// it should be made again.
func (h *Hasher) Stale(encoded string) bool {
	p, err := parse(encoded)
	return err == nil && (p.cost.Memory < h.cost.Memory || p.cost.Time < h.cost.Time || len(p.key) < keySize || len(p.salt) < saltSize)
}

// Runs counts how many hashes were computed.
func (h *Hasher) Runs() int64 { return h.runs.Load() }

// compute hashes a normalised password, in one of the slots.
func (h *Hasher) compute(ctx context.Context, p *phc, text string) ([]byte, error) {
	wait, cancel := context.WithTimeout(ctx, h.wait)
	defer cancel()
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-wait.Done():
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return nil, ErrBusy
	}
	h.runs.Add(1)
	return argon2.IDKey([]byte(text), p.salt, p.cost.Time, p.cost.Memory, p.cost.Threads, uint32(len(p.key))), nil
}

// phc is a hash with everything that it was made by.
type phc struct {
	cost      Cost
	salt, key []byte
}

// String gives the PHC string.
func (p *phc) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.cost.Memory, p.cost.Time, p.cost.Threads, b64.EncodeToString(p.salt), b64.EncodeToString(p.key))
}

// parse reads a PHC string of argon2id, version 19. What it accepts is written as
// String writes it.
func parse(encoded string) (p phc, err error) {
	parts := strings.Split(encoded, "$")
	if len(encoded) > maxEncoded || len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v=19" {
		return phc{}, ErrFormat
	}
	params := strings.Split(parts[3], ",")
	if len(params) != 3 {
		return phc{}, ErrFormat
	}
	var n [3]uint64
	for i, name := range []string{"m=", "t=", "p="} {
		digits, ok := strings.CutPrefix(params[i], name)
		if n[i], err = strconv.ParseUint(digits, 10, 31); !ok || err != nil {
			return phc{}, ErrFormat
		}
	}
	if n[2] > maxThreads {
		return phc{}, ErrFormat
	}
	p.cost = Cost{Memory: uint32(n[0]), Time: uint32(n[1]), Threads: uint8(n[2])}
	var errSalt, errKey error
	p.salt, errSalt = base64.RawStdEncoding.DecodeString(parts[4])
	p.key, errKey = base64.RawStdEncoding.DecodeString(parts[5])
	if errSalt != nil || errKey != nil || !p.cost.sane() || len(p.salt) < 8 || len(p.salt) > 64 || len(p.key) < 16 || len(p.key) > 64 || p.String() != encoded {
		return phc{}, ErrFormat
	}
	return p, nil
}
