package scim

import (
	"context"
	"net/http"

	"github.com/usher-scim/usher/resources"
)

// spillAt is how many bytes of an answer are collected before it begins to be
// sent. Below it the answer goes out whole, with its length, and an error on
// the way still becomes a proper error answer.
const spillAt = 256 << 10

// stream collects an answer and sends it in pieces once it grows large, so that
// the members of any group are shown in constant memory.
type stream struct {
	c      *call
	status int
	buf    []byte
	sent   bool
}

// spill sends what has been collected if it is much. When the client has gone
// the work ends here.
func (o *stream) spill() {
	if len(o.buf) < spillAt {
		return
	}
	o.flush()
}

func (o *stream) flush() {
	if !o.sent {
		o.c.contentType()
		o.c.w.WriteHeader(o.status)
		if o.c.deadline != nil {
			o.c.deadline.Stop() // a long answer may take longer than a short one
		}
		o.sent = true
	}
	if !o.c.write(o.buf) {
		panic(http.ErrAbortHandler)
	}
	o.buf = o.buf[:0]
}

// newStream begins an answer with a buffer that an earlier one has left.
func (c *call) newStream(status int) stream {
	o := stream{c: c, status: status}
	if b, ok := c.buffers.Get().(*[]byte); ok {
		o.buf = (*b)[:0]
	}
	return o
}

// end sends the rest.
func (o *stream) end() {
	if o.sent {
		o.flush()
	} else {
		o.c.send(o.status, o.buf)
	}
	if cap(o.buf) <= 2*spillAt { // what one huge answer needed is not kept
		o.c.buffers.Put(&o.buf)
	}
}

// resource adds one resource, members included.
func (o *stream) resource(ctx context.Context, v *view, rec *resources.Record) (err error) {
	if v.only.counts {
		if rec, err = o.c.withCounts(ctx, rec); err != nil {
			return err
		}
	}
	if o.buf, err = v.appendOpen(o.buf, rec); err != nil {
		return err
	}
	if rec.Size > 0 && !v.only.noMembers {
		if err := o.members(ctx, v, rec.ID); err != nil {
			return err
		}
	}
	o.buf = append(o.buf, '}')
	o.spill()
	return nil
}

// members adds the members of a group; spill sends what has grown large.
func (o *stream) members(ctx context.Context, v *view, group string) error {
	w := memberWalk{server: o.c.Server, caller: o.c.caller, group: group, displays: v.only.member.display}
	for {
		if err := w.next(ctx); err != nil {
			return err
		}
		o.buf = w.append(o.buf, v)
		if w.done {
			return nil
		}
		o.spill()
	}
}

// appendMembers adds the whole membership at once, for callers that need it in
// memory anyway.
func (s *Server) appendMembers(ctx context.Context, c resources.Caller, v *view, dst []byte, group string) ([]byte, error) {
	w := memberWalk{server: s, caller: c, group: group, displays: v.only.member.display}
	for !w.done {
		if err := w.next(ctx); err != nil {
			return dst, err
		}
		dst = w.append(dst, v)
	}
	return dst, nil
}

// memberWalk goes through a membership in id order, chunk by chunk.
type memberWalk struct {
	server   *Server
	caller   resources.Caller
	group    string
	chunk    []resources.MemberRef
	displays bool
	opened   bool // something has been written
	done     bool
	after    string
}

// next reads the next chunk.
func (w *memberWalk) next(ctx context.Context) (err error) {
	if w.chunk, err = w.server.dir.Members(ctx, w.caller, w.group, w.after, memberChunk, w.displays); err != nil {
		return err
	}
	if w.done = len(w.chunk) < memberChunk; !w.done {
		w.after = w.chunk[len(w.chunk)-1].ID
	}
	return nil
}

// append writes the chunk. An empty membership is left out.
func (w *memberWalk) append(dst []byte, v *view) []byte {
	for i := range w.chunk {
		if w.opened {
			dst = append(dst, ',')
		} else {
			dst = append(dst, `,"members":[`...)
		}
		w.opened = true
		dst = v.appendMember(dst, &w.chunk[i])
	}
	if w.done && w.opened {
		dst = append(dst, ']')
	}
	return dst
}
