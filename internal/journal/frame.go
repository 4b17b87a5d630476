package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
	"strings"
)

// version is the format of this package.
const version = "journal/1"

const (
	frameHead  = 16       // bytes before a payload
	lineMost   = 256      // bytes of a file's first line
	frameMost  = 1 << 30  // bytes of a payload
	batchLimit = 16 << 20 // a frame is closed when it has so many
	endNumber  = 1<<64 - 1
)

// head is what a file's first line says.
type head struct {
	kind       string // snapshot or journal
	generation uint64
	salt       uint32
	first      uint64 // number of the first record of the generation
}

const (
	kindSnapshot = "snapshot"
	kindJournal  = "journal"
	unfinished   = ".new"
)

// name is what the file is called.
func (h head) name() string { return fmt.Sprintf("%s-%010d", h.kind, h.generation) }

// parseName reads the name of a file; !ok: it is none of this package.
func parseName(name string) (h head, finished, ok bool) {
	kind, number, _ := strings.Cut(name, "-")
	number, unready := strings.CutSuffix(number, unfinished)
	h.kind = kind
	g, err := strconv.ParseUint(number, 10, 64)
	h.generation = g
	ok = err == nil && (h.kind == kindSnapshot || h.kind == kindJournal) && strings.TrimSuffix(name, unfinished) == h.name()
	return h, !unready, ok
}

// line is the first line of the file.
func (h head) line(format string) []byte {
	text := fmt.Sprintf("%s %s %s %d %08x %d", version, format, h.kind, h.generation, h.salt, h.first)
	return fmt.Appendf(nil, "%s %08x\n", text, sum(0, []byte(text)))
}

var errNoHead = errors.New("the first line is not that of such a file")

// parseHead reads a first line, without its end.
func parseHead(line []byte, format string) (h head, err error) {
	at := bytes.LastIndexByte(line, ' ')
	if at < 0 {
		return h, errNoHead
	}
	var written uint32
	var v, f string
	if n, err := fmt.Sscanf(string(line), "%s %s %s %d %x %d %x", &v, &f, &h.kind, &h.generation, &h.salt, &h.first, &written); err != nil || n != 7 {
		return h, errNoHead
	}
	switch {
	case written != sum(0, line[:at]):
		return h, errNoHead
	case v != version:
		return h, fmt.Errorf("it has the format %q, this program reads %q: use the version of the program that wrote it, or a newer one", v, version)
	case f != format:
		return h, fmt.Errorf("it holds %q, this program reads %q: use the version of the program that wrote it, or a newer one", f, format)
	case string(line)+"\n" != string(h.line(format)): // something stands behind what was read
		return h, errNoHead
	}
	return h, nil
}

// sum is the checksum of parts behind a salt.
func sum(salt uint32, parts ...[]byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli) // made once, by the package
	c := crc32.Update(0, table, binary.LittleEndian.AppendUint32(nil, salt))
	for _, p := range parts {
		c = crc32.Update(c, table, p)
	}
	return c
}

// seal fills in the head of a frame whose payload stands behind frameHead bytes.
func seal(frame []byte, salt uint32, number uint64) {
	binary.LittleEndian.PutUint32(frame, uint32(len(frame)-frameHead))
	binary.LittleEndian.PutUint64(frame[8:], number)
	binary.LittleEndian.PutUint32(frame[4:], sum(salt, frame[:4], frame[8:]))
}

// addRecord puts a record behind others in a payload.
func addRecord(payload, record []byte) []byte {
	payload = binary.AppendUvarint(payload, uint64(len(record)))
	return append(payload, record...)
}

// eachRecord takes a payload apart and returns how many records it has.
func eachRecord(payload []byte, fn func([]byte) error) (n uint64, err error) {
	for len(payload) > 0 {
		size, w := binary.Uvarint(payload)
		if w <= 0 || size > uint64(len(payload)-w) {
			return n, errors.New("a record is longer than its frame")
		}
		if err := fn(payload[w : w+int(size)]); err != nil {
			return n, err
		}
		payload = payload[w+int(size):]
		n++
	}
	return n, nil
}

// bad says what is wrong with a frame.
type bad string

// Error gives the reason.
func (b bad) Error() string { return string(b) }

// readFrame reads the frame that r stands before; left is how many bytes r has. At
// the end it returns io.EOF, and bad for anything that is no frame. buf is
// used again.
func readFrame(r io.Reader, left int64, salt uint32, buf *[]byte) (payload []byte, number uint64, err error) {
	if left == 0 {
		return nil, 0, io.EOF
	}
	if left < frameHead {
		return nil, 0, bad(fmt.Sprintf("only %d bytes of a frame are there", left))
	}
	head := grown(buf, frameHead)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, 0, err
	}
	size := int64(binary.LittleEndian.Uint32(head))
	number = binary.LittleEndian.Uint64(head[8:])
	switch {
	case size == 0 || size > frameMost:
		return nil, 0, bad(fmt.Sprintf("a frame cannot have %d bytes", size))
	case size > left-frameHead:
		return nil, 0, bad(fmt.Sprintf("only %d of the frame's %d bytes are there", left-frameHead, size))
	}
	frame := grown(buf, int(frameHead+size))
	if _, err := io.ReadFull(r, frame[frameHead:]); err != nil {
		return nil, 0, err
	}
	if binary.LittleEndian.Uint32(frame[4:]) != sum(salt, frame[:4], frame[8:]) {
		return nil, 0, bad("the frame's checksum does not fit")
	}
	return frame[frameHead:], number, nil
}

// grown makes a buffer n bytes long and keeps what it holds.
func grown(buf *[]byte, n int) []byte {
	if cap(*buf) < n {
		*buf = append(make([]byte, 0, n), (*buf)...)
	}
	*buf = (*buf)[:n]
	return *buf
}

// followed reports where in rest, which begins with a bad frame, a good one
// stands; -1 means nowhere. last is the number before the bad one's.
func followed(rest []byte, salt uint32, last uint64) int {
	for at := 1; at+frameHead < len(rest); at++ {
		p := rest[at:]
		size := int64(binary.LittleEndian.Uint32(p))
		number := binary.LittleEndian.Uint64(p[8:])
		if size == 0 || size > int64(len(p)-frameHead) || number <= last || number-last > uint64(len(rest)) {
			continue
		}
		if binary.LittleEndian.Uint32(p[4:]) == sum(salt, p[:4], p[8:frameHead+size]) {
			return at
		}
	}
	return -1
}
