package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/usher-scim/usher/internal/jsontree"
	"github.com/usher-scim/usher/internal/messages"
	"github.com/usher-scim/usher/resources"
)

// Problem is an error on the wire (RFC 9457). Its type is always about:blank
// and therefore left out; Code is what programs should look at.
type Problem struct {
	Title   string  `json:"title" doc:"The status in words."`
	Status  int     `json:"status" doc:"The HTTP status of the answer."`
	Code    string  `json:"code" doc:"Stable name of the error."`
	Detail  string  `json:"detail" doc:"What is wrong and what to do, for people."`
	Field   string  `json:"field,omitempty" doc:"The parameter or body member at fault."`
	Request string  `json:"request_id" doc:"Names this request in usher's log."`
	Faults  []Fault `json:"errors,omitempty" doc:"Every fault of the request, when there may be several."`

	retry int   // seconds for Retry-After of 429 and 409
	cause error // for the log, when the caller is not told all
}

// Fault is one of several faults of a request.
type Fault struct {
	Code     string `json:"code,omitempty" doc:"Stable name of the fault, when it is not that of the problem."`
	Location string `json:"location" doc:"Where it is, for example body.slug or query.limit."`
	Message  string `json:"message" doc:"What is wrong there."`
}

// Error gives code and detail.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus tells huma the status.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders tells huma the headers that belong to the status.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	switch p.Status {
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", "2")
	case http.StatusTooManyRequests:
		h.Set("Retry-After", strconv.Itoa(max(1, p.retry)))
	case http.StatusConflict:
		if p.retry > 0 {
			h.Set("Retry-After", strconv.Itoa(p.retry))
		}
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="usher"`)
	}
	return h
}

// ContentType tells huma the media type.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

const internalDetail = "Something went wrong inside usher; the log has the reason under this request id."

// statusOf is the one place where a code of the domain becomes a status.
func statusOf(code resources.Code) int {
	if status, ok := statuses[code]; ok {
		return status
	}
	return http.StatusInternalServerError
}

// problemOf turns any error into a problem. What is not meant for the caller
// becomes a neutral text; the second result says that it belongs in the log.
func problemOf(err error) (*Problem, bool) {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p, false
	}
	if known, ok := errors.AsType[*resources.Error](err); ok {
		if status := statusOf(known.Code); status != http.StatusInternalServerError {
			p := &Problem{Status: status, Code: string(known.Code), Field: known.Field, Detail: known.Detail}
			if known.Code == resources.CodeKeyBusy || known.Code == resources.CodeJobRunning {
				p.retry = 2
			}
			p.several(err)
			return p, known.Err != nil
		}
	}
	if errors.Is(err, resources.ErrOutcomeUnknown) {
		return &Problem{
			Status: http.StatusServiceUnavailable, Code: string(resources.CodeUnavailable),
			Detail: "usher's store has not confirmed this change, so it is not known whether it was made; send the same request again.",
		}, true
	}
	if errors.Is(err, resources.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return &Problem{
			Status: http.StatusServiceUnavailable, Code: string(resources.CodeUnavailable),
			Detail: "usher cannot reach its store at the moment; nothing is wrong with the request, repeat it in a few seconds.",
		}, true
	}
	return &Problem{Status: http.StatusInternalServerError, Code: "internal", Detail: internalDetail}, true
}

// several adds the faults of a request that has more than one.
func (p *Problem) several(err error) {
	type joined interface {
		error
		Unwrap() []error
	}
	many, ok := errors.AsType[joined](err)
	if !ok {
		return
	}
	var faults []Fault
	for _, e := range many.Unwrap() {
		if known, ok := errors.AsType[*resources.Error](e); ok {
			faults = append(faults, Fault{Code: string(known.Code), Location: known.Field, Message: strings.TrimSuffix(known.Detail, ".")})
		}
	}
	if len(faults) > 1 {
		p.Field, p.Detail, p.Faults = "", "The request has faults: "+summary(faults)+".", faults
	}
}

// problem is how operations return an error; asProblem logs what the caller is
// not told.
func problem(err error) error {
	p, log := problemOf(err)
	if log {
		p.cause = err
	}
	return p
}

// asProblem is huma's last step before an answer is written. It gives problems
// their request id and turns what huma itself refuses into problems. Values
// sent by the client are not echoed: they may be secrets in the wrong place.
func (d *door) asProblem(ctx huma.Context, _ string, v any) (any, error) {
	p, ok := v.(*Problem)
	m, refusal := v.(*huma.ErrorModel)
	if !ok && !refusal {
		return v, nil
	}
	id, lang := "", messages.English
	_, w := humago.Unwrap(ctx)
	if x, isOurs := w.(*exchange); isOurs {
		id, lang = x.id, x.lang
	}
	if ok && p.cause != nil {
		d.log.ErrorContext(ctx.Context(), "request failed", "req", id, "status", p.Status, "err", p.cause)
	}
	if refusal {
		p = refusedByHuma(m, ctx.Operation())
		if m.Status >= http.StatusInternalServerError {
			d.log.ErrorContext(ctx.Context(), "request failed", "req", id, "status", m.Status, "err", fmt.Sprint(m.Detail, m.Errors))
		}
	}
	p.Request = id
	p.Title = titleOf(lang, p)
	ctx.SetHeader("Content-Language", lang)
	return p, nil
}

// titleOf is the problem's title in the reader's language.
func titleOf(lang string, p *Problem) string {
	if title := messages.Title(lang, p.Code); title != "" {
		return title
	}
	return http.StatusText(p.Status)
}

func refusedByHuma(m *huma.ErrorModel, op *huma.Operation) *Problem {
	p := &Problem{Status: m.Status, Code: string(resources.CodeInvalidValue)}
	for _, e := range m.Errors {
		if e != nil {
			p.Faults = append(p.Faults, Fault{Location: e.Location, Message: e.Message})
		}
	}
	switch m.Status {
	case http.StatusRequestEntityTooLarge:
		p.Code, p.Detail = "body_too_large", fmt.Sprintf("The body is too large; send less than %d bytes.", op.MaxBodyBytes)
	case http.StatusUnsupportedMediaType:
		p.Code, p.Detail, p.Faults = "unsupported_media_type", "The body must be JSON: send Content-Type: application/json.", nil
	case http.StatusRequestTimeout:
		p.Code, p.Detail = "body_timeout", "The body did not arrive in time; send the request again."
	case http.StatusBadRequest:
		p.Code, p.Detail = "invalid_json", "The body is missing; send one JSON object."
		if op.OperationID == importNumbersID {
			p.Detail = "The body is missing; send the CSV file, whose first line names the columns: number,location,state."
		}
		if len(p.Faults) > 0 {
			p.Detail = "The body cannot be read: " + p.Faults[0].Message + "; send one JSON object."
			p.Faults = nil
		}
	case http.StatusUnprocessableEntity:
		p.Detail = "The request has faults: " + summary(p.Faults) + "."
		if len(p.Faults) == 1 {
			p.Field = p.Faults[0].Location
		}
	default:
		p.Code, p.Detail, p.Faults = "internal", internalDetail, nil
	}
	return p
}

func summary(faults []Fault) string {
	parts := make([]string, len(faults))
	for i, f := range faults {
		parts[i] = f.Location + ": " + f.Message
	}
	return strings.Join(parts, "; ")
}

// refuse answers outside of huma.
func (d *door) refuse(x *exchange, r *http.Request, err error) {
	p, log := problemOf(err)
	if log {
		d.log.ErrorContext(r.Context(), "request failed", "req", x.id, "status", p.Status, "err", err)
	}
	p.Title, p.Request = titleOf(x.lang, p), x.id
	x.Header().Set("Content-Language", x.lang)
	maps.Copy(x.Header(), p.GetHeaders())
	x.Header().Set("Content-Type", p.ContentType(""))
	body, err := json.Marshal(p)
	if err != nil {
		d.log.ErrorContext(r.Context(), "problem not encoded", "req", x.id, "err", err)
	}
	x.WriteHeader(p.Status)
	if _, err := x.Write(append(body, '\n')); err != nil {
		d.log.DebugContext(r.Context(), "answer not written", "req", x.id, "err", err)
	}
}

// decode reads a body strictly: encoding/json alone would let the last of two
// members of one name win, and null stand for a member left out.
func decode(data []byte, v any) error {
	tree, err := jsontree.Parse(data, jsontree.BodyLimits())
	if err != nil {
		return err
	}
	for i := range tree.Items {
		if tree.Items[i].Kind == jsontree.Null {
			return errors.New("a member is null, leave it out instead")
		}
	}
	return fits(json.Unmarshal(data, v))
}

// fits says in words of the API that a value is none of those that a member can
// have, such as a number out of range.
func fits(err error) error {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s cannot be this %s", cmp.Or(e.Field, "the body"), e.Value)
	}
	return err
}
