package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/usher-scim/usher/internal/config"
)

// serverFlags maps the flags of the server to their settings. Whatever else
// there is to set has no flag.
func serverFlags() [][3]string {
	return [][3]string{
		{"listen", "listen", "address of the main listener; port 0 takes a free one (default 127.0.0.1:8080)"},
		{"public-url", "public_url", "URL under which clients reach usher (default: the listener's)"},
		{"redis", "redis.url", "redis://, redis+cluster:// or redis+sentinel:// URL of the store (default: an embedded one, see --data-dir); give a password by USHER_REDIS_PASSWORD_FILE"},
		{"data-dir", "data_dir", "directory of the embedded store's data (default usher-data); \"\" or off: nothing is kept"},
		{"durability", "durability", "what a write survives once it is answered: local, replicated (WAIT) or fsync (default local)"},
		{"tls-cert", "tls.cert", "PEM file with the certificate chain, read again when it changes"},
		{"tls-key", "tls.key", "PEM file with the private key"},
		{"client-ca", "tls.client_ca", "PEM file of authorities whose client certificates are demanded"},
		{"trusted-proxies", "trusted_proxies", "addresses or CIDRs of proxies that end TLS in front, separated by commas"},
		{"metrics-listen", "metrics.listen", "address of the listener for /metrics and the probes, or off (default 127.0.0.1:9090)"},
		{"log-level", "log.level", "debug, info, warn or error (default info)"},
		{"ready-file", "ready_file", "JSON file to write when usher is ready"},
	}
}

// addServerFlags gives a command the flags of the server.
func addServerFlags(flags *pflag.FlagSet) {
	flags.String("config", "", "YAML file with settings (default $XDG_CONFIG_HOME/usher/usher.yaml or /etc/usher/usher.yaml, if there)")
	for _, f := range serverFlags() {
		flags.String(f[0], "", f[2])
	}
	flags.Bool("no-bootstrap", false, "do not create the organization demo and tokens in an empty store")
	flags.Bool("issue-api-token", false, "issue an API token for operators and show it once, for when all others are lost")
}

// loadConfig reads the configuration with the flags of a command.
func (p *program) loadConfig(flags *pflag.FlagSet) (*config.Loaded, error) {
	in := config.Input{Env: p.env, Flags: map[string]string{}}
	var err error
	if in.File, err = flags.GetString("config"); err != nil {
		return nil, err
	}
	for _, f := range serverFlags() {
		if flags.Changed(f[0]) {
			in.Flags[f[1]] = flags.Lookup(f[0]).Value.String()
		}
	}
	if f := flags.Lookup("no-bootstrap"); f != nil && f.Value.String() == "true" {
		in.Flags["bootstrap"] = "false"
	}
	loaded, err := config.Load(in)
	_, schemas := declaredForAll(loaded)
	if faults := slices.Concat(each(err), each(schemas), mailFaults(loaded)); len(faults) > 0 {
		return loaded, &failure{exit: exitConfig, what: "the configuration has faults", why: indented{errors.Join(faults...)}}
	}
	return loaded, nil
}

// indented puts each of several faults on a line of its own.
type indented struct{ err error }

// Error lists the faults below each other.
func (e indented) Error() string {
	var text strings.Builder
	for _, err := range each(e.err) {
		text.WriteString("\n  - " + err.Error())
	}
	return text.String()
}

// each gives the errors that were joined into one, or the one.
func each(err error) []error {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		return many.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

// Unwrap gives the faults.
func (e indented) Unwrap() error { return e.err }

func newConfigCommand(p *program) *cobra.Command {
	var address string
	check := &cobra.Command{
		Use: "check", Short: "Check the configuration; exit 3 if it has faults", Args: wants(),
		Long: "Check the configuration; exit 3 if it has faults. With --mail, try the settings of mails\n" +
			"as well: send one message, and say what the mail server answered.",
		Example: "  usher config check\n  usher config check --config /etc/usher/usher.yaml --mail me@example.com",
	}
	check.Flags().StringVar(&address, "mail", "", "send a message to this address with the settings of mails")
	check.RunE = action(func(ctx context.Context, cmd *cobra.Command, _ []string) error {
		loaded, err := p.loadConfig(cmd.Flags())
		p.warn(loaded)
		if err != nil {
			return err
		}
		if _, err = fmt.Fprintln(p.stdout, "the configuration is sound"); err != nil || address == "" {
			return err
		}
		return p.tryMail(ctx, loaded, address)
	})
	var output string
	show := &cobra.Command{Use: "show", Short: "Show every setting, its value and where it came from", Args: wants()}
	show.RunE = action(func(_ context.Context, cmd *cobra.Command, _ []string) error {
		if err := badOutput(output); err != nil {
			return err
		}
		loaded, fault := p.loadConfig(cmd.Flags())
		if loaded == nil {
			return fault
		}
		p.warn(loaded)
		if err := p.showConfig(output, loaded); err != nil {
			return err
		}
		return fault
	})
	addOutputFlag(show, &output)
	addServerFlags(check.Flags())
	addServerFlags(show.Flags())
	return nounCommand("config", "Check and show the configuration of the server", check, show)
}

// shownSetting is one setting in the output.
type shownSetting struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Origin string `json:"origin"`
	Env    string `json:"env"`
	Doc    string `json:"doc"`
}

func (p *program) showConfig(output string, loaded *config.Loaded) error {
	var list []shownSetting
	for _, s := range config.Settings() {
		list = append(list, shownSetting{s.Key, loaded.Show(s), loaded.Origin[s.Key], s.Env, s.Doc})
	}
	return p.print(output, list, func() table {
		t := table{head: []string{"SETTING", "VALUE", "ORIGIN", "VARIABLE"}}
		for _, s := range list {
			t.rows = append(t.rows, []string{s.Key, s.Value, s.Origin, s.Env})
		}
		return t
	})
}

func (p *program) warn(loaded *config.Loaded) {
	if loaded == nil {
		return
	}
	for _, w := range loaded.Warnings {
		fmt.Fprintln(p.stderr, "warning: "+w)
	}
}
