package check

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/usher-scim/usher/internal/jsontree"
)

const (
	mediaType     = "application/scim+json"
	userURN       = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupURN      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	enterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	messageURN    = "urn:ietf:params:scim:api:messages:2.0:"
)

// announced is what the server says of itself. What it does not say at all
// (config, types or schemas cannot be read) is taken for the minimum every
// server has: users, groups, PATCH and filters without extensions.
type announced struct {
	config  jsontree.Value
	types   []resourceType // those whose resources clients can write
	made    []resourceType // those that can only be read
	schemas []jsontree.Value
	profile string
}

// resourceType is an entry of /ResourceTypes.
type resourceType struct {
	name, endpoint, schema string
	extensions             []extension
}

type extension struct {
	urn      string
	required bool
}

// discover reads what the server announces. It fails when there is no server or
// the token is refused.
func (r *runner) discover(ctx context.Context) error {
	r.known = &announced{profile: r.Profile}
	s := r.session(ctx, r.prefix)
	users := s.get("/Users", "count", "1")
	switch {
	case !s.ok():
		return fmt.Errorf("%w: %s", ErrUnreachable, s.reason)
	case users.status == http.StatusUnauthorized || users.status == http.StatusForbidden:
		return fmt.Errorf("%w: GET %s/Users is answered with %d", ErrRefused, r.base, users.status)
	}
	if a := s.get("/ServiceProviderConfig"); a.status == http.StatusOK {
		r.known.config = a.value
	}
	if a := s.get("/ResourceTypes"); a.status == http.StatusOK {
		for _, t := range a.at("Resources").Items {
			r.known.types = append(r.known.types, readType(&t))
		}
	}
	if a := s.get("/Schemas"); a.status == http.StatusOK {
		r.known.schemas = a.at("Resources").Items
	}
	if !s.ok() {
		return fmt.Errorf("%w: %s", ErrUnreachable, s.reason)
	}
	r.known.types = slices.DeleteFunc(r.known.types, func(t resourceType) bool {
		made := r.known.onlyRead(&t)
		if made {
			r.known.made = append(r.known.made, t)
		}
		return made
	})
	return nil
}

func readType(t *jsontree.Value) resourceType {
	out := resourceType{name: t.GetString("name"), endpoint: "/" + strings.Trim(t.GetString("endpoint"), "/"), schema: t.GetString("schema")}
	for _, e := range find(t, "schemaExtensions").Items {
		out.extensions = append(out.extensions, extension{e.GetString("schema"), find(&e, "required").Kind == jsontree.True})
	}
	return out
}

// supports reads a flag of ServiceProviderConfig.
func (k *announced) supports(path string) bool { return find(&k.config, path).Kind == jsontree.True }

// number reads a number of ServiceProviderConfig; 0 when it is not there.
func (k *announced) number(path string) int {
	n, err := strconv.Atoi(find(&k.config, path).Text)
	if err != nil {
		return 0
	}
	return n
}

func (k *announced) typeNamed(name string) *resourceType {
	for i := range k.types {
		if k.types[i].name == name {
			return &k.types[i]
		}
	}
	return nil
}

func (k *announced) schema(urn string) *jsontree.Value {
	for i := range k.schemas {
		if strings.EqualFold(k.schemas[i].GetString("id"), urn) {
			return &k.schemas[i]
		}
	}
	return nil
}

// has reports whether an attribute of the type's core schema is announced:
// "title", "name.givenName". Without schemas everything is.
func (k *announced) has(urn, path string) bool {
	switch first, _, _ := strings.Cut(path, "."); first {
	case "schemas", "id", "externalId", "meta": // every resource has them, whether a schema lists them or not
		return true
	}
	v := k.schema(urn)
	if v == nil {
		return len(k.schemas) == 0
	}
	attributes := find(v, "attributes")
	for step := range strings.SplitSeq(path, ".") {
		found := attributeNamed(attributes, step)
		if found == nil {
			return false
		}
		attributes = find(found, "subAttributes")
	}
	return true
}

func attributeNamed(attributes *jsontree.Value, name string) *jsontree.Value {
	for i := range attributes.Items {
		if strings.EqualFold(attributes.Items[i].GetString("name"), name) {
			return &attributes.Items[i]
		}
	}
	return nil
}

// The needs that checks have.

func noBulk(k *announced) Reason { return missing(!k.supports("bulk.supported"), NoBulk) }

func noSort(k *announced) Reason { return missing(!k.supports("sort.supported"), NoSort) }

func noETag(k *announced) Reason { return missing(!k.supports("etag.supported"), NoETag) }

func noCursor(k *announced) Reason { return missing(!k.supports("pagination.cursor"), NoCursor) }

func hasBulk(k *announced) Reason { return missing(k.supports("bulk.supported"), HasBulk) }

func noFilter(k *announced) Reason {
	return missing(find(&k.config, "filter.supported").Kind == jsontree.False, NoFilter)
}

func noPatch(k *announced) Reason {
	return missing(find(&k.config, "patch.supported").Kind == jsontree.False, NoPatch)
}

func noGroups(k *announced) Reason {
	return missing(len(k.types) > 0 && k.typeNamed("Group") == nil, NoGroups)
}

func noEnterprise(k *announced) Reason {
	t := k.typeNamed("User")
	if t != nil {
		for _, e := range t.extensions {
			if strings.EqualFold(e.urn, enterpriseURN) {
				return ""
			}
		}
	}
	return NoEnterprise
}

// only is the need of a check that holds for some profiles.
func only(names ...string) need {
	return func(k *announced) Reason {
		if slices.Contains(names, k.profile) {
			return ""
		}
		return OtherProfile + Reason(strings.Join(names, ", "))
	}
}

// userHas is the need of checks about attributes of users.
func userHas(paths ...string) need { return hasAll(userURN, paths) }

func hasAll(urn string, paths []string) need {
	return func(k *announced) Reason {
		for _, path := range paths {
			if !k.has(urn, path) {
				return NoAttribute + Reason(path)
			}
		}
		return ""
	}
}

func missing(is bool, why Reason) Reason {
	if is {
		return why
	}
	return ""
}
