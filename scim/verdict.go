package scim

import (
	"net/http"

	"github.com/usher-scim/usher/resources"
)

// verdict is what a domain code means on the wire.
type verdict struct {
	status   int
	scimType string
}

// verdictOf maps the codes of the domain. 409 is reserved for identity
// conflicts: providers read it as "exists already".
func verdictOf(code resources.Code) verdict {
	switch code {
	case resources.CodeEmailInUse, resources.CodeEmailInOtherOrg, resources.CodeUserNameInUse,
		resources.CodeDisplayNameInUse, resources.CodeSlugInUse, resources.CodeAttributeInUse, resources.CodeSchemaInUse:
		return verdict{http.StatusConflict, "uniqueness"}
	case resources.CodeUserNameNotEmail, resources.CodeInvalidValue, resources.CodeMemberUnknown,
		resources.CodeConfirmation, resources.CodeTooManyTokens, resources.CodeTooManySecrets:
		return verdict{http.StatusBadRequest, "invalidValue"}
	case resources.CodeInvalidFilter:
		return verdict{http.StatusBadRequest, "invalidFilter"}
	case resources.CodeInvalidCursor:
		return verdict{http.StatusBadRequest, "invalidCursor"}
	case resources.CodeTooMany:
		return verdict{http.StatusBadRequest, "tooMany"}
	case resources.CodeNotFound:
		return verdict{http.StatusNotFound, ""}
	case resources.CodeVersion:
		return verdict{http.StatusPreconditionFailed, ""}
	case resources.CodeUnauthenticated:
		return verdict{http.StatusUnauthorized, ""}
	case resources.CodeForbidden, resources.CodeOrgSuspended:
		return verdict{http.StatusForbidden, ""}
	case resources.CodeRateLimited:
		return verdict{http.StatusTooManyRequests, ""}
	case resources.CodeUnavailable:
		return verdict{http.StatusServiceUnavailable, ""}
	}
	return licensingVerdict(code)
}

// licensingVerdict maps the codes of licences and calling. Most of them are
// issues of a user; they are errors on strict connections (domain.md §5.6).
func licensingVerdict(code resources.Code) verdict {
	switch code {
	case resources.CodeNoSeats, resources.CodeLastAdmin, resources.CodeManagedByIDP:
		return verdict{http.StatusForbidden, ""}
	case resources.CodeSKUUnknown, resources.CodeNotSubscribed, resources.CodePackageRequired, resources.CodeLicenceConflict, resources.CodePrerequisite,
		resources.CodeLocationRequired, resources.CodeLocationUnknown, resources.CodeNumberOrExtension,
		resources.CodeNumberUnknown, resources.CodeNumberPlace, resources.CodeNumberInUse,
		resources.CodeExtensionInUse, resources.CodeExtensionInvalid,
		resources.CodeNameInvalid, resources.CodeEmailInvalid, resources.CodeMissingEmail, resources.CodeCallingName:
		return verdict{http.StatusBadRequest, "invalidValue"}
	case resources.CodeLocationNotEmpty, resources.CodeLocationInUse, resources.CodeProductInUse, resources.CodeSubscriptionInUse, resources.CodeTemplateInUse,
		resources.CodeJobRunning, resources.CodeJobEnded, resources.CodeRequestClosed, resources.CodeRevocationHeld,
		resources.CodeReportRange, resources.CodeTooManyRows, resources.CodeKeyReused, resources.CodeKeyBusy: // conflicts, but none of identity
		return verdict{http.StatusBadRequest, "invalidValue"}
	}
	return peopleVerdict(code)
}

// peopleVerdict maps the codes of activation, sign-in and domains, which belong to
// other doors: no SCIM request meets them.
func peopleVerdict(code resources.Code) verdict {
	switch code {
	case resources.CodeActivationExpired, resources.CodeWrongCode, resources.CodeCodeLocked, resources.CodePasswordPolicy,
		resources.CodeUserInactive, resources.CodeDomainInvalid, resources.CodeDomainToken, resources.CodeDomainNotVerified,
		resources.CodePublicDomain, resources.CodeDomainEnforced, resources.CodeConnectionInUse, resources.CodeMailBounced:
		return verdict{http.StatusBadRequest, "invalidValue"}
	case resources.CodeSignInFailed, resources.CodeSSORequired, resources.CodeSSONoUser, resources.CodeSSOUnverified,
		resources.CodeSSOConflict, resources.CodeSSOFailed:
		return verdict{http.StatusForbidden, ""}
	}
	return verdict{http.StatusInternalServerError, ""}
}
