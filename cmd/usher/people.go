package main

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"time"

	"github.com/usher-scim/usher/internal/jwks"
	"github.com/usher-scim/usher/internal/outbound"
	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/sso"
	"github.com/usher-scim/usher/sso/oidc"
)

// newParty makes what speaks to the OpenID providers of organizations.
func (s *service) newParty(issuers *jwks.Cache) (*oidc.Party, error) {
	guarded, err := outbound.New(outbound.Config{Allow: s.cfg.Outbound.Allow, Agent: agent()})
	if err != nil {
		return nil, err
	}
	return oidc.New(oidc.Config{
		Client: guarded, Keys: issuers, Vault: s.store, Now: time.Now, Rand: rand.Reader, Log: s.log, PublicURL: s.publicURL,
		Secret: s.directory.ConnectionSecret, Moved: s.directory.NoteMoved,
	})
}

// discovery reads what a provider publishes, for an administrator, who is told what
// is wrong with it: nobody else has named the issuer.
func discovery(party *oidc.Party) func(context.Context, string) (resources.Endpoints, error) {
	return func(ctx context.Context, issuer string) (resources.Endpoints, error) {
		found, err := party.Discover(ctx, issuer)
		if f, ok := errors.AsType[*oidc.Fault](err); ok {
			err = &resources.Error{Code: resources.CodeInvalidValue, Field: "issuer", Detail: f.Reason, Err: f.Err}
		}
		return found, err
	}
}

// addPeople adds the pages of people and the endpoints of their sign-in.
func (s *service) addPeople(mux *http.ServeMux, party *oidc.Party) error {
	handOff, err := oidc.NewHandOff(oidc.HandOffConfig{PublicURL: s.publicURL, Secret: s.directory.Secret, Now: time.Now, Rand: rand.Reader})
	if err != nil {
		return err
	}
	door, err := sso.New(sso.Config{Directory: s.directory, Party: party, HandOff: handOff, PublicURL: s.publicURL, Log: s.log, Sender: clientOf})
	if err != nil {
		return err
	}
	for _, path := range sso.Paths() {
		mux.Handle(path, door)
	}
	return nil
}

// clientOf is the address that a request came from in the first place.
func clientOf(r *http.Request) string {
	v, _ := r.Context().Value(visitKey{}).(visit)
	return v.client.String()
}
