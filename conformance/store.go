package conformance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/usher-scim/usher/resources"
)

// StoreEnv is a store to check and what a check needs around it.
type StoreEnv struct {
	Store resources.Store
	Vault resources.Vault
	Queue resources.Queue
	// Org gives an organization that nothing was ever written to.
	Org func() resources.OrgID
	// Now is the clock the store was opened with, Advance moves it.
	Now     func() time.Time
	Advance func(time.Duration)
}

// StoreCheck is one promise of resources.Store, resources.Vault or
// resources.Queue.
type StoreCheck struct {
	Name   string // unique, words joined by hyphens
	Source string // where the promise is made
	// Run returns nil when the promise holds, or what was seen instead.
	Run func(ctx context.Context, env StoreEnv) error
}

// StoreChecks lists every promise of the ports as a check. Each works in
// organizations of its own; they run one after another, because some move the
// clock.
func StoreChecks() []StoreCheck {
	var all []StoreCheck
	for _, part := range [][]StoreCheck{
		recordChecks(), unitChecks(), linkChecks(), markChecks(), groupChecks(), poolChecks(), placesChecks(), lineChecks(), lineRaceChecks(), claimChecks(),
		dueChecks(), fenceChecks(), eventChecks(), findChecks(), keysetChecks(), cleanChecks(), expireChecks(), vaultChecks(), customChecks(), queueChecks(),
	} {
		all = append(all, part...)
	}
	return all
}

// saw is the result of a check that does not hold: what was seen, and the
// error that came with it, if any.
func saw(err error, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if err == nil {
		return errors.New(text)
	}
	return fmt.Errorf("%s: %w", text, err)
}
