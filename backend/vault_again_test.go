package backend

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/internal/redistest"
)

// lossy loses the answer to the first script after it is armed, and does something
// before the script is sent again.
type lossy struct {
	meanwhile
	armed bool
}

func (l *lossy) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if !l.armed || err != nil {
			return err
		}
		l.armed = false
		l.do()
		cmd.SetErr(io.EOF)
		return io.EOF
	}
}

// TestPutSentAgain: a secret whose answer was lost is stored once: what others have
// done with it before it is sent again stays.
func TestPutSentAgain(t *testing.T) {
	for name, url := range map[string]string{"embedded": "", "redis": redistest.Start(t)} {
		t.Run(name, func(t *testing.T) {
			w := openClaims(t, url, false)
			ctx, exp := context.Background(), time.Now().Add(time.Hour)
			harm := &lossy{}
			w.must(w.s.Put(ctx, "a", "p", "first", []byte("x"), exp)) // the script is known from here on
			w.s.writes.AddHook(harm)
			for what, want := range map[string]string{"put": "newer", "take": ""} {
				harm.do = func() {
					if what == "put" {
						w.must(w.s.Put(ctx, "a", "p", what, []byte("newer"), exp))
						return
					}
					_, err := w.s.Take(ctx, "a", "p", what)
					w.must(err)
				}
				harm.armed = true
				w.must(w.s.Put(ctx, "a", "p", what, []byte("older"), exp))
				if got, err := w.s.Peek(ctx, "a", "p", what); err != nil || string(got) != want {
					t.Errorf("%s: it says %q (%v), want %q", what, got, err, want)
				}
			}
		})
	}
}
