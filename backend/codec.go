package backend

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"unsafe"

	"github.com/klauspost/compress/s2"

	"github.com/usher-scim/usher/resources"
)

// The header of a stored record is text of fixed width:
//
//	 0  1  format version, '1'
//	 1  1  encoding of the body: '0' plain, '1' and '2' s2 block with the dictionary of that number
//	 2 13  version of the document
//	15 12  stamp of the commit that wrote it
//	27 13  created, milliseconds
//	40 13  modified, milliseconds
//	53  4  length of the display text
//	57  8  length of the standing
//	65  1  newline
//
// Then come the display text, and the body: profile and standing, one after
// the other, encoded as one. Everything a reference to the record needs stands
// within the first headSize bytes.
const (
	headerSize = 66
	maxDisplay = 120
	headSize   = headerSize + maxDisplay
	seenFrom   = "2" // GETRANGE bounds of version and stamp
	seenTo     = "26"

	formatOne = '1'
	bodyPlain = '0'
	bodyS2    = '1' // only read
	bodyS2Two = '2'

	maxNumber = 9_999_999_999_999 // 13 digits
	maxBody   = 99_999_999        // 8 digits
	smallBody = 200               // below this the code does not pay
	keptBody  = 64 << 10          // larger space is not kept for others
)

// errDamaged is wrapped by errors about stored bytes that make no sense.
var errDamaged = errors.New("stored record is damaged")

// codec writes and reads stored records. It is safe for concurrent use.
type codec struct {
	one, two *s2.Dict
	bodies   *sync.Pool // of *[]byte, where profile and standing are put together
}

func newCodec() codec {
	return codec{one: s2.MakeDict([]byte(dictionary1), nil), two: s2.MakeDict([]byte(dictionary2), nil), bodies: new(sync.Pool)}
}

// encode renders r with the given stamp.
func (c codec) encode(r *resources.Record, stamp string) ([]byte, error) {
	switch {
	case len(r.Display) > maxDisplay:
		return nil, fmt.Errorf("backend: record %s: the display text has %d bytes, at most %d are stored", r.ID, len(r.Display), maxDisplay)
	case r.Version > maxNumber || r.Created < 0 || r.Created > maxNumber || r.Modified < 0 || r.Modified > maxNumber:
		return nil, fmt.Errorf("backend: record %s: version and times must be numbers of at most 13 digits, not negative", r.ID)
	case len(r.Profile)+len(r.Standing) > maxBody:
		return nil, fmt.Errorf("backend: record %s: profile and standing have more than %d bytes", r.ID, maxBody)
	case len(stamp) != stampSize:
		return nil, fmt.Errorf("backend: record %s: bad stamp %q", r.ID, stamp)
	}
	size := len(r.Profile) + len(r.Standing)
	out := make([]byte, 0, headerSize+len(r.Display)+s2.MaxEncodedLen(size))
	out = append(out, formatOne, bodyPlain)
	out = appendPadded(out, r.Version, 13)
	out = append(out, stamp...)
	out = appendPadded(out, uint64(r.Created), 13)
	out = appendPadded(out, uint64(r.Modified), 13)
	out = appendPadded(out, uint64(len(r.Display)), 4)
	out = appendPadded(out, uint64(len(r.Standing)), 8)
	out = append(out, '\n')
	out = append(out, r.Display...)
	if size < smallBody {
		return append(append(out, r.Profile...), r.Standing...), nil
	}
	body, ok := c.bodies.Get().(*[]byte)
	if !ok {
		body = new([]byte)
	}
	*body = append(append((*body)[:0], r.Profile...), r.Standing...)
	packed := c.two.Encode(out[len(out):cap(out)], *body) // in place: there is room
	if len(packed) < size {
		out[1] = bodyS2Two
		out = out[:len(out)+len(packed)]
	} else {
		out = append(out, *body...)
	}
	if cap(*body) <= keptBody {
		c.bodies.Put(body)
	}
	return out, nil
}

func appendPadded(out []byte, n uint64, width int) []byte {
	var buf [20]byte
	digits := strconv.AppendUint(buf[:0], n, 10)
	for i := len(digits); i < width; i++ {
		out = append(out, '0')
	}
	return append(out, digits...)
}

// head is what the first headSize bytes of a record tell.
type head struct {
	version, created, modified uint64
	stamp, display             string
	standing                   int
	body                       int // where the body begins
	encoding                   byte
}

