package resources_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/usher-scim/usher/resources"
)

// TestError: what an error says, and what it is found by through any number of
// wrappings.
func TestError(t *testing.T) {
	texts := map[string]resources.Error{
		"not_found":                        {Code: resources.CodeNotFound},
		"invalid_value (emails)":           {Code: resources.CodeInvalidValue, Field: "emails"},
		"invalid_value (emails): Why.":     {Code: resources.CodeInvalidValue, Field: "emails", Detail: "Why."},
		"invalid_value: Why.":              {Code: resources.CodeInvalidValue, Detail: "Why."},
		"invalid_value: Why.: EOF":         {Code: resources.CodeInvalidValue, Detail: "Why.", Err: io.EOF},
		"unavailable (x): Why.: read: EOF": {Code: resources.CodeUnavailable, Field: "x", Detail: "Why.", Err: fmt.Errorf("read: %w", io.EOF)},
	}
	for want, e := range texts {
		if got := e.Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	inner := &resources.Error{Code: resources.CodeNotFound, Detail: "There is no such User.", Err: io.EOF}
	wrapped := fmt.Errorf("get user: %w", errors.Join(errors.New("other"), inner))
	tests := []struct {
		name string
		got  bool
		want bool
	}{
		{"HasCode finds it", resources.HasCode(wrapped, resources.CodeNotFound), true},
		{"HasCode of another code", resources.HasCode(wrapped, resources.CodeVersion), false},
		{"HasCode of nil", resources.HasCode(nil, resources.CodeNotFound), false},
		{"HasCode of another error", resources.HasCode(io.EOF, resources.CodeNotFound), false},
		{"Is by code, whatever the detail", errors.Is(wrapped, &resources.Error{Code: resources.CodeNotFound}), true},
		{"Is by another code", errors.Is(wrapped, &resources.Error{Code: resources.CodeVersion}), false},
		{"Is of the cause", errors.Is(wrapped, io.EOF), true},
		{"Is of something else", errors.Is(wrapped, io.ErrUnexpectedEOF), false},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, tt.got, tt.want)
		}
	}
}

// TestRefusal: every reason has words for the log, and none names a holder.
func TestRefusal(t *testing.T) {
	tests := map[string]resources.Refusal{
		"name taken: un":     {Reason: resources.RefusedName, Index: resources.UserName, Value: "v", Holder: "h"},
		"claim held: em":     {Reason: resources.RefusedClaim, Claim: resources.Claim{Kind: resources.ClaimEmail, Key: "k"}, Holder: "h", HolderOrg: "o"},
		"pool full: p":       {Reason: resources.RefusedFull, Pool: "p"},
		"pool not full: p":   {Reason: resources.RefusedNotFull, Pool: "p"},
		"no such member: id": {Reason: resources.RefusedMissing, Value: "id"},
		"refused":            {},
	}
	for want, r := range tests {
		if got := r.Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
