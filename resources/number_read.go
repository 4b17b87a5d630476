package resources

import (
	"fmt"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// numberText bounds a number as people write it, in bytes.
const numberText = 64

// reading is a telephone number as the numbering plans understand it.
type reading struct {
	E164   string
	Type   string // fixed, mobile, …; "" when the plan does not say
	Region string // ISO 3166, or 001 for numbers of no country; "" when unknown
	Note   string // a sentence when the number can exist and the plan does not know it; or ""
}

// readNumber reads a number as people write it: in E.164, with 00 in front, in
// the national form of a region (ISO 3166, "" when none is known), with spaces,
// dots, hyphens, slashes and parentheses, or as a tel URI (RFC 3966). What is
// impossible is refused; what is possible and not assigned by the numbering
// plan is taken with a note, because ranges for tests and documentation, and
// new ones, are such. Code: invalid_value with field number.
func readNumber(text, region string) (reading, error) {
	digits, err := numberDigits(text)
	if err != nil {
		return reading{}, err
	}
	if region == "" && strings.HasPrefix(digits, "00") {
		digits = "+" + digits[2:]
	}
	if region == "" && digits[0] != '+' {
		return reading{}, badNumber(text, "it is in national form and no country is known; write it with + and the country code, or set the country of the location")
	}
	n, err := phonenumbers.Parse(digits, region)
	possible := err == nil && numberPossible(n) == ""
	if !possible && strings.HasPrefix(digits, "00") { // of a region where one dials something else than 00
		if abroad, err := phonenumbers.Parse("+"+digits[2:], region); err == nil && numberPossible(abroad) == "" {
			n, possible = abroad, true
		}
	}
	switch {
	case possible:
	case err != nil:
		return reading{}, badNumber(text, "it does not begin with a country code that exists; write it with + and the country code")
	default:
		return reading{}, badNumber(text, numberPossible(n))
	}
	out := reading{
		E164: phonenumbers.Format(n, phonenumbers.E164), Type: numberTypes[phonenumbers.GetNumberType(n)],
		Region: phonenumbers.GetRegionCodeForNumber(n),
	}
	if out.Region == "" {
		out.Region = phonenumbers.GetRegionCodeForCountryCode(int(n.GetCountryCode()))
	}
	if out.Region == "ZZ" {
		out.Region = ""
	}
	if !phonenumbers.IsValidNumber(n) {
		// What no plan knows may lose a zero each time that it is read.
		if again, err := phonenumbers.Parse(out.E164, ""); err != nil || phonenumbers.Format(again, phonenumbers.E164) != out.E164 {
			return reading{}, badNumber(text, "no number of this country begins like this")
		}
		out.Note = "The numbering plan of " + strings.TrimSpace("+"+fmt.Sprint(n.GetCountryCode())+" "+out.Region) + " does not know this number; check it, unless it is one for tests."
	}
	return out, nil
}

// numberTypes names what the numbering plan says of a number. The names are
// stored: never change one.
var numberTypes = map[phonenumbers.PhoneNumberType]string{
	phonenumbers.FIXED_LINE: "fixed", phonenumbers.MOBILE: "mobile", phonenumbers.FIXED_LINE_OR_MOBILE: "fixed_or_mobile",
	phonenumbers.TOLL_FREE: "toll_free", phonenumbers.PREMIUM_RATE: "premium", phonenumbers.SHARED_COST: "shared_cost",
	phonenumbers.VOIP: "voip", phonenumbers.PERSONAL_NUMBER: "personal", phonenumbers.PAGER: "pager",
	phonenumbers.UAN: "company", phonenumbers.VOICEMAIL: "voicemail",
}

// e164Most is how many digits E.164 allows.
const e164Most = 15

// numberPossible tells why a number cannot exist; "" when it can.
func numberPossible(n *phonenumbers.PhoneNumber) string {
	if len(phonenumbers.Format(n, phonenumbers.E164)) > 1+e164Most {
		return "it has too many digits"
	}
	switch phonenumbers.IsPossibleNumberWithReason(n) {
	case phonenumbers.IS_POSSIBLE:
		return ""
	case phonenumbers.IS_POSSIBLE_LOCAL_ONLY:
		return "its area code is missing"
	case phonenumbers.TOO_SHORT:
		return "it has too few digits"
	case phonenumbers.TOO_LONG:
		return "it has too many digits"
	case phonenumbers.INVALID_COUNTRY_CODE:
		return "its country code does not exist"
	}
	return "no number of this country has so many digits"
}

// numberDigits takes away what people write between the digits. What is left
// is not empty.
func numberDigits(text string) (string, error) {
	bare := strings.TrimSpace(text)
	if len(bare) > numberText {
		return "", badNumber(text, fmt.Sprintf("it has more than %d characters", numberText))
	}
	if len(bare) > 4 && strings.EqualFold(bare[:4], "tel:") {
		bare = bare[4:]
	}
	var b strings.Builder
	for i, r := range bare {
		switch {
		case r >= '0' && r <= '9', r == '+' && b.Len() == 0:
			b.WriteRune(r)
		case strings.ContainsRune(" \u00a0\u2009\u202f-\u2010\u2011\u2012\u2013./()", r), r >= 0x200e && r <= 0x200f, r >= 0x202a && r <= 0x202e:
			// Marks of direction come with numbers that are copied from contacts.
		case (r == 'E' || r == 'e') && scientific(bare, i):
			return "", badNumber(text, "a spreadsheet has shortened it; format the column as text and save it again")
		case r == ';' || r == '#' || r == 'x' || r == 'X' || r == ',':
			return "", badNumber(text, "a number has no extension behind it; send the extension by itself")
		default:
			return "", badNumber(text, "a number has digits, spaces, dots, hyphens, slashes and parentheses only, and perhaps a + in front")
		}
	}
	switch digits := b.String(); {
	case strings.Trim(digits, "+") == "":
		return "", &Error{Code: CodeInvalidValue, Field: "number", Detail: "A number is missing; write one in international form, for example +33634333211."}
	default:
		return digits, nil
	}
}

// scientific tells a number such as 3,36343E+10 by its E at i.
func scientific(text string, i int) bool {
	rest := strings.TrimLeft(text[i+1:], "+")
	return i > 0 && text[i-1] >= '0' && text[i-1] <= '9' && rest != "" && strings.Trim(rest, "0123456789") == ""
}

func badNumber(text, why string) error {
	return &Error{Code: CodeInvalidValue, Field: "number", Detail: "The number " + quoted(clip(text, 40)) + " cannot be used: " + why + "."}
}
