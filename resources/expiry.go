package resources

import "time"

// Expiry tells when a stored record may be swept, as the acts ask for by
// [Tx.Expire], for whoever compares the list of what expires with records. A
// record that cannot be read, or stays until it is deleted, has none.
func Expiry(rec *Record) (time.Time, bool) {
	switch rec.Kind {
	case KindToken:
		t, err := tokenOf(rec)
		if err != nil {
			return time.Time{}, false
		}
		return t.kept(), true
	case KindSetting:
		switch nounOf(rec) {
		case nounSession:
			s, err := sessionIn(rec)
			if err != nil {
				return time.Time{}, false
			}
			return s.Ends, true
		case nounRefused:
			r, err := refusedIn(rec)
			if err != nil {
				return time.Time{}, false
			}
			return r.At.Add(refusedKept), true
		case nounMail:
			m, err := mailIn(rec)
			if err != nil {
				return time.Time{}, false
			}
			return m.Created.Add(mailKept), true
		}
	}
	return time.Time{}, false
}
