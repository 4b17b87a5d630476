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
		got, _, err := s.posted(ctx, b)
		return s.settle(ctx, b, got, true, err)
	case lost:
		got, unsure, err := s.posted(ctx, b)
		if _, _, ok := s.settle(ctx, b, got, unsure, err); !ok {
			return "", false, false
		}
		if s.d.repeatsPosts && !s.mustConflict(ctx, b) {
			return "", false, false
		}
		id, ok = b.find()
		return id, true, ok
	case repeated:
		got, unsure, err := s.posted(ctx, b)
		if id, adopted, ok = s.settle(ctx, b, got, unsure, err); !ok {
			return "", false, false
		}
		return id, adopted, s.mustConflict(ctx, b)
	}
	got, unsure, err := s.posted(ctx, b)
	return s.settle(ctx, b, got, unsure, err)
}

// posted sends a POST until there is an answer; unsure tells that one before
// had none, so that nobody knows whether it was done.
func (s *Simulator) posted(ctx context.Context, b birth) (got answer, unsure bool, err error) {
	for try := 1; ; try++ {
		got, err = s.c.do(ctx, b.kind, http.MethodPost, s.c.target(b.resource, ""), s.d.contentType, b.body, true)
		if err == nil || try == mostTries || ctx.Err() != nil {
			return got, try > 1, err
		}
		s.c.rec.again()
		if err := pause(ctx, 50*time.Millisecond<<try); err != nil {
			return got, true, err
		}
	}
}

// settle finds out what came of a POST. Of one that was sent before without an
// answer 201 and 409 are both right, and afterwards there is exactly one
// resource (ENT-10, RIP-03).
func (s *Simulator) settle(ctx context.Context, b birth, got answer, unsure bool, err error) (id string, adopted, ok bool) {
	if unsure && err == nil && got.status == http.StatusConflict {
		id, ok = b.find()
		return id, true, ok
	}
	id, ok = s.created(ctx, b.kind, b.resource, got, err)
	if !ok || !unsure {
		return id, false, ok
	}
	found, ok := b.find()
	if ok && found != id {
		s.differ(Difference{Resource: b.resource, ID: id, Attribute: "id", Expected: id, Found: found})
	}
	return id, true, ok
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
	got, _, err := s.posted(ctx, b)
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
