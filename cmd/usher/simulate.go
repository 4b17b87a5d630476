package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/usher-scim/usher/conformance/simulate"
	"github.com/usher-scim/usher/internal/config"
)

// simulation is what the command line says.
type simulation struct {
	cfg       simulate.Config // of every target
	tokenFile string
	readyFile string
	targets   string
	output    string
}

// target is a line of a targets file.
type target struct {
	URL     string `json:"url"`
	Token   string `json:"token"`
	Dialect string `json:"dialect"`
}

// newSimulateCommand plays identity providers against any SCIM server.
func newSimulateCommand(p *program) *cobra.Command {
	var v simulation
	names := strings.Join(simulate.Names(), ", ")
	cmd := &cobra.Command{
		Use:   "simulate DIALECT",
		Short: "Play an identity provider against a SCIM server and verify what came of it",
		Long: "Plays the cycles of an identity provider in its own dialect: connection test, first\n" +
			"synchronisation, joiners, movers and leavers, with POSTs that are aborted, lost and\n" +
			"repeated. After every cycle it compares what the server holds with what it must\n" +
			"hold. Ends with 1 when there is a difference or an error. What it makes it deletes.\n\n" +
			"Dialects: " + names + ". mix plays one at each of the --targets.",
		Example: "  usher simulate okta --url https://scim.example.com/scim/v2 --token-file token\n" +
			"  usher simulate entra --ready-file usher.json --users 1000 --rate 0\n" +
			"  usher simulate okta --ready-file usher.json --users 60 --licence meetings --licence-by-group\n" +
			"  usher simulate mix --targets targets.jsonl --duration 5m",
		Args: wants("dialect"),
	}
	cmd.RunE = action(func(ctx context.Context, cmd *cobra.Command, args []string) error {
		v.cfg.Dialect = args[0]
		if v.cfg.Duration > 0 && !cmd.Flags().Changed("cycles") {
			v.cfg.Cycles = 0
		}
		return p.simulate(ctx, &v)
	})
	v.addFlags(cmd)
	return cmd
}

func (v *simulation) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&v.cfg.URL, "url", "", "SCIM root of the server")
	f.StringVar(&v.tokenFile, "token-file", "", "file with the SCIM token")
	f.StringVar(&v.readyFile, "ready-file", "", "ready file of a server, to read SCIM root and token from")
	f.StringVar(&v.targets, "targets", "", `file with a line {"url": …, "token": …, "dialect": …} for each of many servers; the dialect may be left out`)
	f.IntVar(&v.cfg.Users, "users", 100, "users to begin with, of each target")
	f.IntVar(&v.cfg.Groups, "groups", 10, "groups to begin with")
	f.Float64Var(&v.cfg.Rate, "rate", 25, "requests a second; 0 sends as fast as the server answers")
	f.IntVar(&v.cfg.Cycles, "cycles", 2, "cycles of changes after the first synchronisation")
	f.DurationVar(&v.cfg.Duration, "duration", 0, "begin new cycles of changes until this time is up")
	f.IntVar(&v.cfg.Workers, "workers", 4, "requests at once; with 1 the seed decides their order too")
	f.Float64Var(&v.cfg.Trouble, "trouble", 0.05, "share of POSTs that are aborted, lost or repeated")
	f.Uint64Var(&v.cfg.Seed, "seed", 0, "decides names, changes and their order (default random)")
	f.StringVar(&v.cfg.Licence, "licence", "", "SKU of a licence that all users ask for; who gets it is verified")
	f.BoolVar(&v.cfg.LicenceByGroup, "licence-by-group", false, "the first group gives the licence to its members, instead of each user asking for it")
	f.BoolVar(&v.cfg.Keep, "keep", false, "leave what was made at the server")
	f.StringVar(&v.output, "output", "text", "how to print the report: text or json")
}

func (p *program) simulate(ctx context.Context, v *simulation) error {
	if v.output != "text" && v.output != "json" {
		return &failure{exit: exitUsage, why: fmt.Errorf("--output %q is not known", v.output), todo: "use text or json"}
	}
	if v.cfg.Seed == 0 {
		v.cfg.Seed = rand.Uint64N(1e9) + 1 //nolint:gosec // a seed to be shown, no secret
	}
	configs, err := v.configs()
	if err != nil {
		return err
	}
	carrier := &http.Transport{
		Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: v.cfg.Workers * len(configs),
		DisableCompression: true, IdleConnTimeout: 90 * time.Second,
	}
	defer carrier.CloseIdleConnections()
	for i := range configs {
		configs[i].Transport, configs[i].Now = carrier, time.Now
		if _, err := simulate.New(configs[i]); err != nil {
			return &failure{exit: exitUsage, what: fmt.Sprintf("target %d of %d", i+1, len(configs)), why: err, todo: `see "usher simulate --help"`}
		}
	}
	progress := p.stderr
	if !p.progress {
		progress = nil
	}
	summary, err := simulate.RunAll(ctx, configs, progress)
	if summary == nil {
		return err
	}
	write := summary.WriteText
	if v.output == "json" {
		write = summary.WriteJSON
	}
	if err := errors.Join(write(p.stdout), err); err != nil {
		return err
	}
	if !summary.Good {
		return &failure{exit: exitFailure, why: fmt.Errorf("%d errors, %d differences", summary.Total.ErrorCount, summary.Total.DiffCount)}
	}
	return nil
}

