package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/usher-scim/usher/internal/jose"
	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/internal/jwks"
	"github.com/usher-scim/usher/internal/outbound"
	"github.com/usher-scim/usher/resources"
)

// lookEvery is how long what discovery said is not asked again.
const lookEvery = time.Hour

// Discover reads what an issuer publishes, for an administrator who is about to
// save a connection: the issuer must be the same to the letter, every endpoint one
// that may be asked, and the keys at hand (OpenID Connect Discovery 1.0 §4.3;
// security O7). The error is a *Fault.
func (p *Party) Discover(ctx context.Context, issuer string) (resources.Endpoints, error) {
	e, err := p.discover(ctx, issuer)
	if err != nil {
		return resources.Endpoints{}, err
	}
	if err := p.cfg.Keys.Probe(ctx, jwks.Source{Issuer: issuer, URI: e.JWKS}); err != nil {
		return resources.Endpoints{}, &Fault{Check: CheckKeys, Reason: "The provider's keys cannot be used: " + cause(err) + ".", Err: err}
	}
	return e, nil
}

func (p *Party) discover(ctx context.Context, issuer string) (resources.Endpoints, error) {
	var none resources.Endpoints
	if f := p.checkIssuer(issuer); f != nil {
		return none, f
	}
	raw, err := p.cfg.Client.Get(ctx, strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration")
	if err != nil {
		return none, &Fault{Check: CheckDiscovery, Reason: "The discovery document cannot be had: " + cause(err) + ". Check the issuer.", Err: err}
	}
	tree, err := jsontree.Parse(raw, jsontree.BodyLimits())
	if err != nil || tree.Kind != jsontree.Object {
		return none, fault(CheckDiscovery, "The discovery document is not a JSON object, or a name stands in it twice.")
	}
	doc := document{&tree}
	if got := doc.text("issuer"); got != issuer {
		return none, fault(CheckIssuer, fmt.Sprintf("The discovery document is that of the issuer %s, not of %s. Enter the issuer to the letter, the slash at the end included.", quoted(got), quoted(issuer)))
	}
	e := resources.Endpoints{
		Authorization: doc.text("authorization_endpoint"), Token: doc.text("token_endpoint"), JWKS: doc.text("jwks_uri"),
		UserInfo: doc.text("userinfo_endpoint"), EndSession: doc.text("end_session_endpoint"),
	}
	if iss := doc.flag("authorization_response_iss_parameter_supported"); iss != nil {
		e.IssParameter = *iss
	}
	if f := p.checkEndpoints(e); f != nil {
		return none, f
	}
	if algs := doc.list("id_token_signing_alg_values_supported"); len(algs) > 0 && !slices.ContainsFunc(algs, func(a string) bool { return slices.Contains(jose.Algorithms(), a) }) {
		return none, fault(CheckAlg, "The provider signs ID tokens with none of "+strings.Join(jose.Algorithms(), ", ")+".")
	}
	return e, nil
}

// checkIssuer looks at an issuer without asking it.
func (p *Party) checkIssuer(issuer string) *Fault {
	if err := p.cfg.Client.Check(issuer); err != nil {
		return &Fault{Check: CheckIssuer, Reason: "The issuer cannot be used: " + cause(err) + ". An address inside your network must be allowed by the operator (outbound.allow).", Err: err}
	}
	u, err := url.Parse(issuer)
	if err != nil || u.RawQuery != "" || u.ForceQuery || len(issuer) > 1024 {
		return fault(CheckIssuer, "An issuer is a URL without a query, of at most 1024 characters.")
	}
	if first, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/"); isMicrosoft(u.Host) && slices.Contains([]string{"common", "organizations", "consumers"}, first) {
		return fault(CheckIssuer, "This issuer stands for every tenant of Entra ID. Enter that of your own: https://login.microsoftonline.com/<tenant id>/v2.0 (security O1).")
	}
	return nil
}

