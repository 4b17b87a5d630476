package notify

import (
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/usher-scim/usher/internal/config"
)

// Security says how the connection to a mail server is protected.
type Security string

// The ways.
const (
	StartTLS Security = "smtp"       // begins in the clear, and goes on with TLS or not at all
	Implicit Security = "smtps"      // TLS from the first byte
	Plain    Security = "smtp+plain" // none; on this machine only
)

// Server is a mail server that takes messages for delivery.
type Server struct {
	Host           string
	Port           int
	Security       Security
	User, Password string // both empty: no authentication
}

// ParseServer reads the URL of a mail server: smtp://user:password@host:587,
// smtps://host:465 or, on this machine only, smtp+plain://127.0.0.1:25. Errors name
// the fault and never hold the URL.
func ParseServer(raw string) (Server, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil {
		return Server{}, errors.New("it cannot be read as a URL; percent-encode special characters of user and password")
	}
	s := Server{Host: u.Hostname(), Security: Security(u.Scheme), User: u.User.Username()}
	s.Password, _ = u.User.Password()
	usual := map[Security]int{StartTLS: 587, Implicit: 465, Plain: 25}
	switch {
	case usual[s.Security] == 0:
		return Server{}, errors.New("it must begin with smtp:// (STARTTLS), smtps:// (TLS from the beginning) or, on this machine only, smtp+plain://")
	case s.Host == "":
		return Server{}, errors.New("it names no host; write for example smtp://user:password@mail.example.com:587")
	case u.Path != "" && u.Path != "/", u.RawQuery != "", u.Fragment != "", u.ForceQuery:
		return Server{}, errors.New("it must end with the port; take away what comes behind it")
	case (s.User == "") != (s.Password == ""):
		return Server{}, errors.New("it needs both a user and a password, or neither")
	case strings.ContainsFunc(s.User+s.Password, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return Server{}, errors.New("user and password must not hold control characters")
	case s.Security == Plain && !config.IsLoopback(s.Host):
		return Server{}, errors.New("smtp+plain:// sends links and passwords in the clear, so it works on 127.0.0.1 and localhost only; use smtp:// or smtps://")
	}
	s.Port = usual[s.Security]
	if p := u.Port(); p != "" {
		if s.Port, err = strconv.Atoi(p); err != nil || s.Port < 1 || s.Port > 65535 {
			return Server{}, errors.New("the port is not between 1 and 65535")
		}
	}
	return s, nil
}

// address is where to connect to.
func (s Server) address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }
