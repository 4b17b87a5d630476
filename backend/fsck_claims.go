package backend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/usher-scim/usher/resources"
)

// claimed is a claim that a record says it holds, with what is stored about it:
// in the organization's list and in the claim itself.
type claimed struct {
	x      *viewed
	c      resources.HeldClaim
	listed string // "<holder>|<attempt>", "" for nothing
	said   string // "C|<organization>|<holder>|<attempt>"
}

// claimsOf looks whether records hold the claims they say.
func (c *check) claimsOf(ctx context.Context, list []*viewed, _ bool) ([]difference, error) {
	var all []claimed
	var fields []string
	for _, x := range list {
		for _, h := range x.held {
			all = append(all, claimed{x: x, c: h})
			fields = append(fields, claimField(h.Claim))
		}
	}
	if len(all) == 0 || !c.whole(c.k.claims()) {
		return nil, nil
	}
	listed, err := c.client.HMGet(ctx, c.k.claims(), fields...).Result()
	if err != nil {
		return nil, explain(ctx, "read claims", err)
	}
	pipe := c.client.Pipeline()
	said := make([]*redis.StringCmd, len(all))
	for i := range all {
		said[i] = pipe.Get(ctx, claimKey(all[i].c.Claim))
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) && !wrongType(err) {
		return nil, explain(ctx, "read claims", err)
	}
	var found []difference
	for i := range all {
		h := &all[i]
		if wrongType(said[i].Err()) {
			if err := c.anotherType(ctx, claimKey(h.c.Claim)); err != nil {
				return nil, err
			}
			continue
		}
		h.listed, _ = listed[i].(string)
		h.said = said[i].Val()
		d, err := c.claim(ctx, h)
		if err != nil {
			return nil, err
		}
		if d != nil {
			found = append(found, *d)
		}
	}
	return found, nil
}

// claim compares what is stored about a claim with who must hold it; nil when all
// agree.
func (c *check) claim(ctx context.Context, h *claimed) (*difference, error) {
	mine := claimPrefix(c.k.org, h.c.Holder)
	attempt, listed := strings.CutPrefix(h.listed, h.c.Holder+"|")
	if listed && h.said == mine+attempt {
		return nil, nil
	}
	d := c.claimDifference(h.c.Claim, h.listed, h.said)
	d.Record, d.item = h.x.id, h.x.id
	d.guards = append(d.guards, c.head(h.x)...)
	saidAttempt, said := strings.CutPrefix(h.said, mine)
	pending := listed && h.said == reservation(h.c.Claim, c.k.org, h.listed)
	switch {
	case said: // the claim is right, the list is not
		d.Code, d.Reason = FindingClaimMissing, "the organization's list lacks the claim "+d.Key+" of "+h.x.id
		if h.listed != "" {
			d.Code, d.Reason = FindingClaimDiffers, "the organization's list says otherwise than the claim "+d.Key+" of "+h.x.id
		}
		c.mend(d, h.c.Holder+"|"+saidAttempt, h.said)
	case listed && (h.said == "" || pending):
		d.Code, d.Reason = FindingClaimMissing, "the record "+h.x.id+" does not hold its claim "+d.Key
		c.mend(d, h.listed, mine+attempt)
	case h.listed == "" && h.said == "":
		stamp, err := c.s.stamp()
		if err != nil {
			return nil, err
		}
		d.Code, d.Reason = FindingClaimMissing, "the record "+h.x.id+" does not hold its claim "+d.Key
		c.mend(d, h.c.Holder+"|"+stamp, mine+stamp)
	default:
		if ours, err := c.passing(ctx, h, d, listed); ours || err != nil {
			return d, err
		}
		return d, c.otherHolder(ctx, h, d)
	}
	return d, nil
}

