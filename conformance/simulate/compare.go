package simulate

import (
	"slices"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
)

// aspect is one thing of a user that is compared.
type aspect struct {
	name  string
	want  func(s *Simulator, u *user) string
	found func(doc *jsontree.Value) string
}

// at reads a text by a path of names; what is no text is shown as JSON.
func at(path ...string) func(*jsontree.Value) string {
	return func(v *jsontree.Value) string {
		for _, name := range path {
			v = v.Get(name)
		}
		return shownAs(v)
	}
}

func shownAs(v *jsontree.Value) string {
	switch {
	case v.Empty():
		return ""
	case v.Kind == jsontree.String:
		return v.Text
	}
	return string(v.Append(nil))
}

// sent gives the field as it was sent, or "" when the dialect does not send it.
func sent(k field) func(*Simulator, *user) string {
	return func(s *Simulator, u *user) string {
		if !s.d.sending(k) {
			return ""
		}
		return u.fields[k]
	}
}

// aspects lists all that is compared of a user. What a dialect does not send
// must not be there either.
func aspects() []aspect {
	plain := func(name string, k field, path ...string) aspect {
		return aspect{name: name, want: sent(k), found: at(path...)}
	}
	return []aspect{
		plain("userName", userName, "userName"),
		plain("externalId", externalID, "externalId"),
		plain("displayName", displayName, "displayName"),
		plain("name.givenName", givenName, "name", "givenName"),
		plain("name.familyName", familyName, "name", "familyName"),
		plain("name.formatted", formatted, "name", "formatted"),
		plain("title", title, "title"),
		plain("locale", locale, "locale"),
		plain(enterpriseURN+":department", department, enterpriseURN, "department"),
		plain(enterpriseURN+":employeeNumber", employeeNumber, enterpriseURN, "employeeNumber"),
		{name: managerPath, want: func(_ *Simulator, u *user) string { return u.manager }, found: at(enterpriseURN, "manager", "value")},
		{
			name: "active", want: func(_ *Simulator, u *user) string { return shownAs(new(jsontree.Bool(u.active))) },
			// A boolean that is stored as a text is a difference.
			found: func(doc *jsontree.Value) string {
				if v := doc.Get("active"); v != nil {
					return string(v.Append(nil))
				}
				return ""
			},
		},
		{name: "password", want: func(*Simulator, *user) string { return "" }, found: at("password")},
		{name: "emails", want: wantMails, found: func(doc *jsontree.Value) string { return values(doc.Get("emails")) }},
		{name: "addresses", want: sent(address), found: each("addresses", "formatted")},
		{name: "roles", want: sent(role), found: each("roles", "value")},
		{name: "phoneNumbers", want: wantPhones, found: func(doc *jsontree.Value) string { return values(doc.Get("phoneNumbers")) }},
	}
}

func wantMails(s *Simulator, u *user) string {
	if !s.d.sending(mail) {
		return ""
	}
	var out []string
	for i, t := range s.d.mailTypes {
		one := t + " " + u.fields[mail]
		if i == 0 { // also when every address claims to be primary (L-31)
			one += " primary"
		}
		out = append(out, one)
	}
	if s.d.sending(otherMail) && u.fields[otherMail] != "" {
		out = append(out, "other "+u.fields[otherMail])
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// each reads one sub-attribute of all values, of which there is at most one.
func each(attr, sub string) func(*jsontree.Value) string {
	return func(doc *jsontree.Value) string {
		list := doc.Get(attr)
		if list == nil {
			return ""
		}
		out := make([]string, 0, 1)
		for i := range list.Items {
			out = append(out, list.Items[i].GetString(sub))
		}
		return strings.Join(out, ", ")
	}
}

func wantPhones(s *Simulator, u *user) string {
	if !s.d.sending(mobile) || u.fields[mobile] == "" {
		return ""
	}
	return "mobile " + u.fields[mobile]
}

// values writes typed values in one order, whatever theirs is.
func values(list *jsontree.Value) string {
	if list == nil {
		return ""
	}
	out := make([]string, 0, len(list.Items))
	for i := range list.Items {
		v := &list.Items[i]
		one := v.GetString("type") + " " + v.GetString("value")
		if p := v.Get("primary"); p != nil && p.Kind != jsontree.False {
			one += " primary"
		}
		out = append(out, one)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// identifiers gives the values of a list of references in one order.
func identifiers(list *jsontree.Value) []string {
	if list == nil {
		return nil
	}
	out := make([]string, 0, len(list.Items))
	for i := range list.Items {
		out = append(out, list.Items[i].GetString("value"))
	}
	slices.Sort(out)
	return out
}
