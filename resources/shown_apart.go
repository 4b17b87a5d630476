package resources

import (
	"strconv"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
)

// ShownApart gives the attributes of the lifecycle extension that are shown when
// they are asked for (returned: request in domain.md §5.4), as an object; nobody
// else pays for them, because the stored document does not have them.
func ShownApart(rec *Record) jsontree.Value {
	s := StandingOf(rec)
	out := jsontree.Obj()
	at := func(name string, ms int64) {
		if ms > 0 {
			out.Items = append(out.Items, jsontree.Str(time.UnixMilli(ms).UTC().Format(shownTime)).As(name))
		}
	}
	if l := s.Login; l != nil {
		at("firstSignInAt", l.First)
		at("lastSignInAt", l.Last)
		at("activatedAt", l.Activated)
	}
	if m := s.Mails; m != nil && m.Count > 0 {
		at("activationEmailLastSentAt", m.Last)
		out.Items = append(out.Items, jsontree.Num(strconv.Itoa(m.Count)).As("activationEmailCount"))
	}
	return out
}

// shownTime is how dates are shown.
const shownTime = "2006-01-02T15:04:05.000Z"
