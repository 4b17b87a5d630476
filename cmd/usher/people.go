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

// addPeople adds the pages of people and the endpoints of their sign-in.
func (s *service) addPeople(mux *http.ServeMux, issuers *jwks.Cache) error {
	guarded, err := outbound.New(outbound.Config{Allow: s.cfg.Outbound.Allow, Agent: agent()})
	if err != nil {
		return err
	}
	party, err := oidc.New(oidc.Config{
		Client: guarded, Keys: issuers, Vault: s.store, Now: time.Now, Rand: rand.Reader, Log: s.log, PublicURL: s.publicURL,
		Secret: s.directory.ConnectionSecret, Moved: s.directory.NoteMoved,
	})
	if err != nil {
		return err
	}
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
