package filter

import (
	"fmt"
	"net/http"
	"unicode/utf8"

	scimerr "github.com/elimity-com/scim/errors"
)

// The limits of security S13 and elimity.md §5.4.
const (
	maxChars       = 4096 // characters of a filter
	maxPath        = 2048 // bytes of a path or sortBy
	maxDepth       = 16   // parentheses and brackets inside each other
	maxComparisons = 50   // comparisons of one filter, brackets included
	maxTemplate    = 512  // bytes that go to filter-parser
	maxEcho        = 100  // characters of input in an error
)

// subject is what is being read; it decides the scimType and the words of
// errors.
type subject uint8

const (
	aFilter subject = iota
	aPath
	aSortKey
)

func (s subject) String() string {
	switch s {
	case aPath:
		return "path"
	case aSortKey:
		return "sortBy"
	}
	return "filter"
}

func (s subject) scimType() scimerr.ScimType {
	switch s {
	case aPath:
		return scimerr.ScimTypeInvalidPath
	case aSortKey:
		return scimerr.ScimTypeInvalidValue
	}
	return scimerr.ScimTypeInvalidFilter
}

// fault makes the error for something wrong with the whole text.
func (s subject) fault(format string, args ...any) error {
	return scimerr.ScimError{
		ScimType: s.scimType(),
		Status:   http.StatusBadRequest,
		Detail:   "The " + s.String() + " is not valid: " + fmt.Sprintf(format, args...),
	}
}

// faultAt makes the error for something wrong at byte pos of text.
func (s subject) faultAt(text string, pos int, format string, args ...any) error {
	return scimerr.ScimError{
		ScimType: s.scimType(),
		Status:   http.StatusBadRequest,
		Detail: fmt.Sprintf("The %s is not valid at character %d: ", s, utf8.RuneCountInString(text[:pos])+1) +
			fmt.Sprintf(format, args...),
	}
}

// quote shows a piece of input: in quotes, control characters escaped, cut.
func quote(s string) string {
	n := 0
	for i := range s {
		if n++; n > maxEcho-20 {
			return fmt.Sprintf("%q…", s[:i])
		}
	}
	return fmt.Sprintf("%q", s)
}
