package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim"
)

// site is everything that runs during a measurement.
type site struct {
	data
	store     *backend.Store
	client    *redis.Client // see connect
	reference reference
	usherAddr string
	refAddr   string
	ownRedis  bool // it ends with the run
	cleanups  []func()
}

func (s *site) close() {
	for _, cleanup := range slices.Backward(s.cleanups) {
		cleanup()
	}
}

// open builds usher over the store at url ("" is the embedded one, with a data
// directory of its own) and serves it on loopback. The token's profile is entra: group changes are answered
// with 204.
func open(ctx context.Context, url string, users int) (*site, error) {
	s, err := openAt(ctx, url, users)
	if err == nil {
		err = s.organization(ctx, &s.data)
	}
	if s == nil || err != nil {
		return s, err
	}
	return s, s.connect(url)
}

// openAt is open without an organization and without the references' client.
func openAt(ctx context.Context, url string, users int) (*site, error) {
	s := &site{}
	quiet := slog.New(slog.DiscardHandler)
	dataDir := ""
	if url == "" {
		var err error
		if dataDir, err = os.MkdirTemp("", "usher-bench-"); err != nil {
			return nil, err
		}
		s.cleanups = append(s.cleanups, func() { _ = os.RemoveAll(dataDir) }) // temporary files
	}
	store, err := backend.Open(ctx, backend.Config{URL: url, DataDir: dataDir, Now: time.Now, Rand: rand.Reader, Log: quiet, ScanTime: time.Minute})
	if err != nil {
		return s, err
	}
	s.store = store
	s.cleanups = append(s.cleanups, func() { _ = store.Close() }) // the run is over
	dir, err := resources.New(resources.Config{Store: store, Vault: store, Queue: store, Now: time.Now, Rand: rand.Reader, Log: quiet, Budget: 2 * users})
	if err != nil {
		return s, err
	}
	s.dir = dir
	door, err := scim.New(scim.Config{Directory: dir, PublicURL: "http://usher.example", Log: quiet, Now: time.Now, Rate: 1e9, Burst: 1e9})
	if err != nil {
		return s, err
	}
	s.usherAddr, err = s.serve(ctx, door)
	return s, err
}

// connect makes the client of the references, which also asks the server about
// itself. The embedded store needs none.
func (s *site) connect(url string) error {
	if url == "" {
		return nil
	}
	opts, err := redis.ParseURL(url)
	if err != nil {
		return err
	}
	opts.MaxRetries, opts.ContextTimeoutEnabled, opts.DisableIdentity, opts.Protocol = -1, true, true, 2
	opts.PoolSize = 16
	s.client = redis.NewClient(opts)
	s.cleanups = append(s.cleanups, func() { _ = s.client.Close() }) // the run is over
	return nil
}

// operator is who runs the platform.
func (*site) operator() resources.Caller {
	return resources.Caller{Org: resources.PlatformOrg, Token: "bench", Scopes: []resources.Scope{resources.ScopePlatform}}
}

// organization makes a fresh organization with a token for d.
func (s *site) organization(ctx context.Context, d *data) error {
	operator := s.operator()
	slug := "bench-" + strings.ToLower(rand.Text()[:8])
	if _, err := s.dir.CreateOrg(ctx, operator, slug, "Bench"); err != nil {
		return err
	}
	_, token, err := s.dir.CreateToken(ctx, operator, slug, resources.TokenSpec{Profile: resources.ProfileEntra})
	if err != nil {
		return err
	}
	d.dir, d.token, d.prefix = s.dir, token, "/orgs/"+slug+"/scim/v2"
	d.caller, err = s.dir.Authenticate(ctx, token)
	s.cleanups = append(s.cleanups, func() { s.erase(context.WithoutCancel(ctx), operator, slug) })
	return err
}

// erase deletes an organization, so that a server that was given to us is left
// as it was. One of our own goes away as a whole.
func (s *site) erase(ctx context.Context, operator resources.Caller, slug string) {
	if s.ownRedis {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	err := s.dir.DeleteOrg(ctx, operator, slug, slug)
	for err == nil {
		var n int
		if n, err = s.dir.Clean(ctx); n == 0 && err == nil {
			time.Sleep(500 * time.Millisecond) // requests in flight are waited for
			_, err = s.dir.Org(ctx, operator, slug)
		}
	}
}

func (s *site) serve(ctx context.Context, h http.Handler) (addr string, err error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(l) // it ends with ErrServerClosed
	}()
	s.cleanups = append(s.cleanups, func() {
		_ = server.Close() // the measurement is over
		<-ended
	})
	return l.Addr().String(), nil
}

// references records the commits that R3 and R6 repeat, and serves all
// references.
func (s *site) references(ctx context.Context, url string) error {
	if err := s.client.ScriptLoad(ctx, eqScript).Err(); err != nil {
		return err
	}
	err := s.recordCommits(ctx, url, s.client.Options().Addr)
	if err != nil {
		return fmt.Errorf("record the reference commits: %w", err)
	}
	if err := s.reference.copyUsers(ctx, &s.data); err != nil {
		return fmt.Errorf("store the users of the references: %w", err)
	}
	s.cleanups = append(s.cleanups, func() {
		if !s.ownRedis {
			_ = s.reference.forget(context.WithoutCancel(ctx), &s.data) // at worst they stay
		}
	})
	s.refAddr, err = s.serve(ctx, &s.reference)
	return err
}

func (s *site) recordCommits(ctx context.Context, url, addr string) error {
	tap, err := newCapture(ctx, addr)
	if err != nil {
		return err
	}
	defer tap.stop()
	tapped, err := backend.Open(ctx, backend.Config{URL: strings.Replace(url, addr, tap.addr, 1), Now: time.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer func() { _ = tapped.Close() }() // only used for three commits
	dir, err := resources.New(resources.Config{Store: tapped, Vault: tapped, Now: time.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	with := data{dir: dir, caller: s.caller}
	const number = 77_777_777
	id, err := with.create(ctx, number)
	if err != nil {
		return err
	}
	r := &s.reference
	r.client, r.org = s.client, string(s.caller.Org)
	r.next.Store(50_000_000)
	var faults [3]error
	r.create, faults[0] = record(tap.taken(), id, "77777777", claimHash(number))
	_, err = dir.EditMembers(ctx, s.caller, s.small, resources.MemberEdit{Add: []string{id}})
	if err != nil {
		return err
	}
	r.add, faults[1] = record(tap.taken(), id)
	_, err = dir.EditMembers(ctx, s.caller, s.small, resources.MemberEdit{Remove: []string{id}})
	if err != nil {
		return err
	}
	r.remove, faults[2] = record(tap.taken(), id)
	return errors.Join(faults[:]...)
}
