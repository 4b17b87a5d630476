package resources

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"time"
)

// What people can try is counted by what they say and by where they come from,
// before it is known whether there is anybody: the answer is the same for who is
// and who is not (security C1, P4). Keys are hashes; addresses are not stored.

// What may be asked for within an hour.
const (
	codesPerAddress = 10
	codesPerNetwork = 30
	mailsPerAddress = 3
	mailsPerNetwork = 30
)

// again is how long a user is sent no other link.
const again = 10 * time.Minute

// accountOf is what tries with an address are counted by: its EmailKey, or, of
// what is none, the text.
func accountOf(address string) string {
	if key, ok := EmailKey(address); ok {
		return hashSecret("key " + key)
	}
	return hashSecret("text " + clip(address, 400))
}

// networkOf is what tries from an address of the network are counted by: people
// behind one of version 6 have all of a /64.
func networkOf(address string, bits4 int) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return hashSecret("net " + clip(address, 100))
	}
	ip = ip.Unmap().WithZone("")
	bits := 64
	if ip.Is4() {
		bits = bits4
	}
	block, err := ip.Prefix(bits)
	if err != nil {
		return hashSecret("net " + ip.String())
	}
	return hashSecret("net " + block.String())
}

// tooMany refuses a try; wait is when the next one makes sense.
func tooMany(wait time.Duration) *Error {
	return &Error{Code: CodeRateLimited, Detail: fmt.Sprintf("Too many tries; wait %s and try again.", wait.Round(time.Second))}
}

// within counts a try and refuses it when there are more than most in the time.
func (d *Directory) within(ctx context.Context, purpose, key string, most int, span time.Duration) error {
	n, err := d.vault.Count(ctx, PlatformOrg, purpose, key, d.now().Add(span))
	if err != nil {
		return fmt.Errorf("count tries: %w", err)
	}
	if n > most {
		return tooMany(span)
	}
	return nil
}

// How wrong passwords slow down the next try, by account and block of networks
// (security P4).
const (
	guessesFree    = 3              // at once, before it gets slower
	guessesMost    = 100            // in a row; then not before guessesFor has passed (NIST SP 800-63B-4)
	guessesFor     = 24 * time.Hour // after the last wrong one they are forgotten
	guessLongest   = time.Hour
	guessesAnyhow  = 100                 // an hour for one account, from networks where it has never signed in
	networkKnown   = 90 * 24 * time.Hour // since the last sign-in there
	purposeWrong   = "password-wrong"
	purposeKnown   = "password-known"
	purposeBurst   = "password-burst"
	purposePause   = "password-pause"
	purposeAnyhow  = "password-anyhow"
	networkBlockV4 = 24
)

// guessing is an account tried from a block of networks.
type guessing struct {
	account, key string
	wrong        int  // so far
	known        bool // somebody signed in from there
}

// mayGuess lets a password be tried, or says how long to wait. The pause grows
// from one second to an hour with each wrong password from there; what strangers
// do elsewhere stops nobody at a place where the account has signed in before.
func (d *Directory) mayGuess(ctx context.Context, account, network string) (*guessing, error) {
	g := &guessing{account: account, key: hashSecret(account + networkOf(network, networkBlockV4))}
	mark, err := d.vault.Peek(ctx, PlatformOrg, purposeKnown, g.key)
	if err != nil {
		return nil, fmt.Errorf("look at tries: %w", err)
	}
	if g.known = mark != nil; !g.known {
		if err := d.within(ctx, purposeAnyhow, account, guessesAnyhow, time.Hour); err != nil {
			return nil, err
		}
	}
	wrong, err := d.vault.Peek(ctx, PlatformOrg, purposeWrong, g.key)
	if err != nil {
		return nil, fmt.Errorf("look at tries: %w", err)
	}
	g.wrong, _ = strconv.Atoi(string(wrong)) // none is none
	switch {
	case g.wrong >= guessesMost:
		return nil, tooMany(guessesFor)
	case g.wrong < guessesFree:
		return g, d.within(ctx, purposeBurst, g.key, guessesFree, time.Second)
	}
	wait := guessPause(g.wrong)
	first, err := d.vault.Add(ctx, PlatformOrg, purposePause, g.key, d.now().Add(wait))
	if err != nil {
		return nil, fmt.Errorf("count tries: %w", err)
	}
	if !first {
		return nil, tooMany(wait)
	}
	return g, nil
}

// guessPause is how long nobody else may try after a try with so many wrong ones
// before it.
func guessPause(wrong int) time.Duration {
	pause := time.Second
	for i := guessesFree; i < wrong && pause < guessLongest; i++ {
		pause *= 2
	}
	return min(pause, guessLongest)
}

// guessed notes how a try ended. Tries pass one at a time once there are wrong
// ones, so that counting here loses none that matters.
func (d *Directory) guessed(ctx context.Context, g *guessing, right bool) error {
	now := d.now()
	var err error
	switch {
	case !right:
		err = d.vault.Put(ctx, PlatformOrg, purposeWrong, g.key, strconv.AppendInt(nil, int64(g.wrong+1), 10), now.Add(guessesFor))
	case g.wrong > 0:
		_, err = d.vault.Take(ctx, PlatformOrg, purposeWrong, g.key)
	}
	if err == nil && right {
		err = d.vault.Put(ctx, PlatformOrg, purposeKnown, g.key, []byte{'1'}, now.Add(networkKnown))
	}
	if err != nil {
		return fmt.Errorf("note a try: %w", err)
	}
	return nil
}
