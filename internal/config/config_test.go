package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLayersInOrder(t *testing.T) {
	file := write(t, "usher.yaml", "listen: 127.0.0.1:1\nmetrics:\n  listen: 127.0.0.1:2\nlog:\n  level: warn\nlimits:\n  rate: 12.5\nbootstrap: false\n")
	got, err := Load(Input{
		File: file,
		Env: map[string]string{
			"USHER_METRICS_LISTEN": "127.0.0.1:3", "USHER_LOG_LEVEL": "error", "USHER_LIMITS_BURST": "7",
			"USHER_TRUSTED_PROXIES": "10.0.0.0/8,192.0.2.1", "USHER_ODD": "x", "USHER_API_TOKEN": "ush_x",
		},
		Flags: map[string]string{"log.level": "debug"},
	})
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]string{}
	for _, s := range Settings() {
		shown[s.Key] = got.Show(s) + " <- " + got.Origin[s.Key]
	}
	want := map[string]string{
		"listen":               "127.0.0.1:1 <- file " + file,
		"public_url":           " <- default",
		"redis.url":            " <- default",
		"schemas":              " <- default",
		"redis.password":       " <- default",
		"redis.allow_eviction": "false <- default",
		"tls.cert":             " <- default",
		"tls.key":              " <- default",
		"tls.client_ca":        " <- default",
		"tls.client_certs":     "require <- default",
		"outbound.allow":       " <- default",
		"dns.resolver":         " <- default",
		"secret_key":           " <- default",
		"secret_key_old":       " <- default",
		"smtp.url":             " <- default",
		"smtp.ca":              " <- default",
		"mail.from":            " <- default",
		"mail.name":            "usher <- default",
		"inbox.listen":         "127.0.0.1:0 <- default",
		"metrics.listen":       "127.0.0.1:3 <- variable USHER_METRICS_LISTEN",
		"log.level":            "debug <- flag",
		"limits.rate":          "12.5 <- file " + file,
		"limits.burst":         "7 <- variable USHER_LIMITS_BURST",
		"jobs.workers":         "8 <- default",
		"trusted_proxies":      "10.0.0.0/8,192.0.2.1 <- variable USHER_TRUSTED_PROXIES",
		"ready_file":           " <- default",
		"bootstrap":            "false <- file " + file,
		"data_dir":             "usher-data <- default",
		"durability":           "local <- default",
		"durability_replicas":  "1 <- default",
		"durability_wait":      "1s <- default",

		"durability_allow_missing": "false <- default",
	}
	if d := cmp.Diff(want, shown); d != "" {
		t.Errorf("settings (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"the environment variable USHER_ODD is not known and has no effect"}, got.Warnings); d != "" {
		t.Errorf("warnings (-want +got):\n%s", d)
	}
}

func TestEverySettingIsDocumented(t *testing.T) {
	for _, s := range Settings() {
		if s.Key == "" || strings.HasSuffix(s.Key, ".") || !strings.HasSuffix(s.Doc, ".") {
			t.Errorf("setting %+v lacks a name or a sentence", s)
		}
		if want := Prefix + strings.ToUpper(strings.ReplaceAll(s.Key, ".", "_")); s.Env != want {
			t.Errorf("%s has the variable %s, want %s", s.Key, s.Env, want)
		}
	}
}

