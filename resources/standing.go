package resources

import (
	"bytes"
	"encoding/json"
)

// The states of a user (domain.md §3.1).
const (
	StateNotVerified = "not_verified"
	StateVerified    = "verified"
	StateActive      = "active"
	StateInactive    = "inactive"

	StateInvited           = "invited"            // reserved
	StateConversionPending = "conversion_pending" // reserved
)

// StandingOf reads what was decided about a user; the zero Standing for a record
// that says nothing.
func StandingOf(rec *Record) Standing {
	var s Standing
	if json.Unmarshal(rec.Standing, &s) != nil {
		return Standing{} // whoever compares finds entries that the record does not say
	}
	return s
}

// UnmarshalJSON reads an issue; the first records had its code alone.
func (i *Issue) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte{'"'}) {
		return json.Unmarshal(data, &i.Code)
	}
	type plain Issue
	return json.Unmarshal(data, (*plain)(i))
}

// append writes a standing with the values of declared attributes. Most users
// have nothing but a state; the rest is left to encoding/json.
func (s *Standing) append(dst []byte, keys []attrKey) []byte {
	if s.bare() {
		dst = append(append(append(dst, `{"state":"`...), s.State...), '"')
		if s.Covered {
			dst = append(dst, `,"covered":true`...)
		}
	} else if body, err := json.Marshal(s); err == nil { // plain values always encode
		dst = append(dst, body[:len(body)-1]...)
	}
	if len(keys) > 0 {
		dst = appendKeys(append(dst, ','), keys)
	}
	return append(dst, '}')
}

// bare reports whether there is nothing but a state, and a verified domain.
func (s *Standing) bare() bool {
	return s.Source == "" && s.Origin == "" && len(s.Licences)+len(s.Kept)+len(s.OrgSKUs)+len(s.Roles)+len(s.Issues) == 0 &&
		!s.Asks && s.Tier == "" && s.Package == nil && s.Calling == nil &&
		s.Proven == "" && s.Moved == nil && s.Login == nil && s.Mails == nil && s.Epoch == 0
}

// Licence finds the assignment of a SKU; nil when there is none.
func (s *Standing) Licence(sku string) *Assignment {
	for i := range s.Licences {
		if FoldSKU(s.Licences[i].SKU) == FoldSKU(sku) {
			return &s.Licences[i]
		}
	}
	return nil
}

// issue notes why something is not as it was asked for. Since stays that of
// before, the standing until now, as long as the code and the attribute are the
// same.
func (s *Standing) issue(before *Standing, code Code, attribute, detail string, now int64) {
	for _, was := range before.Issues {
		if was.Code == code && was.Attribute == attribute && was.Since > 0 {
			now = was.Since
		}
	}
	s.Issues = append(s.Issues, Issue{Code: code, Attribute: attribute, Detail: detail, Since: now})
}

// tier says what kind of user somebody with these licences is (domain.md §5.2).
func (s *Standing) tier(cat *Catalogue) string {
	tier := "unlicensed"
	for i := range s.Licences {
		if s.Licences[i].Status == Failed {
			continue
		}
		if p := cat.Product(s.Licences[i].SKU); p == nil || p.Paid {
			return "licensed"
		}
		tier = "basic"
	}
	return tier
}
