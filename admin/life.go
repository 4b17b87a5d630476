package admin

import "github.com/usher-scim/usher/resources"

// SignIns is when somebody came in.
type SignIns struct {
	First     string `json:"first" format:"date-time"`
	Last      string `json:"last" format:"date-time" doc:"Exact to the hour."`
	Activated string `json:"activated" format:"date-time" doc:"Once (BR-107)."`
	Method    string `json:"method" enum:"password,sso" doc:"Of the activation."`
}

// life is what a stored document says of the life of a user.
type life struct {
	EmailVerified bool `json:"emailVerified"`
}

func wireSignIns(l *resources.Login) *SignIns {
	if l == nil || l.First == 0 {
		return nil
	}
	return &SignIns{First: moment(l.First), Last: moment(l.Last), Activated: moment(l.Activated), Method: string(l.Method)}
}
