package inbox

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"regexp"
	"strings"
	"time"
)

// message is a mail that was taken in.
type message struct {
	ID      int       `json:"id"`
	Time    time.Time `json:"time"`
	From    string    `json:"from"` // of the envelope, as To
	To      []string  `json:"to"`
	Subject string    `json:"subject"`
	Size    int       `json:"size"`

	headers []header
	text    string
	html    string
	links   []string
	source  string
	fault   string // why it cannot be read, or ""
}

// header is one field of a message's header.
type header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// maxDepth is how deep parts may stand in parts.
const maxDepth = 6

// read reads a message. Of one that it cannot read it keeps the source.
func read(source []byte) *message {
	m := &message{source: strings.ToValidUTF8(string(source), "\ufffd")}
	parsed, err := mail.ReadMessage(bytes.NewReader(source))
	if err != nil {
		m.Subject, m.fault = "(not a message)", "The header cannot be read: "+err.Error()
		return m
	}
	m.headers = headers(source)
	m.Subject = decode(parsed.Header.Get("Subject"))
	if err := m.part(textproto.MIMEHeader(parsed.Header), parsed.Body, 0); err != nil {
		m.fault = "The body cannot be read: " + err.Error()
	}
	m.links = address.FindAllString(m.text, -1)
	return m
}

var address = regexp.MustCompile(`https?://[^\s<>"]+[^\s<>".,;:!?)]`)

// unfold joins the lines of a field (RFC 5322 §2.2.3).
var unfold = strings.NewReplacer("\n ", " ", "\n\t", "\t")

// headers lists the fields in their order. They were read once without a fault.
func headers(source []byte) (out []header) {
	head, _, _ := strings.Cut(strings.ReplaceAll(string(source), "\r\n", "\n"), "\n\n")
	for line := range strings.SplitSeq(unfold.Replace(head), "\n") {
		if name, value, ok := strings.Cut(line, ":"); ok {
			out = append(out, header{name, strings.TrimSpace(value)})
		}
	}
	for i := range out {
		out[i].Value = decode(out[i].Value)
	}
	return out
}

// decode gives a header's value as people read it.
func decode(value string) string {
	if s, err := new(mime.WordDecoder).DecodeHeader(value); err == nil {
		value = s
	}
	return strings.ToValidUTF8(value, "\ufffd")
}

// part reads one part; the first text and the first HTML count.
func (m *message) part(head textproto.MIMEHeader, body io.Reader, depth int) error {
	kind, params, err := mime.ParseMediaType(head.Get("Content-Type"))
	if err != nil {
		kind = "text/plain"
	}
	if strings.HasPrefix(kind, "multipart/") {
		if depth == maxDepth {
			return errors.New("too many parts stand in parts")
		}
		return m.parts(multipart.NewReader(body, params["boundary"]), depth)
	}
	into := map[string]*string{"text/plain": &m.text, "text/html": &m.html}[kind]
	if into == nil || *into != "" || head.Get("Content-Disposition") != "" {
		return nil
	}
	switch encoding := strings.ToLower(strings.TrimSpace(head.Get("Content-Transfer-Encoding"))); encoding {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "", "7bit", "8bit", "binary":
	default:
		return fmt.Errorf("the encoding %q is not known", encoding)
	}
	content, err := io.ReadAll(body)
	*into = strings.ReplaceAll(strings.ToValidUTF8(string(content), "\ufffd"), "\r\n", "\n")
	return err
}

func (m *message) parts(r *multipart.Reader, depth int) error {
	for {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := m.part(p.Header, p, depth+1); err != nil {
			return err
		}
	}
}
