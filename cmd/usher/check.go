package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-scim/usher/conformance/check"
	"github.com/usher-scim/usher/internal/config"
)

// checkFlags are the flags of "usher check".
type checkFlags struct {
	url, tokenFile, readyFile, caFile string
	profile, only, output             string
	list                              bool
	parallel                          int
	timeout                           time.Duration
}

// newCheckCommand proves what a SCIM server does.
func newCheckCommand(p *program) *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check any SCIM 2.0 server",
		Long: "Talks to a SCIM server as clients do and reads everything back: an answer of\n" +
			"success that did nothing is a failure. Makes users and groups under a random\n" +
			"prefix and deletes them at the end. What the server does not announce is\n" +
			"skipped. Exits with 0 when nothing failed, 1 when something did, 6 when the\n" +
			"token is refused, 7 when the server cannot be reached.",
		Example: "  usher check --url https://id.example.com/orgs/acme/scim/v2 --token-file scim.token\n" +
			"  usher check --ready-file ready.json --profile entra --output junit > report.xml\n" +
			"  usher check --ready-file ready.json --only '^patch/'\n  usher check --list",
		Args: wants(),
	}
	cmd.RunE = action(func(ctx context.Context, _ *cobra.Command, _ []string) error { return p.check(ctx, &f) })
	flags := cmd.Flags()
	flags.StringVar(&f.url, "url", "", "SCIM address of the server, the part before /Users")
	flags.StringVar(&f.tokenFile, "token-file", "", "file with the bearer token")
	flags.StringVar(&f.readyFile, "ready-file", "", "ready file of a usher server, to read what is not given from")
	flags.StringVar(&f.caFile, "ca-file", "", "PEM file with certificates to trust instead of the system's")
	flags.StringVar(&f.profile, "profile", "rfc", "what to expect where dialects differ: "+strings.Join(check.Profiles(), ", "))
	flags.StringVar(&f.only, "only", "", "ids of checks separated by commas, or a regular expression over ids")
	flags.StringVar(&f.output, "output", "text", "how to print: text, json or junit")
	flags.BoolVar(&f.list, "list", false, "list the checks and their sources, and run none")
	flags.IntVar(&f.parallel, "parallel", 4, "checks at a time")
	flags.DurationVar(&f.timeout, "timeout", callTime, "for one request")
	return cmd
}

func (p *program) check(ctx context.Context, f *checkFlags) error {
	if err := f.valid(); err != nil {
		return err
	}
	if f.list {
		return p.listChecks(f)
	}
	address, token, err := f.target()
	if err != nil {
		return err
	}
	transport, err := f.transport()
	if err != nil {
		return err
	}
	defer transport.CloseIdleConnections()
	cfg := check.Config{
		URL: address, Token: string(token), Profile: f.profile, Only: f.only, Parallel: f.parallel, Timeout: f.timeout,
		HTTP: transport, Agent: agent(), Rand: rand.Reader, Now: time.Now,
	}
	if p.progress {
		cfg.Progress = p.checkProgress
	}
	report, err := check.Run(ctx, cfg)
	if p.progress {
		fmt.Fprint(p.stderr, "\r\x1b[K")
	}
	if err != nil {
		return unchecked(ctx, err)
	}
	write := map[string]func() error{
		"text": func() error { return report.WriteText(p.stdout) }, "json": func() error { return report.WriteJSON(p.stdout) }, "junit": func() error { return report.WriteJUnit(p.stdout) },
	}[f.output]
	if err := write(); err != nil {
		return &failure{exit: exitFailure, what: "cannot write the report", why: err}
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case report.Failed > 0:
		return &failure{exit: exitFailure, why: fmt.Errorf("failed checks: %d", report.Failed)}
	}
	return nil
}

