package scim

import (
	"context"
	"net/http"
	"net/url"

	"github.com/usher-scim/usher/resources"
)

// recorder is the client of one operation: it keeps the answer.
type recorder struct {
	header http.Header
	body   []byte
}

// Header implements http.ResponseWriter.
func (r *recorder) Header() http.Header { return r.header }

// Write implements http.ResponseWriter.
func (r *recorder) Write(p []byte) (int, error) {
	r.body = append(r.body, p...)
	return len(p), nil
}

// WriteHeader implements http.ResponseWriter; answer notes the status.
func (r *recorder) WriteHeader(int) {}

// do makes one operation a call of its own and keeps its answer. Logs and
// metrics count it like any request.
func (b *bulk) do(ctx context.Context, op *operation, act *act) {
	out := &recorder{header: make(http.Header, 4)}
	c := &call{
		Server: b.Server, w: answer{ResponseWriter: out}, began: b.now(), request: b.request,
		caller: b.caller, world: b.world, route: op.route, act: act, id: op.id, doc: op.data,
		part: true, quiet: op.query == "" || b.size >= bulkAnswers,
	}
	c.caller.NewID = op.newID
	r := &http.Request{Method: op.method, URL: &url.URL{RawQuery: op.query}, Header: http.Header{}, Body: http.NoBody}
	if op.version != "" && op.method != http.MethodPost {
		r.Header["If-Match"] = []string{op.version}
	}
	c.r = r.WithContext(ctx)
	func() {
		defer func() {
			if recover() != nil { // finish has logged it
				p := internalProblem()
				c.w.status, out.body = p.status, ErrorBody(p.status, p.scimType, p.code, p.detail)
			}
		}()
		defer c.finish(ctx)
		if err := b.perform(ctx, c, op); err != nil {
			c.fail(ctx, err)
		}
	}()
	op.status, op.body = c.w.status, out.body
	op.tag, op.location = "", b.locationOf(op)
	if tag := out.header["Etag"]; len(tag) > 0 {
		op.tag = tag[0]
	}
	if where := out.header["Location"]; len(where) > 0 && op.status < http.StatusBadRequest {
		op.location = where[0]
	}
}

// perform does the operation unless something speaks against it.
func (b *bulk) perform(ctx context.Context, c *call, op *operation) error {
	if op.fault != nil {
		return op.fault
	}
	if err := b.failedNeed(op); err != nil && !op.circular {
		return err
	}
	if ctx.Err() != nil {
		return problem{
			status: http.StatusServiceUnavailable, code: string(resources.CodeUnavailable), retry: 1,
			detail: "The Bulk took too long, and this operation was not begun; send it again.",
		}
	}
	if b.caller.Work.Done() > bulkWork {
		return problem{
			status: http.StatusTooManyRequests, code: string(resources.CodeRateLimited), retry: 1,
			detail: "The operations before have read and changed as many memberships as one Bulk may; send this one again in another request.",
		}
	}
	return c.act.serve(c, ctx)
}

// append writes the operation as the answer shows it.
func (op *operation) append(dst []byte) []byte {
	dst = append(dst, '{')
	if op.method != "" {
		dst = append(appendText(dst, `"method":`, clipped(op.method)), ',')
	}
	if op.hasID {
		dst = append(appendText(dst, `"bulkId":`, op.bulkID), ',')
	}
	if op.location != "" {
		dst = append(appendText(dst, `"location":`, op.location), ',')
	}
	if op.tag != "" && op.status < http.StatusBadRequest {
		dst = append(appendText(dst, `"version":`, op.tag), ',')
	}
	dst = append(append(append(dst, `"status":"`...), itoa(op.status)...), '"')
	if len(op.body) > 0 {
		dst = append(append(dst, `,"response":`...), op.body...)
	}
	return append(dst, '}')
}

// locationOf is the address an operation is about, once its id is known.
func (b *bulk) locationOf(op *operation) string {
	if op.route == nil || op.id == "" || op.method == http.MethodPost {
		return ""
	}
	return b.base() + op.route.typ.Endpoint + "/" + url.PathEscape(op.id)
}
