package main

import (
	"context"
	"errors"

	"github.com/usher-scim/usher/resources"
	"github.com/usher-scim/usher/sso/oidc"
)

// discovering asks providers on behalf of administrators, who are told what is
// wrong with one: the issuer that they gave cannot be used.
func discovering(party *oidc.Party) func(context.Context, string) (resources.Endpoints, error) {
	return func(ctx context.Context, issuer string) (resources.Endpoints, error) {
		found, err := party.Discover(ctx, issuer)
		if fault, ok := errors.AsType[*oidc.Fault](err); ok {
			err = &resources.Error{Code: resources.CodeInvalidValue, Field: "issuer", Detail: fault.Reason, Err: fault.Err}
		}
		return found, err
	}
}
