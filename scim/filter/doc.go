// Package filter reads the filters, attribute paths, sort keys and attribute
// lists of SCIM requests (RFC 7644 §3.4.2.2, §3.5.2, §3.9) and turns them into
// questions that the store can answer.
//
// The flow of a filter:
//
//	text ─scan─▶ template + terms ─grammar─▶ tree ─Plan─▶ resources.Query
//	                 │                                         │
//	                 └ schema: names, types, literals          └ Match: what no index decides
//
// One bounded pass over the text (scan.go) checks characters, length, depth and
// the number of comparisons as it goes (security S13). It resolves every
// attribute against the resource type at once, decodes the literals, and
// leaves behind a template in which each comparison is reduced to its shape:
// `userName eq "x" and not (title pr)` becomes `a eq 0 and not (a pr)`. Only the
// template goes to filter-parser, which decides grammar and precedence; what it
// said is remembered by template (template.go). So the grammar costs nothing
// for traffic that differs in values only, and no client text ever reaches a
// recursive parser. Value paths `emails[…]` are scanned the same way on their
// own, which gives them the whole filter grammar inside the brackets.
//
// [Filter.Match] decides a stored record exactly, [Filter.MatchElement] one
// value of a multi-valued attribute. [Filter.Plan] chooses what indexes can
// answer and leaves the rest to Match; when the indexes are joined by and, of
// which the store may ask one only, Match decides them too. Numbers are
// compared exactly (decimal.go), dates by instant, text as its attribute
// compares.
//
// Declared types share one kind of record: [Everything] is the question for all
// resources of a type, and every plan is narrowed to it (declared.go). Texts of
// declared attributes stand in two indexes for each kind, which answer eq and
// sw.
//
// Decisions where the RFC leaves room:
//
//   - `ne` is true for an attribute without a value; on several values it is
//     true when any of them differs (R-68 read literally).
//   - `co`, `sw`, `ew` need text: on booleans, numbers and dates they are
//     refused, as `gt` and its kin are on booleans and binaries.
//   - Attributes that are written but never returned cannot be filtered or
//     sorted by, else their values could be guessed.
//   - `meta.location` and `$ref` of groups and members compare relative to the
//     base URL, which this package does not know: the literal may be absolute
//     or end like "Users/<id>".
//   - `members` of a group can be filtered by value, type and $ref; display is
//     a name of another resource and is not looked up.
//   - A wrong sortBy, and attributes together with excludedAttributes, are
//     400 invalidValue; unknown names in attribute lists are ignored.
//
// Errors are elimity errors.ScimError values with status 400. Their detail
// names what is wrong and at which character, and echoes at most 100
// characters of the input.
package filter
