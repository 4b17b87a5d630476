package config

import (
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"time"
)

// Prefix begins the name of every environment variable of the program.
const Prefix = "USHER_"

// Config is every setting of the server.
type Config struct {
	Listen         string   `yaml:"listen" env:"LISTEN" doc:"Address of the main listener, host:port; port 0 takes a free one."`
	PublicURL      string   `yaml:"public_url" env:"PUBLIC_URL" doc:"URL under which clients reach the server, by default the address of the listener; every link is made from it."`
	Redis          Redis    `yaml:"redis" envPrefix:"REDIS_"`
	TLS            TLS      `yaml:"tls" envPrefix:"TLS_"`
	Metrics        Metrics  `yaml:"metrics" envPrefix:"METRICS_"`
	Log            Log      `yaml:"log" envPrefix:"LOG_"`
	Limits         Limits   `yaml:"limits" envPrefix:"LIMITS_"`
	Jobs           Jobs     `yaml:"jobs" envPrefix:"JOBS_"`
	Outbound       Outbound `yaml:"outbound" envPrefix:"OUTBOUND_"`
	DNS            DNS      `yaml:"dns" envPrefix:"DNS_"`
	SecretKey      Secret   `yaml:"secret_key" env:"SECRET_KEY" doc:"Key that seals what the store keeps of others' secrets, and makes links and codes: at least 32 random bytes in base64; empty: a key in the store, which protects from nobody who can read the store."`
	SecretKeyOld   Secret   `yaml:"secret_key_old" env:"SECRET_KEY_OLD" doc:"Keys that were secret_key before, separated by commas: what they sealed can still be read."`
	SMTP           SMTP     `yaml:"smtp" envPrefix:"SMTP_"`
	Mail           Mail     `yaml:"mail" envPrefix:"MAIL_"`
	Inbox          Inbox    `yaml:"inbox" envPrefix:"INBOX_"`
	TrustedProxies []string `yaml:"trusted_proxies" env:"TRUSTED_PROXIES" doc:"Addresses or CIDRs of proxies that end TLS in front; X-Forwarded-For is believed from them only."`
	ReadyFile      string   `yaml:"ready_file" env:"READY_FILE" doc:"JSON file written when the server is ready (mode 0600)."`
	Bootstrap      bool     `yaml:"bootstrap" env:"BOOTSTRAP" doc:"Create the organization demo and first tokens in an empty store."`
	Schemas        []string `yaml:"schemas" env:"SCHEMAS" doc:"JSON files that declare schemas and resource types for all organizations."`
	DataDir        string   `yaml:"data_dir" env:"DATA_DIR" doc:"Directory where the embedded store keeps its data, of one usher process alone; off, or empty in the file or the flag: everything is lost when usher stops. Without effect when redis.url is set."`
	Durability     string   `yaml:"durability" env:"DURABILITY" doc:"What a write survives once it is answered: local (the server has executed it), replicated (replicas have received it) or fsync (it is on disk)."`

	DurabilityReplicas     int           `yaml:"durability_replicas" env:"DURABILITY_REPLICAS" doc:"How many replicas durability replicated waits for, and fsync at most."`
	DurabilityWait         time.Duration `yaml:"durability_wait" env:"DURABILITY_WAIT" doc:"How long a write waits for replicas or disks before it is sent again; after five times as long it is answered 503."`
	DurabilityAllowMissing bool          `yaml:"durability_allow_missing" env:"DURABILITY_ALLOW_MISSING" doc:"Start with durability replicated though too few replicas follow; every write is answered 503 until they do."`
}

// Redis says where the state is kept.
type Redis struct {
	URL           Secret `yaml:"url" env:"URL" doc:"redis://, redis+cluster:// or redis+sentinel:// URL of the store (rediss for TLS); empty: an embedded store, see data_dir."`
	Password      Secret `yaml:"password" env:"PASSWORD" doc:"Password of the store, when it is not in the URL."`
	AllowEviction bool   `yaml:"allow_eviction" env:"ALLOW_EVICTION" doc:"Accept a store that may throw keys away when memory is short; it loses data."`
}

// TLS says how the main listener speaks TLS.
type TLS struct {
	Cert     string `yaml:"cert" env:"CERT" doc:"PEM file with the certificate chain; read again when it changes."`
	Key      string `yaml:"key" env:"KEY" doc:"PEM file with the private key; read again when it changes."`
	ClientCA string `yaml:"client_ca" env:"CLIENT_CA" doc:"PEM file of the authorities whose client certificates are demanded."`

	ClientCerts string `yaml:"client_certs" env:"CLIENT_CERTS" doc:"require: with tls.client_ca every client needs a certificate. request: certificates are asked for, and needed by OAuth clients bound to one only; without tls.client_ca any is taken."`
}

// Outbound says what usher may ask by itself.
type Outbound struct {
	Allow []string `yaml:"allow" env:"ALLOW" doc:"Addresses, CIDRs or hosts inside your network that issuers' keys may be fetched from; http://host:port even without TLS. Public https addresses need no entry."`
}

