package redisurl

import (
	"errors"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Kind is how the servers behind a URL belong together.
type Kind int

// The kinds.
const (
	Single   Kind = iota // one server, or any node of a cluster
	Cluster              // nodes of a Redis Cluster
	Sentinel             // Sentinels that know which server is the primary
)

// URL is what a store's URL says.
type URL struct {
	Kind     Kind
	TLS      bool
	User     string // empty: the server's default user
	Password string
	Addrs    []string // host:port of the server, of cluster nodes or of Sentinels; at least one
	Name     string   // of the primary, as Sentinels know it
	DB       int      // 0 on a cluster
	// SentinelUser and SentinelPassword are for the Sentinels themselves.
	SentinelUser, SentinelPassword string
	// Options are the further settings of a single server, as written.
	Options string
}

// The forms, for messages and for help.
const (
	SingleForm   = "redis://[user:password@]host:port[/db]"
	ClusterForm  = "redis+cluster://[user:password@]host:port,host:port,..."
	SentinelForm = "redis+sentinel://[user:password@]host:port,host:port,.../name-of-the-primary[/db]"
)

var schemes = map[string]URL{
	"redis":           {Kind: Single},
	"rediss":          {Kind: Single, TLS: true},
	"redis+cluster":   {Kind: Cluster},
	"rediss+cluster":  {Kind: Cluster, TLS: true},
	"redis+sentinel":  {Kind: Sentinel},
	"rediss+sentinel": {Kind: Sentinel, TLS: true},
}

const (
	serverPort   = "6379"
	sentinelPort = "26379"
)

// Parse reads a URL. An error completes the sentence "the Redis URL …" and says
// what to write instead; it quotes nothing of the text.
func Parse(text string) (URL, error) {
	scheme, rest, found := strings.Cut(text, "://")
	u, ok := schemes[scheme]
	if !found || !ok {
		return URL{}, errors.New("must begin with redis://, redis+cluster:// or redis+sentinel:// (rediss for TLS)")
	}
	if strings.Contains(rest, "#") {
		return URL{}, errors.New("must not contain #; percent-encode special characters of the password (# is %23)")
	}
	rest, query, _ := strings.Cut(rest, "?")
	authority, path, _ := strings.Cut(rest, "/")
	if err := u.parseUser(&authority); err != nil {
		return URL{}, err
	}
	if err := u.parseHosts(authority); err != nil {
		return URL{}, err
	}
	if err := u.parsePath(path); err != nil {
		return URL{}, err
	}
	return u, u.parseQuery(query)
}

// parseUser takes user and password off the authority.
func (u *URL) parseUser(authority *string) error {
	at := strings.LastIndexByte(*authority, '@')
	if at < 0 {
		return nil
	}
	user, pass, _ := strings.Cut((*authority)[:at], ":")
	*authority = (*authority)[at+1:]
	var err1, err2 error
	u.User, err1 = url.PathUnescape(user)
	u.Password, err2 = url.PathUnescape(pass)
	if err1 != nil || err2 != nil {
		return errors.New("has a user or password with a % that begins no percent-encoding; write %25 for %")
	}
	return nil
}

func (u *URL) parseHosts(list string) error {
	for host := range strings.SplitSeq(list, ",") {
		addr, ok := u.address(host)
		if !ok {
			return errors.New("has no host, or one that is not host:port; separate several with commas, write IPv6 addresses in brackets and percent-encode special characters of the password")
		}
		if !slices.Contains(u.Addrs, addr) {
			u.Addrs = append(u.Addrs, addr)
		}
	}
	if u.Kind == Single && len(u.Addrs) > 1 {
		return errors.New("names several servers; write redis+cluster:// for a cluster or redis+sentinel:// for Sentinels")
	}
	return nil
}

// address completes a host with the usual port.
func (u *URL) address(text string) (string, bool) {
	port := serverPort
	if u.Kind == Sentinel {
		port = sentinelPort
	}
	host, rest := text, ""
	if inside, ok := strings.CutPrefix(text, "["); ok {
		var closed bool
		if host, rest, closed = strings.Cut(inside, "]"); !closed || net.ParseIP(host) == nil || !strings.Contains(host, ":") {
			return "", false
		}
	} else {
		if i := strings.IndexByte(text, ':'); i >= 0 {
			host, rest = text[:i], text[i:]
		}
		if host == "" || strings.Trim(strings.ToLower(host), "abcdefghijklmnopqrstuvwxyz0123456789.-_") != "" || strings.ContainsAny(host, "@[] ") {
			return "", false
		}
	}
	if rest != "" {
		n, err := strconv.ParseUint(strings.TrimPrefix(rest, ":"), 10, 16)
		if err != nil || n == 0 || rest[0] != ':' {
			return "", false
		}
		port = strconv.FormatUint(n, 10)
	}
	return net.JoinHostPort(host, port), true
}

func (u *URL) parsePath(path string) error {
	db := path
	if u.Kind == Sentinel {
		u.Name, db, _ = strings.Cut(path, "/")
		if u.Name == "" || strings.ContainsFunc(u.Name, outsideName) {
			return errors.New("must name the primary behind the Sentinels: " + SentinelForm)
		}
	}
	if db == "" {
		return nil
	}
	n, err := strconv.ParseUint(db, 10, 16)
	if err != nil {
		return errors.New("has a path that is not the number of a database, such as /0")
	}
	if u.Kind == Cluster && n != 0 {
		return errors.New("chooses a database, and a cluster has only number 0; leave the path out")
	}
	u.DB = int(n)
	return nil
}

// outsideName tells what cannot stand in a name that Sentinels know.
func outsideName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(".-_", r)
}

