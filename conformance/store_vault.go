package conformance

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/usher-scim/usher/resources"
)

// vaultAdds: a key is noted once until it expires, whoever else asks at the
// same time, and apart from other purposes and organizations.
func vaultAdds(w *world) error {
	add := func(purpose, key string) (bool, error) {
		return w.Vault.Add(w.ctx, w.org, purpose, key, w.Now().Add(time.Minute))
	}
	var got atomic.Int32
	errs := together(32, func(int) error {
		added, err := add("jti", "k {1}")
		if added {
			got.Add(1)
		}
		return err
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if got.Load() != 1 {
		return fmt.Errorf("%d of 32 callers added the key", got.Load())
	}
	for _, other := range [][2]string{{"jti", "k {2}"}, {"other", "k {1}"}} {
		if added, err := add(other[0], other[1]); !added || err != nil {
			return saw(err, "Add of %q gives %v; want true", other, added)
		}
	}
	if added, err := newWorld(w.ctx, w.StoreEnv).addJTI("k {1}"); !added || err != nil {
		return saw(err, "Add in another organization gives %v; want true", added)
	}
	w.Advance(59 * time.Second)
	if added, err := add("jti", "k {1}"); added || err != nil {
		return saw(err, "before the key expires Add gives %v; want false", added)
	}
	w.Advance(time.Second)
	if added, err := add("jti", "k {1}"); !added || err != nil {
		return saw(err, "when the key has expired Add gives %v; want true", added)
	}
	w.Advance(2 * time.Minute)
	if n, err := w.Store.Sweep(w.ctx, w.org, w.Now(), 10, resources.Placement); n != 3 || err != nil {
		return saw(err, "Sweep cleans %d keys; want three", n)
	}
	return nil
}

func (w *world) addJTI(key string) (bool, error) {
	return w.Vault.Add(w.ctx, w.org, "jti", key, w.Now().Add(time.Minute))
}
