package resources

import (
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// The bounds of extensions, in digits (BR-195).
const (
	extensionLeast   = 2
	extensionMost    = 10
	extensionDefault = 4
)

// serviceCodes are emergency and service codes that no extension may shadow,
// wherever the location is (BR-195). Those of the location's own country come
// from its numbering plan.
var serviceCodes = []string{
	"15", "17", "18", "000", "110", "112", "113", "114", "115", "119", "191", "196", "197",
	"911", "933", "988", "999", "116000", "116006", "116111", "116117", "116123",
}

// checkExtension refuses what cannot be an extension at a location in a country
// ("" when unknown): it has 2 to 10 ASCII digits and is no emergency or service
// code (BR-195). Code: extension_invalid.
func checkExtension(text, country string) error {
	switch {
	case len(text) < extensionLeast || len(text) > extensionMost || strings.Trim(text, "0123456789") != "":
		return &Error{Code: CodeExtensionInvalid, Field: "extension", Detail: "The extension " + quoted(clip(text, 40)) + " cannot be used: an extension has 2 to 10 digits and nothing else."}
	case serviceCode(text, country):
		return &Error{Code: CodeExtensionInvalid, Field: "extension", Detail: "The extension " + quoted(text) + " cannot be used: it is an emergency or service code; choose another one."}
	}
	return nil
}

func serviceCode(digits, country string) bool {
	return slices.Contains(serviceCodes, digits) || country != "" && len(digits) <= 6 && phonenumbers.IsEmergencyNumber(digits, country)
}

// extensionLength is how many digits extensions of a location have when usher
// chooses them: its own, or that of the settings (BR-194).
func (p *Plan) extensionLength(l *Location) int {
	switch {
	case l.ExtensionLength != 0:
		return l.ExtensionLength
	case p.Settings.ExtensionLength != 0:
		return p.Settings.ExtensionLength
	}
	return extensionDefault
}

// recommended is the extension that goes with a number: its last digits
// (BR-194: +33634333211 gives 3211).
func recommended(e164 string, length int) string {
	digits := strings.TrimPrefix(e164, "+")
	return digits[max(0, len(digits)-length):]
}

// extensionsFrom gives up to n extensions of a location's length that no rule
// forbids: from first on and round past the last to the beginning. done is true
// when there are no others. skip is how many to leave out at the beginning.
func extensionsFrom(first, country string, skip, n int) (list []string, done bool) {
	size := 1
	for range first {
		size *= 10
	}
	at := 0
	for _, c := range first {
		at = at*10 + int(c-'0')
	}
	for i := skip; i < size; i++ {
		if len(list) == n {
			return list, false
		}
		text := padded((at+i)%size, len(first))
		if !serviceCode(text, country) {
			list = append(list, text)
		}
	}
	return list, true
}

// padded writes a number with leading zeros.
func padded(v, width int) string {
	out := make([]byte, width)
	for i := width - 1; i >= 0; i-- {
		out[i] = byte('0' + v%10)
		v /= 10
	}
	return string(out)
}

// placeXT is the key of an extension at a location in the unique index (BR-195).
func placeXT(location, extension string) string {
	return AttrKey("User", factPlaceXT, Folded(location+keySeparator+extension))
}
