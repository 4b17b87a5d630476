package resources

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// secretSize is how long a secret is, in bytes.
const secretSize = 32

// secretCache keeps the server's secrets by purpose.
type secretCache struct {
	mu  sync.RWMutex
	all map[string][]byte
}

// Secret gives the server's secret for a purpose: 32 random bytes that are the
// same on every node and after every start, for the signatures of doors. It is
// made when it is asked for the first time; of several nodes that do so at
// once the first writer's stays. Purposes are fixed words of the program. The
// result must not be changed.
func (d *Directory) Secret(ctx context.Context, purpose string) ([]byte, error) {
	d.secrets.mu.RLock()
	secret := d.secrets.all[purpose]
	d.secrets.mu.RUnlock()
	if secret != nil {
		return secret, nil
	}
	secret, err := d.readSecret(ctx, purpose)
	if err != nil {
		return nil, fmt.Errorf("secret %s: %w", purpose, err)
	}
	d.secrets.mu.Lock()
	defer d.secrets.mu.Unlock()
	if d.secrets.all == nil {
		d.secrets.all = make(map[string][]byte)
	}
	d.secrets.all[purpose] = secret
	return secret, nil
}

// secretProfile is the profile of a secret's record.
type secretProfile struct {
	Purpose string `json:"purpose"`
	Secret  []byte `json:"secret"`
}

// secretID is the id of the record of a secret. It follows from the purpose, so
// that two who make one meet.
func secretID(purpose string) (string, error) {
	sum := sha256.Sum256([]byte(purpose))
	return NewID(KindSetting, time.UnixMilli(0), bytes.NewReader(sum[:]))
}

// readSecret reads the stored secret, or stores one.
func (d *Directory) readSecret(ctx context.Context, purpose string) ([]byte, error) {
	id, err := secretID(purpose)
	if err != nil {
		return nil, err
	}
	var secret []byte
	_, err = d.store.Update(ctx, PlatformOrg, func(_ context.Context, tx Tx) error {
		rec, err := tx.Read(KindSetting, id)
		if err != nil {
			return err
		}
		if rec != nil {
			secret, err = storedSecret(rec, purpose)
			return err
		}
		p := secretProfile{Purpose: purpose, Secret: make([]byte, secretSize)}
		if _, err := io.ReadFull(d.random, p.Secret); err != nil {
			return err
		}
		profile, err := json.Marshal(p)
		if err != nil {
			return err
		}
		now := d.now().UnixMilli()
		rec = &Record{
			Kind: KindSetting, ID: id, Version: 1, Created: now, Modified: now, Display: "secret: " + purpose,
			Profile: profile, Standing: nounSecret.standing(),
		}
		tx.Put(nil, rec, nil, nounSecret.entries(id))
		secret = p.Secret
		return nil
	})
	return secret, err
}

func storedSecret(rec *Record, purpose string) ([]byte, error) {
	var p secretProfile
	if err := json.Unmarshal(rec.Profile, &p); err != nil {
		return nil, fmt.Errorf("stored secret: %w", err)
	}
	if p.Purpose != purpose || len(p.Secret) != secretSize {
		return nil, errors.New("the stored secret is not one for this purpose")
	}
	return p.Secret, nil
}
