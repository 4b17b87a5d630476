package main

import (
	"context"

	"github.com/usher-scim/usher/internal/seal"
)

// sealing makes the keys of the configuration; nil, and a warning, when there are
// none.
func (s *service) sealing(ctx context.Context) (*seal.Keys, error) {
	current, older, err := s.cfg.SecretKeys()
	if err != nil {
		return nil, &failure{exit: exitConfig, what: "the keys cannot be used", why: err}
	}
	if current == nil {
		if !s.store.Embedded() { // whose content ends with the process
			s.log.WarnContext(ctx, "secret_key is not set: secrets are sealed with a key that is kept in the store beside them")
		}
		return nil, nil
	}
	keys, err := seal.New(current, older...)
	if err != nil {
		return nil, &failure{exit: exitConfig, what: "the keys cannot be used", why: err}
	}
	return keys, nil
}