func (u *URL) parseQuery(query string) error {
	if u.Kind == Single {
		u.Options = query
		return nil
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return errors.New("has options behind ? that cannot be read")
	}
	u.SentinelUser, u.SentinelPassword = values.Get("sentinel_user"), values.Get("sentinel_password")
	delete(values, "sentinel_user")
	delete(values, "sentinel_password")
	switch {
	case len(values) > 0:
		return errors.New("has options behind ? that are not known; only sentinel_user and sentinel_password are, with redis+sentinel://")
	case u.Kind == Cluster && query != "":
		return errors.New("has options behind ?, and a cluster has none")
	case u.SentinelUser != "" && u.SentinelPassword == "":
		return errors.New("has a sentinel_user without a sentinel_password")
	}
	return nil
}

// WithPassword is the URL with the password.
func (u URL) WithPassword(password string) URL {
	u.Password = password
	return u
}

// String writes the URL so that [Parse] reads the same. It holds the passwords.
func (u URL) String() string {
	var b strings.Builder
	b.WriteString("redis")
	if u.TLS {
		b.WriteByte('s')
	}
	b.WriteString([...]string{Single: "://", Cluster: "+cluster://", Sentinel: "+sentinel://"}[u.Kind])
	if u.Password != "" {
		b.WriteString(url.UserPassword(u.User, u.Password).String() + "@")
	} else if u.User != "" {
		b.WriteString(url.User(u.User).String() + "@")
	}
	b.WriteString(strings.Join(u.Addrs, ","))
	if u.Kind == Sentinel {
		b.WriteString("/" + u.Name)
	}
	if u.DB != 0 {
		b.WriteString("/" + strconv.Itoa(u.DB))
	}
	query := url.Values{}
	if u.SentinelUser != "" {
		query.Set("sentinel_user", u.SentinelUser)
	}
	if u.SentinelPassword != "" {
		query.Set("sentinel_password", u.SentinelPassword)
	}
	if options := query.Encode() + u.Options; options != "" {
		b.WriteString("?" + options)
	}
	return b.String()
}
