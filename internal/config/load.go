package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"
	"github.com/goccy/go-yaml"
)

const fileLimit = 1 << 20 // bytes of a configuration or secret file

// Input is what Load reads from besides files.
type Input struct {
	File  string            // configuration file asked for; "" looks in the usual places
	Env   map[string]string // the environment
	Flags map[string]string // setting key to value, of the flags that were given
}

// Loaded is a configuration and where it came from.
type Loaded struct {
	Config
	File     string            // the configuration file that was read, or ""
	Origin   map[string]string // setting key to its origin: default, file …, variable …, flag
	Warnings []string          // what is odd but does no harm
}

// Fault is one thing that is wrong with the configuration.
type Fault struct {
	Key    string // the setting, or ""
	Origin string // where its value came from
	Reason string // what is wrong and what to do
}

// Error names the setting, its origin and the remedy.
func (f *Fault) Error() string {
	switch {
	case f.Key == "":
		return f.Reason
	case f.Origin == "" || f.Origin == "default":
		return f.Key + ": " + f.Reason
	}
	return f.Key + " (" + f.Origin + "): " + f.Reason
}

// loading collects values and faults layer by layer.
type loading struct {
	Loaded
	settings []Setting
	faults   []error
}

// Load reads and checks the configuration. The error joins every [Fault]; the
// configuration is returned with it, as far as it could be read, so that it
// can be shown.
func Load(in Input) (*Loaded, error) {
	l := &loading{settings: Settings()}
	l.Config = Default()
	l.Origin = make(map[string]string, len(l.settings))
	for _, s := range l.settings {
		l.Origin[s.Key] = "default"
	}
	l.readFile(in)
	l.readEnv(in.Env)
	l.readFlags(in.Flags)
	l.faults = append(l.faults, l.check()...)
	return &l.Loaded, errors.Join(l.faults...)
}

func (l *loading) fault(key, origin, reason string) {
	l.faults = append(l.faults, &Fault{Key: key, Origin: origin, Reason: reason})
}

// readFile finds and reads the configuration file. One that was asked for must
// exist; the usual places may be empty.
func (l *loading) readFile(in Input) {
	path := in.File
	if path == "" {
		path = in.Env[Prefix+"CONFIG"]
	}
	if path == "" {
		path = usualFile(in.Env)
	}
	if path == "" {
		return
	}
	data, err := readSmall(path)
	if err != nil {
		l.fault("", "", fmt.Sprintf("the configuration file cannot be read: %v; check the path and its permissions", err))
		return
	}
	l.File = path
	// The first reading is for its faults only, which show the line. What it
	// decodes is thrown away: a key with nothing behind it would wipe defaults.
	var scratch Config
	if err := yaml.UnmarshalWithOptions(data, &scratch, yaml.Strict()); err != nil && !errors.Is(err, io.EOF) {
		l.fault("", "", fmt.Sprintf("the configuration file %s has a fault at %s\nCorrect the file; \"usher config show\" lists every setting.", path, unmasked.ReplaceAllString(yaml.FormatError(err, false, true), "$1***")))
		return
	}
	var tree map[string]any
	if err := yaml.Unmarshal(data, &tree); err != nil && !errors.Is(err, io.EOF) {
		l.fault("", "", fmt.Sprintf("the configuration file %s cannot be read; it must be a YAML mapping", path))
		return
	}
	for _, s := range l.settings {
		if value, ok := lookUp(tree, s.Key); ok {
			l.set(s, value, "file "+path)
		}
	}
}

// unmasked finds secrets in an excerpt of a configuration file.
var unmasked = regexp.MustCompile(`((?:password|url|secret_key|secret_key_old)["']?\s*:\s*)[^\s].*`)

