package oidc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/usher-scim/usher/resources"
)

// callback is what a provider sends back with the browser.
type callback struct {
	state, code string
	iss         string
	hasIss      bool
	err, why    string // error and error_description
}

// readCallback takes the values of a callback apart.
func readCallback(v url.Values) (callback, *Fault) {
	var c callback
	for _, one := range []struct {
		name string
		into *string
		most int
	}{
		{"state", &c.state, textSize}, {"code", &c.code, 8 << 10}, {"iss", &c.iss, 1 << 10}, {"error", &c.err, 64}, {"error_description", &c.why, 8 << 10},
	} {
		switch got := v[one.name]; {
		case len(got) > 1:
			return c, fault(CheckCallback, "The answer of the provider has the parameter "+one.name+" twice.")
		case len(got) == 1 && len(got[0]) > one.most:
			return c, fault(CheckCallback, fmt.Sprintf("The parameter %s of the answer is longer than %d bytes.", one.name, one.most))
		case len(got) == 1:
			*one.into = got[0]
		}
	}
	_, c.hasIss = v["iss"]
	if c.err != "" && strings.Trim(c.err, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") != "" {
		return c, fault(CheckCallback, "The parameter error of the answer is no error code.")
	}
	if c.err == "" && c.code == "" {
		return c, fault(CheckCallback, "The answer of the provider has neither a code nor an error. Is its response_mode query?")
	}
	if cookieOf(c.state) == nil { // the same form
		return c, fault(CheckState, "The answer has no state that was given here.")
	}
	return c, nil
}

// Finish reads the answer that a browser brings from the provider of a connection,
// with the browser's cookie (CookieName), and gives what the ID token says of the
// person. The flow is given as soon as it is known, also with an error; checks are
// those that were made, the last one is the fault. Errors are a *Fault, or say that
// the store cannot be reached.
func (p *Party) Finish(ctx context.Context, org resources.OrgID, slug string, c *resources.Connection, values url.Values, cookie string) (*resources.Assertion, Flow, []Check, error) {
	var log protocol
	kept, back, err := p.take(ctx, org, c, values, cookie, &log)
	if err != nil {
		if kept == nil {
			kept = &pending{}
		}
		return nil, kept.Flow, log.checks, err
	}
	a, err := p.believe(ctx, org, slug, c, kept, back, cookieOf(cookie), &log)
	return a, kept.Flow, log.checks, err
}

// take finds the flow of an answer. Nothing is sent to anybody before it agrees.
func (p *Party) take(ctx context.Context, org resources.OrgID, c *resources.Connection, values url.Values, cookie string, log *protocol) (*pending, callback, error) {
	back, f := readCallback(values)
	if f != nil {
		return nil, back, log.bad(f)
	}
	raw, err := p.cfg.Vault.Take(ctx, org, flowPurpose, stateKey(back.state))
	if err != nil {
		return nil, back, fmt.Errorf("take a flow: %w", err)
	}
	const old = "The state of the answer was used before, or is older than ten minutes. Begin again."
	if raw == nil {
		return nil, back, log.bad(fault(CheckState, old))
	}
	kept, err := unsealed(org, back.state, cookie, raw)
	if err != nil {
		return nil, back, err
	}
	if kept == nil {
		return nil, back, log.bad(fault(CheckBrowser, "The sign-in began in another browser, or cookies are refused."))
	}
	if p.cfg.Now().Sub(time.UnixMilli(kept.Began)) >= flowLife {
		return nil, back, log.bad(fault(CheckState, old))
	}
	log.good(CheckState, "It was given here and not used before.")
	log.good(CheckBrowser, "It began in this browser.")
	if kept.Connection != c.ID || kept.Issuer != c.Issuer {
		return nil, back, log.bad(fault(CheckConnection, "The sign-in began at another connection, or the connection has another issuer by now."))
	}
	log.good(CheckConnection, "It began at this connection.")
	return kept, back, p.answers(ctx, org, c, back, log)
}

// answers checks that it is the provider of the connection that answers, and that
// it agrees.
func (p *Party) answers(ctx context.Context, org resources.OrgID, c *resources.Connection, back callback, log *protocol) error {
	ends, err := p.endpoints(ctx, org, c)
	if err != nil {
		return log.told(err)
	}
	switch {
	case back.hasIss && back.iss != c.Issuer:
		return log.bad(fault(CheckIssParam, fmt.Sprintf("The answer is that of the issuer %s, not of this connection's (RFC 9207).", quoted(back.iss))))
	case !back.hasIss && ends.IssParameter:
		return log.bad(fault(CheckIssParam, "The answer does not say which issuer it is of, although the provider promises to (RFC 9207)."))
	case back.hasIss:
		log.good(CheckIssParam, "The answer is that of the issuer.")
	default:
		log.good(CheckIssParam, "The provider does not support it.")
	}
	if back.err == "" {
		return nil
	}
	f := fault(CheckProvider, "The provider refused with the error "+quoted(back.err)+".")
	if back.why != "" {
		f.Reason += " It says: " + quoted(back.why)
	}
	f.Provider = back.err
	return log.bad(f)
}

// believe exchanges the code and checks what comes.
func (p *Party) believe(ctx context.Context, org resources.OrgID, slug string, c *resources.Connection, kept *pending, back callback, browser []byte, log *protocol) (*resources.Assertion, error) {
	ends, err := p.endpoints(ctx, org, c)
	if err != nil {
		return nil, err
	}
	got, err := p.exchange(ctx, org, c, ends, exchange{code: back.code, verifier: kept.half(browser, "pkce", back.state), redirect: p.Callback(slug, c.Name)})
	if err != nil {
		return nil, log.told(err)
	}
	log.good(CheckExchange, "The provider gave an ID token for the code.")
	nonce := kept.half(browser, "nonce", back.state)
	doc, err := p.idToken(ctx, c, ends, got, nonce, log)
	if err != nil {
		return nil, err
	}
	exp, _ := doc.time("exp")
	sum := sha256.Sum256([]byte(c.Issuer + "\x00" + nonce))
	first, err := p.cfg.Vault.Add(ctx, org, "sso-token", hex.EncodeToString(sum[:]), exp)
	if err != nil {
		return nil, fmt.Errorf("note an ID token: %w", err)
	}
	if !first {
		return nil, log.bad(fault(CheckReplay, "The ID token was used before (security O8)."))
	}
	log.good(CheckReplay, "The ID token was not used before.")
	return p.assertion(ctx, c, ends, doc, got, log)
}

// told notes an error that is a fault.
func (p *protocol) told(err error) error {
	if f, ok := err.(*Fault); ok { //nolint:errorlint // made by this package and never wrapped
		return p.bad(f)
	}
	return err
}