// DNS says whom usher asks for the records of mail domains.
type DNS struct {
	Resolver []string `yaml:"resolver" env:"RESOLVER" doc:"DNS servers to ask for the records that verify domains, host:port, the next one when one does not answer; empty: those of this machine."`
}

// SMTP says who delivers mails.
type SMTP struct {
	URL Secret `yaml:"url" env:"URL" doc:"Mail server: smtp://user:password@host:587 (STARTTLS, without which nothing is sent), smtps://user:password@host:465 (TLS) or, on this machine only, smtp+plain://127.0.0.1:25; empty: mails stay in the inbox page of this process."`
	CA  string `yaml:"ca" env:"CA" doc:"PEM file with the authorities to believe about the mail server, instead of the machine's."`
}

// Mail says what mails look like.
type Mail struct {
	From string `yaml:"from" env:"FROM" doc:"Sender of all mails, an address with or without a name; by default mail.name and no-reply at the host of public_url."`
	Name string `yaml:"name" env:"NAME" doc:"What people know this service as; mails say it."`
}

// Inbox says where mails are shown when no mail server is set.
type Inbox struct {
	Listen string `yaml:"listen" env:"LISTEN" doc:"Loopback address of the page that shows mails while smtp.url is empty, host:port, or off: mails wait until there is a mail server."`
}

// Metrics says where the numbers are served.
type Metrics struct {
	Listen string `yaml:"listen" env:"LISTEN" doc:"Address of the listener for /metrics and the probes, host:port, or off."`
}

// Log says what is logged.
type Log struct {
	Level slog.Level `yaml:"level" env:"LEVEL" doc:"debug, info, warn or error."`
}

// Limits bounds what one organization may ask for.
type Limits struct {
	Rate  float64 `yaml:"rate" env:"RATE" doc:"SCIM requests per second and organization."`
	Burst int     `yaml:"burst" env:"BURST" doc:"SCIM requests an organization may send at once after a pause."`
}

// Jobs says what the server does beside answering.
type Jobs struct {
	Workers int `yaml:"workers" env:"WORKERS" doc:"Pieces of work that waits (settling users again, jobs, schedules) that this process does at once; 0: it leaves them to others."`
}

// Secret is text that shows itself neither in logs nor in formatted output.
type Secret string

// String hides the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "***"
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return s.String() }

// LogValue hides the secret from logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Default is the configuration of a server that nobody configured.
func Default() Config {
	return Config{
		Listen:  "127.0.0.1:8080",
		TLS:     TLS{ClientCerts: CertsRequire},
		Metrics: Metrics{Listen: "127.0.0.1:9090"},
		Limits:  Limits{Rate: 200, Burst: 400},
		Jobs:    Jobs{Workers: 8},
		Mail:    Mail{Name: "usher"},
		Inbox:   Inbox{Listen: "127.0.0.1:0"},

		Durability: DurabilityLocal, DurabilityReplicas: 1, DurabilityWait: time.Second,

		Bootstrap: true,
		DataDir:   "usher-data",
	}
}

// The values of tls.client_certs.
const (
	CertsRequire = "require"
	CertsRequest = "request"
)

// The values of durability.
const (
	DurabilityLocal      = "local"
	DurabilityReplicated = "replicated"
	DurabilityFsync      = "fsync"
)

// AsksCerts reports whether the main listener asks clients for certificates.
func (c *Config) AsksCerts() bool {
	return c.TLSOn() && (c.TLS.ClientCA != "" || c.TLS.ClientCerts == CertsRequest)
}

// TLSOn reports whether the main listener speaks TLS.
func (c *Config) TLSOn() bool { return c.TLS.Cert != "" || c.TLS.Key != "" }

// Setting is one line of the table of settings.
type Setting struct {
	Key    string // path in YAML: redis.url
	Env    string // environment variable: USHER_REDIS_URL
	Doc    string // a sentence
	Secret bool   // never shown; has a twin Env + "_FILE"
	field  []int  // index path in Config
}

// Settings lists every setting in the order of the struct.
func Settings() []Setting { return settingsOf(reflect.TypeFor[Config](), "", Prefix, nil) }

func settingsOf(t reflect.Type, path, prefix string, at []int) []Setting {
	var out []Setting
	for i := range t.NumField() {
		f := t.Field(i)
		field := append(append([]int(nil), at...), i)
		key := path + f.Tag.Get("yaml")
		if f.Type.Kind() == reflect.Struct {
			out = append(out, settingsOf(f.Type, key+".", prefix+f.Tag.Get("envPrefix"), field)...)
			continue
		}
		out = append(out, Setting{
			Key: key, Env: prefix + f.Tag.Get("env"), Doc: f.Tag.Get("doc"),
			Secret: f.Type == reflect.TypeFor[Secret](), field: field,
		})
	}
	return out
}

// Show gives the value of a setting in words, secrets masked.
func (c *Config) Show(s Setting) string {
	switch v := reflect.ValueOf(c).Elem().FieldByIndex(s.field).Interface().(type) {
	case slog.Level:
		return strings.ToLower(v.String())
	case []string:
		return strings.Join(v, ",")
	default:
		return fmt.Sprint(v)
	}
}