func TestFaults(t *testing.T) {
	tests := []struct {
		name string
		yaml string
		in   Input
		want []string // each must be in the error
	}{
		{
			"all at once", "listen: nowhere\nlimits:\n  rate: -1\n",
			Input{
				Env: map[string]string{
					"USHER_LOG_LEVEL": "loud", "USHER_BOOTSTRAP": "perhaps", "USHER_TRUSTED_PROXIES": "10.0.0.0/99",
				},
				Flags: map[string]string{"public_url": "ftp://x"},
			},
			[]string{
				`listen (file `, `"nowhere" is not an address`, "limits.rate (file ", `log.level (variable USHER_LOG_LEVEL): "loud" does not fit`,
				"bootstrap (variable USHER_BOOTSTRAP)", `"10.0.0.0/99" is neither`, `public_url (flag): "ftp://x"`,
			},
		},
		{"unknown key with excerpt", "listen: 127.0.0.1:0\nlissten: x\n", Input{}, []string{`unknown field "lissten"`, "[2:1]", "> "}},
		{"doubled key", "listen: 127.0.0.1:0\nlisten: 127.0.0.1:1\n", Input{}, []string{"already defined"}},
		{"missing file", "", Input{File: "/does/not/exist.yaml"}, []string{"/does/not/exist.yaml", "check the path"}},
		{
			"open listener without TLS", "",
			Input{Flags: map[string]string{"listen": "0.0.0.0:8080"}},
			[]string{"listen (flag)", "tls.cert", "trusted_proxies", "127.0.0.1", "public_url"},
		},
		{"every interface", "", Input{Flags: map[string]string{"listen": ":8080"}}, []string{"listen (flag)"}},
		{"half of TLS", "", Input{Flags: map[string]string{"tls.cert": "/does/not/exist.pem"}}, []string{"tls.key", "set both", "tls.cert (flag): the file cannot be read"}},
		{"client certificates without TLS", "tls: {client_certs: request}", Input{}, []string{"tls.client_certs", "client certificates need TLS"}},
		{"client certificates somehow", "tls: {client_certs: maybe}", Input{}, []string{"tls.client_certs", "neither require nor request"}},
		{"an exemption that is none", "outbound: {allow: ['*.corp.example']}", Input{}, []string{"outbound.allow", "idp.corp.example"}},
		{"client CA without TLS", "", Input{Flags: map[string]string{"tls.client_ca": "/does/not/exist.pem"}}, []string{"tls.client_ca (flag): client certificates need TLS"}},
		{"too many workers", "jobs: {workers: 257}", Input{}, []string{"jobs.workers (file ", "257 is not between 0 and 256"}},
		{"port", "", Input{Flags: map[string]string{"listen": "127.0.0.1:70000"}}, []string{`"70000" is not a port`}},
		{"public URL with a user", "", Input{Flags: map[string]string{"public_url": "https://u:p@x"}}, []string{"no user, query or fragment"}},
		{"a database of a cluster", "", Input{Env: map[string]string{"USHER_REDIS_URL": "redis+cluster://h:1/2"}}, []string{"redis.url", "only number 0"}},
		{"Sentinels without a name", "", Input{Env: map[string]string{"USHER_REDIS_URL": "redis+sentinel://h:1"}}, []string{"redis.url", "name the primary"}},
		{"password twice", "", Input{Env: map[string]string{"USHER_REDIS_URL": "redis://:one@h:1", "USHER_REDIS_PASSWORD": "two"}}, []string{"keep one"}},
		{"password alone", "", Input{Env: map[string]string{"USHER_REDIS_PASSWORD": "two"}}, []string{"no effect without redis.url"}},
		{
			"secret and its file", "",
			Input{Env: map[string]string{"USHER_REDIS_URL": "redis://h:1", "USHER_REDIS_URL_FILE": "/does/not/exist"}},
			[]string{"both USHER_REDIS_URL and USHER_REDIS_URL_FILE", "the secret cannot be read"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.yaml != "" {
				tt.in.File = write(t, "usher.yaml", tt.yaml)
			}
			_, err := Load(tt.in)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error lacks %q:\n%v", want, err)
				}
			}
		})
	}
}

// No message may hold a secret, wherever it came from.
func TestSecretsStayHidden(t *testing.T) {
	const secret = "hunter2hunter2"
	inputs := []Input{
		{Env: map[string]string{"USHER_REDIS_URL": "redis://:" + secret + "@h:bad:port"}},
		{Env: map[string]string{"USHER_REDIS_URL": secret}},
		{Flags: map[string]string{"redis.url": "http://" + secret + "@h"}},
		{File: write(t, "a.yaml", "redis:\n  url: redis://:"+secret+"@h\n  pasword: x\n")},
		{File: write(t, "b.yaml", "redis:\n  password: ["+secret+"]\n")},
		{File: write(t, "c.yaml", "redis:\n  \"password\": "+secret+"\n  : [\n")},
		{Env: map[string]string{"USHER_REDIS_PASSWORD": secret}},
	}
	for i, in := range inputs {
		got, err := Load(in)
		if err == nil {
			t.Errorf("input %d: no error", i)
			continue
		}
		all := err.Error() + strings.Join(got.Warnings, " ") + fmt.Sprintf("%v %+v %#v", got.Config, got.Config, got.Config)
		for _, s := range Settings() {
			all += got.Show(s)
		}
		if strings.Contains(all, secret) {
			t.Errorf("input %d shows the secret:\n%s", i, all)
		}
	}
}

