package simulate

import (
	"context"
	"net/http"
	"path"
	"strconv"
	"time"

	"github.com/usher-scim/usher/internal/jsontree"
)

// birth is a POST with all that may go wrong with it.
type birth struct {
	kind     kind
	resource string
	body     []byte
	act      *act
	find     func() (id string, ok bool) // looks up what was created
}

// create posts and goes through the trouble that the act has. adopted tells
// that the id was found and not given, so that the identity provider sends an
// update next.
func (s *Simulator) create(ctx context.Context, b birth) (id string, adopted, ok bool) {
	switch b.act.trouble {
	case aborted:
		if err := s.c.abort(ctx, http.MethodPost, s.c.target(b.resource, ""), s.d.contentType, b.body, b.act.delay); err != nil {
			s.fault(ctx, b.kind, http.MethodPost, b.resource, answer{}, err)
			return "", false, false
		}
		return s.createAgain(ctx, b)
	case lost:
		if _, ok := s.post(ctx, b.kind, b.resource, b.body); !ok {
			return "", false, false
		}
		if s.d.repeatsPosts && !s.mustConflict(ctx, b) {
			return "", false, false
		}
		id, ok = b.find()
		return id, true, ok
	case repeated:
		if id, ok = s.post(ctx, b.kind, b.resource, b.body); !ok {
			return "", false, false
		}
		return id, false, s.mustConflict(ctx, b)
	}
	got, err := s.c.do(ctx, b.kind, http.MethodPost, s.c.target(b.resource, ""), s.d.contentType, b.body, true)
	if err != nil && ctx.Err() == nil {
		s.c.rec.again()
		return s.createAgain(ctx, b)
	}
	id, ok = s.created(ctx, b.kind, b.resource, got, err)
	return id, false, ok
}

// createAgain repeats a POST of which nobody knows whether it was done: 201 and
// 409 are both right, and afterwards there is exactly one (ENT-10, RIP-03).
func (s *Simulator) createAgain(ctx context.Context, b birth) (id string, adopted, ok bool) {
	for try := 1; ; try++ {
		got, err := s.c.do(ctx, b.kind, http.MethodPost, s.c.target(b.resource, ""), s.d.contentType, b.body, true)
		switch {
		case err != nil && try < mostTries && ctx.Err() == nil:
			s.c.rec.again()
			if pause(ctx, 50*time.Millisecond<<try) == nil {
				continue
			}
		case err == nil && got.status == http.StatusConflict:
			id, ok = b.find()
			return id, true, ok
		}
		given, ok := s.created(ctx, b.kind, b.resource, got, err)
		if !ok {
			return "", false, false
		}
		found, ok := b.find()
		if ok && found != given {
			s.differ(Difference{Resource: b.resource, ID: given, Attribute: "id", Expected: given, Found: found})
		}
		return given, true, ok
	}
}

// post creates something that cannot be there.
func (s *Simulator) post(ctx context.Context, k kind, resource string, body []byte) (id string, ok bool) {
	got, err := s.c.do(ctx, k, http.MethodPost, s.c.target(resource, ""), s.d.contentType, body, true)
	return s.created(ctx, k, resource, got, err)
}

// created takes the id from a 201. Identity providers need it in the body, and
// the address must be that of the same resource.
func (s *Simulator) created(ctx context.Context, k kind, resource string, got answer, err error) (id string, ok bool) {
	if err != nil || got.status != http.StatusCreated {
		s.fault(ctx, k, http.MethodPost, resource, got, err)
		return "", false
	}
	doc, err := jsontree.Parse(got.body, jsontree.Limits{Depth: 64})
	if err != nil {
		s.fault(ctx, k, http.MethodPost, resource, got, err)
		return "", false
	}
	if id = doc.GetString("id"); id == "" {
		s.differ(Difference{Resource: resource, Attribute: "id", Expected: "an id in the answer to POST", Found: "none"})
		return "", false
	}
	if got.location != "" && path.Base(got.location) != id {
		s.differ(Difference{Resource: resource, ID: id, Attribute: "Location", Expected: "…/" + id, Found: got.location})
	}
	return id, true
}

// mustConflict posts once more what is there already (ENT-10, OKT-04).
func (s *Simulator) mustConflict(ctx context.Context, b birth) bool {
	got, err := s.c.do(ctx, b.kind, http.MethodPost, s.c.target(b.resource, ""), s.d.contentType, b.body, true)
	if err != nil {
		s.fault(ctx, b.kind, http.MethodPost, b.resource, got, err)
		return false
	}
	if got.status != http.StatusConflict {
		s.differ(Difference{
			Resource: b.resource, Attribute: "status of a repeated POST", Expected: "409", Found: strconv.Itoa(got.status),
		})
	}
	return got.status == http.StatusConflict
}