func readHead(raw string) (head, error) {
	if len(raw) < headerSize || raw[headerSize-1] != '\n' {
		return head{}, fmt.Errorf("%w: it has no header", errDamaged)
	}
	if raw[0] != formatOne {
		return head{}, fmt.Errorf("%w: unknown format version %q; was it written by a newer usher?", errDamaged, raw[0])
	}
	h := head{encoding: raw[1], stamp: raw[15:27]}
	var ok [5]bool
	var display, standing uint64
	h.version, ok[0] = digits(raw[2:15])
	h.created, ok[1] = digits(raw[27:40])
	h.modified, ok[2] = digits(raw[40:53])
	display, ok[3] = digits(raw[53:57])
	standing, ok[4] = digits(raw[57:65])
	h.standing, h.body = int(standing), headerSize+int(display)
	if ok != [5]bool{true, true, true, true, true} || len(raw) < h.body {
		return head{}, fmt.Errorf("%w: its header has a bad number", errDamaged)
	}
	h.display = raw[headerSize:h.body]
	return h, nil
}

func digits(s string) (n uint64, ok bool) {
	for i := 0; i < len(s); i++ {
		c := s[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = n*10 + uint64(c)
	}
	return n, true
}

// decode reads one stored record.
func (c codec) decode(kind resources.Kind, id, raw string) (*resources.Record, error) {
	r := new(resources.Record)
	_, err := c.decodeInto(r, make([]byte, 0, bodySize(raw)), kind, id, raw)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// bodySize tells how many bytes the body of a stored record has when decoded,
// or 0 when that makes no sense: then decoding fails.
func bodySize(raw string) int {
	if len(raw) < headerSize {
		return 0
	}
	display, _ := digits(raw[53:57])
	at := headerSize + int(display)
	if at > len(raw) {
		return 0
	}
	if raw[1] != bodyS2 && raw[1] != bodyS2Two {
		return len(raw) - at
	}
	// The length stands in the data; it is bounded before it is believed.
	n, err := s2.DecodedLen(bytesOf(raw[at:]))
	if err != nil || n > maxBody {
		return 0
	}
	return n
}

// bytesOf shows a string as bytes without a copy; they must not be written.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// decodeInto reads a stored record into r. The body goes to the free end of
// room, which is returned without it.
func (c codec) decodeInto(r *resources.Record, room []byte, kind resources.Kind, id, raw string) ([]byte, error) {
	h, err := readHead(raw)
	if err != nil {
		return room, fmt.Errorf("backend: record %s: %w", id, err)
	}
	body, err := c.body(room[:0], h, raw[h.body:])
	if err != nil {
		return room, fmt.Errorf("backend: record %s: %w", id, err)
	}
	cut := len(body) - h.standing
	if cut < 0 {
		return room, fmt.Errorf("backend: record %s: %w: its standing is cut off", id, errDamaged)
	}
	*r = resources.Record{
		Kind: kind, ID: id,
		Version: h.version, Created: int64(h.created), Modified: int64(h.modified),
		Display: h.display, Stamp: h.stamp, Profile: body[:cut:cut],
	}
	if h.standing > 0 {
		r.Standing = body[cut:len(body):len(body)]
	}
	return room[len(body):cap(room)], nil
}

// body decodes into room, which has the space bodySize told.
func (c codec) body(room []byte, h head, raw string) ([]byte, error) {
	switch h.encoding {
	case bodyPlain:
		return append(room, raw...), nil
	case bodyS2, bodyS2Two:
		dict := c.one
		if h.encoding == bodyS2Two {
			dict = c.two
		}
		n, err := s2.DecodedLen(bytesOf(raw))
		if err != nil || n > cap(room) {
			return nil, fmt.Errorf("%w: its body has no believable length", errDamaged)
		}
		body, err := dict.Decode(room, bytesOf(raw))
		if err != nil {
			return nil, fmt.Errorf("%w: its body does not unpack: %w", errDamaged, err)
		}
		return body, nil
	}
	return nil, fmt.Errorf("%w: unknown encoding %q; was it written by a newer usher?", errDamaged, h.encoding)
}

// decodeAll reads stored records side by side into one block; nil where there
// is no value. room is space to use again, which grows as needed; nil: the
// profiles get space of their own.
func (c codec) decodeAll(recs []*resources.Record, ids, values []string, room *[]byte) error {
	size := 0
	for i := range ids {
		if values[i] != "" {
			size += bodySize(values[i])
		}
	}
	if room == nil {
		room = new([]byte)
	}
	if cap(*room) < size {
		*room = make([]byte, 0, size)
	}
	block, free := make([]resources.Record, len(ids)), (*room)[:0]
	for i, id := range ids {
		if values[i] == "" {
			continue
		}
		kind, _ := known(id)
		var err error
		if free, err = c.decodeInto(&block[i], free, kind, id, values[i]); err != nil {
			return err
		}
		recs[i] = &block[i]
	}
	return nil
}