// passing tells of a claim in a slot of its own that names an attempt which is on
// no list: a crash or a failover has left it so, and the records decide. listed:
// the organization's list names the right holder.
func (c *check) passing(ctx context.Context, h *claimed, d *difference, listed bool) (bool, error) {
	met, ok := parseClaim(h.said)
	if !ok || !c.s.spread || h.listed != "" && !listed || met.org == c.k.org && met.confirmed {
		return false, nil
	}
	if met.org != c.k.org {
		theirs, err := c.s.ask(ctx, h.c.Claim, claimStep{op: opLook, org: met.org})
		if err != nil || theirs != "" {
			return false, explain(ctx, "read claims", err)
		}
	}
	entry := h.listed
	if entry == "" {
		stamp, err := c.s.stamp()
		if err != nil {
			return false, err
		}
		entry = h.c.Holder + "|" + stamp
	}
	d.Code, d.Reason = FindingClaimDiffers, fmt.Sprintf("the claim %s of %s says the organization %s, whose list does not have it so", d.Key, h.x.id, met.org)
	c.mend(d, entry, confirmation(c.k.org, entry))
	return true, nil
}

// claimDifference begins a difference about a claim.
func (c *check) claimDifference(claim resources.Claim, listed, said string) *difference {
	key, name := claimKey(claim), claimField(claim)
	_, attempt, _ := strings.Cut(listed, "|")
	return &difference{
		Finding: Finding{Key: key, Entry: name}, claim: claim,
		guards: []guard{
			{"field", c.k.claims(), name, listed},
			{"field", c.k.notes(), "c|" + name + "|" + attempt, ""}, // its confirmation is on the way
		},
		apart: []guard{{"get", key, "", said}},
	}
}

// mend makes the list and the claim say what they must; "" for nothing.
func (c *check) mend(d *difference, listed, said string) {
	was := d.guards[0]
	switch listed {
	case was.want:
	case "":
		d.fixes = append(d.fixes, fix{"HDEL", was.key, []string{was.field}})
	default:
		d.fixes = append(d.fixes, fix{"HSET", was.key, []string{was.field, listed}})
	}
	if said != d.apart[0].want {
		d.mend = &mend{claim: d.claim, key: d.Key, seen: d.apart[0].want, says: said}
		if listed != "" {
			d.mend.listed = guard{"field", was.key, was.field, listed}
		}
	}
	if c.s.spread {
		if _, attempt := parseHeld(listed); listed != was.want && listed != "" {
			// Who has met the claim meanwhile has fenced it off and taken it.
			d.guards = append(d.guards, guard{"field", c.k.tombstones(), attempt, ""})
		}
		return
	}
	// One node: all of it at once.
	d.guards, d.apart = append(d.guards, d.apart...), nil
	if m := d.mend; m != nil && m.says == "" {
		d.fixes = append(d.fixes, fix{"DEL", m.key, nil})
	} else if m != nil {
		d.fixes = append(d.fixes, fix{"SET", m.key, []string{m.says}})
	}
	d.mend = nil
}

// mend is a claim in a slot of its own that is to say something else.
type mend struct {
	claim           resources.Claim
	key, seen, says string
	listed          guard  // what must be listed once it says so
	reserved        string // what it says until then
}

// reserve lets claims that are to be mended say so before the lists do, as commits
// do it: nobody else can take them from there on. What somebody has taken is moved.
func (c *check) reserve(ctx context.Context, list []difference, still []bool) error {
	if !c.cfg.Repair {
		return nil
	}
	for i := range list {
		m := list[i].mend
		if m == nil || m.says == "" || !still[i] {
			continue
		}
		if v, ok := parseClaim(m.seen); ok && v.org != c.k.org { // it must not become theirs
			held, err := c.s.resolve(ctx, m.claim, v)
			if err != nil {
				return explain(ctx, "mend a claim", err)
			}
			if still[i] = held == ""; held != "" {
				continue
			}
			m.seen = ""
		}
		m.reserved = reservation(m.claim, c.k.org, m.listed.want)
		done, err := c.changeClaim(ctx, m.key, m.seen, m.reserved)
		if err != nil {
			return err
		}
		if still[i] = done; done {
			m.seen = m.reserved
			list[i].apart[0].want = m.reserved
		}
	}
	return nil
}

// unreserve ends what reserve has begun for a difference that is none any more.
func (c *check) unreserve(ctx context.Context, d *difference) error {
	if d.mend == nil || d.mend.reserved == "" {
		return nil
	}
	v, ok := parseClaim(d.mend.reserved)
	if !ok {
		return errDamaged
	}
	_, err := c.s.resolve(ctx, v.claim, v)
	return explain(ctx, "mend a claim", err)
}