func TestSecretFiles(t *testing.T) {
	got, err := Load(Input{Env: map[string]string{
		"USHER_REDIS_URL_FILE":      write(t, "url", "redis://user@h:6379/1\n"),
		"USHER_REDIS_PASSWORD_FILE": write(t, "password", "p@ss word\r\n"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if want := Secret("redis://user:p%40ss%20word@h:6379/1"); got.Redis.URL != want {
		t.Errorf("redis.url = %q, want %q", string(got.Redis.URL), string(want))
	}
	if want := "variable USHER_REDIS_URL_FILE"; got.Origin["redis.url"] != want {
		t.Errorf("origin %q, want %q", got.Origin["redis.url"], want)
	}
	if _, err := ReadSecretFile(write(t, "empty", "\n")); err == nil {
		t.Error("an empty secret file is accepted")
	}
}

func TestUsualPlaces(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "usher"), 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "usher", "usher.yaml")
	if err := os.WriteFile(path, []byte("# nothing set\nlimits:\n#  rate: 1\nlisten:\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Load(Input{Env: map[string]string{"XDG_CONFIG_HOME": dir}})
	if err != nil || got.File != path {
		t.Errorf("file %q, err %v; want %q", got.File, err, path)
	}
}

func TestAccepted(t *testing.T) {
	for _, flags := range []map[string]string{
		{"listen": "127.0.0.1:0", "metrics.listen": "off"},
		{"listen": "[::1]:0"},
		{"listen": "localhost:80", "public_url": "https://id.example.com/"},
		{"listen": "0.0.0.0:8080", "trusted_proxies": "10.1.2.3", "public_url": "https://id.example.com"},
		{"redis.url": "rediss://u:p@h:1/2"},
	} {
		if _, err := Load(Input{Flags: flags}); err != nil {
			t.Errorf("%v: %v", flags, err)
		}
	}
}

func FuzzFile(f *testing.F) {
	f.Add("listen: 127.0.0.1:0\n")
	f.Add("redis: {url: x}\ntrusted_proxies: [a, b]\n")
	f.Add("log: *a\n")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := Load(Input{File: write(t, "f.yaml", text)})
		if got == nil {
			t.Fatal("no configuration")
		}
		if err != nil && err.Error() == "" {
			t.Fatal("an error without words")
		}
	})
}

func TestDataDir(t *testing.T) {
	for _, c := range []struct {
		env, flags map[string]string
		want       string
		warned     bool
	}{
		{nil, nil, "usher-data", false},
		{nil, map[string]string{"data_dir": ""}, "", false},
		{nil, map[string]string{"data_dir": "off"}, "", false},
		{map[string]string{"USHER_DATA_DIR": "off"}, nil, "", false},
		{map[string]string{"USHER_DATA_DIR": "/d"}, nil, "/d", false},
		{map[string]string{"USHER_DATA_DIR": "/d"}, map[string]string{"redis.url": "redis://h:1"}, "", true},
		{nil, map[string]string{"redis.url": "redis://h:1"}, "", false},
		{nil, map[string]string{"redis.url": "redis://h:1", "data_dir": "off"}, "", false},
	} {
		got, err := Load(Input{Env: c.env, Flags: c.flags})
		if err != nil || got.DataDir != c.want || (len(got.Warnings) > 0) != c.warned {
			t.Errorf("%v, %v: %q, warnings %q, %v; want %q", c.env, c.flags, got.DataDir, got.Warnings, err, c.want)
		}
	}
}
