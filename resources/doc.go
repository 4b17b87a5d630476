// Package resources is what usher knows and every rule about it.
//
// It holds the nouns (users, groups, tokens, organizations), the rules of the
// rule book (BR-…), and the acts doors may ask for, one method of [Directory]
// each. It does no I/O: state is reached through the [Store] and [Vault] ports
// that this package defines and the backend room implements.
//
// The flow of a write: a door authenticates a [Caller], turns its protocol into
// a call of the Directory, and hands over a function that changes the document.
// The Directory runs it inside [Store.Update], derives what the rules look at
// from the old and the new document, and lets settle decide the consequences:
// claims taken and released, standing, issues, events. Everything is committed
// at once or not at all. Errors are [Error] values with a stable [Code]; each
// door maps codes to its own statuses in one place.
//
// What an organization declares beside the built-in schemas ([Declared]) comes
// with the Caller. The values of declared attributes that must be unique or are
// found by stand in indexes of their own; which ones a record has is noted in its
// standing, so that its place is known from the record alone.
//
// Doors, jobs and the backend import this package; it imports none of them.
package resources
