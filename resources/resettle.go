package resources

// resettleParams say whom a job of the type resettle settles again.
type resettleParams struct {
	Who          string `json:"who,omitempty"`
	Subscription string `json:"subscription,omitempty"`
}

// The sorts of users.
const (
	whoInactive = "inactive"
	whoCalls    = "calling"
)
