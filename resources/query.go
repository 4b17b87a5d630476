package resources

// CondOp is how a condition narrows down records.
type CondOp uint8

// The condition operators. Which shape each needs is noted.
const (
	CondAnd       CondOp = iota + 1 // all of Subs
	CondOr                          // any of Subs
	CondIs                          // Unique, Equal or Text: entry equal to Value
	CondPrefix                      // Text: entry starts with Value
	CondContains                    // Text: entry contains Value; a walk over the index
	CondRange                       // Time: From ≤ time ≤ To. Member: From ≤ id < To as ids
	CondIn                          // Member: the record stands in the index
	CondIDs                         // the record's id is one of IDs
	CondGroupsOf                    // groups that have the member Value
	CondMembersOf                   // records that are direct members of the group Value
)

// Cond is a condition that indexes can answer.
type Cond struct {
	Op           CondOp
	Index        Index
	Value        string
	From, To     int64  // CondRange over Time, milliseconds, both inclusive
	FromID, ToID string // CondRange over Member: FromID ≤ id < ToID; empty: no bound
	IDs          []string
	Subs         []Cond
}

// Query asks for one page of the records of a kind.
type Query struct {
	Kind Kind

	// Where holds for every record that matches, and perhaps for others. Nil:
	// nothing is known, every record must be looked at.
	Where *Cond
	// Match decides exactly. Nil: Where alone decides (all records when Where
	// is nil too). It may be called from one goroutine only and must not keep
	// the record.
	Match func(*Record) bool
	// Needle, when not empty, is an ASCII lower-case text that the lowered
	// profile of every match contains; a cheap test before Match.
	Needle string
	// WithGroups and WithMembers say that Match or SortKey look at
	// Record.Groups or Record.Members.
	WithGroups  bool
	WithMembers bool

	// Sort is a Text, Time or Member index of Kind to order by; NoIndex is
	// creation order. SortKey orders by any other attribute instead: it gives
	// the value to compare (folded if the attribute ignores case) and whether
	// there is one; records without come last ascending, first descending
	// . With SortKey every match is held in memory, within Budget. When
	// both are given they mean the same order, and the store takes the cheaper.
	Sort       Index
	SortKey    func(*Record) (string, bool)
	Descending bool

	Offset int // matches to skip, ≥ 0
	Limit  int // matches to return, ≥ 0; 0 asks for the total only

	// Keyset pages by position instead of Offset, which must be 0: After is a
	// position that an earlier Page of the same query gave, and the page begins
	// right behind it; "" is the start. With Backward the page ends right before
	// the position, in the same order as ever; "" is then the end. Limit must
	// not be 0. A record that lives through a walk from page to page, matches
	// all the while and keeps the value that is sorted by is shown exactly once,
	// whatever else comes and goes, the record of the position included. A
	// position that cannot be one of this query fails with CodeInvalidCursor.
	// Values of SortKey count with their first 512 bytes.
	Keyset   bool
	After    string
	Backward bool

	// Room, when not nil, is space the profiles of the page may be put into; it
	// grows as needed. They are good only until the caller uses it again.
	Room *[]byte

	// NoGroups says that the caller does not need Record.Groups of the page.
	NoGroups bool

	// Budget is how many records may be looked at beyond what indexes decide;
	// past it, or past the store's time bound, Find fails with CodeTooMany.
	// A page by position ends early instead when it has anything to show.
	Budget int

	// Explain asks for Page.Plan.
	Explain bool
}

// Page is an answer to a Query.
type Page struct {
	// Total is the number of all matches. With Keyset it is -1 where it would
	// take a walk that the page does not need.
	Total   int
	Records []*Record // those of the page, in order, with Groups unless NoGroups

	// Next and Prev are set with Keyset: the positions behind the last and before
	// the first record of the page, "" when nothing is there. They are opaque,
	// hold what is sorted by, and stay good for ever.
	Next, Prev string

	// Plan tells which indexes answered and how much they gave, in a closed
	// vocabulary: codes of indexes and counts, never a value. Package backend
	// explains the words.
	Plan string
}
