package resources

import (
	"errors"
	"fmt"
)

// Code is the stable name of an error. Doors map it to a status; clients may
// rely on it.
type Code string

// The codes of the domain.
const (
	CodeEmailInUse       Code = "email_in_use"
	CodeEmailInOtherOrg  Code = "email_in_other_organization"
	CodeUserNameInUse    Code = "user_name_in_use"
	CodeUserNameNotEmail Code = "user_name_not_email"
	CodeDisplayNameInUse Code = "display_name_in_use"
	CodeSlugInUse        Code = "slug_in_use"
	CodeNotFound         Code = "not_found"
	CodeVersion          Code = "version_mismatch"
	CodeInvalidValue     Code = "invalid_value"
	CodeInvalidFilter    Code = "invalid_filter"
	CodeInvalidCursor    Code = "invalid_cursor"
	CodeTooMany          Code = "too_many"
	CodeMemberUnknown    Code = "member_unknown"
	CodeUnauthenticated  Code = "unauthenticated"
	CodeForbidden        Code = "forbidden"
	CodeRateLimited      Code = "rate_limited"
	CodeOrgSuspended     Code = "organization_suspended"
	CodeConfirmation     Code = "confirmation_required"
	CodeTooManyTokens    Code = "too_many_tokens"
	CodeTooManySecrets   Code = "too_many_secrets"
	CodeAttributeInUse   Code = "attribute_in_use" // a unique declared attribute
	CodeSchemaInUse      Code = "schema_in_use"    // a change of declared schemas that would orphan stored values
	CodeUnavailable      Code = "unavailable"

	CodeNoSeats           Code = "no_seats_available"
	CodeSKUUnknown        Code = "sku_unknown"
	CodeNotSubscribed     Code = "package_not_subscribed"
	CodePackageRequired   Code = "package_required"
	CodeLicenceConflict   Code = "licence_conflict"
	CodePrerequisite      Code = "licence_prerequisite"
	CodeRevocationHeld    Code = "mass_revocation_held"
	CodeLocationRequired  Code = "location_required"
	CodeLocationUnknown   Code = "location_unknown"
	CodeNumberOrExtension Code = "number_or_extension_required"
	CodeNumberUnknown     Code = "number_unknown"
	CodeNumberPlace       Code = "number_wrong_location"
	CodeNumberInUse       Code = "number_in_use"
	CodeExtensionInUse    Code = "extension_in_use"
	CodeExtensionInvalid  Code = "extension_invalid"
	CodeLocationNotEmpty  Code = "location_not_empty"
	CodeLocationInUse     Code = "location_in_use" // its name or externalId belongs to another location
	CodeProductInUse      Code = "product_in_use"
	CodeSubscriptionInUse Code = "subscription_in_use"
	CodeTemplateInUse     Code = "template_in_use" // the organization, or the group, has another template
	CodeJobRunning        Code = "job_running"
	CodeJobEnded          Code = "job_ended"
	CodeRequestClosed     Code = "request_closed"
	CodeLastAdmin         Code = "last_admin"
	CodeReportRange       Code = "report_range_invalid"
	CodeTooManyRows       Code = "too_many_rows"
	CodeManagedByIDP      Code = "managed_by_idp"
	CodeNameInvalid       Code = "name_invalid"
	CodeEmailInvalid      Code = "email_invalid"
	CodeKeyReused         Code = "idempotency_key_reused"
	CodeKeyBusy           Code = "request_in_flight" // the first request with an idempotency key is still being worked on

	CodeActivationExpired Code = "activation_expired"
	CodeWrongCode         Code = "activation_code_invalid"
	CodeCodeLocked        Code = "activation_code_locked"
	CodePasswordPolicy    Code = "password_policy"
	CodeSignInFailed      Code = "sign_in_failed" // no such address, or another password
	CodeSSORequired       Code = "sso_required"
	CodeSSONoUser         Code = "sso_no_user"
	CodeSSOUnverified     Code = "sso_email_unverified"
	CodeSSOConflict       Code = "sso_conflict"
	CodeSSOFailed         Code = "sso_failed" // what the provider sent is not to be believed
	CodeUserInactive      Code = "user_inactive"
	CodeDomainInvalid     Code = "domain_invalid"
	CodeDomainToken       Code = "domain_token_missing"
	CodeDomainNotVerified Code = "domain_not_verified"
	CodePublicDomain      Code = "public_domain"
	CodeConnectionInUse   Code = "connection_in_use" // another connection has the name
	CodeDomainEnforced    Code = "domain_enforced"   // another connection is enforced for the domain

	// Of issues only.
	CodeMailBounced  Code = "mail_bounced"
	CodeMissingEmail Code = "missing_email"
	CodeCallingName  Code = "calling_name_invalid"
)

// Error is a refusal that a caller may be told about. Detail is a sentence for
// the caller: reason and remedy. Err is for the log only.
type Error struct {
	Code   Code
	Field  string // the attribute or parameter at fault, or ""
	Detail string
	Err    error
}

// Error gives code and detail, and the cause for logs.
func (e *Error) Error() string {
	s := string(e.Code)
	if e.Field != "" {
		s += " (" + e.Field + ")"
	}
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is compares by code, so that errors.Is(err, &Error{Code: c}) works.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// HasCode reports whether err is, or wraps, an Error with the code.
func HasCode(err error, c Code) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code == c
}

// ErrUnavailable is wrapped by every error that says: the store cannot answer
// now, nothing is known to be wrong with the request, try again.
var ErrUnavailable = errors.New("the store is unavailable")

// ErrOutcomeUnknown is the ErrUnavailable of a write that was sent and not
// confirmed: it may have been done, or may yet be lost. Sending the same request
// again is right.
var ErrOutcomeUnknown = fmt.Errorf("whether it was done is not known: %w", ErrUnavailable)