// valid is asked before anything is sent.
func (f *checkFlags) valid() error {
	if f.output != "text" && f.output != "json" && f.output != "junit" {
		return &failure{exit: exitUsage, why: fmt.Errorf("--output %q is not known", f.output), todo: "use text, json or junit"}
	}
	if !slices.Contains(check.Profiles(), f.profile) {
		return &failure{exit: exitUsage, why: fmt.Errorf("--profile %q is not known", f.profile), todo: "use one of " + strings.Join(check.Profiles(), ", ")}
	}
	if _, err := check.Select(check.All(), f.only); err != nil {
		return &failure{exit: exitUsage, what: "--only", why: err, todo: "see usher check --list"}
	}
	if f.timeout <= 0 || f.parallel < 1 {
		return &failure{exit: exitUsage, why: errors.New("--timeout and --parallel must be more than nothing")}
	}
	return nil
}

func (p *program) listChecks(f *checkFlags) error {
	all, err := check.Select(check.All(), f.only)
	if err != nil {
		return err
	}
	t := table{head: []string{"ID", "SOURCES", "WHAT HOLDS"}}
	for _, k := range all {
		t.rows = append(t.rows, []string{k.ID, strings.Join(k.Sources, " "), k.Title})
	}
	return p.printTable(t)
}

// target finds address and token: flags before the ready file.
func (f *checkFlags) target() (string, config.Secret, error) {
	address, token := f.url, config.Secret("")
	if f.readyFile != "" {
		var r ready
		data, err := os.ReadFile(f.readyFile)
		if err == nil {
			err = json.Unmarshal(data, &r)
		}
		if err != nil {
			return "", "", &failure{exit: exitConfig, what: "cannot read the ready file", why: err, todo: "give the file that \"usher serve --ready-file\" has written"}
		}
		if address == "" {
			address, token = r.SCIMURL, config.Secret(r.SCIMToken)
		}
	}
	if f.tokenFile != "" {
		var err error
		if token, err = config.ReadSecretFile(f.tokenFile); err != nil {
			return "", "", &failure{exit: exitConfig, what: "cannot read the token", why: err, todo: "check the path and its permissions"}
		}
	}
	u, err := url.Parse(address)
	switch {
	case strings.ContainsFunc(string(token), func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return "", "", &failure{exit: exitConfig, what: "cannot read the token", why: errors.New("the file holds more than a token"), todo: "put the token alone into it"}
	case address == "":
		return "", "", &failure{exit: exitUsage, why: errors.New("no server is named"), todo: "give --url and --token-file, or --ready-file"}
	case err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https":
		return "", "", &failure{exit: exitUsage, why: fmt.Errorf("%q is not the address of a SCIM server", address), todo: "give a URL such as https://id.example.com/scim/v2"}
	case u.Scheme == "http" && !config.IsLoopback(u.Hostname()):
		return "", "", &failure{exit: exitUsage, why: errors.New("the token would travel in the clear to " + u.Host), todo: "use its https address"}
	case token == "":
		return "", "", &failure{exit: exitForbidden, what: "no token", why: errors.New("the server wants one"), todo: "name a file with --token-file; a ready file holds a token only when its start has made one"}
	}
	return address, token, nil
}

func (f *checkFlags) transport() (*http.Transport, error) {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: f.parallel, IdleConnTimeout: callTime}
	if f.caFile == "" {
		return t, nil
	}
	data, err := os.ReadFile(f.caFile)
	pool := x509.NewCertPool()
	if err == nil && !pool.AppendCertsFromPEM(data) {
		err = errors.New("there is no certificate in it")
	}
	if err != nil {
		return nil, &failure{exit: exitConfig, what: "cannot read the certificates", why: err, todo: "give a PEM file"}
	}
	t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return t, nil
}

// unchecked is why there is no report.
func unchecked(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, check.ErrUnreachable):
		return &failure{exit: exitUnavailable, why: err, todo: "see that it runs there, or give its address with --url"}
	case errors.Is(err, check.ErrRefused):
		return &failure{exit: exitForbidden, why: err, todo: "check the token and the address"}
	}
	return &failure{exit: exitUsage, why: err}
}

// checkProgress redraws one line.
func (p *program) checkProgress(done, total int, r check.Result) {
	fmt.Fprintf(p.stderr, "\r\x1b[K%d/%d %s", done, total, r.ID)
}
