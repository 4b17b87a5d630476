package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/usher-scim/usher/backend"
	"github.com/usher-scim/usher/internal/config"
)

func document(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// settingsTable is the table of docs/configuration.md.
func settingsTable() string {
	flags := map[string]string{"bootstrap": "`--no-bootstrap`"}
	for _, f := range serverFlags() {
		flags[f[1]] = "`--" + f[0] + "`"
	}
	usual := config.Default()
	var b strings.Builder
	b.WriteString("| Setting | Variable | Flag | Default | Meaning |\n|---|---|---|---|---|\n")
	for _, s := range config.Settings() {
		value, variable := usual.Show(s), "`"+s.Env+"`"
		if value != "" {
			value = "`" + value + "`"
		}
		if s.Secret {
			variable += ", `" + s.Env + "_FILE`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", s.Key, variable, flags[s.Key], value, s.Doc)
	}
	return b.String()
}

// TestConfigurationDocument: the table of settings is that of the program.
func TestConfigurationDocument(t *testing.T) {
	if table := settingsTable(); !strings.Contains(document(t, "configuration.md"), "\n\n"+table+"\n") {
		t.Errorf("docs/configuration.md must hold this table:\n%s", table)
	}
}

// TestOperationsDocument: it tells the rights in Redis that are needed.
func TestOperationsDocument(t *testing.T) {
	if !strings.Contains(document(t, "operations.md"), "`"+backend.NeededRights+"`") {
		t.Errorf("docs/operations.md must tell that usher's user in Redis needs `%s`", backend.NeededRights)
	}
}

var flagWord = regexp.MustCompile(`--[a-z][a-z-]*`)

// told reports whether a command is, or holds, commands that are told as data:
// the document has a table for them.
func told(c *cobra.Command) bool {
	for ; c.HasParent(); c = c.Parent() {
		if c.GroupID == "people" || c.GroupID == "rights" || c.Name() == "settings" || c.Name() == "admin" {
			return true
		}
	}
	return false
}

// verbTable is the section of a noun whose commands are told as data.
func verbTable(noun *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## `usher %s`\n\n%s.\n\n| Command | What it does | Flags |\n|---|---|---|\n", noun.Name(), noun.Short)
	for _, c := range noun.Commands() {
		var flags []string
		c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "output" && f.Name != "help" {
				flags = append(flags, "`--"+f.Name+"` "+strings.ReplaceAll(f.Usage, "|", "\\|"))
			}
		})
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", strings.TrimPrefix(c.Use, "usher "), c.Short, strings.Join(flags, "; "))
	}
	return b.String()
}

// TestCommandLineDocument: every command has a section with all its flags and
// no others, and every exit code a row.
func TestCommandLineDocument(t *testing.T) {
	text := document(t, "cli.md")
	sections := map[string]string{}
	for _, part := range strings.Split(text, "\n## ")[1:] {
		head, body, _ := strings.Cut(part, "\n")
		sections[strings.Trim(head, "`")] = body
	}
	tables := ""
	walk(newRootCommand(&program{}), func(c *cobra.Command) {
		use := strings.TrimSuffix(c.UseLine(), " [flags]")
		if told(c) {
			if c.HasSubCommands() {
				tables += "\n" + verbTable(c)
				delete(sections, use)
			}
			return
		}
		body, ok := sections[use]
		if !ok {
			t.Errorf("docs/cli.md has no section `%s`", use)
			return
		}
		delete(sections, use)
		var want []string
		c.LocalFlags().VisitAll(func(f *pflag.Flag) { want = append(want, "--"+f.Name) })
		got := flagWord.FindAllString(body, -1)
		slices.Sort(want)
		slices.Sort(got)
		got = slices.Compact(got)
		if !slices.Equal(got, want) {
			t.Errorf("docs/cli.md tells of `%s` the flags %v, it has %v", use, got, want)
		}
	})
	if !strings.HasSuffix(text, tables) {
		t.Errorf("docs/cli.md must end with:\n%s", tables)
	}
	delete(sections, "Exit codes")
	delete(sections, "Commands of administrators")
	for use := range sections {
		t.Errorf("docs/cli.md has a section `%s`, but there is no such command", use)
	}
	for _, code := range []int{
		exitOK, exitFailure, exitUsage, exitConfig, exitNotFound, exitConflict, exitForbidden, exitUnavailable, exitInterrupted,
	} {
		if !strings.Contains(text, fmt.Sprintf("\n| %d | ", code)) {
			t.Errorf("docs/cli.md has no row for exit code %d", code)
		}
	}
}

var (
	imageVariable = regexp.MustCompile(`(USHER_[A-Z_]+)=(\S+)`)
	withDefault   = regexp.MustCompile(`^\$\{[A-Z_]+:-(.*)\}$`)
)

// TestDeployment: what the image and compose.yaml set is what usher demands.
func TestDeployment(t *testing.T) {
	image, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	environment := map[string]string{}
	for line := range strings.SplitSeq(string(image), "\n") {
		for _, m := range imageVariable.FindAllStringSubmatch(line, -1) {
			if !strings.HasPrefix(line, "#") {
				environment[m[1]] = m[2]
			}
		}
	}
	if _, err := config.Load(config.Input{Env: environment}); err == nil {
		t.Error("the bare image starts on an open address without TLS or a trusted proxy")
	}
	text, err := os.ReadFile("../../deploy/compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var compose struct {
		Services map[string]struct {
			Environment map[string]string `yaml:"environment"`
		} `yaml:"services"`
	}
	if err := yaml.Unmarshal(text, &compose); err != nil {
		t.Fatal(err)
	}
	for name, value := range compose.Services["usher"].Environment {
		if m := withDefault.FindStringSubmatch(value); m != nil {
			value = m[1]
		}
		value = strings.ReplaceAll(value, "/run/secrets/secret_key", file(t, "c2VjcmV0IGtleSBvZiB0aGUgY29tcG9zZSBmaWxlLCBsb25nIGVub3VnaA=="))
		environment[name] = strings.ReplaceAll(value, "/run/secrets/redis_password", file(t, "secret"))
	}
	loaded, err := config.Load(config.Input{Env: environment})
	if err != nil || len(loaded.Warnings) > 0 {
		t.Fatalf("compose.yaml: %v, warnings %v", err, loaded.Warnings)
	}
	if url := probeURL(&loaded.Config); url != "http://127.0.0.1:9090/healthz" {
		t.Errorf("the image's health check asks %s", url)
	}
}

// walk visits every command that can be run for itself.
func walk(c *cobra.Command, visit func(*cobra.Command)) {
	for _, sub := range c.Commands() {
		visit(sub)
		walk(sub, visit)
	}
}
