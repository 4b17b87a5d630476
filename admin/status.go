package admin

import (
	"net/http"

	"github.com/usher-scim/usher/resources"
)

// statuses is the one place where a code of the domain becomes a status
// (domain.md §4.13). A code that is not in it is a fault of usher.
var statuses = map[resources.Code]int{
	resources.CodeUnauthenticated: http.StatusUnauthorized,

	resources.CodeForbidden:    http.StatusForbidden,
	resources.CodeOrgSuspended: http.StatusForbidden,
	resources.CodeLastAdmin:    http.StatusForbidden,

	resources.CodeNotFound: http.StatusNotFound,

	resources.CodeSlugInUse:         http.StatusConflict,
	resources.CodeTooManyTokens:     http.StatusConflict,
	resources.CodeTooManySecrets:    http.StatusConflict,
	resources.CodeEmailInUse:        http.StatusConflict,
	resources.CodeEmailInOtherOrg:   http.StatusConflict,
	resources.CodeUserNameInUse:     http.StatusConflict,
	resources.CodeDisplayNameInUse:  http.StatusConflict,
	resources.CodeAttributeInUse:    http.StatusConflict,
	resources.CodeSchemaInUse:       http.StatusConflict,
	resources.CodeManagedByIDP:      http.StatusConflict,
	resources.CodeNoSeats:           http.StatusConflict,
	resources.CodeNumberInUse:       http.StatusConflict,
	resources.CodeExtensionInUse:    http.StatusConflict,
	resources.CodeLocationNotEmpty:  http.StatusConflict,
	resources.CodeLocationInUse:     http.StatusConflict,
	resources.CodeProductInUse:      http.StatusConflict,
	resources.CodeSubscriptionInUse: http.StatusConflict,
	resources.CodeTemplateInUse:     http.StatusConflict,
	resources.CodeJobRunning:        http.StatusConflict,
	resources.CodeJobEnded:          http.StatusConflict,
	resources.CodeRequestClosed:     http.StatusConflict,
	resources.CodeKeyBusy:           http.StatusConflict,

	resources.CodeVersion:      http.StatusPreconditionFailed,
	resources.CodeConfirmation: http.StatusPreconditionRequired,

	resources.CodeInvalidValue:      http.StatusUnprocessableEntity,
	resources.CodeInvalidFilter:     http.StatusUnprocessableEntity,
	resources.CodeInvalidCursor:     http.StatusUnprocessableEntity,
	resources.CodeTooMany:           http.StatusUnprocessableEntity,
	resources.CodeTooManyRows:       http.StatusUnprocessableEntity,
	resources.CodeMemberUnknown:     http.StatusUnprocessableEntity,
	resources.CodeUserNameNotEmail:  http.StatusUnprocessableEntity,
	resources.CodeEmailInvalid:      http.StatusUnprocessableEntity,
	resources.CodeNameInvalid:       http.StatusUnprocessableEntity,
	resources.CodeMissingEmail:      http.StatusUnprocessableEntity,
	resources.CodeCallingName:       http.StatusUnprocessableEntity,
	resources.CodeSKUUnknown:        http.StatusUnprocessableEntity,
	resources.CodeNotSubscribed:     http.StatusUnprocessableEntity,
	resources.CodePackageRequired:   http.StatusUnprocessableEntity,
	resources.CodeLicenceConflict:   http.StatusUnprocessableEntity,
	resources.CodePrerequisite:      http.StatusUnprocessableEntity,
	resources.CodeLocationRequired:  http.StatusUnprocessableEntity,
	resources.CodeLocationUnknown:   http.StatusUnprocessableEntity,
	resources.CodeNumberOrExtension: http.StatusUnprocessableEntity,
	resources.CodeNumberUnknown:     http.StatusUnprocessableEntity,
	resources.CodeNumberPlace:       http.StatusUnprocessableEntity,
	resources.CodeExtensionInvalid:  http.StatusUnprocessableEntity,
	resources.CodeReportRange:       http.StatusUnprocessableEntity,
	resources.CodeKeyReused:         http.StatusUnprocessableEntity,

	// Of activation and sign-in.
	resources.CodeActivationExpired: http.StatusGone,
	resources.CodeWrongCode:         http.StatusBadRequest,
	resources.CodeCodeLocked:        http.StatusTooManyRequests,
	resources.CodePasswordPolicy:    http.StatusUnprocessableEntity,
	resources.CodeSignInFailed:      http.StatusForbidden,
	resources.CodeSSORequired:       http.StatusForbidden,
	resources.CodeSSONoUser:         http.StatusForbidden,
	resources.CodeSSOUnverified:     http.StatusForbidden,
	resources.CodeSSOConflict:       http.StatusForbidden,
	resources.CodeSSOFailed:         http.StatusForbidden,
	resources.CodeUserInactive:      http.StatusConflict,
	resources.CodeDomainInvalid:     http.StatusUnprocessableEntity,
	resources.CodeDomainToken:       http.StatusUnprocessableEntity,
	resources.CodeDomainNotVerified: http.StatusUnprocessableEntity,
	resources.CodePublicDomain:      http.StatusUnprocessableEntity,
	resources.CodeConnectionInUse:   http.StatusConflict,
	resources.CodeDomainEnforced:    http.StatusConflict,
	resources.CodeMailBounced:       http.StatusUnprocessableEntity,

	resources.CodeRevocationHeld: http.StatusAccepted,
	resources.CodeRateLimited:    http.StatusTooManyRequests,
	resources.CodeUnavailable:    http.StatusServiceUnavailable,
}
