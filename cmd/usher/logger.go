package main

import (
	"context"
	"io"
	"log/slog"
	"net/netip"
)

// visit is what the log should know of the request that a line belongs to.
// It is the only value in contexts.
type visit struct {
	request string // id
	client  netip.Addr
}

type visitKey struct{}

// newLogger writes JSON lines. Lines logged with the context of a request get
// its id (req) and the address of the client.
func newLogger(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(visitHandler{slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})})
}

type visitHandler struct{ slog.Handler }

// Handle adds what the context knows.
func (h visitHandler) Handle(ctx context.Context, rec slog.Record) error {
	v, ok := ctx.Value(visitKey{}).(visit)
	if !ok {
		return h.Handler.Handle(ctx, rec)
	}
	rec = rec.Clone()
	named := false
	rec.Attrs(func(a slog.Attr) bool {
		named = a.Key == "req"
		return !named
	})
	if !named {
		rec.AddAttrs(slog.String("req", v.request))
	}
	rec.AddAttrs(slog.String("client", v.client.String()))
	return h.Handler.Handle(ctx, rec)
}

// WithAttrs keeps the wrapping.
func (h visitHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return visitHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup keeps the wrapping.
func (h visitHandler) WithGroup(name string) slog.Handler {
	return visitHandler{h.Handler.WithGroup(name)}
}
