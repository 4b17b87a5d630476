package password

import (
	_ "embed" // of the list
	"slices"
	"strings"
	"unicode"
)

// list has a password a line, in byte order.
//
//go:embed common.txt
var list string

// shortWord is the length below which the rest of a password, without the digits
// and signs around it, says nothing.
const shortWord = 4

// common reports whether a folded password is one that many people use: as it is,
// without digits and signs at its ends, or with signs read as the letters they
// look like.
func common(folded string) bool {
	return slices.ContainsFunc(forms(folded), listed)
}

// named reports whether nothing is left of a folded password without the names
// that everybody knows.
func (r Rules) named(folded string) bool {
	for _, form := range forms(folded) {
		letters := strings.Join(words(form), "")
		for _, w := range r.Words {
			w = fold(w)
			if joined := strings.Join(words(w), ""); len(joined) >= shortToken && letters == joined {
				return true
			}
		}
	}
	return false
}

// forms are what people make a password of a common one from.
func forms(folded string) []string {
	out := []string{folded}
	for _, f := range []string{folded, plain(folded)} {
		if core := strings.TrimFunc(f, func(c rune) bool { return !unicode.IsLetter(c) }); len(core) >= shortWord {
			out = append(out, core)
		}
	}
	return out
}

// plain reads signs and digits as the letters they look like, but those that end
// the text: they are there to be counted.
func plain(s string) string {
	s = strings.TrimRightFunc(s, func(c rune) bool { return !unicode.IsLetter(c) })
	return strings.NewReplacer("@", "a", "4", "a", "3", "e", "1", "i", "!", "i", "0", "o", "$", "s", "5", "s", "7", "t").Replace(s)
}

// listed looks a word up in the list.
func listed(word string) bool {
	if word == "" || strings.Contains(word, "\n") {
		return false
	}
	low, high := 0, len(list) // of lines
	for low < high {
		at := (low + high) / 2
		start := strings.LastIndexByte(list[:at], '\n') + 1
		end := start + strings.IndexByte(list[start:], '\n')
		switch line := list[start:end]; {
		case line == word:
			return true
		case line < word:
			low = end + 1
		default:
			high = start
		}
	}
	return false
}
