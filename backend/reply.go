package backend

import (
	"context"
	"io"
	"slices"

	"github.com/redis/go-redis/v9"
)

// manyKeys is from how many keys on a reply gets its space before it comes.
const manyKeys = 16

// raw reads the reply to an MGET as it came. The library grows its space for one
// value after the other, which for a page costs four times the page; here the
// replies before tell how much this one will need. What fails is sent again in
// the form that the client repeats by itself.
func (s *Store) raw(ctx context.Context, client redis.UniversalClient, args []any) ([]byte, error) {
	if n := len(args) - 1; n >= manyKeys {
		room := &replyRoom{b: make([]byte, 0, n*int(s.perKey.Load()+s.perKey.Load()/8+16))}
		if err := client.Process(ctx, redis.NewRawWriteToCmd(ctx, room, args...)); err == nil {
			s.perKey.Store(int64(len(room.b) / n))
			return room.b, nil
		}
	}
	cmd := redis.NewRawCmd(ctx, args...)
	err := client.Process(ctx, cmd)
	return cmd.Val(), err
}

// replyRoom takes up a reply.
type replyRoom struct{ b []byte }

// Write implements io.Writer.
func (r *replyRoom) Write(p []byte) (int, error) {
	r.b = append(r.b, p...)
	return len(p), nil
}

// ReadFrom implements io.ReaderFrom; the library says with a limit how much is to
// come.
func (r *replyRoom) ReadFrom(src io.Reader) (int64, error) {
	limited, ok := src.(*io.LimitedReader)
	if !ok {
		return io.Copy(struct{ io.Writer }{r}, src)
	}
	at, size := len(r.b), int(limited.N)
	r.b = slices.Grow(r.b, size)[:at+size]
	n, err := io.ReadFull(limited, r.b[at:])
	r.b = r.b[:at+n]
	return int64(n), err
}
