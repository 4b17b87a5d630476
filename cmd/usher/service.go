package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/usher-scim/usher/admin"
	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/config"
	"github.com/usher-scim/usher/internal/jwks"
	"github.com/usher-scim/usher/internal/outbound"
	"github.com/usher-scim/usher/jobs"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/scim"
	"github.com/usher-scim/usher/scim/oauth"
)

// drainTime is how long requests in flight may take after a signal.
const drainTime = 15 * time.Second

// cleanPause is between two rounds of cleaning; each visits all organizations.
const cleanPause = 5 * time.Second

// scrubPause is between two walks over all claims; what looks left behind in one
// is ended in the next.
const scrubPause = time.Hour

// How long the API token lives that a start issues: an hour, enough to issue
// better ones with it (security X12); with a store that ends with the process
// longer than any process.
const (
	firstTokenTime  = time.Hour
	memoryTokenTime = 365 * 24 * time.Hour
)

// service is one running server. Its methods below are the steps of its life,
// in order; each fills the fields that later ones need.
type service struct {
	cfg        *config.Loaded
	log        *slog.Logger
	out        io.Writer
	drainPause time.Duration

	main, side net.Listener // side is nil when the metrics listener is off
	publicURL  string
	pair       *certificate // nil without TLS
	numbers    *metrics
	store      *backend.Store
	mails      mailing
	directory  *resources.Directory
	issue      bool                    // issue an API token even if the store is not empty
	created    *resources.Bootstrapped // nil unless this start filled the store
	apiToken   string                  // issued by this start, or ""
	org        string                  // slug of the organization to show, or ""
	door       http.Handler            // everything of the main listener
	probes     http.Handler            // everything of the side listener
	draining   atomic.Bool
}

// serve runs the whole life of the server.
func (s *service) serve(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, s.close()) }()
	for _, w := range s.cfg.Warnings {
		s.log.WarnContext(ctx, "configuration", "warning", w)
	}
	steps := []func(context.Context) error{s.listen, s.openMail, s.open, s.bootstrap, s.wire, s.run}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// listen binds the listeners and thereby fixes the public URL.
func (s *service) listen(ctx context.Context) error {
	var err error
	if s.cfg.TLSOn() {
		if s.pair, err = newCertificate(s.cfg.TLS, s.log); err != nil {
			return &failure{exit: exitConfig, what: "TLS cannot be set up", why: err, todo: "correct tls.cert, tls.key and tls.client_ca"}
		}
	}
	var lc net.ListenConfig
	if s.main, err = lc.Listen(ctx, "tcp", s.cfg.Listen); err != nil {
		return &failure{exit: exitConfig, what: "cannot listen", why: err, todo: "choose another address with --listen"}
	}
	// A ready file of an earlier life goes, so that who waits for it does not read
	// old numbers; that of a server that has the address stays.
	if s.cfg.ReadyFile != "" {
		if err := os.Remove(s.cfg.ReadyFile); err != nil && !errors.Is(err, os.ErrNotExist) {
			return &failure{exit: exitConfig, what: "cannot replace the ready file", why: err, todo: "choose a path in a directory that usher may write to"}
		}
	}
	s.publicURL = s.cfg.PublicURL
	if s.publicURL == "" {
		s.publicURL = listenURL(s.cfg.Listen, s.main.Addr(), s.pair != nil)
	}
	if s.cfg.Metrics.Listen != "off" {
		return s.listenMetrics(ctx, &lc)
	}
	return nil
}

func (s *service) listenMetrics(ctx context.Context, lc *net.ListenConfig) (err error) {
	s.side, err = lc.Listen(ctx, "tcp", s.cfg.Metrics.Listen)
	if err != nil && s.cfg.Origin["metrics.listen"] == "default" {
		// Nobody asked for this very port, so its being taken stops nothing.
		s.log.WarnContext(ctx, "the usual metrics port is taken, using a free one", "err", err)
		s.side, err = lc.Listen(ctx, "tcp", "127.0.0.1:0")
	}
	if err != nil {
		return &failure{exit: exitConfig, what: "cannot listen for metrics", why: err, todo: "choose another address with --metrics-listen, or off"}
	}
	return nil
}

