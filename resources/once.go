package resources

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// How long a request with a key is remembered, how long one run of it keeps
// others away, and how long writing down may take. Nobody works on a request
// for as long as the lead lasts.
const (
	onceKept  = 24 * time.Hour
	onceLead  = 30 * time.Second
	onceWrite = 5 * time.Second
)

const oncePurpose = "once"

// Repeatable is a request that its sender may send again, because it named it
// with a key (Idempotency-Key).
type Repeatable struct {
	Key     string            // the sender's
	Request [sha256.Size]byte // a hash of everything that the sender asked for
	Secret  string            // the text of the sender's credential: what is remembered is sealed with it, and it is kept nowhere
}

// Once is one run of a [Repeatable] request.
type Once struct {
	Answer []byte // what an earlier run answered; nil: the request is to be done

	name  string // in the vault
	seal  cipher.AEAD
	entry onceEntry
}

// onceEntry is what is remembered of a request, sealed.
type onceEntry struct {
	Began   int64  `json:"began"` // milliseconds: the time inside the ids of what it creates
	Seed    []byte `json:"seed"`  // these ids are made from it
	Request []byte `json:"request"`
	Answer  []byte `json:"answer,omitempty"`
}

// BeginOnce opens a request with a key. The ids of what it creates are fixed
// before anything is done (see [Once.ID]), so that a run which is cut off
// between its commit and [Directory.EndOnce] does not create twice when it is
// repeated. Keys belong to the caller's token. Codes: idempotency_key_reused
// for a key that came with another request, request_in_flight while another run
// of it goes on.
func (d *Directory) BeginOnce(ctx context.Context, c Caller, r Repeatable) (*Once, error) {
	o, err := newOnce(c, r)
	if err != nil {
		return nil, err
	}
	known, err := d.recallOnce(ctx, c.Org, o, r)
	if err != nil || known && o.Answer != nil {
		return o, err
	}
	first, err := d.vault.Add(ctx, c.Org, oncePurpose+"-run", o.name, d.now().Add(onceLead))
	if err != nil {
		return nil, fmt.Errorf("open a request with a key: %w", err)
	}
	if !first {
		return nil, &Error{Code: CodeKeyBusy, Field: "Idempotency-Key", Detail: "The first request with this Idempotency-Key is still being worked on; send it again in a few seconds to get its answer."}
	}
	// Another run may have ended in between.
	if known, err = d.recallOnce(ctx, c.Org, o, r); err == nil && !known {
		err = d.startOnce(ctx, c.Org, o, r)
	}
	if err != nil || o.Answer != nil {
		return o, errors.Join(err, d.leaveOnce(ctx, c, o))
	}
	return o, nil
}

// newOnce makes the keys of a request: its name in the vault, and the one that
// what is remembered of it is sealed with.
func newOnce(c Caller, r Repeatable) (*Once, error) {
	name := sha256.Sum256([]byte(c.Token + "\x00" + r.Key))
	mac := hmac.New(sha256.New, []byte(r.Secret))
	mac.Write([]byte("once\x00"))
	mac.Write(name[:])
	block, err := aes.NewCipher(mac.Sum(nil))
	if err != nil {
		return nil, fmt.Errorf("seal a request: %w", err)
	}
	seal, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("seal a request: %w", err)
	}
	return &Once{name: hex.EncodeToString(name[:]), seal: seal}, nil
}

// recallOnce reads what is remembered of a request, and reports whether it is
// anything.
func (d *Directory) recallOnce(ctx context.Context, org OrgID, o *Once, r Repeatable) (bool, error) {
	raw, err := d.vault.Peek(ctx, org, oncePurpose, o.name)
	if err != nil {
		return false, fmt.Errorf("recall a request with a key: %w", err)
	}
	if raw == nil {
		return false, nil
	}
	size := o.seal.NonceSize()
	if len(raw) < size {
		return false, fmt.Errorf("recall a request with a key: %d bytes are too few", len(raw))
	}
	text, err := o.seal.Open(nil, raw[:size], raw[size:], []byte(o.name))
	if err != nil {
		return false, fmt.Errorf("open what was sealed for a request: %w", err)
	}
	if err := json.Unmarshal(text, &o.entry); err != nil {
		return false, fmt.Errorf("decode a request with a key: %w", err)
	}
	if !hmac.Equal(o.entry.Request, r.Request[:]) {
		return false, &Error{Code: CodeKeyReused, Field: "Idempotency-Key", Detail: "This Idempotency-Key came with another request within the last 24 hours; use a new key for every new request."}
	}
	o.Answer = o.entry.Answer
	return true, nil
}

// startOnce writes down how a request begins.
func (d *Directory) startOnce(ctx context.Context, org OrgID, o *Once, r Repeatable) error {
	o.entry = onceEntry{Began: d.now().UnixMilli(), Seed: make([]byte, sha256.Size), Request: r.Request[:]}
	if _, err := io.ReadFull(d.random, o.entry.Seed); err != nil {
		return fmt.Errorf("make a seed: %w", err)
	}
	return d.putOnce(ctx, org, o)
}

func (d *Directory) putOnce(ctx context.Context, org OrgID, o *Once) error {
	text, err := json.Marshal(&o.entry)
	if err != nil {
		return fmt.Errorf("encode a request with a key: %w", err)
	}
	nonce := make([]byte, o.seal.NonceSize())
	if _, err := io.ReadFull(d.random, nonce); err != nil {
		return fmt.Errorf("make a nonce: %w", err)
	}
	sealed := o.seal.Seal(nonce, nonce, text, []byte(o.name))
	if err := d.vault.Put(ctx, org, oncePurpose, o.name, sealed, d.now().Add(onceKept)); err != nil {
		return fmt.Errorf("write down a request with a key: %w", err)
	}
	return nil
}

// leaveOnce lets other runs begin.
func (d *Directory) leaveOnce(ctx context.Context, c Caller, o *Once) error {
	if _, err := d.vault.Take(ctx, c.Org, oncePurpose+"-run", o.name); err != nil {
		return fmt.Errorf("leave a request with a key: %w", err)
	}
	return nil
}

// ID is the id for the resource that a step of the request creates, the same
// in every run; see Caller.NewID.
func (o *Once) ID(kind Kind, step int) (string, error) {
	id, err := NewID(kind, time.UnixMilli(o.entry.Began), stepBits(o.entry.Seed, step))
	if err != nil {
		return "", fmt.Errorf("make an id: %w", err)
	}
	return id, nil
}

// EndOnce remembers the answer of a request for 24 hours and lets other runs of
// it begin, which get the answer. A nil answer is not remembered: the request
// may be done again. It also works when ctx is over.
func (d *Directory) EndOnce(ctx context.Context, c Caller, o *Once, answer []byte) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), onceWrite)
	defer cancel()
	var err error
	if o.entry.Answer = answer; answer != nil {
		err = d.putOnce(ctx, c.Org, o)
	}
	return errors.Join(err, d.leaveOnce(ctx, c, o))
}

// earlier reads the setting that an earlier run of the same request has made
// (Caller.NewID); nil when there is none.
func earlier[T any](tx Tx, c Caller, read func(*Record) (*T, error)) (*T, error) {
	if c.NewID == "" {
		return nil, nil
	}
	rec, err := tx.Read(KindSetting, c.NewID)
	if err != nil {
		return nil, err
	}
	return read(rec)
}
