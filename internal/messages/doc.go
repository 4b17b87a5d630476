// Package messages holds the titles of error codes in English and French, and
// chooses the language that somebody reads. It knows nothing of what the codes
// stand for: a door gives the code and what its client accepts, and gets one
// sentence, the same for every occurrence.
package messages
