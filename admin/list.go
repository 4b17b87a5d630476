package admin

import (
	"encoding/base64"
	"unicode/utf8"

	"github.com/usher-scim/usher/resources"
)

// List is a list, or the part of one that was asked for.
type List[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty" doc:"Send it as cursor to read on; left out at the end."`
}

// Paged is embedded in the input of operations that list. It and the like are
// exported because huma fills parameters of exported types only.
type Paged struct {
	Cursor string `query:"cursor" maxLength:"4096" doc:"The next of the page before; left out for the first."`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many to return at most."`
}

type listOut[T any] struct{ Body List[T] }

// after is the position that a cursor stands for.
func (p *Paged) after() (string, error) {
	if p.Cursor == "" {
		return "", nil
	}
	at, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	if err != nil || len(at) == 0 || !utf8.Valid(at) {
		return "", badCursor()
	}
	return string(at), nil
}

func badCursor() error {
	return &resources.Error{Code: resources.CodeInvalidCursor, Field: "query.cursor", Detail: "This is not a cursor of this list; start at the beginning without one."}
}

// listed makes a list of what the domain gave; next is a position in it.
func listed[S, T any](from []S, next string, wire func(S) T) *listOut[T] {
	out := &listOut[T]{Body: List[T]{Items: make([]T, 0, len(from))}}
	for _, v := range from {
		out.Body.Items = append(out.Body.Items, wire(v))
	}
	if next != "" {
		out.Body.Next = base64.RawURLEncoding.EncodeToString([]byte(next))
	}
	return out
}

// one is an answer with one thing.
type one[T any] struct {
	ETag     string `header:"ETag" doc:"For If-Match."`
	Location string `header:"Location" doc:"Where it is, when it was created."`
	Body     T
}

// plain is an answer with one thing that has no ETag.
type plain[T any] struct{ Body T }
