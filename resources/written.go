package resources

import (
	"slices"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
)

// The bounds of an e-mail address (RFC 5321 §4.5.3.1).
const (
	addressMost = 254
	localMost   = 64
)

// checkAddresses refuses addresses that cannot be ones, where somebody can be
// told at once: identity providers' are stored as sent and reported (BR-006).
// Those that the user had before stay.
func (c Caller) checkAddresses(before, after *User) error {
	if c.Origin == "" {
		return nil
	}
	for _, addr := range after.Emails {
		local, _, _ := strings.Cut(addr, "@")
		_, ok := EmailKey(addr)
		if ok && len(addr) <= addressMost && len(local) <= localMost || before != nil && slices.Contains(before.Emails, addr) {
			continue
		}
		return &Error{Code: CodeEmailInvalid, Field: "emails", Detail: quoted(addr) + " is not an e-mail address; write it like zoe@example.com."}
	}
	return nil
}

// checkReach refuses an administrator who gives another identity to a user of more
// rights: who decides where the links of somebody go, or which account at the
// provider is theirs, can come in as that user (BR-060). Reading is every
// administrator's.
func (c Caller) checkReach(before, after *User) error {
	if before.IdentityKey == after.IdentityKey && before.ExternalID == after.ExternalID || len(before.standing.Roles) == 0 ||
		!c.has(ScopeAdminUsers) || c.has(ScopeAdmin, ScopePlatform, ScopeSCIM, ScopeUsers) {
		return nil
	}
	for _, r := range before.standing.Roles {
		if r != RoleReadOnly && !c.has(r.Scope()) {
			return &Error{Code: CodeForbidden, Detail: "The user is an administrator with the role " + string(r) + ", which you do not have; only who has it, or a full administrator, may change the address or the externalId."}
		}
	}
	return nil
}

// unmanaged are the attributes of a user that an identity provider does not own:
// whether the user may come in, and what usher's administrators give.
var unmanaged = []string{"schemas", "id", "active", LicenceUserURN, CallingURN, LifecycleURN, OrganizationURN}

// checkOwner refuses an administrator's change of what an identity provider owns,
// unless the caller detaches the user from it (BR-071).
func (c Caller) checkOwner(before *User, docBefore, docAfter *jsontree.Value) error {
	if c.Origin == "" || c.Detach || before.standing.Source != "" {
		return nil
	}
	for _, name := range changedNames(docBefore, docAfter) {
		if !slices.ContainsFunc(unmanaged, func(n string) bool { return jsontree.EqualName(n, name) }) {
			return &Error{Code: CodeManagedByIDP, Field: name, Detail: name + " is managed by your identity provider; change it there, or detach the user from the directory."}
		}
	}
	return nil
}
