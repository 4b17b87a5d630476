package admin

import (
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

const apiDescription = `Organizations and everything in them: users, groups, licences, numbers, reports, jobs, and the tokens of identity providers.

Errors are RFC 9457 problems with a stable code, their titles in English or French by Accept-Language. What can be changed has an ETag; If-Match makes a change conditional. A POST may carry an Idempotency-Key: the same request within 24 hours gets the same answer and does nothing again. Lists are read with limit and cursor. Every PATCH is a JSON Merge Patch (RFC 7396).`

const problemType = "application/problem+json"

// describe completes the OpenAPI document that huma made of the operations:
// errors are Problems, every operation has a tag and examples, and what the door
// does for all of them is said.
func describe(api *huma.OpenAPI) {
	reg := api.Components.Schemas
	problem := reg.Schema(reflect.TypeFor[Problem](), true, "Problem")
	for _, s := range reg.Map() {
		for _, p := range s.Properties {
			if p.Type == huma.TypeArray {
				p.Nullable = false
			}
		}
		s.PrecomputeMessages()
	}
	tags := make(map[string]bool)
	for path, item := range api.Paths {
		for _, op := range operationsOf(item) {
			op.Tags = []string{tagOfPath(path)}
			tags[op.Tags[0]] = true
			describeErrors(op, problem)
			describeRequest(op, reg)
			describeAnswers(op, reg)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		api.Tags = append(api.Tags, &huma.Tag{Name: name})
	}
}

// tagOfPath is the first fixed word behind the organization.
func tagOfPath(path string) string {
	rest := strings.TrimPrefix(strings.TrimPrefix(path, "/api/v1/"), "orgs/{org}/")
	first, _, _ := strings.Cut(rest, "/")
	return first
}

// describeErrors gives an operation the errors that the door itself answers.
func describeErrors(op *huma.Operation, problem *huma.Schema) {
	codes := []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusInternalServerError, http.StatusServiceUnavailable, http.StatusTooManyRequests}
	if op.RequestBody != nil {
		codes = append(codes, http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity)
	}
	if op.Method == http.MethodPost {
		codes = append(codes, http.StatusConflict, http.StatusUnprocessableEntity)
	}
	for _, p := range op.Parameters {
		if p.Name == "If-Match" {
			codes = append(codes, http.StatusPreconditionFailed)
		}
	}
	for status := range op.Responses {
		if n, err := strconv.Atoi(status); err == nil && n >= http.StatusBadRequest {
			codes = append(codes, n)
		}
	}
	delete(op.Responses, "default")
	for _, n := range codes {
		op.Responses[strconv.Itoa(n)] = &huma.Response{
			Description: http.StatusText(n),
			Content:     map[string]*huma.MediaType{problemType: {Schema: problem, Example: exampleProblem(n)}},
		}
	}
}

// exampleProblem is a problem with a status.
func exampleProblem(status int) map[string]any {
	codes := map[int]string{
		http.StatusBadRequest: "invalid_json", http.StatusUnauthorized: "unauthenticated", http.StatusForbidden: "forbidden",
		http.StatusNotFound: "not_found", http.StatusConflict: "request_in_flight", http.StatusPreconditionFailed: "version_mismatch",
		http.StatusRequestEntityTooLarge: "body_too_large", http.StatusUnsupportedMediaType: "unsupported_media_type",
		http.StatusUnprocessableEntity: "invalid_value", http.StatusPreconditionRequired: "confirmation_required",
		http.StatusTooManyRequests: "rate_limited", http.StatusInternalServerError: "internal", http.StatusServiceUnavailable: "unavailable",
	}
	p := &Problem{Code: codes[status], Status: status}
	return map[string]any{
		"title": titleOf("en", p), "status": status, "code": p.Code, "request_id": "7k2m9s3c4d5e6f7g",
		"detail": "A sentence that says what is wrong here and what to do about it.",
	}
}

// describeRequest documents the key of a POST, the media types of a PATCH, and
// an example of the body.
func describeRequest(op *huma.Operation, reg huma.Registry) {
	if op.Method == http.MethodPost {
		most := 64
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: onceHeader, In: "header", Schema: &huma.Schema{Type: huma.TypeString, MaxLength: &most}, Example: "c0ffee1e-3b1d-4a52-9f0e-1c2d3e4f5a6b",
			Description: "1 to 64 visible ASCII characters. The same request with the same key within 24 hours gets the same answer; another one with it is refused with 422, one while the first is on its way with 409.",
		})
	}
	if op.RequestBody == nil {
		return
	}
	if m := op.RequestBody.Content[mergeType]; m != nil {
		op.RequestBody.Content["application/json"] = m
	}
	for media, m := range op.RequestBody.Content {
		if media == "text/csv" {
			m.Example = "number,location\r\n+33142685300,Paris\r\n"
		} else {
			m.Example = requestExample(reg, m.Schema)
		}
	}
}

// requestExample is an example with what is required and what has an example of
// its own.
func requestExample(reg huma.Registry, s *huma.Schema) any {
	for s.Ref != "" {
		s = reg.SchemaFromRef(s.Ref)
	}
	if s.Type != huma.TypeObject || len(s.Examples) > 0 {
		return exampleOf(reg, s, 0)
	}
	out := map[string]any{}
	for name, p := range s.Properties {
		if len(p.Examples) > 0 || slices.Contains(s.Required, name) {
			out[name] = exampleOf(reg, p, 1)
		}
	}
	return out
}

// describeAnswers gives answers examples, and downloads their media types.
func describeAnswers(op *huma.Operation, reg huma.Registry) {
	for status, r := range op.Responses {
		if n, err := strconv.Atoi(status); err != nil || n >= http.StatusBadRequest {
			continue
		}
		if n, err := strconv.Atoi(status); err == nil && n != op.DefaultStatus {
			if main := op.Responses[strconv.Itoa(op.DefaultStatus)]; main != nil && main.Content != nil {
				r.Content, r.Headers = main.Content, main.Headers
			}
		}
	}
	for status, r := range op.Responses {
		if n, err := strconv.Atoi(status); err != nil || n >= http.StatusBadRequest {
			continue
		}
		if r.Headers["Content-Disposition"] != nil && r.Content == nil {
			text := &huma.Schema{Type: huma.TypeString}
			r.Content = map[string]*huma.MediaType{"text/csv": {Schema: text, Example: "item,code,detail\r\n"}}
		}
		for media, m := range r.Content {
			if strings.HasSuffix(media, "json") {
				m.Example = exampleOf(reg, m.Schema, 0)
			}
		}
	}
}

// exampleOf makes an example of a schema out of the examples of its members.
func exampleOf(reg huma.Registry, s *huma.Schema, depth int) any {
	const deepest = 6
	for s.Ref != "" {
		s = reg.SchemaFromRef(s.Ref)
	}
	switch {
	case len(s.Examples) > 0:
		return s.Examples[0]
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Default != nil:
		return s.Default
	}
	switch s.Type {
	case huma.TypeObject:
		out := map[string]any{}
		for name, p := range s.Properties {
			if depth < deepest {
				out[name] = exampleOf(reg, p, depth+1)
			}
		}
		return out
	case huma.TypeArray:
		if depth >= deepest-2 {
			return []any{}
		}
		return []any{exampleOf(reg, s.Items, depth+1)}
	case huma.TypeString:
		if s.Format == "date-time" {
			return "2026-11-20T09:30:00.000Z"
		}
		return "text"
	case huma.TypeInteger, huma.TypeNumber:
		return 1
	case huma.TypeBoolean:
		return false
	}
	return map[string]any{}
}
