package scim

import (
	"context"
	"crypto/sha256"
	"net/http"
	"sync"
	"time"

	"github.com/usher-scim/usher/resources"
)

// The limits of a Bulk (R-117, security S11, S16). The first is announced.
const (
	bulkMost     = 1000    // operations
	bulkWork     = 100_000 // memberships read and changed; what comes then is refused
	bulkAtOnce   = 2       // of one organization on this node
	bulkAnswers  = 4 << 20 // bytes of resources in an answer; later ones are left out
	bulkClosing  = 5 * time.Second
	bulkRequest  = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
	bulkResponse = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
)

// bulk is a Bulk on its way (R-113…R-117). Its files tell the steps: bulkread.go
// takes the request apart, bulkrefs.go resolves what its operations say of each
// other, bulkorder.go finds the order, bulkrun.go does the work.
//
// Each operation is a call of its own through the act that a single request
// would have had, with a recorder in place of the client. The ids of what will
// be created are known before anything is done (resources.Journal): references
// become ids at once, whatever their direction, and the same Bulk sent again
// after a lost answer meets what it has created.
type bulk struct {
	*call
	ops     []operation
	failing int // errors after which the rest is left out; 0: none
	errors  int
	size    int // bytes of resources in the answer so far
	journal *resources.Journal
}

// bulk answers POST /Bulk.
func (c *call) bulk(ctx context.Context) error {
	b := &bulk{call: c}
	request, err := b.read() // before a place is taken: a body may come slowly
	if err != nil {
		return err
	}
	if !c.bulks.enter(c.caller.Org) {
		return problem{
			status: http.StatusTooManyRequests, code: string(resources.CodeRateLimited), retry: 1,
			detail: "Two Bulks of your organization are being handled at once already; send this one again when one of them is answered.",
		}
	}
	defer c.bulks.leave(c.caller.Org)
	c.limits.owe(c.caller.Org, c.now(), len(b.ops)-1)
	c.caller.Work = new(resources.Work)
	for i := range b.ops {
		b.aim(&b.ops[i])
	}
	if err := b.begin(ctx, request); err != nil {
		return err
	}
	b.refer()
	b.run(ctx, b.order())
	b.end(ctx)
	return b.answer()
}

// begin opens the journal when there is something that must not be done twice.
func (b *bulk) begin(ctx context.Context, request [sha256.Size]byte) (err error) {
	steps := make([]resources.Step, len(b.ops))
	once := false
	for i := range b.ops {
		op := &b.ops[i]
		if op.fault == nil && op.creates() {
			steps[i] = resources.Step{Creates: true, Kind: op.route.typ.Kind}
		}
		once = once || op.method == http.MethodPost || op.method == http.MethodDelete
	}
	if !once {
		return nil
	}
	if b.journal, err = b.dir.Begin(ctx, b.caller, request, steps); err != nil {
		return err
	}
	for i, id := range b.journal.IDs {
		b.ops[i].newID = id
	}
	return nil
}

// end closes the journal, also when the client has gone or time is up: then it
// matters most.
func (b *bulk) end(ctx context.Context) {
	if b.journal == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), bulkClosing)
	defer cancel()
	done := func(i int) bool { return b.ops[i].status != 0 && b.ops[i].status < http.StatusBadRequest }
	if err := b.dir.End(ctx, b.caller, b.journal, done); err != nil {
		b.log.WarnContext(ctx, "bulk not noted as done", "req", b.request, "err", err)
	}
}

// answer sends what became of the operations, in the order of the request.
func (b *bulk) answer() error {
	o := b.newStream(http.StatusOK)
	o.buf = append(o.buf, `{"schemas":["`+bulkResponse+`"],"Operations":[`...)
	first := true
	for i := range b.ops {
		if b.ops[i].status == 0 {
			continue // left out after too many errors
		}
		if !first {
			o.buf = append(o.buf, ',')
		}
		first = false
		o.buf = b.ops[i].append(o.buf)
		o.spill()
	}
	o.buf = append(o.buf, ']', '}')
	o.end()
	return nil
}

// bulkGate counts the Bulks of each organization on this node (security S16).
type bulkGate struct {
	mu      sync.Mutex
	running map[resources.OrgID]int
}

func (g *bulkGate) enter(org resources.OrgID) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.running[org] >= bulkAtOnce {
		return false
	}
	if g.running == nil {
		g.running = make(map[resources.OrgID]int)
	}
	g.running[org]++
	return true
}

func (g *bulkGate) leave(org resources.OrgID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.running[org]--; g.running[org] == 0 {
		delete(g.running, org)
	}
}
