package sso

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/usher-scim/usher/internal/i18n"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/sso/oidc"
)

// Config is what the door needs. Every field is required.
type Config struct {
	Directory *resources.Directory
	Party     *oidc.Party
	HandOff   *oidc.HandOff
	PublicURL string // of the server, without a path
	Log       *slog.Logger
	Sender    func(*http.Request) string // IP address, or network in CIDR notation, that a request comes from
}

// Door serves the pages of people. It is safe for concurrent use.
type Door struct {
	directory *resources.Directory
	party     *oidc.Party
	handOff   *oidc.HandOff
	public    *url.URL
	log       *slog.Logger
	sender    func(*http.Request) string

	texts  *i18n.Catalog
	pages  *pages
	assets *assets
	origin *http.CrossOriginProtection
	mux    *http.ServeMux
}

// Paths lists the patterns under which the door is to be mounted.
func Paths() []string {
	return []string{
		"/activate", "/activate/", "/signin", "/signout", "/forgot", "/reset", "/verify", "/me", "/me/", "/sso/", assetPath,
	}
}

// New makes the door.
func New(c Config) (*Door, error) {
	if c.Directory == nil || c.Party == nil || c.HandOff == nil || c.Log == nil || c.Sender == nil {
		return nil, errors.New("sso: every field of Config is required")
	}
	public, err := url.Parse(c.PublicURL)
	if err != nil || public.Host == "" {
		return nil, fmt.Errorf("sso: PublicURL is not an address: %q", c.PublicURL)
	}
	d := &Door{
		directory: c.Directory, party: c.Party, handOff: c.HandOff, public: public, log: c.Log, sender: c.Sender,
		origin: http.NewCrossOriginProtection(),
	}
	if err := d.origin.AddTrustedOrigin(public.Scheme + "://" + public.Host); err != nil {
		return nil, fmt.Errorf("sso: PublicURL: %w", err)
	}
	if d.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	if d.texts, err = i18n.Load(textFiles()); err != nil {
		return nil, fmt.Errorf("sso: %w", err)
	}
	if d.pages, err = parsePages(d.assets); err != nil {
		return nil, err
	}
	d.route()
	return d, nil
}

// handler answers one request; what it returns is answered by fail.
type handler func(*visit) error

// route lists every address of the door. A pattern for GET serves HEAD, too.
func (d *Door) route() {
	d.mux = http.NewServeMux()
	for pattern, h := range map[string]handler{
		"GET /activate":                         d.activatePage,
		"POST /activate":                        d.activate,
		"GET /activate/code":                    d.codePage,
		"POST /activate/code":                   d.useCode,
		"GET /activate/password":                d.createPasswordPage,
		"POST /activate/password":               d.createPassword,
		"GET /activate/name":                    d.namePage,
		"POST /activate/name":                   d.enterName,
		"GET /activate/done":                    d.donePage,
		"GET /activate/expired":                 d.expiredPage,
		"POST /activate/expired":                d.sendAgain,
		"GET /reset":                            d.resetPage,
		"POST /reset":                           d.reset,
		"GET /verify":                           d.verifyPage,
		"POST /verify":                          d.verifyAddress,
		"GET /forgot":                           d.forgotPage,
		"POST /forgot":                          d.forgot,
		"GET /signin":                           d.signInPage,
		"POST /signin":                          d.signIn,
		"GET /signout":                          d.signOutPage,
		"POST /signout":                         d.signOut,
		"GET /me":                               d.portal,
		"POST /me/name":                         d.rename,
		"GET /me/password":                      d.changePasswordPage,
		"POST /me/password":                     d.changePassword,
		"POST /me/sessions":                     d.revoke,
		"GET /sso/{org}":                        d.choosePage,
		"GET /sso/{org}/verify":                 d.forwardAuth,
		"GET /sso/{org}/jwks.json":              d.handOffKeys,
		"GET /sso/{org}/{connection}/start":     d.start,
		"GET /sso/{org}/{connection}/test":      d.test,
		"GET /sso/{org}/{connection}/callback":  d.callback,
		"GET /sso/{org}/{connection}/jwks.json": d.connectionKeys,
		"GET /activate/":                        d.nothing,
		"GET /me/":                              d.nothing,
		"GET /sso/":                             d.nothing,
	} {
		d.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { d.serve(w, r, h) })
	}
	d.mux.HandleFunc("POST /sso/{org}/{connection}/logout", d.providerLogout)
	d.mux.Handle("GET "+assetPath, d.assets)
}

// ServeHTTP sets what every answer has, and routes.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Robots-Tag", "noindex")
	h.Set("Cache-Control", "no-store")
	d.mux.ServeHTTP(w, r)
}

// policy lets pages use what usher serves, and nothing else (security X1). Forms
// lead to usher alone, see leave.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// serve answers one request of a person.
func (d *Door) serve(w http.ResponseWriter, r *http.Request, h handler) {
	v := &visit{d: d, ctx: r.Context(), w: w, r: r}
	v.read()
	err := v.admit()
	if err == nil && v.chooseLanguage() {
		return
	}
	if err == nil {
		err = h(v)
	}
	if err != nil {
		v.fail(err)
	}
}

// nothing answers for addresses that do not exist.
func (d *Door) nothing(*visit) error { return &resources.Error{Code: resources.CodeNotFound} }
