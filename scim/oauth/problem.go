package oauth

import (
	"context"
	"errors"
	"math"
	"net/http"
	"time"

	"github.com/usher-scim/usher/resources"
)

// problem is an error as the token endpoint answers it (RFC 6749 §5.2).
type problem struct {
	status int
	code   string
	detail string
	retry  int // seconds for Retry-After, or 0
}

func invalidRequest(detail string) *problem {
	return &problem{http.StatusBadRequest, "invalid_request", detail, 0}
}

// invalidClient is the one answer to every proof that is not good.
func invalidClient() *problem {
	return &problem{http.StatusUnauthorized, "invalid_client", "The client is unknown or its proof is wrong, expired or used before; ask your administrator for valid credentials.", 0}
}

func tooMany(detail string, wait time.Duration) *problem {
	return &problem{http.StatusTooManyRequests, "temporarily_unavailable", detail, max(1, int(math.Ceil(wait.Seconds())))}
}

func notHere() *problem {
	return &problem{http.StatusNotFound, "not_found", "There is nothing at this address.", 0}
}

// problemOf is the one place where errors become answers.
func problemOf(err error) *problem {
	if e, ok := errors.AsType[*resources.Error](err); ok {
		switch e.Code {
		case resources.CodeUnauthenticated:
			return invalidClient()
		case resources.CodeForbidden:
			return &problem{http.StatusBadRequest, "invalid_scope", e.Detail, 0}
		case resources.CodeOrgSuspended:
			return &problem{http.StatusBadRequest, "unauthorized_client", e.Detail, 0}
		case resources.CodeNotFound:
			return notHere()
		}
	}
	if errors.Is(err, resources.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return &problem{http.StatusServiceUnavailable, "temporarily_unavailable", "usher cannot answer right now; send the same request again.", 1}
	}
	return &problem{http.StatusInternalServerError, "server_error", "usher failed to answer this request; if it happens again, tell the operator the X-Request-Id of this answer.", 0}
}
