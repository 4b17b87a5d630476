package oidc

import (
	"context"
	"crypto/subtle"
	"fmt"
	"io"
	"mime"
	"net/http"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/resources"
)

// assertion says what checked claims mean for a connection. The address and
// whether it is verified come from one document: the ID token, or UserInfo when
// the token has no address (security O2).
func (p *Party) assertion(ctx context.Context, c *resources.Connection, ends resources.Endpoints, doc document, got exchanged, log *protocol) (*resources.Assertion, error) {
	names := named(c.Claims)
	sources := []document{doc}
	if doc.text(names.Email) == "" && ends.UserInfo != "" && got.access != "" {
		info, err := p.userInfo(ctx, ends.UserInfo, got.access, doc.text("sub"))
		if err != nil {
			return nil, log.told(err)
		}
		log.good(CheckUserInfo, "The ID token has no address, UserInfo was asked and is the same person's.")
		sources = append(sources, info)
	}
	a := claimed(names, sources)
	a.Connection, a.Issuer = c, c.Issuer
	if len(got.id) <= maxHint { // a session keeps it for LogoutURL, which takes no longer one
		a.IDToken = got.id
	}
	switch {
	case a.Email == "":
		log.good(CheckEmail, "The provider names no address in the claim "+quoted(names.Email)+": only people who are linked already, or found by their externalId, can be let in.")
	case a.Verified == nil:
		log.good(CheckEmail, "The provider names the address "+quoted(a.Email)+" and does not say whether it is verified (claim "+quoted(names.Verified)+").")
	default:
		log.good(CheckEmail, fmt.Sprintf("The provider names the address %s; verified: %t.", quoted(a.Email), *a.Verified))
	}
	return a, nil
}

// claimed reads the claims of a person: each from the first document that has it.
func claimed(names resources.ClaimMap, sources []document) *resources.Assertion {
	first := func(name string) string {
		for _, d := range sources {
			if s := d.text(name); name != "" && s != "" {
				return s
			}
		}
		return ""
	}
	token := sources[0]
	a := &resources.Assertion{
		Subject: token.member("sub").Text, ExternalID: first(names.ExternalID), SID: token.text("sid"), ACR: token.text("acr"),
		DisplayName: first(names.DisplayName), GivenName: first(names.GivenName), FamilyName: first(names.FamilyName), Language: first(names.Language),
	}
	a.AuthTime, _ = token.time("auth_time")
	a.Ends, _ = token.time("session_expiry")
	for _, d := range sources {
		if a.Email = d.text(names.Email); a.Email != "" {
			a.Verified = d.flag(names.Verified)
			break
		}
	}
	return a
}

// named fills in the usual claims (OpenID Connect Core §5.1).
func named(m resources.ClaimMap) resources.ClaimMap {
	for _, one := range []struct {
		name  *string
		usual string
	}{
		{&m.Email, "email"},
		{&m.Verified, "email_verified"},
		{&m.DisplayName, "name"},
		{&m.GivenName, "given_name"},
		{&m.FamilyName, "family_name"},
		{&m.Language, "locale"},
	} {
		if *one.name == "" {
			*one.name = one.usual
		}
	}
	return m
}

// userInfo asks for the claims of the person that an access token is of (OpenID
// Connect Core §5.3). The subject must be the same.
func (p *Party) userInfo(ctx context.Context, endpoint, access, subject string) (document, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint, nil)
	if err != nil {
		return document{}, &Fault{Check: CheckUserInfo, Reason: "The UserInfo endpoint is not a URL.", Err: err}
	}
	req.Header.Set("Authorization", "Bearer "+access)
	req.Header.Set("Accept", "application/json")
	resp, err := p.http.Do(req)
	if err != nil {
		return document{}, &Fault{Check: CheckUserInfo, Reason: "The ID token has no address, and UserInfo cannot be had: " + cause(err) + ".", Err: err}
	}
	defer func() { _ = resp.Body.Close() }() // what matters has been read by then
	if resp.StatusCode != http.StatusOK {
		return document{}, fault(CheckUserInfo, fmt.Sprintf("The ID token has no address, and UserInfo answers %d.", resp.StatusCode))
	}
	if media, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return document{}, fault(CheckUserInfo, "UserInfo does not answer with plain JSON. Have the provider put the address into the ID token, or send UserInfo unsigned.")
	}
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return document{}, &Fault{Check: CheckUserInfo, Reason: "The answer of UserInfo cannot be read: " + cause(err) + ".", Err: err}
	}
	tree, err := jsontree.Parse(raw, jsontree.BodyLimits())
	if err != nil || tree.Kind != jsontree.Object {
		return document{}, fault(CheckUserInfo, "The answer of UserInfo is not a JSON object, or a name stands in it twice.")
	}
	info := document{&tree}
	if subtle.ConstantTimeCompare([]byte(info.text("sub")), []byte(subject)) != 1 || subject == "" {
		return document{}, fault(CheckUserInfo, "UserInfo is that of another subject than the ID token.")
	}
	return info, nil
}