func usualFile(environment map[string]string) string {
	var places []string
	if dir := environment["XDG_CONFIG_HOME"]; dir != "" {
		places = append(places, dir)
	} else if home := environment["HOME"]; home != "" {
		places = append(places, filepath.Join(home, ".config"))
	}
	for _, dir := range append(places, "/etc") {
		path := filepath.Join(dir, "usher", "usher.yaml")
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return ""
}

// ReadFile reads a file that a setting names; one of more than a megabyte is
// refused.
func ReadFile(path string) ([]byte, error) { return readSmall(path) }

func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, fileLimit+1))
	if err == nil && len(data) > fileLimit {
		err = fmt.Errorf("%s is larger than %d bytes", path, fileLimit)
	}
	return data, err
}

// lookUp gives the text of a dotted key of the YAML tree, if there is any.
func lookUp(tree map[string]any, key string) (string, bool) {
	head, rest, nested := strings.Cut(key, ".")
	switch v := tree[head].(type) {
	case nil:
		return "", false
	case map[string]any:
		if nested {
			return lookUp(v, rest)
		}
		return "", false
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = fmt.Sprint(e)
		}
		return strings.Join(parts, ","), !nested
	default:
		return fmt.Sprint(v), !nested
	}
}

// ReadSecretFile reads a secret from a file, without the line end that editors
// and tools append.
func ReadSecretFile(path string) (Secret, error) {
	data, err := readSmall(path)
	if err != nil {
		return "", err
	}
	text := strings.TrimRight(string(data), "\r\n")
	if strings.TrimSpace(text) == "" {
		return "", fmt.Errorf("%s is empty", path)
	}
	return Secret(text), nil
}

// readEnv reads the variables one by one, so that each fault has a name.
func (l *loading) readEnv(environment map[string]string) {
	known := map[string]bool{}
	for _, s := range l.settings {
		known[s.Env] = true
		value, given := environment[s.Env]
		origin := "variable " + s.Env
		if s.Secret {
			twin := s.Env + "_FILE"
			known[twin] = true
			if path := environment[twin]; path != "" {
				if value != "" {
					l.fault(s.Key, origin, "both "+s.Env+" and "+twin+" are set; keep one of them")
				}
				secret, err := ReadSecretFile(path)
				if err != nil {
					l.fault(s.Key, "variable "+twin, fmt.Sprintf("the secret cannot be read: %v", err))
					continue
				}
				value, given, origin = string(secret), true, "variable "+twin
			}
		}
		if given && value != "" {
			l.set(s, value, origin)
		}
	}
	for name := range environment {
		if strings.HasPrefix(name, Prefix) && !known[name] && !otherVariable(name) {
			l.Warnings = append(l.Warnings, "the environment variable "+name+" is not known and has no effect")
		}
	}
	slices.Sort(l.Warnings)
}

// otherVariable tells the variables that are no settings of the server.
func otherVariable(name string) bool {
	switch name {
	case Prefix + "CONFIG", Prefix + "API_URL", Prefix + "API_TOKEN", Prefix + "API_TOKEN_FILE":
		return true
	}
	return strings.HasPrefix(name, Prefix+"TEST_")
}

func (l *loading) readFlags(flags map[string]string) {
	for _, s := range l.settings {
		if value, ok := flags[s.Key]; ok {
			l.set(s, value, "flag")
		}
	}
}

func (l *loading) set(s Setting, value, origin string) {
	// The parser takes nothing for "not set". Here it is what was asked for.
	if field := reflect.ValueOf(&l.Config).Elem().FieldByIndex(s.field); value == "" && field.Kind() == reflect.String {
		field.SetString("")
	}
	err := env.ParseWithOptions(&l.Config, env.Options{Prefix: Prefix, Environment: map[string]string{s.Env: value}})
	if err == nil {
		l.Origin[s.Key] = origin
		return
	}
	shown := fmt.Sprintf("%q", value)
	if s.Secret {
		shown = "the value"
	}
	l.fault(s.Key, origin, shown+" does not fit. "+s.Doc)
}
