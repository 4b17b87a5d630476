package resources

import (
	"strings"
	"testing"
	"time"
)

// places notes what is asked of pools and lines, in words.
type places struct {
	Tx
	said []byte
}

func (p *places) say(words ...string) {
	if len(p.said) > 0 {
		p.said = append(p.said, ", "...)
	}
	p.said = append(p.said, strings.Join(words, " ")...)
}

func (p *places) Take(pool Pool, holder string) { p.say("take", holder, pool.Name) }
func (p *places) Give(pool, holder string)      { p.say("give", holder, pool) }
func (p *places) Quit(line, holder string)      { p.say("quit", holder, line) }
func (p *places) Due(item string, _ time.Time)  { p.say("due", item) }
func (p *places) Wait(line, holder string, _ int64, pools ...Pool) {
	words := []string{"wait", holder, line}
	for _, x := range pools {
		words = append(words, x.Name)
	}
	p.say(words...)
}

// TestSeating: what a change of licences asks of pools and lines (BR-150, BR-164).
func TestSeating(t *testing.T) {
	for name, tt := range map[string]struct{ before, after, want string }{
		"a seat":                      {"", "host@s-host:scim", "take u seat/s-host"},
		"a seat given back":           {"host@s-host:scim", "", "give u seat/s-host, due shost"},
		"a seat kept":                 {"host@s-host:scim", "host@s-host:direct", ""},
		"another subscription":        {"suite@s-suite:scim", "suite@e-suite:scim", "give u seat/s-suite, due ssuite, take u seat/e-suite"},
		"free":                        {"", "basic:scim", "take u free/basic"},
		"free no more":                {"basic:scim", "", "give u free/basic"},
		"in the line":                 {"", "host!no_seats_available:scim", "wait u sku/host seat/s-host, due shost"},
		"in the line still":           {"host!no_seats_available:scim", "host!no_seats_available:scim", "wait u sku/host seat/s-host"},
		"nothing subscribed":          {"", "voice!package_not_subscribed:scim", "wait u sku/voice, due svoice"},
		"seated from the line":        {"host!no_seats_available:scim", "host@s-host:scim", "take u seat/s-host"},
		"out of the line":             {"host!no_seats_available:scim", "", "quit u sku/host, due shost"},
		"out of the line, in error":   {"host!no_seats_available:scim", "host!licence_prerequisite:scim", "quit u sku/host, due shost"},
		"back into the line":          {"host@s-host:scim", "host!no_seats_available:scim", "give u seat/s-host, due shost, wait u sku/host seat/s-host, due shost"},
		"of a subscription that went": {"host@gone:scim", "", "give u seat/gone"},
		"in error for other reasons":  {"", "webinars!licence_prerequisite:scim", ""},
	} {
		t.Run(name, func(t *testing.T) {
			read := func(text string) []Assignment {
				if text == "" {
					return nil
				}
				return has(text).Licences
			}
			var tx places
			seating{tx: &tx, q: asked(func(*question) {}), user: "u"}.move(read(tt.before), read(tt.after))
			if string(tx.said) != tt.want {
				t.Errorf("%s, want %s", tx.said, tt.want)
			}
		})
	}
}

// TestOneOf: alternatives in a sentence.
func TestOneOf(t *testing.T) {
	for n, want := range []string{"", "a", "a or b", "a, b or c"} {
		if got := oneOf([]string{"a", "b", "c"}[:n]); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
