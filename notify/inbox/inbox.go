package inbox

import (
	"errors"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// How much is kept. What is older goes.
const (
	maxKept    = 500
	maxBytes   = 64 << 20 // of all messages
	maxMessage = 2 << 20  // bytes of one
)

// Config is what an Inbox needs. Every field is required.
type Config struct {
	Now func() time.Time
	Log *slog.Logger
}

// Inbox takes mails in and shows them. It is safe for concurrent use.
type Inbox struct {
	cfg  Config
	sink *smtp.Server
	page *pages

	mu    sync.RWMutex
	kept  []*message // oldest first
	bytes int
	last  int // id of the newest

	listener net.Listener // of ServeMail, or nil
	closed   bool
}

// New makes an empty inbox.
func New(c Config) (*Inbox, error) {
	if c.Now == nil || c.Log == nil {
		return nil, errors.New("inbox: Config.Now and Log are required")
	}
	page, err := parsePages()
	if err != nil {
		return nil, err
	}
	b := &Inbox{cfg: c, page: page}
	b.sink = b.newSink()
	return b, nil
}

// keep adds a message.
func (b *Inbox) keep(m *message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last++
	m.ID = b.last
	b.kept = append(b.kept, m)
	b.bytes += m.Size
	for len(b.kept) > maxKept || b.bytes > maxBytes {
		b.bytes -= b.kept[0].Size
		b.kept[0] = nil
		b.kept = b.kept[1:]
	}
}

// list gives the messages, newest first.
func (b *Inbox) list() []*message {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := make([]*message, 0, len(b.kept))
	for _, m := range slices.Backward(b.kept) {
		out = append(out, m)
	}
	return out
}

// find gives one message, or nil.
func (b *Inbox) find(id int) *message {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if len(b.kept) == 0 {
		return nil
	}
	if i := id - b.kept[0].ID; i >= 0 && i < len(b.kept) {
		return b.kept[i]
	}
	return nil
}

// clear throws all messages away.
func (b *Inbox) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept, b.bytes = nil, 0
}