// listenURL is the URL of a listener for clients on this machine: the host as
// it was configured with the port that was bound.
func listenURL(configured string, bound net.Addr, tls bool) string {
	scheme := "http"
	if tls {
		scheme = "https"
	}
	host, _, err := net.SplitHostPort(configured)
	if err != nil {
		host = "127.0.0.1"
	}
	_, port, err := net.SplitHostPort(bound.String())
	if err != nil {
		port = "0"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// open connects to the store and makes the Directory over it.
func (s *service) open(ctx context.Context) error {
	s.numbers = newMetrics()
	var err error
	at := storeConfig(s.cfg, s.log)
	at.Observe, at.Reran = s.numbers.redis, s.numbers.reran
	gone := s.numbers.losses(s.log)
	at.Lost, at.Failover = gone.lost, gone.failover
	if s.store, err = openStore(ctx, at); err != nil {
		return err
	}
	s.numbers.watchStreams(s.store.StreamLength, s.log)
	if s.store.Embedded() && !s.inMemory() {
		s.numbers.watchDataDir(s.store.Writable)
	}
	declared, err := declaredForAll(s.cfg)
	if err != nil {
		return &failure{exit: exitConfig, what: "the declared schemas have faults", why: indented{err}}
	}
	keys, err := s.sealing(ctx)
	if err != nil {
		return err
	}
	s.directory, err = resources.New(resources.Config{
		Store: s.store, Vault: s.store, Queue: s.store, Now: time.Now, Rand: rand.Reader, Log: s.log, Declared: declared,
		Keys: keys, Send: s.mails.send, LookupTXT: newDNSLookup(s.cfg.DNS.Resolver, dnsTime).txt,
	})
	if err != nil {
		return err
	}
	gone.into(s.directory.NoteLost)
	return nil
}

// inMemory tells whether the state ends with the process.
func (s *service) inMemory() bool { return s.store.Embedded() && s.cfg.DataDir == "" }

// bootstrap fills an empty store unless told not to, and finds an organization
// to show.
func (s *service) bootstrap(ctx context.Context) error {
	lifetime := firstTokenTime
	if s.inMemory() {
		lifetime = memoryTokenTime
	}
	half, err := s.store.HalfRestored(ctx)
	if err != nil {
		return storeFailure("cannot read the store", err)
	}
	if half {
		return &failure{exit: exitConflict, what: "the store is half restored", why: errors.New("a restoration of the platform, with its tokens and its list of organizations, was interrupted or still runs"), todo: "go on with it by usher restore FILE --resume, or drop what it has written by --discard"}
	}
	if s.cfg.Bootstrap {
		created, err := s.directory.Bootstrap(ctx, lifetime)
		if err != nil {
			return storeFailure("cannot prepare the store", err)
		}
		s.created = created
	}
	if s.created != nil {
		s.org, s.apiToken = s.created.Org.Slug, s.created.APIToken
		return nil
	}
	if s.issue {
		token, err := s.directory.OperatorToken(ctx, lifetime)
		if err != nil {
			return storeFailure("cannot issue an API token", err)
		}
		s.apiToken = token
	}
	// The wiring asks in its own name; no request ever gets this caller.
	self := resources.Caller{Org: resources.PlatformOrg, Token: "system", Scopes: []resources.Scope{resources.ScopePlatform}}
	orgs, _, err := s.directory.Orgs(ctx, self, 0, 1)
	if err != nil {
		return storeFailure("cannot read the store", err)
	}
	if len(orgs) > 0 {
		s.org = orgs[0].Slug
	}
	return nil
}

func storeFailure(what string, err error) error {
	if errors.Is(err, resources.ErrUnavailable) {
		return &failure{exit: exitUnavailable, what: what, why: err, todo: "see that Redis, or the disk of the data directory, is well and start again"}
	}
	return &failure{exit: exitFailure, what: what, why: err}
}

// wire builds the handlers of both listeners.
func (s *service) wire(context.Context) error {
	unknown := &strangers{now: time.Now}
	issuers, err := s.newIssuers()
	if err != nil {
		return err
	}
	idp, err := scim.New(scim.Config{
		Directory: s.directory, PublicURL: s.publicURL, Log: s.log, Now: time.Now, Issuers: issuers,
		Rate: s.cfg.Limits.Rate, Burst: s.cfg.Limits.Burst, Observe: s.numbers.scim, Stranger: unknown.failed,
	})
	if err != nil {
		return err
	}
	party, err := s.newParty(issuers)
	if err != nil {
		return err
	}
	rest, err := admin.New(admin.Config{
		Directory: s.directory, Log: s.log, Now: time.Now, Rand: rand.Reader, Version: thisBuild().Version, PublicURL: s.publicURL, Discover: discovering(party), Issuers: issuers, Stranger: unknown.failed,
	})
	if err != nil {
		return err
	}
	proxies, err := config.ParseProxies(s.cfg.TrustedProxies)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/orgs/", idp)
	if err := s.addTokens(mux, unknown); err != nil {
		return err
	}
	if err := s.addPeople(mux, party); err != nil {
		return err
	}
	mux.Handle("/api/", rest)
	mux.HandleFunc("/", s.nothing)
	s.addProbes(mux)
	host, _, err := net.SplitHostPort(s.cfg.Listen)
	if err != nil {
		return err
	}
	s.door = newFront(&front{
		next: asTyped(idp, mux), tls: s.pair != nil, open: !config.IsLoopback(host), proxies: proxies, draining: &s.draining,
	})
	side := http.NewServeMux()
	side.Handle("GET /metrics", s.numbers.handler(s.log))
	s.addProbes(side)
	s.probes = side
	return nil
}

// addTokens adds the token endpoints of all organizations and their metadata.
func (s *service) addTokens(mux *http.ServeMux, unknown *strangers) error {
	tokens, err := oauth.New(oauth.Config{
		Directory: s.directory, PublicURL: s.publicURL, Log: s.log, Now: time.Now, ClientCerts: s.cfg.AsksCerts(),
		Observe: s.numbers.scim, Stranger: unknown.failed, Sender: senderOf,
	})
	if err != nil {
		return err
	}
	mux.Handle("/orgs/{org}"+oauth.TokenPath, tokens)
	mux.Handle("/orgs/{org}"+oauth.MetadataPath, tokens)
	mux.Handle(oauth.MetadataPath+"/", tokens)
	return nil
}

// newIssuers makes what keeps the keys of issuers that connections trust.
func (s *service) newIssuers() (*jwks.Cache, error) {
	guarded, err := outbound.New(outbound.Config{Allow: s.cfg.Outbound.Allow, Agent: agent()})
	if err != nil {
		return nil, err
	}
	return jwks.New(jwks.Config{Get: guarded.Get, Now: time.Now, Log: s.log})
}

// run serves until ctx ends or a part fails, and drains.
func (s *service) run(ctx context.Context) error {
	group, running := errgroup.WithContext(ctx)
	// Requests outlive ctx, so that they can finish; cut ends those that do not.
	requests, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	door := s.server(requests, s.door)
	servers := []*http.Server{door}
	group.Go(func() error { return serving(s.start(door)) })
	if s.side != nil {
		probes := s.server(requests, s.probes)
		servers = append(servers, probes)
		group.Go(func() error { return serving(probes.Serve(s.side)) })
	}
	if s.mails.inbox != nil {
		page := s.server(requests, s.mails.inbox.Handler())
		servers = append(servers, page)
		group.Go(func() error { return serving(page.Serve(s.mails.page)) })
		group.Go(func() error { return s.mails.inbox.ServeMail(s.mails.sink) })
		group.Go(func() error {
			<-running.Done()
			return s.mails.inbox.Close()
		})
	}
	group.Go(func() error {
		return jobs.Janitor{Clean: s.directory.Clean, Log: s.log, Interval: cleanPause}.Run(running)
	})
	if s.store.SpreadsClaims() {
		group.Go(func() error {
			return jobs.Janitor{Clean: s.scrub, Log: s.log, Interval: scrubPause}.Run(running)
		})
	}
	group.Go(func() error { return s.work(running) })
	group.Go(func() error {
		<-running.Done()
		s.drain(ctx, servers, cut)
		return nil
	})
	group.Go(func() error { return s.announce(running) })
	return group.Wait()
}

// drain ends the servers: not ready first, then what is in flight to its end.
func (s *service) drain(ctx context.Context, servers []*http.Server, cut context.CancelFunc) {
	s.draining.Store(true)
	ctx = context.WithoutCancel(ctx)
	s.log.InfoContext(ctx, "draining", "at_most", drainTime.String())
	// The listener stays open for a moment, so that whoever balances load reads
	// "not ready" instead of running into closed doors.
	time.Sleep(s.drainPause)
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	for _, srv := range servers {
		if err := srv.Shutdown(ctx); err != nil {
			s.log.WarnContext(ctx, "requests cut off", "err", err)
			cut()
			if err := srv.Close(); err != nil {
				s.log.WarnContext(ctx, "listener not closed", "err", err)
			}
		}
	}
}

// close ends what the steps opened; those that never ran left nil.
func (s *service) close() error {
	var errs []error
	for _, l := range []net.Listener{s.main, s.side, s.mails.page, s.mails.sink} {
		if l == nil {
			continue
		}
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, fmt.Errorf("close listener: %w", err))
		}
	}
	if s.store != nil {
		if err := s.store.Close(); err != nil {
			errs = append(errs, fmt.Errorf("close store: %w", err))
		}
		s.log.Info("stopped")
	}
	return errors.Join(errs...)
}
