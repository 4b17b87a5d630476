package filter

import (
	"fmt"
	"strings"
)

// decimal is a JSON number, exactly: 0.digits × 10^exp. Comparing never needs
// more memory than the text, whatever the exponent, so that 1e999999999 is
// harmless and 9007199254740993 differs from 9007199254740992.
type decimal struct {
	neg    bool
	exp    int64
	digits string // without zeros at either end; "" is zero
}

// maxExponent is where exponents are cut off; no two numbers of a request
// or a stored document differ beyond it.
const maxExponent = 1 << 40

// parseDecimal reads a JSON number. ok is false for any other text.
func parseDecimal(s string) (d decimal, ok bool) {
	i := 0
	if i < len(s) && s[i] == '-' {
		d.neg = true
		i++
	}
	start := i
	i = digitsEnd(s, i)
	whole := s[start:i]
	if whole == "" || (whole[0] == '0' && len(whole) > 1) {
		return d, false
	}
	frac := ""
	if i < len(s) && s[i] == '.' {
		start = i + 1
		i = digitsEnd(s, start)
		if frac = s[start:i]; frac == "" {
			return d, false
		}
	}
	exp, ok := exponent(s[i:])
	if !ok {
		return d, false
	}
	d.exp = exp + int64(len(whole))
	if d.digits = whole; strings.Trim(frac, "0") != "" {
		d.digits = whole + frac
	}
	trimmed := strings.TrimLeft(d.digits, "0")
	d.exp -= int64(len(d.digits) - len(trimmed))
	d.digits = strings.TrimRight(trimmed, "0")
	if d.digits == "" {
		return decimal{}, true
	}
	return d, true
}

func digitsEnd(s string, i int) int {
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return i
}

// exponent reads what follows the digits of a number: nothing, or e and an
// integer, which is cut at maxExponent.
func exponent(s string) (int64, bool) {
	if s == "" {
		return 0, true
	}
	if s[0] != 'e' && s[0] != 'E' {
		return 0, false
	}
	s = s[1:]
	neg := strings.HasPrefix(s, "-")
	if neg || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	if s == "" || digitsEnd(s, 0) != len(s) {
		return 0, false
	}
	var n int64
	for i := 0; i < len(s) && n < maxExponent; i++ {
		n = n*10 + int64(s[i]-'0')
	}
	n = min(n, maxExponent)
	if neg {
		n = -n
	}
	return n, true
}

// cmp is -1, 0 or 1 as d is less than, equal to or greater than o.
func (d decimal) cmp(o decimal) int {
	if a, b := d.sign(), o.sign(); a != b || a == 0 {
		return compare(a, b)
	}
	c := compare(d.exp, o.exp)
	if c == 0 {
		c = strings.Compare(d.digits, o.digits)
	}
	if d.neg {
		return -c
	}
	return c
}

func (d decimal) sign() int {
	switch {
	case d.digits == "":
		return 0
	case d.neg:
		return -1
	}
	return 1
}

func compare[T int | int64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// key is text that sorts by bytes as the numbers sort by value.
func (d decimal) key() string {
	switch d.sign() {
	case 0:
		return "1"
	case 1:
		return fmt.Sprintf("2%014x%s", d.exp+2*maxExponent, d.digits)
	}
	// Below zero everything turns round: greater exponents and digits come
	// first, and a number that goes on comes before one that ends.
	mirrored := strings.Map(func(r rune) rune { return '9' - (r - '0') }, d.digits)
	return fmt.Sprintf("0%014x%s~", 2*maxExponent-d.exp, mirrored)
}
