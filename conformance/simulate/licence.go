package simulate

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
)

const (
	licenceURN      = "urn:ietf:params:scim:schemas:extension:UsherLicense:2.0:User"
	groupLicenceURN = "urn:ietf:params:scim:schemas:extension:UsherLicense:2.0:Group"
	lifecycleURN    = "urn:ietf:params:scim:schemas:extension:UsherLifecycle:2.0:User"
	seatsURN        = "urn:ietf:params:scim:schemas:extension:UsherLicense:2.0:License"
)

// seating bounds how long the server may take until everybody has a licence or
// a reason: it seats people in the background.
const seating = 30 * time.Second

// Seats is what became of the licence that a simulator asked for.
type Seats struct {
	SKU      string `json:"sku"`
	Assigned int    `json:"assigned"`
	Waiting  int    `json:"waiting"` // for a free seat
	Refused  int    `json:"refused"` // for another reason
}

// naming adds the licence to the body of a new user, or of the first group.
func (s *Simulator) naming(body jsontree.Value, urn string) jsontree.Value {
	block := jsontree.Obj(jsontree.Arr(jsontree.Str(s.cfg.Licence)).As("licenses"))
	body.Set(urn, block)
	return body
}

// newUserBody is what is sent for a new user.
func (s *Simulator) newUserBody(f *fields) []byte {
	body := s.d.user(s, f, true)
	if s.cfg.Licence != "" && !s.cfg.LicenceByGroup {
		body = s.naming(body, licenceURN)
	}
	return encode(body)
}

// newGroupBody is what is sent for a new group with its first members.
func (s *Simulator) newGroupBody(g *group, members []*user) []byte {
	body := s.d.group(g, members)
	if s.licenses(g) {
		body = s.naming(body, groupLicenceURN)
	}
	return encode(body)
}

// licenses reports whether a group gives its members the licence.
func (s *Simulator) licenses(g *group) bool { return s.cfg.LicenceByGroup && g.n == 0 }

// entitled lists those who shall have the licence.
func (s *Simulator) entitled() map[string]*user {
	out := map[string]*user{}
	for _, u := range s.users {
		if u.alive && u.id != "" && !s.cfg.LicenceByGroup {
			out[u.id] = u
		}
	}
	for _, g := range s.groups {
		if g.alive && s.licenses(g) {
			for u := range g.members {
				out[u.id] = u
			}
		}
	}
	return out
}

// verifyLicences waits until everybody who shall have the licence has it or says
// why not, and nobody waits while seats are free. What is wrong after that is a
// difference.
func (s *Simulator) verifyLicences(ctx context.Context) {
	if s.cfg.Licence == "" {
		return
	}
	late := s.cfg.Now().Add(seating)
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		found, wrong, ok := s.seats(ctx)
		if !ok || ctx.Err() != nil {
			return
		}
		s.seated = found
		if len(wrong) == 0 {
			return
		}
		if s.cfg.Now().After(late) || pause(ctx, wait) != nil {
			for _, d := range wrong {
				s.differ(d)
			}
			return
		}
	}
}

// seats reads what everybody has and compares it with what is told of the
// licence.
func (s *Simulator) seats(ctx context.Context) (found Seats, wrong []Difference, ok bool) {
	found.SKU = s.cfg.Licence
	p := &pass{}
	entitled := s.entitled()
	_, _, ok = s.walk(ctx, kindList, "/Users", "", func(doc *jsontree.Value) {
		if u := entitled[doc.GetString("id")]; u != nil {
			s.seat(p, &found, u, doc)
		}
	})
	if !ok {
		return found, nil, false
	}
	licence, ok := s.ask(ctx, kindRead, "/Licenses/"+url.PathEscape(s.cfg.Licence))
	if !ok {
		return found, nil, false
	}
	told := licence.Get(seatsURN)
	used, free := number(told.Get("seatsUsed")), number(told.Get("seatsFree"))
	d := Difference{Resource: "/Licenses", ID: s.cfg.Licence}
	if found.Waiting > 0 && free != 0 {
		d.Attribute, d.Expected, d.Found = "seatsFree", "0, because "+strconv.Itoa(found.Waiting)+" users wait", strconv.Itoa(free)
		p.differ(d)
	}
	if total := number(told.Get("seatsTotal")); used < found.Assigned || total >= 0 && used > total {
		d.Attribute, d.Expected, d.Found = "seatsUsed", strconv.Itoa(found.Assigned)+" or more, and no more than there are", strconv.Itoa(used)
		p.differ(d)
	}
	return found, p.diffs, true
}

// seat looks at one user who shall have the licence.
func (s *Simulator) seat(p *pass, found *Seats, u *user, doc *jsontree.Value) {
	d := Difference{Resource: "/Users", ID: u.id, Name: u.fields[userName], Attribute: licenceURN + ":effective"}
	var status, issue string
	if list := doc.Get(licenceURN).Get("effective"); list != nil {
		for i := range list.Items {
			if strings.EqualFold(list.Items[i].GetString("value"), s.cfg.Licence) {
				status, issue = list.Items[i].GetString("status"), list.Items[i].GetString("issue")
			}
		}
	}
	switch {
	case status == "assigned":
		found.Assigned++
		return
	case status == "" && !u.active: // who was deactivated keeps a seat but does not wait for one
		return
	case status != "error":
		d.Expected, d.Found = s.cfg.Licence+", assigned or with a reason", status
		p.differ(d)
		return
	case issue == "no_seats_available":
		found.Waiting++
	default:
		found.Refused++
	}
	if !has(doc.Get(lifecycleURN).Get("issues"), issue) {
		d.Attribute, d.Expected = lifecycleURN+":issues", issue
		p.differ(d)
	}
}

// has reports whether a list of issues names a code.
func has(issues *jsontree.Value, code string) bool {
	if issues == nil {
		return false
	}
	for i := range issues.Items {
		if issues.Items[i].GetString("code") == code {
			return true
		}
	}
	return false
}
