package main

import (
	"crypto/rand"
	"net/http"
	"time"

	"github.com/usher-scim/usher/internal/jwks"
	"github.com/usher-scim/usher/internal/outbound"
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