func (c *check) changeClaim(ctx context.Context, key, seen, says string) (bool, error) {
	w := newCall(c.s.scripts.mendClaim, 3)
	w.key(key)
	w.arg(seen, says)
	reply, err := c.s.write(ctx, w)
	return reply == int64(1), explain(ctx, "mend a claim", err)
}

// mendClaim lets a claim say what it must. When what it follows from has changed
// meanwhile it is taken back.
func (c *check) mendClaim(ctx context.Context, m *mend) (bool, error) {
	done, err := c.changeClaim(ctx, m.key, m.seen, m.says)
	if err != nil || !done || m.says == "" {
		return done, err
	}
	v, err := c.client.HGet(ctx, m.listed.key, m.listed.field).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return false, explain(ctx, "mend a claim", err)
	}
	if v == m.listed.want {
		return true, nil
	}
	_, err = c.changeClaim(ctx, m.key, m.says, "")
	return false, err
}

// otherHolder explains a claim that a record says it holds and somebody else has.
func (c *check) otherHolder(ctx context.Context, h *claimed, d *difference) error {
	d.Code = FindingClaimConflict
	d.Reason = fmt.Sprintf("the claim %s is held by %q, the records say %q", d.Key, h.said+h.listed, h.c.Holder)
	d.Remedy = "give one of the two another address, number or link (PATCH the resource by SCIM or the REST API), then check again"
	_, rest, _ := strings.Cut(h.said, "|")
	org, holder, _ := strings.Cut(rest, "|")
	holder, _, _ = strings.Cut(holder, "|")
	if h.said == "" {
		org = string(c.k.org)
		holder, _, _ = strings.Cut(h.listed, "|")
	}
	switch kind, ok := known(holder); {
	case h.said != "" && org != string(c.k.org):
		d.Reason = fmt.Sprintf("the claim %s of %s is held by the organization %s", d.Key, h.x.id, org)
	case ok:
		list, err := c.read(ctx, []string{holder}, false)
		if err != nil {
			return err
		}
		y := &list[0]
		// Two records with one claim, or it is not known what the other one holds.
		both := slices.ContainsFunc(y.held, func(o resources.HeldClaim) bool { return o.Claim == h.c.Claim })
		unsure := y.bad != nil || (y.raw != "" && h.c.Kind == resources.ClaimSubject)
		if both || unsure {
			break
		}
		d.guards = append(d.guards, c.k.seenHead(kind, y.id, y.raw))
		stamp, err := c.s.stamp()
		if err != nil {
			return err
		}
		d.Code, d.Remedy = FindingClaimDiffers, ""
		c.mend(d, h.c.Holder+"|"+stamp, claimPrefix(c.k.org, h.c.Holder)+stamp)
	}
	return nil
}

// heldClaims walks the organization's list of claims when it has not as many as
// the records say. What no record says is found by walking the records twice: the
// first time all that they say is noted as a hash, the second time what is left of
// the list is looked for.
func (c *check) heldClaims(ctx context.Context) error {
	if !c.whole(c.k.claims()) {
		return nil
	}
	n, err := c.client.HLen(ctx, c.k.claims()).Result()
	if err != nil {
		return explain(ctx, "count claims", err)
	}
	if int(n) == c.tally.claims && !c.cfg.Deep && c.cfg.Placed != nil {
		return nil
	}
	said, err := c.saidClaims(ctx, nil)
	if err != nil {
		return err
	}
	strange := map[string]string{} // with what the list says
	add, end := pieces(chunkSize, func(fields []string) error {
		return c.again(ctx, fields, c.claimsBack)
	})
	err = c.scan(ctx, "HSCAN", c.k.claims(), func(name, listed string) error {
		if c.cfg.Placed != nil && !said[c.hash(name)] && len(strange) < maxTold {
			strange[name] = listed
			return nil
		}
		return add(name)
	})
	// Where a walk does not meet all records, what it does not meet says nothing.
	if err = errors.Join(err, end()); err != nil || len(strange) == 0 || c.partial() {
		return err
	}
	if _, err := c.saidClaims(ctx, strange); err != nil {
		return err
	}
	return c.strangeClaims(ctx, strange)
}