// configs makes a configuration for each target.
func (v *simulation) configs() ([]simulate.Config, error) {
	list, err := v.targetList()
	if err != nil {
		return nil, err
	}
	names := simulate.Names()
	out := make([]simulate.Config, len(list))
	for i, t := range list {
		c := v.cfg
		c.URL, c.Token, c.Seed = t.URL, t.Token, v.cfg.Seed+uint64(i)
		switch {
		case t.Dialect != "":
			c.Dialect = t.Dialect
		case c.Dialect == simulate.Mix:
			c.Dialect = names[i%(len(names)-1)] // the last one is mix itself
		}
		if err := scimRoot(c.URL); err != nil {
			return nil, err
		}
		out[i] = c
	}
	return out, nil
}

func (v *simulation) targetList() ([]target, error) {
	one := v.cfg.URL != "" || v.tokenFile != "" || v.readyFile != ""
	switch {
	case v.targets != "" && one:
		return nil, &failure{exit: exitUsage, why: errors.New("--targets names servers and tokens already"), todo: "leave out --url, --token-file and --ready-file"}
	case v.targets != "":
		return readTargets(v.targets)
	case v.cfg.Dialect == simulate.Mix:
		return nil, &failure{exit: exitUsage, why: errors.New("mix plays at many servers"), todo: "name them with --targets"}
	}
	t := target{URL: v.cfg.URL}
	if v.readyFile != "" {
		r, err := readReady(v.readyFile)
		if err != nil {
			return nil, err
		}
		t.Token = r.SCIMToken
		if t.URL == "" {
			t.URL = r.SCIMURL
		}
	}
	if v.tokenFile != "" {
		token, err := config.ReadSecretFile(v.tokenFile)
		if err != nil {
			return nil, &failure{exit: exitConfig, what: "cannot read the SCIM token", why: err, todo: "check the path and its permissions"}
		}
		t.Token = string(token)
	}
	switch {
	case t.URL == "":
		return nil, &failure{exit: exitUsage, why: errors.New("no SCIM root is given"), todo: "use --url, --ready-file or --targets"}
	case t.Token == "":
		return nil, &failure{exit: exitForbidden, why: errors.New("no SCIM token is given"), todo: "name a file with --token-file or --ready-file"}
	}
	return []target{t}, nil
}

func readReady(path string) (ready, error) {
	var r ready
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		return r, &failure{exit: exitConfig, what: "cannot read the ready file", why: err, todo: "give the file that \"usher serve --ready-file\" has written"}
	}
	return r, nil
}

// readTargets reads a file with one JSON object in each line.
func readTargets(path string) ([]target, error) {
	wrong := func(err error) error {
		return &failure{exit: exitConfig, what: "cannot read the targets", why: err, todo: `write a line {"url": "…", "token": "…"} for each server`}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, wrong(err)
	}
	var list []target
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var t target
		dec := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&t); err != nil {
			return nil, wrong(fmt.Errorf("line %d: %w", n, err))
		}
		if t.URL == "" || t.Token == "" {
			return nil, wrong(fmt.Errorf("line %d has no url or no token", n))
		}
		list = append(list, t)
	}
	if err := lines.Err(); err != nil {
		return nil, wrong(err)
	}
	if len(list) == 0 {
		return nil, wrong(errors.New("the file names no server"))
	}
	return list, nil
}

// scimRoot refuses addresses to which a token must not be sent.
func scimRoot(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "http" && u.Scheme != "https") {
		return &failure{exit: exitUsage, why: fmt.Errorf("%q is not the address of a SCIM root", address), todo: "give a URL such as https://scim.example.com/scim/v2"}
	}
	if u.Scheme == "http" && !config.IsLoopback(u.Hostname()) {
		return &failure{exit: exitUsage, why: errors.New("the SCIM token would travel in the clear to " + u.Host), todo: "use its https address"}
	}
	return nil
}
