package notify

import (
	"context"
	"errors"
	"io"
	"net"
	"net/textproto"
	"regexp"
	"strings"
	"unicode"

	"github.com/usher-scim/usher/resources"
)

// The outcomes of sending, as they are counted.
const (
	OutcomeSent     = "sent"     // the server took the message
	OutcomeRefused  = "refused"  // for good: the message or its recipient is at fault
	OutcomeDelayed  = "delayed"  // the server cannot take it now
	OutcomeSettings = "settings" // the server refuses usher itself, or is not what the settings say
)

// maxAnswer bounds what is kept of a server's answer, in bytes.
const maxAnswer = 300

// judge says what became of a try that ended with an error (BR-262). Only what
// lies in the message or its recipient is final.
func judge(at stage, err error) (outcome string, permanent bool) {
	answer, answered := errors.AsType[*textproto.Error](err)
	switch {
	case errors.Is(err, errNoUTF8):
		return OutcomeRefused, true
	case answered && answer.Code < 500, !answered && interrupted(err):
		return OutcomeDelayed, false
	case !answered, at == stageConnect, at == stageSender, rejectsUs(at, answer):
		return OutcomeSettings, false
	}
	return OutcomeRefused, true
}

// interrupted reports whether the network or the clock ended the try.
func interrupted(err error) bool {
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return true
	}
	return errors.Is(err, errLate) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// unknownToServer finds answers that refuse the sender, though they come to the
// recipient or the content: who is not authenticated may not relay, and receivers
// reject mail of domains whose SPF, DKIM or DMARC are wrong (RFC 7372).
var unknownToServer = regexp.MustCompile(`(?i)\b5\.7\.(8|9|11|2[0-7])\b|\brelay|rcpthosts|\bauthenticat|\blog ?in first`)

// rejectsUs reports whether a server's refusal is about usher, or its settings,
// rather than about this message.
func rejectsUs(at stage, answer *textproto.Error) bool {
	switch answer.Code {
	case 500, 502, 503, 504, 530, 534, 535, 538: // RFC 5321 §4.2.2, RFC 4954 §6
		return true
	case 501, 555:
		return at == stageContent // of an address it says that the address is wrong
	}
	return unknownToServer.MatchString(answer.Msg)
}

// faultOf makes the error for the caller. What it tells of the server's answer
// goes into the mail log, so nothing in it that opens an account. It begins with
// the server's code only where the mail is at fault, or its recipient: what comes
// before concerns every mail.
func faultOf(at stage, permanent bool, err error, secrets ...string) *resources.SendFault {
	text := err.Error()
	switch answer, answered := errors.AsType[*textproto.Error](err); {
	case answered && at == stageConnect:
		text = "while connecting: " + answer.Error()
	case answered && at == stageSender:
		text = "about the sender: " + answer.Error()
	case answered:
		text = answer.Error()
	case errors.Is(err, errLate):
		text = errLate.Error()
	}
	return &resources.SendFault{Permanent: permanent, Answer: plainAnswer(text, secrets), Err: err}
}

// plainAnswer makes a line of printable text of an answer.
func plainAnswer(text string, secrets []string) string {
	for _, s := range secrets {
		if len(s) > 3 {
			text = strings.ReplaceAll(text, s, "***")
		}
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(text, "?"))
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > maxAnswer {
		text = strings.ToValidUTF8(text[:maxAnswer-3], "") + "…"
	}
	return text
}