// checkEndpoints looks at endpoints without asking them.
func (p *Party) checkEndpoints(e resources.Endpoints) *Fault {
	for _, one := range []struct {
		name, address string
		needed        bool
	}{
		{"authorization_endpoint", e.Authorization, true},
		{"token_endpoint", e.Token, true},
		{"jwks_uri", e.JWKS, true},
		{"userinfo_endpoint", e.UserInfo, false},
		{"end_session_endpoint", e.EndSession, false},
	} {
		if one.address == "" {
			if one.needed {
				return fault(CheckEndpoints, "The provider names no "+one.name+".")
			}
			continue
		}
		if err := p.cfg.Client.Check(one.address); err != nil {
			return &Fault{Check: CheckEndpoints, Reason: fmt.Sprintf("Its %s %s cannot be used: %s.", one.name, quoted(one.address), cause(err)), Err: err}
		}
	}
	return nil
}

// cause says why a document cannot be had, without what only the log may know.
func cause(err error) string {
	if r, ok := errors.AsType[*outbound.Refusal](err); ok {
		return r.Reason
	}
	if f, ok := errors.AsType[*jwks.Fault](err); ok {
		return f.Reason
	}
	return "it does not answer as it should"
}

// look is what discovery said last of a connection's endpoints.
type look struct {
	tried time.Time
	found *resources.Endpoints // nil: nothing that may be used
}

// endpoints gives the endpoints of a connection: those that were confirmed, or
// what discovery says by now when it is at the same hosts. It asks once an hour;
// who comes while somebody asks takes what there is.
func (p *Party) endpoints(ctx context.Context, org resources.OrgID, c *resources.Connection) (resources.Endpoints, error) {
	confirmed := c.Endpoints
	if f := p.checkEndpoints(confirmed); f != nil {
		f.Reason += " Save the connection again."
		return confirmed, f
	}
	name, now := c.ID+"\x00"+c.Issuer+"\x00"+fmt.Sprint(confirmed), p.cfg.Now()
	p.mu.Lock()
	l := p.looks[name]
	if l == nil {
		if len(p.looks) >= 10_000 {
			clear(p.looks) // all are asked for once more, that is all
		}
		l = &look{}
		p.looks[name] = l
	}
	found, due := l.found, l.tried.IsZero() || now.Sub(l.tried) >= lookEvery
	if due {
		l.tried = now
	}
	p.mu.Unlock()
	if due {
		found = p.again(ctx, org, c, found)
		p.mu.Lock()
		l.found = found
		p.mu.Unlock()
	}
	if found != nil {
		return *found, nil
	}
	return confirmed, nil
}

// again asks discovery; found is what it said before.
func (p *Party) again(ctx context.Context, org resources.OrgID, c *resources.Connection, found *resources.Endpoints) *resources.Endpoints {
	got, err := p.discover(ctx, c.Issuer)
	if err != nil {
		p.cfg.Log.WarnContext(ctx, "discovery of a connection not read, the endpoints at hand serve", "org", org, "connection", c.ID, "err", err)
		return found
	}
	if name, to := moved(c.Endpoints, got); name != "" {
		p.cfg.Log.WarnContext(ctx, "a provider's endpoint has moved to another host", "org", org, "connection", c.ID, "endpoint", name)
		if p.cfg.Moved != nil {
			reason := "Its discovery names a " + name + " at " + quoted(to) + ", which nobody has confirmed. Until somebody saves the connection again, the confirmed one is used."
			if err := p.cfg.Moved(ctx, org, c, reason); err != nil {
				p.cfg.Log.ErrorContext(ctx, "that an endpoint has moved was not noted", "org", org, "connection", c.ID, "err", err)
			}
		}
		return nil
	}
	got.IssParameter = got.IssParameter || c.Endpoints.IssParameter // a promise is not taken back
	return &got
}

// moved names the first endpoint that is at another host than before, and the
// host; "" when there is none.
func moved(before, after resources.Endpoints) (name, to string) {
	for _, e := range [][3]string{
		{"authorization_endpoint", before.Authorization, after.Authorization},
		{"token_endpoint", before.Token, after.Token},
		{"jwks_uri", before.JWKS, after.JWKS},
		{"userinfo_endpoint", before.UserInfo, after.UserInfo},
		{"end_session_endpoint", before.EndSession, after.EndSession},
	} {
		if e[2] != "" && origin(e[1]) != origin(e[2]) {
			return e[0], origin(e[2])
		}
	}
	return "", ""
}

// origin is scheme and host of an address.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + strings.ToLower(u.Host)
}
