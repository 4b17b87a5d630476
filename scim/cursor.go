package scim

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"time"

	scimerrors "github.com/elimity-com/scim/errors"

	"github.com/usher-scim/usher/resources"
)

const (
	cursorTimeout = time.Hour // from one page to the next
	cursorVersion = 1
	longestCursor = 16 << 10 // bytes; a sort value has at most some thousand
)

// The keywords of RFC 9865 §2.1.
const (
	scimTypeInvalidCursor scimerrors.ScimType = "invalidCursor"
	scimTypeExpiredCursor scimerrors.ScimType = "expiredCursor"
	scimTypeInvalidCount  scimerrors.ScimType = "invalidCount"
)

// cursor is one request of a walk from page to page (RFC 9865). usher keeps
// nothing of a walk: the place it has got to travels as the text of the cursor,
// sealed with a key of the organization, so that it can neither be made nor read
// outside, and together with the query it belongs to, so that it opens for no
// other one (R-137, security S15).
type cursor struct {
	aead  cipher.AEAD
	query []byte // what a cursor is bound to besides the organization
	now   time.Time
	count int

	place cursorPlace // where the page begins; the zero value is the start
}

// cursorPlace is where a page begins. A query at the root goes from one resource
// type to the next.
type cursorPlace struct {
	typ      string // name of the resource type; "" where the address names it
	after    string // resources.Query.After
	backward bool
}

// cursor reads the parameters of a page of a walk. address is what the query is
// asked of: a resource type's name, "" for the root. The caller must have the
// right to ask it: a cursor gives none.
func (c *call) cursor(ctx context.Context, address string, p *params) (*cursor, error) {
	if p.startIndex.has {
		return nil, invalid(scimerrors.ScimTypeInvalidValue, "startIndex and cursor are two ways of paging; send one of them.")
	}
	count, err := p.count.integer("count", defaultCount)
	if err != nil || count < 0 || count > maxCount {
		return nil, invalid(scimTypeInvalidCount, "count must be a whole number from 0 to %d when paging by cursor.", maxCount)
	}
	secret, err := c.dir.Secret(ctx, "cursor")
	if err != nil {
		return nil, err
	}
	key, err := hkdf.Key(sha256.New, secret, nil, "cursor of "+string(c.caller.Org), 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	out := &cursor{now: c.now(), count: count}
	if out.aead, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		return nil, err
	}
	for _, text := range []string{
		string(c.caller.Org), address, p.filter.text, p.sortBy.text, p.sortOrder.text, p.attributes.text, p.excludedAttributes.text,
	} {
		out.query = binary.AppendUvarint(out.query, uint64(len(text)))
		out.query = append(out.query, text...)
	}
	if p.cursor.text == "" {
		return out, nil
	}
	return out, out.open(p.cursor.text)
}

// text makes the cursor for a place: base64url without padding, which is all
// unreserved characters, of a version and the sealed place.
func (c *cursor) text(at cursorPlace) string {
	plain := binary.AppendUvarint(nil, uint64(max(c.now.Unix(), 0)))
	plain = binary.AppendUvarint(plain, uint64(c.count))
	direction := byte(0)
	if at.backward {
		direction = 1
	}
	plain = append(plain, direction)
	plain = binary.AppendUvarint(plain, uint64(len(at.typ)))
	plain = append(append(plain, at.typ...), at.after...)
	return base64.RawURLEncoding.EncodeToString(c.aead.Seal([]byte{cursorVersion}, nil, plain, c.query))
}

// open reads the cursor of a request into place. Whatever is wrong with
// one that was not made for this organization and query, the answer is the
// same.
func (c *cursor) open(text string) error {
	foreign := invalid(scimTypeInvalidCursor, "The cursor is not one of this query. Send every other parameter as on the first page, or begin again with an empty cursor.")
	if len(text) > longestCursor {
		return foreign
	}
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(sealed) == 0 || sealed[0] != cursorVersion || base64.RawURLEncoding.EncodeToString(sealed) != text {
		return foreign // of several spellings of the same bytes only ours counts
	}
	plain, err := c.aead.Open(nil, nil, sealed[1:], c.query)
	if err != nil {
		return foreign
	}
	issued, count, place, ok := readPlace(plain)
	switch {
	case !ok:
		return foreign
	case c.now.Sub(issued) > cursorTimeout:
		return invalid(scimTypeExpiredCursor, "The cursor is older than %d seconds; begin again with an empty one.", int(cursorTimeout.Seconds()))
	case count != c.count:
		return invalid(scimTypeInvalidCount, "count must stay %d, as on the first page.", count)
	}
	c.place = place
	return nil
}

// readPlace takes apart what text has sealed.
func readPlace(plain []byte) (issued time.Time, count int, at cursorPlace, ok bool) {
	var numbers [2]uint64
	for i := range numbers {
		n, size := binary.Uvarint(plain)
		if size <= 0 {
			return issued, 0, at, false
		}
		numbers[i], plain = n, plain[size:]
	}
	if len(plain) == 0 {
		return issued, 0, at, false
	}
	at.backward, plain = plain[0] == 1, plain[1:]
	n, size := binary.Uvarint(plain)
	if size <= 0 || n > uint64(len(plain)-size) {
		return issued, 0, at, false
	}
	plain = plain[size:]
	at.typ, at.after = string(plain[:n]), string(plain[n:])
	return time.Unix(int64(numbers[0]), 0), int(numbers[1]), at, true
}

// turn makes a query one for the page of the cursor. count=0 asks for the total
// only.
func (c *cursor) turn(q *resources.Query) {
	q.Offset, q.Limit = 0, c.count
	if c.count > 0 {
		q.Keyset, q.After, q.Backward = true, c.place.after, c.place.backward
	}
}

// appendHead opens the ListResponse of a page within one resource type.
func (c *cursor) appendHead(dst []byte, page *resources.Page) []byte {
	var next, previous *cursorPlace
	if page.Next != "" {
		next = &cursorPlace{typ: c.place.typ, after: page.Next}
	}
	if page.Prev != "" {
		previous = &cursorPlace{typ: c.place.typ, after: page.Prev, backward: true}
	}
	return c.appendListHead(dst, page.Total, len(page.Records), next, previous)
}

// appendListHead opens a ListResponse: nextCursor and
// previousCursor stand there when there is such a page, totalResults when the
// store has counted.
func (c *cursor) appendListHead(dst []byte, total, count int, next, previous *cursorPlace) []byte {
	dst = append(dst, `{"schemas":["`+listURN+`"]`...)
	if total >= 0 {
		dst = strconv.AppendInt(append(dst, `,"totalResults":`...), int64(total), 10)
	}
	dst = strconv.AppendInt(append(dst, `,"itemsPerPage":`...), int64(count), 10)
	if next != nil {
		dst = append(append(append(dst, `,"nextCursor":"`...), c.text(*next)...), '"')
	}
	if previous != nil {
		dst = append(append(append(dst, `,"previousCursor":"`...), c.text(*previous)...), '"')
	}
	return append(dst, `,"Resources":[`...)
}
