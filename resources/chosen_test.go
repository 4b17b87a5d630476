package resources_test

import (
	"testing"
	"time"

	"github.com/usher-scim/usher/resources"
)

// A password that somebody chose by a link goes with the link: who had the mail
// before does not know the password of who arrives by the next one (security H1).
func TestChosenBefore(t *testing.T) {
	onArrivals(t, func(m *mails) {
		ctx := m.Context()
		id, _, old, _ := m.invited("zoe")
		if _, err := m.SetPassword(ctx, old, fine); err != nil {
			m.Fatal(err)
		}
		m.clock.Advance(11 * time.Minute)
		token := tokenIn(m.T, m.invite(id))
		if a, err := m.ConfirmLink(ctx, token); err != nil || a.Password {
			m.Errorf("the new link: %+v, %v", a, err)
		}
		_, _, err := m.Arrive(ctx, token, "Zoé", browser)
		wantCode(m.T, err, resources.CodeInvalidValue)
		m.refused(resources.CodeActivationExpired, map[string]error{"old": errOf(m.OpenLink(ctx, old))})
	})
}
