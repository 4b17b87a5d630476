package backend

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/usher-scim/usher/internal/redistest"
)

// TestRaw: a reply with many values is read whole, whatever space it was given,
// and once more when the connection has ended meanwhile.
func TestRaw(t *testing.T) {
	ctx := t.Context()
	url := redistest.Start(t)
	s, err := Open(ctx, Config{URL: url, Now: time.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	other := redistest.Client(t, url)
	args, want := []any{"MGET"}, make([]string, 100)
	for i := range want {
		key := "k" + strings.Repeat("x", i)
		if i%3 > 0 { // of three keys one is not there
			want[i] = strings.Repeat("v", 1+i*i)
			if err := other.Set(ctx, key, want[i], 0).Err(); err != nil {
				t.Fatal(err)
			}
		}
		args = append(args, key)
	}
	for round := range 4 {
		if round == 2 {
			if err := other.Do(ctx, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes").Err(); err != nil {
				t.Fatal(err)
			}
		}
		reply, err := s.raw(ctx, s.reads, args)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		got, err := rawValues(reply, len(want))
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("round %d: value %d has %d bytes, want %d", round, i, len(got[i]), len(want[i]))
			}
		}
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.raw(canceled, s.reads, args); err == nil {
		t.Error("a call that was given up answers")
	}
}

// TestReplyRoom: what comes in pieces, without a limit, or is cut off.
func TestReplyRoom(t *testing.T) {
	text := strings.Repeat("0123456789", 1000)
	var r replyRoom
	n, err := io.CopyN(&r, iotest.OneByteReader(strings.NewReader(text)), 5000)
	if n != 5000 || err != nil || string(r.b) != text[:5000] {
		t.Errorf("in pieces: %d, %v", n, err)
	}
	if n, err = io.Copy(&r, strings.NewReader(text)); n != 10_000 || err != nil || !bytes.HasSuffix(r.b, []byte(text)) {
		t.Errorf("without a limit: %d, %v", n, err)
	}
	if n, err = io.CopyN(&r, strings.NewReader(text), 10_001); n != 10_000 || err == nil || len(r.b) != 25_000 {
		t.Errorf("cut off: %d, %v, %d bytes", n, err, len(r.b))
	}
}
